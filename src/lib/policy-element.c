/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the paths that a directive names are allowed. */
#include "policy.h"

static int check_path(struct vp_policy *policy, enum vp_access access, const char *path)
{
	return access == VP_ANYWHERE ? 0 : vp_policy_allows(policy, access, path, NULL);
}

int vp_policy_allows_element(struct vp_policy *policy, const struct vp_element *element,
	const struct vp_element **ret_where)
{
	const struct vp_attr_spec *as = element->spec->attrs;
	int r = check_path(policy, element->spec->access, element->text);

	for (; r == 0 && as && as->name; as++) {
		const char *path = vp_attr_text(element, as->name, NULL);

		if (path)
			r = check_path(policy, as->access, path);
	}
	if (r < 0)
		*ret_where = element;
	for (const struct vp_element *child = element->first_child; r == 0 && child;
		child = child->next)
		r = vp_policy_allows_element(policy, child, ret_where);
	return r;
}

bool vp_policy_is_needed(const struct vp_element_spec *spec)
{
	bool needed = spec->access != VP_ANYWHERE;

	for (const struct vp_attr_spec *as = spec->attrs; as && as->name; as++)
		needed |= as->access != VP_ANYWHERE;
	for (const struct vp_element_spec *cs = spec->children; cs && cs->name; cs++)
		needed |= vp_policy_is_needed(cs);
	return needed;
}
