/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the walk share; not for others. */
#ifndef VP_WALK_STATE_H
#define VP_WALK_STATE_H

#include <dirent.h>

#include "walk.h"

#define VP_WALK_BUFFER 16384

/* What was read of a directory that is held open. */
struct vp_walk_buffer {
	size_t length;
	size_t at;	   /* where the next entry begins */
	uint64_t position; /* of that entry in the directory, for lseek() */
	/* the entry last given */
	struct dirent64 *entry;
	uint64_t entry_position;
	_Alignas(struct dirent64) char data[VP_WALK_BUFFER];
};

struct vp_walk {
	struct vp_stack stack;
	struct vp_walk_options options;
	const struct vp_why *why;
	struct vp_walk_text text;
	char path[VP_WALK_TEXT_MAX];
	/* of level n in buffers[n % VP_WALK_HELD], as its descriptor */
	struct vp_walk_buffer buffers[VP_WALK_HELD];
};

/* The buffer of the current directory. */
struct vp_walk_buffer *vp_walk_current(struct vp_walk *walk);

/* "cannot VERB 'path of name': message"; returns r. */
int vp_walk_fail(struct vp_walk *walk, int r, const char *verb, const char *name);

uint64_t vp_walk_nanoseconds(const struct statx_timestamp *time);

/*
 * walk-read.c: makes the entry that was entered the current one again, in a directory that had to
 * be opened anew. -ESTALE: it is not there any more.
 */
int vp_walk_find(struct vp_walk *walk, const struct vp_identity *identity);

#endif
