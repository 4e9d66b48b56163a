/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Deleting a directory tree by descriptor: no link followed, no mount entered. */
#ifndef VP_TREE_REMOVE_H
#define VP_TREE_REMOVE_H

#include <stddef.h>
#include <stdint.h>

struct vp_remove_result {
	uint64_t removed; /* entries, directories included */
	/* entries that could not be removed, the directories kept only for these not counted */
	uint64_t failed;
};

/*
 * Both delete by unlinkat() on held directory descriptors only. A mount (bind mounts of the same
 * filesystem too) is never entered or unmounted: it is a failure that names it. After a failure
 * the rest is still deleted; the first failure's -errno is returned and told in ret_why, "; and
 * N more" added. -ESTALE: a directory was moved while it was being emptied; the work stops there.
 * Any depth and width in bounded memory (40 bytes a level) and with at most 12 descriptors.
 * ret_result and ret_why may be NULL; paths in ret_why are relative to the tree, control
 * characters are not escaped there.
 *
 * Ask vp_tree_has_mounts() first where nothing at all shall be deleted of a tree that has a
 * mount.
 */

/*
 * Removes the directory name (one component, no "..") in parent_dir with all that is in it. Its
 * identity is remembered when it is opened and compared again before it is removed itself.
 * -ENOENT: it is not there, nothing done. -ENOTDIR: it is a file or a link, left alone. -EXDEV:
 * it is a mount point.
 */
int vp_remove_tree(int parent_dir, const char *name, struct vp_remove_result *ret_result,
	char *ret_why, size_t why_size);

/* Removes all that is in the directory, which itself stays. The descriptor may be O_PATH. */
int vp_empty_directory(
	int dir, struct vp_remove_result *ret_result, char *ret_why, size_t why_size);

#endif
