/* SPDX-License-Identifier: GPL-2.0-or-later */
/* custom.h: whether a part of a directive's name would run for a guest. */
#ifndef VP_CUSTOM_H
#define VP_CUSTOM_H

#include "virt-parts.h"

/*
 * 1 when an event of this guest, whichever, would run a part NN-NAME: one that is executable, root's,
 * not masked, and not another driver's or guest's; 0 when none would; -errno.
 */
int vp_part_is_installed(const struct vp_event *event, const char *vendor_dir, const char *name);

#endif
