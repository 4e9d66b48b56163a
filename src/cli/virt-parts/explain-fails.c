/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain: what follows when a part fails, or is not installed. */
#include <string.h>

#include "dispatch/failed.h"
#include "dispatch/lacking.h"
#include "explain.h"

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

/* --- what is not installed ------------------------------------------------------------------------------------ */

static bool asks(const void *run, const char *directive)
{
	const struct explaining *x = run;

	if (x->recorded)
		return vp_record_asks(x->guest.record, directive);
	return !x->unheard && !x->runless && examine_has(&x->examined, directive);
}

const char *explain_lost(const struct explaining *x)
{
	const char *vendor = x->cli->conf.vendor_dir, *lacking;

	if (x->is_prepare && x->directives && lacking_recorder(&x->plan))
		return cli_format(x->cli,
			"there are no shipped parts in '%s/prepare_begin.d' that could honour the "
			"guest's directives, so it is refused before any part runs; install "
			"virt-parts again, or mend [dirs] vendor in parts.conf",
			vendor);
	lacking = x->is_prepare || x->is_release ? lacking_part(&x->plan, x->event.op, asks, x)
						 : NULL;
	if (!lacking)
		return NULL;
	return cli_format(x->cli,
		"there is no part for <%s> in '%s/%s.d', so %s; install virt-parts again", lacking,
		vendor, x->is_prepare ? "prepare_begin" : "release_end",
		x->is_prepare ? "the guest is refused when the other parts have run"
			      : "the run stays unfinished");
}
