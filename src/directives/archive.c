/* SPDX-License-Identifier: GPL-2.0-or-later */
/* <archive>: directories of the guest copied to a safe place when it has ended. */
#include <string.h>

#include "directives.h"

static const struct vp_attr_spec attrs[] = {
	{.name = "when", .type = VP_WORDS, .words = vp_reasons},
	{0},
};

static const struct vp_attr_spec dircopy_attrs[] = {
	{.name = "mode", .type = VP_MODE},
	{.name = "uid", .type = VP_ID},
	{.name = "gid", .type = VP_ID},
	{0},
};

static const struct vp_element_spec dircopy_children[] = {
	{.name = "src", .type = VP_PATH, .access = VP_READ, .min = 1, .max = 1},
	{.name = "dst", .type = VP_PATH, .access = VP_WRITE, .min = 1, .max = 1},
	{0},
};

static const struct vp_element_spec children[] = {
	VP_DATESTR_SPEC,
	{.name = "dircopy", .min = 1, .attrs = dircopy_attrs, .children = dircopy_children},
	{0},
};

static const struct vp_element_spec spec = {
	.name = "archive", .attrs = attrs, .children = children};

static int check(struct vp_checking *checking, const struct vp_element *archive)
{
	const struct vp_element *dircopy = vp_child(archive, "dircopy");
	int r = 0;

	for (; r == 0 && dircopy; dircopy = vp_next(dircopy, "dircopy"))
		r = vp_check_dircopy(checking, dircopy);
	return r;
}

/* Nothing is ever overwritten there, so a destination is not claimed. */
const struct vp_directive vp_archive = {.spec = &spec, .check = check};
