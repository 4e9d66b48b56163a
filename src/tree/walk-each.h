/* SPDX-License-Identifier: GPL-2.0-or-later */
/* walk-each.h: all entries of a tree, one after the other, without opening what they hold. */
#ifndef VP_WALK_EACH_H
#define VP_WALK_EACH_H

#include "walk.h"

/*
 * VISIT is called for each entry below DIR, directories before what is in them, and ends the walk
 * when it returns less than 0. Mounts that OPTIONS does not let enter, and what is gone meanwhile,
 * are passed over. 0, what VISIT returned, or -errno and why; -ESTALE: a directory that the walk was
 * in was moved, or removed when it was deep in it, and all may be visited anew.
 */
int vp_walk_each(int dir, const struct vp_walk_options *options, const struct vp_why *why,
	int (*visit)(const struct statx *statx, void *context), void *context);

#endif
