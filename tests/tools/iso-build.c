/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds an image from the command line, for tests of the image builder. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "iso.h"

#define LIST_MAX 4096

static void warn(const char *path, const char *why)
{
	fprintf(stderr, "iso-build: warning: '%s': %s\n", path, why);
}

static int usage(void)
{
	fputs("usage: iso-build [--max-entries N] [--max-bytes N] LABEL APPID OUT\n"
	      "                 [SRC | --file PATH=TEXT]...\n"
	      "       iso-build --id IMAGE\n",
		stderr);
	return 2;
}

static int print_id(const char *path)
{
	char id[ISO_APPLICATION_ID_MAX + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error = fd < 0 ? -errno : iso_read_application_id(fd, id);

	if (fd >= 0)
		close(fd);
	if (error < 0) {
		fprintf(stderr, "iso-build: '%s': %s\n", path, strerror(-error));
		return 1;
	}
	puts(id);
	return 0;
}

static int build(const struct iso_request *request, const char *path)
{
	char why[4096] = "";
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int error;

	if (fd < 0) {
		fprintf(stderr, "iso-build: cannot open '%s': %s\n", path, strerror(errno));
		return 1;
	}
	error = iso_build(request, fd, why, sizeof why);
	if (error < 0)
		fprintf(stderr, "iso-build: %s (%s)\n", why, strerrorname_np(-error));
	if (close(fd) < 0 && !error) {
		fprintf(stderr, "iso-build: cannot close '%s': %s\n", path, strerror(errno));
		error = -errno;
	}
	return error < 0;
}

int main(int argc, char **argv)
{
	static struct iso_source sources[LIST_MAX];
	static struct iso_file files[LIST_MAX];
	struct iso_request request = {.sources = sources,
		.files = files,
		.max_entries = UINT64_MAX,
		.max_bytes = UINT64_MAX,
		.warn = warn};
	int at = 1;

	if (argc == 3 && !strcmp(argv[1], "--id"))
		return print_id(argv[2]);
	for (; at + 1 < argc && !strncmp(argv[at], "--max-", 6); at += 2)
		*(strcmp(argv[at], "--max-bytes") ? &request.max_entries : &request.max_bytes) =
			strtoull(argv[at + 1], NULL, 10);
	if (argc - at < 3 || argc > LIST_MAX)
		return usage();
	request.label = argv[at];
	request.application_id = argv[at + 1];
	for (int i = at + 3; i < argc; i++) {
		if (!strcmp(argv[i], "--file")) {
			char *equals = i + 1 < argc ? strchr(argv[i + 1], '=') : NULL;

			if (!equals)
				return usage();
			*equals = '\0';
			files[request.n_files++] =
				(struct iso_file){argv[++i], equals + 1, strlen(equals + 1)};
			continue;
		}
		sources[request.n_sources++] = (struct iso_source){
			open(argv[i], O_PATH | O_DIRECTORY | O_CLOEXEC), argv[i]};
		if (sources[request.n_sources - 1].dirfd < 0) {
			fprintf(stderr, "iso-build: cannot open '%s': %s\n", argv[i],
				strerror(errno));
			return 1;
		}
	}
	return build(&request, argv[at + 2]);
}
