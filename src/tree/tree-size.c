/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many bytes a tree takes. */
#include "tree-size.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mounts.h"
#include "walk-each.h"

enum { MAX_TRIES = 20 };

/* Each link of a file its share. */
static int add_entry(const struct statx *st, void *context)
{
	uint64_t *sum = context;
	uint64_t links = S_ISDIR(st->stx_mode) || !st->stx_nlink ? 1 : st->stx_nlink;

	*sum += (uint64_t)st->stx_blocks * 512 / links;
	return 0;
}

/* Of what lies in DIR, mounts left out. */
static int add_mount(int dir, uint64_t *ret_bytes, const struct vp_why *why)
{
	const struct vp_walk_options options = {.max_depth = (unsigned)-1};
	uint64_t sum;
	int r = -ESTALE;

	/* others work there: they put archives in place, and delete old ones */
	for (int tries = 0; tries < MAX_TRIES && r == -ESTALE; tries++) {
		sum = 0;
		r = vp_walk_each(dir, &options, why, add_entry, &sum);
	}
	if (r == 0)
		*ret_bytes += sum;
	return r;
}

/* The directory above, in the place of FD. -ESTALE: there is none. */
static int go_up(int *fd)
{
	struct vp_identity now = {0}, above = {0};
	int up = openat(*fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = up < 0 ? -errno : 0;

	if (r == 0)
		r = vp_identify(*fd, "", &now, NULL);
	if (r == 0)
		r = vp_identify(up, "", &above, NULL);
	if (r == 0 && vp_identity_equal(&now, &above))
		r = -ESTALE;
	close(*fd);
	*fd = up;
	return r;
}

/* Of the mounts that are come through from DIR to BELOW. */
static int add_mounts_between(int dir, int below, uint64_t *ret_bytes, const struct vp_why *why)
{
	struct vp_identity top = {0}, at = {0};
	int fd = openat(below, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : vp_identify(dir, "", &top, NULL), walked = 0;

	while (r == 0 && (r = vp_identify(fd, "", &at, NULL)) == 0 &&
		!vp_identity_equal(&at, &top)) {
		r = vp_is_mount_root(fd);
		if (r > 0)
			r = walked = add_mount(fd, ret_bytes, why);
		if (r == 0)
			r = go_up(&fd);
	}
	if (fd >= 0)
		close(fd);
	if (r == 0 || walked < 0)
		return r;
	return vp_why_set(why, r, "cannot see which filesystems it lies on: %s", strerror(-r));
}

int vp_tree_size(int dir, int below, uint64_t *ret_bytes, char *ret_why, size_t why_size)
{
	const struct vp_why why = {.text = ret_why, .size = why_size};
	uint64_t sum = 0;
	int r = add_mounts_between(dir, below, &sum, &why);

	if (r == 0)
		r = add_mount(dir, &sum, &why);
	if (r == 0)
		*ret_bytes = sum;
	return r;
}
