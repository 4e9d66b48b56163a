/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lacking.h: shipped parts that are not there, though a guest asks for what they do. */
#ifndef VP_DISPATCH_LACKING_H
#define VP_DISPATCH_LACKING_H

#include "plan.h"

/* Whether there is nothing in a prepare's plan that could check and record what a guest asks for. */
bool lacking_recorder(const struct plan *plan);

/* The directory of shipped parts that cannot be read, so that nobody knows what is in it; NULL: none. */
const struct plan_entry *lacking_unreadable(const struct plan *plan);

/* What ASKS says yes to, and no part of OP's plan does: its link is missing. NULL: nothing. */
const char *lacking_part(const struct plan *plan, const char *op,
	bool (*asks)(const void *run, const char *directive), const void *run);

#endif
