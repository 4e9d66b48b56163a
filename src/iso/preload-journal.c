/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal of images: `built INODE BIRTH PATH` and `iso PATH`. */
#include "preload-journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beneath.h"
#include "own-mounts.h"
#include "record.h"

int preload_journal_has(int run, const char *path)
{
	char *line;
	int r;

	if (asprintf(&line, "iso %s", path) < 0)
		return -ENOMEM;
	r = vp_record_has_line(run, "done/preload", line);
	free(line);
	return r;
}

int preload_journal_place(int run, const char *path)
{
	char *line;
	int r;

	if (asprintf(&line, "iso %s", path) < 0)
		return -ENOMEM;
	r = vp_record_append(run, "done/preload", line);
	free(line);
	return r;
}

/* No other file has these, made here or by another host; birth is `-` where that is not known. */
struct identity {
	uintmax_t inode;
	char birth[VP_BIRTH_SIZE];
};

static int identify(int fd, struct identity *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	ret->inode = st.st_ino;
	vp_birth_of(fd, ret->birth);
	return 0;
}

int preload_journal_built(int run, int fd, const char *path)
{
	struct identity identity;
	int r = identify(fd, &identity);
	char *line;

	if (r == 0 && asprintf(&line, "built %ju %s %s", identity.inode, identity.birth, path) < 0)
		r = -ENOMEM;
	if (r < 0)
		return r;
	r = vp_record_append(run, "done/preload", line);
	free(line);
	return r;
}

/* Whether the journal has it as made for PATH; true as well when it has none, as those of older versions. */
static bool is_noted(const char *journal, const struct identity *identity, const char *path)
{
	size_t length = strlen(path);
	bool noted = false;

	for (const char *line = journal; line; line = strchr(line, '\n')) {
		struct identity is;
		int at;

		line += *line == '\n';
		if (sscanf(line, "built %ju %31s %n", &is.inode, is.birth, &at) != 2 ||
			strncmp(line + at, path, length) != 0 || line[at + length] != '\n')
			continue;
		noted = true;
		if (is.inode == identity->inode &&
			(!strcmp(is.birth, identity->birth) || !strcmp(is.birth, "-") ||
				!strcmp(identity->birth, "-")))
			return true;
	}
	return !noted;
}

int preload_journal_owns(int run, int parent, const char *name, const char *path)
{
	int fd = vp_open_beneath(parent, name, O_PATH), r;
	struct identity identity;
	char *journal;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	r = identify(fd, &identity);
	close(fd);
	if (r == 0)
		r = vp_record_read(run, "done/preload", &journal, NULL);
	if (r < 0)
		return r;
	r = is_noted(journal, &identity, path);
	free(journal);
	return r;
}
