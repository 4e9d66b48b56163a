/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain: the run that the guest has, by its record, and the unfinished one that a prepare begins with. */
#include <string.h>

#include "directives.h"
#include "dispatch/failed.h"
#include "dispatch/life.h"
#include "dispatch/unfinished.h"
#include "explain.h"
#include "place.h"
#include "runs.h"

static bool repeats(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->entries[i].state == PLAN_RUN && !strcmp(plan->entries[i].name, name))
			return true;
	return !strcmp(name, FAILED_SHIPPED);
}

/* Of the parts that failed in the run's teardown those that do not run once more. */
static const char *still_failed(struct explaining *x, const char *failed)
{
	struct names names = {.text = (char *)failed};
	char each[NAME_MAX + 1];
	const char *at = NULL, *text = "";

	while (names_next(&names, &at, each))
		if (!repeats(&x->plan, each))
			text = cli_format(x->cli, "%s%s%s", text, *text ? " " : "", each);
	return text;
}

static int look_at_unfinished(struct explaining *x, const char *reason)
{
	struct explaining *first = cli_alloc(x->cli, sizeof(*first));
	int r;

	*first = (struct explaining){
		.cli = x->cli,
		.guest = x->guest,
		.event = guest_event(x->cli, &x->guest, "release", "end",
			cli_copy(x->cli, reason, strlen(reason))),
		.recorded = true,
		.is_release = true,
	};
	r = vp_record_read_run(x->guest.record, &first->run);
	first->begin = x->incoming ? VP_BEGIN_INCOMING : first->run.begin;
	first->event.domain = first->run.name;
	if (r == 0)
		r = explain_plan(first, &first->event, true, &first->plan);
	if (r < 0)
		return r;
	first->event.failed = still_failed(first, runs_failed(x->cli, x->guest.record));
	examine(x->cli, &first->guest, first->event, &first->examined);
	x->first = first;
	return 0;
}

static void note_namesake(struct explaining *x)
{
	const struct run *run =
		runs_namesake(x->cli, x->guest.driver, x->guest.name, x->guest.uuid);

	x->namesake = run != NULL;
	if (run)
		explain_note(x, cli_format(x->cli,
					"the run of a guest of this name with the UUID %s, which "
					"is gone, is "
					"finished first",
					run->uuid));
}

static bool is_marked(const struct explaining *x, const char *mark)
{
	return vp_mark_is_set(x->cli->conf.run_dir, x->guest.driver, x->guest.uuid, mark);
}

/* As the dispatcher has it: what a new run begins with. */
static void look_at_marks(struct explaining *x)
{
	x->incoming = x->cli->conf.shared_storage && is_marked(x, "incoming");
	x->begin = is_marked(x, "restored") ? VP_BEGIN_RESTORED
		   : x->incoming	    ? VP_BEGIN_INCOMING
					    : VP_BEGIN_NEW;
	if (x->incoming)
		explain_note(x, "a migration of the guest to this host has begun: it may run on at "
				"the source, and nothing that it uses there is taken from it");
}

/* The run goes on with what it has recorded; as the dispatcher has it, without a restore only a save is over. */
static void note_pause(struct explaining *x, const char *reason)
{
	bool saved = !strcmp(reason, "saved");

	x->recorded = true;
	x->begin = saved || is_marked(x, "restored") ? VP_BEGIN_RESTORED : VP_BEGIN_REVERTED;
	explain_note(x,
		cli_format(x->cli, "its run goes on: it ended as '%s'%s", reason,
			saved ? "; if it is started without a restore, its run is finished first, "
				"as lost"
			      : ""));
}

/* Nobody knows whether its run goes on or is finished. */
static void note_unread(struct explaining *x, int error)
{
	explain_note(x,
		cli_format(x->cli,
			"the start is refused before any part runs, as the record of its last run "
			"cannot be read: %s; see 'virt-parts status'",
			runs_unread_text(x->cli, x->guest.driver, x->guest.uuid, error)));
	x->refused++;
}

/* The parts are told that nobody knows what failed, and so is who reads this: the guest may have been saved. */
static void look_at_end(struct explaining *x)
{
	char reason[REASON_SIZE];
	int r = life_look_up_end(&x->cli->conf, x->guest.driver, x->guest.uuid, x->guest.record,
		reason, sizeof(reason));

	if (r >= 0)
		return;
	x->failed = cli_format(x->cli, "%s%s" FAILED_UNKNOWN, x->failed, *x->failed ? " " : "");
	explain_note(
		x, cli_format(x->cli,
			   "nothing is unmounted, removed or deleted, as the record of its run "
			   "cannot be read: %s; see 'virt-parts status'",
			   runs_unread_text(x->cli, x->guest.driver, x->guest.uuid, r)));
	x->refused++;
}

static void note_record(struct explaining *x)
{
	struct cli *cli = x->cli;
	char reason[REASON_SIZE], would[REASON_SIZE];
	const char *old;
	int r = life_look_up_end(&x->cli->conf, x->guest.driver, x->guest.uuid, x->guest.record,
		reason, sizeof(reason));

	if (r < 0) {
		note_unread(x, r);
		return;
	}
	if (r == 0 && x->guest.virt && x->guest.virt->active) {
		explain_note(x, "the guest runs: this is what its next start does");
		return;
	}
	if (r > 0 && vp_reason_is_pause(reason) && (!x->incoming || is_marked(x, "restored"))) {
		note_pause(x, reason);
		return;
	}
	unfinished_reason(x->guest.record, would);
	explain_note(x,
		cli_format(cli,
			"its last run is unfinished: the shipped parts of release end run first, "
			"with the reason '%s'",
			would));
	old = runs_old_names(cli, &x->guest);
	if (*old)
		explain_note(
			x, cli_format(cli,
				   "should that fail, what the XML says of %s does not count, but "
				   "what the run began with: 'virt-parts resolve %s' finishes or "
				   "discards it",
				   old, x->guest.uuid));
	x->moved = place_of_moved(cli, x->guest.record, x->guest.uuid);
	if (x->moved)
		explain_note(
			x, cli_format(cli,
				   "%s, where a renamed directory has taken it: should the run "
				   "not be finished, the guest does not start until that is "
				   "moved back",
				   x->moved));
	/* one that came by migration goes on as that, and is given nothing */
	x->incomplete = !x->incoming && x->run.begin != VP_BEGIN_INCOMING &&
			vp_record_has(x->guest.record, VP_PRELOADING) &&
			vp_record_asks(x->guest.record, "preload");
	if (x->incomplete)
		explain_note(x,
			"that run began without all that it was to find, so should it not be "
			"finished, the guest does not start");
	r = look_at_unfinished(x, would);
	if (r < 0)
		explain_note(
			x, cli_format(cli, "what they would do cannot be told: %s", strerror(-r)));
}

/* Nothing was recorded when it started, or it has not. */
static void note_no_record(struct explaining *x)
{
	const struct virt_guest *virt = x->guest.virt;

	if (!x->directives || x->is_prepare)
		return;
	x->runless = virt && virt->active && virt->place == VIRT_HERE;
	if (x->runless)
		explain_note(x,
			"the guest runs and has no run: its directives came after its start, or "
			"virt-parts was not called then; at the end of this life nothing of them "
			"is done");
	else if (x->is_release)
		explain_note(
			x, "the guest has no run: this is as if it had been started with this XML");
}

int explain_look_at_record(struct explaining *x)
{
	int r = guest_open_record(x->cli, &x->guest);

	x->hidden = cli_needs_root(r);
	if (x->hidden) {
		explain_note(x, "the record of its run is root's alone: this is as if it had none");
		return 0;
	}
	if (r == 0 && x->is_prepare) {
		look_at_marks(x);
		note_namesake(x);
	}
	if (r == 0 && x->guest.record >= 0)
		r = vp_record_read_run(x->guest.record, &x->run);
	if (r < 0)
		return r;
	if (x->guest.record < 0) {
		note_no_record(x);
	} else if (x->is_prepare) {
		note_record(x);
	} else {
		x->begin = x->run.begin;
		x->recorded = true;
		x->failed = runs_failed(x->cli, x->guest.record);
		if (!strcmp(x->event.op, "stopped") || x->is_release)
			look_at_end(x);
	}
	return r;
}
