/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The paths that belong to one run alone. */
#include "claims.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "record.h"
#include "text.h"

int vp_claims_lock(const char *state_dir)
{
	char path[PATH_MAX];
	int fd, r;

	if (snprintf(path, sizeof(path), "%s/claims.lock", state_dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	r = vp_make_private_dir(state_dir);
	if (r < 0)
		return r;
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

/* A path with a slash behind it, so that what begins with it lies below it; mine or the other run's. */
struct claim {
	const char *path;
	size_t length;
	bool mine;
};

struct claims {
	struct claim *claims;
	size_t n;
};

static int by_path(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int r = memcmp(x->path, y->path, x->length < y->length ? x->length : y->length);

	return r ? r : (x->length > y->length) - (x->length < y->length);
}

/* Sorts the lines of TEXT, which are changed for it and must stay. *ret is to be freed. */
static int sort_claims(char *text, bool mine, struct claims *ret)
{
	size_t n = 0;

	for (const char *at = text; (at = strchr(at, '\n')); at++)
		n++;
	*ret = (struct claims){.claims = calloc(n + 1, sizeof(*ret->claims))};
	if (!ret->claims)
		return -ENOMEM;
	for (char *end = text; *text; text = end + 1) {
		bool last;

		end = strchrnul(text, '\n');
		last = !*end;
		*end = '/';
		ret->claims[ret->n++] = (struct claim){text, (size_t)(end + 1 - text), mine};
		if (last)
			break;
	}
	qsort(ret->claims, ret->n, sizeof(*ret->claims), by_path);
	return 0;
}

static bool is_within(const struct claim *claim, const struct claim *above)
{
	return claim->length >= above->length &&
	       memcmp(claim->path, above->path, above->length) == 0;
}

/*
 * Both in one order: what lies below a path comes right behind it. So a path collides when it lies
 * within the last of the other side that did not lie within another of that side.
 */
static bool find_collision(const struct claims *mine, const struct claims *theirs,
	const struct claim **ret_mine, const struct claim **ret_theirs)
{
	const struct claim *top[2] = {NULL, NULL};
	size_t i = 0, j = 0;

	while (i < mine->n || j < theirs->n) {
		bool first = j == theirs->n ||
			     (i < mine->n && by_path(&mine->claims[i], &theirs->claims[j]) <= 0);
		const struct claim *claim = first ? &mine->claims[i++] : &theirs->claims[j++];
		const struct claim *other = top[!claim->mine];

		if (other && is_within(claim, other)) {
			*ret_mine = claim->mine ? claim : other;
			*ret_theirs = claim->mine ? other : claim;
			return true;
		}
		if (!top[claim->mine] || !is_within(claim, top[claim->mine]))
			top[claim->mine] = claim;
	}
	return false;
}

struct asking {
	const char *state_dir, *driver, *uuid;
	const char *name; /* runs of which are passed over; NULL: none is */
	struct claims claims;
	char *why;
	size_t why_size;
};

static int compare(struct asking *asking, char *text, int run, const char *driver, const char *uuid)
{
	const struct claim *mine, *claimed;
	struct claims theirs;
	struct vp_run owner;
	int r = sort_claims(text, false, &theirs);

	if (r == 0 && find_collision(&asking->claims, &theirs, &mine, &claimed)) {
		if (vp_record_read_run(run, &owner) < 0)
			strcpy(owner.name, "?");
		snprintf(asking->why, asking->why_size,
			"'%.*s' is in the way of '%.*s', which the run of the %s guest '%s' has "
			"claimed; end that guest, or finish its run, if it has ended, with "
			"'virt-parts resolve %s', or use %%NAME%% in the path",
			(int)mine->length - 1, mine->path, (int)claimed->length - 1, claimed->path,
			driver, owner.name, uuid);
		r = -EBUSY;
	}
	free(theirs.claims);
	return r;
}

static bool is_namesake(const struct asking *asking, int run, const char *driver)
{
	struct vp_run owner;

	return !strcmp(driver, asking->driver) && vp_record_read_run(run, &owner) == 0 &&
	       !strcmp(owner.name, asking->name);
}

static int check_run(struct asking *asking, const char *driver, const char *uuid)
{
	char *theirs;
	int run, r;

	if (!strcmp(driver, asking->driver) && !strcmp(uuid, asking->uuid))
		return 0;
	run = vp_record_open(asking->state_dir, driver, uuid);
	if (run < 0)
		return run == -ENOENT ? 0 : run;
	if (asking->name && is_namesake(asking, run, driver)) {
		close(run);
		return 0;
	}
	r = vp_record_read(run, "claims", &theirs, NULL);
	if (r == 0) {
		r = compare(asking, theirs, run, driver, uuid);
		free(theirs);
	} else if (r == -ENOENT) {
		r = 0; /* its record is being removed: the run is over */
	}
	close(run);
	return r;
}

/* 1 and the next name, 0 at the end, -errno. */
static int each_name(DIR *dir, const char **ret_name)
{
	struct dirent *entry;

	*ret_name = NULL;
	do {
		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return -errno;
	} while (entry->d_name[0] == '.');
	*ret_name = entry->d_name;
	return 1;
}

static int check_driver(struct asking *asking, const char *driver)
{
	char path[PATH_MAX];
	const char *uuid;
	DIR *dir;
	int r;

	if (snprintf(path, sizeof(path), "%s/%s", asking->state_dir, driver) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	dir = opendir(path);
	if (!dir)
		return errno == ENOTDIR || errno == ENOENT ? 0 : -errno;
	while ((r = each_name(dir, &uuid)) > 0) {
		/* not what is being made or removed: REC.new, REC.over */
		r = vp_is_uuid(uuid) ? check_run(asking, driver, uuid) : 0;
		if (r < 0)
			break;
	}
	closedir(dir);
	return r;
}

static int check_drivers(struct asking *asking)
{
	DIR *dir = opendir(asking->state_dir);
	const char *name;
	int r;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((r = each_name(dir, &name)) > 0) {
		r = check_driver(asking, name);
		if (r < 0)
			break;
	}
	closedir(dir);
	return r;
}

int vp_claims_check(const char *state_dir, const char *driver, const char *uuid, const char *name,
	const char *claims, char *why, size_t size)
{
	struct asking asking = {state_dir, driver, uuid, name, .why = why, .why_size = size};
	char *text = strdup(claims);
	int r = text ? sort_claims(text, true, &asking.claims) : -ENOMEM;

	if (r == 0)
		r = check_drivers(&asking);
	free(asking.claims.claims);
	free(text);
	if (r < 0 && r != -EBUSY)
		snprintf(why, size, "cannot read the records of other runs in '%s': %s", state_dir,
			strerror(-r));
	return r;
}
