/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The private directory in which a result is built, and random names. */
#include "tree-copy-staging.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beneath.h"
#include "tree-copy-state.h"
#include "tree-remove.h"

#define MAX_TRIES 16
#define RANDOM_LENGTH 6

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

int vp_append_random(char *text)
{
	char *at = text + strlen(text);
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return errno > 0 ? -errno : -EIO;
	for (int i = 0; i < RANDOM_LENGTH; i++, number /= sizeof(alphabet) - 1)
		*at++ = alphabet[number % (sizeof(alphabet) - 1)];
	*at = '\0';
	return 0;
}

bool vp_is_random_name(const char *name, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(name, prefix, length) == 0 && strlen(name + length) == RANDOM_LENGTH &&
	       strspn(name + length, alphabet) == RANDOM_LENGTH;
}

/* ".virt-parts.NAME.", NAME cut so that the random part fits behind it. */
static void staging_prefix(const char *name, char prefix[NAME_MAX + 1])
{
	snprintf(prefix, NAME_MAX + 1 - RANDOM_LENGTH, VP_TEMPORARY_PREFIX "%.*s.",
		(int)(NAME_MAX - RANDOM_LENGTH - strlen(VP_TEMPORARY_PREFIX) - 1), name);
}

static bool is_staging_name(const char *name, const char *prefix)
{
	size_t length = strlen(name);

	if (prefix)
		return vp_is_random_name(name, prefix);
	return strncmp(name, VP_TEMPORARY_PREFIX, strlen(VP_TEMPORARY_PREFIX)) == 0 &&
	       length > strlen(VP_TEMPORARY_PREFIX) + RANDOM_LENGTH + 1 &&
	       name[length - RANDOM_LENGTH - 1] == '.' &&
	       strspn(name + length - RANDOM_LENGTH, alphabet) == RANDOM_LENGTH;
}

/* Whether name in dir still is what fd is. */
static bool is_still(int dir, const char *name, int fd)
{
	struct vp_identity now, then;

	return vp_identify(dir, name, &now, NULL) == 0 && vp_identify(fd, "", &then, NULL) == 0 &&
	       vp_identity_equal(&now, &then);
}

/* Makes one: a descriptor, or -errno; -EEXIST and -EBUSY mean: try another name. */
static int try_make(int dest_parent, const char *name)
{
	if (mkdirat(dest_parent, name, 0700) < 0)
		return -errno;
	int fd = vp_open_beneath(dest_parent, name, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd;
	int r = flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;

	/* Between mkdir and here a vp_remove_stale_staging() may have taken it for a dead one. */
	if (r == -EWOULDBLOCK || (r == 0 && !is_still(dest_parent, name, fd)))
		r = -EBUSY;
	else if (r == 0)
		r = vp_drop_inherited_acls(fd);
	if (r == 0 && fchmod(fd, 0700) < 0) /* not the setgid bit of dest_parent */
		r = -errno;
	if (r == 0)
		return fd;
	close(fd);
	if (r != -EBUSY)
		unlinkat(dest_parent, name, AT_REMOVEDIR);
	return r;
}

int vp_staging_make(int dest_parent, const char *name, char ret_name[NAME_MAX + 1], char *ret_why,
	size_t why_size)
{
	const struct vp_why why = {ret_why, why_size};
	char staging[NAME_MAX + 1];
	int r = -EEXIST;

	for (int tries = 0; tries < MAX_TRIES && (r == -EEXIST || r == -EBUSY || r == -ENOENT);
		tries++) {
		staging_prefix(name, staging);
		r = vp_append_random(staging);
		if (r == 0)
			r = try_make(dest_parent, staging);
	}
	if (r < 0)
		return vp_why_path(&why, r, "create a staging directory for", name);
	strcpy(ret_name, staging);
	return r;
}

int vp_staging_remove(
	int dest_parent, const char *staging_name, int staging_dir, char *ret_why, size_t why_size)
{
	int r = vp_remove_tree(dest_parent, staging_name, NULL, ret_why, why_size);

	close(staging_dir);
	return r;
}

/* Removes one if its maker is gone: 1 if so, 0 if not, or -errno. */
static int remove_if_stale(int dest_parent, const char *name, const struct vp_why *why)
{
	struct stat st;
	int fd = vp_open_beneath(dest_parent, name, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP
			       ? 0
			       : vp_why_path(why, fd, "open", name);
	int r = 0;

	if (fstat(fd, &st) < 0)
		r = vp_why_path(why, -errno, "examine", name);
	else if (st.st_uid == geteuid() && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
		 is_still(dest_parent, name, fd)) {
		r = vp_remove_tree(dest_parent, name, NULL, why->text, why->size);
		r = r == 0 ? 1 : r;
	}
	close(fd);
	return r;
}

int vp_remove_stale_staging(int dest_parent, const char *name, char *ret_why, size_t why_size)
{
	const struct vp_why why = {ret_why, why_size};
	const struct vp_walk_options options = {.max_depth = 0};
	char prefix[NAME_MAX + 1];
	struct vp_walk *walk;
	const char *entry;
	unsigned char type;
	int removed = 0;
	int r = vp_walk_begin(dest_parent, &options, &why, &walk);

	if (r < 0)
		return r;
	if (name)
		staging_prefix(name, prefix);
	while (r >= 0 && (r = vp_walk_next(walk, &entry, &type)) > 0) {
		if (!is_staging_name(entry, name ? prefix : NULL))
			continue;
		r = remove_if_stale(vp_walk_fd(walk), entry, &why);
		if (r > 0)
			removed++;
	}
	vp_walk_end(walk);
	return r < 0 ? r : removed;
}
