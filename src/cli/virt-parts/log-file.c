/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's log as events. */
#include "log-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dispatch/clock.h"
#include "style.h"
#include "text.h"

/* `2026-11-21T22:10:25.123Z `, then the event's name. */
enum { STAMP = 25 };

time_t log_line_time(const char *line, size_t length)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ ";
	unsigned n[6] = {0};
	struct utc utc;
	size_t field = 0;

	if (length < STAMP)
		return 0;
	for (size_t i = 0; i < STAMP; i++) {
		bool digit = line[i] >= '0' && line[i] <= '9';

		if (form[i] == 'd' ? !digit : line[i] != form[i])
			return 0;
		if (digit && field < 6)
			n[field] = n[field] * 10 + (unsigned)(line[i] - '0');
		else if (!digit)
			field++;
	}
	utc = (struct utc){(int)n[0], n[1], n[2], n[3], n[4], n[5]};
	return clock_seconds(&utc);
}

static bool has(const char *text, size_t length, const char *what)
{
	return memmem(text, length, what, strlen(what)) != NULL;
}

/* What stands behind the event's name; LENGTH 0 when the line is not the dispatcher's. */
static const char *text_of(const char *line, size_t *length)
{
	const char *colon = NULL;

	if (log_line_time(line, *length))
		colon = memmem(line + STAMP, *length - STAMP, ": ", 2);
	if (!colon) {
		*length = 0;
		return line;
	}
	*length -= (size_t)(colon + 2 - line);
	return colon + 2;
}

static bool begins(const char *text, size_t length, const char *what)
{
	return length >= strlen(what) && memcmp(text, what, strlen(what)) == 0;
}

bool log_line_is_bad(const char *line, size_t length)
{
	const char *text = text_of(line, &length);

	if (!length || begins(text, length, "begin ") || begins(text, length, "note: "))
		return false;
	if (begins(text, length, "error: ") || begins(text, length, "warning: "))
		return true;
	if (has(text, length, "exit "))
		return !has(text, length, "exit 0,");
	return has(text, length, ": killed by signal ") || has(text, length, ": timed out ") ||
	       has(text, length, ": refused: ") || has(text, length, ": cannot be run: ") ||
	       has(text, length, ": prints ");
}

static bool is_end(const char *line, size_t length)
{
	const char *text = text_of(line, &length);

	return length && begins(text, length, "end exit ");
}

static char *read_file(const char *path, off_t from, size_t *ret_length, struct stat *ret_stat)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	char *text = NULL;
	size_t used = 0;
	ssize_t n;

	*ret_length = 0;
	if (fd < 0)
		return NULL;
	if (fstat(fd, ret_stat) == 0 && S_ISREG(ret_stat->st_mode) && ret_stat->st_size >= from)
		text = malloc((size_t)(ret_stat->st_size - from) + 1);
	else
		errno = EINVAL;
	while (text && used < (size_t)(ret_stat->st_size - from) &&
		(n = pread(fd, text + used, (size_t)(ret_stat->st_size - from) - used,
			 from + (off_t)used)) > 0)
		used += (size_t)n;
	/* a last line that is not whole is for the next time */
	while (used && text[used - 1] != '\n')
		used--;
	close(fd);
	*ret_length = used;
	return text;
}

static int add(struct log_events *events, const struct log_event *event)
{
	struct log_event *list = events->events;

	if (!(events->count & (events->count - 1))) {
		list = reallocarray(
			list, events->count ? 2 * events->count : 1, sizeof(*events->events));
		if (!list)
			return -ENOMEM;
		events->events = list;
	}
	list[events->count] = *event;
	list[events->count].number = events->count;
	events->count++;
	return 0;
}

/* What a line adds to the event that it stands in. */
static void take_line(struct cli *cli, struct log_event *event, const char *line, size_t length)
{
	time_t time = log_line_time(line, length);

	if (time && !event->time) {
		event->time = time;
		event->name = cli_copy(cli, line + STAMP,
			strcspn(cli_copy(cli, line + STAMP, length - STAMP), ":"));
	}
	event->bad = event->bad || log_line_is_bad(line, length);
	event->length += length + 1;
}

int log_read(struct cli *cli, const char *file, struct log_events *events)
{
	struct stat st;
	size_t length;
	char *text = read_file(cli_format(cli, "%s/%s", cli->conf.log_dir, file), 0, &length, &st);
	const char *line, *end;
	struct log_event event = {.file = file, .name = ""};
	time_t last = 0;
	int r = 0;

	if (!text)
		return -errno;
	line = event.text = cli_copy(cli, text, length);
	free(text);
	for (end = line + length; r == 0 && line < end;) {
		size_t n = (size_t)((char *)memchr(line, '\n', (size_t)(end - line)) - line);
		bool over = is_end(line, n);

		take_line(cli, &event, line, n);
		line += n + 1;
		if (!over && line < end)
			continue;
		/* an event without any time is as old as the one before it */
		if (!event.time)
			event.time = last;
		last = event.time;
		r = add(events, &event);
		event = (struct log_event){.file = file, .text = line, .name = ""};
	}
	return r;
}

void log_free(struct log_events *events)
{
	free(events->events);
	*events = (struct log_events){0};
}

void log_print_line(const char *line, size_t length)
{
	enum style which = log_line_is_bad(line, length) ? STYLE_BAD
			   : log_line_time(line, length) ? STYLE_FAINT
							 : STYLE_PLAIN;
	bool plain = which == STYLE_PLAIN;
	size_t size = 4 * length + 1;
	char *text = malloc(size);

	if (!text)
		return;
	vp_escape(line, length, text, size);
	printf("%s%s%s\n", plain ? "" : style(which), text, plain ? "" : style(STYLE_PLAIN));
	free(text);
}

void log_tail_end(struct log_tail *tail)
{
	struct stat st;

	if (stat(tail->path, &st) == 0) {
		tail->inode = st.st_ino;
		tail->at = st.st_size;
	}
}

int log_tail_read(struct log_tail *tail, char **ret, size_t *ret_length)
{
	struct stat st;

	*ret = NULL;
	*ret_length = 0;
	if (stat(tail->path, &st) < 0)
		return errno == ENOENT ? 0 : -errno; /* the new one is not there yet */
	if (st.st_ino != tail->inode || st.st_size < tail->at) {
		tail->inode = st.st_ino;
		tail->at = 0;
	}
	if (st.st_size == tail->at)
		return 0;
	*ret = read_file(tail->path, tail->at, ret_length, &st);
	tail->at += (off_t)*ret_length;
	return 0;
}
