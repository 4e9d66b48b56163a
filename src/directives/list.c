/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of the shipped directives. */
#include <string.h>

#include "directives.h"

const struct vp_directive *const vp_directives[] = {
	&vp_ramdisk,
	&vp_preload,
	&vp_archive,
	&vp_post_rm_rf,
	NULL,
};

const struct vp_directive *vp_directive_find(const char *name)
{
	for (const struct vp_directive *const *d = vp_directives; *d; d++)
		if (strcmp((*d)->spec->name, name) == 0)
			return *d;
	return NULL;
}
