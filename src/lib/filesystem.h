/* SPDX-License-Identifier: GPL-2.0-or-later */
/* filesystem.h: the <filesystem>s of a guest by the paths that directives may have for them. */
#ifndef VP_FILESYSTEM_H
#define VP_FILESYSTEM_H

#include "element.h"

/* A <filesystem> of the guest. */
struct vp_filesystem {
	struct vp_filesystem *next;
	const char *source, *target; /* "" if it has none */
};

/* PATH as virt-parts writes paths: `/a//b/` and `/a/b` are one directory. NULL: no memory. */
char *vp_filesystem_path(struct vp_source *source, const char *path);

/*
 * Adds behind each whose source leads through links a second one, of the path without: directives name that.
 * It is for comparing alone, since whoever can write there can lead a link elsewhere at any time. 0 or -ENOMEM.
 */
int vp_filesystems_resolve(struct vp_source *source, struct vp_filesystem *filesystems);

#endif
