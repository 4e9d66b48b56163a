/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of a copy share; not for others. */
#ifndef VP_TREE_COPY_STATE_H
#define VP_TREE_COPY_STATE_H

#include "sync-queue.h"
#include "tree-copy-staging.h"
#include "tree-copy.h"
#include "walk.h"

#define VP_COPY_BUFFER ((size_t)128 << 10)

struct vp_copy {
	const struct vp_copy_options *options;
	const struct vp_why *why;
	struct vp_copy_result result;
	struct vp_walk *walk;	      /* the source */
	struct vp_stack dest;	      /* the same directory of the destination */
	struct vp_identity forbidden; /* the destination itself, not to be met in the source */
	int links;		      /* vp_copy_tree: the links directory; -1: a merge */
	uint64_t no_clone_device;     /* files of this device can't be cloned to the destination */
	char *buffer;		      /* VP_COPY_BUFFER bytes */
	unsigned n_notes;	      /* that were told */
	uint64_t taken;		      /* since options->check_room was asked */
	struct vp_sync_queue sync;    /* vp_copy_tree: what is not yet known to be on disk */
};

static inline bool vp_copy_is_merge(const struct vp_copy *copy)
{
	return copy->links < 0;
}

/* A merge syncs each file before it is renamed, a new tree as a whole before it is published. */
static inline bool vp_copy_syncs_later(const struct vp_copy *copy)
{
	return copy->options->durable && !vp_copy_is_merge(copy);
}

static inline int vp_copy_dest(const struct vp_copy *copy)
{
	return vp_stack_fd(&copy->dest);
}

/* "cannot VERB 'path of name': message"; returns r. */
int vp_copy_fail(struct vp_copy *copy, int r, const char *verb, const char *name);

/* Counts bytes that are about to be copied; -E2BIG with the reason. */
int vp_copy_charge(struct vp_copy *copy, uint64_t bytes);

/* Counts bytes that were written, and asks now and then whether there is room for more. */
int vp_copy_took(struct vp_copy *copy, uint64_t bytes);

/* "'path' changed while it was copied": -ESTALE. */
int vp_copy_changed(struct vp_copy *copy, const char *name);

void vp_copy_note(struct vp_copy *copy, const char *name, const char *what);

/* tree-copy-file.c: the data of a regular file, holes kept; out is empty. */
int vp_copy_data(struct vp_copy *copy, const char *name, int in, const struct statx *stx, int out);

/* What attributes a copy gets. */
struct vp_copy_attributes {
	uid_t uid;
	gid_t gid;
	mode_t mode;
	bool acls;
};

/* tree-copy-attributes.c */
struct vp_copy_attributes vp_copy_attributes_of(
	const struct vp_copy *copy, const struct statx *stx);

/*
 * Owner, extended attributes, mode and times, in the order in which none undoes another. The
 * descriptors may be O_PATH; a link gets owner and times only.
 */
int vp_copy_set_attributes(struct vp_copy *copy, const char *name, int in, const struct statx *stx,
	int out, const struct vp_copy_attributes *attributes);

/* Takes away the ACLs that a new file got from the default ACL of its directory. */
int vp_drop_inherited_acls(int fd);

/* tree-copy-entry.c: the current entry of the walk, not a directory, opened as fd. */
int vp_copy_entry(struct vp_copy *copy, const char *name, int fd, const struct statx *stx);

/*
 * tree-copy-merge.c: opens the directory of the destination to merge into, making or replacing
 * what is there.
 */
int vp_merge_open_directory(struct vp_copy *copy, const char *name);

/* Removes the temporaries of a killed run. */
int vp_merge_clean(struct vp_copy *copy, int dir);

/*
 * tree-copy-staging.c: prefix and six random characters appended to text, which has room for
 * them; 0 or -errno.
 */
int vp_append_random(char *text);

/* Whether name is prefix and six such characters. */
bool vp_is_random_name(const char *name, const char *prefix);

/* tree-copy.c: the walk that both kinds of copy are; takes dest over, also on failure. */
int vp_copy_run(struct vp_copy *copy, int source_dir, int dest);

#endif
