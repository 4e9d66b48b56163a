/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening and making paths below a trusted directory, following no link. */
#include "beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_TRIES \
	64 /* of an openat2() that meets a rename, and of a component that others make and remove */

#define RESOLVE_SAFE (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

int vp_openat2(int dir_fd, const char *path, uint64_t flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};

	/*
	 * With RESOLVE_BENEATH the kernel gives EAGAIN when a rename or a mount made its check
	 * uncertain, and EXDEV when what it found has been moved out of the directory meanwhile.
	 */
	bool may_move = (resolve & RESOLVE_BENEATH) && !(resolve & RESOLVE_NO_XDEV);
	int r = -EAGAIN;

	for (int tries = 0; tries < MAX_TRIES; tries++) {
		long fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && errno != EINTR && !(errno == EXDEV && may_move))
			return -errno;
		r = errno == EXDEV ? -EXDEV : -EAGAIN;
	}
	return r;
}

/* The end of the component at path. */
static size_t component_length(const char *path)
{
	return strcspn(path, "/");
}

static int check_relative(const char *relative)
{
	if (relative[0] == '/')
		return -EINVAL;
	if (strlen(relative) >= PATH_MAX)
		return -ENAMETOOLONG;
	for (const char *at = relative; *at != '\0';) {
		size_t length = component_length(at);

		if (length == 2 && at[0] == '.' && at[1] == '.')
			return -EINVAL;
		at += length;
		at += strspn(at, "/");
	}
	return 0;
}

int vp_open_beneath(int root_fd, const char *relative, uint64_t flags)
{
	int r = check_relative(relative);

	if (r < 0)
		return r;
	/* A mode is only allowed with these; O_TMPFILE contains O_DIRECTORY. */
	bool makes = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;

	flags |= O_CLOEXEC | O_NOFOLLOW;
	if (!(flags & O_PATH))
		flags |= O_NOCTTY; /* openat2() refuses it with O_PATH */
	return vp_openat2(
		root_fd, *relative == '\0' ? "." : relative, flags, makes ? 0600 : 0, RESOLVE_SAFE);
}

int vp_open_long_beneath(int root_fd, const char *relative, uint64_t flags)
{
	char step[PATH_MAX];
	int dir = root_fd, fd;

	do {
		size_t length = strnlen(relative, PATH_MAX);
		bool last = length < PATH_MAX;

		while (!last && length > 0 && relative[--length] != '/')
			;
		memcpy(step, relative, length);
		step[length] = '\0';
		if (last)
			fd = vp_open_beneath(dir, step, flags);
		else if (length == 0)
			fd = -ENAMETOOLONG;
		else
			fd = vp_open_beneath(dir, step, O_PATH | O_DIRECTORY);
		if (dir != root_fd)
			close(dir);
		if (last)
			return fd;
		dir = fd;
		relative += length;
		relative += strspn(relative, "/");
	} while (fd >= 0);
	return fd;
}

/* One component can't lead out of dir_fd, so RESOLVE_BENEATH has nothing to say here. */
static int open_directory(int dir_fd, const char *name)
{
	return vp_openat2(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
		RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

/*
 * Gives a directory that was just made its mode. What somebody put there instead is not ours and
 * keeps its own.
 */
static int settle_mode(int fd, mode_t mode)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || (st.st_mode & 0777) == (mode & 0777))
		return 0;
	return fchmod(fd, mode) < 0 ? -errno : 0;
}

/* Opens name in dir_fd, making it when it is missing. */
static int make_directory(int dir_fd, const char *name, mode_t mode)
{
	bool made = false;

	for (int tries = 0; tries < MAX_TRIES; tries++) {
		int fd = open_directory(dir_fd, name);

		if (fd >= 0 && made) {
			int r = settle_mode(fd, mode);

			/*
			 * Without this, all that is put below it later can vanish with a power
			 * loss, fsynced or not.
			 */
			if (r == 0 && fsync(dir_fd) < 0)
				r = -errno;
			if (r < 0) {
				close(fd);
				return r;
			}
		}
		if (fd != -ENOENT)
			return fd;
		if (mkdirat(dir_fd, name, mode) == 0)
			made = true;
		else if (errno != EEXIST)
			return -errno;
	}
	return -EAGAIN;
}

int vp_mkdirs_beneath(int root_fd, const char *relative, mode_t mode)
{
	char name[NAME_MAX + 1];
	int r = check_relative(relative);

	if (r < 0)
		return r;
	int fd = open_directory(root_fd, ".");

	for (const char *at = relative; fd >= 0 && *at != '\0';) {
		size_t length = component_length(at);

		if (length > NAME_MAX) {
			close(fd);
			return -ENAMETOOLONG;
		}
		memcpy(name, at, length);
		name[length] = '\0';

		int next = make_directory(fd, name, mode);

		close(fd);
		fd = next;
		at += length;
		at += strspn(at, "/");
	}
	return fd;
}

int vp_open_parent_beneath(int root_fd, const char *relative, const char **ret_leaf)
{
	char parent[PATH_MAX];
	int r = check_relative(relative);

	if (r < 0)
		return r;
	const char *slash = strrchr(relative, '/');
	const char *leaf = slash ? slash + 1 : relative;
	size_t length = (size_t)(leaf - relative);

	if (*leaf == '\0' || strcmp(leaf, ".") == 0)
		return -EINVAL;
	memcpy(parent, relative, length);
	parent[length] = '\0';

	int fd = vp_open_beneath(root_fd, parent, O_RDONLY | O_DIRECTORY);

	if (fd >= 0)
		*ret_leaf = leaf;
	return fd;
}
