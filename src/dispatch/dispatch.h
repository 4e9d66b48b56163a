/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dispatch.h: an event on its way through plan, lock, run and record. */
#ifndef VP_DISPATCH_DISPATCH_H
#define VP_DISPATCH_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "event.h"
#include "lock.h"
#include "log.h"
#include "names.h"
#include "ops.h"
#include "plan.h"
#include "reason.h"

struct dispatch {
	const struct event *event;
	const struct op *op;
	const struct vp_conf *conf;
	const char *conf_why; /* it is not valid; NULL: it is, or nobody asks */
	struct plan plan;
	struct log log;
	struct lock lock;
	int64_t began, until;	  /* of clock_ms; until: no longer waits for others */
	int caller;		  /* the process that called, libvirt's */
	int record;		  /* of the guest's run, or -1 */
	bool finishing;		  /* an unfinished run: the event is made up */
	char reason[REASON_SIZE]; /* of stopped and release; "" else */
	struct names failed;	  /* in this teardown, those of the record included */
};

/*
 * The guest has directives, or a run with a record. Whatever keeps the dispatcher from doing right by
 * them refuses the event; no other guest is refused for that.
 */
static inline bool dispatch_is_bound(const struct dispatch *d)
{
	return d->event->uuid[0] && (d->event->directives || d->record >= 0);
}

/*
 * Opens the record, if the guest has one and it is not open yet. 0, also when there is none, or
 * -errno.
 */
int dispatch_open_record(struct dispatch *d);
int dispatch_plan(struct dispatch *d);

/* From the lock's turn to the end: waits, runs, records. 0 or 1, the exit status. */
int dispatch_finish(struct dispatch *d, int64_t until);

#endif
