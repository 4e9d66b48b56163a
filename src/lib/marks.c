/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Short-lived marks of a guest: that an event came which the next prepare must know of. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "record.h"
#include "text.h"

static int mark_path(char path[PATH_MAX], const char *run_dir, const char *driver, const char *uuid,
	const char *mark)
{
	if (!vp_is_file_name(driver) || !vp_is_uuid(uuid))
		return -EINVAL;
	if (snprintf(path, PATH_MAX, "%s/%s-%s.%s", run_dir, driver, uuid, mark) >= PATH_MAX)
		return -ENAMETOOLONG;
	return 0;
}

/* A mark's time is for how long the host has run, which goes on whatever its clock is set to. */
static struct timespec running_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now;
}

int vp_mark_set(const char *run_dir, const char *driver, const char *uuid, const char *mark,
	const char *text)
{
	char path[PATH_MAX];
	struct timespec now = running_time(), times[] = {now, now};
	size_t length = strlen(text);
	int r = mark_path(path, run_dir, driver, uuid, mark), fd;

	if (r == 0)
		r = vp_make_private_dir(run_dir);
	if (r < 0)
		return r;
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (length)
		(void)!write(fd, text, length); /* it counts without its text, too */
	if (futimens(fd, times) < 0)
		r = -errno;
	close(fd);
	return r;
}

int vp_mark_look_up(const char *run_dir, const char *driver, const char *uuid, const char *mark)
{
	enum { LIFETIME = 300 }; /* seconds */
	char path[PATH_MAX];
	struct stat st;
	time_t now = running_time().tv_sec;
	int r = mark_path(path, run_dir, driver, uuid, mark);

	if (r < 0)
		return r;
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	/* one of another boot may be of later */
	return st.st_mtime <= now && now - st.st_mtime < LIFETIME;
}

bool vp_mark_is_set(const char *run_dir, const char *driver, const char *uuid, const char *mark)
{
	return vp_mark_look_up(run_dir, driver, uuid, mark) > 0;
}

bool vp_mark_read_lasting(const char *run_dir, const char *driver, const char *uuid,
	const char *mark, char *ret, size_t size)
{
	char path[PATH_MAX];
	ssize_t n;
	int fd = -1;

	ret[0] = '\0';
	if (mark_path(path, run_dir, driver, uuid, mark) == 0)
		fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, ret, size - 1);
	close(fd);
	ret[n > 0 ? n : 0] = '\0';
	return true;
}

bool vp_mark_read(const char *run_dir, const char *driver, const char *uuid, const char *mark,
	char *ret, size_t size)
{
	bool set = vp_mark_is_set(run_dir, driver, uuid, mark);

	/* it counts without its text, too */
	if (!set || !vp_mark_read_lasting(run_dir, driver, uuid, mark, ret, size))
		ret[0] = '\0';
	return set;
}

void vp_mark_clear(const char *run_dir, const char *driver, const char *uuid, const char *mark)
{
	char path[PATH_MAX];

	if (mark_path(path, run_dir, driver, uuid, mark) == 0)
		unlink(path);
}
