/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much a part may write: the limits of parts.conf against what is there. */
#include "space.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "limit.h"
#include "tree-size.h"

static void lower(struct vp_space *space, uint64_t bytes, const char *which)
{
	if (bytes < space->max_bytes) {
		space->max_bytes = bytes;
		space->which = which;
	}
}

/*
 * The most that all below the root, down to PARENT, may take, and what it takes already: only asked for when
 * there is a limit.
 */
static int look_at_total(struct vp_policy *policy, enum vp_access access, const char *path,
	int parent, uint64_t whole, uint64_t *ret_most, uint64_t *ret_used, char *why, size_t size)
{
	const char *relative;
	int root, r;

	*ret_most = vp_limit_of(&policy->conf.archive_total, whole);
	*ret_used = 0;
	if (*ret_most == UINT64_MAX)
		return 0;
	root = vp_policy_open_root(policy, access, path, &relative);
	if (root < 0) {
		snprintf(why, size, "%s", policy->why);
		return root;
	}
	r = vp_tree_size(root, parent, ret_used, why, size);
	close(root);
	return r;
}

/* The filesystem of a directory: its size and what is free of it, in bytes and in inodes. */
struct filesystem {
	uint64_t whole, available, inodes, free_inodes;
};

static int look_at(int dir, struct filesystem *ret, char *why, size_t size)
{
	struct statvfs fs;

	*ret = (struct filesystem){0};
	if (fstatvfs(dir, &fs) < 0) {
		int r = -errno;

		snprintf(why, size, "cannot see how much space is left: %s", strerror(-r));
		return r;
	}
	*ret = (struct filesystem){.whole = (uint64_t)fs.f_blocks * fs.f_frsize,
		.available = (uint64_t)fs.f_bavail * fs.f_frsize,
		.inodes = fs.f_files,
		.free_inodes = fs.f_favail};
	return 0;
}

static void set_limits(const struct vp_conf *conf, uint64_t whole, struct vp_space *space)
{
	*space = (struct vp_space){.max_bytes = vp_limit_of(&conf->archive_bytes, whole),
		.max_entries = conf->archive_entries.value,
		.which = "archive-bytes"};
}

int vp_space_limits(
	struct vp_policy *policy, int parent, struct vp_space *ret, char *why, size_t size)
{
	struct filesystem fs;
	int r = look_at(parent, &fs, why, size);

	if (r == 0)
		set_limits(&policy->conf, fs.whole, ret);
	return r;
}

/* How much must stay free; 0 where there is nothing to keep (some virtual filesystems). */
static uint64_t kept_free(const struct vp_policy *policy, uint64_t whole)
{
	uint64_t keep = vp_limit_of(&policy->conf.archive_min_free, whole);

	return whole && keep != UINT64_MAX ? keep : 0;
}

int vp_space_left(struct vp_policy *policy, enum vp_access access, const char *path, int parent,
	struct vp_space *ret, char *why, size_t size)
{
	uint64_t keep, most, used;
	struct filesystem fs;
	int r = look_at(parent, &fs, why, size);

	if (r < 0)
		return r;
	set_limits(&policy->conf, fs.whole, ret);
	keep = kept_free(policy, fs.whole);
	if (fs.whole)
		lower(ret, fs.available > keep ? fs.available - keep : 0, "archive-min-free");
	r = look_at_total(policy, access, path, parent, fs.whole, &most, &used, why, size);
	if (r == 0)
		lower(ret, used < most ? most - used : 0, "archive-total");
	if (r == 0 && ret->max_bytes == 0) {
		r = -EDQUOT;
		snprintf(why, size, "%s of parts.conf leaves no room for it", ret->which);
	}
	return r;
}

static int refuse(const char *which, const char *what, char *why, size_t size)
{
	snprintf(why, size, "%s of parts.conf would not hold any more%s", which, what);
	return -EDQUOT;
}

/* Of the share that must stay free. Some filesystems have no number of inodes, and some say that none is free. */
static bool lacks_inodes(const struct vp_policy *policy, const struct filesystem *fs)
{
	return policy->conf.archive_min_free.percent && fs->free_inodes &&
	       fs->free_inodes < kept_free(policy, fs->inodes);
}

static int check_free(
	const struct vp_policy *policy, const struct filesystem *fs, char *why, size_t size)
{
	if (fs->available < kept_free(policy, fs->whole))
		return refuse("archive-min-free", "", why, size);
	if (lacks_inodes(policy, fs))
		return refuse("archive-min-free", ": too few inodes are left", why, size);
	return 0;
}

int vp_space_check_free(struct vp_policy *policy, int parent, char *why, size_t size)
{
	struct filesystem fs;
	int r = look_at(parent, &fs, why, size);

	return r < 0 ? r : check_free(policy, &fs, why, size);
}

int vp_space_check(struct vp_policy *policy, enum vp_access access, const char *path, int parent,
	char *why, size_t size)
{
	uint64_t most, used;
	struct filesystem fs;
	int r = look_at(parent, &fs, why, size);

	if (r == 0)
		r = check_free(policy, &fs, why, size);
	if (r == 0)
		r = look_at_total(policy, access, path, parent, fs.whole, &most, &used, why, size);
	if (r == 0 && used > most)
		r = refuse("archive-total", "", why, size);
	return r;
}
