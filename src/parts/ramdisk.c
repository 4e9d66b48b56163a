/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ramdisk: a tmpfs on each <dir> while the guest runs.
 *
 * Journal, done/ramdisk: see own-mounts.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beneath.h"
#include "directives.h"
#include "mounts.h"
#include "own-mounts.h"
#include "ramdisk-mount.h"
#include "record.h"

static int error(
	const struct vp_event *event, const struct vp_element *dir, const char *what, int r)
{
	vp_error(event, dir, "cannot %s '%s': %s", what, dir->text, strerror(-r));
	return r;
}

/* The directory to mount on, made if it is missing; O_PATH, so that it is held whatever it is. */
static int open_target(
	struct vp_policy *policy, const struct vp_event *event, const struct vp_element *dir)
{
	const char *leaf;
	int parent = vp_policy_open_parent(policy, VP_WRITE, dir->text, 0755, &leaf), fd;

	if (parent < 0) {
		vp_error(event, dir, "%s", policy->why);
		return parent;
	}
	if (mkdirat(parent, leaf, 0755) < 0 && errno != EEXIST)
		fd = -errno;
	else
		fd = vp_open_beneath(parent, leaf, O_PATH | O_DIRECTORY);
	close(parent);
	return fd < 0 ? error(event, dir, "open", fd) : fd;
}

/* What <dir> asks for; what it does not say is as the directory that it covers has it. */
static int spec_of(const struct vp_element *dir, int target, struct ramdisk_spec *ret)
{
	uint64_t size = vp_attr_number(dir, "size", 0);
	struct stat st;

	if (fstat(target, &st) < 0)
		return -errno;
	*ret = (struct ramdisk_spec){
		.size = size,
		.mode = (mode_t)vp_attr_number(dir, "mode", st.st_mode & 01777),
		.uid = (uid_t)vp_attr_number(dir, "uid", st.st_uid),
		.gid = (gid_t)vp_attr_number(dir, "gid", st.st_gid),
		.inodes = vp_attr_number(dir, "inodes", size / 4096 + 1024),
		.exec = vp_attr_has_word(dir, "options", "exec"),
		.noatime = vp_attr_has_word(dir, "options", "noatime"),
	};
	return 0;
}

static int journal(int run, const char *what, const char *device, const char *path)
{
	char *line;
	int r;

	if (asprintf(&line, "%s %s%s%s", what, device, *device ? " " : "", path) < 0)
		return -ENOMEM;
	r = vp_record_append(run, "done/ramdisk", line);
	free(line);
	return r;
}

static int mount_on(const struct vp_event *event, const struct vp_element *dir,
	struct vp_policy *policy, int run, int target)
{
	struct ramdisk_spec spec;
	char why[512], identity[RAMDISK_IDENTITY_SIZE];
	int lock, r = spec_of(dir, target, &spec);

	if (r < 0)
		return error(event, dir, "look at", r);
	r = journal(run, "mount", "", dir->text);
	if (r < 0)
		return error(event, dir, "record the mount on", r);
	lock = ramdisk_lock_total(policy, spec.size, why, sizeof(why));
	if (lock < 0) {
		vp_error(event, dir, "%s", why);
		return lock;
	}
	r = ramdisk_mount(event->uuid, &spec, target, identity, why, sizeof(why));
	close(lock);
	if (r < 0) {
		vp_error(event, dir, "cannot mount a tmpfs on '%s': %s", dir->text, why);
		return r;
	}
	r = journal(run, "mounted", identity, dir->text);
	return r < 0 ? error(event, dir, "record the mount on", r) : 0;
}

/* What is in it is neither archived nor seen by the guest for as long as it is not where it was mounted. */
static void tell_moved(const struct vp_event *event, const struct vp_element *where,
	const struct vp_own_mount *mount)
{
	char shown[VP_MOUNT_SHOWN_SIZE];

	vp_error(event, where,
		"the ramdisk of '%s' is now at '%s'%s, where a renamed directory has taken it: "
		"move that directory back and start the guest; or give up the run, with what is in "
		"it, by "
		"'virt-parts resolve --discard %s'",
		mount->was, vp_own_mount_shown(mount, shown),
		mount->several ? " and in other places" : "", event->uuid);
}

static void tell_lost(const struct vp_event *event, const struct vp_element *where,
	const struct vp_own_mount *mount)
{
	char shown[VP_MOUNT_SHOWN_SIZE];

	if (mount->several) {
		tell_moved(event, where, mount);
		return;
	}
	vp_error(event, where,
		"a ramdisk of the run is out of reach, too deep or covered, at '%s': move a "
		"directory above it up in the tree, or unmount what covers it, and start the "
		"guest; "
		"or give it up with 'virt-parts resolve --discard %s'",
		vp_own_mount_shown(mount, shown), event->uuid);
}

/* A new tmpfs in the place of one that is elsewhere would be the only one that anybody knows. */
static int check_in_place(
	const struct vp_event *event, const struct vp_element *dir, const struct vp_own_mounts *own)
{
	if (vp_own_mounts_lost(own)) {
		tell_lost(event, dir, vp_own_mounts_lost(own));
		return -EBUSY;
	}
	for (size_t i = 0; i < own->n; i++)
		if (own->mounts[i].was) {
			tell_moved(event, dir, &own->mounts[i]);
			return -EBUSY;
		}
	return 0;
}

static int prepare_target(const struct vp_event *event, const struct vp_element *dir,
	struct vp_policy *policy, int run, const struct vp_own_mounts *own)
{
	struct vp_run info;
	int target = open_target(policy, event, dir), r = 0;

	if (target < 0)
		return target;
	if (vp_own_mounts_has(target, own)) {
		vp_note(event, dir, "'%s' is mounted already, with what is in it", dir->text);
	} else if ((r = vp_is_mount_root(target)) > 0) {
		vp_error(event, dir,
			"something else is mounted on '%s'; unmount it or name another directory",
			dir->text);
		r = -EBUSY;
	} else if (r < 0) {
		error(event, dir, "see what is mounted on", r);
	} else {
		r = mount_on(event, dir, policy, run, target);
		if (r == 0 && vp_record_read_run(run, &info) == 0 &&
			info.begin == VP_BEGIN_RESTORED)
			vp_note(event, dir,
				"warning: '%s' is empty, the guest had files in it when it was "
				"saved",
				dir->text);
	}
	close(target);
	return r;
}

static int prepare_dir(const struct vp_event *event, const struct vp_element *dir,
	struct vp_policy *policy, int run)
{
	struct vp_own_mounts own;
	int r = vp_own_mounts_read(run, event->uuid, &own);

	if (r < 0)
		error(event, dir, "see what is mounted on", r);
	else
		r = check_in_place(event, dir, &own);
	/* a directory that is made now would be in the way of one that is to be moved back */
	if (r == 0)
		r = prepare_target(event, dir, policy, run, &own);
	vp_own_mounts_free(&own);
	return r;
}

static int prepare(const struct vp_event *event, const struct vp_element *directive)
{
	const struct vp_element *dir = vp_child(directive, "dir");
	struct vp_policy policy;
	int run, r = vp_policy_load(event, &policy);

	if (r < 0) {
		vp_error(event, directive, "%s", policy.why);
		return r;
	}
	run = open(event->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (; run >= 0 && r == 0 && dir; dir = vp_next(dir, "dir"))
		r = prepare_dir(event, dir, &policy, run);
	if (run < 0) {
		r = -errno;
		vp_error(event, directive, "cannot open the run's record '%s': %s",
			event->state_dir, strerror(-r));
	} else {
		close(run);
	}
	vp_policy_free(&policy);
	return r;
}

static int unmount(const struct vp_event *event, const struct vp_element *directive,
	const struct vp_own_mount *mount)
{
	char why[1024], shown[VP_MOUNT_SHOWN_SIZE];
	int r;

	if (mount->lost) {
		tell_lost(event, directive, mount);
		return -EBUSY;
	}
	r = ramdisk_unmount(event->uuid, mount, why, sizeof(why));
	if (r < 0)
		vp_error(event, directive,
			"cannot unmount '%s': %s; end what uses it, the next start of the guest "
			"then unmounts it first",
			vp_own_mount_shown(mount, shown), why);
	return r;
}

/* Why a ramdisk stays at release, or NULL. */
static const char *stays(
	const struct vp_event *event, const struct vp_own_mount *mount, bool discarded)
{
	return mount->lost && discarded ? "it is out of reach, and given up"
					: vp_ramdisk_stays(event);
}

/* What is in reach, the last mounted first, or what is not. How many are unmounted, or -errno. */
static int unmount_each(const struct vp_event *event, const struct vp_element *directive,
	const struct vp_own_mounts *own, bool lost, bool discarded)
{
	char shown[VP_MOUNT_SHOWN_SIZE];
	int n = 0, status = 0, r;

	for (size_t i = own->n; i-- > 0;) {
		const struct vp_own_mount *mount = &own->mounts[i];
		const char *why = stays(event, mount, discarded);

		if (mount->lost != lost)
			continue;
		if (why)
			vp_note(event, directive, "'%s' stays mounted: %s",
				vp_own_mount_shown(mount, shown), why);
		else if ((r = unmount(event, directive, mount)) < 0)
			status = r;
		else
			n++;
	}
	return status < 0 ? status : n;
}

static int release(const struct vp_event *event, const struct vp_element *directive)
{
	int run = open(event->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r, n = 0;
	struct vp_own_mounts own;
	bool again = true, discarded;

	if (run < 0) {
		vp_error(event, directive, "cannot open the run's record '%s': %m",
			event->state_dir);
		return -errno;
	}
	discarded = vp_record_has(run, "discarded");
	while (again && (r = vp_own_mounts_read(run, event->uuid, &own)) == 0) {
		n = unmount_each(event, directive, &own, false, discarded);
		/* one of these may have covered what is lost */
		again = n > 0 && vp_own_mounts_lost(&own);
		if (!again && vp_own_mounts_lost(&own)) {
			r = unmount_each(event, directive, &own, true, discarded);
			n = r < 0 ? r : n;
		}
		vp_own_mounts_free(&own);
	}
	close(run);
	if (again) {
		vp_own_mounts_free(&own);
		vp_error(event, directive, "cannot read which ramdisks are mounted: %s",
			strerror(-r));
		return r;
	}
	return n < 0 ? n : 0;
}

static const struct vp_handler handlers[] = {
	{"prepare", "begin", prepare},
	{"release", "end", release},
	{0},
};

int main(int argc, char **argv)
{
	const struct vp_part part = {
		.name = "ramdisk",
		.summary = "a tmpfs on each <dir> while the guest runs",
		.directive = vp_ramdisk.spec,
		.handlers = handlers,
		.read = vp_read_record,
	};

	return vp_part_main(&part, argc, argv);
}
