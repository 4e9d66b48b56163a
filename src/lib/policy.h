/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy.h: where the parts of a guest may act, by the path rules of parts.conf.
 *
 * A path is allowed by the longest rule of its kind that it lies below. A rule's path, %NAME% and
 * %UUID% replaced, is a root: every directory above it must be trusted (trust.h) and no link, so
 * that nobody can lead it elsewhere; what lies below it is nobody's friend, and is reached only by
 * beneath.h.
 */
#ifndef VP_POLICY_H
#define VP_POLICY_H

#include <limits.h>

#include "conf.h"

struct vp_policy {
	struct vp_conf conf;
	const struct vp_event *event; /* whose guest it is */
	char why[1024];		      /* after an error: what is wrong, and what to do */
};

/*
 * Reads parts.conf of the event's hook directory. 0, or -errno when there is no valid policy: then
 * nothing is allowed, and why says why. To be freed with vp_policy_free in either case.
 */
int vp_policy_load(const struct vp_event *event, struct vp_policy *ret);
void vp_policy_free(struct vp_policy *policy);

/*
 * Whether ACCESS to PATH is allowed. 0, and ret_root (PATH_MAX, may be NULL) is the root that allows
 * it; -EPERM: no rule does, or it is a root itself or above one (to read a root itself is allowed).
 */
int vp_policy_allows(
	struct vp_policy *policy, enum vp_access access, const char *path, char *ret_root);

/*
 * The rule that allows ACCESS to PATH, the longest that it lies below, and in ret_root (PATH_MAX) its
 * path for this guest; NULL when there is none. PATH is absolute and checked.
 */
const struct vp_rule *vp_policy_rule(
	const struct vp_policy *policy, enum vp_access access, const char *path, char *ret_root);

/*
 * The first rule of that kind, in the order of parts.conf, that allows anything to this guest, and
 * its root; NULL when there is none.
 */
const struct vp_rule *vp_policy_first(
	const struct vp_policy *policy, enum vp_access access, char *ret_root);

/* What parts.conf calls a kind of access: read, write, delete, iso. */
const char *vp_access_text(enum vp_access access);

/*
 * Whether every path of a bound element, and of all below it, is allowed as the part's table says.
 * 0, or -errno and the element in *ret_where.
 */
int vp_policy_allows_element(struct vp_policy *policy, const struct vp_element *element,
	const struct vp_element **ret_where);
/* Whether the table has a path at all that must be allowed. */
bool vp_policy_is_needed(const struct vp_element_spec *spec);

/*
 * The root that allows ACCESS to PATH, opened (O_RDONLY), and in ret_relative where in PATH the rest
 * begins ("" for the root itself). Write and iso roots that are missing are made (0700 and 0711).
 * -errno, and why.
 */
int vp_policy_open_root(struct vp_policy *policy, enum vp_access access, const char *path,
	const char **ret_relative);

/*
 * The directory PATH itself, opened (O_RDONLY) below its root. -ENOENT when it is not there; other
 * errors likewise -errno, and why.
 */
int vp_policy_open_dir(struct vp_policy *policy, enum vp_access access, const char *path);

/*
 * The directory that PATH lies in, opened, and in ret_leaf PATH's last component. With MAKE_MODE not
 * 0 what is missing below the root is made with that mode. -errno, and why.
 */
int vp_policy_open_parent(struct vp_policy *policy, enum vp_access access, const char *path,
	unsigned make_mode, const char **ret_leaf);

#endif
