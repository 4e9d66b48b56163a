/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unfinished.h: runs whose release failed, was interrupted or never came. The next prepare finishes
 * them with the shipped parts.
 */
#ifndef VP_DISPATCH_UNFINISHED_H
#define VP_DISPATCH_UNFINISHED_H

#include "dispatch.h"
#include "record.h"

/*
 * The reason of a run whose guest has not started since its last prepare: `failed` when that was its first.
 * Else it has left something before: a save is still there, and needs what it needed; and a run that
 * was unfinished is so still, with the reason that it had.
 */
void unfinished_not_started(int record, const struct vp_run *run, char ret[REASON_SIZE]);

/* With which reason a run is finished whose guest is not coming back to it. */
void unfinished_reason(int record, char ret[REASON_SIZE]);

/*
 * Finishes the run of UUID, whose lock the caller holds, under a supervisor. 0: it is over, and its
 * record gone; 1: it failed; -ETIMEDOUT: it goes on, and holds LOCK; else -errno.
 */
int unfinished_finish(struct dispatch *d, const char *uuid, int record, const struct vp_run *run,
	struct lock *lock);

/*
 * Finishes the runs of guests that are gone: of this one's driver and name, with another UUID. 0,
 * also when one failed, with a warning; or -errno, told, when prepare is refused.
 */
int unfinished_finish_namesakes(struct dispatch *d);

#endif
