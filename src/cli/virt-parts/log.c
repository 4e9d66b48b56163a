/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log: what events have run and printed, as the lives of guests; --failed: only where something went wrong. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dispatch/clock.h"
#include "json.h"
#include "log-file.h"
#include "log-find.h"
#include "log-show.h"
#include "text.h"

enum { FOLLOW_MS = 200 };

struct logging {
	struct cli *cli;
	time_t since;
	bool failed; /* only events that failed */
};

/* --- which events --------------------------------------------------------------------------------------------- */

/* A duration back from now, or a local date, with or without a time. */
static bool parse_since(const char *text, time_t *ret)
{
	static const char *const formats[] = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"};
	unsigned seconds;

	if (vp_parse_duration(text, &seconds) == 0) {
		*ret = time(NULL) - seconds;
		return true;
	}
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct tm tm = {.tm_isdst = -1};
		const char *end = strptime(text, formats[i], &tm);

		if (end && !*end) {
			*ret = mktime(&tm);
			return true;
		}
	}
	cli_error("--since '%.64s' is neither a time such as 10min or 2h nor a date such as "
		  "2026-11-21 or '2026-11-21 22:10'",
		text);
	return false;
}

static bool is_wanted(const struct logging *l, const struct log_event *event)
{
	return event->time >= l->since && (!l->failed || event->bad);
}

/* --- which files ---------------------------------------------------------------------------------------------- */

/* What is wanted may stand in files that are not read: which. */
static void tell_packed(const struct logging *l, const struct log_found *found, size_t count)
{
	enum { TOLD = 3 };
	const char *files = "";
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (found[i].packed && found[i].last >= l->since && n++ < TOLD)
			files = cli_format(l->cli, "%s%s'%s/%s'", files, *files ? ", " : "",
				l->cli->conf.log_dir, found[i].file);
	if (n > TOLD)
		files = cli_format(l->cli, "%s and %zu more", files, n - TOLD);
	if (n)
		cli_error("not shown is what is in compressed logs, which zless shows: %s", files);
}

static int read_files(
	struct logging *l, const struct log_found *found, size_t count, struct log_events *events)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		if (!found[i].packed)
			r = log_read(l->cli, found[i].log, found[i].file, events);
	return r;
}

static int by_time(const void *a, const void *b)
{
	const struct log_event *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static void show(const struct logging *l, struct log_events *events)
{
	struct json json = {0};
	bool *wanted = cli_alloc(l->cli, events->count + 1);

	for (size_t i = 0; i < events->count; i++)
		wanted[i] = is_wanted(l, &events->events[i]);
	if (!l->cli->json) {
		log_show_lives(l->cli, events, wanted);
		return;
	}
	if (events->count)
		qsort(events->events, events->count, sizeof(*events->events), by_time);
	json_array(&json, NULL);
	for (size_t i = 0; i < events->count; i++)
		if (wanted[events->events[i].number])
			log_show_json(l->cli, &json, &events->events[i]);
	json_end(&json);
}

/* --- following ------------------------------------------------------------------------------------------------ */

/* Of several logs the one that has the name which was given; NULL, and told, where that does not say which. */
static const char *find_one(const struct log_found *found, size_t count, const char *name)
{
	const char *one = found->log, *named = NULL;
	bool several = false, several_named = false;

	for (size_t i = 0; i < count; i++) {
		several = several || strcmp(found[i].log, one) != 0;
		if (!found[i].named)
			continue;
		several_named = several_named || (named && strcmp(found[i].log, named) != 0);
		named = found[i].log;
	}
	if (!several)
		return one;
	if (named && !several_named)
		return named;
	cli_error("there is more than one log of '%s': say which, such as '%s'", name, one);
	return NULL;
}

/* What is added to the log from here on, until the program is ended; a new file is begun anew. */
static int follow(struct logging *l, const char *log)
{
	const char *path = cli_format(l->cli, "%s/%s.log", l->cli->conf.log_dir, log);
	struct log_tail tail = {.path = path};
	char *text;
	size_t length;

	log_tail_end(&tail);
	for (;;) {
		int r = log_tail_read(&tail, &text, &length);

		if (r < 0)
			return cli_error("cannot read '%s': %s", path, strerror(-r));
		for (char *line = text; length && line < text + length;) {
			char *end = memchr(line, '\n', (size_t)(text + length - line));

			log_print_line(line, (size_t)(end - line));
			line = end + 1;
		}
		free(text);
		if (fflush(stdout) != 0)
			return CLI_ERROR;
		clock_sleep(FOLLOW_MS);
	}
}

static int no_log(struct cli *cli, const char *name, const char *why)
{
	return cli_error("there is no log of '%s' in '%s'%s%s", name, cli->conf.log_dir,
		*why ? "; libvirt could not be asked whether it has another name: " : "", why);
}

int log_command(struct cli *cli, int argc, char **argv)
{
	struct logging l = {.cli = cli, .failed = cli_option(cli, "--failed")};
	const char *since = cli_option(cli, "--since"), *name = argc ? argv[0] : NULL, *why, *one;
	struct log_events events = {0};
	struct log_found *found;
	size_t n;
	int r;

	if (since && !parse_since(since, &l.since))
		return CLI_ERROR;
	if (cli_option(cli, "--follow") && (!name || cli->json || l.failed))
		return cli_error("--follow is for one guest, without --json and --failed");
	r = log_find(cli, name, &found, &n, &why);
	if (r == 0)
		r = read_files(&l, found, n, &events);
	if (r < 0)
		return cli_error(
			"cannot read the logs in '%s': %s", cli->conf.log_dir, strerror(-r));
	if (name && !n)
		return no_log(cli, name, why);
	tell_packed(&l, found, n);
	show(&l, &events);
	log_free(&events);
	if (!cli_option(cli, "--follow"))
		return CLI_GOOD;
	one = find_one(found, n, name);
	return one ? follow(&l, one) : CLI_ERROR;
}
