/* SPDX-License-Identifier: GPL-2.0-or-later */
/* preload-iso.h: an <iso> of a guest built, put in place and removed again. */
#ifndef VP_PRELOAD_ISO_H
#define VP_PRELOAD_ISO_H

#include "policy.h"

enum preload_iso_how {
	PRELOAD_ISO_KEEP = 1 << 0, /* an image of this guest that is there is used as it is */
	/* the journal has it, on disk, before anything is made: no prepare will clear up a leftover */
	PRELOAD_ISO_SYNC = 1 << 1,
};

/*
 * Builds the image that the bound <iso> asks for and puts it in place by rename, noted in the journal
 * of RUN before. A file there that is not this guest's image is refused (-EEXIST). HOW: enum
 * preload_iso_how. 0 or -errno and why.
 */
int preload_iso(const struct vp_event *event, struct vp_policy *policy,
	const struct vp_element *iso, int run, unsigned how, char *ret_why, size_t why_size);

/*
 * The image at PATH is the run's own from now on, whatever its number, if the journal has that path and it is
 * this guest's. 0, also when it is not, or -errno.
 */
int preload_iso_take_over(const struct vp_event *event, const char *path, int run);

/*
 * Removes the image at PATH, unless it STAYS, if this run's journal has it and it is this guest's; and in
 * any case what the run has left beside it when it was killed while it built. 0 also when nothing is there,
 * or not this run's. Needs no policy: what was done is undone.
 */
int preload_iso_remove(const struct vp_event *event, const char *path, bool stays, int run,
	char *ret_why, size_t why_size);

#endif
