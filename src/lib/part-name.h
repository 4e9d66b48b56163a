/* SPDX-License-Identifier: GPL-2.0-or-later */
/* part-name.h: which file names are parts, and which words make the directory of an event. */
#ifndef VP_PART_NAME_H
#define VP_PART_NAME_H

#include <stdbool.h>

/* A backup or something that a package manager or an editor left: never a part. */
bool name_is_leftover(const char *name);
/* `[0-9][A-Za-z0-9._+-]*` and no leftover. */
bool name_is_part(const char *name);

/* An operation or suboperation of libvirt's, `[a-z][a-z-]*` or `-`: it becomes part of a directory's name. */
bool name_is_event_word(const char *text);

#endif
