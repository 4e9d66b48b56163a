/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bind.h: a raw directive checked against a part's table, its texts made what they stand for. */
#ifndef VP_BIND_H
#define VP_BIND_H

#include "element.h"

/*
 * Checks DIRECTIVE and all below it, and gives every element its spec, text and number. 0; -EINVAL:
 * it is not as the table says, source->why says what is wrong and *ret_where is the element;
 * -ENOMEM. Nothing of the table's paths is looked up: that is the policy's.
 */
int vp_bind(struct vp_source *source, struct vp_element *directive,
	const struct vp_element_spec *spec, const struct vp_event *event,
	const struct vp_element **ret_where);

/* Whether the directive's table has dates (lists <datestr>). */
bool vp_spec_has_dates(const struct vp_element_spec *spec);

#endif
