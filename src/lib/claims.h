/* SPDX-License-Identifier: GPL-2.0-or-later */
/* claims.h: the paths that belong to one run alone, so that no two guests mount over or delete one. */
#ifndef VP_CLAIMS_H
#define VP_CLAIMS_H

#include <stddef.h>

/*
 * The lock under which claims are compared and a record is begun; close it to let it go. It waits
 * as long as others hold it, which is for the reading of some small files. -errno.
 */
int vp_claims_lock(const char *state_dir);

/*
 * Whether a path of CLAIMS (a line each) is equal to, above or below one that another run than
 * DRIVER/UUID has claimed; NAME: runs of a guest of that driver and name, which is gone, are passed
 * over, as a prepare finishes them first; NULL: none is. 0; -EBUSY: why names both paths and the owner;
 * -errno.
 */
int vp_claims_check(const char *state_dir, const char *driver, const char *uuid, const char *name,
	const char *claims, char *ret_why, size_t why_size);

#endif
