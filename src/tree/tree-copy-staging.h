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
 * Who makes one. Whether its maker lives cannot be asked of a directory: locks of another host that
 * shares the filesystem are not seen here. So each is removed by its own maker alone.
 */
struct vp_staging_maker {
	const char *key; /* no other maker has it, on any host: its directories are known by name */
	/* told each name before it is made, for where it is not looked for; -errno and why end it; or NULL */
	int (*note)(void *context, const char *staging_name, char *ret_why, size_t why_size);
	/* the same of a final name that vp_publish is about to take by an empty directory; or NULL */
	int (*note_claim)(void *context, const char *name, char *ret_why, size_t why_size);
	void *context;
};

/*
 * Makes `.virt-parts.<name>.XXXXXXXXXX` (0700, the caller's, no ACL inherited; a long name is cut) in
 * dest_parent, and removes before what the same maker has left there for that name; NULL: one without a
 * key. It is locked with flock(), which says on this host that its maker lives. ret_name gets its
 * name. Returns an O_RDONLY|O_DIRECTORY descriptor that must stay open while the directory is used,
 * or -errno.
 */
int vp_staging_make(int dest_parent, const char *name, const struct vp_staging_maker *maker,
	char ret_name[NAME_MAX + 1], char *ret_why, size_t why_size);

/* Removes a staging directory with all that is in it, and closes staging_dir in any case. */
int vp_staging_remove(
	int dest_parent, const char *staging_name, int staging_dir, char *ret_why, size_t why_size);

/*
 * Opens and locks what has such a name and may be left of a maker that is gone: the caller's own
 * directory, closed to others, that nobody on this host has locked. -ENOENT: it is no such thing, or
 * not there.
 */
int vp_staging_open_left(int dest_parent, const char *staging_name);

/* Removes that, of which the caller knows that it has made it. 1, 0 where there is none, or -errno. */
int vp_staging_remove_left(
	int dest_parent, const char *staging_name, char *ret_why, size_t why_size);

/*
 * Puts staged_name of staging_dir into dest_parent under name, else as name-2, name-3, ... until
 * max_tries names were tried (-EEXIST). Nothing is ever overwritten (RENAME_NOREPLACE; where a
 * filesystem lacks it, by an exclusive mkdir or link). Killed behind that mkdir it leaves an empty
 * directory, of a name that maker (or NULL) was told; vp_publish_remove_left takes it away. Then staging_dir, dest_parent and the
 * directories above it on this mount are fsynced, since one of those may be as new. ret_name gets
 * the name used as soon as the thing is there, also when an fsync fails after that: then it is in
 * place, and the error says that it may not be on disk. On an earlier error ret_name is "".
 */
int vp_publish(int staging_dir, const char *staged_name, int dest_parent, const char *name,
	unsigned max_tries, const struct vp_staging_maker *maker, char ret_name[NAME_MAX + 1],
	char *ret_why, size_t why_size);

/* Removes what a note_claim was told of, if it is an empty directory still. 1, 0, or -errno. */
int vp_publish_remove_left(int dest_parent, const char *name, char *ret_why, size_t why_size);

#endif
