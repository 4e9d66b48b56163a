/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Merging a tree over an existing one: what is special about a destination where things are
 * already.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beneath.h"
#include "tree-copy-state.h"

#define MAX_TRIES 16 /* against somebody who puts links where we make directories */

int vp_merge_clean(struct vp_copy *copy, int dir)
{
	const struct vp_walk_options options = {.max_depth = 0};
	struct vp_walk *walk;
	const char *name;
	unsigned char type;
	int r = vp_walk_begin(dir, &options, copy->why, &walk);

	if (r < 0)
		return r;
	while ((r = vp_walk_next(walk, &name, &type)) > 0)
		/* A directory of that name is none of ours, and this does not remove one. */
		if (type != DT_DIR && vp_is_random_name(name, VP_TEMPORARY_PREFIX))
			unlinkat(dir, name, 0);
	vp_walk_end(walk);
	return r;
}

/* Opens a directory of the destination that is a mount, if it may be entered. */
static int open_mount(struct vp_copy *copy, const char *name)
{
	const struct vp_copy_options *options = copy->options;
	int fd = vp_openat2(vp_copy_dest(copy), name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		0, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);

	if (fd < 0)
		return fd;
	bool may = options->enter_mount && options->enter_mount(fd, options->context);
	/* "." of what was looked at, whatever is mounted or moved there by now */
	int r = may ? vp_openat2(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, RESOLVE_NO_XDEV)
		    : -EXDEV;

	close(fd);
	return r;
}

static int open_directory(struct vp_copy *copy, const char *name)
{
	int fd = vp_openat2(vp_copy_dest(copy), name,
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
		RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);

	return fd == -EXDEV ? open_mount(copy, name) : fd;
}

/* What is made here, or -errno. An ACL of the directory above would let others in. */
static int prepare(struct vp_copy *copy, const char *name, int fd, bool made)
{
	int r = made ? vp_drop_inherited_acls(fd) : vp_merge_clean(copy, fd);

	if (r == 0)
		return fd;
	close(fd);
	return made ? vp_copy_fail(copy, r, "set the mode of", name) : r;
}

int vp_merge_open_directory(struct vp_copy *copy, const char *name)
{
	int dir = vp_copy_dest(copy);
	bool made = false;

	for (int tries = 0; tries < MAX_TRIES; tries++) {
		int fd = open_directory(copy, name);

		if (fd >= 0)
			return prepare(copy, name, fd, made);
		if (fd == -EXDEV)
			return vp_why_set(copy->why, fd, "'%s' is a mount point in the destination",
				vp_walk_path(copy->walk, name));
		if (fd != -ENOENT && fd != -ENOTDIR && fd != -ELOOP)
			return vp_copy_fail(copy, fd, "open the destination's", name);
		/*
		 * A link is not followed but replaced; a directory that came there meanwhile is
		 * not removed by this.
		 */
		if (fd != -ENOENT && unlinkat(dir, name, 0) < 0 && errno != ENOENT &&
			errno != EISDIR)
			return vp_copy_fail(copy, -errno, "replace", name);
		made = mkdirat(dir, name, 0700) == 0;
		if (!made && errno != EEXIST)
			return vp_copy_fail(copy, -errno, "create", name);
	}
	return vp_why_set(copy->why, -EAGAIN, "'%s' is replaced again and again",
		vp_walk_path(copy->walk, name));
}

int vp_merge_tree(int source_dir, int dest_dir, const struct vp_copy_options *options,
	struct vp_copy_result *ret_result, char *ret_why, size_t why_size)
{
	const struct vp_why why = {ret_why, why_size};
	struct vp_copy copy = {.options = options, .why = &why, .links = -1};
	int r = vp_identify(dest_dir, "", &copy.forbidden, NULL);

	if (r < 0)
		return vp_why_path(&why, r, "examine", "the destination");
	int dest = vp_openat2(dest_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0);

	if (dest < 0)
		return vp_why_path(&why, dest, "open", "the destination");
	r = vp_merge_clean(&copy, dest);
	if (r < 0) {
		close(dest);
		return r;
	}
	r = vp_copy_run(&copy, source_dir, dest);
	if (ret_result)
		*ret_result = copy.result;
	return r;
}
