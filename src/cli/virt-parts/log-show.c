/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events of logs as lives: phases down the page, and in each its parts with what they printed last. */
#include "log-show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log-line.h"
#include "style.h"
#include "text.h"

/* columns: a part's name, an event's title behind its time, how they ended */
enum { LAST_LINES = 10, NAME_WIDTH = 54, TITLE_WIDTH = 35, HOW_WIDTH = 10 };

void log_print_line(const char *text, size_t length)
{
	struct log_line line = log_line_read(text, length);
	enum style which = line.bad ? STYLE_BAD : line.time ? STYLE_FAINT : STYLE_PLAIN;
	bool plain = which == STYLE_PLAIN;
	size_t size = 4 * length + 1;
	char *shown = malloc(size);

	if (!shown)
		return;
	vp_escape(text, length, shown, size);
	printf("%s%s%s\n", plain ? "" : style(which), shown, plain ? "" : style(STYLE_PLAIN));
	free(shown);
}

/* --- the lines of an event ------------------------------------------------------------------------------------ */

struct lines {
	const char *at, *end;
};

static bool next_line(struct lines *lines, struct log_line *ret)
{
	size_t n;

	if (lines->at == lines->end)
		return false;
	n = (size_t)((char *)memchr(lines->at, '\n', (size_t)(lines->end - lines->at)) - lines->at);
	*ret = log_line_read(lines->at, n);
	lines->at += n + 1;
	return true;
}

static struct lines lines_of(const struct log_event *event)
{
	return (struct lines){event->text, event->text + event->length};
}

static const char *shown(struct cli *cli, struct log_text text)
{
	return cli_shown(cli, cli_copy(cli, text.at, text.length));
}

/* What stands in FROM up to END, which is no output or the end of the event: the last lines of it. */
static void print_output(
	struct cli *cli, const struct log_event *event, struct lines from, const char *end)
{
	struct lines count = {from.at, end}, lines = count;
	struct log_line line;
	size_t n = 0, skip;

	while (next_line(&count, &line))
		n += line.kind == LOG_OUTPUT;
	skip = n > LAST_LINES ? n - LAST_LINES : 0;
	if (skip)
		printf("      %s| %zu lines before, in '%s/%s'%s\n", style(STYLE_FAINT), skip,
			cli->conf.log_dir, event->file, style(STYLE_PLAIN));
	while (next_line(&lines, &line)) {
		if (line.kind != LOG_OUTPUT || (skip && skip--))
			continue;
		printf("      | %s\n", shown(cli, line.text));
	}
}

static void print_took(long ms)
{
	if (ms >= 10000)
		printf("%7ld.%ld s", ms / 1000, ms % 1000 / 100);
	else if (ms >= 0)
		printf("%8ld ms", ms);
}

static void print_part(struct cli *cli, const struct log_line *line)
{
	/* a longer word of how it ended takes the blanks behind the name */
	int over = line->text.length > HOW_WIDTH ? (int)line->text.length - HOW_WIDTH : 0;

	printf("    ");
	style_print(STYLE_PLAIN, shown(cli, line->part), NAME_WIDTH - over);
	printf(" ");
	style_print(line->bad ? STYLE_BAD : STYLE_PLAIN, shown(cli, line->text),
		line->ms < 0 ? 0 : HOW_WIDTH);
	print_took(line->ms);
	printf("\n");
}

static void print_parts(struct cli *cli, const struct log_event *event)
{
	struct lines lines = lines_of(event), output = lines;
	struct log_line line;
	const char *before;

	for (before = lines.at; next_line(&lines, &line); before = lines.at) {
		if (line.kind == LOG_OUTPUT)
			continue;
		if (line.kind == LOG_PART)
			print_part(cli, &line);
		if (line.kind == LOG_PART || line.kind == LOG_END)
			print_output(cli, event, output, before);
		if (line.kind == LOG_TOLD)
			printf("    %s%s%s\n", style(line.bad ? STYLE_BAD : STYLE_FAINT),
				shown(cli, line.text), style(STYLE_PLAIN));
		/* a line that is told does not part a part from what it has printed */
		if (line.kind != LOG_TOLD)
			output = lines;
	}
	print_output(cli, event, output, lines.at);
}

/* --- for people ----------------------------------------------------------------------------------------------- */

/* `prepare begin`, and why the guest ended */
static const char *title(struct cli *cli, const struct log_event *event)
{
	char *name = cli_alloc(cli, strlen(event->name) + 1), *at;

	strcpy(name, event->name);
	at = strchr(name, '_');
	if (at)
		*at = ' ';
	if (*event->reason)
		return cli_format(
			cli, "%s (%s)", cli_shown(cli, name), cli_shown(cli, event->reason));
	if (*event->extra && strcmp(event->extra, "-") != 0)
		return cli_format(cli, "%s %s", cli_shown(cli, name), cli_shown(cli, event->extra));
	return cli_shown(cli, name);
}

static void print_event(struct cli *cli, const struct log_event *event)
{
	const char *how = event->ended	 ? cli_format(cli, "exit %ld", event->exit)
			  : event->begun ? "not ended"
					 : "refused";

	printf("  %s  ", cli_when(cli, event->time));
	style_print(STYLE_BOLD, title(cli, event), TITLE_WIDTH);
	printf(" ");
	style_print(event->ended && event->exit == 0 ? STYLE_GOOD : STYLE_BAD, how,
		event->ms < 0 ? 0 : HOW_WIDTH);
	print_took(event->ms);
	printf("\n");
	print_parts(cli, event);
}

static bool is_last_of_life(const struct log_event *event)
{
	return !strcmp(event->name, "release_end");
}

/*
 * Whether event I begins a life, which the one before it is not of, or is the first of its log. LIFE: the
 * first of that. A guest may have parts at its start or when it has started alone: another such is another life's.
 */
static bool is_first_of_life(const struct log_events *events, size_t life, size_t i)
{
	const struct log_event *event = &events->events[i];

	if (i == 0 || strcmp(event->log, event[-1].log) != 0 ||
		!strcmp(event->name, "prepare_begin") || is_last_of_life(event - 1))
		return true;
	if (strcmp(event->name, "start_begin") != 0 && strcmp(event->name, "started_begin") != 0)
		return false;
	while (life < i && strcmp(events->events[life].name, event->name) != 0)
		life++;
	return life < i;
}

static void print_head(struct cli *cli, const struct log_event *first, const struct log_event *last)
{
	printf("%s%s%s  %s", style(STYLE_BOLD), cli_shown(cli, first->log), style(STYLE_PLAIN),
		cli_when(cli, first->time));
	if (is_last_of_life(last) && last->ended)
		printf(" - %s%s%s", cli_when(cli, last->ended), *last->reason ? ", " : "",
			cli_shown(cli, last->reason));
	printf("\n");
}

struct life {
	const struct log_event *first;
	size_t count;
};

static int by_begin(const void *a, const void *b)
{
	const struct log_event *x = ((const struct life *)a)->first,
			       *y = ((const struct life *)b)->first;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* Whether anything of it was printed. */
static bool print_life(struct cli *cli, const struct life *life, const bool *wanted, bool parted)
{
	bool headed = false;

	for (size_t i = 0; i < life->count; i++) {
		if (!wanted[life->first[i].number])
			continue;
		if (!headed && parted)
			printf("\n");
		if (!headed)
			print_head(cli, life->first, &life->first[life->count - 1]);
		headed = true;
		print_event(cli, &life->first[i]);
	}
	return headed;
}

void log_show_lives(struct cli *cli, const struct log_events *events, const bool *wanted)
{
	struct life *lives = cli_alloc(cli, (events->count + 1) * sizeof(*lives));
	bool parted = false;
	size_t n = 0, first = 0;

	for (size_t i = 0; i < events->count; i++) {
		if (is_first_of_life(events, first, i)) {
			first = i;
			lives[n++] = (struct life){.first = &events->events[i]};
		}
		lives[n - 1].count++;
	}
	if (n)
		qsort(lives, n, sizeof(*lives), by_begin);
	for (size_t i = 0; i < n; i++)
		parted = print_life(cli, &lives[i], wanted, parted) || parted;
}

/* --- for programs --------------------------------------------------------------------------------------------- */

static void json_slice(struct cli *cli, struct json *json, const char *name, struct log_text text)
{
	json_text(json, name, cli_copy(cli, text.at, text.length));
}

static void json_number_or_null(struct json *json, const char *name, long number)
{
	if (number < 0)
		json_text(json, name, NULL);
	else
		json_number(json, name, number);
}

/* The lines of KIND between two places. */
static void json_lines(struct cli *cli, struct json *json, const char *name, struct lines lines,
	enum log_kind kind)
{
	struct log_line line;

	json_array(json, name);
	while (next_line(&lines, &line))
		if (line.kind == kind)
			json_slice(cli, json, NULL, line.text);
	json_end(json);
}

static void json_parts(struct cli *cli, struct json *json, const struct log_event *event)
{
	struct lines lines = lines_of(event), output = lines;
	struct log_line line;

	json_array(json, "parts");
	while (next_line(&lines, &line)) {
		if (line.kind == LOG_PART) {
			json_object(json, NULL);
			json_slice(cli, json, "name", line.part);
			json_bool(json, "failed", line.bad);
			json_slice(cli, json, "result", line.text);
			json_number_or_null(json, "exit", line.exit);
			json_number_or_null(json, "ms", line.ms);
			json_lines(cli, json, "lines", (struct lines){output.at, lines.at},
				LOG_OUTPUT);
			json_end(json);
		}
		if (line.kind == LOG_PART || line.kind == LOG_BEGIN)
			output = lines;
	}
	json_end(json);
	/* of a part that has not ended, or of nobody */
	json_lines(cli, json, "lines", output, LOG_OUTPUT);
}

void log_show_json(struct cli *cli, struct json *json, const struct log_event *event)
{
	json_object(json, NULL);
	json_text(json, "log", cli_format(cli, "%s.log", event->log));
	json_time(json, "time", event->time);
	json_text(json, "event", *event->name ? event->name : NULL);
	json_text(json, "extra", *event->extra ? event->extra : NULL);
	json_text(json, "reason", *event->reason ? event->reason : NULL);
	json_bool(json, "failed", event->bad);
	json_number_or_null(json, "exit", event->exit);
	json_number_or_null(json, "ms", event->ms);
	json_parts(cli, json, event);
	json_lines(cli, json, "messages", lines_of(event), LOG_TOLD);
	json_end(json);
}
