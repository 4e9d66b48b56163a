/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log-line.h: a line of a guest's log, in the form that dispatch/log.h describes. */
#ifndef VP_CLI_LOG_LINE_H
#define VP_CLI_LOG_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

enum log_kind {
	LOG_OUTPUT, /* printed by a part */
	LOG_BEGIN,
	LOG_PART, /* how a part ended; what it has printed stands before */
	LOG_TOLD, /* a note, a warning or an error of the dispatcher's */
	LOG_END,
};

/* Of the line, not ended by '\0'. */
struct log_text {
	const char *at;
	size_t length;
};

struct log_line {
	enum log_kind kind;
	bool bad;		/* it tells that something went wrong */
	time_t time;		/* 0: an output */
	long ms;		/* that a part or the event took; -1: not told */
	long pid;		/* LOG_BEGIN and LOG_END: of the dispatcher; -1: not told */
	long exit;		/* of a part or the event; -1: it did not exit */
	struct log_text event;	/* <op>_<subop>; none of an output */
	struct log_text part;	/* LOG_PART: its name */
	struct log_text text;	/* LOG_PART: how it ended; LOG_TOLD and LOG_OUTPUT: what is told */
	struct log_text extra;	/* LOG_BEGIN */
	struct log_text reason; /* LOG_BEGIN: of stopped and release */
};

struct log_line log_line_read(const char *line, size_t length);

#endif
