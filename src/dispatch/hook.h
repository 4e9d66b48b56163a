/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook.h: whose a program is that libvirt calls as a hook. */
#ifndef VP_DISPATCH_HOOK_H
#define VP_DISPATCH_HOOK_H

enum hook { HOOK_NONE, HOOK_OURS, HOOK_FOREIGN };

/* Of what lies at PATH: ours is a link to a virt-parts-hook, wherever that is. */
enum hook hook_whose(const char *path);

#endif
