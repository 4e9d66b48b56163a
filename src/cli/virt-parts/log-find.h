/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log-find.h: which logs there are of a guest, by whatever it may be called. */
#ifndef VP_CLI_LOG_FIND_H
#define VP_CLI_LOG_FIND_H

#include "command.h"

struct log_found {
	const char *log;  /* lxc-web1 */
	const char *file; /* lxc-web1.log */
	bool named; /* it has the name that was given; else another of the guest's, or its UUID */
};

/*
 * The logs of NAME, which is a guest's, now or before, its UUID, or the name of a log; NULL: all. By
 * name. libvirt is asked only where neither the logs nor the records of runs know NAME: ret_why is
 * then why it did not answer, or "". 0 or -errno.
 */
int log_find(struct cli *cli, const char *name, struct log_found **ret, size_t *ret_count,
	const char **ret_why);

#endif
