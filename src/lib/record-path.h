/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record-path.h: where the record of a guest's run lies; inside record*.c only. */
#ifndef VP_RECORD_PATH_H
#define VP_RECORD_PATH_H

#include <limits.h>

/* <state_dir>/<driver>/<uuid><suffix>; -EINVAL for a driver or UUID that is none, -ENAMETOOLONG. */
int vp_record_path(char path[PATH_MAX], const char *state_dir, const char *driver, const char *uuid,
	const char *suffix);

#endif
