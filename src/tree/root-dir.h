/* SPDX-License-Identifier: GPL-2.0-or-later */
/* root-dir.h: opening an allowed root, whose ancestors only root can have made. */
#ifndef VP_ROOT_DIR_H
#define VP_ROOT_DIR_H

#include <stddef.h>

/*
 * Opens the absolute PATH (O_RDONLY | O_DIRECTORY), component by component: no link is followed, and
 * every directory above the last must be root's and not writable by group or others (-EPERM).
 * MAKE_MODE not 0: what is missing is made with it. A descriptor, or -errno and why.
 */
int vp_open_root_dir(const char *path, unsigned make_mode, char *ret_why, size_t why_size);

#endif
