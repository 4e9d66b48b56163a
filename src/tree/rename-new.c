/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving a name that nothing has yet, on any filesystem. */
#include "rename-new.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int vp_rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
	struct stat st;

	if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (fstatat(from_dir, from, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EOPNOTSUPP;
	if (linkat(from_dir, from, to_dir, to, 0) < 0 || unlinkat(from_dir, from, 0) < 0)
		return -errno;
	return 0;
}
