/* SPDX-License-Identifier: GPL-2.0-or-later */
/* place.h: whether something lies in the way where a shipped part would build or mount, as the part asks it. */
#ifndef VP_CLI_PLACE_H
#define VP_CLI_PLACE_H

#include "command.h"
#include "policy.h"

/* Why no image of the guest can be built at PATH; NULL: nothing is known to be in the way. */
const char *place_of_image(struct cli *cli, struct vp_policy *policy, const char *path);

/* The same of a ramdisk on PATH. RECORD: that of the guest's run, for what that has mounted; -1: it has none. */
const char *place_of_ramdisk(
	struct cli *cli, struct vp_policy *policy, int record, const char *path);

/* Which ramdisk of a run is not where it was mounted, for which a prepare is refused that goes on with it; NULL: none. */
const char *place_of_moved(struct cli *cli, int record, const char *uuid);

#endif
