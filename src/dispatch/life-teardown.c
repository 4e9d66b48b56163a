/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A teardown: its reason and what fails in it, written to the record before its parts run, and the record's end. */
#include "life-steps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directives.h"
#include "failed.h"
#include "lacking.h"
#include "life.h"
#include "record.h"

/*
 * With a second line from `stopped`: should no release follow, since the host went down, the admin's own
 * parts of it have not run, and nothing is deleted that they may save something of. Where one came before it with
 * this reason, they have.
 */
static int write_reason(const struct dispatch *d)
{
	bool stopped = event_is(d->event, "stopped", "end"), same;
	char text[REASON_SIZE + sizeof("\nstopped\n")], *known;
	int n = snprintf(text, sizeof(text), "%s\n%s", d->reason, stopped ? "stopped\n" : "");
	int r = vp_record_read(d->record, "release", &known, NULL);

	/* what cannot be read may be known better */
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0) {
		same = stopped ? !strncmp(known, text, strlen(d->reason) + 1)
			       : !strcmp(known, text);
		free(known);
		if (same)
			return 0;
	}
	/* a save is on disk by now, and outlives a power loss: what it needs has to be known then */
	return vp_reason_is_pause(d->reason)
		       ? vp_record_write(d->record, "release", text, (size_t)n)
		       : vp_record_note(d->record, "release", text, (size_t)n);
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
	else if ((lacking = life_lacking_part(d)))
		log_error(&d->log,
			"there is no part for <%s> in '%s/release_end.d': the run stays "
			"unfinished; install virt-parts again",
			lacking, vendor);
	else
		return 0;
	return names_add(&d->failed, FAILED_SHIPPED);
}

static int owe(const struct dispatch *d, const char *reason)
{
	struct vp_run run;
	int r = vp_record_read_run(d->record, &run);

	return r < 0 ? r : vp_owed_add(d->record, run.turn, reason);
}

/* Of a pause that the record had no room for. */
static int owe_pause(const struct dispatch *d)
{
	char paused[REASON_SIZE];

	return life_read_pause(d->conf, d->event->driver, d->event->uuid, paused, sizeof(paused)) &&
			       strcmp(paused, d->reason) != 0
		       ? owe(d, paused)
		       : 0;
}

/*
 * What was to be archived at an end that the record knows, before that is written over by another: of a save that
 * was discarded, of a release that failed and comes again with another word, or of a `stopped` that no release came
 * after. Not what `stopped` knew of the end that this is the release of. 0; or -errno, told, and then it must not be
 * written over.
 */
static int owe_known(struct dispatch *d)
{
	char *known = NULL, *behind;
	int r = owe_pause(d), found = vp_record_read(d->record, "release", &known, NULL);

	if (found < 0 && found != -ENOENT)
		r = found;
	behind = known ? strchr(known, '\n') : NULL;
	if (behind)
		*behind++ = '\0';
	if (r == 0 && known && *known && strcmp(known, d->reason) != 0 &&
		(d->finishing || !behind || !*behind || event_is(d->event, "stopped", "end")))
		r = owe(d, known);
	free(known);
	if (r < 0)
		failed_add_unknown(d, r, "note in the record what the run's last end owes");
	return r;
}

void life_forget_pause(const struct dispatch *d)
{
	vp_mark_clear(d->conf->run_dir, d->event->driver, d->event->uuid, LIFE_PAUSED);
}

/* It counts before what the record says, until that is written; a save may have filled the disk. */
static void mark_pause(const struct dispatch *d)
{
	int r = vp_mark_set(
		d->conf->run_dir, d->event->driver, d->event->uuid, LIFE_PAUSED, d->reason);

	if (r < 0)
		log_warning(&d->log, "cannot remember that it ended as '%s': %s", d->reason,
			strerror(-r));
}

int life_begin_teardown(struct dispatch *d, bool sure)
{
	int r = failed_load(d);

	if (r == 0 &&
		(event_is(d->event, "release", "end") || !vp_record_has(d->record, "started")))
		r = failed_forget_repeated(d);
	if (r == 0 && !vp_record_gives_up(d->record, "archive"))
		sure = owe_known(d) == 0 && sure;
	if (r == 0)
		r = count_lacking(d);
	if (r == 0)
		r = failed_write_ahead(d);
	if (r == 0 && sure)
		r = write_reason(d);
	/* the parts run all the same: without the reason nothing is deleted later */
	if (r < 0) {
		log_warning(&d->log, "cannot write to the record of the run: %s", strerror(-r));
		if (vp_reason_is_pause(d->reason))
			mark_pause(d);
	} else if (sure) {
		life_forget_pause(d);
	}
	return 0;
}

/* The guest is to come back to what it has left: nothing of it is over. */
static int end_pause(const struct dispatch *d)
{
	char known[REASON_SIZE];
	int r = life_look_up_line(d->record, "release", known, sizeof(known));

	if (d->failed.text)
		log_alarm(&d->log,
			"failed when the guest was saved: %s; an archive among these is "
			"made when its run ends",
			d->failed.text);
	if (r > 0 && !strcmp(known, d->reason))
		return 0;
	log_alarm(&d->log,
		"the record of the run cannot be told that it ended as '%s': make room for '%s', "
		"and start the guest again before this host is booted",
		d->reason, d->conf->state_dir);
	return r < 0 ? r : -EIO;
}

int life_end_teardown(struct dispatch *d)
{
	const struct event *event = d->event;
	int r = failed_save(d);

	if (r < 0)
		log_warning(&d->log, "cannot write to the record of the run: %s", strerror(-r));
	if (!event_is(event, "release", "end"))
		return 0;
	if (vp_reason_is_pause(d->reason))
		return end_pause(d);
	/* where nobody knows what failed, the shipped parts have withheld what they would undo */
	if (r == 0 && failed_never_started(d->record, d->reason) && !failed_has_shipped(d) &&
		!names_has(&d->failed, FAILED_UNKNOWN)) {
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
	if (r == 0)
		life_forget_pause(d);
	if (r < 0)
		log_error(&d->log, "cannot remove the record of the run: %s", strerror(-r));
	return r;
}
