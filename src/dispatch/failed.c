/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record's list of the parts that failed in a teardown. */
#include "failed.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record.h"
#include "run.h"

const char *failed_name(
	const struct dispatch *d, const struct plan_entry *entry, char buffer[NAME_MAX + 1])
{
	char path[PATH_MAX];

	if (!event_is(d->event, "stopped", "end") || plan_is_shipped(entry))
		return entry->name;
	snprintf(path, sizeof(path), "%s/release_end.d/%s", d->conf->vendor_dir, entry->name);
	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return entry->name;
	return snprintf(buffer, NAME_MAX + 1, "stopped_end.d/%s", entry->name) > NAME_MAX
		       ? entry->name
		       : buffer;
}

int failed_add_unknown(struct dispatch *d, int error, const char *what)
{
	log_error(&d->log,
		"cannot %s: %s; nothing is deleted or unmounted, see 'virt-parts status'", what,
		strerror(-error));
	return names_add(&d->failed, FAILED_UNKNOWN);
}

static int load_unknown(struct dispatch *d, int error)
{
	char what[PATH_MAX + 64];

	snprintf(what, sizeof(what), "read '%s/%s/%s/failed', the list of what failed",
		d->conf->state_dir, d->event->driver, d->event->uuid);
	return failed_add_unknown(d, error, what);
}

/* The names in a file of the record, those behind its first line if FROM_SECOND. */
static int load(struct dispatch *d, const char *file, bool from_second)
{
	char *text, *line, *rest;
	int r = vp_record_read(d->record, file, &text, NULL);

	if (r < 0)
		return r == -ENOENT ? 0 : load_unknown(d, r);
	rest = text;
	r = *text ? 0 : load_unknown(d, -ENODATA);
	if (from_second)
		strsep(&rest, "\n");
	while (r == 0 && (line = strsep(&rest, "\n")))
		if (*line)
			r = names_add(&d->failed, line);
	if (r == -EINVAL) /* no name that anything here has written */
		r = load_unknown(d, r);
	free(text);
	return r;
}

int failed_load(struct dispatch *d)
{
	int r = load(d, "failed", false);

	/* the guest has not started since: what it left is still what the admin's own parts failed at */
	if (r == 0 && !vp_record_has(d->record, "started"))
		r = load(d, FAILED_BEFORE, true);
	return r;
}

int failed_keep_before(const struct dispatch *d, const char *reason)
{
	char *failed = NULL, *text;
	int r = vp_record_read(d->record, "failed", &failed, NULL);

	if (r < 0 && r != -ENOENT)
		return r;
	r = asprintf(&text, "%s\n%s", reason,
		!failed	  ? ""
		: *failed ? failed
			  : FAILED_UNKNOWN "\n");
	free(failed);
	if (r < 0)
		return -ENOMEM;
	r = vp_record_write(d->record, FAILED_BEFORE, text, (size_t)r);
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

/*
 * In place of a list that cannot be written: an empty file, for which there is mostly room on a full disk,
 * too. It says that nobody knows what failed. With O_EXCL a list that is there stays, with O_TRUNC not.
 */
static void leave_unknown(const struct dispatch *d, int flag)
{
	int fd = openat(
		d->record, "failed", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flag, 0600);

	if (fd >= 0)
		close(fd);
}

static bool is_shipped(const struct dispatch *d, const char *name)
{
	if (!strcmp(name, FAILED_SHIPPED))
		return true;
	for (size_t i = 0; i < d->plan.count; i++) {
		const struct plan_entry *entry = &d->plan.entries[i];

		if (!strcmp(entry->name, name) && plan_is_shipped(entry) && !entry->unreadable &&
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

/* Those in d->failed that are shipped, or those that are not. */
static int keep(const struct dispatch *d, bool shipped, struct names *ret)
{
	char name[NAME_MAX + 1];
	const char *at = NULL;
	int r = 0;

	while (r == 0 && names_next(&d->failed, &at, name))
		if (is_shipped(d, name) == shipped)
			r = names_add(ret, name);
	return r;
}

int failed_save(const struct dispatch *d)
{
	int r = write_failed(d, &d->failed), own;
	struct names names = {0};

	if (r == 0)
		return 0;
	own = keep(d, false, &names) < 0 || names.text;
	names_free(&names);
	/* the shipped ones run again; what was written ahead holds all others that may have failed */
	if (own)
		leave_unknown(d, O_EXCL);
	else
		vp_record_remove(d->record, "failed");
	return r;
}

bool failed_never_started(int record, const char *reason)
{
	return !strcmp(reason, "failed") && (record < 0 || !vp_record_has(record, "started"));
}

char *failed_told(const struct dispatch *d, const struct plan_entry *entry)
{
	struct names told = {0};

	if (!plan_is_shipped(entry) || names_has(&d->failed, FAILED_UNKNOWN) ||
		!failed_never_started(d->record, d->reason))
		return strdup(d->failed.text ? d->failed.text : "");
	if (keep(d, true, &told) < 0) {
		names_free(&told);
		return NULL;
	}
	return told.text ? told.text : strdup("");
}

int failed_forget_repeated(struct dispatch *d)
{
	struct names kept = {0};
	int r = keep(d, false, &kept);

	names_free(&d->failed);
	d->failed = kept;
	return r;
}

int failed_write_ahead(const struct dispatch *d)
{
	struct names names = {0};
	char name[NAME_MAX + 1], buffer[NAME_MAX + 1];
	const char *at = NULL;
	bool more = false;
	int r = 0;

	while (r == 0 && names_next(&d->failed, &at, name))
		r = names_add(&names, name);
	for (size_t i = 0; r == 0 && i < d->plan.count; i++) {
		const struct plan_entry *entry = &d->plan.entries[i];

		if ((entry->state != PLAN_RUN && entry->state != PLAN_REFUSED) ||
			plan_is_shipped(entry) || run_is_advisory(d, entry))
			continue;
		r = names_add(&names, failed_name(d, entry, buffer));
		more = true;
	}
	if (r == 0 && (more || d->finishing))
		r = write_failed(d, &names);
	if (r < 0 && more)
		leave_unknown(d, O_TRUNC);
	names_free(&names);
	return r;
}
