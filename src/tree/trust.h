/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trust.h: whether only root can have put something where it is.
 *
 * Trusted is what is root's and not writable by its group or by others, and so is every directory
 * on the way to it; a symbolic link on the way must be root's in such a directory, and leads to a
 * path of which the same holds. What is trusted can't be swapped between this check and its use by
 * anybody but root. (An ACL that lets others write shows in the group bits: acl(5), the mask.)
 */
#ifndef VP_TRUST_H
#define VP_TRUST_H

#include <stddef.h>
#include <sys/stat.h>

/*
 * 0 when the absolute PATH is trusted; ret_stat (may be NULL) is what it leads to, ret_real (may be
 * NULL, PATH_MAX bytes) its path without links. -EPERM: it is not; else -errno of what failed. why
 * then says which component and what is wrong with it.
 */
int vp_trust_check(
	const char *path, struct stat *ret_stat, char *ret_real, char *ret_why, size_t why_size);

/* Whether the thing itself, its way aside, is root's and not writable by group or others. */
int vp_trust_mode(const struct stat *st);

#endif
