/* SPDX-License-Identifier: GPL-2.0-or-later */
/* <post-rm-rf>: directories that are deleted when the guest has ended. */
#include <string.h>

#include "directives.h"
#include "text.h"

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

/* What the guest's <filesystem> is made from must be there at its next start. */
static int check(struct vp_checking *checking, const struct vp_element *rm)
{
	for (const struct vp_element *dir = vp_child(rm, "dir"); dir; dir = vp_next(dir, "dir")) {
		const struct vp_filesystem *fs = checking->filesystems;

		for (; fs; fs = fs->next)
			if (*fs->source && strcmp(fs->source, dir->text) != 0 &&
				vp_path_within(fs->source, dir->text))
				return vp_check_refuse(checking, dir,
					"'%s' holds the <filesystem> source '%s', which the next "
					"start "
					"needs; name that, to have it emptied, or what lies beside "
					"it",
					dir->text, fs->source);
	}
	return 0;
}

const struct vp_directive vp_post_rm_rf = {.spec = &spec, .check = check, .claims = true};
