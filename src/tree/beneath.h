/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening and making paths below a trusted directory, following no link. */
#ifndef VP_BENEATH_H
#define VP_BENEATH_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Paths here are relative to root_fd, a directory that the caller trusts. They are resolved by
 * openat2(2) with RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS and RESOLVE_NO_MAGICLINKS (Linux 5.6);
 * they may cross mounts. An absolute path or one with a ".." component is -EINVAL, a symbolic
 * link anywhere -ELOOP (-ENOTDIR where it is the last component and a directory is wanted), a
 * path of PATH_MAX bytes or more -ENAMETOOLONG. EAGAIN (somebody renames or mounts meanwhile),
 * EINTR and EXDEV (what was found has been moved out of root_fd meanwhile) are retried a bounded
 * number of times, then -EAGAIN or -EXDEV is returned. Every descriptor is O_CLOEXEC and the
 * caller's to close.
 */

/*
 * Opens relative ("" and "." are the root itself) with the open(2) flags given; O_CLOEXEC,
 * O_NOFOLLOW and O_NOCTTY are always added. What O_CREAT makes gets mode 0600. With O_PATH a link
 * that is the last component is opened itself, never what it points to: fstat it. Returns a
 * descriptor or -errno.
 */
int vp_open_beneath(int root_fd, const char *relative, uint64_t flags);

/* The same for a path of any length, by way of the directories on it; none of its names may change. */
int vp_open_long_beneath(int root_fd, const char *relative, uint64_t flags);

/*
 * Makes the missing directories of relative one by one, each with exactly this mode whatever the
 * umask, and owned by the caller; those that exist are left as they are. A new directory's parent
 * is fsynced. Returns an O_RDONLY|O_DIRECTORY descriptor of the last one, or -errno (what was
 * made until then stays).
 */
int vp_mkdirs_beneath(int root_fd, const char *relative, mode_t mode);

/*
 * Opens the directory that holds the last component of relative, O_RDONLY|O_DIRECTORY; *ret_leaf
 * points to that component within relative. A path without one ("", ".", a slash at the end) is
 * -EINVAL.
 */
int vp_open_parent_beneath(int root_fd, const char *relative, const char **ret_leaf);

/*
 * One openat2() with the retries above and the RESOLVE_ flags given, for a name in a directory
 * already held.
 */
int vp_openat2(int dir_fd, const char *path, uint64_t flags, mode_t mode, uint64_t resolve);

#endif
