/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hooks.h: whose the hooks are that libvirt calls, what that means for the parts, and which call ours. */
#ifndef VP_CLI_HOOKS_H
#define VP_CLI_HOOKS_H

#include "command.h"
#include "dispatch/hook.h"

/* Where libvirt finds the driver's hook, and where virt-parts lies if that is somebody else's. */
const char *hooks_path(struct cli *cli, const char *driver);
const char *hooks_beside(struct cli *cli, const char *driver);

/* The path of the driver's hook if it is virt-parts, as itself or beside another; NULL else. */
const char *hooks_ours(struct cli *cli, const char *driver);

/* Whether virt-parts runs the layouts of others: they are left to a hook that is somebody else's. */
bool hooks_run_others(struct cli *cli, const char *driver);

/* Whether libvirt runs what is beside a hook, by its version as virt.h has it; 0, unknown: it may. */
bool hooks_beside_runs(unsigned long version);

/*
 * The line in which what libvirt runs at PATH, and is somebody else's, may call ours: it names it
 * as a word of a command, and in no comment. 0: in none. install.sh sees it so, too.
 */
unsigned hooks_call_line(const char *path);

/* The path of one that may, of those that libvirt runs beside the driver's hook if it runs any; NULL: none does. */
const char *hooks_caller_beside(struct cli *cli, const char *driver);

#endif
