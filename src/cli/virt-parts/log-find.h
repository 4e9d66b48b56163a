/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log-find.h: which logs there are of a guest, by whatever it may be called. */
#ifndef VP_CLI_LOG_FIND_H
#define VP_CLI_LOG_FIND_H

#include "command.h"

/* A file of a log; logrotate may have made several of it. */
struct log_found {
	const char *log;  /* lxc-web1 */
	const char *file; /* lxc-web1.log, lxc-web1.log.1, lxc-web1.log.2.gz */
	unsigned age;	  /* 0: the one that is written to; the higher, the older */
	bool packed;	  /* it is compressed */
	time_t last;	  /* when it was written to last; 0: not known */
	bool named; /* it has the name that was given; else another of the guest's, or its UUID */
};

/*
 * The logs of NAME, which is a guest's, now or before, its UUID, or the name of a log; NULL: all. By
 * name, of each the oldest file first. libvirt is asked only where neither the logs nor the records of runs know NAME: ret_why is
 * then why it did not answer, or "". 0 or -errno.
 */
int log_find(struct cli *cli, const char *name, struct log_found **ret, size_t *ret_count,
	const char **ret_why);

#endif
