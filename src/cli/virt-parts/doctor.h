/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor.h: what doctor looks at, a file each. */
#ifndef VP_CLI_DOCTOR_H
#define VP_CLI_DOCTOR_H

#include "findings.h"
#include "virt.h"

/* Whether a guest that the answer lacks is none of this host's, as all daemons that may have it were asked, and told. */
bool doctor_told_all(struct cli *cli, const struct virt_answer *answer);

/* What takes the first component of PATH from others, by chown and chmod MODE, that is not root's alone; "": all are. */
const char *doctor_trust_mend(struct cli *cli, const char *path, const char *mode);

/* Directories of records and logs, unfinished runs, ramdisks of no run. */
void doctor_check_host(struct findings *findings);
/* Copies that were not completed, and images of guests that nobody here knows. */
void doctor_check_left(struct findings *findings);

/* Names in [timeout] and [advisory] of parts.conf that are no part's. */
void doctor_check_settings(struct findings *findings);
/* The links that libvirt calls, and other layouts of parts beside them. */
void doctor_check_hooks(struct findings *findings);
/* What makes a hook that lies beside another's place be called where libvirt runs nothing there. */
const char *doctor_hook_beside_mend(struct cli *cli, const char *driver);
/* What lies in parts.d and is never run, as no event and no guest is called so. */
void doctor_check_names(struct findings *findings);
/* Whether the daemons that run have looked for hooks since these are there. */
void doctor_check_daemons(struct findings *findings);
/* What AppArmor would refuse, and what SELinux. */
void doctor_check_apparmor(struct findings *findings);
void doctor_check_selinux(struct findings *findings);
/* Of this command, the hook, libvirt and the kernel. */
void doctor_check_versions(struct findings *findings);

#endif
