/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reader of /proc/self/mountinfo; the form is that of proc(5). */
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/*
 * A guest chooses how deep a mount lies, and every line is read for all guests: what a field has
 * beyond this is passed over. 4096 names of 255 bytes, each written as \ooo.
 */
#define MAX_FIELD ((size_t)4 << 20)

struct line {
	FILE *file;
	char *text;
	size_t length, room;
	bool cut; /* a field was longer */
};

/* Decodes \ooo in place. */
static void decode(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
			from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/*
 * Cuts the next field off; NULL when there is none. A field may be empty: the source of a mount
 * may be "".
 */
static char *next_field(char **at)
{
	return *at ? strsep(at, " ") : NULL;
}

static bool parse_number(const char *text, uint64_t *ret)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0';
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue" */
static int parse_line(char *line, struct vp_mount *ret)
{
	enum { ID, PARENT, DEVICE, ROOT, MOUNT_POINT, OPTIONS, FIELDS };
	char *field[FIELDS];
	char *at = line;
	unsigned major, minor;
	char rest;

	for (int i = 0; i < FIELDS; i++) {
		field[i] = next_field(&at);
		if (!field[i])
			return -EBADMSG;
	}
	for (char *tag = next_field(&at); !tag || strcmp(tag, "-") != 0; tag = next_field(&at))
		if (!tag)
			return -EBADMSG;

	char *fs_type = next_field(&at);
	char *source = next_field(&at);
	char *super_options = next_field(&at);

	if (!fs_type || !source || !parse_number(field[ID], &ret->id) ||
		!parse_number(field[PARENT], &ret->parent_id) ||
		sscanf(field[DEVICE], "%u:%u%c", &major, &minor, &rest) != 2)
		return -EBADMSG;
	decode(field[ROOT]);
	decode(field[MOUNT_POINT]);
	decode(fs_type);
	decode(source);
	ret->device = makedev(major, minor);
	ret->root = field[ROOT];
	ret->mount_point = field[MOUNT_POINT];
	ret->options = field[OPTIONS];
	ret->fs_type = fs_type;
	ret->source = source;
	ret->super_options = super_options ? super_options : "";
	return 0;
}

static int put(struct line *line, char c)
{
	if (line->length == line->room) {
		size_t room = line->room ? 2 * line->room : 4096;
		char *text = realloc(line->text, room);

		if (!text)
			return -ENOMEM;
		line->text = text;
		line->room = room;
	}
	line->text[line->length++] = c;
	return 0;
}

/* 1 and the line; 0 at the end; -errno. */
static int read_line(struct line *line)
{
	size_t field = 0;
	int r = 0, c;

	line->length = 0;
	line->cut = false;
	errno = 0;
	while (r == 0 && (c = getc_unlocked(line->file)) != EOF && c != '\n') {
		field = c == ' ' ? 0 : field + 1;
		if (field <= MAX_FIELD)
			r = put(line, (char)c);
		else
			line->cut = true;
	}
	if (r < 0)
		return r;
	if (ferror(line->file))
		return errno > 0 ? -errno : -EIO;
	if (c == EOF && line->length == 0)
		return 0;
	r = put(line, '\0');
	return r < 0 ? r : 1;
}

static int each_line(FILE *file, int (*each)(const struct vp_mount *, void *), void *context)
{
	struct line line = {.file = file};
	int r = 0;

	while (r == 0 && (r = read_line(&line)) > 0) {
		struct vp_mount mount;

		r = parse_line(line.text, &mount);
		mount.cut = line.cut;
		if (r == 0)
			r = each(&mount, context);
	}
	free(line.text);
	return r;
}

int vp_each_mount_of(
	int fd, int (*each)(const struct vp_mount *mount, void *context), void *context)
{
	FILE *file = fdopen(fd, "r");

	if (!file) {
		int r = -errno;

		close(fd);
		return r;
	}
	int r = each_line(file, each, context);

	fclose(file);
	return r;
}

int vp_each_mount(int (*each)(const struct vp_mount *mount, void *context), void *context)
{
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : vp_each_mount_of(fd, each, context);
}
