/* SPDX-License-Identifier: GPL-2.0-or-later */
/* child.h: work that may never come back, with a time limit: a daemon that does not answer. */
#ifndef VP_CLI_CHILD_H
#define VP_CLI_CHILD_H

#include <stddef.h>
#include <stdio.h>

/* What the child prints is the answer; it returns its exit status. */
typedef int child_work(void *data, FILE *answer);

/*
 * Runs WORK in a child, which is killed after SECONDS. Its exit status and its answer, NUL-terminated
 * and to be freed; -ETIMEDOUT or -errno.
 */
int child_run(
	child_work *work, void *data, unsigned seconds, char **ret_answer, size_t *ret_length);

#endif
