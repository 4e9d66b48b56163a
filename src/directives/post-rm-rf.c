/* SPDX-License-Identifier: GPL-2.0-or-later */
/* <post-rm-rf>: directories that are deleted when the guest has ended. */
#include "directives.h"

static const struct vp_attr_spec attrs[] = {
	{.name = "when", .type = VP_WORDS, .words = vp_reasons},
	{0},
};

static const struct vp_element_spec children[] = {
	{.name = "dir", .type = VP_PATH, .access = VP_DELETE, .min = 1},
	{0},
};

static const struct vp_element_spec spec = {
	.name = "post-rm-rf", .attrs = attrs, .children = children};

const struct vp_directive vp_post_rm_rf = {.spec = &spec, .claims = true};
