/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain: its answer, for people and for programs. */
#include <stdio.h>
#include <string.h>

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
static void show_deeds(struct explaining *x, const struct plan_entry *entry, struct json *json)
{
	const struct problem *p =
		explain_is_recorder(entry) && !x->recorded ? x->examined.problems : NULL;
	const struct deed *deed = explain_deeds(x, entry);

	if (json)
		json_array(json, "problems");
	for (; p; p = p->next) {
		x->refused += !p->only_warns;
		if (json)
			json_problem(json, p);
		else
			print_problem(x, p);
	}
	if (json) {
		json_end(json);
		json_array(json, "deeds");
	} else if (explain_is_recorder(entry) && !x->recorded && !examine_refuses(&x->examined)) {
		printf("      checks the directives and records the run\n");
	}
	for (; deed; deed = deed->next) {
		x->refused += deed->refused != NULL;
		if (json)
			json_deed(json, deed);
		else
			print_deed(x, deed);
	}
	if (json)
		json_end(json);
}

/* Whether the part is known to fail: it is refused, or something that it would do is. */
static bool fails(struct explaining *x, enum plan_state state, unsigned refused_before)
{
	return state == PLAN_REFUSED || (state == PLAN_RUN && x->refused > refused_before);
}

/* What the failure of a part keeps from being done. */
static void show_withheld(struct explaining *x, struct json *json, size_t index)
{
	const struct plan_entry *entry = &x->plan.entries[index];
	const char *names = "";

	if (json)
		json_array(json, "withholds");
	for (size_t i = index + 1; i < x->plan.count; i++) {
		const char *name = x->plan.entries[i].name;

		if (!explain_withholds(x, index, i))
			continue;
		if (json)
			json_text(json, NULL, name);
		names = cli_format(x->cli, "%s%s%s", names, *names ? ", " : "", name);
	}
	if (json)
		json_end(json);
	else if (*names && explain_op(x)->runs_rest)
		printf("      %sif it fails, these leave things as they are: %s%s\n",
			style(STYLE_FAINT), cli_shown(x->cli, names), style(STYLE_PLAIN));
	else if (explain_op(x)->runs_rest && explain_is_advisory(x, entry))
		printf("      %sif it fails, nothing is withheld: it is listed under "
		       "[advisory]%s\n",
			style(STYLE_FAINT), style(STYLE_PLAIN));
}

static void explain_parts(struct explaining *x, struct json *json)
{
	unsigned number = 0;

	for (size_t i = 0; i < x->plan.count; i++) {
		const struct plan_entry *entry = &x->plan.entries[i];
		unsigned before = x->refused;
		const char *why;
		enum plan_state state = explain_state(x, entry, &why);
		bool runs = state == PLAN_RUN || state == PLAN_REFUSED;

		x->refused += state == PLAN_REFUSED;
		if (json) {
			json_object(json, NULL);
			parts_json(json, entry, state, why);
			json_text(json, "stopped_by", runs ? x->stopped_by : NULL);
		} else {
			parts_print(x->cli, entry, runs ? ++number : 0, state, why);
			if (runs && x->stopped_by)
				printf("      %sis not reached, as '%s' fails before%s\n",
					style(STYLE_BAD), cli_shown(x->cli, x->stopped_by),
					style(STYLE_PLAIN));
		}
		if (state == PLAN_RUN)
			show_deeds(x, entry, json);
		if (runs)
			show_withheld(x, json, i);
		if (json)
			json_end(json);
		if (fails(x, state, before))
			explain_failed(x, entry);
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
	if (x->first) {
		json_object(json, "first");
		json_text(json, "reason", x->first->event.reason);
		json_array(json, "parts");
		explain_parts(x->first, json);
		json_end(json);
		json_end(json);
	}
	json_array(json, "parts");
	explain_parts(x, json);
	json_end(json);
	json_notes(x);
	json_end(json);
}

void explain_text(struct explaining *x)
{
	struct cli *cli = x->cli;
	const struct op *op = explain_op(x);

	printf("%s%s%s (%s), %s %s", style(STYLE_BOLD), cli_shown(cli, x->guest.name),
		style(STYLE_PLAIN), x->guest.driver, x->event.op, x->event.subop);
	if (*x->event.reason)
		printf(", ended as '%s'", x->event.reason);
	printf("\n");
	for (unsigned i = 0; i < x->n_notes; i++)
		printf("note: %s\n", cli_shown_command(cli, x->notes[i]));
	for (size_t i = 0; i < x->plan.n_warnings; i++)
		printf("%swarning:%s %s\n", style(STYLE_WARNING), style(STYLE_PLAIN),
			cli_shown(cli, x->plan.warnings[i]));
	if (x->first) {
		printf("%sfirst, release end of the unfinished run, ended as '%s'%s\n",
			style(STYLE_BOLD), x->first->event.reason, style(STYLE_PLAIN));
		explain_parts(x->first, NULL);
		printf("%sthen, %s %s%s\n", style(STYLE_BOLD), x->event.op, x->event.subop,
			style(STYLE_PLAIN));
	}
	explain_parts(x, NULL);
	if (x->of_user)
		return;
	printf("If a part fails, %s%s%s.\n",
		op->runs_rest ? "the rest is run all the same" : "the event stops there",
		op->always_succeeds ? ", and the event succeeds"
		: op->defers	    ? ", and the prepare that follows is refused"
				    : ", and the event fails",
		x->runless || (!x->directives && !x->recorded) ? ""
		: x->is_release ? "; the run is unfinished then, and the guest's next start "
				  "runs the shipped parts again first, but none of your own"
		: !strcmp(x->event.op, "stopped")
			? "; release then unmounts and deletes nothing, and the run is unfinished"
			: "");
	if (x->first)
		printf("If the unfinished run cannot be finished, nothing of it is touched, and "
		       "the guest %s.\n",
			x->moved || x->incomplete
				? "is refused"
				: "starts with what it left, by the directives that it began with");
}
