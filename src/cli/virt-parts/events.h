/* SPDX-License-Identifier: GPL-2.0-or-later */
/* events.h: which events libvirt has, and which of them somebody may have meant. */
#ifndef VP_CLI_EVENTS_H
#define VP_CLI_EVENTS_H

#include "command.h"

/* Whether NAME is the directory of an event in parts.d; OF_GUEST: in one guest's directory there. */
bool events_is_directory(struct cli *cli, const char *name, bool of_guest);

/* The directory that NAME may have been meant to be; NULL. */
const char *events_meant_directory(struct cli *cli, const char *name, bool of_guest);

/* Whether libvirt has the event of this driver. */
bool events_has(const char *driver, const char *op, const char *subop);

/* As `is no event of a guest, did you mean ...?`; NULL: it is one. */
const char *events_wrong(struct cli *cli, const char *driver, const char *op, const char *subop);

/*
 * Whether an event can be shown: libvirt has it, or a directory of parts is there for it, as a newer libvirt may
 * have more; that is told. False, and told, else.
 */
bool events_may_show(
	struct cli *cli, const char *driver, const char *guest, const char *op, const char *subop);

#endif
