/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spawn.h: one process with nothing inherited, and its end within a time. */
#ifndef VP_DISPATCH_SPAWN_H
#define VP_DISPATCH_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct spawn {
	char *const *argv, *const *environment; /* argv[0] is the program's path */
	char *const *shell; /* NULL, or what runs it if it is a script without `#!` */
	int input;	   /* read from its beginning through an open file description of its own */
	int output, error; /* -1: /dev/null */
	bool capture; /* it gets a pipe, and what it prints there is written to the file output */
	off_t capture_max;
	unsigned seconds;
	bool dies_with_parent; /* by SIGKILL; what it has started itself does not */
};

enum spawn_end { SPAWN_EXITED, SPAWN_KILLED, SPAWN_TIMED_OUT, SPAWN_PRINTS_ON, SPAWN_NOT_RUN };

struct spawn_result {
	enum spawn_end end;
	int value; /* exit status, signal, or -errno */
	int left;  /* of a process that timed out: how many of its tree could not be ended */
	unsigned ms;
};

/*
 * Runs it and waits for its end. On time out, or when it prints more than capture_max, its whole tree
 * is ended; else what it leaves in the background is left alone, and nobody reads what that prints.
 * Call spawn_prepare once before.
 */
struct spawn_result spawn_run(const struct spawn *spawn);
void spawn_prepare(void);

/* `exit 1`, `killed by signal 9`, `timed out after 60 s`, `cannot be run: WHY`. */
const char *spawn_text(
	const struct spawn *spawn, const struct spawn_result *result, char *buffer, size_t size);

#endif
