/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record's list of the parts that failed in a teardown. */
#include "failed.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"
#include "run.h"

static int load_unknown(struct dispatch *d, int error)
{
	log_error(&d->log,
		"cannot read '%s/%s/%s/failed', the list of what failed: %s; nothing is deleted or "
		"unmounted, see 'virt-parts status'",
		d->conf->state_dir, d->event->driver, d->event->uuid, strerror(-error));
	return names_add(&d->failed, FAILED_UNKNOWN);
}

int failed_load(struct dispatch *d)
{
	char *text, *line, *rest;
	int r = vp_record_read(d->record, "failed", &text, NULL);

	if (r < 0)
		return r == -ENOENT ? 0 : load_unknown(d, r);
	rest = text;
	r = 0;
	while (r == 0 && (line = strsep(&rest, "\n")))
		if (*line)
			r = names_add(&d->failed, line);
	if (r == -EINVAL) /* no name that anything here has written */
		r = load_unknown(d, r);
	free(text);
	return r;
}

static int write_failed(const struct dispatch *d, const struct names *names)
{
	char *lines;
	int r;

	if (!names->text)
		return vp_record_remove(d->record, "failed");
	if (asprintf(&lines, "%s\n", names->text) < 0)
		return -ENOMEM;
	for (char *p = lines; *p; p++)
		if (*p == ' ')
			*p = '\n';
	r = vp_record_write(d->record, "failed", lines, strlen(lines));
	free(lines);
	return r;
}

int failed_save(const struct dispatch *d)
{
	return write_failed(d, &d->failed);
}

static bool is_shipped(const struct dispatch *d, const char *name)
{
	if (!strcmp(name, FAILED_SHIPPED))
		return true;
	for (size_t i = 0; i < d->plan.count; i++) {
		const struct plan_entry *entry = &d->plan.entries[i];

		if (!strcmp(entry->name, name) && plan_is_shipped(entry) &&
			(entry->state == PLAN_RUN || entry->state == PLAN_IDLE ||
				entry->state == PLAN_REFUSED))
			return true;
	}
	return false;
}

bool failed_has_shipped(const struct dispatch *d)
{
	char name[NAME_MAX + 1];
	const char *at = NULL;

	while (names_next(&d->failed, &at, name))
		if (is_shipped(d, name))
			return true;
	return false;
}

int failed_forget_repeated(struct dispatch *d)
{
	struct names kept = {0};
	char name[NAME_MAX + 1];
	const char *at = NULL;
	int r = 0;

	while (r == 0 && names_next(&d->failed, &at, name))
		if (!is_shipped(d, name))
			r = names_add(&kept, name);
	names_free(&d->failed);
	d->failed = kept;
	return r;
}

int failed_write_ahead(const struct dispatch *d)
{
	struct names names = {0};
	char name[NAME_MAX + 1];
	const char *at = NULL;
	bool more = false;
	int r = 0;

	while (r == 0 && names_next(&d->failed, &at, name))
		r = names_add(&names, name);
	for (size_t i = 0; r == 0 && i < d->plan.count; i++) {
		const struct plan_entry *entry = &d->plan.entries[i];

		if (entry->state != PLAN_RUN || plan_is_shipped(entry) || run_is_advisory(d, entry))
			continue;
		r = names_add(&names, entry->name);
		more = true;
	}
	if (r == 0 && (more || d->finishing))
		r = write_failed(d, &names);
	names_free(&names);
	return r;
}
