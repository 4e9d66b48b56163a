/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many bytes a tree takes. */
#include "tree-size.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "walk.h"

/* One entry: its size added, and gone into if it is a directory. */
static int add_entry(struct vp_walk *walk, uint64_t *sum)
{
	struct statx st;
	int fd, r = vp_walk_look(walk, &fd, &st);

	if (r == -EXDEV || r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	*sum += (uint64_t)st.stx_blocks * 512;
	r = S_ISDIR(st.stx_mode) ? vp_walk_enter(walk, fd) : 0;
	close(fd);
	return r;
}

int vp_tree_size(int dir, uint64_t *ret_bytes, char *why, size_t size)
{
	const struct vp_walk_options options = {.max_depth = (unsigned)-1};
	struct vp_why reason = {.text = why, .size = size};
	uint64_t sum = 0;
	struct vp_walk *walk;
	const char *name;
	unsigned char type;
	int r = vp_walk_begin(dir, &options, &reason, &walk);

	if (r < 0)
		return r;
	for (;;) {
		r = vp_walk_next(walk, &name, &type);
		if (r > 0)
			r = add_entry(walk, &sum);
		else if (r == 0 && vp_walk_depth(walk) == 0)
			break;
		else if (r == 0)
			r = vp_walk_leave(walk, NULL);
		if (r < 0)
			break;
	}
	vp_walk_end(walk);
	if (r == 0)
		*ret_bytes = sum;
	return r;
}
