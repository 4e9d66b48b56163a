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

#define MAX_LINE ((size_t)1 << 20)

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
	return 0;
}

static int each_line(FILE *file, int (*each)(const struct vp_mount *, void *), void *context)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	int r = 0;

	while (r == 0 && (errno = 0, length = getline(&line, &room, file)) >= 0) {
		struct vp_mount mount;

		if ((size_t)length > MAX_LINE) {
			r = -E2BIG;
			break;
		}
		if (length > 0 && line[length - 1] == '\n')
			line[length - 1] = '\0';
		r = parse_line(line, &mount);
		if (r == 0)
			r = each(&mount, context);
	}
	if (r == 0 && !feof(file))
		r = errno > 0 ? -errno : -EIO;
	free(line);
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
