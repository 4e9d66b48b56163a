/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree-size.h: how many bytes a tree takes. */
#ifndef VP_TREE_SIZE_H
#define VP_TREE_SIZE_H

#include <stddef.h>
#include <stdint.h>

/*
 * The disk space, in bytes, of what lies in DIR and in the mounts that are come through on the way to
 * BELOW, a directory in it or DIR itself; all other mounts are left out. Of a file each hard link
 * counts its share. What others change meanwhile may count or not. 0 or -errno and why.
 */
int vp_tree_size(int dir, int below, uint64_t *ret_bytes, char *ret_why, size_t why_size);

#endif
