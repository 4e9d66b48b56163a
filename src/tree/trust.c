/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether only root can have put something where it is. */
#include "trust.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_LINKS = 40 }; /* as the kernel: path_resolution(7) */

int vp_trust_mode(const struct stat *st)
{
	if (st->st_uid != 0)
		return -EPERM;
	/* a link's own mode means nothing */
	return !S_ISLNK(st->st_mode) && (st->st_mode & 022) ? -EPERM : 0;
}

static int untrusted(const char *path, const struct stat *st, char *why, size_t size)
{
	if (st->st_uid != 0)
		snprintf(why, size, "'%s' belongs to user %u, not to root", path,
			(unsigned)st->st_uid);
	else
		snprintf(why, size, "'%s' can be written by others than root (mode %04o)", path,
			(unsigned)st->st_mode & 07777);
	return -EPERM;
}

/* Puts a link's target in front of what is left of the path. */
static int follow(const char *link, char *rest, char *why, size_t size)
{
	char target[PATH_MAX];
	ssize_t length = readlink(link, target, sizeof(target) - 1);
	size_t left = strlen(rest);

	if (length < 0) {
		int r = -errno;

		snprintf(why, size, "cannot read the link '%s': %s", link, strerror(-r));
		return r;
	}
	if ((size_t)length + 1 + left >= PATH_MAX) {
		snprintf(why, size, "the link '%s' leads too far", link);
		return -ENAMETOOLONG;
	}
	memmove(rest + length + 1, rest, left + 1);
	memcpy(rest, target, (size_t)length);
	rest[length] = '/';
	return 0;
}

int vp_trust_check(const char *path, struct stat *ret_stat, char *ret_real, char *why, size_t size)
{
	char real[PATH_MAX] = "", rest[PATH_MAX], *next = rest;
	unsigned links = 0;
	struct stat st;
	size_t used = 0;
	bool seen = true; /* st is of what real names so far */

	if (path[0] != '/' || strlen(path) >= sizeof(rest)) {
		snprintf(why, size, "'%s' is not an absolute path of usable length", path);
		return -EINVAL;
	}
	strcpy(rest, path);
	if (stat("/", &st) < 0)
		return -errno;
	if (vp_trust_mode(&st) < 0)
		return untrusted("/", &st, why, size);
	for (;;) {
		size_t length;

		next += strspn(next, "/");
		if (!*next)
			break;
		length = strcspn(next, "/");
		if (!S_ISDIR(st.st_mode)) {
			snprintf(why, size, "'%s' is not a directory", real);
			return -ENOTDIR;
		}
		if (length == 1 && next[0] == '.') {
			next += length;
			continue;
		}
		if (length == 2 && !memcmp(next, "..", 2)) {
			/* real holds no links, so this is what the kernel does */
			char *slash = strrchr(real, '/');

			used = slash ? (size_t)(slash - real) : 0;
			real[used] = '\0';
			next += length;
			seen = false;
			continue;
		}
		if (used + 1 + length >= sizeof(real)) {
			snprintf(why, size, "'%s' is too long", path);
			return -ENAMETOOLONG;
		}
		real[used] = '/';
		memcpy(real + used + 1, next, length);
		real[used + 1 + length] = '\0';
		next += length;
		if (lstat(real, &st) < 0) {
			int r = -errno;

			snprintf(why, size, "'%s': %s", real, strerror(-r));
			return r;
		}
		if (vp_trust_mode(&st) < 0)
			return untrusted(real, &st, why, size);
		if (!S_ISLNK(st.st_mode)) {
			used += 1 + length;
			seen = true;
			continue;
		}
		seen = false;
		if (++links > MAX_LINKS) {
			snprintf(why, size, "'%s': %s", path, strerror(ELOOP));
			return -ELOOP;
		}
		memmove(rest, next, strlen(next) + 1);
		next = rest;
		int r = follow(real, rest, why, size);
		if (r < 0)
			return r;
		if (rest[0] == '/')
			used = 0;
		real[used] = '\0';
		st.st_mode = S_IFDIR; /* the directory that the link lies in, or the root */
	}
	if (!seen && lstat(used ? real : "/", &st) < 0)
		return -errno;
	if (ret_stat)
		*ret_stat = st;
	if (ret_real)
		strcpy(ret_real, used ? real : "/");
	return 0;
}
