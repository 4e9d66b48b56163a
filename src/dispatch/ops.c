/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How each event is run, one table. */
#include "ops.h"

#include <string.h>

static const struct op ops[] = {
	{EVENT_GUEST, "prepare", .hurries = true, .lock = OP_WAITS},
	{EVENT_GUEST, "start", .hurries = true, .lock = OP_WAITS},
	{EVENT_GUEST, "started", .hurries = true, .lock = OP_WAITS},
	{EVENT_GUEST, "attach", .lock = OP_WAITS},
	{EVENT_GUEST, "migrate", .filters = true, .lock = OP_WAITS},
	/* libvirt 11.3 removes a managed save whose restore hook fails, and says that the guest started */
	{EVENT_GUEST, "restore", .filters = true, .defers = true, .lock = OP_WAITS},
	{EVENT_GUEST, "stopped", .runs_rest = true, .lock = OP_QUEUES},
	{EVENT_GUEST, "release", .runs_rest = true, .lock = OP_QUEUES},
	/* libvirt kills a running guest whose reconnect hook fails */
	{EVENT_GUEST, "reconnect", .runs_rest = true, .always_succeeds = true, .lock = OP_TRIES},
	{EVENT_GUEST, NULL, .lock = OP_WAITS},

	{EVENT_NETWORK, "start", .hurries = true},
	{EVENT_NETWORK, "started", .hurries = true},
	{EVENT_NETWORK, "stopped", .runs_rest = true},
	{EVENT_NETWORK, "port-deleted", .runs_rest = true},
	{EVENT_NETWORK, "updated", .runs_rest = true},
	{EVENT_NETWORK, NULL, .lock = OP_UNLOCKED},

	{EVENT_DAEMON, "start", .hurries = true},
	{EVENT_DAEMON, "shutdown", .runs_rest = true},
	{EVENT_DAEMON, "reload", .runs_rest = true},
	{EVENT_DAEMON, NULL, .lock = OP_UNLOCKED},
};

const struct op *op_find(enum event_kind kind, const char *name)
{
	const struct op *op = ops;

	while (op->kind != kind || (op->name && strcmp(op->name, name) != 0))
		op++;
	return op;
}
