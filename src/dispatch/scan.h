/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scan.h: one directory of a plan: what in it is a part, and whether it can be trusted. */
#ifndef VP_DISPATCH_SCAN_H
#define VP_DISPATCH_SCAN_H

#include "plan.h"

/*
 * Adds what the directory PATH holds to the plan, or, in the layout of VFIO-Tools, PATH itself when
 * it is a file. Messages show what is behind the first LABEL bytes. 0, also when it is not there; but
 * when a link behind these leads nowhere, it is refused, since nobody knows what is in it.
 */
int scan_place(
	struct plan *plan, const char *path, size_t label, enum plan_source source, bool complete);

/* The same of a root of such directories, which itself holds none. */
int scan_root(struct plan *plan, const char *path, size_t label, enum plan_source source);

int scan_warn(struct plan *plan, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
