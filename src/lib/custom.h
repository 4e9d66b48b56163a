/* SPDX-License-Identifier: GPL-2.0-or-later */
/* custom.h: whether a part of a directive's name would run for a guest. */
#ifndef VP_CUSTOM_H
#define VP_CUSTOM_H

#include <limits.h>

#include "virt-parts.h"

/*
 * 1 when an event of this guest, whichever, would run a part NN-NAME: one that is executable, root's,
 * not masked, and not another driver's or guest's; 0 when none would; -errno.
 */
int vp_part_is_installed(const struct vp_event *event, const char *vendor_dir, const char *name);

/*
 * The same. Where it is 1 for events alone that IS_KNOWN says no to, as `O_S`, ret_unknown is one of them, else "": the
 * part runs if libvirt has that event, and never if the directory is misspelt.
 */
int vp_part_find(const struct vp_event *event, const char *vendor_dir, const char *name,
	bool (*is_known)(const char *event), char ret_unknown[NAME_MAX + 1]);

#endif
