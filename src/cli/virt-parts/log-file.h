/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log-file.h: a guest's log as events, in the form that dispatch/log.h describes. */
#ifndef VP_CLI_LOG_FILE_H
#define VP_CLI_LOG_FILE_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "command.h"

/* What stands up to an `end` line, or up to where another event begins. */
struct log_event {
	const char *log;  /* its name, lxc-web1, whichever of its files this stands in */
	const char *file; /* that file */
	const char *text; /* whole lines, each with its newline */
	size_t length;
	size_t number;	  /* in the order of reading */
	time_t time;	  /* of its first line that has one */
	const char *name; /* <op>_<subop> of that line; "" */
	bool bad;	  /* a part or the event failed, or an error or warning was told */
	bool begun;	  /* not refused before */
	const char *extra, *reason; /* "" when they are not told */
	time_t ended;		    /* 0: it was killed, or goes on */
	long exit, ms, pid;	    /* -1 */
};

struct log_events {
	struct log_event *events;
	size_t count;
};

/* Adds the events of a log's file in the log directory. 0 or -errno. */
int log_read(struct cli *cli, const char *log, const char *file, struct log_events *events);
void log_free(struct log_events *events);

/* A log that grows; it may be replaced by a new one (logrotate), or cut. */
struct log_tail {
	const char *path;
	ino_t inode;
	off_t at;
};

/* Begins at its present end. */
void log_tail_end(struct log_tail *tail);
/* Whole lines that were added, to be freed; NULL and 0 when there are none. 0 or -errno. */
int log_tail_read(struct log_tail *tail, char **ret, size_t *ret_length);

#endif
