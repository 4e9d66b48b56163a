/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of a plan, one after the other. */
#include "run.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "environment.h"
#include "failed.h"
#include "filter.h"
#include "input.h"
#include "life.h"
#include "record.h"
#include "spawn.h"

bool run_is_advisory(const struct dispatch *d, const struct plan_entry *entry)
{
	return !plan_is_shipped(entry) && vp_conf_lists(d->conf->advisory, entry->name, NULL);
}

static unsigned time_limit(const struct dispatch *d, const struct plan_entry *entry)
{
	unsigned seconds = d->op->hurries ? d->conf->prepare_timeout : d->conf->part_timeout;

	vp_conf_lists(d->conf->timeouts, entry->name, &seconds);
	return seconds;
}

/* Whether the record still asks for it: a part before this one may have made the record. */
static bool is_asked(const struct dispatch *d, const struct plan_entry *entry)
{
	if (!entry->asked) /* what records looks at the directives of the XML, and at a run that goes on */
		return !plan_is_shipped(entry) || d->event->directives || d->record >= 0;
	return d->record >= 0 && vp_record_asks(d->record, entry->asked);
}

/* Tells how it went; whether it did well. What the part has printed ends where the log's line begins. */
static bool report(const struct dispatch *d, const struct plan_entry *entry,
	const struct spawn *spawn, const struct spawn_result *result, off_t from)
{
	bool good = result->end == SPAWN_EXITED && result->value == 0;
	char text[512];

	spawn_text(spawn, result, text, sizeof(text));
	if (!good)
		log_show_failure(&d->log, entry->label, text, from);
	if (result->end == SPAWN_EXITED || result->end == SPAWN_KILLED)
		log_line(&d->log, "%s: %s, %u ms", entry->name, text, result->ms);
	else
		log_line(&d->log, "%s: %s", entry->name, text);
	return good;
}

static bool run_part(
	const struct dispatch *d, const struct plan_entry *entry, struct filter *filter)
{
	const struct event *event = d->event;
	char *shell[] = {(char *)"/bin/bash", (char *)entry->path, (char *)event->object,
		(char *)event->op, (char *)event->subop, (char *)event->extra, NULL};
	struct environment environment;
	struct spawn spawn = {
		.argv = shell + 1,
		/* VFIO-Tools' own dispatcher is a script of bash, which runs such files itself, empty ones too */
		.shell = entry->source == PLAN_COMPAT_VFIO ? shell : NULL,
		.input = filter->current,
		.output = d->log.fd,
		.error = d->log.fd,
		.seconds = time_limit(d, entry),
		.capture = d->op->filters,
		.capture_max = INPUT_MAX,
		/* without the lock it would go on beside the guest's next life, where it deletes and unmounts */
		.dies_with_parent = plan_is_shipped(entry),
	};
	struct spawn_result result;
	off_t from = log_position(&d->log);
	char *failed = failed_told(d, entry);
	struct vp_run run;
	/* what acts on the record is allowed what its run was, also when the guest was renamed since */
	const char *domain =
		entry->asked ? life_run_name(d->record, event->object, &run) : event->object;
	int r = failed ? environment_make(d, domain, failed, &environment) : -1;
	bool good;

	free(failed);
	if (r < 0 || (d->op->filters && filter_open(filter, &spawn.output) < 0)) {
		log_error(&d->log, "%s cannot be run: %s", entry->label, strerror(errno));
		return false;
	}
	spawn.environment = environment.variables;
	result = spawn_run(&spawn);
	environment_free(&environment);
	good = report(d, entry, &spawn, &result, from);
	if (d->op->filters && !filter_take(filter, d, entry, good))
		good = false;
	return good;
}

static bool run_entry(
	const struct dispatch *d, const struct plan_entry *entry, struct filter *filter)
{
	if (entry->state == PLAN_RUN)
		return run_part(d, entry, filter);
	log_line(&d->log, "%s: refused: %s", entry->name, entry->why);
	log_show_failure(&d->log, entry->label, entry->why, -1);
	return false;
}

int run_parts(struct dispatch *d)
{
	struct filter filter = {.current = d->event->xml, .output = -1};
	bool recorded = false; /* the check, which is shipped, may have made the record by now */
	char name[NAME_MAX + 1];
	int status = 0, r;

	spawn_prepare();
	for (size_t i = 0; i < d->plan.count; i++) {
		const struct plan_entry *entry = &d->plan.entries[i];

		if (entry->state != PLAN_RUN && entry->state != PLAN_REFUSED)
			continue;
		r = recorded || entry->asked ? dispatch_open_record(d) : 0;
		recorded = recorded || plan_is_shipped(entry);
		if (r < 0 && entry->asked) /* nobody knows whether it is asked for: no success */
			log_error(&d->log, "%s: cannot open the record of the run: %s", entry->name,
				strerror(-r));
		else if (!is_asked(d, entry) || run_entry(d, entry, &filter))
			continue;
		status = 1;
		/* of what is shipped it is known as FAILED_SHIPPED */
		if (plan_is_shipped(entry) && entry->unreadable)
			continue;
		if (!run_is_advisory(d, entry) &&
			names_add(&d->failed, failed_name(d, entry, name)) < 0)
			break;
		if (!d->op->runs_rest)
			break;
	}
	if (status == 0 && d->op->filters)
		status = filter_finish(&filter, d, STDOUT_FILENO);
	return status;
}
