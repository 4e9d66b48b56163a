/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest-lock.h: the lock under which one event of a guest runs at a time, for commands that do as events do. */
#ifndef VP_CLI_GUEST_LOCK_H
#define VP_CLI_GUEST_LOCK_H

#include "command.h"
#include "dispatch/lock.h"

/*
 * Waits for the lock of the guest, LOCK_WAIT_S at most, and takes it; those behind are told WHAT
 * holds it. False, and told, when that fails. It is let go with lock_leave.
 */
bool guest_lock(
	struct cli *cli, const char *driver, const char *uuid, const char *what, struct lock *ret);

#endif
