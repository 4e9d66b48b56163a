/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounting a guest's tmpfs on a held directory. */
#include "ramdisk-mount.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "limit.h"
#include "mounts.h"
#include "record.h"

/* Linux leaves it out where it is the default, half of the memory. */
static uint64_t size_of(const char *options)
{
	static const struct vp_limit half = {.percent = true, .value = 50};
	const char *at = options;

	while (at && strncmp(at, "size=", 5) != 0) {
		at = strchr(at, ',');
		at = at ? at + 1 : NULL;
	}
	return at ? strtoull(at + 5, NULL, 10) * 1024 : vp_limit_of_memory(&half);
}

struct total {
	uint64_t sum;
	dev_t *counted;
	size_t n;
};

/*
 * The size of one of virt-parts' tmpfs, added up; not by its path, where a guest may hide it. A bind
 * mount of it, such as a shared mount of the guests' tree makes, is no more memory.
 */
static int add_size(const struct vp_mount *mount, void *context)
{
	struct total *total = context;
	dev_t *counted;

	if (strcmp(mount->fs_type, "tmpfs") != 0 || strncmp(mount->source, "virt-parts:", 11) != 0)
		return 0;
	for (size_t i = 0; i < total->n; i++)
		if (total->counted[i] == mount->device)
			return 0;
	counted = reallocarray(total->counted, total->n + 1, sizeof(*counted));
	if (!counted)
		return -ENOMEM;
	total->counted = counted;
	counted[total->n++] = mount->device;
	total->sum += size_of(mount->super_options);
	return 0;
}

static int add_sizes(uint64_t *ret_sum)
{
	struct total total = {0};
	int r = vp_each_mount(add_size, &total);

	free(total.counted);
	*ret_sum = total.sum;
	return r;
}

static int open_lock(const char *run_dir)
{
	char path[PATH_MAX];
	int r = vp_make_private_dir(run_dir), fd;

	if (r < 0)
		return r;
	if (snprintf(path, sizeof(path), "%s/ramdisk.lock", run_dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX) < 0) {
		if (errno != EINTR) {
			r = -errno;
			close(fd);
			return r;
		}
	}
	return fd;
}

int ramdisk_lock_total(struct vp_policy *policy, uint64_t size, char *why, size_t why_size)
{
	uint64_t most = vp_limit_of_memory(&policy->conf.ramdisk_total), sum = 0;
	int lock = open_lock(policy->conf.run_dir), r;

	if (lock < 0) {
		snprintf(why, why_size, "cannot lock '%s/ramdisk.lock': %s", policy->conf.run_dir,
			strerror(-lock));
		return lock;
	}
	r = add_sizes(&sum);
	if (r < 0) {
		snprintf(why, why_size, "cannot read the list of mounts: %s", strerror(-r));
	} else if (size > most || sum > most - size) {
		r = -EDQUOT;
		snprintf(why, why_size,
			"%" PRIu64 " bytes more than the %" PRIu64
			" that the ramdisks of all guests have already would pass ramdisk-total in "
			"parts.conf, %" PRIu64 "; ask for less, stop a guest or raise it",
			size, sum, most);
	}
	if (r < 0) {
		close(lock);
		return r;
	}
	return lock;
}

/* What the kernel says of the last failure of a filesystem context, "e tmpfs: Bad value", or errno. */
static int context_error(int fs, const char *step, char *why, size_t size)
{
	int r = -errno;
	char message[256];
	ssize_t n = read(fs, message, sizeof(message) - 1);

	if (n > 2)
		snprintf(why, size, "%s: %.*s", step, (int)strcspn(message + 2, "\n"), message + 2);
	else
		snprintf(why, size, "%s: %s", step, strerror(-r));
	return r;
}

static int set_number(int fs, const char *key, uint64_t value, bool octal, char *why, size_t size)
{
	char text[32];

	if (octal)
		snprintf(text, sizeof(text), "%" PRIo64, value);
	else
		snprintf(text, sizeof(text), "%" PRIu64, value);
	if (fsconfig(fs, FSCONFIG_SET_STRING, key, text, 0) < 0)
		return context_error(fs, key, why, size);
	return 0;
}

static int configure(
	int fs, const char *uuid, const struct ramdisk_spec *spec, char *why, size_t size)
{
	char source[VP_MOUNT_SOURCE_SIZE];
	int r;

	vp_mount_source(uuid, source);
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", source, 0) < 0)
		return context_error(fs, "source", why, size);
	r = set_number(fs, "size", spec->size, false, why, size);
	if (r == 0)
		r = set_number(fs, "mode", spec->mode, true, why, size);
	if (r == 0)
		r = set_number(fs, "uid", spec->uid, false, why, size);
	if (r == 0)
		r = set_number(fs, "gid", spec->gid, false, why, size);
	if (r == 0)
		r = set_number(fs, "nr_inodes", spec->inodes, false, why, size);
	if (r == 0 && fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		r = context_error(fs, "create", why, size);
	return r;
}

static int attach(int fs, const struct ramdisk_spec *spec, int target,
	char identity[RAMDISK_IDENTITY_SIZE], char *why, size_t size)
{
	unsigned attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			      (spec->exec ? 0 : MOUNT_ATTR_NOEXEC) |
			      (spec->noatime ? MOUNT_ATTR_NOATIME : 0);
	int mount = fsmount(fs, FSMOUNT_CLOEXEC, attributes), r = 0;
	char birth[VP_BIRTH_SIZE];
	struct stat st;

	if (mount < 0)
		return context_error(fs, "fsmount", why, size);
	if (fstat(mount, &st) < 0 ||
		move_mount(mount, "", target, "",
			MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0) {
		r = -errno;
		snprintf(why, size, "move_mount: %s", strerror(-r));
	} else {
		vp_birth_of(mount, birth);
		snprintf(identity, RAMDISK_IDENTITY_SIZE, "%u:%u %s", major(st.st_dev),
			minor(st.st_dev), birth);
	}
	close(mount);
	return r;
}

int ramdisk_mount(const char *uuid, const struct ramdisk_spec *spec, int target,
	char identity[RAMDISK_IDENTITY_SIZE], char *why, size_t size)
{
	int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), r;

	if (fs < 0) {
		r = -errno;
		snprintf(why, size, "fsopen: %s", strerror(-r));
		return r;
	}
	r = configure(fs, uuid, spec, why, size);
	if (r == 0)
		r = attach(fs, spec, target, identity, why, size);
	close(fs);
	return r;
}
