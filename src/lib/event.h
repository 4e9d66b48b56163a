/* SPDX-License-Identifier: GPL-2.0-or-later */
/* event.h: the event that a part is run for: from the dispatcher's environment, or by hand. */
#ifndef VP_EVENT_H
#define VP_EVENT_H

#include "virt-parts.h"

#define VP_HOOK_DIR "/etc/libvirt/hooks"

/* Whether the dispatcher runs this process: then its arguments are never options. */
bool vp_event_is_hook(void);

/*
 * The event, from the environment (VIRT_PARTS_*), or, by hand, from DOMAIN OP SUBOP EXTRA. -EINVAL
 * when the arguments are not those. The strings are the process's own.
 */
int vp_event_get(const char *part, int argc, char **argv, struct vp_event *ret);

#endif
