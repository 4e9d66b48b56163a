/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain: what follows when a part fails, and the unfinished run that a prepare begins with. */
#include <string.h>

#include "dispatch/failed.h"
#include "explain.h"
#include "runs.h"

bool explain_is_advisory(const struct explaining *x, const struct plan_entry *entry)
{
	return !plan_is_shipped(entry) && vp_conf_lists(x->cli->conf.advisory, entry->name, NULL);
}

const struct op *explain_op(const struct explaining *x)
{
	return op_find(parts_of_guests(x->guest.driver) ? EVENT_GUEST : EVENT_NETWORK, x->event.op);
}

/* That it failed is no reason for a shipped part to leave something. */
static bool is_no_matter(const struct explaining *x, const struct plan_entry *entry)
{
	return explain_is_advisory(x, entry) ||
	       (!plan_is_shipped(entry) && failed_never_started(x->guest.record, x->event.reason));
}

void explain_failed(struct explaining *x, const struct plan_entry *entry)
{
	if (!explain_op(x)->runs_rest && !x->stopped_by)
		x->stopped_by = entry->name;
	else if (explain_op(x)->runs_rest && !is_no_matter(x, entry))
		x->event.failed = cli_format(x->cli, "%s%s%s", x->event.failed,
			*x->event.failed ? " " : "", entry->name);
}

static bool may_run(struct explaining *x, size_t index)
{
	const char *why;
	enum plan_state state = explain_state(x, &x->plan.entries[index], &why);

	return state == PLAN_RUN || state == PLAN_REFUSED;
}

/* Its deeds as they are now, and as they would be: by the rules that the parts themselves have. */
bool explain_withholds(struct explaining *x, size_t index, size_t later)
{
	const struct plan_entry *entry = &x->plan.entries[index], *other = &x->plan.entries[later];
	const char *failed = x->event.failed;
	struct deed *now, *then;

	if (later <= index || !may_run(x, index) || !may_run(x, later))
		return false;
	if (!explain_op(x)->runs_rest)
		return !x->stopped_by;
	if (is_no_matter(x, entry))
		return false;
	now = explain_deeds(x, other);
	x->event.failed = entry->name;
	then = explain_deeds(x, other);
	x->event.failed = failed;
	for (; now && then; now = now->next, then = then->next)
		if (!now->stays && then->stays)
			return true;
	return false;
}

/* --- unfinished runs ------------------------------------------------------------------------------------------ */

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

int explain_unfinished(struct explaining *x, const char *reason)
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
	if (r == 0)
		r = explain_plan(first, true);
	if (r < 0)
		return r;
	first->event.failed = still_failed(first, runs_failed(x->cli, x->guest.record));
	examine(x->cli, &first->guest, first->event, &first->examined);
	x->first = first;
	return 0;
}

const char *explain_namesake(struct explaining *x)
{
	struct run *run;
	const char *where;

	if (runs_read(x->cli, NULL, &run, &where) < 0)
		return NULL;
	for (; run; run = run->next)
		if (!strcmp(run->driver, x->guest.driver) && !strcmp(run->name, x->guest.name) &&
			strcmp(run->uuid, x->guest.uuid) != 0)
			return cli_format(x->cli,
				"the run of a guest of this name with the UUID %s, which is gone, "
				"is "
				"finished first",
				run->uuid);
	return NULL;
}
