/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's log as events. */
#include "log-file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log-line.h"

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
static void take_line(struct cli *cli, struct log_event *event, const struct log_line *line)
{
	if (line->time && !event->time) {
		event->time = line->time;
		event->name = cli_copy(cli, line->event.at, line->event.length);
	}
	if (line->kind == LOG_BEGIN) {
		event->begun = true;
		event->pid = line->pid;
		event->extra = cli_copy(cli, line->extra.at, line->extra.length);
		event->reason = cli_copy(cli, line->reason.at, line->reason.length);
	} else if (line->kind == LOG_END) {
		event->ended = line->time;
		event->exit = line->exit;
		event->ms = line->ms;
	}
	event->bad = event->bad || line->bad;
}

/* Which of the events since FIRST a line ends that stands in EVENT, as they were run at once; NULL: EVENT. */
static struct log_event *find_begun(struct log_events *events, size_t first,
	const struct log_event *event, const struct log_line *line)
{
	if (line->kind != LOG_END || line->pid < 0 || event->pid == line->pid)
		return NULL;
	for (size_t i = events->count; i-- > first;) {
		struct log_event *each = &events->events[i];

		if (each->begun && !each->ended && each->pid == line->pid)
			return each;
	}
	return NULL;
}

/* What stands behind another event that has ended first. */
static void join(struct cli *cli, struct log_event *event, const struct log_event *more)
{
	char *text = cli_alloc(cli, event->length + more->length);

	memcpy(text, event->text, event->length);
	memcpy(text + event->length, more->text, more->length);
	event->text = text;
	event->length += more->length;
	event->bad = event->bad || more->bad;
}

/* Whether the process is a hook: another program may have the number by now. */
static bool is_hook(struct cli *cli, long pid)
{
	char program[PATH_MAX];
	ssize_t n = readlink(cli_format(cli, "/proc/%ld/exe", pid), program, sizeof(program) - 1);

	program[n < 0 ? 0 : n] = '\0';
	return strstr(program, "/virt-parts-hook") != NULL;
}

/* The last of a log may be running now; an earlier one beside it, as events of a network do. */
static void find_killed(struct cli *cli, struct log_events *events, size_t first)
{
	for (size_t i = first; i < events->count; i++) {
		struct log_event *event = &events->events[i];
		bool last = i + 1 == events->count;

		if (!event->begun || event->ended)
			continue;
		if (!(last && (event->pid <= 0 || kill((pid_t)event->pid, 0) == 0 ||
				      errno != ESRCH)) &&
			!is_hook(cli, event->pid))
			event->bad = true;
	}
}

/* A line that begins another event: the one before was killed, or refused before it began. */
static bool is_another(const struct log_event *event, const struct log_line *line)
{
	return line->kind == LOG_BEGIN && event->time &&
	       (event->begun || strlen(event->name) != line->event.length ||
		       memcmp(event->name, line->event.at, line->event.length) != 0);
}

static struct log_event event_at(const char *log, const char *file, const char *text)
{
	return (struct log_event){.log = log,
		.file = file,
		.text = text,
		.name = "",
		.extra = "",
		.reason = "",
		.exit = -1,
		.ms = -1,
		.pid = -1};
}

/* An event without any time is as old as the one before it. */
static int finish(struct log_events *events, struct log_event *event, time_t *last)
{
	if (!event->time)
		event->time = *last;
	*last = event->time;
	return add(events, event);
}

int log_read(struct cli *cli, const char *log, const char *file, struct log_events *events)
{
	struct stat st;
	size_t length;
	char *text = read_file(cli_format(cli, "%s/%s", cli->conf.log_dir, file), 0, &length, &st);
	const char *at, *end;
	struct log_event event, *begun;
	size_t first = events->count;
	time_t last = 0;
	int r = 0;

	if (!text)
		return -errno;
	at = cli_copy(cli, text, length);
	free(text);
	event = event_at(log, file, at);
	for (end = at + length; r == 0 && at < end;) {
		size_t n = (size_t)((char *)memchr(at, '\n', (size_t)(end - at)) - at);
		struct log_line line = log_line_read(at, n);

		if (is_another(&event, &line)) {
			r = finish(events, &event, &last);
			event = event_at(log, file, at);
		}
		begun = find_begun(events, first, &event, &line);
		take_line(cli, begun ? begun : &event, &line);
		at += n + 1;
		event.length += n + 1;
		if (begun && !event.begun) {
			join(cli, begun, &event);
			event = event_at(log, file, at);
		} else if (r == 0 && ((line.kind == LOG_END && !begun) || at == end)) {
			r = finish(events, &event, &last);
			event = event_at(log, file, at);
		}
	}
	find_killed(cli, events, first);
	return r;
}

void log_free(struct log_events *events)
{
	free(events->events);
	*events = (struct log_events){0};
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
