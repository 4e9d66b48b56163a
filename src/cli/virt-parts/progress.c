/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line on the terminal that says how far a long event is. */
#include "progress.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dispatch/clock.h"

enum { FIRST_MS = 1000, EACH_MS = 250, MAX_DEPTH = 8 };

/* Who has written most. */
struct writer {
	char name[32];
	uint64_t bytes;
};

static void take_writer(pid_t pid, struct writer *most)
{
	char path[64], line[128];
	uint64_t bytes = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/io", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "wchar: %" SCNu64, &bytes) == 1)
			break;
	if (file)
		fclose(file);
	if (bytes < most->bytes)
		return;
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (file && fgets(most->name, sizeof(most->name), file)) {
		most->name[strcspn(most->name, "\n")] = '\0';
		most->bytes = bytes;
	}
	if (file)
		fclose(file);
}

static pid_t parent_of(const char *pid)
{
	char path[300], text[512];
	const char *rest;
	pid_t parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	file = fopen(path, "re");
	if (file && fgets(text, sizeof(text), file)) {
		/* its name, in brackets, may hold anything; a state and its parent follow */
		rest = strrchr(text, ')');
		if (rest && sscanf(rest, ") %*c %d", &parent) != 1)
			parent = 0;
	}
	if (file)
		fclose(file);
	return parent;
}

static void take_children(pid_t pid, struct writer *most, int depth)
{
	DIR *dir = depth < MAX_DEPTH ? opendir("/proc") : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		pid_t child = (pid_t)strtol(entry->d_name, NULL, 10);

		if (child <= 0 || parent_of(entry->d_name) != pid)
			continue;
		take_writer(child, most);
		take_children(child, most, depth + 1);
	}
	if (dir)
		closedir(dir);
}

void progress_begin(struct progress *progress)
{
	*progress = (struct progress){.wanted = isatty(STDERR_FILENO), .began = clock_ms()};
}

void progress_show(struct progress *progress, pid_t pid)
{
	int64_t now = clock_ms();
	struct writer most = {0};

	if (!progress->wanted || now - progress->began < FIRST_MS || now - progress->told < EACH_MS)
		return;
	take_children(pid, &most, 0);
	progress->told = now;
	progress->shown = true;
	fprintf(stderr, "\r\033[K%s: %" PRIu64 " MiB written, %" PRId64 " s",
		*most.name ? most.name : "waiting", most.bytes >> 20,
		(now - progress->began) / 1000);
	fflush(stderr);
}

void progress_hide(struct progress *progress)
{
	if (!progress->shown)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	progress->shown = false;
}
