/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * failed.h: the record's list of the parts that failed in a teardown, `failed`. All return 0 or -errno.
 */
#ifndef VP_DISPATCH_FAILED_H
#define VP_DISPATCH_FAILED_H

#include <limits.h>

#include "dispatch.h"

/*
 * Stands in the list when there were no shipped parts that could release the guest; no file has such a
 * name. Older records say `release_end.d`, and that also for an admin's directory which could not be read:
 * it counts as the latter, for which more is withheld.
 */
#define FAILED_SHIPPED "shipped/release_end.d"

/* Stands in the list, which is nowhere then, when the record was not to be had. */
#define FAILED_RECORD "record"

/*
 * Stands in the list when the record's list could not be read, or written, and is empty for that: nobody
 * knows what failed.
 */
#define FAILED_UNKNOWN "unknown"

/* In the record: the reason of the teardown that is unfinished, and what failed in it, while the run goes on. */
#define FAILED_BEFORE "before"

/*
 * The name that an ENTRY which fails gets in the list, into BUFFER or the entry's own: at stopped, one that a shipped
 * part of release has too is `stopped_end.d/NAME`, since what that one does then says nothing of this.
 */
const char *failed_name(
	const struct dispatch *d, const struct plan_entry *entry, char buffer[NAME_MAX + 1]);

/* Writes that file, with REASON and the list. */
int failed_keep_before(const struct dispatch *d, const char *reason);

/* The list into d->failed; one that cannot be read is told, and is a failure itself. */
int failed_load(struct dispatch *d);

/* Tells WHAT cannot be done for ERROR, -errno, and that nobody knows what failed: FAILED_UNKNOWN. */
int failed_add_unknown(struct dispatch *d, int error, const char *what);

/* d->failed into the record; or an empty list, when there are parts of the admin's own in it and no room. */
int failed_save(const struct dispatch *d);

/* Whether a shipped part, or the lack of them, is in d->failed. */
bool failed_has_shipped(const struct dispatch *d);

/*
 * Whether the run with that record, -1 for none, and that reason ended before its guest had started: there
 * is nothing then that an admin's part could have saved.
 */
bool failed_never_started(int record, const char *reason);

/* What ENTRY is told of d->failed: what withholds something from it. NULL: no memory; to be freed. */
char *failed_told(const struct dispatch *d, const struct plan_entry *entry);

/*
 * Leaves in d->failed only what the plan does not repeat: at every release, also when an unfinished run is
 * finished, the shipped parts run again.
 */
int failed_forget_repeated(struct dispatch *d);

/*
 * Writes d->failed and the admin's own parts whose turn comes, to run or to be refused. These do not run
 * again when a release is interrupted and finished later, so they count as failed until they have ended:
 * what they were to save is not deleted. Where there is no room for them the list is left empty.
 */
int failed_write_ahead(const struct dispatch *d);

#endif
