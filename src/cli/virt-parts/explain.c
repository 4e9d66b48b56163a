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
#include "dispatch/names.h"
#include "dispatch/ops.h"
#include "events.h"
#include "explain.h"
#include "hooks.h"
#include "runs.h"
#include "suggest.h"
#include "text.h"

void explain_note(struct explaining *x, const char *text)
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

int explain_plan(const struct explaining *x, const struct vp_event *event, bool shipped_only,
	struct plan *ret)
{
	struct plan_query query = {
		.hook_dir = x->cli->hook_dir,
		.vendor_dir = x->cli->conf.vendor_dir,
		.driver = x->guest.driver,
		.object = x->guest.name,
		.op = event->op,
		.subop = event->subop,
		.guest = parts_of_guests(x->guest.driver),
		.compat = hooks_run_others(x->cli, x->guest.driver),
		.directives = x->directives,
		.record = x->recorded ? x->guest.record : -1,
		.shipped_only = shipped_only,
		.complete = true,
	};

	return plan_make(&query, ret);
}

/* --- each part ------------------------------------------------------------------------------------------------ */

bool explain_is_recorder(const struct plan_entry *entry)
{
	return plan_is_shipped(entry) && !strcmp(name_of_directive(entry->name), "virt-parts");
}

/* Whether a prepare has a part that records what the XML asks for: one that is masked, or hidden, does not. */
static int look_for_recorder(struct explaining *x)
{
	const struct vp_event prepare = {.op = "prepare", .subop = "begin"};
	struct plan plan;
	int r = explain_plan(x, &prepare, false, &plan);

	if (r < 0)
		return r;
	x->unheard = true;
	for (size_t i = 0; i < plan.count; i++)
		if (explain_is_recorder(&plan.entries[i]) &&
			(plan.entries[i].state == PLAN_RUN ||
				plan.entries[i].state == PLAN_REFUSED))
			x->unheard = false;
	plan_free(&plan);
	return 0;
}

/* What the plan leaves open until the record is made is known here: it would be made of this XML. */
enum plan_state explain_state(
	struct explaining *x, const struct plan_entry *entry, const char **ret_why)
{
	const char *directive = name_of_directive(entry->name);

	*ret_why = entry->why ? entry->why : "";
	if (x->of_user && entry->state != PLAN_SKIPPED && entry->state != PLAN_MASK) {
		*ret_why = "the guest is a user's own";
		return PLAN_IDLE;
	}
	if (!plan_is_shipped(entry) || explain_is_recorder(entry) ||
		(entry->state != PLAN_RUN && entry->state != PLAN_IDLE))
		return entry->state;
	if (x->recorded) {
		if (entry->state == PLAN_IDLE || vp_record_asks(x->guest.record, directive))
			return entry->state;
		*ret_why = cli_format(x->cli, "the guest's run has no directive '%s'", directive);
		return PLAN_IDLE;
	}
	if (!x->directives || !examine_has(&x->examined, directive)) {
		*ret_why = cli_format(x->cli, "the guest has no directive '%s'", directive);
		return PLAN_IDLE;
	}
	*ret_why = x->runless	? "the guest has no run"
		   : x->unheard ? "no part 'virt-parts' of prepare begin records the guest's "
				  "directives"
				: "";
	return x->runless || x->unheard ? PLAN_IDLE : PLAN_RUN;
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
		.begin = x->begin,
		.archived = x->recorded ? runs_archived(x->cli, x->guest.record) : "",
		.turn = x->run.turn,
		.record = x->guest.record,
		.looks = !x->namesake && !x->hidden && !x->guest.no_uuid,
		.dircopies = &dircopies,
	};

	if (!plan_is_shipped(entry))
		return NULL;
	if (x->recorded) {
		int r = recorded_deeds(x, name, &query, &deeds);

		if (r < 0)
			explain_note(
				x, cli_format(x->cli, "cannot read what its run asks of '%s': %s",
					   name, strerror(-r)));
		return deeds.first;
	}
	for (const struct vp_element *d = x->examined.xml.source.directives; d; d = d->next)
		if (d->spec && !strcmp(d->name, name))
			append(&deeds, deeds_of(x->cli, &query, d));
	return deeds.first;
}

static void note_lost(struct explaining *x)
{
	for (const struct explaining *each = x; each; each = each->first) {
		const char *lost = explain_lost(each);

		if (lost)
			explain_note(x, lost);
		/* an unfinished run that cannot be finished goes on, and the guest starts */
		x->refused += lost != NULL && each == x;
	}
}

static int explain(struct explaining *x)
{
	int r = look_at_xml(x);

	x->of_user = x->guest.virt && x->guest.virt->place == VIRT_OF_USER;
	if (x->of_user)
		explain_note(x, cli_format(x->cli,
					"the hook does nothing for a user's own guest: for this "
					"one, of '%s', no part is run",
					x->guest.virt->uri));
	else if (r == 0)
		r = explain_look_at_record(x);
	if (r < 0)
		return cli_error("cannot look at the run of '%s': %s", x->guest.name, strerror(-r));
	x->event = guest_event(x->cli, &x->guest, x->event.op, x->event.subop, x->event.reason);
	if (x->recorded) /* by which its paths are allowed */
		x->event.domain = x->run.name;
	if (x->recorded && x->failed)
		x->event.failed = x->failed;
	r = explain_plan(x, &x->event, false, &x->plan);
	if (r == 0 && x->directives)
		r = look_for_recorder(x);
	if (r < 0)
		return cli_error("cannot tell the parts: %s", strerror(-r));
	if (x->directives || x->recorded)
		examine(x->cli, &x->guest, x->event, &x->examined);
	if (!x->of_user)
		note_lost(x);
	if (x->cli->json)
		explain_json(x);
	else
		explain_text(x);
	cli_has_conf(x->cli);
	return x->refused ? CLI_FOUND : CLI_GOOD;
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
	if (guest_is_elsewhere(&x.guest))
		return cli_error("'%s' %s; ask on its own host", x.guest.name,
			virt_elsewhere(cli, x.guest.virt));
	if (!events_may_show(cli, x.guest.driver, x.guest.name, op, subop))
		return CLI_ERROR;
	if (ends && !*reason)
		reason = "shutdown";
	x.event = guest_event(cli, &x.guest, op, subop, reason);
	status = explain(&x);
	free_all(&x);
	return status;
}
