/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line of a guest's log. */
#include "log-line.h"

#include <stdlib.h>
#include <string.h>

#include "dispatch/clock.h"
#include "text.h"

static time_t time_of(const char *line, size_t length)
{
	unsigned n[6] = {0};
	struct utc utc;
	size_t field = 0;

	if (!vp_is_stamped(line, length))
		return 0;
	for (size_t i = 0; i < VP_STAMP; i++) {
		bool digit = line[i] >= '0' && line[i] <= '9';

		if (digit && field < 6)
			n[field] = n[field] * 10 + (unsigned)(line[i] - '0');
		else if (!digit)
			field++;
	}
	utc = (struct utc){(int)n[0], n[1], n[2], n[3], n[4], n[5]};
	return clock_seconds(&utc);
}

/* TEXT up to WHAT, and in ret_rest what follows; all of it and nothing without WHAT. */
static struct log_text up_to(struct log_text text, const char *what, struct log_text *ret_rest)
{
	const char *found = memmem(text.at, text.length, what, strlen(what));
	size_t n = found ? (size_t)(found - text.at) : text.length;

	*ret_rest = (struct log_text){text.at + text.length, 0};
	if (found) {
		*ret_rest = (struct log_text){found + strlen(what), text.length - n - strlen(what)};
		text.length = n;
	}
	return text;
}

static bool begins(struct log_text text, const char *what)
{
	return text.length >= strlen(what) && memcmp(text.at, what, strlen(what)) == 0;
}

/* The number that ends TEXT, or stands before WHAT; -1 when there is none. */
static long number_before(struct log_text text, const char *what)
{
	struct log_text rest;
	char digits[16] = "", *end;
	size_t from;
	long n;

	text = up_to(text, what, &rest);
	for (from = text.length; from && text.at[from - 1] >= '0' && text.at[from - 1] <= '9';)
		from--;
	if (from == text.length || text.length - from >= sizeof(digits))
		return -1;
	memcpy(digits, text.at + from, text.length - from);
	n = strtol(digits, &end, 10);
	return *end ? -1 : n;
}

static void read_exit(struct log_line *line, struct log_text text)
{
	struct log_text rest;

	if (!begins(text, "exit ")) {
		line->bad = true;
		return;
	}
	line->exit = number_before(up_to(text, ", ", &rest), "\n");
	line->bad = line->exit != 0;
}

static bool is_of_part(struct log_text how)
{
	static const char *const ends[] = {"exit ", "killed by signal ", "timed out after ",
		"printed more than ", "cannot be run: ", "refused: "};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (begins(how, ends[i]))
			return true;
	return false;
}

struct log_line log_line_read(const char *text, size_t length)
{
	struct log_line line = {
		.kind = LOG_OUTPUT, .ms = -1, .pid = -1, .exit = -1, .text = {text, length}};
	struct log_text rest, how, all;
	time_t time = time_of(text, length);

	if (!time)
		return line;
	line.event = up_to((struct log_text){text + VP_STAMP, length - VP_STAMP}, ": ", &all);
	if (!all.length)
		return line;
	line.time = time;
	line.kind = LOG_TOLD;
	line.text = all;
	line.part = up_to(all, ": ", &how);
	if (begins(all, "begin extra=")) {
		line.kind = LOG_BEGIN;
		up_to(all, "extra=", &rest);
		line.extra = up_to(rest, " pid=", &rest);
		line.pid = number_before(up_to(rest, " reason=", &line.reason), "\n");
	} else if (begins(all, "end exit ")) {
		line.kind = LOG_END;
		up_to(all, "end ", &line.text);
		line.text = up_to(line.text, " pid=", &rest);
		line.pid = number_before(rest, "\n");
		line.ms = number_before(line.text, " ms");
		read_exit(&line, line.text);
	} else if (begins(all, "error: ") || begins(all, "warning: ")) {
		line.bad = true;
	} else if (!begins(all, "note: ") && is_of_part(how)) {
		line.kind = LOG_PART;
		line.ms = number_before(how, " ms");
		read_exit(&line, how);
		line.text = line.ms < 0 ? how : up_to(how, ", ", &rest);
	}
	return line;
}
