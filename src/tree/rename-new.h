/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rename-new.h: giving a name that nothing has yet, on any filesystem. */
#ifndef VP_RENAME_NEW_H
#define VP_RENAME_NEW_H

/*
 * Renames FROM to TO; what has that name already is never replaced (-EEXIST). Where the filesystem has no
 * RENAME_NOREPLACE (NFS) a file gets the name by link(), and killed behind that it has both names; for a
 * directory there is no such call: -EOPNOTSUPP. 0 or -errno.
 */
int vp_rename_new(int from_dir, const char *from, int to_dir, const char *to);

#endif
