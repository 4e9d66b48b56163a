/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which mount a descriptor is on, and the list of mounts. */
#ifndef VP_MOUNTS_H
#define VP_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/*
 * What tells one file from any other, also from itself seen through a bind mount. The mount is
 * the never reused id where the kernel has it (STATX_MNT_ID_UNIQUE, Linux 6.8), else that of
 * mountinfo; compare it only with others of this kind.
 */
struct vp_identity {
	uint64_t device;
	uint64_t inode;
	uint64_t mount;
};

bool vp_identity_equal(const struct vp_identity *a, const struct vp_identity *b);

/*
 * statx() of fd (path "") or of path in it, never following a link and never triggering an
 * automount, with all basic fields, the mount id and the attributes. Either output may be NULL.
 * Returns 0 or -errno; -EOPNOTSUPP where the kernel has no mount ids (before Linux 5.8).
 */
int vp_identify(
	int fd, const char *path, struct vp_identity *ret_identity, struct statx *ret_statx);

/* The mount id of fd as /proc/self/mountinfo shows it (ids are reused after an unmount). */
int vp_mount_id(int fd, uint64_t *ret_id);

/*
 * Whether fd is the root of a mount: 1, 0 or -errno. A bind mount of a file has that file as its
 * root.
 */
int vp_is_mount_root(int fd);

/*
 * A line of mountinfo; the strings are decoded (\040 and the like) and valid during the call
 * only.
 */
struct vp_mount {
	uint64_t id;
	uint64_t parent_id;
	dev_t device;
	const char *root; /* the directory of the filesystem that is mounted */
	const char *mount_point;
	const char *options; /* of the mount, "rw,nosuid" */
	const char *fs_type;
	const char *source;
	const char *super_options; /* of the filesystem, "rw,size=64k" */
	bool cut;		   /* a string was longer than 4 MiB, and is only its beginning */
};

/*
 * Calls each() for every mount of this process's namespace, in the kernel's order (a later one
 * covers an earlier one on the same mount point), until it returns something else than 0, which
 * is then returned. A mount point that is out of reach of the root directory is not listed.
 * Returns 0 or -errno; -EBADMSG for a line that is not understood.
 */
int vp_each_mount(int (*each)(const struct vp_mount *mount, void *context), void *context);

/* The same from any file of that form; tests use it. Takes the descriptor over. */
int vp_each_mount_of(
	int fd, int (*each)(const struct vp_mount *mount, void *context), void *context);

/*
 * Whether anything is mounted below dir, or over it, by mountinfo. Returns 1 with one such mount
 * point in ret_where (cut if too long; may be NULL), 0, or -errno. This is a question asked
 * before the work: the walk itself checks again.
 */
int vp_tree_has_mounts(int dir, char *ret_where, size_t where_size);

#endif
