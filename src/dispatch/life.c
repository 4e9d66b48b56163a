/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an event does to the record of the guest's run. */
#include "life.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directives.h"
#include "failed.h"
#include "lacking.h"
#include "record.h"
#include "tree.h"
#include "unfinished.h"

static const char *const marks[] = {"restored", "incoming"};
static const char mark_refused[] = "refused";

bool life_read_line(int record, const char *name, char *ret, size_t size)
{
	char *text;

	if (vp_record_read(record, name, &text, NULL) < 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	snprintf(ret, size, "%s", text);
	free(text);
	return ret[0] != '\0';
}

const char *life_run_name(int record, const char *name, struct vp_run *run)
{
	return record >= 0 && vp_record_read_run(record, run) == 0 ? run->name : name;
}

static bool is_teardown(const struct event *event)
{
	return event->kind == EVENT_GUEST &&
	       (!strcmp(event->op, "stopped") || !strcmp(event->op, "release"));
}

/* The process of libvirt that starts the guest: its number and time of start. */
static int note_start(const struct dispatch *d)
{
	struct tree_process daemon = {0};
	char text[64];
	int n;

	/* one that has gone meanwhile does not start it any more */
	if (getppid() != d->caller)
		return 0;
	tree_read_process(d->caller, &daemon);
	n = snprintf(text, sizeof(text), "%d %llu\n", daemon.pid, daemon.start);
	return vp_record_note(d->record, "start", text, (size_t)n);
}

/*
 * With a second line from `stopped`: should no release follow, since the host went down, the admin's own
 * parts of it have not run, and nothing is deleted that they may save something of.
 */
static int write_reason(const struct dispatch *d)
{
	char text[REASON_SIZE + sizeof("\nstopped\n")], *known;
	int n = snprintf(text, sizeof(text), "%s\n%s", d->reason,
		strcmp(d->event->op, "stopped") != 0 ? "" : "stopped\n");
	bool same;

	if (vp_record_read(d->record, "release", &known, NULL) == 0) {
		same = !strcmp(known, text);
		free(known);
		if (same)
			return 0;
	}
	return vp_record_note(d->record, "release", text, (size_t)n);
}

static bool is_asked(const void *run, const char *directive)
{
	const struct dispatch *d = run;

	return vp_record_asks(d->record, directive);
}

static const char *find_lacking(const struct dispatch *d)
{
	return lacking_part(&d->plan, d->event->op, is_asked, d);
}

/* Shipped parts that a release needs and that are not there count as one that has failed. */
static int count_lacking(struct dispatch *d)
{
	const char *vendor = d->conf->vendor_dir, *lacking;

	if (!event_is(d->event, "release", "end"))
		return 0;
	if (lacking_unreadable(&d->plan))
		; /* why is told where it is refused */
	else if (d->plan.shipped_missing)
		log_error(&d->log,
			"there are no shipped parts in '%s/release_end.d': the run stays "
			"unfinished",
			vendor);
	else if ((lacking = find_lacking(d)))
		log_error(&d->log,
			"there is no part for <%s> in '%s/release_end.d': the run stays "
			"unfinished; install virt-parts again",
			lacking, vendor);
	else
		return 0;
	return names_add(&d->failed, FAILED_SHIPPED);
}

static int begin_teardown(struct dispatch *d)
{
	int r = failed_load(d);

	if (r == 0 && (d->finishing || !vp_record_has(d->record, "started")))
		r = failed_forget_repeated(d);
	if (r == 0)
		r = count_lacking(d);
	if (r == 0)
		r = failed_write_ahead(d);
	if (r == 0)
		r = write_reason(d);
	/* the parts run all the same: without the reason nothing is deleted later */
	if (r < 0)
		log_warning(&d->log, "cannot write to the record of the run: %s", strerror(-r));
	return 0;
}

static int refuse(const struct dispatch *d, int error, const char *what)
{
	log_error(&d->log, "%s refused: cannot %s: %s", d->event->name, what, strerror(-error));
	return error;
}

/* The run goes on: the guest comes back to what it has left. */
static int continue_run(struct dispatch *d, struct vp_run *run, enum vp_begin begin)
{
	/* the last: with what the run asks, its guest gets back that this is archived and deleted */
	static const char *const over[] = {"start", "started", "failed", "release", "discarded"};
	bool paused = begin == VP_BEGIN_RESTORED || begin == VP_BEGIN_REVERTED,
	     given_up = vp_record_gives_up(d->record, "post-rm-rf");
	char reason[REASON_SIZE];
	int r;

	/*
	 * Should this start fail, or not come, the run is as unfinished as it was, also between these steps:
	 * by the reason that is kept, or, of one that was saved, by how it goes on.
	 */
	unfinished_reason(d->record, reason);
	/* what was said to stay is not deleted for that reason, either */
	if (given_up)
		strcpy(reason, "lost");
	r = given_up ? vp_owed_forget(d->record)
	    : paused ? 0
		     : vp_owed_add(d->record, run->turn, reason);
	run->begin = begin;
	run->time = d->event->time.tv_sec;
	if (r == 0)
		r = vp_boot_id(run->boot_id);
	if (r == 0)
		r = paused ? vp_record_write_run(d->record, run) : failed_keep_before(d, reason);
	if (r == 0 && paused)
		r = vp_record_remove(d->record, FAILED_BEFORE);
	for (size_t i = 0; r == 0 && i < sizeof(over) / sizeof(over[0]); i++)
		r = vp_record_remove(d->record, over[i]);
	/* the old name is what its paths are allowed by */
	if (r == 0 && strcmp(run->name, d->event->object) != 0)
		r = vp_record_note(d->record, "called", d->event->object, strlen(d->event->object));
	else if (r == 0)
		r = vp_record_remove(d->record, "called");
	/* it brings the names to disk, too */
	if (r == 0)
		r = vp_record_write_run(d->record, run);
	return r < 0 ? refuse(d, r, "go on with the run that its record tells of") : 0;
}

static int finish_first(struct dispatch *d, struct vp_run *run)
{
	int r = unfinished_finish(d, d->event->uuid, d->record, run, &d->lock);

	if (r == 0) {
		close(d->record);
		d->record = -1;
		return 0;
	}
	if (r == -ETIMEDOUT) {
		log_error(&d->log,
			"prepare refused after %d s: its last run is unfinished, and being "
			"finished in the background",
			LOCK_WAIT_S);
		return r;
	}
	log_error(&d->log,
		"its last run is unfinished and could not be finished%s%s: it goes on, "
		"and nothing of it is touched; see 'virt-parts status'",
		r < 0 ? ": " : "", r < 0 ? strerror(-r) : "");
	return continue_run(
		d, run, run->begin == VP_BEGIN_INCOMING ? VP_BEGIN_INCOMING : VP_BEGIN_UNFINISHED);
}

/*
 * A guest that prepare is called for has ended, and if no release has come nobody saw how: written down
 * before this start is refused, since a release follows then that would be taken for the guest's.
 */
static void note_unseen(const struct dispatch *d)
{
	static const char lost[] = "lost\n";
	int r;

	if (d->record < 0 || !vp_record_has(d->record, "started") ||
		vp_record_has(d->record, "release"))
		return;
	r = vp_record_note(d->record, "release", lost, sizeof(lost) - 1);
	if (r < 0)
		log_warning(&d->log, "cannot write to the record of the run: %s", strerror(-r));
}

static int begin_prepare(struct dispatch *d)
{
	const struct event *event = d->event;
	const struct plan_entry *unreadable;
	char reason[REASON_SIZE] = "";
	struct vp_run run;
	bool incoming;
	int r;

	note_unseen(d);
	unreadable = lacking_unreadable(&d->plan);
	if (event->directives && unreadable) {
		log_error(&d->log,
			"prepare refused: nobody knows which shipped parts are in "
			"'%s/prepare_begin.d': %s",
			d->conf->vendor_dir, unreadable->why);
		return -EIO;
	}
	if (event->directives && lacking_recorder(&d->plan)) {
		log_error(&d->log,
			"prepare refused: there are no shipped parts in '%s/prepare_begin.d' that "
			"could honour its directives; %s",
			d->conf->vendor_dir,
			d->conf->dirs_valid ? "install virt-parts again, or mend [dirs] vendor in "
					      "parts.conf"
					    : "parts.conf is not valid, which 'virt-parts doctor' "
					      "explains, so what it says of [dirs] does not count");
		return -ENOENT;
	}
	r = unfinished_finish_namesakes(d);
	if (r < 0 || d->record < 0)
		return r;
	r = vp_record_read_run(d->record, &run);
	if (r < 0) {
		log_error(&d->log,
			"prepare refused: the record of its last run, '%s/%s/%s', %s; see "
			"'virt-parts resolve'",
			d->conf->state_dir, event->driver, event->uuid,
			r == -EPROTO   ? "was written by a newer virt-parts"
			: r == -EINVAL ? "is damaged"
				       : "cannot be read");
		return r;
	}
	/* no release came, since libvirt or the host went down while it was restored */
	if (!life_read_line(d->record, "release", reason, sizeof(reason)) &&
		!vp_record_has(d->record, "started"))
		unfinished_not_started(d->record, &run, reason);
	incoming = d->conf->shared_storage &&
		   vp_mark_is_set(d->conf->run_dir, event->driver, event->uuid, "incoming");
	if (vp_reason_is_pause(reason)) {
		if (vp_mark_is_set(d->conf->run_dir, event->driver, event->uuid, "restored"))
			return continue_run(d, &run, VP_BEGIN_RESTORED);
		if (!incoming && strcmp(reason, "saved") != 0)
			return continue_run(d, &run, VP_BEGIN_REVERTED);
	}
	/* the guest runs at the source: what the old run left is not taken from it there */
	if (incoming) {
		run.begin = VP_BEGIN_INCOMING;
		r = vp_record_write_run(d->record, &run);
		if (r < 0)
			return refuse(d, r, "note that it comes by migration");
	}
	return finish_first(d, &run);
}

/* There is no record of its run, as far as this event can know. A start that failed may have had none. */
static void tell_unrecorded(struct dispatch *d)
{
	bool ends = event_is(d->event, "release", "end");

	if (d->conf_why && !d->conf->dirs_valid && strcmp(d->event->extra, "failed") != 0) {
		log_error(&d->log,
			"parts.conf is not valid: %s; the record of the run may lie elsewhere, and "
			"nothing is archived, deleted or unmounted: mend it, and the guest's next "
			"start or 'virt-parts resolve %s' finishes the run",
			d->conf_why, d->event->uuid);
		if (ends)
			log_alarm(&d->log,
				"the run may stay unfinished, its record is not found: parts.conf "
				"is not valid: %s",
				d->conf_why);
		/* the admin's own parts run all the same */
		names_add(&d->failed, FAILED_RECORD);
	} else if (ends) {
		log_line(&d->log,
			"note: there is no record of its run in '%s': the run has ended already, "
			"or began before virt-parts was there or had another [dirs] state, or its "
			"directives came after it had started; nothing is archived, deleted or "
			"unmounted for it",
			d->conf->state_dir);
	}
}

/* A start that its record did not hear of would end as one that has failed: with nothing archived. */
static int refuse_unrecorded(const struct dispatch *d)
{
	const struct event *event = d->event;

	if (d->record >= 0 || !event->directives || !d->conf_why || d->conf->dirs_valid ||
		(!event_is(event, "start", "begin") && !event_is(event, "started", "begin")))
		return 0;
	log_error(&d->log,
		"%s refused: parts.conf is not valid: %s; the record of the run may lie elsewhere",
		event->name, d->conf_why);
	return -EIO;
}

int life_before(struct dispatch *d)
{
	const struct event *event = d->event;

	if (event->kind != EVENT_GUEST)
		return 0;
	if (d->finishing)
		return begin_teardown(d);
	if (!strcmp(event->op, "prepare"))
		return dispatch_is_bound(d) ? begin_prepare(d) : 0;
	if (dispatch_is_bound(d) && strcmp(event->op, "restore") != 0 &&
		strcmp(event->op, "migrate") != 0)
		for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
			vp_mark_clear(d->conf->run_dir, event->driver, event->uuid, marks[i]);
	if (!is_teardown(event))
		return refuse_unrecorded(d);
	life_find_reason(d);
	if (d->record >= 0)
		return begin_teardown(d);
	if (event->directives)
		tell_unrecorded(d);
	return 0;
}

static int set_mark(const struct dispatch *d, const char *mark)
{
	const struct event *event = d->event;
	int r = vp_mark_set(d->conf->run_dir, event->driver, event->uuid, mark, "");

	return r < 0 ? refuse(d, r, "remember it for the prepare that follows") : 0;
}

static int end_teardown(struct dispatch *d)
{
	const struct event *event = d->event;
	int r = failed_save(d);

	if (r < 0)
		log_warning(&d->log, "cannot write to the record of the run: %s", strerror(-r));
	if (!event_is(event, "release", "end") || vp_reason_is_pause(d->reason))
		return 0;
	if (r == 0 && failed_never_started(d->record, d->reason) && !failed_has_shipped(d)) {
		if (d->failed.text)
			log_warning(&d->log,
				"the run ends all the same, it never started; failed: %s",
				d->failed.text);
	} else if (d->failed.text || r < 0) {
		log_alarm(&d->log, "the run stays unfinished, failed: %s",
			d->failed.text ? d->failed.text : "its record");
		/* no part has failed at these */
		return names_has(&d->failed, FAILED_UNKNOWN) ||
				       names_has(&d->failed, FAILED_SHIPPED)
			       ? -EIO
			       : r;
	}
	r = vp_record_end(d->conf->state_dir, event->driver, event->uuid);
	if (r < 0)
		log_error(&d->log, "cannot remove the record of the run: %s", strerror(-r));
	return r;
}

int life_defer(struct dispatch *d, int status)
{
	const struct event *event = d->event;
	const char *run_dir = d->conf->run_dir;
	int r = run_dir ? 0 : -ENOMEM;

	if (status == 0) {
		vp_mark_clear(run_dir, event->driver, event->uuid, mark_refused);
		return 0;
	}
	/* its prepare goes on with the run, so that the release that follows knows that it was saved */
	if (r == 0 && dispatch_is_bound(d))
		r = vp_mark_set(run_dir, event->driver, event->uuid, marks[0], "");
	if (r == 0)
		r = vp_mark_set(
			run_dir, event->driver, event->uuid, mark_refused, log_last_error(&d->log));
	if (r < 0) {
		refuse(d, r, "remember for the prepare that follows that it is");
		return status;
	}
	log_line(&d->log, "note: the prepare that follows is refused for that");
	return 0;
}

bool life_is_refused(const struct dispatch *d)
{
	const struct event *event = d->event;

	return event_is(event, "prepare", "begin") && event->uuid[0] &&
	       vp_mark_is_set(d->conf->run_dir, event->driver, event->uuid, mark_refused);
}

bool life_refused_before(const struct dispatch *d)
{
	const struct event *event = d->event;
	char why[LOG_MESSAGE_MAX / 2];

	if (!life_is_refused(d))
		return false;
	vp_mark_read(d->conf->run_dir, event->driver, event->uuid, mark_refused, why, sizeof(why));
	vp_mark_clear(d->conf->run_dir, event->driver, event->uuid, mark_refused);
	log_error(&d->log, "prepare refused, since its restore was: %s", why);
	return true;
}

/* The guest would start without what it asks for. */
static int end_prepare(struct dispatch *d)
{
	int r = dispatch_open_record(d);
	const char *lacking = r == 0 && d->record >= 0 ? find_lacking(d) : NULL;

	if (r < 0)
		return refuse(d, r, "open the record of the run");
	if (!lacking)
		return 0;
	log_error(&d->log,
		"prepare refused: there is no part for <%s> in '%s/prepare_begin.d'; install "
		"virt-parts again",
		lacking, d->conf->vendor_dir);
	return -ENOENT;
}

/* Before the guest may write again: what is archived of the run by now is not all of it any more. */
static int begin_turn(const struct dispatch *d)
{
	struct vp_run run;
	int r;

	if (!vp_record_has(d->record, "done/archive") || vp_record_has(d->record, "start") ||
		vp_record_has(d->record, "started"))
		return 0;
	r = vp_record_read_run(d->record, &run);
	if (r < 0)
		return r;
	run.turn++;
	return vp_record_write_run(d->record, &run);
}

int life_after(struct dispatch *d, bool good)
{
	const struct event *event = d->event;
	int r;

	if (!dispatch_is_bound(d))
		return 0;
	if (good && event_is(event, "prepare", "begin"))
		return end_prepare(d);
	if (good && event_is(event, "restore", "begin"))
		return set_mark(d, marks[0]);
	if (good && event_is(event, "migrate", "begin"))
		return set_mark(d, marks[1]);
	if (good && event_is(event, "start", "begin") && d->record >= 0) {
		r = begin_turn(d);
		if (r == 0)
			r = note_start(d);
		return r < 0 ? refuse(d, r, "write to the record of the run") : 0;
	}
	if (event_is(event, "started", "begin") && d->record >= 0) {
		r = begin_turn(d);
		if (r == 0 && good)
			r = vp_record_note(d->record, "started", "", 0);
		return r < 0 ? refuse(d, r, "write to the record of the run") : 0;
	}
	if (is_teardown(event) && d->record >= 0)
		return end_teardown(d);
	return 0;
}
