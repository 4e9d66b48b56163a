/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ramdisk-mount.h: mounting a guest's tmpfs on a held directory, and unmounting it. */
#ifndef VP_RAMDISK_MOUNT_H
#define VP_RAMDISK_MOUNT_H

#include <sys/types.h>

#include "own-mounts.h"
#include "policy.h"

enum { RAMDISK_IDENTITY_SIZE = 32 + VP_BIRTH_SIZE };

struct ramdisk_spec {
	uint64_t size; /* bytes */
	mode_t mode;
	uid_t uid;
	gid_t gid;
	uint64_t inodes;
	bool exec, noatime;
};

/*
 * Checks that another SIZE bytes keep the ramdisks of all guests below ramdisk-total. The lock on
 * that sum, to be closed when the tmpfs is mounted; or -errno (-EDQUOT: too much) and why.
 */
int ramdisk_lock_total(struct vp_policy *policy, uint64_t size, char *ret_why, size_t why_size);

/*
 * Mounts a tmpfs with the source virt-parts:UUID on the directory TARGET, nosuid, nodev and noexec.
 * ret_identity is what the journal has of it, `DEVICE BIRTH`. 0 or -errno and why.
 */
int ramdisk_mount(const char *uuid, const struct ramdisk_spec *spec, int target,
	char ret_identity[RAMDISK_IDENTITY_SIZE], char *ret_why, size_t why_size);

/*
 * Unmounts it, which is the guest UUID's, never lazily. -EBUSY after 2 seconds of tries, and why names the processes that hold
 * it. 0 also when it is gone already.
 */
int ramdisk_unmount(
	const char *uuid, const struct vp_own_mount *mount, char *ret_why, size_t why_size);

/* The processes that use the filesystem of DEVICE, "pid 123 (sh), pid 124 (vi)" or "". */
void ramdisk_holders(dev_t device, char *ret_list, size_t size);

#endif
