/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many bytes a tree takes. */
#include "tree-size.h"

#include <errno.h>

#include "walk-each.h"

enum { MAX_TRIES = 20 };

static int add_entry(const struct statx *st, void *context)
{
	uint64_t *sum = context;

	*sum += (uint64_t)st->stx_blocks * 512;
	return 0;
}

int vp_tree_size(int dir, uint64_t *ret_bytes, char *why, size_t size)
{
	const struct vp_walk_options options = {.max_depth = (unsigned)-1};
	const struct vp_why reason = {.text = why, .size = size};
	uint64_t sum;
	int r = -ESTALE;

	/* others work there: they put archives in place, and delete old ones */
	for (int tries = 0; tries < MAX_TRIES && r == -ESTALE; tries++) {
		sum = 0;
		r = vp_walk_each(dir, &options, &reason, add_entry, &sum);
	}
	if (r == 0)
		*ret_bytes = sum;
	return r;
}
