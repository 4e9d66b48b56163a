/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copying a directory tree by descriptor: into a new one (archive) or over an existing one
 * (preload).
 */
#ifndef VP_TREE_COPY_H
#define VP_TREE_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct vp_copy_options {
	/*
	 * Limits; more is -E2BIG. Bytes are those of data and extended attributes really copied:
	 * holes are free.
	 */
	uint64_t max_bytes;
	uint64_t max_entries;
	unsigned max_depth; /* levels of directories below the top */

	/*
	 * Whether a mount may be entered; fd is its root, O_PATH. NULL: none. vp_copy_tree asks
	 * for mounts in the source, vp_merge_tree for mounts in the destination (a mount in its
	 * source is always an error).
	 */
	bool (*enter_mount)(int fd, void *context);

	/*
	 * Told of what was left out (a socket, a device node, an attribute that the destination
	 * can't hold). May be NULL.
	 */
	void (*note)(void *context, const char *path, const char *what);

	/*
	 * Asked every 4 MiB, an entry counting as a block, whether there is room for more: 0, or -errno and
	 * why, which ends the copy. What a file takes is more than its data. May be NULL.
	 */
	int (*check_room)(void *context, char *ret_why, size_t why_size);
	void *context;

	uid_t uid; /* of everything, the top of vp_copy_tree excepted; -1: kept */
	gid_t gid;
	/* give every regular file and FIFO file_mode; ACLs are then not copied */
	bool set_file_mode;
	bool set_directory_mode;
	mode_t file_mode;
	mode_t directory_mode;

	/*
	 * The top of vp_copy_tree: others than its owner reach nothing in an archive unless these
	 * say so.
	 */
	mode_t top_mode;
	uid_t top_uid; /* -1: that of the source */
	gid_t top_gid;

	/* vp_merge_tree: leave mode, owner, times and attributes of dest_dir itself */
	bool keep_top;
	/* everything is fsynced: by a merge each file before it is renamed, else all of it at the end */
	bool durable;
	bool ignore_changes; /* copy a living tree as it is met, instead of -ESTALE */
};

/* No limits, no mounts, nothing overridden, top 0700 root, durable. */
#define VP_COPY_OPTIONS_DEFAULT \
	{ \
		.max_bytes = UINT64_MAX, .max_entries = UINT64_MAX, .max_depth = (unsigned)-1, \
		.uid = (uid_t)-1, .gid = (gid_t)-1, .top_mode = 0700, .durable = true \
	}

struct vp_copy_result {
	uint64_t entries; /* files, directories, links copied */
	uint64_t bytes;	  /* data copied; of a hard link once */
	uint64_t skipped; /* sockets, device nodes */
};

/*
 * For both: regular files, directories, symbolic links (as links) and FIFOs are copied; sockets
 * and device nodes are left out with a note. Kept are owner, mode, times (ns), holes, extended
 * attributes user.* and POSIX ACLs; never security.* and trusted.*, never setuid and setgid (on
 * directories neither), sticky on directories only. Nothing but a regular file is ever opened for
 * data. A file whose size, mtime or ctime changes while it is copied is -ESTALE. Any depth and
 * width, 80 bytes a level, at most 32 descriptors. Returns 0, or -errno at the first failure with
 * a fragment like "cannot open 'a/b': Permission denied" in ret_why (paths relative to the tree,
 * control characters not escaped). ret_result and ret_why may be NULL. -EINVAL: the destination
 * lies in the source.
 */

/*
 * A faithful copy of what is in source_dir. staging_dir is an empty directory on the
 * destination's filesystem that only the caller can reach (vp_staging_make): `tree` is made in
 * it, and while the copy runs `links`, where every inode with more than one link gets a name
 * <device>-<inode>, so that hard links cost no memory. Whatever comes of it, staging_dir is the
 * caller's to publish from or to remove. Here also a directory that changes while it is copied is
 * -ESTALE, since the source may be deleted on our word. After 0 with durable, only the names
 * `tree` and above are not on disk yet.
 */
int vp_copy_tree(int source_dir, int staging_dir, const struct vp_copy_options *options,
	struct vp_copy_result *ret_result, char *ret_why, size_t why_size);

/*
 * Merges what is in source_dir over what is in dest_dir. Files, links and FIFOs are made under a
 * temporary name (.virt-parts.XXXXXX) in their directory and renamed into place; one that a
 * killed run left is removed when its directory is entered. Existing directories are entered and
 * get mode, owner, times of the source's; a link or another non-directory in the way of a
 * directory is replaced, never followed; a directory in the way of something else is -EISDIR.
 * Nothing else in dest_dir is touched. Hard links become separate files. After a failure what was
 * merged stays.
 */
int vp_merge_tree(int source_dir, int dest_dir, const struct vp_copy_options *options,
	struct vp_copy_result *ret_result, char *ret_why, size_t why_size);

#endif
