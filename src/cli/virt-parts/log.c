/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log: what events have run and printed. --failed shows only events in which something went wrong; an
 * event is what stands up to its `end` line.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dispatch/clock.h"
#include "json.h"
#include "log-file.h"
#include "style.h"
#include "text.h"

enum { FOLLOW_MS = 200 };

struct logging {
	struct cli *cli;
	struct json json;
	time_t since;
	bool failed;  /* only events that failed */
	bool several; /* of several guests: their name in front */
	unsigned shown;
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

static void print_event(struct logging *l, const struct log_event *event)
{
	const char *line = event->text, *end = event->text + event->length;

	if (l->several)
		printf("%s%s%s\n", style(STYLE_BOLD), cli_shown(l->cli, event->file),
			style(STYLE_PLAIN));
	while (line < end) {
		size_t length = (size_t)((char *)memchr(line, '\n', (size_t)(end - line)) - line);

		log_print_line(line, length);
		line += length + 1;
	}
}

static void json_event(struct logging *l, const struct log_event *event)
{
	struct json *json = &l->json;
	const char *line = event->text, *end = event->text + event->length;

	json_object(json, NULL);
	json_text(json, "log", event->file);
	json_time(json, "time", event->time);
	json_text(json, "event", *event->name ? event->name : NULL);
	json_bool(json, "failed", event->bad);
	json_array(json, "lines");
	while (line < end) {
		size_t length = (size_t)((char *)memchr(line, '\n', (size_t)(end - line)) - line);

		json_text(json, NULL, cli_copy(l->cli, line, length));
		line += length + 1;
	}
	json_end(json);
	json_end(json);
}

static void show(struct logging *l, const struct log_event *event)
{
	if (event->time < l->since || (l->failed && !event->bad))
		return;
	l->shown++;
	if (l->cli->json)
		json_event(l, event);
	else
		print_event(l, event);
}

/* --- which files ---------------------------------------------------------------------------------------------- */

/* The logs of a guest of that name or UUID, of any driver; all of them without one. */
static int find_files(
	struct cli *cli, const char *name, const char **files, size_t max, size_t *ret)
{
	static const char *const drivers[] = {"qemu", "lxc", "libxl", "bhyve", "network"};
	DIR *dir = opendir(cli->conf.log_dir);
	struct dirent *entry;

	*ret = 0;
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir)) && *ret < max) {
		const char *file = entry->d_name;
		size_t length = strlen(file);
		bool wanted = !name || !strcmp(file, cli_format(cli, "%s.log", name));

		if (length < 5 || strcmp(file + length - 4, ".log") != 0)
			continue;
		for (size_t i = 0; !wanted && i < sizeof(drivers) / sizeof(drivers[0]); i++)
			wanted = !strcmp(file, cli_format(cli, "%s-%s.log", drivers[i], name));
		if (wanted)
			files[(*ret)++] = cli_copy(cli, file, length);
	}
	closedir(dir);
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct log_event *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* --- following ------------------------------------------------------------------------------------------------ */

/* What is added to the file from here on, until the program is ended; a new file is begun anew. */
static int follow(struct logging *l, const char *file)
{
	const char *path = cli_format(l->cli, "%s/%s", l->cli->conf.log_dir, file);
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

int log_command(struct cli *cli, int argc, char **argv)
{
	enum { MAX_FILES = 4096 };
	struct logging l = {.cli = cli, .failed = cli_option(cli, "--failed")};
	const char *since = cli_option(cli, "--since"), **files, *name = argc ? argv[0] : NULL;
	struct log_events events = {0};
	size_t n;
	int r;

	if (since && !parse_since(since, &l.since))
		return CLI_ERROR;
	if (cli_option(cli, "--follow") && (!name || cli->json || l.failed))
		return cli_error("--follow is for one guest, without --json and --failed");
	files = cli_alloc(cli, MAX_FILES * sizeof(*files));
	r = find_files(cli, name, files, MAX_FILES, &n);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = log_read(cli, files[i], &events);
	if (r < 0)
		return cli_error(
			"cannot read the logs in '%s': %s", cli->conf.log_dir, strerror(-r));
	if (name && !n)
		return cli_error("there is no log of '%s' in '%s'", name, cli->conf.log_dir);
	l.several = n > 1;
	if (events.count)
		qsort(events.events, events.count, sizeof(*events.events), by_time);
	if (cli->json)
		json_array(&l.json, NULL);
	for (size_t i = 0; i < events.count; i++)
		show(&l, &events.events[i]);
	if (cli->json)
		json_end(&l.json);
	log_free(&events);
	if (cli_option(cli, "--follow"))
		return n == 1 ? follow(&l, files[0])
			      : cli_error("there is more than one log of '%s'; name its file: '%s'",
					name, files[0]);
	return CLI_GOOD;
}
