/* SPDX-License-Identifier: GPL-2.0-or-later */
/* archive-limits.h: how much an archive may hold, so that it never fills a disk. */
#ifndef VP_ARCHIVE_LIMITS_H
#define VP_ARCHIVE_LIMITS_H

#include "policy.h"

struct archive_limits {
	uint64_t max_bytes, max_entries;
	const char *which; /* the key of parts.conf that max_bytes comes from */
};

/*
 * What may be written now to the filesystem of the directory PARENT, below the write root that allows
 * PATH. 0, or -errno and why; -EDQUOT: nothing.
 */
int archive_limits(struct vp_policy *policy, const char *path, int parent,
	struct archive_limits *ret, char *ret_why, size_t why_size);

#endif
