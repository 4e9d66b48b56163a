/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemons.h: the daemons of libvirt that run on this host and read its hooks, as /proc shows them. */
#ifndef VP_CLI_DAEMONS_H
#define VP_CLI_DAEMONS_H

#include <sys/types.h>

#include "command.h"

struct daemon {
	struct daemon *next;
	const char *name; /* libvirtd, virtqemud, ... */
	pid_t pid;
	struct timespec looked; /* when it last looked for hooks, as far as that is known */
	bool noted; /* it has called the hook `daemon` when it looked; else it is when it began */
};

/*
 * Not those of users, nor those in a container: the ones for which cli->hook_dir is the directory of
 * hooks. 0 or -errno.
 */
int daemons_find(struct cli *cli, struct daemon **ret);

/* The names of all that there may be, by number; NULL behind the last. */
const char *daemon_name(size_t number);

/* Whether the daemon calls the hook of that driver. */
bool daemon_calls(const char *name, const char *driver);

/* Whether A is later than B, both by the clock that files have, as `looked` is. */
bool daemon_is_later(const struct timespec *a, const struct timespec *b);

/* The command that reloads it. */
const char *daemon_reload_command(struct cli *cli, const struct daemon *daemon);

/* Reloads it, and waits until it has looked for hooks. 0 or -errno; -ETIMEDOUT: nothing shows that it has. */
int daemon_reload(struct cli *cli, const struct daemon *daemon);

#endif
