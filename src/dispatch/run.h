/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run.h: the parts of a plan, one after the other. */
#ifndef VP_DISPATCH_RUN_H
#define VP_DISPATCH_RUN_H

#include "dispatch.h"

/*
 * Runs them as the event's op says. Failed parts are in d->failed but for advisory ones; each was
 * told of. 0 when none failed, else 1.
 */
int run_parts(struct dispatch *d);

/* Whether parts.conf says that the part's failure withholds nothing. */
bool run_is_advisory(const struct dispatch *d, const struct plan_entry *entry);

#endif
