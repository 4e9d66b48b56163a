/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A walk through a directory tree by descriptor: any depth and width, no link followed, no mount
 * entered.
 */
#ifndef VP_WALK_H
#define VP_WALK_H

#include "walk-stack.h"
#include "walk-text.h"

/*
 * The caller drives it: vp_walk_next() gives the entries of the current directory,
 * vp_walk_enter() goes down into the one last given, vp_walk_leave() goes up again, where that
 * entry is the current one again and vp_walk_next() goes on behind it. Memory is 40 bytes a
 * level; at most VP_WALK_HELD descriptors stay open. Functions return -errno with the reason in
 * why; after one of -ESTALE (a directory was moved while the walk was in it) the walk can only be
 * ended.
 */
struct vp_walk;

#define VP_WALK_HELD 4

struct vp_walk_options {
	bool (*enter_mount)(int fd, void *context); /* may this mount be entered; NULL: never */
	void *context;
	unsigned max_depth; /* deeper is -E2BIG */
	bool watch; /* for vp_walk_check_unchanged(): wait for a directory's ctime to settle */
};

/* Starts in dir (O_PATH will do), which stays the caller's; why must live as long as the walk. */
int vp_walk_begin(int dir, const struct vp_walk_options *options, const struct vp_why *why,
	struct vp_walk **ret_walk);

/* NULL is fine. */
void vp_walk_end(struct vp_walk *walk);

/*
 * The next entry, "." and ".." left out: 1, or 0 at the end of the directory. *ret_name lives
 * until the next call on this walk; *ret_type is what the directory says (DT_...), a hint only.
 */
int vp_walk_next(struct vp_walk *walk, const char **ret_name, unsigned char *ret_type);

/* From the start of the current directory again. */
int vp_walk_rewind(struct vp_walk *walk);

/*
 * Opens the current entry, whatever it is, O_PATH and O_NOFOLLOW, so that nothing happens to it,
 * and tells what it is. -EXDEV: a mount that may not be entered (one on a file too). -ENOENT: it
 * is gone. The descriptor is the caller's.
 */
int vp_walk_look(struct vp_walk *walk, int *ret_fd, struct statx *ret_statx);

/*
 * Goes down into the current entry, a directory that vp_walk_look() opened; fd stays the
 * caller's.
 */
int vp_walk_enter(struct vp_walk *walk, int fd);

/*
 * Goes up. The name of the directory that was left is *ret_name (may be NULL). -ESTALE as above.
 */
int vp_walk_leave(struct vp_walk *walk, const char **ret_name);

/* -ESTALE if the current directory's ctime is not what it was when it was entered. */
int vp_walk_check_unchanged(struct vp_walk *walk);

/*
 * A word for the caller's use that the current directory keeps until it is left, 0 at first; not
 * with watch.
 */
uint64_t *vp_walk_mark(struct vp_walk *walk);

int vp_walk_fd(const struct vp_walk *walk);
unsigned vp_walk_depth(const struct vp_walk *walk);
const struct vp_identity *vp_walk_identity(const struct vp_walk *walk);

/*
 * The path for messages of name in the current directory (NULL: of that itself); lives until the
 * next call of this.
 */
const char *vp_walk_path(struct vp_walk *walk, const char *name);

/*
 * Waits until the clock that stamps files has moved on, when ctime is so young that another
 * change could get the same stamp (the kernel's clock ticks every 1 to 10 ms, and some filesystems
 * keep whole seconds). 1 if it waited: ask for the times again.
 */
int vp_walk_settle(const struct statx_timestamp *ctime);

#endif
