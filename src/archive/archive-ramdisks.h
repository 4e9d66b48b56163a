/* SPDX-License-Identifier: GPL-2.0-or-later */
/* archive-ramdisks.h: the ramdisks that a run has asked for. */
#ifndef VP_ARCHIVE_RAMDISKS_H
#define VP_ARCHIVE_RAMDISKS_H

#include "virt-parts.h"

/* Calls EACH with the PATH of each, mounted or not. What of them cannot be read is left out. */
void archive_each_ramdisk(const struct vp_event *event, int run,
	void (*each)(const char *path, void *context), void *context);

#endif
