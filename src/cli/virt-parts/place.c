/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether something lies in the way where a shipped part would build or mount. */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "beneath.h"
#include "iso-id.h"
#include "mounts.h"
#include "own-mounts.h"

/* The directory that PATH lies in. Where nothing is at PATH, a look would make what the part makes. */
static int open_parent(
	struct vp_policy *policy, enum vp_access access, const char *path, const char **ret_leaf)
{
	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return vp_policy_open_parent(policy, access, path, 0, ret_leaf);
}

const char *place_of_image(struct cli *cli, struct vp_policy *policy, const char *path)
{
	const char *leaf;
	int parent = open_parent(policy, VP_ISO, path, &leaf), r;
	char id[ISO_OWNER_ID_SIZE];

	if (parent < 0)
		return NULL;
	iso_owner_id(policy->event->uuid, id);
	r = iso_look_at_place(parent, leaf, id);
	close(parent);
	if (r != -EEXIST)
		return NULL;
	return cli_format(
		cli, "'%s' is not this guest's image; move it away or name another path", path);
}

const char *place_of_ramdisk(
	struct cli *cli, struct vp_policy *policy, int record, const char *path)
{
	struct vp_own_mounts own = {0};
	const char *leaf;
	int parent = open_parent(policy, VP_WRITE, path, &leaf), target;
	bool other;

	if (parent < 0)
		return NULL;
	target = vp_open_beneath(parent, leaf, O_PATH | O_DIRECTORY);
	close(parent);
	if (target < 0)
		return NULL;
	other = vp_is_mount_root(target) > 0 &&
		(record < 0 || vp_own_mounts_read(record, policy->event->uuid, &own) == 0) &&
		!vp_own_mounts_has(target, &own);
	vp_own_mounts_free(&own);
	close(target);
	if (!other)
		return NULL;
	return cli_format(cli,
		"something else is mounted on '%s'; unmount it or name another directory", path);
}

const char *place_of_moved(struct cli *cli, int record, const char *uuid)
{
	struct vp_own_mounts own;
	const struct vp_own_mount *moved = NULL;
	char shown[VP_MOUNT_SHOWN_SIZE];
	const char *text = NULL;

	if (vp_own_mounts_read(record, uuid, &own) == 0) {
		moved = vp_own_mounts_lost(&own);
		for (size_t i = 0; !moved && i < own.n; i++)
			if (own.mounts[i].was)
				moved = &own.mounts[i];
	}
	if (moved)
		text = cli_format(cli, "%s%s%sis now at '%s'",
			moved->was ? "the ramdisk of '" : "a ramdisk",
			moved->was ? moved->was : " ", moved->was ? "' " : "",
			vp_own_mount_shown(moved, shown));
	vp_own_mounts_free(&own);
	return text;
}
