/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One entry of a source: what it is, opening it by descriptor, and whether it is the same still. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "iso-tree.h"

int iso_entry_stat(int dirfd, const char *name, struct statx *ret_stat)
{
	int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name ? 0 : AT_EMPTY_PATH);

	if (statx(dirfd, name, flags, STATX_BASIC_STATS | STATX_MNT_ID, ret_stat) < 0)
		return -errno;
	return ret_stat->stx_mask & STATX_MNT_ID ? 0 : -ENOSYS;
}

struct iso_stamp iso_entry_stamp(const struct statx *st)
{
	return (struct iso_stamp){.ino = st->stx_ino,
		.size = st->stx_size,
		.mtime = st->stx_mtime.tv_sec,
		.ctime = st->stx_ctime.tv_sec,
		.mtime_nsec = st->stx_mtime.tv_nsec,
		.ctime_nsec = st->stx_ctime.tv_nsec,
		.dev_major = st->stx_dev_major,
		.dev_minor = st->stx_dev_minor,
		.mode = st->stx_mode,
		.uid = st->stx_uid,
		.gid = st->stx_gid};
}

int iso_entry_is_same(const struct iso_tree *tree, unsigned int source,
	const struct iso_stamp *stamp, const struct statx *st)
{
	struct iso_stamp now = iso_entry_stamp(st);

	return st->stx_mnt_id == tree->mounts[source] && stamp->ino == now.ino &&
	       stamp->dev_major == now.dev_major && stamp->dev_minor == now.dev_minor &&
	       stamp->size == now.size && stamp->mtime == now.mtime &&
	       stamp->mtime_nsec == now.mtime_nsec && stamp->ctime == now.ctime &&
	       stamp->ctime_nsec == now.ctime_nsec && stamp->mode == now.mode &&
	       stamp->uid == now.uid && stamp->gid == now.gid;
}

int iso_entry_fail(const struct iso_tree *tree, struct iso_failure *failure,
	const struct iso_node *node, unsigned int source, int error, const char *what)
{
	char text[ISO_TEXT_SIZE];

	iso_node_text(tree, node, source, text);
	if (error == -EXDEV)
		return iso_fail(failure, EXDEV, "'%s' is on another mount", text);
	if (error == -ENOSYS)
		return iso_fail(failure, ENOSYS,
			"cannot %s '%s': needs openat2 and mount ids, Linux 5.8", what, text);
	return iso_fail(failure, -error, "cannot %s '%s': %s", what, text, strerror(-error));
}

int iso_entry_fail_changed(const struct iso_tree *tree, struct iso_failure *failure,
	const struct iso_node *node, unsigned int source)
{
	char text[ISO_TEXT_SIZE];

	return iso_fail(failure, EBUSY, "'%s' changed while the image was built",
		iso_node_text(tree, node, source, text));
}

int iso_entry_open(const struct iso_tree *tree, const struct iso_node *node,
	const struct iso_origin *origin, int flags, struct iso_failure *failure)
{
	struct open_how how = {.flags = (unsigned int)(flags | O_CLOEXEC | O_NOFOLLOW),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
			   RESOLVE_NO_XDEV};
	char path[PATH_MAX];
	struct statx st;
	long fd;
	int error = iso_node_path(node, path);

	if (error < 0)
		return iso_entry_fail(tree, failure, node, origin->source, error, "open");
	fd = syscall(
		SYS_openat2, tree->request->sources[origin->source].dirfd, path, &how, sizeof how);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return iso_entry_fail_changed(tree, failure, node, origin->source);
	if (fd < 0)
		return iso_entry_fail(tree, failure, node, origin->source, -errno, "open");
	error = iso_entry_stat((int)fd, "", &st);
	if (error < 0)
		error = iso_entry_fail(tree, failure, node, origin->source, error, "stat");
	else if (st.stx_mnt_id != tree->mounts[origin->source])
		error = iso_entry_fail(tree, failure, node, origin->source, -EXDEV, "open");
	else if (!iso_entry_is_same(tree, origin->source, &origin->stamp, &st))
		error = iso_entry_fail_changed(tree, failure, node, origin->source);
	if (error < 0) {
		close((int)fd);
		return error;
	}
	return (int)fd;
}

int iso_entry_open_file(
	const struct iso_tree *tree, const struct iso_node *node, struct iso_failure *failure)
{
	char self[sizeof "/proc/self/fd/-2147483648"];
	int fd, path_fd = iso_entry_open(tree, node, &node->origin, O_PATH, failure);

	if (path_fd < 0)
		return path_fd;
	/* By name a device or FIFO could have come in between; this is the inode that was seen. */
	snprintf(self, sizeof self, "/proc/self/fd/%d", path_fd);
	fd = open(self, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		fd = iso_entry_fail(tree, failure, node, node->origin.source, -errno, "open");
	close(path_fd);
	return fd;
}

int iso_entry_check_file(const struct iso_tree *tree, const struct iso_node *node, int fd,
	struct iso_failure *failure)
{
	struct statx st;
	int error = iso_entry_stat(fd, "", &st);

	if (error)
		return iso_entry_fail(tree, failure, node, node->origin.source, error, "stat");
	return iso_entry_is_same(tree, node->origin.source, &node->origin.stamp, &st)
		       ? 0
		       : iso_entry_fail_changed(tree, failure, node, node->origin.source);
}
