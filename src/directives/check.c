/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every directive must be beyond its table: its paths allowed, and none in another's way. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "directives.h"
#include "text.h"

int vp_check_refuse(
	struct vp_checking *checking, const struct vp_element *where, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(checking->why, sizeof(checking->why), format, args);
	va_end(args);
	checking->where = where;
	return -EINVAL;
}

static int check_path(struct vp_checking *checking, const struct vp_element *where,
	enum vp_access access, const char *path)
{
	int r;

	if (access == VP_ANYWHERE)
		return 0;
	r = vp_policy_allows(checking->policy, access, path, NULL);
	if (r < 0)
		vp_check_refuse(checking, where, "%s", checking->policy->why);
	return r;
}

static int check_paths(struct vp_checking *checking, const struct vp_element *element)
{
	const struct vp_attr_spec *as = element->spec->attrs;
	int r = check_path(checking, element, element->spec->access, element->text);

	for (; r == 0 && as && as->name; as++) {
		const char *path = vp_attr_text(element, as->name, NULL);

		if (path)
			r = check_path(checking, element, as->access, path);
	}
	for (const struct vp_element *child = element->first_child; r == 0 && child;
		child = child->next)
		r = check_paths(checking, child);
	return r;
}

int vp_check_dircopy(struct vp_checking *checking, const struct vp_element *dircopy)
{
	const char *src = vp_child(dircopy, "src")->text, *dst = vp_child(dircopy, "dst")->text;

	if (vp_path_within(dst, src) || vp_path_within(src, dst))
		return vp_check_refuse(
			checking, dircopy, "<src> '%s' and <dst> '%s' lie in each other", src, dst);
	return 0;
}

int vp_directive_check(struct vp_checking *checking, const struct vp_directive *directive,
	const struct vp_element *element)
{
	int r = check_paths(checking, element);

	return r == 0 && directive->check ? directive->check(checking, element) : r;
}
