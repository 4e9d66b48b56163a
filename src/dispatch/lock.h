/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lock.h: one event of a guest at a time, in the order in which they came.
 *
 * The file <run_dir>/<driver>-<uuid>.lock hands out tickets. Whoever has one holds an open file
 * description lock on the byte of its ticket, and its turn comes when the bytes of all lower tickets
 * are free. The kernel drops the lock of a process that dies, so nobody waits for the dead; a child
 * shares its parent's lock, which lasts until both are gone.
 */
#ifndef VP_DISPATCH_LOCK_H
#define VP_DISPATCH_LOCK_H

#include <stddef.h>
#include <stdint.h>

enum { LOCK_WAIT_S = 30 }; /* then an event that waits for the lock is refused */

struct lock {
	int fd; /* -1: not held */
	uint64_t ticket;
};

/* Takes a place in the queue; 0 or -errno. UNTIL: of clock_ms(), for the others that do the same. */
int lock_queue(
	struct lock *ret, const char *run_dir, const char *driver, const char *uuid, int64_t until);

/*
 * Waits for the lock's turn; 0, -ETIMEDOUT at UNTIL (a time of clock_ms; in the past: only looks), or
 * -errno.
 */
int lock_wait(const struct lock *lock, int64_t until);

/* Tells those behind what they wait for: WHAT (such as "release end"), and this process. */
void lock_label(const struct lock *lock, const char *what);

/* The label of who holds the lock: `release end (pid 123) since 12 s`. */
void lock_holder(const struct lock *lock, char *ret, size_t size);

/*
 * Whether an event of the guest holds the lock, and its label: 1, 0 or -errno. Only looks: it takes
 * no place in the queue, and makes no file.
 */
int lock_look(
	const char *run_dir, const char *driver, const char *uuid, char *ret_holder, size_t size);

void lock_leave(struct lock *lock);

#endif
