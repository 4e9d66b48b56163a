/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A part's directives from the record of the guest's run. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "asked.h"
#include "record.h"

int vp_read_record(const struct vp_event *event, const char *name, struct vp_source *ret)
{
	int run = open(event->state_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r;

	*ret = (struct vp_source){.recorded = true};
	if (run < 0) {
		r = errno == ENOENT ? 0 : -errno;
		if (r < 0)
			snprintf(ret->why, sizeof(ret->why),
				"cannot open the run's record '%s': %s", event->state_dir,
				strerror(-r));
		return r;
	}
	r = vp_asked_read(run, name, ret);
	close(run);
	return r;
}
