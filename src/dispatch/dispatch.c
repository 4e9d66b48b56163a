/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An event on its way through plan, lock, run and record. */
#include "dispatch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "failed.h"
#include "life.h"
#include "record.h"
#include "run.h"

int dispatch_open_record(struct dispatch *d)
{
	int fd;

	if (d->record >= 0 || d->event->kind != EVENT_GUEST || !d->event->uuid[0])
		return 0;
	fd = vp_record_open(d->conf->state_dir, d->event->driver, d->event->uuid);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	d->record = fd;
	return 0;
}

int dispatch_plan(struct dispatch *d)
{
	const struct event *event = d->event;
	struct plan_query query = {
		.hook_dir = event->hook_dir,
		.vendor_dir = d->conf->vendor_dir,
		.driver = event->driver,
		.object = event->object,
		.op = event->op,
		.subop = event->subop,
		.guest = event->kind == EVENT_GUEST,
		.compat = event->compat,
		.directives = event->directives,
		.record = d->record,
		.shipped_only = d->finishing,
	};

	return plan_make(&query, &d->plan);
}

/* While this event waited, another one may have made or ended the record. */
static int look_again(struct dispatch *d)
{
	bool had = d->record >= 0;
	int r;

	if (d->record >= 0)
		close(d->record);
	d->record = -1;
	r = dispatch_open_record(d);
	if (r < 0 && d->event->directives) {
		log_error(&d->log, "%s: cannot open the record of its run in '%s': %s",
			d->op->runs_rest ? "nothing shipped runs" : "refused", d->conf->state_dir,
			strerror(-r));
		/* a teardown leaves out only what needs the record */
		if (!d->op->runs_rest || names_add(&d->failed, FAILED_RECORD) < 0)
			return r;
	}
	if (had == (d->record >= 0))
		return 0;
	plan_free(&d->plan);
	r = dispatch_plan(d);
	return r < 0 ? life_refuse(d, r, "tell its parts") : 0;
}

static int wait_turn(struct dispatch *d, int64_t until)
{
	char holder[256], label[160];
	int r = lock_wait(&d->lock, until);

	if (r == -ETIMEDOUT) {
		lock_holder(&d->lock, holder, sizeof(holder));
		if (d->op->lock == OP_TRIES)
			log_error(&d->log, "%s does nothing: %s is still at it", d->event->name,
				holder);
		else if (dispatch_is_bound(d))
			log_error(&d->log, "%s refused after %d s: waits for %s", d->event->name,
				LOCK_WAIT_S, holder);
		else
			log_warning(&d->log, "goes on beside %s, after %d s", holder, LOCK_WAIT_S);
	} else if (r < 0) {
		if (d->op->lock == OP_TRIES || dispatch_is_bound(d))
			life_refuse(d, r, "wait for the guest's other events");
		else
			log_warning(&d->log,
				"cannot wait for the guest's other events: %s, going on without",
				strerror(-r));
	}
	if (r == 0) {
		snprintf(label, sizeof(label), "%s %s", d->event->op, d->event->subop);
		lock_label(&d->lock, label);
	} else {
		lock_leave(&d->lock); /* or those behind would wait for an event that has no turn */
	}
	return r;
}

int dispatch_finish(struct dispatch *d, int64_t until)
{
	int status;

	if (d->lock.fd >= 0 && wait_turn(d, until) < 0 &&
		(d->op->lock == OP_TRIES || dispatch_is_bound(d)))
		return 1;
	if (look_again(d) < 0)
		return 1;
	if (life_before(d) < 0 || life_refused_before(d))
		return 1;
	if (d->reason[0])
		log_line(&d->log, "begin extra=%s pid=%d reason=%s", d->event->extra, getpid(),
			d->reason);
	else
		log_line(&d->log, "begin extra=%s pid=%d", d->event->extra, getpid());
	status = run_parts(d);
	if (d->failed.text &&
		d->record < 0) /* its record could not be opened, or a part has failed */
		status = 1;
	if (life_after(d, status == 0) < 0)
		status = 1;
	log_line(&d->log, "end exit %d, %d ms pid=%d", d->op->always_succeeds ? 0 : status,
		(int)(clock_ms() - d->began), getpid());
	return status;
}
