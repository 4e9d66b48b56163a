/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Putting a finished result in place under a name that nothing has yet, and on disk. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mounts.h"
#include "rename-new.h"
#include "sync-queue.h"
#include "tree-copy-staging.h"
#include "walk-text.h"

#define MAX_ABOVE 128 /* directories above, fsynced */

/*
 * A directory where the filesystem has no RENAME_NOREPLACE: the name is taken by an exclusive mkdir, and
 * a directory can be renamed over an empty one only. Between mkdir and rename an empty directory looks like
 * the result, so that the maker is told before it is made. What is there already is not told: it is not
 * the maker's.
 */
static int move_by_claim(int from_dir, const char *from, int to_dir, const char *to,
	const struct vp_staging_maker *maker, const struct vp_why *why)
{
	struct stat st;
	int r;

	if (fstatat(to_dir, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	r = maker && maker->note_claim ? maker->note_claim(maker->context, to, why->text, why->size)
				       : 0;
	if (r < 0)
		return r;
	if (mkdirat(to_dir, to, 0700) < 0)
		return -errno;
	if (renameat(from_dir, from, to_dir, to) == 0)
		return 0;
	/* another host took it for left, and put its own there */
	r = errno == ENOTEMPTY ? -EEXIST : -errno;
	unlinkat(to_dir, to, AT_REMOVEDIR);
	return r;
}

static int move(int from_dir, const char *from, int to_dir, const char *to,
	const struct vp_staging_maker *maker, const struct vp_why *why)
{
	int r = vp_rename_new(from_dir, from, to_dir, to);

	return r == -EOPNOTSUPP ? move_by_claim(from_dir, from, to_dir, to, maker, why) : r;
}

int vp_publish_remove_left(int dest_parent, const char *name, char *ret_why, size_t why_size)
{
	const struct vp_why why = {ret_why, why_size};

	if (unlinkat(dest_parent, name, AT_REMOVEDIR) == 0)
		return 1;
	/* it has come to hold something, or is something else by now */
	if (errno == ENOENT || errno == ENOTEMPTY || errno == ENOTDIR || errno == EBUSY)
		return 0;
	return vp_why_path(&why, -errno, "remove", name);
}

/* Has dir and the directories above it fsynced, up to the root of its mount. */
static int sync_upwards(struct vp_sync_queue *queue, int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : 0;

	for (int i = 0; fd >= 0; i++) {
		int root = r < 0 || i == MAX_ABOVE ? 1 : vp_is_mount_root(fd), above = -1, queued;

		if (root == 0)
			above = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (root < 0)
			r = root;
		else if (root == 0 && above < 0)
			r = -errno;
		queued = vp_sync_later(queue, fd);
		if (r == 0)
			r = queued;
		fd = above;
	}
	return r;
}

/* The names in both, on disk. */
static int sync_names(int staging_dir, int dest_parent)
{
	struct vp_sync_queue queue = {0};
	int fd = fcntl(staging_dir, F_DUPFD_CLOEXEC, 0);
	int r = fd < 0 ? -errno : vp_sync_later(&queue, fd), last;

	if (r == 0)
		r = sync_upwards(&queue, dest_parent);
	last = vp_sync_all(&queue);
	return r < 0 ? r : last;
}

int vp_publish(int staging_dir, const char *staged_name, int dest_parent, const char *name,
	unsigned max_tries, const struct vp_staging_maker *maker, char ret_name[NAME_MAX + 1],
	char *ret_why, size_t why_size)
{
	const struct vp_why why = {ret_why, why_size};
	char final[NAME_MAX + 32];
	int r = -EEXIST;

	ret_name[0] = '\0';
	if (why_size)
		ret_why[0] = '\0';
	for (unsigned number = 1; number <= max_tries && r == -EEXIST; number++) {
		int length = number == 1 ? snprintf(final, sizeof(final), "%s", name)
					 : snprintf(final, sizeof(final), "%s-%u", name, number);

		r = length > NAME_MAX
			    ? -ENAMETOOLONG
			    : move(staging_dir, staged_name, dest_parent, final, maker, &why);
	}
	if (r == -EEXIST)
		return vp_why_set(&why, r,
			"all names from '%s' to '%s-%u' are taken; move some away, or name another "
			"place",
			name, name, max_tries);
	if (r < 0)
		return why_size && *ret_why ? r : vp_why_path(&why, r, "put in place as", name);
	memcpy(ret_name, final, strlen(final) + 1);
	r = sync_names(staging_dir, dest_parent);
	return r < 0 ? vp_why_path(&why, r, "write to disk the name", final) : 0;
}
