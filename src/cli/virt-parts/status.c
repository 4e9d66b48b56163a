/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status: the runs that are open or unfinished, and what is left of each. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "runs.h"
#include "style.h"

struct showing {
	struct cli *cli;
	struct virt_answer answer;
	struct json json;
	unsigned shown, unfinished;
};

static enum style style_of(enum run_state state)
{
	switch (state) {
	case RUN_OPEN:
	case RUN_BUSY:
	case RUN_SAVED:
		return STYLE_GOOD;
	case RUN_UNFINISHED:
	case RUN_DAMAGED:
		return STYLE_BAD;
	case RUN_UNKNOWN:
		break;
	}
	return STYLE_WARNING;
}

static void print_lines(struct cli *cli, const char *label, const char *lines)
{
	const char *line;

	while ((line = cli_line(cli, &lines))) {
		printf("  %-9s %s\n", label, cli_shown(cli, line));
		label = "";
	}
}

static const char *damaged_advice(struct cli *cli, const struct run *run)
{
	const char *mend = runs_error_mend(cli, run);

	if (run->error == -EPROTO)
		return cli_format(cli, "the guest does not start with this one: %s", mend);
	if (!*mend)
		return "the guest does not start until its record can be read";
	return cli_format(cli,
		"its record is damaged, and the guest%s does not start; '%s' ends it",
		runs_was_saved(run) ? ", which was saved," : "", mend);
}

/* What to do about it, in one sentence; "" when there is nothing to do. */
static const char *advice(struct cli *cli, const struct run *run)
{
	switch (run->state) {
	case RUN_UNFINISHED:
		if (*run->own)
			return runs_own_advice(cli, run);
		if (run->discarded)
			return cli_format(cli,
				"it was discarded, and nothing of it is archived or deleted: the "
				"guest's next start ends it first; 'virt-parts resolve %s' does it "
				"now",
				run->uuid);
		return cli_format(cli,
			"the guest's next start finishes it first; 'virt-parts resolve %s' does it "
			"now",
			run->uuid);
	case RUN_DAMAGED:
		return damaged_advice(cli, run);
	case RUN_UNKNOWN:
		return cli_format(cli, "%s and look again", run->ask);
	case RUN_OPEN:
		if (run->info.begin == VP_BEGIN_UNFINISHED)
			return "the guest's end tries again to finish it; until then the "
			       "directives that it began with count";
		break;
	case RUN_SAVED:
		if (run->saved_by_libvirt ||
			(strcmp(run->guest, "gone") != 0 && strcmp(run->guest, "shut off") != 0))
			break;
		return cli_format(cli,
			"libvirt has no saved state of it; unless it is restored from a file, or "
			"reverted to a snapshot, 'virt-parts resolve --save-discarded %s' "
			"finishes it",
			run->uuid);
	case RUN_BUSY:
		break;
	}
	return "";
}

/* An archive failed: nothing that it was to save is unmounted or deleted. */
static bool is_kept(const struct run *run)
{
	return run->state == RUN_UNFINISHED && *run->failed;
}

static void print_run(struct showing *s, const struct run *run)
{
	struct cli *cli = s->cli;
	const char *next = advice(cli, run);

	printf("%s%s%s (%s, %s)  ", style(STYLE_BOLD), cli_shown(cli, run->name),
		style(STYLE_PLAIN), cli_shown(cli, run->driver), run->uuid);
	style_print(style_of(run->state), runs_state_text(run->state), 0);
	printf("\n");
	if (run->state == RUN_DAMAGED)
		printf("  %-9s %s\n", "error", cli_shown(cli, runs_error_text(cli, run)));
	if (!run->error)
		printf("  %-9s %s, %s\n", "since", cli_when(cli, run->info.time),
			runs_begin_text(run->info.begin));
	if (strcmp(run->called, run->name) != 0)
		printf("  %-9s %s\n", "renamed", cli_shown(cli, run->called));
	printf("  %-9s %s%s\n", "guest", run->guest,
		run->saved_by_libvirt ? ", with a saved state" : "");
	if (*run->busy)
		printf("  %-9s %s\n", "busy with", cli_shown(cli, run->busy));
	if (*run->reason)
		printf("  %-9s %s\n", "ended as", cli_shown(cli, run->reason));
	if (*run->failed)
		printf("  %-9s %s\n", "failed", cli_shown(cli, run->failed));
	if (*run->running)
		printf("  %-9s %s\n", "running", cli_shown(cli, run->running));
	print_lines(cli, is_kept(run) ? "kept" : "mounted", run->mounted);
	print_lines(cli, "built", run->built);
	print_lines(cli, "to save", run->unsaved);
	print_lines(cli, "to delete", run->undeleted);
	print_lines(cli, "claimed", run->claims);
	if (*next)
		printf("  %-9s %s\n", "next", next);
}

static void json_lines(struct showing *s, const char *name, const char *lines)
{
	const char *line;

	json_array(&s->json, name);
	while ((line = cli_line(s->cli, &lines)))
		json_text(&s->json, NULL, line);
	json_end(&s->json);
}

static void json_run(struct showing *s, const struct run *run)
{
	struct json *json = &s->json;

	json_object(json, NULL);
	json_text(json, "name", run->name);
	json_text(json, "called", run->called);
	json_text(json, "driver", run->driver);
	json_text(json, "uuid", run->uuid);
	json_text(json, "state", runs_state_text(run->state));
	if (!run->error) {
		json_time(json, "since", run->info.time);
		json_text(json, "begin", runs_begin_text(run->info.begin));
	}
	json_bool(json, "started", run->started);
	json_bool(json, "discarded", run->discarded);
	json_text(json, "guest", run->guest);
	json_text(json, "busy", *run->busy ? run->busy : NULL);
	json_text(json, "reason", *run->reason ? run->reason : NULL);
	json_text(json, "failed", *run->failed ? run->failed : NULL);
	json_text(json, "running", *run->running ? run->running : NULL);
	json_lines(s, "mounted", run->mounted);
	json_lines(s, "built", run->built);
	json_lines(s, "claimed", run->claims);
	json_lines(s, "unsaved", run->unsaved);
	json_lines(s, "undeleted", run->undeleted);
	json_end(json);
}

int status_command(struct cli *cli, int argc, char **argv)
{
	const char *wanted = argc ? argv[0] : NULL, *where;
	struct showing s = {.cli = cli};
	const struct run *first;
	struct run *runs;
	int r = runs_read(cli, NULL, &runs, &where);

	/* libvirt is asked only if there is something to ask it about */
	if (r == 0 && runs) {
		s.answer = virt_ask(cli, NULL, 0);
		r = runs_read(cli, &s.answer, &runs, &where);
	}
	if (r < 0)
		return cli_error("cannot read '%s': %s", where, strerror(-r));
	for (first = runs; first && wanted && !runs_is_of(first, wanted);)
		first = first->next;
	if (wanted && !first && runs_none(cli, wanted) == CLI_ERROR)
		return CLI_ERROR;
	if (cli->json)
		json_array(&s.json, NULL);
	for (; runs; runs = runs->next) {
		if (wanted && !runs_is_of(runs, wanted))
			continue;
		s.shown++;
		s.unfinished += runs->state == RUN_UNFINISHED || runs->state == RUN_DAMAGED;
		if (cli->json)
			json_run(&s, runs);
		else
			print_run(&s, runs);
	}
	if (cli->json)
		json_end(&s.json);
	else if (!s.shown && !wanted)
		printf("no run is open or unfinished\n");
	runs_tell_silent(cli, &s.answer);
	cli_has_conf(cli);
	return s.unfinished ? CLI_FOUND : CLI_GOOD;
}
