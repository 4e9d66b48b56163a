/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain: its answer, for people and for programs. */
#include <stdio.h>
#include <string.h>

#include "dispatch/ops.h"
#include "explain.h"
#include "style.h"

static void print_deed(struct explaining *x, const struct deed *deed)
{
	struct cli *cli = x->cli;

	printf("      %s\n", cli_shown(cli, deed->text));
	if (deed->refused)
		printf("        %srefused:%s %s\n", style(STYLE_BAD), style(STYLE_PLAIN),
			cli_shown(cli, deed->refused));
	else if (deed->rule)
		printf("        %sallowed by '%s = %s', parts.conf line %u%s\n", style(STYLE_FAINT),
			vp_access_text(deed->access), cli_shown(cli, deed->rule), deed->line,
			style(STYLE_PLAIN));
}

static void print_problem(struct explaining *x, const struct problem *p)
{
	printf("      %s%s%s %s%s%s\n", style(p->only_warns ? STYLE_WARNING : STYLE_BAD),
		p->only_warns ? "warns:" : "refuses the start:", style(STYLE_PLAIN),
		cli_shown(x->cli, p->where), *p->where ? ": " : "", cli_shown(x->cli, p->text));
}

static void json_deed(struct json *json, const struct deed *deed)
{
	json_object(json, NULL);
	json_text(json, "text", deed->text + strspn(deed->text, " "));
	json_text(json, "path", deed->path);
	json_text(json, "access",
		*vp_access_text(deed->access) ? vp_access_text(deed->access) : NULL);
	json_text(json, "rule", deed->rule);
	if (deed->rule)
		json_number(json, "line", deed->line);
	json_text(json, "refused", deed->refused);
	json_end(json);
}

static void json_problem(struct json *json, const struct problem *p)
{
	json_object(json, NULL);
	json_text(json, "where", *p->where ? p->where : NULL);
	json_text(json, "text", p->text);
	json_bool(json, "refuses", !p->only_warns);
	json_end(json);
}

/* A shipped part's deeds, and of the first one the problems. */
static void show_deeds(struct explaining *x, const struct plan_entry *entry)
{
	const struct problem *p =
		explain_is_recorder(entry) && !x->recorded ? x->examined.problems : NULL;
	const struct deed *deed = explain_deeds(x, entry);
	bool json = x->cli->json;

	if (json)
		json_array(&x->json, "problems");
	for (; p; p = p->next) {
		x->refused += !p->only_warns;
		if (json)
			json_problem(&x->json, p);
		else
			print_problem(x, p);
	}
	if (json) {
		json_end(&x->json);
		json_array(&x->json, "deeds");
	} else if (explain_is_recorder(entry) && !x->recorded && !examine_refuses(&x->examined)) {
		printf("      checks the directives and records the run\n");
	}
	for (; deed; deed = deed->next) {
		x->refused += deed->refused != NULL;
		if (json)
			json_deed(&x->json, deed);
		else
			print_deed(x, deed);
	}
	if (json)
		json_end(&x->json);
}

static void explain_parts(struct explaining *x)
{
	bool json = x->cli->json;
	unsigned number = 0;

	for (size_t i = 0; i < x->plan.count; i++) {
		const struct plan_entry *entry = &x->plan.entries[i];
		const char *why;
		enum plan_state state = explain_state(x, entry, &why);
		bool runs = state == PLAN_RUN || state == PLAN_REFUSED;

		x->refused += state == PLAN_REFUSED;
		if (json) {
			json_object(&x->json, NULL);
			parts_json(&x->json, entry, state, why);
		} else {
			parts_print(x->cli, entry, runs ? ++number : 0, state, why);
		}
		if (state == PLAN_RUN)
			show_deeds(x, entry);
		if (json)
			json_end(&x->json);
	}
	if (!json && !x->plan.count)
		printf("      no parts\n");
}

static void json_notes(struct explaining *x)
{
	json_array(&x->json, "notes");
	for (unsigned i = 0; i < x->n_notes; i++)
		json_text(&x->json, NULL, x->notes[i]);
	for (size_t i = 0; i < x->plan.n_warnings; i++)
		json_text(&x->json, NULL, x->plan.warnings[i]);
	json_end(&x->json);
	json_bool(&x->json, "refused", x->refused > 0);
}

void explain_json(struct explaining *x)
{
	struct json *json = &x->json;

	json_object(json, NULL);
	json_text(json, "guest", x->guest.name);
	json_text(json, "driver", x->guest.driver);
	json_text(json, "uuid", x->guest.no_uuid ? NULL : x->guest.uuid);
	json_text(json, "op", x->event.op);
	json_text(json, "subop", x->event.subop);
	json_text(json, "reason", *x->event.reason ? x->event.reason : NULL);
	json_bool(json, "recorded", x->recorded);
	json_array(json, "parts");
	explain_parts(x);
	json_end(json);
	json_notes(x);
	json_end(json);
}

bool explain_is_lost(const struct explaining *x)
{
	return (x->is_prepare || x->is_release) && x->directives && x->plan.shipped_missing;
}

void explain_text(struct explaining *x)
{
	struct cli *cli = x->cli;
	bool lost = explain_is_lost(x);
	const struct op *op = op_find(
		parts_of_guests(x->guest.driver) ? EVENT_GUEST : EVENT_NETWORK, x->event.op);

	printf("%s%s%s (%s), %s %s", style(STYLE_BOLD), cli_shown(cli, x->guest.name),
		style(STYLE_PLAIN), x->guest.driver, x->event.op, x->event.subop);
	if (*x->event.reason)
		printf(", ended as '%s'", x->event.reason);
	printf("\n");
	for (unsigned i = 0; i < x->n_notes; i++)
		printf("note: %s\n", cli_shown(cli, x->notes[i]));
	for (size_t i = 0; i < x->plan.n_warnings; i++)
		printf("%swarning:%s %s\n", style(STYLE_WARNING), style(STYLE_PLAIN),
			cli_shown(cli, x->plan.warnings[i]));
	explain_parts(x);
	if (lost)
		printf("%sthere are no shipped parts in '%s': the guest's directives mean "
		       "nothing here%s\n",
			style(STYLE_BAD), cli_shown(cli, cli->conf.vendor_dir), style(STYLE_PLAIN));
	printf("If a part fails, %s%s.\n",
		op->runs_rest ? "the rest is run all the same" : "the event stops there",
		op->always_succeeds ? ", and the event succeeds" : ", and the event fails");
}
