/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much an archive may hold: the limits of parts.conf against what is there. */
#include "archive-limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "limit.h"
#include "tree-size.h"

static void lower(struct archive_limits *limits, uint64_t bytes, const char *which)
{
	if (bytes < limits->max_bytes) {
		limits->max_bytes = bytes;
		limits->which = which;
	}
}

/* What all archives below the root take already: only asked for when there is a limit. */
static int apply_total(struct vp_policy *policy, const char *path, uint64_t whole,
	struct archive_limits *limits, char *why, size_t size)
{
	uint64_t most = vp_limit_of(&policy->conf.archive_total, whole), used;
	const char *relative;
	int root, r;

	if (most == UINT64_MAX)
		return 0;
	root = vp_policy_open_root(policy, VP_WRITE, path, &relative);
	if (root < 0) {
		snprintf(why, size, "%s", policy->why);
		return root;
	}
	r = vp_tree_size(root, &used, why, size);
	close(root);
	if (r == 0)
		lower(limits, used < most ? most - used : 0, "archive-total");
	return r;
}

int archive_limits(struct vp_policy *policy, const char *path, int parent,
	struct archive_limits *ret, char *why, size_t size)
{
	const struct vp_conf *conf = &policy->conf;
	struct statvfs fs;
	uint64_t whole, available, keep;
	int r;

	if (fstatvfs(parent, &fs) < 0) {
		r = -errno;
		snprintf(why, size, "cannot see how much space is left: %s", strerror(-r));
		return r;
	}
	whole = (uint64_t)fs.f_blocks * fs.f_frsize;
	available = (uint64_t)fs.f_bavail * fs.f_frsize;
	keep = vp_limit_of(&conf->archive_min_free, whole);
	*ret = (struct archive_limits){.max_bytes = UINT64_MAX,
		.max_entries = conf->archive_entries.value,
		.which = "archive-bytes"};
	lower(ret, vp_limit_of(&conf->archive_bytes, whole), "archive-bytes");
	/* a filesystem without blocks (some virtual ones) has no share to keep */
	if (whole && keep != UINT64_MAX)
		lower(ret, available > keep ? available - keep : 0, "archive-min-free");
	r = apply_total(policy, path, whole, ret, why, size);
	if (r == 0 && ret->max_bytes == 0) {
		r = -EDQUOT;
		snprintf(why, size, "%s of parts.conf leaves no room for it", ret->which);
	}
	return r;
}
