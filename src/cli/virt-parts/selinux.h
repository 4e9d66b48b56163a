/* SPDX-License-Identifier: GPL-2.0-or-later */
/* selinux.h: questions to the policy that the kernel has loaded, through selinuxfs. */
#ifndef VP_CLI_SELINUX_H
#define VP_CLI_SELINUX_H

#include <sys/types.h>

#include "command.h"

enum selinux { SELINUX_NONE, SELINUX_PERMISSIVE, SELINUX_ENFORCING };

enum selinux selinux_mode(void);

/*
 * Whether a process of the context SOURCE may do that with what has the context TARGET. True also where
 * the policy declares that domain permissive; false where it cannot be asked.
 */
bool selinux_allows(
	const char *source, const char *target, const char *class, const char *permission);

/* The context that a process of SOURCE changes to when it executes a file of TARGET; SOURCE: to none. */
const char *selinux_domain_of_exec(struct cli *cli, const char *source, const char *target);

/* The context of a process; NULL: not known. */
const char *selinux_of_process(struct cli *cli, pid_t pid);

/* The context of a file, links followed; that of unlabeled ones where it has none. */
const char *selinux_of_file(struct cli *cli, const char *path);

/* The third field of user:role:type:level. */
const char *selinux_type(struct cli *cli, const char *context);

#endif
