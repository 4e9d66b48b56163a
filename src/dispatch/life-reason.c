/* SPDX-License-Identifier: GPL-2.0-or-later */
/* With which reason a guest's run ends: what libvirt tells, what its log says, and what the record knows. */
#include <stdio.h>
#include <string.h>

#include "failed.h"
#include "life.h"
#include "record.h"
#include "tree.h"
#include "unfinished.h"

/* How old the line of qemu's log may be that tells of the end that an event is called for. */
enum { JUST_NOW_S = 120 };

bool life_may_have_run(int record)
{
	struct tree_process daemon;
	struct vp_run run;
	char text[64];
	unsigned long long start;
	int pid, r;

	if (vp_record_has(record, "started"))
		return true;
	r = life_look_up_line(record, "start", text, sizeof(text));
	if (r <= 0)
		return r < 0;
	return sscanf(text, "%d %llu", &pid, &start) != 2 || vp_record_read_run(record, &run) < 0 ||
	       !vp_run_is_of_this_boot(&run) || !tree_read_process(pid, &daemon) ||
	       daemon.start != start || daemon.state == 'Z';
}

/* It has run, or may have, and nobody saw how it ended: what it has written is archived, and not deleted. */
static const char *reason_unseen(const struct dispatch *d)
{
	struct vp_run run;

	/* a save outlives a restore that was not seen to succeed, and needs what it needed */
	return !vp_record_has(d->record, "started") && (vp_record_read_run(d->record, &run) < 0 ||
							       run.begin == VP_BEGIN_RESTORED)
		       ? "saved"
		       : "lost";
}

/* When the run began, or FALLBACK: a clock that was set back since has not come there again. */
static time_t begin_of(const struct dispatch *d, const struct vp_run *run, time_t fallback)
{
	return run->time > d->event->time.tv_sec ? fallback : run->time;
}

/*
 * What libvirt gives, or what its qemu driver logs; a run that never started has failed. KNOWN, here and below, is
 * what the record knows of its end, or "".
 */
static void read_reason(struct dispatch *d, const char *known)
{
	const struct event *event = d->event;
	const time_t just_now = event->time.tv_sec - JUST_NOW_S;
	struct vp_run run;

	if (event->extra[0] && strcmp(event->extra, "-") != 0) {
		reason_from_extra(event->extra, d->reason);
		return;
	}
	snprintf(d->reason, sizeof(d->reason), "unknown");
	if (d->record < 0) {
		/* without directives nothing hangs on it but what parts of the admin's own make of it */
		if (!strcmp(event->driver, "qemu"))
			reason_from_qemu_log(
				d->conf->qemu_log_dir, event->object, just_now, d->reason);
		return;
	}
	if (!life_may_have_run(d->record))
		snprintf(d->reason, sizeof(d->reason), "failed");
	else if (!vp_record_has(d->record, "started"))
		snprintf(d->reason, sizeof(d->reason), "%s", reason_unseen(d));
	else if (!strcmp(event->driver, "lxc")) {
		/* what is known may be the end of a guest that this is not the end of: of a start that is refused */
		snprintf(d->reason, sizeof(d->reason), "%s",
			*known ? known : "shutdown-or-destroyed");
	} else if (!strcmp(event->driver, "qemu") && vp_record_read_run(d->record, &run) == 0 &&
		   reason_from_qemu_log(d->conf->qemu_log_dir, event->object,
			   begin_of(d, &run, just_now), d->reason))
		return;
	else if (*known && !strcmp(event->op, "release")) /* what was known at stopped is known */
		snprintf(d->reason, sizeof(d->reason), "%s", known);
}

/*
 * "failed" is said of a start. Of a run that has started it is said when a later start was refused before
 * the run went on: then it ended with what was known. It is also the lxc driver's word for a container
 * that ended while the daemon was away, where the qemu driver's is "crashed".
 */
static void mend_failed(struct dispatch *d, const char *known)
{
	struct vp_run run;

	if (strcmp(d->reason, "failed") != 0 || d->record < 0 || !life_may_have_run(d->record))
		return;
	if (*known && strcmp(known, "unknown") != 0 && strcmp(known, "shutdown-or-destroyed") != 0)
		strcpy(d->reason, known);
	else if (!vp_record_has(d->record, "started"))
		strcpy(d->reason, reason_unseen(d));
	else if (!strcmp(d->event->driver, "lxc"))
		strcpy(d->reason, "crashed");
	else if (*known || vp_record_read_run(d->record, &run) < 0 ||
		 run.begin != VP_BEGIN_INCOMING)
		strcpy(d->reason, "lost"); /* of a migration that did not succeed it is true */
}

/*
 * A libvirtd that was killed in the teardown of a guest that it had saved calls it once more when it is back,
 * and knows nothing but that the guest is gone. The reason in the record is of the same end: a run that
 * goes on has none. What it tells for certain, such as "destroyed", is of a life that no prepare was seen of.
 */
static void mend_repeated(struct dispatch *d, const char *known)
{
	static const char *const vague[] = {"unknown", "crashed", "daemon", "failed"};

	if (!vp_reason_is_pause(known))
		return;
	for (size_t i = 0; i < sizeof(vague) / sizeof(vague[0]); i++)
		if (!strcmp(d->reason, vague[i]))
			strcpy(d->reason, known);
}

/* Without that in the record, nothing that a guest which may run elsewhere shares is taken from it. */
static void note_migration(struct dispatch *d, struct vp_run *run)
{
	int r;

	log_line(&d->log, "note: its migration began, and did not succeed here: it may run "
			  "elsewhere, and nothing that it shares is deleted");
	run->begin = VP_BEGIN_INCOMING;
	r = vp_record_write_run(d->record, run);
	if (r < 0)
		failed_add_unknown(d, r, "write to the record of the run that its migration began");
}

int life_find_reason(struct dispatch *d)
{
	char known[REASON_SIZE] = "";
	struct vp_run run;
	int r = d->record < 0 ? 0
			      : life_look_up_end(d->conf, d->event->driver, d->event->uuid,
					d->record, known, sizeof(known));

	/* it may have been saved */
	if (r < 0)
		failed_add_unknown(d, r, "read in the record how the run ended");
	read_reason(d, known);
	mend_failed(d, known);
	mend_repeated(d, known);
	if (d->record < 0 || vp_record_read_run(d->record, &run) < 0)
		return r < 0 ? r : 0;
	if (failed_never_started(d->record, d->reason))
		unfinished_not_started(d->record, &run, d->reason);
	/*
	 * A migration whose client was lost in the last phase leaves the guest paused here, and running
	 * at the destination. Its end here is then like that of a run that came by migration.
	 */
	if (!strcmp(d->event->driver, "qemu") && d->conf->shared_storage &&
		run.begin != VP_BEGIN_INCOMING && strcmp(d->reason, "migrated") != 0 &&
		!vp_reason_is_pause(d->reason) &&
		reason_migration_began(
			d->conf->qemu_log_dir, d->event->object, begin_of(d, &run, 0)))
		note_migration(d, &run);
	return r < 0 ? r : 0;
}
