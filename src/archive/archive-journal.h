/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * archive-journal.h: what a run has archived, in its journal done/archive, and whether it is still that.
 *
 * `TURN N STATE PATH` when the run's N-th <dircopy> is archived at PATH, TURN being the run's and STATE the
 * tree's before it was read; so that a teardown which is done again makes no second archive of what is as it
 * was, and does when the guest has started since, or somebody wrote there.
 *
 * Before it, done/archive-ramdisks: `TURN N`, then for each of the run's ramdisks in <src> a tab and `STATE
 * PATH`: what of the tree's state is the ramdisk's, or, where it was not mounted, its mount point's. A later
 * part unmounts it, and the next start may mount a new one, which is no change of what was archived.
 */
#ifndef VP_ARCHIVE_JOURNAL_H
#define VP_ARCHIVE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "own-mounts.h"
#include "virt-parts.h"

/* One <dircopy> of the run. */
struct archive_of {
	const struct vp_event *event;
	int run; /* the record */
	unsigned turn, number;
	const char *src;
	const struct vp_own_mounts *own;
};

enum archive_is {
	ARCHIVE_NOT_DONE,
	ARCHIVE_CHANGED, /* it is, and SRC is another since */
	ARCHIVE_DONE,	 /* it is; or it is being deleted, which begins only then */
};

/* SOURCE is SRC, opened; -ENOENT when it is not there any more. */
enum archive_is archive_journal_look(const struct archive_of *of, int source);

struct archive_state {
	uint64_t value; /* 0: unknown */
	char *ramdisks; /* NULL: there are none */
};

/* Before SRC is read: what changes meanwhile has changed since. RET needs archive_state_free. */
void archive_state_get(
	const struct archive_of *of, int source, uint64_t max_entries, struct archive_state *ret);
void archive_state_free(struct archive_state *state);

/* Whether SRC still is what STATE says: 1, also where that is unknown; 0; -errno. */
int archive_state_holds(const struct archive_of *of, int source, const struct archive_state *state);

/* Sees to it that the journal has room for what archive_journal_add writes. 0 or -errno. */
int archive_journal_reserve(const struct archive_of *of, const struct archive_state *state);

/* It is archived at PATH. 0 or -errno. */
int archive_journal_add(
	const struct archive_of *of, const struct archive_state *state, const char *path);

#endif
