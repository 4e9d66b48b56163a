/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All entries of a tree, one after the other, without opening what they hold. */
#include "walk-each.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* The current entry, gone into if it is a directory. */
static int visit_entry(
	struct vp_walk *walk, int (*visit)(const struct statx *statx, void *context), void *context)
{
	struct statx st;
	int fd, r = vp_walk_look(walk, &fd, &st);

	if (r == -EXDEV || r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	r = visit(&st, context);
	if (r >= 0 && S_ISDIR(st.stx_mode)) {
		r = vp_walk_enter(walk, fd);
		r = r == -ENOENT ? 0 : r;
	}
	close(fd);
	return r;
}

/* Whether there is another entry: not in a directory that is removed under the walk, the top excepted. */
static int next_entry(struct vp_walk *walk)
{
	const char *name;
	unsigned char type;
	int r = vp_walk_next(walk, &name, &type);

	return r == -ENOENT && vp_walk_depth(walk) > 0 ? 0 : r;
}

int vp_walk_each(int dir, const struct vp_walk_options *options, const struct vp_why *why,
	int (*visit)(const struct statx *statx, void *context), void *context)
{
	struct vp_walk *walk;
	int r = vp_walk_begin(dir, options, why, &walk);

	if (r < 0)
		return r;
	for (;;) {
		r = next_entry(walk);
		if (r > 0)
			r = visit_entry(walk, visit, context);
		else if (r == 0 && vp_walk_depth(walk) == 0)
			break;
		else if (r == 0)
			r = vp_walk_leave(walk, NULL);
		if (r < 0)
			break;
	}
	vp_walk_end(walk);
	return r;
}
