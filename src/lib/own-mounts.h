/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * own-mounts.h: the ramdisks that a run has mounted and that are mounted now.
 *
 * The run's journal done/ramdisk has `mount PATH` before a tmpfs is mounted, and behind it `mounted
 * DEVICE BIRTH PATH`. A mount is the run's when its source is virt-parts:UUID and it is at such a
 * PATH with that DEVICE (any device, when the journal was cut short). Where there is none at PATH,
 * it is the one of that DEVICE and BIRTH, elsewhere: a guest may have renamed a directory above it.
 * A later line of the same PATH tells of another tmpfs, and hides none. Devices are used again,
 * mount ids too, and two drivers may have guests of one UUID; a time of birth in nanoseconds tells
 * them apart. BIRTH is `-` where the kernel does not tell.
 */
#ifndef VP_OWN_MOUNTS_H
#define VP_OWN_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vp_own_mount {
	uint64_t id; /* as mountinfo has it */
	char *path;
	bool lost; /* out of reach: covered, or too deep, and then path is only the beginning; or several */
	bool several; /* it is elsewhere in several places, and path is one of them */
	char *was;    /* the PATH where it was mounted, when it is elsewhere now; else NULL */
};

struct vp_own_mounts {
	size_t n;
	struct vp_own_mount *mounts; /* in the order of mounting */
};

enum { VP_BIRTH_SIZE = 32, VP_MOUNT_SOURCE_SIZE = 64 };

/* The source, as mountinfo has it, of the ramdisks of the guest UUID. */
void vp_mount_source(const char *uuid, char ret[VP_MOUNT_SOURCE_SIZE]);

/* The time of birth of what FD is, as journals have it. */
void vp_birth_of(int fd, char ret[VP_BIRTH_SIZE]);

/* Opens it with O_PATH: a descriptor or -errno; -EAGAIN when it is not there now, or is covered. */
int vp_own_mount_open(const struct vp_own_mount *mount);

/* Its path for a message; of a long one the beginning and how long it is. Returns buffer. */
enum { VP_MOUNT_SHOWN_SIZE = 512 };
char *vp_own_mount_shown(const struct vp_own_mount *mount, char buffer[VP_MOUNT_SHOWN_SIZE]);

/* 0 or -errno; one that moves about all the time is lost. *ret needs vp_own_mounts_free in either case. */
int vp_own_mounts_read(int run, const char *uuid, struct vp_own_mounts *ret);
void vp_own_mounts_free(struct vp_own_mounts *own);

/* One that is lost, or NULL. */
const struct vp_own_mount *vp_own_mounts_lost(const struct vp_own_mounts *own);

/* Whether the descriptor is the root of one of them. */
bool vp_own_mounts_has(int fd, const struct vp_own_mounts *own);
/* Whether it lies in one of them; also when that cannot be told. */
bool vp_own_mounts_hold(int fd, const struct vp_own_mounts *own);

#endif
