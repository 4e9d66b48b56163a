/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: whether libvirt has told of all guests that virt-parts may have had to do with. */
#include "doctor.h"
#include "hooks.h"
#include "parts.h"

bool doctor_told_all(struct cli *cli, const struct virt_answer *answer)
{
	/* one daemon that was named does not know the guests of the other */
	if (cli->uri || !answer->answered)
		return false;
	for (const struct virt_daemon *d = answer->daemons; d; d = d->next)
		if (virt_is_silent(d))
			return false;
	for (size_t i = 0; parts_drivers[i]; i++)
		if (parts_of_guests(parts_drivers[i]) && hooks_ours(cli, parts_drivers[i]) &&
			!virt_asked(answer, parts_drivers[i]))
			return false;
	return true;
}
