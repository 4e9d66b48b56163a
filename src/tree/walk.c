/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A walk through a directory tree by descriptor: any depth and width, no link followed, no mount
 * entered.
 */
#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "beneath.h"
#include "walk-state.h"

struct vp_walk_buffer *vp_walk_current(struct vp_walk *walk)
{
	return &walk->buffers[walk->stack.depth % VP_WALK_HELD];
}

const char *vp_walk_path(struct vp_walk *walk, const char *name)
{
	return vp_walk_text_path(&walk->text, name, walk->path);
}

int vp_walk_fd(const struct vp_walk *walk)
{
	return vp_stack_fd(&walk->stack);
}

unsigned vp_walk_depth(const struct vp_walk *walk)
{
	return walk->stack.depth;
}

uint64_t *vp_walk_mark(struct vp_walk *walk)
{
	return &vp_stack_level(&walk->stack)->mark;
}

const struct vp_identity *vp_walk_identity(const struct vp_walk *walk)
{
	return &vp_stack_level(&walk->stack)->identity;
}

int vp_walk_fail(struct vp_walk *walk, int r, const char *verb, const char *name)
{
	return vp_why_path(walk->why, r, verb, vp_walk_path(walk, name));
}

/*
 * A descriptor that can be read as a directory, of one that may be O_PATH. "." is never a mount
 * put over it.
 */
static int reopen(int fd)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME);

	if (again < 0 && errno == EPERM) /* not the owner's and no CAP_FOWNER */
		again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return again < 0 ? -errno : again;
}

/* Sets up the directory just come into. */
static int arrive(struct vp_walk *walk)
{
	struct vp_walk_buffer *buffer = vp_walk_current(walk);
	struct statx stx;

	buffer->length = buffer->at = 0;
	buffer->position = 0;
	buffer->entry = NULL;
	if (!walk->options.watch)
		return 0;
	int r = vp_identify(vp_walk_fd(walk), "", NULL, &stx);

	if (r == 0 && vp_walk_settle(&stx.stx_ctime))
		r = vp_identify(vp_walk_fd(walk), "", NULL, &stx);
	if (r == 0)
		vp_stack_level(&walk->stack)->mark = vp_walk_nanoseconds(&stx.stx_ctime);
	return r;
}

int vp_walk_begin(int dir, const struct vp_walk_options *options, const struct vp_why *why,
	struct vp_walk **ret_walk)
{
	struct vp_walk *walk = calloc(1, sizeof(*walk));

	if (!walk)
		return vp_why_path(why, -ENOMEM, "walk", ".");
	walk->options = *options;
	walk->why = why;

	int r = reopen(dir);

	if (r >= 0)
		r = vp_stack_begin(&walk->stack, r, VP_WALK_HELD);
	if (r == 0)
		r = arrive(walk);
	if (r < 0) {
		vp_walk_fail(walk, r, "open", NULL);
		vp_walk_end(walk);
		return r;
	}
	*ret_walk = walk;
	return 0;
}

void vp_walk_end(struct vp_walk *walk)
{
	if (!walk)
		return;
	vp_stack_end(&walk->stack);
	free(walk);
}

int vp_walk_look(struct vp_walk *walk, int *ret_fd, struct statx *ret_statx)
{
	const char *name = vp_walk_current(walk)->entry->d_name;
	struct vp_identity identity;
	struct statx stx;
	int fd = vp_openat2(
		vp_walk_fd(walk), name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS);

	if (fd < 0)
		return vp_walk_fail(walk, fd, "open", name);
	int r = vp_identify(fd, "", &identity, &stx);

	if (r < 0) {
		close(fd);
		return vp_walk_fail(walk, r, "examine", name);
	}
	/* st_dev says nothing here: a bind mount of the same filesystem has the same one. */
	if (identity.mount != vp_walk_identity(walk)->mount ||
		(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT)) {
		if (!walk->options.enter_mount ||
			!walk->options.enter_mount(fd, walk->options.context)) {
			close(fd);
			return vp_why_set(walk->why, -EXDEV, "'%s' is a mount point",
				vp_walk_path(walk, name));
		}
	}
	*ret_fd = fd;
	*ret_statx = stx;
	return 0;
}

int vp_walk_enter(struct vp_walk *walk, int fd)
{
	struct vp_walk_buffer *buffer = vp_walk_current(walk);
	const char *name = buffer->entry->d_name;

	if (walk->stack.depth >= walk->options.max_depth)
		return vp_why_set(walk->why, -E2BIG, "'%s' is deeper than %u levels",
			vp_walk_path(walk, name), walk->options.max_depth);
	int child = reopen(fd);

	if (child < 0)
		return vp_walk_fail(walk, child, "open", name);
	vp_stack_level(&walk->stack)->position = buffer->entry_position;

	int r = vp_stack_push(&walk->stack, child);

	if (r < 0)
		return vp_walk_fail(walk, r, "enter", name);
	/* the name is in the parent's buffer, which is held as long as its descriptor */
	vp_walk_text_push(&walk->text, name);
	r = arrive(walk);
	return r < 0 ? vp_walk_fail(walk, r, "open", NULL) : 0;
}

int vp_walk_leave(struct vp_walk *walk, const char **ret_name)
{
	struct vp_identity left = *vp_walk_identity(walk);
	bool reopened;
	int r = vp_stack_pop(&walk->stack, &reopened);

	if (r == 0) {
		vp_walk_text_pop(&walk->text);
		if (reopened)
			r = vp_walk_find(walk, &left);
	}
	if (r < 0)
		return vp_why_set(walk->why, r,
			r == -ESTALE ? "'%s' was moved meanwhile" : "cannot go up from '%s': %s",
			vp_walk_path(walk, NULL), strerror(-r));
	if (ret_name)
		*ret_name = vp_walk_current(walk)->entry->d_name;
	return 0;
}

int vp_walk_check_unchanged(struct vp_walk *walk)
{
	struct statx stx;
	int r = vp_identify(vp_walk_fd(walk), "", NULL, &stx);

	if (r < 0)
		return vp_walk_fail(walk, r, "examine", NULL);
	if (vp_walk_nanoseconds(&stx.stx_ctime) != vp_stack_level(&walk->stack)->mark)
		return vp_why_set(walk->why, -ESTALE, "directory '%s' changed while it was copied",
			vp_walk_path(walk, NULL));
	return 0;
}
