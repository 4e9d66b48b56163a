/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process.h: a process that owes nothing to whoever started it. */
#ifndef VP_DISPATCH_PROCESS_H
#define VP_DISPATCH_PROCESS_H

/* Descriptors 0-2 valid, the others closed, no signal blocked, umask 022. */
void process_reset(void);

#endif
