/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lint-host.h: what is wrong with a guest's directives on this host: memory, filesystems, names of parts. */
#ifndef VP_CLI_LINT_HOST_H
#define VP_CLI_LINT_HOST_H

#include <libxml/tree.h>

#include "examine.h"
#include "findings.h"

/* Ramdisks against the host's memory and the container's; archives beside what is deleted. */
void lint_host(
	struct findings *findings, const char *about, struct examined *examined, xmlDocPtr doc);

/*
 * Parts that run in another order than their numbers say, as names are compared byte by byte: `5-x`
 * after `11-y`. Of the events of GUEST and of all guests; NULL: of every guest.
 */
void lint_numbers(struct findings *findings, const char *guest);

#endif
