/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Archives that the run owes: a run that could not be finished goes on when its guest starts again, and ends
 * once more, maybe for a reason at which nothing is archived.
 *
 * The record's file `owed`: `TURN REASON` of each end that the run went on from.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directives.h"

static const char file[] = "owed";

int vp_owed_add(int run, unsigned turn, const char *reason)
{
	char *owed = NULL, *line, *text;
	int r;

	if (asprintf(&line, "%u %s", turn, reason) < 0)
		return -ENOMEM;
	r = vp_record_has_line(run, file, line);
	if (r == 0)
		r = vp_record_read(run, file, &owed, NULL);
	if (r == 0 || r == -ENOENT) {
		r = asprintf(&text, "%s%s\n", owed ? owed : "", line);
		if (r >= 0) {
			r = vp_record_write(run, file, text, (size_t)r);
			free(text);
		} else {
			r = -ENOMEM;
		}
	}
	free(owed);
	free(line);
	return r < 0 ? r : 0;
}

int vp_owed_forget(int run)
{
	return vp_record_remove(run, file);
}

/* Whether the run's <dircopy> NUMBER is in archive's journal for TURN, or one after it. */
static bool was_archived(const char *journal, unsigned turn, unsigned number)
{
	/* not by sscanf(3), which looks for the end of all of it at each line */
	for (const char *at = journal; at && *at; at = strchr(at, '\n')) {
		char *rest;
		unsigned its_turn;

		at += *at == '\n';
		its_turn = (unsigned)strtoul(at, &rest, 10);
		if (rest > at && its_turn >= turn && (unsigned)strtoul(rest, NULL, 10) == number)
			return true;
	}
	return false;
}

static bool is_owed(char *owed, const char *journal, const char *when, unsigned number)
{
	char *line, *reason;

	while ((line = strsep(&owed, "\n"))) {
		unsigned turn = (unsigned)strtoul(line, &reason, 10);

		if (*reason == ' ' && vp_reason_matches(when, VP_ARCHIVE_WHEN, reason + 1) &&
			!was_archived(journal, turn, number))
			return true;
	}
	return false;
}

int vp_archive_is_due(int run, const char *when, const char *reason, unsigned number)
{
	char *owed, *journal = NULL;
	int r;

	if (vp_reason_matches(when, VP_ARCHIVE_WHEN, reason))
		return 1;
	if (vp_reason_is_pause(reason))
		return 0;
	r = vp_record_read(run, file, &owed, NULL);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = vp_record_read(run, "done/archive", &journal, NULL);
	if (r == 0 || r == -ENOENT)
		r = is_owed(owed, journal ? journal : "", when, number);
	free(journal);
	free(owed);
	return r;
}
