/* SPDX-License-Identifier: GPL-2.0-or-later */
/* custom.h: whether a part of a directive's name is installed anywhere. */
#ifndef VP_CUSTOM_H
#define VP_CUSTOM_H

#include "virt-parts.h"

/*
 * 1 when a directory of parts that this guest's events are run from holds a part NN-NAME, whatever
 * the event; 0 when none does; -errno.
 */
int vp_part_is_installed(const struct vp_event *event, const char *vendor_dir, const char *name);

#endif
