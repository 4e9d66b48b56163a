/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way from the top of a tree down to the current directory, with few descriptors held. */
#include "walk-stack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define FIRST_ROOM 64

int vp_stack_fd(const struct vp_stack *stack)
{
	return stack->fds[stack->depth % stack->held];
}

struct vp_level *vp_stack_level(const struct vp_stack *stack)
{
	return &stack->levels[stack->depth];
}

static void set_fd(struct vp_stack *stack, unsigned depth, int fd)
{
	int *slot = &stack->fds[depth % stack->held];

	if (*slot >= 0)
		close(*slot);
	*slot = fd;
}

int vp_stack_begin(struct vp_stack *stack, int fd, unsigned held)
{
	struct vp_identity identity;
	int r = vp_identify(fd, "", &identity, NULL);

	*stack = (struct vp_stack){.held = held, .room = FIRST_ROOM};
	for (unsigned i = 0; i < VP_STACK_HELD_MAX; i++)
		stack->fds[i] = -1;
	stack->fds[0] = fd;
	if (r == 0) {
		stack->levels = calloc(stack->room, sizeof(*stack->levels));
		if (!stack->levels)
			r = -ENOMEM;
	}
	if (r < 0) {
		vp_stack_end(stack);
		return r;
	}
	stack->levels[0].identity = identity;
	return 0;
}

void vp_stack_end(struct vp_stack *stack)
{
	for (unsigned i = 0; i < stack->held; i++)
		if (stack->fds[i] >= 0)
			close(stack->fds[i]);
	free(stack->levels);
	*stack = (struct vp_stack){.levels = NULL};
}

/* By half at a time: a copy has two of these, 100,000 levels deep. */
static int grow(struct vp_stack *stack)
{
	if (stack->depth + 1 < stack->room)
		return 0;
	if (stack->room > UINT_MAX / 2)
		return -E2BIG;
	unsigned room = stack->room + stack->room / 2;
	struct vp_level *levels = reallocarray(stack->levels, room, sizeof(*levels));

	if (!levels)
		return -ENOMEM;
	stack->levels = levels;
	stack->room = room;
	return 0;
}

int vp_stack_push(struct vp_stack *stack, int fd)
{
	struct vp_identity identity;
	int r = vp_identify(fd, "", &identity, NULL);

	if (r == 0)
		r = grow(stack);
	if (r < 0) {
		close(fd);
		return r;
	}
	stack->depth++;
	set_fd(stack, stack->depth, fd);
	*vp_stack_level(stack) = (struct vp_level){.identity = identity};
	return 0;
}

int vp_stack_pop(struct vp_stack *stack, bool *ret_reopened)
{
	int child = vp_stack_fd(stack);
	unsigned above = stack->depth - 1;
	int parent = stack->fds[above % stack->held];
	bool reopened = stack->held == 1 || parent < 0;
	struct vp_identity now;

	if (reopened) {
		parent = openat(child, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (parent < 0)
			return -errno;
	}
	/*
	 * A held parent is itself for sure: what is asked then is whether the child still is in
	 * it.
	 */
	int r = reopened ? vp_identify(parent, "", &now, NULL)
			 : vp_identify(child, "..", &now, NULL);

	if (r == 0 && !vp_identity_equal(&now, &stack->levels[above].identity))
		r = -ESTALE;
	if (r < 0) {
		if (reopened)
			close(parent);
		return r;
	}
	set_fd(stack, stack->depth, -1);
	stack->depth = above;
	stack->fds[above % stack->held] = parent;
	*ret_reopened = reopened;
	return 0;
}
