/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A start: how the record of a run that it finds is finished, or the run goes on. */
#include "life-steps.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "directives.h"
#include "failed.h"
#include "lacking.h"
#include "life.h"
#include "unfinished.h"

static int look_up_end(const struct dispatch *d, char ret[REASON_SIZE])
{
	return life_look_up_end(
		d->conf, d->event->driver, d->event->uuid, d->record, ret, REASON_SIZE);
}

/* What was to be archived when the guest was saved, and was not, is owed. */
static int owe_save(const struct dispatch *d, unsigned turn)
{
	char reason[REASON_SIZE];
	int r = look_up_end(d, reason);

	if (r > 0 && vp_reason_is_pause(reason))
		return vp_owed_add(d->record, turn, reason);
	return r < 0 ? r : 0;
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
	    : paused ? owe_save(d, run->turn)
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
	if (r == 0)
		life_forget_pause(d);
	return r < 0 ? life_refuse(d, r, "go on with the run that its record tells of") : 0;
}

static int finish_first(struct dispatch *d, struct vp_run *run)
{
	int r = unfinished_finish(d, d->event->uuid, d->record, run, &d->lock), opened = 0;

	if (r == -ETIMEDOUT) {
		log_error(&d->log,
			"prepare refused after %d s: its last run is unfinished, and being "
			"finished in the background",
			LOCK_WAIT_S);
		return r;
	}
	close(d->record);
	d->record = -1;
	/* it may have come to its end all the same: what went wrong then went wrong with what was over */
	if (r != 0)
		opened = dispatch_open_record(d);
	if (opened < 0)
		return life_refuse(d, opened, "open the record of the run");
	if (d->record < 0)
		return 0;
	log_error(&d->log,
		"its last run is unfinished and could not be finished%s%s: it goes on, "
		"and nothing of it is touched; see 'virt-parts status'",
		r < 0 ? ": " : "", r < 0 ? strerror(-r) : "");
	return continue_run(
		d, run, run->begin == VP_BEGIN_INCOMING ? VP_BEGIN_INCOMING : VP_BEGIN_UNFINISHED);
}

/*
 * A guest that prepare is called for has ended, and if the record does not say how, nobody saw it: written down
 * before this start is refused, since a release follows then that would be taken for the guest's.
 */
static void note_unseen(const struct dispatch *d)
{
	char reason[REASON_SIZE + sizeof("\n")] = "lost";
	int r;

	if (d->record < 0 || !vp_record_has(d->record, "started") ||
		vp_record_has(d->record, "release"))
		return;
	if (look_up_end(d, reason) < 0)
		return;
	if (!*reason)
		strcpy(reason, "lost");
	strcat(reason, "\n");
	r = vp_record_note(d->record, "release", reason, strlen(reason));
	if (r < 0)
		log_warning(&d->log, "cannot write to the record of the run: %s", strerror(-r));
}

/* Nobody could check and record what the guest asks for. */
static int refuse_unhonoured(const struct dispatch *d)
{
	const struct plan_entry *unreadable = lacking_unreadable(&d->plan);

	if (!d->event->directives)
		return 0;
	if (unreadable) {
		log_error(&d->log,
			"prepare refused: nobody knows which shipped parts are in "
			"'%s/prepare_begin.d': %s",
			d->conf->vendor_dir, unreadable->why);
		return -EIO;
	}
	if (lacking_recorder(&d->plan)) {
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
	return 0;
}

/* 1, 0; or -errno: nobody knows whether the event came that the mark is of. */
static int look_up(const struct dispatch *d, const char *mark)
{
	return vp_mark_look_up(d->conf->run_dir, d->event->driver, d->event->uuid, mark);
}

/* The run that prepare finds, and the reason of its end, "" when it is not known. 0; or -errno, told. */
static int read_last_run(const struct dispatch *d, struct vp_run *run, char reason[REASON_SIZE])
{
	int r = vp_record_read_run(d->record, run);

	if (r < 0) {
		log_error(&d->log,
			"prepare refused: the record of its last run, '%s/%s/%s', %s; see "
			"'virt-parts resolve'",
			d->conf->state_dir, d->event->driver, d->event->uuid,
			r == -EPROTO   ? "was written by a newer virt-parts"
			: r == -EINVAL ? "is damaged"
				       : "cannot be read");
		return r;
	}
	r = look_up_end(d, reason);
	if (r < 0) {
		log_error(&d->log,
			"prepare refused: cannot read '%s/%s/%s/release', which says how its last "
			"run ended: %s; see 'virt-parts resolve'",
			d->conf->state_dir, d->event->driver, d->event->uuid, strerror(-r));
		return r;
	}
	/* no release came, since libvirt or the host went down while it was restored */
	if (r == 0 && !vp_record_has(d->record, "started"))
		unfinished_not_started(d->record, run, reason);
	return 0;
}

int life_begin_prepare(struct dispatch *d)
{
	char reason[REASON_SIZE] = "";
	struct vp_run run;
	int restored, incoming, r;

	note_unseen(d);
	r = refuse_unhonoured(d);
	if (r < 0)
		return r;
	restored = look_up(d, LIFE_RESTORED);
	incoming = d->conf->shared_storage ? look_up(d, LIFE_INCOMING) : 0;
	if (restored < 0 || incoming < 0)
		return life_refuse(d, restored < 0 ? restored : incoming,
			"tell whether it is restored or comes by migration");
	r = unfinished_finish_namesakes(d);
	if (d->record < 0)
		life_forget_pause(d);
	if (r < 0 || d->record < 0)
		return r;
	r = read_last_run(d, &run, reason);
	if (r < 0)
		return r;
	if (vp_reason_is_pause(reason)) {
		if (restored)
			return continue_run(d, &run, VP_BEGIN_RESTORED);
		if (!incoming && strcmp(reason, "saved") != 0)
			return continue_run(d, &run, VP_BEGIN_REVERTED);
	}
	/* the guest runs at the source: what the old run left is not taken from it there */
	if (incoming) {
		run.begin = VP_BEGIN_INCOMING;
		r = vp_record_write_run(d->record, &run);
		if (r < 0)
			return life_refuse(d, r, "note that it comes by migration");
	}
	return finish_first(d, &run);
}

/* Where parts.conf does not say where the records are, that there is none must be known from prepare. */
static void note_unasking(const struct dispatch *d)
{
	const struct event *event = d->event;
	int r;

	vp_mark_clear(d->conf->run_dir, event->driver, event->uuid, LIFE_UNASKING);
	if (d->record >= 0 || !d->conf_why)
		return;
	r = vp_mark_set(d->conf->run_dir, event->driver, event->uuid, LIFE_UNASKING, "");
	if (r < 0)
		log_warning(&d->log, "cannot remember that it asks for nothing: %s", strerror(-r));
}

/* The guest would start without what it asks for. */
int life_end_prepare(struct dispatch *d)
{
	int r = dispatch_open_record(d);
	const char *lacking = r == 0 && d->record >= 0 ? life_lacking_part(d) : NULL;

	if (r < 0)
		return life_refuse(d, r, "open the record of the run");
	if (!lacking) {
		note_unasking(d);
		return 0;
	}
	log_error(&d->log,
		"prepare refused: there is no part for <%s> in '%s/prepare_begin.d'; install "
		"virt-parts again",
		lacking, d->conf->vendor_dir);
	return -ENOENT;
}
