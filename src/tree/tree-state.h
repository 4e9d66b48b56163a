/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree-state.h: whether a tree is still what it was. */
#ifndef VP_TREE_STATE_H
#define VP_TREE_STATE_H

#include <stdint.h>

#include "walk.h"

struct vp_tree_state {
	uint64_t value; /* never 0 */
	uint64_t entries;
};

/*
 * A value for DIR and all that lies in it, and for the mounts that OPTIONS lets enter: another one
 * when a file was written to, or anything was made, removed, renamed, or given other attributes. It
 * goes by the times of change (ctime of statx(2)), which none but the kernel can set. What is
 * written to a tmpfs by way of a mapping changes none there. 0, or -errno: -E2BIG for more than
 * MAX_ENTRIES.
 */
int vp_tree_state(int dir, const struct vp_walk_options *options, uint64_t max_entries,
	struct vp_tree_state *ret);

/* Of DIR alone, as it counts in the value of a tree that it is in. 0 or -errno. */
int vp_tree_state_alone(int dir, struct vp_tree_state *ret);

#endif
