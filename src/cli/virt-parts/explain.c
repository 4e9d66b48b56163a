/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain: what an event of a guest would run and do, by the dispatcher's own plan, and which rule of
 * parts.conf allows or refuses each path. It has no effect.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bind.h"
#include "dispatch/input.h"
#include "dispatch/life.h"
#include "dispatch/names.h"
#include "dispatch/ops.h"
#include "dispatch/unfinished.h"
#include "events.h"
#include "explain.h"
#include "hooks.h"
#include "runs.h"
#include "suggest.h"
#include "text.h"

static void note(struct explaining *x, const char *text)
{
	if (x->n_notes < MAX_NOTES)
		x->notes[x->n_notes++] = text;
}

/* --- what is known -------------------------------------------------------------------------------------------- */

static bool check_reason(const char *reason)
{
	const char *near;
	size_t n = 0;

	for (; vp_reasons[n]; n++)
		if (strcmp(vp_reasons[n], reason) == 0)
			return true;
	if (!strcmp(reason, "shutdown-or-destroyed"))
		return true;
	near = suggest(reason, vp_reasons, n);
	cli_error("'%.64s' is no reason of a guest's end%s%s%s; see virt-parts-directives(5)",
		reason, near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
	return false;
}

static int look_at_xml(struct explaining *x)
{
	struct event event = {.xml = -1};
	int fd = guest_xml_fd(&x->guest), r = fd < 0 ? fd : input_read(fd, &event);

	x->directives = event.directives && x->event.driver && parts_of_guests(x->guest.driver);
	if (fd >= 0)
		close(fd);
	if (event.xml >= 0)
		close(event.xml);
	return r;
}

static void note_record(struct explaining *x)
{
	struct cli *cli = x->cli;
	char reason[REASON_SIZE], would[REASON_SIZE];
	const char *old;
	int r;

	if (x->guest.virt && x->guest.virt->active &&
		!life_read_line(x->guest.record, "release", reason, sizeof(reason))) {
		note(x, "the guest runs: this is what its next start does");
		return;
	}
	if (life_read_line(x->guest.record, "release", reason, sizeof(reason)) &&
		reason_is_pause(reason)) {
		x->recorded = true;
		x->run.begin = VP_BEGIN_RESTORED;
		note(x, cli_format(cli,
				"its run goes on: it ended as '%s'; if it is started without a "
				"restore, its run is finished first, as lost",
				reason));
		return;
	}
	unfinished_reason(x->guest.record, would);
	note(x, cli_format(cli,
			"its last run is unfinished: the shipped parts of release end run first, "
			"with the reason '%s'",
			would));
	old = runs_old_names(cli, &x->guest);
	if (*old)
		note(x, cli_format(cli,
				"should that fail, what the XML says of %s does not count, but "
				"what the run began with: 'virt-parts resolve %s' finishes or "
				"discards it",
				old, cli_quoted(cli, x->guest.name)));
	r = explain_unfinished(x, would);
	if (r < 0)
		note(x, cli_format(cli, "what they would do cannot be told: %s", strerror(-r)));
}

static int look_at_record(struct explaining *x)
{
	int r = guest_open_record(x->cli, &x->guest);
	const char *namesake = r == 0 && x->is_prepare ? explain_namesake(x) : NULL;

	if (namesake)
		note(x, namesake);
	if (r == 0 && x->guest.record >= 0)
		r = vp_record_read_run(x->guest.record, &x->run);
	if (r < 0)
		return r;
	if (x->guest.record < 0) {
		x->run.begin = VP_BEGIN_NEW;
		if (x->is_release && x->directives)
			note(x, "the guest has no run: this is as if it had been started with this "
				"XML");
	} else if (x->is_prepare) {
		x->run.begin = VP_BEGIN_NEW;
		note_record(x);
	} else {
		x->recorded = true;
		x->failed = runs_failed(x->cli, x->guest.record);
	}
	return r;
}

int explain_plan(struct explaining *x, bool shipped_only)
{
	struct plan_query query = {
		.hook_dir = x->cli->hook_dir,
		.vendor_dir = x->cli->conf.vendor_dir,
		.driver = x->guest.driver,
		.object = x->guest.name,
		.op = x->event.op,
		.subop = x->event.subop,
		.guest = parts_of_guests(x->guest.driver),
		.compat = hooks_run_others(x->cli, x->guest.driver),
		.directives = x->directives,
		.record = x->recorded ? x->guest.record : -1,
		.shipped_only = shipped_only,
		.complete = true,
	};

	return plan_make(&query, &x->plan);
}

/* --- each part ------------------------------------------------------------------------------------------------ */

bool explain_is_recorder(const struct plan_entry *entry)
{
	return plan_is_shipped(entry) && !strcmp(name_of_directive(entry->name), "virt-parts");
}

/* What the plan leaves open until the record is made is known here: it would be made of this XML. */
enum plan_state explain_state(
	struct explaining *x, const struct plan_entry *entry, const char **ret_why)
{
	const char *directive = name_of_directive(entry->name);

	*ret_why = entry->why ? entry->why : "";
	if (!plan_is_shipped(entry) || explain_is_recorder(entry) || x->recorded ||
		(entry->state != PLAN_RUN && entry->state != PLAN_IDLE))
		return entry->state;
	if (x->directives && examine_has(&x->examined, directive)) {
		*ret_why = "";
		return PLAN_RUN;
	}
	*ret_why = cli_format(x->cli, "the guest has no directive '%s'", directive);
	return PLAN_IDLE;
}

struct deeds {
	struct deed *first, **last;
};

static void append(struct deeds *deeds, struct deed *more)
{
	*deeds->last = more;
	while (*deeds->last)
		deeds->last = &(*deeds->last)->next;
}

/* By the record of the run; what it says was checked when it was made. */
static int recorded_deeds(struct explaining *x, const char *name, const struct deeds_query *query,
	struct deeds *deeds)
{
	const struct vp_directive *directive = vp_directive_find(name);
	const struct vp_element *where;
	struct recorded_source *recorded;
	struct vp_source *source;
	int r;

	if (!directive)
		return 0;
	recorded = cli_alloc(x->cli, sizeof(*recorded));
	recorded->next = x->sources;
	x->sources = recorded;
	source = &recorded->source;
	r = vp_read_record(&x->event, name, source);
	for (struct vp_element *d = source->directives; r == 0 && d; d = d->next) {
		r = vp_bind(source, d, directive->spec, &x->event, &where);
		if (r == 0)
			append(deeds, deeds_of(x->cli, query, d));
	}
	return r;
}

struct deed *explain_deeds(struct explaining *x, const struct plan_entry *entry)
{
	const char *name = name_of_directive(entry->name);
	struct deeds deeds = {.last = &deeds.first};
	unsigned dircopies = 0;
	struct deeds_query query = {
		.event = &x->event,
		.policy = &x->examined.policy,
		.filesystems = x->examined.xml.filesystems,
		.begin = x->run.begin,
		.archived = x->recorded ? runs_archived(x->cli, x->guest.record) : "",
		.turn = x->run.turn,
		.dircopies = &dircopies,
	};

	if (!plan_is_shipped(entry))
		return NULL;
	if (x->recorded) {
		int r = recorded_deeds(x, name, &query, &deeds);

		if (r < 0)
			note(x, cli_format(x->cli, "cannot read what its run asks of '%s': %s",
					name, strerror(-r)));
		return deeds.first;
	}
	for (const struct vp_element *d = x->examined.xml.source.directives; d; d = d->next)
		if (d->spec && !strcmp(d->name, name))
			append(&deeds, deeds_of(x->cli, &query, d));
	return deeds.first;
}

static int explain(struct explaining *x)
{
	int r = look_at_xml(x);

	if (r == 0)
		r = look_at_record(x);
	if (r < 0)
		return cli_error("cannot look at the run of '%s': %s", x->guest.name, strerror(-r));
	x->event = guest_event(x->cli, &x->guest, x->event.op, x->event.subop, x->event.reason);
	if (x->recorded && x->failed)
		x->event.failed = x->failed;
	r = explain_plan(x, false);
	if (r < 0)
		return cli_error("cannot tell the parts: %s", strerror(-r));
	if (x->directives || x->recorded)
		examine(x->cli, &x->guest, x->event, &x->examined);
	if (x->cli->json)
		explain_json(x);
	else
		explain_text(x);
	cli_has_conf(x->cli);
	return x->refused || explain_is_lost(x) ? CLI_FOUND : CLI_GOOD;
}

static void free_all(struct explaining *x)
{
	for (; x; x = x->first) {
		for (struct recorded_source *each = x->sources; each; each = each->next)
			vp_source_free(&each->source);
		plan_free(&x->plan);
		examine_free(&x->examined);
	}
}

int explain_command(struct cli *cli, int argc, char **argv)
{
	struct explaining x = {.cli = cli};
	const char *op = argv[1], *subop = argv[2], *reason = argc > 3 ? argv[3] : "";
	bool ends = !strcmp(op, "stopped") || !strcmp(op, "release");
	int status;

	if (*reason && !ends)
		return cli_error("only stopped and release have a reason");
	if (*reason && !check_reason(reason))
		return CLI_ERROR;
	x.is_prepare = !strcmp(op, "prepare") && !strcmp(subop, "begin");
	x.is_release = !strcmp(op, "release") && !strcmp(subop, "end");
	if (!guest_get(cli, argv[0], strcmp(op, "prepare") != 0, &x.guest))
		return CLI_ERROR;
	if (!events_may_show(cli, x.guest.driver, x.guest.name, op, subop))
		return CLI_ERROR;
	if (ends && !*reason)
		reason = "shutdown";
	x.event = guest_event(cli, &x.guest, op, subop, reason);
	status = explain(&x);
	free_all(&x);
	return status;
}
