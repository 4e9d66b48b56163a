/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * teardown.h: work under a supervisor, a child that may outlive the hook. libvirt stands still while a
 * hook runs, so the hook waits for it only so long.
 */
#ifndef VP_DISPATCH_TEARDOWN_H
#define VP_DISPATCH_TEARDOWN_H

#include <stdint.h>

typedef int supervised(void *data);

/*
 * Runs WORK in a child of its own session that holds none of this process's descriptors 0-2. Its exit
 * status; -ETIMEDOUT when it goes on beyond UNTIL (of clock_ms); else -errno, and then nothing goes on.
 * What it has told on standard error by then is passed on. ret_pid may be NULL.
 */
int teardown_supervise(supervised *work, void *data, int64_t until, int *ret_pid);

#endif
