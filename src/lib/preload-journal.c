/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal of images: `built INODE BIRTH PATH` and `iso PATH`. */
#include "preload-journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beneath.h"
#include "own-mounts.h"
#include "record.h"

/* ACT on done/preload with the line that PATH is about to be in place. */
static int with_place(
	int (*act)(int run, const char *name, const char *line), int run, const char *path)
{
	char *line;
	int r;

	if (asprintf(&line, "iso %s", path) < 0)
		return -ENOMEM;
	r = act(run, "done/preload", line);
	free(line);
	return r;
}

int preload_journal_has(int run, const char *path)
{
	return with_place(vp_record_has_line, run, path);
}

int preload_journal_place(int run, const char *path)
{
	return with_place(vp_record_append, run, path);
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

/*
 * The rest of a line behind `built `, which says that an image was made for PATH: as what, in RET. Not by
 * sscanf(3), which looks for the end of the whole journal at each line.
 */
static bool read_built(const char *line, const char *path, struct identity *ret)
{
	size_t length = strlen(path), birth;
	char *at;

	ret->inode = strtoumax(line, &at, 10);
	if (at == line || *at++ != ' ')
		return false;
	birth = strcspn(at, " \n");
	if (birth >= sizeof(ret->birth) || at[birth] != ' ')
		return false;
	memcpy(ret->birth, at, birth);
	ret->birth[birth] = '\0';
	at += birth + 1;
	return !strncmp(at, path, length) && at[length] == '\n';
}

static bool is_same(const struct identity *a, const struct identity *b)
{
	return a->inode == b->inode &&
	       (!strcmp(a->birth, b->birth) || !strcmp(a->birth, "-") || !strcmp(b->birth, "-"));
}

/* Whether the journal has it as made for PATH: 1, 0, or that it has none. */
static int is_noted(const char *journal, const struct identity *identity, const char *path)
{
	static const char built[] = "built ";
	int noted = PRELOAD_JOURNAL_NONE;

	for (const char *line = journal; line && *line; line = strchr(line, '\n')) {
		struct identity is;

		line += *line == '\n';
		if (strncmp(line, built, sizeof(built) - 1) != 0 ||
			!read_built(line + sizeof(built) - 1, path, &is))
			continue;
		if (is_same(&is, identity))
			return 1;
		noted = 0;
	}
	return noted;
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
		return r == -ENOENT ? PRELOAD_JOURNAL_NONE : r;
	r = is_noted(journal, &identity, path);
	free(journal);
	return r;
}
