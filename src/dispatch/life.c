/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an event does to the record of the guest's run. */
#include "life.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failed.h"
#include "lacking.h"
#include "life-steps.h"
#include "tree.h"

static const char *const marks[] = {LIFE_RESTORED, LIFE_INCOMING};

int life_look_up_line(int record, const char *name, char *ret, size_t size)
{
	char *text;
	int r = vp_record_read(record, name, &text, NULL);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	text[strcspn(text, "\n")] = '\0';
	snprintf(ret, size, "%s", text);
	free(text);
	return ret[0] != '\0';
}

bool life_read_pause(
	const struct vp_conf *conf, const char *driver, const char *uuid, char *ret, size_t size)
{
	if (!conf->run_dir ||
		!vp_mark_read_lasting(conf->run_dir, driver, uuid, LIFE_PAUSED, ret, size))
		return false;
	if (!vp_reason_is_pause(ret))
		snprintf(ret, size, "saved");
	return true;
}

int life_look_up_end(const struct vp_conf *conf, const char *driver, const char *uuid, int record,
	char *ret, size_t size)
{
	/* what the record has beside it is what stopped knew before */
	if (life_read_pause(conf, driver, uuid, ret, size))
		return 1;
	return life_look_up_line(record, "release", ret, size);
}

bool life_read_line(int record, const char *name, char *ret, size_t size)
{
	return life_look_up_line(record, name, ret, size) > 0;
}

const char *life_run_name(int record, const char *name, struct vp_run *run)
{
	return record >= 0 && vp_record_read_run(record, run) == 0 ? run->name : name;
}

static bool ends(const struct dispatch *d)
{
	return event_is(d->event, "release", "end") && dispatch_is_bound(d);
}

void life_tell_refused(const struct dispatch *d, const char *what, const char *why)
{
	log_error(&d->log, "%s refused: cannot %s: %s", d->event->name, what, why);
	if (ends(d))
		log_alarm(&d->log,
			"the run stays unfinished, its release was refused: cannot %s: %s; the "
			"guest's next start or 'virt-parts resolve %s' finishes it",
			what, why, d->event->uuid);
}

int life_refuse(const struct dispatch *d, int error, const char *what)
{
	life_tell_refused(d, what, strerror(-error));
	return error;
}

static bool is_asked(const void *run, const char *directive)
{
	const struct dispatch *d = run;

	return vp_record_asks(d->record, directive);
}

const char *life_lacking_part(const struct dispatch *d)
{
	return lacking_part(&d->plan, d->event->op, is_asked, d);
}

bool life_is_teardown(const struct event *event)
{
	return event->kind == EVENT_GUEST &&
	       (!strcmp(event->op, "stopped") || !strcmp(event->op, "release"));
}

/* There is no record of its run, as far as this event can know. A start that failed may have had none. */
static void tell_unrecorded(struct dispatch *d)
{
	/* why it cannot be opened is told where that was tried */
	if (names_has(&d->failed, FAILED_RECORD)) {
		if (ends(d))
			log_alarm(&d->log,
				"the run stays unfinished, its record cannot be opened; the "
				"guest's next start or 'virt-parts resolve %s' finishes it",
				d->event->uuid);
		return;
	}
	if (d->conf_why && !d->conf->dirs_valid && strcmp(d->event->extra, "failed") != 0) {
		log_error(&d->log,
			"parts.conf is not valid: %s; the record of the run may lie elsewhere, and "
			"nothing is archived, deleted or unmounted: mend it, and the guest's next "
			"start or 'virt-parts resolve %s' finishes the run",
			d->conf_why, d->event->uuid);
		if (ends(d))
			log_alarm(&d->log,
				"the run may stay unfinished, its record is not found: parts.conf "
				"is not valid: %s",
				d->conf_why);
		/* the admin's own parts run all the same */
		names_add(&d->failed, FAILED_RECORD);
	} else if (ends(d)) {
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
	if (vp_mark_is_set(d->conf->run_dir, event->driver, event->uuid, LIFE_UNASKING))
		return 0;
	log_error(&d->log,
		"%s refused: parts.conf is not valid: %s; the record of the run may lie elsewhere",
		event->name, d->conf_why);
	return -EIO;
}

static void clear_marks(const struct dispatch *d)
{
	const struct event *event = d->event;

	if (dispatch_is_bound(d))
		for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
			vp_mark_clear(d->conf->run_dir, event->driver, event->uuid, marks[i]);
}

void life_arrives(const struct dispatch *d)
{
	const struct event *event = d->event;

	if (!life_is_teardown(event))
		return;
	life_forget_refused(d);
	clear_marks(d);
	if (dispatch_is_bound(d))
		vp_mark_clear(d->conf->run_dir, event->driver, event->uuid, LIFE_UNASKING);
}

int life_before(struct dispatch *d)
{
	const struct event *event = d->event;
	bool sure;

	if (event->kind != EVENT_GUEST)
		return 0;
	if (d->finishing)
		return life_begin_teardown(d, true);
	if (!strcmp(event->op, "prepare"))
		return dispatch_is_bound(d) ? life_begin_prepare(d) : 0;
	if (!life_is_teardown(event)) {
		if (strcmp(event->op, "restore") != 0 && strcmp(event->op, "migrate") != 0)
			clear_marks(d);
		return refuse_unrecorded(d);
	}
	sure = life_find_reason(d) == 0;
	if (d->record >= 0)
		return life_begin_teardown(d, sure);
	if (event->directives)
		tell_unrecorded(d);
	return 0;
}

static int set_mark(const struct dispatch *d, const char *mark)
{
	const struct event *event = d->event;
	int r = vp_mark_set(d->conf->run_dir, event->driver, event->uuid, mark, "");

	return r < 0 ? life_refuse(d, r, "remember it for the prepare that follows") : 0;
}

/*
 * The process of libvirt that starts the guest: its number and time of start. Nothing, when somebody else has called:
 * then what is said of the start is true.
 */
static int note_start(const struct dispatch *d)
{
	struct tree_process daemon = {0};
	char text[64];
	int n = 0;

	/* one that has gone meanwhile does not start it any more */
	if (getppid() != d->caller)
		return 0;
	if (tree_find_libvirt(d->caller, &daemon) != 0)
		n = snprintf(text, sizeof(text), "%d %llu\n", daemon.pid, daemon.start);
	return vp_record_note(d->record, "start", text, (size_t)n);
}

/* Also when that cannot be told. The journal is there, and empty, when an archive could not be made. */
static bool has_archived(int run)
{
	char *journal;
	int r = vp_record_read(run, "done/archive", &journal, NULL);
	bool archived = r == 0 ? *journal : r != -ENOENT;

	if (r == 0)
		free(journal);
	return archived;
}

/* Before the guest may write again: what is archived of the run by now is not all of it any more. */
static int begin_turn(const struct dispatch *d)
{
	struct vp_run run;
	int r;

	if (!has_archived(d->record) || vp_record_has(d->record, "start") ||
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
		return life_end_prepare(d);
	if (good && event_is(event, "restore", "begin"))
		return set_mark(d, LIFE_RESTORED);
	if (good && event_is(event, "migrate", "begin"))
		return set_mark(d, LIFE_INCOMING);
	if (good && event_is(event, "start", "begin") && d->record >= 0) {
		r = begin_turn(d);
		if (r == 0)
			r = note_start(d);
		return r < 0 ? life_refuse(d, r, "write to the record of the run") : 0;
	}
	if (event_is(event, "started", "begin") && d->record >= 0) {
		r = begin_turn(d);
		if (r == 0 && good)
			r = vp_record_note(d->record, "started", "", 0);
		return r < 0 ? life_refuse(d, r, "write to the record of the run") : 0;
	}
	if (life_is_teardown(event) && d->record >= 0)
		return life_end_teardown(d);
	return 0;
}
