/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which mount a descriptor is on, and whether anything is mounted in a tree. */
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/*
 * Linux 6.8; the C library of Debian 12 does not know it. Kernels ignore mask bits that they
 * don't know.
 */
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x00004000U
#endif

static int statx_fd(int fd, const char *path, unsigned mask, struct statx *ret)
{
	int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*path == '\0' ? AT_EMPTY_PATH : 0);
	struct statx stx;

	if (statx(fd, path, flags, mask, &stx) < 0)
		return -errno;
	if (!(stx.stx_mask & (STATX_MNT_ID | STATX_MNT_ID_UNIQUE)) ||
		!(stx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT))
		return -EOPNOTSUPP;
	*ret = stx;
	return 0;
}

bool vp_identity_equal(const struct vp_identity *a, const struct vp_identity *b)
{
	return a->inode == b->inode && a->device == b->device && a->mount == b->mount;
}

int vp_identify(int fd, const char *path, struct vp_identity *ret_identity, struct statx *ret_statx)
{
	struct statx stx;
	int r = statx_fd(fd, path, STATX_BASIC_STATS | STATX_MNT_ID | STATX_MNT_ID_UNIQUE, &stx);

	if (r < 0)
		return r;
	if (ret_identity)
		*ret_identity = (struct vp_identity){
			.device = makedev(stx.stx_dev_major, stx.stx_dev_minor),
			.inode = stx.stx_ino,
			.mount = stx.stx_mnt_id,
		};
	if (ret_statx)
		*ret_statx = stx;
	return 0;
}

int vp_mount_id(int fd, uint64_t *ret_id)
{
	struct statx stx;
	int r = statx_fd(fd, "", STATX_MNT_ID, &stx);

	if (r == 0)
		*ret_id = stx.stx_mnt_id;
	return r;
}

int vp_is_mount_root(int fd)
{
	struct statx stx;
	int r = statx_fd(fd, "", STATX_MNT_ID, &stx);

	return r < 0 ? r : !!(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

struct tree_question {
	uint64_t own_id;
	const char *path;
	size_t length;
	char *ret_where;
	size_t where_size;
};

static int find_below(const struct vp_mount *mount, void *context)
{
	struct tree_question *tree = context;

	/*
	 * The mount that the directory is the root of has its path too; another one there lies
	 * over it.
	 */
	if (mount->id == tree->own_id || strncmp(mount->mount_point, tree->path, tree->length) != 0)
		return 0;
	char next = mount->mount_point[tree->length];

	if (next != '\0' && next != '/' && tree->path[tree->length - 1] != '/')
		return 0;
	if (next == '\0' && mount->parent_id != tree->own_id)
		return 0;
	if (tree->ret_where && tree->where_size > 0)
		snprintf(tree->ret_where, tree->where_size, "%s", mount->mount_point);
	return 1;
}

int vp_tree_has_mounts(int dir, char *ret_where, size_t where_size)
{
	char link[64], path[PATH_MAX];
	struct tree_question tree = {
		.path = path, .ret_where = ret_where, .where_size = where_size};
	int r = vp_mount_id(dir, &tree.own_id);

	if (r < 0)
		return r;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);

	ssize_t length = readlink(link, path, sizeof(path));

	if (length <= 0)
		return length < 0 ? -errno : -ENOENT;
	if ((size_t)length == sizeof(path))
		return -ENAMETOOLONG;
	path[length] = '\0';
	tree.length = (size_t)length;
	return vp_each_mount(find_below, &tree);
}
