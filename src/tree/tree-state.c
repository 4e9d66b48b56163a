/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a tree is still what it was. */
#include "tree-state.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mounts.h"

/* A step of splitmix64: each bit of both comes to count in all of the result. */
static uint64_t mix(uint64_t state, uint64_t value)
{
	state = (state ^ value) + 0x9e3779b97f4a7c15;
	state = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
	state = (state ^ (state >> 27)) * 0x94d049bb133111eb;
	return state ^ (state >> 31);
}

/* No device: that of a mount is another one after each boot. A name is its directory's change. */
static uint64_t state_of(const struct statx *st)
{
	uint64_t state = mix(0, st->stx_ino);

	state = mix(state, st->stx_mode);
	state = mix(state, st->stx_size);
	state = mix(state, (uint64_t)st->stx_ctime.tv_sec);
	return mix(state, st->stx_ctime.tv_nsec);
}

/* One entry: its state added, since directories have no order, and gone into if it is a directory. */
static int add_entry(struct vp_walk *walk, uint64_t *sum)
{
	struct statx st;
	int fd, r = vp_walk_look(walk, &fd, &st);

	if (r == -EXDEV || r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	*sum += state_of(&st);
	r = S_ISDIR(st.stx_mode) ? vp_walk_enter(walk, fd) : 0;
	close(fd);
	return r;
}

int vp_tree_state(int dir, const struct vp_walk_options *options, uint64_t max_entries,
	struct vp_tree_state *ret)
{
	const struct vp_why nobody = {0};
	uint64_t sum = 0, entries = 0;
	struct vp_walk *walk;
	struct statx st;
	const char *name;
	unsigned char type;
	int r = vp_identify(dir, "", NULL, &st);

	if (r == 0)
		r = vp_walk_begin(dir, options, &nobody, &walk);
	if (r < 0)
		return r;
	sum = state_of(&st);
	for (;;) {
		r = vp_walk_next(walk, &name, &type);
		if (r > 0)
			r = ++entries > max_entries ? -E2BIG : add_entry(walk, &sum);
		else if (r == 0 && vp_walk_depth(walk) == 0)
			break;
		else if (r == 0)
			r = vp_walk_leave(walk, NULL);
		if (r < 0)
			break;
	}
	vp_walk_end(walk);
	if (r == 0)
		*ret = (struct vp_tree_state){.value = sum ? sum : 1, .entries = entries};
	return r;
}
