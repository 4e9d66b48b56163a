/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files iso*.c share: the tree of an image to be, and the walk that fills it. */
#ifndef VP_PARTS_ISO_TREE_H
#define VP_PARTS_ISO_TREE_H

#include <limits.h>
#include <stdint.h>
#include <sys/stat.h>

#include "iso.h"

#define ISO_INLINE UINT_MAX /* the "source" of inline files and of the directories above them */

/* Directories below the root; libisofs recurses once a level. */
#define ISO_DEPTH_MAX 256
/* Linux cuts longer Rock Ridge names off (fs/isofs/rock.c). */
#define ISO_NAME_MAX 253
/* The path table counts directories with 16 bits. */
#define ISO_DIRS_MAX 65535
/* 2^31 blocks of 2 KiB. */
#define ISO_BYTES_MAX (UINT64_C(1) << 42)

/* A path for messages: that of the source, and that below it. */
#define ISO_TEXT_SIZE (2 * PATH_MAX)

/* Why a build fails. The first failure is kept, later ones are its consequences. */
struct iso_failure {
	int error; /* a positive errno, 0: none */
	char why[ISO_TEXT_SIZE + 256];
};

/* What a file was when it was met. As long as none of this changes, it is the same file with the
 * same contents (but for stores through a mapping, which the kernel doesn't date). */
struct iso_stamp {
	uint64_t ino, size;
	int64_t mtime, ctime;
	uint32_t mtime_nsec, ctime_nsec;
	uint32_t dev_major, dev_minor;
	uint32_t mode, uid, gid;
};

/* Where a node comes from. */
struct iso_origin {
	struct iso_origin *next; /* of a directory that several sources have */
	unsigned int source;	 /* index into the request, or ISO_INLINE */
	struct iso_stamp stamp;
};

struct iso_node {
	struct iso_node *parent;
	struct iso_node *sibling;
	union {
		struct iso_node *children; /* of a directory */
		const char *data;	   /* inline contents, or a symlink's target */
	};
	struct iso_node *next_dir; /* the next directory, level by level */
	struct iso_origin origin;  /* that of the first source decides owner, mode and time */
	char name[];
};

struct iso_chunk;

struct iso_tree {
	const struct iso_request *request;
	struct iso_failure failure;
	struct iso_chunk *chunks; /* every node, origin and name */
	struct iso_node *root;
	uint64_t *mounts; /* mount id of each source */
	uint64_t entries, bytes, files, dirs;
	int64_t newest_mtime, newest_ctime;
	uint32_t newest_ctime_nsec;
	unsigned n_notes; /* that were told */
};

/* Keeps the failure and returns -error. */
int iso_fail(struct iso_failure *failure, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

int iso_tree_init(struct iso_tree *tree, const struct iso_request *request);
void iso_tree_free(struct iso_tree *tree);
void *iso_tree_alloc(struct iso_tree *tree, size_t size);
/* A new child, not yet in order; stamp and source are the caller's to fill in. NULL: no memory. */
struct iso_node *iso_tree_add(struct iso_tree *tree, struct iso_node *dir, const char *name);
/* Puts the request's inline files into the tree. */
int iso_tree_add_files(struct iso_tree *tree);
/* Sorts a directory and merges what several sources have: directories merge, all else is refused. */
int iso_tree_merge(struct iso_tree *tree, struct iso_node *dir);
/* Counts contents against the limits. */
int iso_tree_count(struct iso_tree *tree, uint64_t bytes, const char *where);

/* The path below the source, "." for the root. -ENAMETOOLONG: ret_path holds the end of it. */
int iso_node_path(const struct iso_node *node, char ret_path[PATH_MAX]);
/* The path for messages, that of the source in front. Returns ret_text. */
const char *iso_node_text(const struct iso_tree *tree, const struct iso_node *node,
	unsigned int source, char ret_text[ISO_TEXT_SIZE]);

static inline int iso_node_is(const struct iso_node *node, mode_t type)
{
	return (node->origin.stamp.mode & S_IFMT) == type;
}

/* What is there now under a name in an open directory, or "" for what is open itself. Never opens
 * anything, follows no link. Returns 0 or -errno. */
int iso_entry_stat(int dirfd, const char *name, struct statx *ret_stat);
struct iso_stamp iso_entry_stamp(const struct statx *st);
/* Whether it is what was scanned from that source. */
int iso_entry_is_same(const struct iso_tree *tree, unsigned int source,
	const struct iso_stamp *stamp, const struct statx *st);
/* Opens what was scanned, beneath its source, if it is the same. Returns the descriptor or -errno. */
int iso_entry_open(const struct iso_tree *tree, const struct iso_node *node,
	const struct iso_origin *origin, int flags, struct iso_failure *failure);
/* Opens a regular file for reading, when it is known to be the one that was scanned. */
int iso_entry_open_file(
	const struct iso_tree *tree, const struct iso_node *node, struct iso_failure *failure);
/* Fails if the open file is not as it was scanned. */
int iso_entry_check_file(const struct iso_tree *tree, const struct iso_node *node, int fd,
	struct iso_failure *failure);
/* "cannot <what> <path>: <error>", or that it changed: both return -errno. */
int iso_entry_fail(const struct iso_tree *tree, struct iso_failure *failure,
	const struct iso_node *node, unsigned int source, int error, const char *what);
int iso_entry_fail_changed(const struct iso_tree *tree, struct iso_failure *failure,
	const struct iso_node *node, unsigned int source);

/* Walks the sources into the tree. At most one descriptor is open at a time. */
int iso_scan(struct iso_tree *tree);
/* Walks the sources again: fails if anything is not as it was. */
int iso_scan_verify(struct iso_tree *tree);
/* Reads the written image back: fails if a directory is not where it should be. */
int iso_check_image(int fd, uint64_t size, struct iso_failure *failure);
int iso_check_fail_layout(struct iso_failure *failure);

#endif
