/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ops.h: the events that libvirt has, and how each is run: one table. */
#ifndef VP_DISPATCH_OPS_H
#define VP_DISPATCH_OPS_H

#include <stdbool.h>

#include "event.h"

enum op_lock {
	OP_UNLOCKED,
	OP_WAITS,  /* for the guest's other events, up to LOCK_WAIT_S, then it is refused */
	OP_TRIES,  /* does nothing when another event of the guest is running */
	OP_QUEUES, /* takes its place in the queue, and goes on in the background if that is long */
};

struct op {
	enum event_kind kind;
	const char *name;     /* NULL: any other of that kind */
	const char *subop;    /* as libvirt has it; how an event is run does not depend on it */
	bool runs_rest;	      /* a failed part does not keep the others from running */
	bool always_succeeds; /* exit status 0 whatever fails, the dispatcher included */
	bool filters;	      /* what a part prints replaces the XML */
	bool defers;	      /* a failure is told to the prepare that follows, which is refused */
	bool hurries;	      /* prepare-timeout holds for its parts, not part-timeout */
	enum op_lock lock;
};

const struct op *op_find(enum event_kind kind, const char *name);

/* The events of that kind as a life goes on: the first with BEFORE NULL, NULL behind the last. */
const struct op *op_each(enum event_kind kind, const struct op *before);

#endif
