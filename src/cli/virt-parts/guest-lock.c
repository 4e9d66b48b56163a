/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lock under which one event of a guest runs at a time. */
#include "guest-lock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dispatch/clock.h"

bool guest_lock(
	struct cli *cli, const char *driver, const char *uuid, const char *what, struct lock *ret)
{
	int64_t until = clock_ms() + LOCK_WAIT_S * 1000;
	char holder[256];
	int r;

	ret->fd = -1;
	r = lock_queue(ret, cli->conf.run_dir, driver, uuid, until);
	if (r == 0)
		r = lock_wait(ret, until);
	if (r == 0) {
		lock_label(ret, what);
		return true;
	}
	snprintf(holder, sizeof(holder), "another event of this guest");
	if (ret->fd >= 0)
		lock_holder(ret, holder, sizeof(holder));
	if (r == -ETIMEDOUT)
		cli_error("waited %d s for %s, and gave up; nothing was done", LOCK_WAIT_S, holder);
	else
		cli_error("cannot lock the guest in '%s': %s", cli->conf.run_dir, strerror(-r));
	lock_leave(ret);
	return false;
}
