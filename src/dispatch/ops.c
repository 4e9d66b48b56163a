/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The events that libvirt has, and how each is run: one table. */
#include "ops.h"

#include <string.h>

static const struct op ops[] = {
	{EVENT_GUEST, "migrate", "begin", .filters = true, .lock = OP_WAITS},
	/* libvirt 11.3 removes a managed save whose restore hook fails, and says that the guest started */
	{EVENT_GUEST, "restore", "begin", .filters = true, .defers = true, .lock = OP_WAITS},
	{EVENT_GUEST, "prepare", "begin", .hurries = true, .lock = OP_WAITS},
	{EVENT_GUEST, "start", "begin", .hurries = true, .lock = OP_WAITS},
	{EVENT_GUEST, "started", "begin", .hurries = true, .lock = OP_WAITS},
	{EVENT_GUEST, "attach", "begin", .lock = OP_WAITS},
	/* libvirt kills a running guest whose reconnect hook fails */
	{EVENT_GUEST, "reconnect", "begin", .runs_rest = true, .always_succeeds = true,
		.lock = OP_TRIES},
	{EVENT_GUEST, "stopped", "end", .runs_rest = true, .lock = OP_QUEUES},
	{EVENT_GUEST, "release", "end", .runs_rest = true, .lock = OP_QUEUES},
	{EVENT_GUEST, NULL, .lock = OP_WAITS},

	{EVENT_NETWORK, "start", "begin", .hurries = true},
	{EVENT_NETWORK, "started", "begin", .hurries = true},
	{EVENT_NETWORK, "port-created", "begin", .lock = OP_UNLOCKED},
	{EVENT_NETWORK, "updated", "begin", .runs_rest = true},
	{EVENT_NETWORK, "port-deleted", "begin", .runs_rest = true},
	{EVENT_NETWORK, "stopped", "end", .runs_rest = true},
	{EVENT_NETWORK, NULL, .lock = OP_UNLOCKED},

	{EVENT_DAEMON, "start", "-", .hurries = true},
	{EVENT_DAEMON, "reload", "begin", .runs_rest = true},
	{EVENT_DAEMON, "shutdown", "-", .runs_rest = true},
	{EVENT_DAEMON, NULL, .lock = OP_UNLOCKED},
};

const struct op *op_find(enum event_kind kind, const char *name)
{
	const struct op *op = ops;

	while (op->kind != kind || (op->name && strcmp(op->name, name) != 0))
		op++;
	return op;
}

const struct op *op_each(enum event_kind kind, const struct op *before)
{
	const struct op *op = before ? before + 1 : ops;

	while (op->kind != kind)
		op++;
	return op->name ? op : NULL;
}
