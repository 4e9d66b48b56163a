/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log.h: a guest's log, and the dispatcher's standard error.
 *
 * The log holds what parts print, as they print it, and between that lines of the dispatcher's own:
 *
 *	2026-11-21T22:10:25.123Z prepare_begin: begin extra=- pid=123
 *	2026-11-21T22:10:25.135Z prepare_begin: 20-preload: exit 0, 12 ms
 *	2026-11-21T22:10:25.136Z prepare_begin: end exit 0, 15 ms pid=123
 *
 * TIME EVENT: TEXT, where TIME is UTC and EVENT is <op>_<subop>. TEXT is one of
 *	begin extra=EXTRA pid=PID [reason=REASON]
 *	end exit STATUS, N ms pid=PID
 *	PART: exit STATUS, N ms		PART: killed by signal N, N ms
 *	PART: timed out after N s	PART: printed more than N MiB
 *	PART: refused: WHY		PART: cannot be run: WHY
 *	warning: WHAT			error: WHAT
 *	note: WHAT
 * Network's events may be several at once: what has ended is told by its PID, that of its begin.
 * Control characters in it are escaped. Errors go to standard error, too, which libvirt shows when
 * the hook fails: `virt-parts: web1: WHAT`.
 */
#ifndef VP_DISPATCH_LOG_H
#define VP_DISPATCH_LOG_H

#include <limits.h>
#include <sys/types.h>

enum { LOG_MESSAGE_MAX = 4096 };

struct log {
	int fd; /* -1: not opened, or it could not be: lines go nowhere */
	char event[136];
	char object[256]; /* fit for a message */
};

void log_init(struct log *log, const char *event, const char *object);

/*
 * What the log is called: <driver>-<name>, with UUID in the place of a name that makes no good file
 * name; that of a driver "daemon" is `daemon`.
 */
void log_name(char ret[NAME_MAX + 1], const char *driver, const char *name, const char *uuid);

/*
 * Opens <log_dir>/<log_name>.log for appending. A failure is told on standard error, and no more:
 * nothing is refused for its log.
 */
void log_open(struct log *log, const char *log_dir, const char *driver, const char *name,
	const char *uuid);

void log_line(const struct log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_warning(const struct log *log, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same, and a line to the system's log (syslog(3), LOG_ERR): of what nobody is told who could act on it. */
void log_alarm(const struct log *log, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void log_error(const struct log *log, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Where the log ends; -1 when there is none. */
off_t log_position(const struct log *log);

/*
 * Tells on standard error that a part has failed, with the last of what it has printed since FROM:
 * at most LOG_MESSAGE_MAX bytes in all.
 */
void log_show_failure(const struct log *log, const char *label, const char *how, off_t from);

/* What was last told on standard error, without whom it is about; "" if nothing was. */
const char *log_last_error(const struct log *log);

#endif
