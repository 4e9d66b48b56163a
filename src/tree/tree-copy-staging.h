/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The private directory in which a result is built, and putting it in place under its final name.
 */
#ifndef VP_TREE_COPY_STAGING_H
#define VP_TREE_COPY_STAGING_H

#include <limits.h>
#include <stddef.h>

#include "text.h"

/* `.virt-parts.XXXXXX` */
#define VP_TEMPORARY_SIZE sizeof(VP_TEMPORARY_PREFIX "XXXXXX")

/*
 * Makes `.virt-parts.<name>.XXXXXX` (0700, the caller's, no ACL inherited; a long name is cut) in
 * dest_parent and locks it with flock(), which says that its maker lives. ret_name gets its name.
 * Returns an O_RDONLY|O_DIRECTORY descriptor that must stay open while the directory is used, or
 * -errno.
 */
int vp_staging_make(int dest_parent, const char *name, char ret_name[NAME_MAX + 1], char *ret_why,
	size_t why_size);

/* Removes a staging directory with all that is in it, and closes staging_dir in any case. */
int vp_staging_remove(
	int dest_parent, const char *staging_name, int staging_dir, char *ret_why, size_t why_size);

/*
 * Removes the staging directories in dest_parent that were made for name (NULL: for any name) by
 * processes that are gone. One that is locked, or that somebody else owns, is left alone. Returns
 * the number removed or -errno.
 */
int vp_remove_stale_staging(int dest_parent, const char *name, char *ret_why, size_t why_size);

/*
 * Puts staged_name of staging_dir into dest_parent under name, else as name-2, name-3, ... until
 * max_tries names were tried (-EEXIST). Nothing is ever overwritten (RENAME_NOREPLACE; where a
 * filesystem lacks it, by an exclusive mkdir or link). Then staging_dir, dest_parent and the
 * directories above it on this mount are fsynced, since one of those may be as new. ret_name gets
 * the name used as soon as the thing is there, also when an fsync fails after that: then it is in
 * place, and the error says that it may not be on disk. On an earlier error ret_name is "".
 */
int vp_publish(int staging_dir, const char *staged_name, int dest_parent, const char *name,
	unsigned max_tries, char ret_name[NAME_MAX + 1], char *ret_why, size_t why_size);

#endif
