/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening an allowed root, whose ancestors only root can have made. */
#include "root-dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust.h"

static int refuse(
	int error, const char *path, size_t length, const char *what, char *why, size_t size)
{
	snprintf(why, size, "'%.*s' %s", (int)length, path, what);
	return error;
}

static int open_component(int dir, const char *name, unsigned make_mode, int flags)
{
	int fd = openat(dir, name, flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 || errno != ENOENT || !make_mode)
		return fd < 0 ? -errno : fd;
	if (mkdirat(dir, name, make_mode) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(dir, name, flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static const char *failure(int error, bool is_link)
{
	if (is_link)
		return "is a symbolic link: write the path that it leads to in parts.conf";
	return strerror(-error);
}

static bool is_link(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
}

int vp_open_root_dir(const char *path, unsigned make_mode, char *why, size_t size)
{
	int dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *at = path;
	size_t done = 1; /* how much of the path dir is */

	for (;;) {
		char name[NAME_MAX + 1];
		bool last;
		size_t length;
		struct stat st;
		int fd;

		if (dir < 0 || fstat(dir, &st) < 0)
			return refuse(-errno, path, done, strerror(errno), why, size);
		if (vp_trust_mode(&st) < 0) {
			close(dir);
			return refuse(-EPERM, path, done,
				"can be written by others than root, and what lies below it is not "
				"safe to act on",
				why, size);
		}
		at += strspn(at, "/");
		length = strcspn(at, "/");
		last = !at[length + strspn(at + length, "/")];
		if (length > NAME_MAX) {
			close(dir);
			return refuse(-ENAMETOOLONG, path, done, "has too long a name below it",
				why, size);
		}
		memcpy(name, at, length);
		name[length] = '\0';
		at += length;
		fd = open_component(dir, length ? name : ".", make_mode, last ? O_RDONLY : O_PATH);
		if (fd < 0)
			refuse(fd, path, (size_t)(at - path), failure(fd, is_link(dir, name)), why,
				size);
		close(dir);
		if (fd < 0 || last)
			return fd;
		dir = fd;
		done = (size_t)(at - path);
	}
}
