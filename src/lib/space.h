/* SPDX-License-Identifier: GPL-2.0-or-later */
/* space.h: how much a part may write, so that it never fills a disk: parts.conf against what is there. */
#ifndef VP_SPACE_H
#define VP_SPACE_H

#include "policy.h"

struct vp_space {
	uint64_t max_bytes, max_entries;
	const char *which; /* the key of parts.conf that max_bytes comes from */
};

/* What one directive may write at all below PARENT: archive-bytes and archive-entries. */
int vp_space_limits(
	struct vp_policy *policy, int parent, struct vp_space *ret, char *ret_why, size_t why_size);

/*
 * What may be written now to the filesystem of the directory PARENT, for a PATH that ACCESS allows.
 * archive-total counts below the root that allows it, and what is mounted on the way to PARENT. 0, or
 * -errno and why; -EDQUOT: nothing.
 */
int vp_space_left(struct vp_policy *policy, enum vp_access access, const char *path, int parent,
	struct vp_space *ret, char *ret_why, size_t why_size);

/* Whether archive-min-free still holds: what is written takes more than its bytes, and others write too. 0 or -EDQUOT. */
int vp_space_check_free(struct vp_policy *policy, int parent, char *ret_why, size_t why_size);

/* Whether that and archive-total hold with what has been written, before it is put in place. 0 or -EDQUOT. */
int vp_space_check(struct vp_policy *policy, enum vp_access access, const char *path, int parent,
	char *ret_why, size_t why_size);

#endif
