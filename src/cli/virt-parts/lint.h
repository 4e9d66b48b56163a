/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lint.h: what is wrong, or may be, with a guest's XML. */
#ifndef VP_CLI_LINT_H
#define VP_CLI_LINT_H

#include "findings.h"
#include "guest.h"

/* Adds what is found. It has no effect. */
void lint(struct findings *findings, struct guest *guest);

#endif
