/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How each event is run, one table. */
#include "ops.h"

#include <string.h>

static const struct op ops[] = {
	/* kind, name, runs rest, always succeeds, filters, hurries, lock */
	{EVENT_GUEST, "prepare", false, false, false, true, OP_WAITS},
	{EVENT_GUEST, "start", false, false, false, true, OP_WAITS},
	{EVENT_GUEST, "started", false, false, false, true, OP_WAITS},
	{EVENT_GUEST, "attach", false, false, false, false, OP_WAITS},
	{EVENT_GUEST, "migrate", false, false, true, false, OP_WAITS},
	{EVENT_GUEST, "restore", false, false, true, false, OP_WAITS},
	{EVENT_GUEST, "stopped", true, false, false, false, OP_QUEUES},
	{EVENT_GUEST, "release", true, false, false, false, OP_QUEUES},
	/* libvirt kills a running guest whose reconnect hook fails */
	{EVENT_GUEST, "reconnect", true, true, false, false, OP_TRIES},
	{EVENT_GUEST, NULL, false, false, false, false, OP_WAITS},

	{EVENT_NETWORK, "start", false, false, false, true, OP_UNLOCKED},
	{EVENT_NETWORK, "started", false, false, false, true, OP_UNLOCKED},
	{EVENT_NETWORK, "stopped", true, false, false, false, OP_UNLOCKED},
	{EVENT_NETWORK, "port-deleted", true, false, false, false, OP_UNLOCKED},
	{EVENT_NETWORK, "updated", true, false, false, false, OP_UNLOCKED},
	{EVENT_NETWORK, NULL, false, false, false, false, OP_UNLOCKED},

	{EVENT_DAEMON, "start", false, false, false, true, OP_UNLOCKED},
	{EVENT_DAEMON, "shutdown", true, false, false, false, OP_UNLOCKED},
	{EVENT_DAEMON, "reload", true, false, false, false, OP_UNLOCKED},
	{EVENT_DAEMON, NULL, false, false, false, false, OP_UNLOCKED},
};

const struct op *op_find(enum event_kind kind, const char *name)
{
	const struct op *op = ops;

	while (op->kind != kind || (op->name && strcmp(op->name, name) != 0))
		op++;
	return op;
}
