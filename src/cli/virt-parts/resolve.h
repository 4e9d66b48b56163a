/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolve.h: a run that is finished by hand, in two files. */
#ifndef VP_CLI_RESOLVE_H
#define VP_CLI_RESOLVE_H

#include <sys/stat.h>

#include "runs.h"

struct resolving {
	struct cli *cli;
	struct run *run;
	bool discard;
	int record;
	struct stat seen; /* of the record's file `run`, when libvirt was asked */
};

/* What discarding the run loses. */
void discard_show_loss(struct resolving *x);
/* Whether the user wants it: --yes, or an answer on a terminal. */
bool discard_confirm(struct cli *cli);
/*
 * Marks the run as discarded, on disk, so that the release parts unmount and remove and no more. A
 * damaged record is mended so far. 0 or -errno.
 */
int discard_mark(struct resolving *x);

#endif
