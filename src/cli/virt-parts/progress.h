/* SPDX-License-Identifier: GPL-2.0-or-later */
/* progress.h: a line on the terminal that says how far a long event is. */
#ifndef VP_CLI_PROGRESS_H
#define VP_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct progress {
	bool wanted; /* standard error is a terminal */
	bool shown;
	int64_t began, told; /* of clock_ms */
};

void progress_begin(struct progress *progress);
/* Of what PID and the processes that it has started have written; not before a second is over. */
void progress_show(struct progress *progress, pid_t pid);
/* Takes the line away, for other output. */
void progress_hide(struct progress *progress);

#endif
