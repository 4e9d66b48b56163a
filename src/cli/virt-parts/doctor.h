/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor.h: what doctor looks at, in two files. */
#ifndef VP_CLI_DOCTOR_H
#define VP_CLI_DOCTOR_H

#include "findings.h"

/* Directories of records and logs, unfinished runs, ramdisks of no run. */
void doctor_check_host(struct findings *findings);

/* A path for a shell. */
const char *doctor_quoted(struct cli *cli, const char *path);

#endif
