/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copying one entry that is not a directory: a regular file, a link, a FIFO. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree-copy-state.h"

#define MAX_TRIES 16

/* Where an entry is made: under its own name, or in a merge under a temporary one. */
struct making {
	const char *name;
	char temporary[VP_TEMPORARY_SIZE];
};

static bool is_made_elsewhere(const struct making *making)
{
	return making->temporary[0] != '\0';
}

static const char *made_name(const struct making *making)
{
	return is_made_elsewhere(making) ? making->temporary : making->name;
}

/*
 * Makes the thing, which must not exist, by create(); a temporary name is chosen anew when it is
 * taken.
 */
static int make_new(struct vp_copy *copy, struct making *making,
	int (*create)(int dir, const char *name, const void *), const void *context)
{
	for (int tries = 0; tries < MAX_TRIES; tries++) {
		if (vp_copy_is_merge(copy)) {
			strcpy(making->temporary, VP_TEMPORARY_PREFIX);
			int r = vp_append_random(making->temporary);

			if (r < 0)
				return vp_copy_fail(copy, r, "find a name for", making->name);
		}
		int r = create(vp_copy_dest(copy), made_name(making), context);

		if (r >= 0)
			return r;
		if (r != -EEXIST || !vp_copy_is_merge(copy)) {
			making->temporary[0] = '\0';
			return vp_copy_fail(copy, r, "create", making->name);
		}
	}
	making->temporary[0] = '\0';
	return vp_copy_fail(copy, -EEXIST, "create", making->name);
}

static int create_file(int dir, const char *name, const void *context)
{
	(void)context;
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

/*
 * A link or FIFO is opened again by its name after it was made, since there is no other way. In a
 * merge somebody may have put something else there: what is changed through the descriptor must
 * be what we made.
 */
static int open_made(int dir, const char *name, mode_t type)
{
	struct stat st;
	int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 ? -errno : 0;

	if (r == 0 && fstat(fd, &st) < 0)
		r = -errno;
	if (r == 0 && ((st.st_mode & S_IFMT) != type || st.st_uid != geteuid() || st.st_nlink != 1))
		r = -ESTALE;
	if (r == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	unlinkat(dir, name, 0);
	return r;
}

static int create_fifo(int dir, const char *name, const void *context)
{
	(void)context;
	return mkfifoat(dir, name, 0600) < 0 ? -errno : open_made(dir, name, S_IFIFO);
}

static int create_link(int dir, const char *name, const void *context)
{
	return symlinkat(context, dir, name) < 0 ? -errno : open_made(dir, name, S_IFLNK);
}

/* The inode's data by the descriptor at hand, so that nothing else can be opened in its place. */
static int open_data(struct vp_copy *copy, const char *name, int fd)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int in = open(path, flags | O_NOATIME);

	if (in < 0 && errno == EPERM) /* not the owner's and no CAP_FOWNER */
		in = open(path, flags);
	return in < 0 ? vp_copy_fail(copy, -errno, "open", name) : in;
}

static bool same_time(const struct statx_timestamp *a, const struct statx_timestamp *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_state(const struct statx *a, const struct statx *b)
{
	return a->stx_ino == b->stx_ino && a->stx_size == b->stx_size &&
	       same_time(&a->stx_mtime, &b->stx_mtime) && same_time(&a->stx_ctime, &b->stx_ctime);
}

/* Fills out from in, and makes sure that in did not change meanwhile. */
static int fill_file(struct vp_copy *copy, const char *name, int in, int out)
{
	struct statx before, after;
	int r = vp_identify(in, "", NULL, &before);

	if (r == 0 && !copy->options->ignore_changes && vp_walk_settle(&before.stx_ctime))
		r = vp_identify(in, "", NULL, &before);
	if (r < 0)
		return vp_copy_fail(copy, r, "examine", name);
	if (!S_ISREG(before.stx_mode))
		return vp_copy_changed(copy, name);

	struct vp_copy_attributes attributes = vp_copy_attributes_of(copy, &before);

	r = vp_copy_data(copy, name, in, &before, out);
	if (r == 0)
		r = vp_copy_set_attributes(copy, name, in, &before, out, &attributes);
	if (r < 0)
		return r;
	if (copy->options->durable && !vp_copy_syncs_later(copy) && fsync(out) < 0)
		return vp_copy_fail(copy, -errno, "write to disk", name);
	r = vp_identify(in, "", NULL, &after);
	if (r < 0)
		return vp_copy_fail(copy, r, "examine", name);
	if (!copy->options->ignore_changes && !same_state(&before, &after))
		return vp_copy_changed(copy, name);
	return 0;
}

static int copy_file(struct vp_copy *copy, struct making *making, int fd)
{
	int in = open_data(copy, making->name, fd);

	if (in < 0)
		return in;
	int out = make_new(copy, making, create_file, NULL);

	if (out < 0) {
		close(in);
		return out;
	}
	int r = vp_copy_is_merge(copy) ? vp_drop_inherited_acls(out) : 0;

	if (r < 0)
		vp_copy_fail(copy, r, "set the mode of", making->name);
	else
		r = fill_file(copy, making->name, in, out);
	close(in);
	if (r == 0 && vp_copy_syncs_later(copy)) {
		r = vp_sync_later(&copy->sync, out);
		return r < 0 ? vp_copy_fail(copy, r, "write to disk what was copied before",
				       making->name)
			     : 0;
	}
	/* NFS and others tell of a failed write only here. */
	if (close(out) < 0 && r == 0)
		r = vp_copy_fail(copy, -errno, "write", making->name);
	return r;
}

static int copy_special(
	struct vp_copy *copy, struct making *making, int fd, const struct statx *stx)
{
	struct vp_copy_attributes attributes = vp_copy_attributes_of(copy, stx);
	char target[PATH_MAX];
	int out;

	if (S_ISLNK(stx->stx_mode)) {
		ssize_t length = readlinkat(fd, "", target, sizeof(target));

		if (length < 0 || (size_t)length == sizeof(target))
			return vp_copy_fail(copy, length < 0 ? -errno : -ENAMETOOLONG,
				"read the link", making->name);
		target[length] = '\0';
		out = make_new(copy, making, create_link, target);
	} else {
		out = make_new(copy, making, create_fifo, NULL);
	}
	if (out < 0)
		return out;
	int r = vp_copy_is_merge(copy) && S_ISFIFO(stx->stx_mode) ? vp_drop_inherited_acls(out) : 0;

	if (r < 0)
		vp_copy_fail(copy, r, "set the mode of", making->name);
	else
		r = vp_copy_set_attributes(copy, making->name, fd, stx, out, &attributes);
	close(out);
	return r;
}

/* In a merge: puts what was made in place of what is there. */
static int put_in_place(struct vp_copy *copy, const struct making *making)
{
	int dir = vp_copy_dest(copy);

	if (renameat(dir, making->temporary, dir, making->name) == 0)
		return 0;
	if (errno == EISDIR || errno == EBUSY)
		return vp_why_set(copy->why, -errno,
			"cannot put '%s' in place: it is a %s in the destination",
			vp_walk_path(copy->walk, making->name),
			errno == EISDIR ? "directory" : "mount point");
	return vp_copy_fail(copy, -errno, "put in place", making->name);
}

static void link_key(const struct statx *stx, char key[64])
{
	snprintf(key, 64, "%x:%x-%llu", stx->stx_dev_major, stx->stx_dev_minor,
		(unsigned long long)stx->stx_ino);
}

/* Another name for an inode that was copied already: 1 if it was, else 0. */
static int link_again(struct vp_copy *copy, const char *name, const struct statx *stx)
{
	char key[64];
	struct statx made;

	link_key(stx, key);
	if (linkat(copy->links, key, vp_copy_dest(copy), name, 0) < 0) {
		if (errno == ENOENT)
			return 0;
		if (errno != EMLINK)
			return vp_copy_fail(copy, -errno, "link", name);
		/*
		 * That one has as many names as the filesystem allows: the next copy serves those
		 * to come.
		 */
		if (unlinkat(copy->links, key, 0) < 0)
			return vp_copy_fail(copy, -errno, "link", name);
		return 0;
	}
	/* The number may have been given to a new file meanwhile. */
	int r = vp_identify(vp_copy_dest(copy), name, NULL, &made);

	if (r < 0)
		return vp_copy_fail(copy, r, "examine", name);
	if (!copy->options->ignore_changes &&
		(made.stx_size != stx->stx_size || made.stx_mtime.tv_sec != stx->stx_mtime.tv_sec))
		return vp_copy_changed(copy, name);
	return 1;
}

/* Remembers the first copy of an inode that has more names. */
static int link_first(struct vp_copy *copy, const char *name, const struct statx *stx)
{
	char key[64];

	link_key(stx, key);
	if (linkat(vp_copy_dest(copy), name, copy->links, key, 0) < 0)
		return vp_copy_fail(copy, -errno, "link", name);
	return 0;
}

int vp_copy_entry(struct vp_copy *copy, const char *name, int fd, const struct statx *stx)
{
	struct making making = {.name = name};
	bool linked = stx->stx_nlink > 1 && !vp_copy_is_merge(copy);
	int r = linked ? link_again(copy, name, stx) : 0;

	if (r != 0)
		return r < 0 ? r : 0;
	if (S_ISREG(stx->stx_mode))
		r = copy_file(copy, &making, fd);
	else
		r = copy_special(copy, &making, fd, stx);
	if (r == 0 && is_made_elsewhere(&making))
		r = put_in_place(copy, &making);
	if (r == 0 && linked)
		r = link_first(copy, name, stx);
	if (r < 0 && is_made_elsewhere(&making))
		unlinkat(vp_copy_dest(copy), making.temporary, 0);
	return r;
}
