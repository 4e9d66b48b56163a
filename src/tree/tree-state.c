/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a tree is still what it was. */
#include "tree-state.h"

#include <errno.h>

#include "mounts.h"
#include "walk-each.h"

/* A step of splitmix64: each bit of both comes to count in all of the result. */
static uint64_t mix(uint64_t state, uint64_t value)
{
	state = (state ^ value) + 0x9e3779b97f4a7c15;
	state = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
	state = (state ^ (state >> 27)) * 0x94d049bb133111eb;
	return state ^ (state >> 31);
}

/*
 * No device: that of a mount is another one after each boot. No number: overlayfs may give a directory another
 * one when it has left memory. A name is its directory's change.
 */
static uint64_t state_of(const struct statx *st)
{
	uint64_t state = mix(0, st->stx_mode);

	state = mix(state, st->stx_size);
	state = mix(state, (uint64_t)st->stx_ctime.tv_sec);
	return mix(state, st->stx_ctime.tv_nsec);
}

struct adding {
	struct vp_tree_state state;
	uint64_t max_entries;
};

/* Directories have no order. */
static int add_entry(const struct statx *st, void *context)
{
	struct adding *adding = context;

	if (adding->state.entries == adding->max_entries)
		return -E2BIG;
	adding->state.entries++;
	adding->state.value += state_of(st);
	return 0;
}

int vp_tree_state_alone(int dir, struct vp_tree_state *ret)
{
	struct statx st;
	int r = vp_identify(dir, "", NULL, &st);

	if (r == 0)
		*ret = (struct vp_tree_state){.value = state_of(&st)};
	return r;
}

int vp_tree_state(int dir, const struct vp_walk_options *options, uint64_t max_entries,
	struct vp_tree_state *ret)
{
	struct adding adding = {.max_entries = max_entries};
	const struct vp_why nobody = {0};
	int r = vp_tree_state_alone(dir, &adding.state);

	if (r < 0)
		return r;
	r = vp_walk_each(dir, options, &nobody, add_entry, &adding);
	if (r < 0)
		return r;
	if (adding.state.value == 0)
		adding.state.value = 1;
	*ret = adding.state;
	return 0;
}
