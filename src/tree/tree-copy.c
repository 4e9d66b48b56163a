/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copying a directory tree by descriptor into a new one; the walk here serves the merge too. */
#include "tree-copy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "beneath.h"
#include "tree-copy-state.h"
#include "tree-remove.h"

#define HELD_OF_DEST 2
#define ENTRY_BYTES 4096	      /* on disk: of a directory, or of a file of one byte */
#define ASK_BYTES ((uint64_t)4 << 20) /* between two questions whether there is room */

int vp_copy_fail(struct vp_copy *copy, int r, const char *verb, const char *name)
{
	return vp_why_path(copy->why, r, verb, vp_walk_path(copy->walk, name));
}

int vp_copy_changed(struct vp_copy *copy, const char *name)
{
	return vp_why_set(copy->why, -ESTALE, "'%s' changed while it was copied",
		vp_walk_path(copy->walk, name));
}

void vp_copy_note(struct vp_copy *copy, const char *name, const char *what)
{
	if (copy->options->note && (what = vp_walk_note(&copy->n_notes, what)))
		copy->options->note(copy->options->context, vp_walk_path(copy->walk, name), what);
}

int vp_copy_charge(struct vp_copy *copy, uint64_t bytes)
{
	if (bytes > copy->options->max_bytes - copy->result.bytes)
		return vp_why_set(copy->why, -E2BIG, "more than %llu bytes of data",
			(unsigned long long)copy->options->max_bytes);
	copy->result.bytes += bytes;
	return 0;
}

int vp_copy_took(struct vp_copy *copy, uint64_t bytes)
{
	copy->taken += bytes;
	if (!copy->options->check_room || copy->taken < ASK_BYTES)
		return 0;
	copy->taken = 0;
	return copy->options->check_room(copy->options->context, copy->why->text, copy->why->size);
}

/* One more of those that COUNT counts, which are copied or left out. */
static int charge_entry(struct vp_copy *copy, uint64_t *count)
{
	if (copy->result.entries + copy->result.skipped >= copy->options->max_entries)
		return vp_why_set(copy->why, -E2BIG, "more than %llu entries",
			(unsigned long long)copy->options->max_entries);
	(*count)++;
	return vp_copy_took(copy, ENTRY_BYTES);
}

/*
 * Makes a directory of the copy and opens it. Its mode and owner come when its contents are
 * there.
 */
static int make_directory(struct vp_copy *copy, const char *name)
{
	if (mkdirat(vp_copy_dest(copy), name, 0700) < 0)
		return vp_copy_fail(copy, -errno, "create", name);
	int fd = vp_openat2(vp_copy_dest(copy), name,
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
		RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);

	return fd < 0 ? vp_copy_fail(copy, fd, "open", name) : fd;
}

static int enter_directory(struct vp_copy *copy, const char *name, int fd, const struct statx *stx)
{
	const struct vp_identity *forbidden = &copy->forbidden;

	if (stx->stx_ino == forbidden->inode &&
		makedev(stx->stx_dev_major, stx->stx_dev_minor) == forbidden->device)
		return vp_why_set(copy->why, -EINVAL, "'%s' is where the copy is being made",
			vp_walk_path(copy->walk, name));
	int dest = vp_copy_is_merge(copy) ? vp_merge_open_directory(copy, name)
					  : make_directory(copy, name);

	if (dest < 0)
		return dest;
	int r = vp_walk_enter(copy->walk, fd);
	if (r < 0) {
		close(dest);
		return r;
	}
	r = vp_stack_push(&copy->dest, dest);
	return r < 0 ? vp_copy_fail(copy, r, "enter", NULL) : 0;
}

static int copy_next(struct vp_copy *copy, const char *name)
{
	struct statx stx;
	int fd;
	int r = vp_walk_look(copy->walk, &fd, &stx);

	if (r == -ENOENT)
		return copy->options->ignore_changes ? 0 : vp_copy_changed(copy, name);
	if (r < 0)
		return r;
	switch (stx.stx_mode & S_IFMT) {
	case S_IFDIR:
	case S_IFREG:
	case S_IFLNK:
	case S_IFIFO:
		r = charge_entry(copy, &copy->result.entries);
		if (r == 0)
			r = S_ISDIR(stx.stx_mode) ? enter_directory(copy, name, fd, &stx)
						  : vp_copy_entry(copy, name, fd, &stx);
		break;
	default:
		r = charge_entry(copy, &copy->result.skipped);
		if (r == 0)
			vp_copy_note(copy, name,
				S_ISSOCK(stx.stx_mode) ? "socket not copied"
						       : "device node not copied");
	}
	close(fd);
	return r;
}

static int sync_directory_later(struct vp_copy *copy, int out)
{
	int fd = fcntl(out, F_DUPFD_CLOEXEC, 0);

	return fd < 0 ? -errno : vp_sync_later(&copy->sync, fd);
}

static int finish_directory(struct vp_copy *copy)
{
	const struct vp_copy_options *options = copy->options;
	bool top = vp_walk_depth(copy->walk) == 0;
	int in = vp_walk_fd(copy->walk), out = vp_copy_dest(copy);
	struct vp_copy_attributes attributes;
	struct statx stx;
	int r = vp_identify(in, "", NULL, &stx);

	if (r < 0)
		return vp_copy_fail(copy, r, "examine", NULL);
	attributes = vp_copy_attributes_of(copy, &stx);
	if (top && !vp_copy_is_merge(copy)) {
		attributes.mode = options->top_mode & 01777;
		attributes.uid = options->top_uid == (uid_t)-1 ? stx.stx_uid : options->top_uid;
		attributes.gid = options->top_gid == (gid_t)-1 ? stx.stx_gid : options->top_gid;
		attributes.acls = false;
	}
	if (!top || !vp_copy_is_merge(copy) || !options->keep_top)
		r = vp_copy_set_attributes(copy, NULL, in, &stx, out, &attributes);
	if (r < 0)
		return r;
	if (options->durable) {
		r = vp_copy_syncs_later(copy) ? sync_directory_later(copy, out)
		    : fsync(out) < 0	      ? -errno
					      : 0;
		if (r < 0)
			return vp_copy_fail(copy, r, "write to disk", NULL);
	}
	/* What was added behind our back is not in the copy. */
	if (!vp_copy_is_merge(copy) && !options->ignore_changes)
		return vp_walk_check_unchanged(copy->walk);
	return 0;
}

static int leave_directory(struct vp_copy *copy)
{
	bool reopened;
	int r = vp_walk_leave(copy->walk, NULL);

	if (r < 0)
		return r;
	r = vp_stack_pop(&copy->dest, &reopened);
	if (r == -ESTALE)
		return vp_why_set(copy->why, r,
			"a directory of the destination in '%s' was moved meanwhile",
			vp_walk_path(copy->walk, NULL));
	return r < 0 ? vp_copy_fail(copy, r, "go up to", NULL) : 0;
}

static int copy_all(struct vp_copy *copy)
{
	for (;;) {
		const char *name;
		unsigned char type;
		int r = vp_walk_next(copy->walk, &name, &type);

		if (r > 0) {
			r = copy_next(copy, name);
		} else if (r == 0) {
			r = finish_directory(copy);
			if (r == 0 && vp_walk_depth(copy->walk) == 0)
				return 0;
			if (r == 0)
				r = leave_directory(copy);
		}
		if (r < 0)
			return r;
	}
}

int vp_copy_run(struct vp_copy *copy, int source_dir, int dest)
{
	const struct vp_copy_options *options = copy->options;
	const struct vp_walk_options walk_options = {
		.enter_mount = vp_copy_is_merge(copy) ? NULL : options->enter_mount,
		.context = options->context,
		.max_depth = options->max_depth,
		.watch = !vp_copy_is_merge(copy) && !options->ignore_changes,
	};
	int r = vp_stack_begin(&copy->dest, dest, HELD_OF_DEST);

	if (r < 0)
		return vp_why_path(copy->why, r, "open", "the destination");
	copy->no_clone_device = UINT64_MAX;
	copy->buffer = malloc(VP_COPY_BUFFER);
	r = copy->buffer ? vp_walk_begin(source_dir, &walk_options, copy->why, &copy->walk)
			 : vp_why_path(copy->why, -ENOMEM, "copy", ".");
	if (r == 0)
		r = copy_all(copy);
	if (r == 0) {
		r = vp_sync_all(&copy->sync);
		if (r < 0)
			vp_why_path(copy->why, r, "write to disk", ".");
	}
	vp_sync_none(&copy->sync);
	vp_walk_end(copy->walk);
	vp_stack_end(&copy->dest);
	free(copy->buffer);
	return r;
}

static int make_in_staging(int staging_dir, const char *name, const struct vp_why *why)
{
	if (mkdirat(staging_dir, name, 0700) < 0)
		return vp_why_path(why, -errno, "create", name);
	int fd = vp_open_beneath(staging_dir, name, O_RDONLY | O_DIRECTORY);

	return fd < 0 ? vp_why_path(why, fd, "open", name) : fd;
}

static int remove_links(int staging_dir, const struct vp_why *why)
{
	return vp_remove_tree(staging_dir, "links", NULL, why->text, why->size);
}

int vp_copy_tree(int source_dir, int staging_dir, const struct vp_copy_options *options,
	struct vp_copy_result *ret_result, char *ret_why, size_t why_size)
{
	const struct vp_why why = {ret_why, why_size};
	struct vp_copy copy = {.options = options, .why = &why};
	int r = vp_identify(staging_dir, "", &copy.forbidden, NULL);

	if (r < 0)
		return vp_why_path(&why, r, "examine", "the destination");
	int tree = make_in_staging(staging_dir, "tree", &why);

	if (tree < 0)
		return tree;
	copy.links = make_in_staging(staging_dir, "links", &why);
	if (copy.links < 0) {
		close(tree);
		return copy.links;
	}
	r = vp_copy_run(&copy, source_dir, tree);
	close(copy.links);
	if (r == 0)
		r = remove_links(staging_dir, &why);
	if (ret_result)
		*ret_result = copy.result;
	return r;
}
