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

struct asking {
	const char *state_dir, *driver, *uuid;
	const char *claims;
	char *why;
	size_t why_size;
};

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

/* The next line of a list, its length; NULL at the end. */
static const char *next_line(const char **list, size_t *ret_length)
{
	const char *line = *list;

	if (!*line)
		return NULL;
	*ret_length = strcspn(line, "\n");
	*list = line + *ret_length + (line[*ret_length] == '\n');
	return line;
}

static bool collide(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t shorter = a_length < b_length ? a_length : b_length;

	if (memcmp(a, b, shorter) != 0)
		return false;
	return a_length == b_length || (a_length > b_length ? a : b)[shorter] == '/';
}

static int compare(struct asking *asking, const char *theirs, int run, const char *driver)
{
	const char *list = asking->claims, *mine, *path;
	size_t mine_length, length;
	struct vp_run owner;

	while ((mine = next_line(&list, &mine_length))) {
		const char *their_list = theirs;

		while ((path = next_line(&their_list, &length))) {
			if (!collide(mine, mine_length, path, length))
				continue;
			if (vp_record_read_run(run, &owner) < 0)
				strcpy(owner.name, "?");
			snprintf(asking->why, asking->why_size,
				"'%.*s' is in the way of '%.*s', which the run of the %s guest "
				"'%s' has claimed; end that run, or use %%NAME%% in the path",
				(int)mine_length, mine, (int)length, path, driver, owner.name);
			return -EBUSY;
		}
	}
	return 0;
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
	r = vp_record_read(run, "claims", &theirs, NULL);
	if (r == 0) {
		r = compare(asking, theirs, run, driver);
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

int vp_claims_check(const char *state_dir, const char *driver, const char *uuid, const char *claims,
	char *why, size_t size)
{
	struct asking asking = {state_dir, driver, uuid, claims, why, size};
	DIR *dir = opendir(state_dir);
	const char *name;
	int r;

	if (!dir) {
		r = errno == ENOENT ? 0 : -errno;
	} else {
		while ((r = each_name(dir, &name)) > 0) {
			r = check_driver(&asking, name);
			if (r < 0)
				break;
		}
		closedir(dir);
	}
	if (r < 0 && r != -EBUSY)
		snprintf(why, size, "cannot read the records of other runs in '%s': %s", state_dir,
			strerror(-r));
	return r;
}
