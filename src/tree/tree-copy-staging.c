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
#define KEYED_LENGTH 10 /* 59 bits: no two makers ever have the same */
#define FNV_BASIS 0xcbf29ce484222325
#define FNV_PRIME 0x100000001b3

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static void append_number(char *text, uint64_t number, int length)
{
	char *at = text + strlen(text);

	for (int i = 0; i < length; i++, number /= sizeof(alphabet) - 1)
		*at++ = alphabet[number % (sizeof(alphabet) - 1)];
	*at = '\0';
}

int vp_append_random(char *text)
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return errno > 0 ? -errno : -EIO;
	append_number(text, number, RANDOM_LENGTH);
	return 0;
}

/* FNV-1a, as the number of the attempt would begin it. */
static uint64_t hash_of(const char *key, unsigned attempt)
{
	uint64_t hash = (FNV_BASIS ^ attempt) * FNV_PRIME;

	for (; *key; key++)
		hash = (hash ^ (unsigned char)*key) * FNV_PRIME;
	return hash;
}

bool vp_is_random_name(const char *name, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(name, prefix, length) == 0 && strlen(name + length) == RANDOM_LENGTH &&
	       strspn(name + length, alphabet) == RANDOM_LENGTH;
}

static bool is_staging_name(const char *name)
{
	const char *end = strrchr(name, '.');

	return strncmp(name, VP_TEMPORARY_PREFIX, strlen(VP_TEMPORARY_PREFIX)) == 0 &&
	       end > name + strlen(VP_TEMPORARY_PREFIX) && strlen(end + 1) >= RANDOM_LENGTH &&
	       end[1 + strspn(end + 1, alphabet)] == '\0';
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

	/* Between mkdir and here somebody may have looked whether its maker lives. */
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

/*
 * ".virt-parts.NAME.XXXXXX", NAME cut so that the end fits behind it. The end is the same whenever the
 * same maker makes the same attempt, and another than any other maker's.
 */
static int staging_name(const char *name, const struct vp_staging_maker *maker, unsigned attempt,
	char ret[NAME_MAX + 1])
{
	snprintf(ret, NAME_MAX + 1 - KEYED_LENGTH, VP_TEMPORARY_PREFIX "%.*s.",
		(int)(NAME_MAX - KEYED_LENGTH - strlen(VP_TEMPORARY_PREFIX) - 1), name);
	if (!maker)
		return vp_append_random(ret);
	append_number(ret, hash_of(maker->key, attempt), KEYED_LENGTH);
	return 0;
}

int vp_staging_make(int dest_parent, const char *name, const struct vp_staging_maker *maker,
	char ret_name[NAME_MAX + 1], char *ret_why, size_t why_size)
{
	const struct vp_why why = {ret_why, why_size};
	char staging[NAME_MAX + 1];
	int r = -EEXIST;

	for (unsigned attempt = 0;
		attempt < MAX_TRIES && (r == -EEXIST || r == -EBUSY || r == -ENOENT); attempt++) {
		r = staging_name(name, maker, attempt, staging);
		/* what cannot be removed is in the way, and the next name is tried */
		if (r == 0 && maker)
			vp_staging_remove_left(dest_parent, staging, NULL, 0);
		if (r == 0 && maker && maker->note) {
			r = maker->note(maker->context, staging, ret_why, why_size);
			if (r < 0)
				return r;
		}
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

int vp_staging_open_left(int dest_parent, const char *staging_name)
{
	struct stat st;
	int fd, r;

	if (!is_staging_name(staging_name))
		return -ENOENT;
	fd = vp_open_beneath(dest_parent, staging_name, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd == -ENOTDIR || fd == -ELOOP ? -ENOENT : fd;
	r = fstat(fd, &st) < 0 ? -errno : 0;
	if (r == 0 && (st.st_uid != geteuid() || (st.st_mode & 0777) != 0700))
		r = -ENOENT;
	if (r == 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
		r = errno == EWOULDBLOCK ? -ENOENT : -errno;
	if (r == 0 && !is_still(dest_parent, staging_name, fd))
		r = -ENOENT;
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

int vp_staging_remove_left(
	int dest_parent, const char *staging_name, char *ret_why, size_t why_size)
{
	const struct vp_why why = {ret_why, why_size};
	int fd = vp_staging_open_left(dest_parent, staging_name), r;

	if (fd < 0)
		return fd == -ENOENT ? 0 : vp_why_path(&why, fd, "open", staging_name);
	r = vp_staging_remove(dest_parent, staging_name, fd, ret_why, why_size);
	return r < 0 ? r : 1;
}
