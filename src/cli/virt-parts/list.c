/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list: the parts that are there for every event, or for one, in the order in which they run. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "events.h"
#include "parts.h"
#include "style.h"
#include "suggest.h"

struct listing {
	struct cli *cli;
	struct json json;
	unsigned refused;
};

/* What a guest has asked for is not known here: every shipped part may run. */
static enum plan_state state_of(const struct plan_entry *entry)
{
	return entry->state == PLAN_IDLE ? PLAN_RUN : entry->state;
}

static const char *why_of(const struct plan_entry *entry)
{
	return entry->why && state_of(entry) == entry->state ? entry->why : "";
}

static void print_event(struct listing *l, const struct parts_event *event, const struct plan *plan)
{
	struct cli *cli = l->cli;
	unsigned number = 0;

	printf("%s%s%s\n", style(STYLE_BOLD), parts_title(cli, event), style(STYLE_PLAIN));
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_entry *entry = &plan->entries[i];
		enum plan_state state = state_of(entry);

		parts_print(cli, entry, state == PLAN_RUN ? ++number : 0, state, why_of(entry));
		printf("      %s%s%s\n", style(STYLE_FAINT), cli_shown(cli, entry->path),
			style(STYLE_PLAIN));
	}
	if (!plan->count)
		printf("      no parts\n");
}

static void json_event(struct listing *l, const struct parts_event *event, const struct plan *plan)
{
	struct json *json = &l->json;

	json_object(json, NULL);
	json_text(json, "driver", *event->driver ? event->driver : NULL);
	json_text(json, "guest", *event->guest ? event->guest : NULL);
	json_text(json, "op", event->op);
	json_text(json, "subop", event->subop);
	json_array(json, "parts");
	for (size_t i = 0; i < plan->count; i++) {
		json_object(json, NULL);
		parts_json(json, &plan->entries[i], state_of(&plan->entries[i]),
			why_of(&plan->entries[i]));
		json_end(json);
	}
	json_end(json);
	json_end(json);
}

static int list_event(struct listing *l, const struct parts_event *event)
{
	struct plan plan;
	int r = parts_plan(l->cli, event, &plan);

	if (r < 0)
		return cli_error("cannot tell the parts of %s: %s", parts_title(l->cli, event),
			strerror(-r));
	for (size_t i = 0; i < plan.count; i++)
		l->refused += plan.entries[i].state == PLAN_REFUSED;
	if (l->cli->json)
		json_event(l, event, &plan);
	else
		print_event(l, event, &plan);
	plan_free(&plan);
	return CLI_GOOD;
}

static bool is_driver(const char *name)
{
	const char *near;
	size_t n = 0;

	if (parts_is_driver(name))
		return true;
	while (parts_drivers[n])
		n++;
	near = suggest(name, parts_drivers, n);
	cli_error("'%.64s' is none of qemu, lxc, libxl, bhyve, network, daemon%s%s%s", name,
		near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	return false;
}

int list_command(struct cli *cli, int argc, char **argv)
{
	struct listing l = {.cli = cli};
	struct parts_event *events, one = {0};
	const char *where = "";
	int status = CLI_GOOD, r = 0;

	if (argc != 0 && argc != 3)
		return cli_error("needs DRIVER OP SUBOP, such as 'qemu prepare begin', or nothing");
	if (argc == 3) {
		if (!is_driver(argv[0]) || !events_may_show(cli, argv[0], "", argv[1], argv[2]))
			return CLI_ERROR;
		one = (struct parts_event){
			.driver = argv[0], .guest = "", .op = argv[1], .subop = argv[2]};
		events = &one;
	} else {
		r = parts_events(cli, &events, &where);
	}
	if (r < 0)
		return cli_error("cannot read '%s': %s", where, strerror(-r));
	if (cli->json)
		json_array(&l.json, NULL);
	for (; status == CLI_GOOD && events; events = events->next)
		status = list_event(&l, events);
	if (cli->json)
		json_end(&l.json);
	cli_has_conf(cli);
	if (status == CLI_GOOD && l.refused)
		return CLI_FOUND;
	return status;
}
