/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unmounting a guest's tmpfs, and only that: by its parent directory, held, and its mount id. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "beneath.h"
#include "mounts.h"
#include "ramdisk-mount.h"

enum { TRIES = 20, PAUSE_MS = 100 };

/* 1: the mount is there, under that name in the directory; 0: something else or nothing is. */
static int is_there(
	int parent, const char *leaf, const struct vp_own_mount *mount, dev_t *ret_device)
{
	int fd = vp_open_beneath(parent, leaf, O_PATH | O_DIRECTORY), r;
	struct stat st;
	uint64_t id;

	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP ? 0 : fd;
	r = vp_mount_id(fd, &id);
	if (r == 0 && fstat(fd, &st) == 0)
		*ret_device = st.st_dev;
	close(fd);
	return r < 0 ? r : id == mount->id;
}

/* A mount of the guest's: the kernel gives the number of one that is gone to the next that comes. */
struct wanted {
	uint64_t id;
	char source[VP_MOUNT_SOURCE_SIZE];
};

static int find_wanted(const struct vp_mount *mount, void *context)
{
	const struct wanted *wanted = context;

	return mount->id == wanted->id && strcmp(mount->source, wanted->source) == 0;
}

/* Not at its place: it is gone, or something covers it. */
static int check_gone(const char *uuid, const struct vp_own_mount *mount, char *why, size_t size)
{
	struct wanted wanted = {.id = mount->id};
	int r;

	vp_mount_source(uuid, wanted.source);
	r = vp_each_mount(find_wanted, &wanted);

	if (r > 0) {
		snprintf(why, size, "something else is mounted over it or in its way");
		r = -EBUSY;
	}
	return r;
}

/* umount2 takes a path: the working directory is the one that was checked, so a name will do. */
static int unmount_in(const char *uuid, int parent, const char *leaf,
	const struct vp_own_mount *mount, char *why, size_t size)
{
	dev_t device = 0;
	int r = 0;

	if (fchdir(parent) < 0)
		return -errno;
	for (int i = 0; i < TRIES; i++) {
		r = is_there(parent, leaf, mount, &device);
		if (r == 0)
			return check_gone(uuid, mount, why, size);
		if (r < 0)
			return r;
		/* by name, since there is no way by descriptor: it may have been exchanged since */
		if (umount2(leaf, UMOUNT_NOFOLLOW) == 0) {
			r = check_gone(uuid, mount, why, size);
			if (r == -EBUSY)
				snprintf(why, size,
					"another mount was put in its place, and was unmounted");
			return r;
		}
		r = -errno;
		if (r != -EBUSY)
			return r;
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
	}
	snprintf(why, size, "%s", "it is in use");
	if (size > 64) {
		char holders[512];

		ramdisk_holders(device, holders, sizeof(holders));
		if (*holders)
			snprintf(why, size, "it is in use by %s", holders);
	}
	return r;
}

/* The directory that it is mounted in, however deep that lies. */
static int open_parent(const struct vp_own_mount *mount, const char **ret_leaf)
{
	const char *leaf = strrchr(mount->path, '/') + 1;
	size_t length = (size_t)(leaf - mount->path);
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), fd;
	char *parent;

	*ret_leaf = leaf;
	if (root < 0)
		return -errno;
	parent = strndup(mount->path + 1, length > 1 ? length - 2 : 0);
	fd = parent ? vp_open_long_beneath(root, parent, O_RDONLY | O_DIRECTORY) : -ENOMEM;
	free(parent);
	close(root);
	return fd;
}

int ramdisk_unmount(const char *uuid, const struct vp_own_mount *mount, char *why, size_t size)
{
	const char *leaf;
	int parent = open_parent(mount, &leaf), r;

	*why = '\0';
	if (parent < 0) {
		r = parent == -ENOENT ? check_gone(uuid, mount, why, size) : parent;
	} else {
		r = unmount_in(uuid, parent, leaf, mount, why, size);
		if (chdir("/") < 0 && r == 0)
			r = -errno;
		close(parent);
	}
	if (r < 0 && !*why)
		snprintf(why, size, "%s", strerror(-r));
	return r;
}
