/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * preload-journal.h: which images a run has built, in its journal done/preload.
 *
 * `built INODE BIRTH PATH` when the image for PATH is begun (BIRTH as own-mounts.h has it), `iso PATH` before it is
 * put in place. Where hosts share storage another image may be there by the end, which is not this run's to remove.
 * A journal of older versions has no `built`.
 */
#ifndef VP_PRELOAD_JOURNAL_H
#define VP_PRELOAD_JOURNAL_H

/* FD is the image for PATH that is begun, or was there and is taken over. 0 or -errno. */
int preload_journal_built(int run, int fd, const char *path);

/* It is about to be put in place. 0 or -errno. */
int preload_journal_place(int run, const char *path);

/* Whether one was: 1, 0 or -errno. */
int preload_journal_has(int run, const char *path);

/* The journal says of none that it was built for the path. */
enum { PRELOAD_JOURNAL_NONE = 2 };

/* Whether NAME in PARENT is one that was built for PATH: 1, PRELOAD_JOURNAL_NONE, 0 or -errno. */
int preload_journal_owns(int run, int parent, const char *name, const char *path);

#endif
