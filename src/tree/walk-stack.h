/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way from the top of a tree down to the current directory, with few descriptors held. */
#ifndef VP_WALK_STACK_H
#define VP_WALK_STACK_H

#include "mounts.h"

#define VP_STACK_HELD_MAX 4

/* What is remembered of a directory on the way. */
struct vp_level {
	struct vp_identity identity;
	uint64_t position; /* walk.c: where the entry that was entered stands in it */
	uint64_t mark;	   /* walk.c: its ctime at entering, ns, or the caller's word */
};

/*
 * The descriptors of the last `held` directories are kept open, those above are closed and opened
 * again by ".." on the way up. However it is come by, the parent must be what it was on the way
 * down (device, inode, mount): otherwise the tree was changed under us, and going on would mean
 * working somewhere else.
 */
struct vp_stack {
	struct vp_level *levels; /* levels[depth] is the current directory */
	unsigned room;
	unsigned depth; /* 0 is the top */
	unsigned held;
	int fds[VP_STACK_HELD_MAX]; /* of level n in fds[n % held], or -1 */
};

/*
 * Starts at the directory fd (not O_PATH), which the stack takes over, also on failure. 0 or
 * -errno.
 */
int vp_stack_begin(struct vp_stack *stack, int fd, unsigned held);

/* Frees all; may be called twice, and on a zeroed stack. */
void vp_stack_end(struct vp_stack *stack);

/*
 * Goes down into fd, which is taken over, also on failure. 0 or -errno, then the stack is as it
 * was.
 */
int vp_stack_push(struct vp_stack *stack, int fd);

/*
 * Goes up. *ret_reopened says that the parent's descriptor is a new one, at position 0. -ESTALE:
 * the parent is another than it was; the stack is then only good for vp_stack_end().
 */
int vp_stack_pop(struct vp_stack *stack, bool *ret_reopened);

int vp_stack_fd(const struct vp_stack *stack);
struct vp_level *vp_stack_level(const struct vp_stack *stack);

#endif
