/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * own-mounts.h: the ramdisks that a run has mounted and that are mounted now.
 *
 * One is the run's when its source is virt-parts:UUID and the run's journal done/ramdisk has its
 * device, or, when the journal was cut short, its mount point. (Two drivers may have guests of one
 * UUID, and mount ids are used again.)
 */
#ifndef VP_OWN_MOUNTS_H
#define VP_OWN_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vp_own_mount {
	uint64_t id; /* as mountinfo has it */
	char *path;
};

struct vp_own_mounts {
	size_t n;
	struct vp_own_mount *mounts; /* in the order of mounting */
};

/* 0 or -errno; *ret needs vp_own_mounts_free in either case. */
int vp_own_mounts_read(int run, const char *uuid, struct vp_own_mounts *ret);
void vp_own_mounts_free(struct vp_own_mounts *own);

/* Whether the descriptor is the root of one of them. */
bool vp_own_mounts_has(int fd, const struct vp_own_mounts *own);
/* Whether it lies in one of them; also when that cannot be told. */
bool vp_own_mounts_hold(int fd, const struct vp_own_mounts *own);

#endif
