/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Short-lived marks of a guest: that an event came which the next prepare must know of. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

int vp_mark_set(const char *run_dir, const char *driver, const char *uuid, const char *mark,
	const char *text)
{
	char path[PATH_MAX];
	size_t length = strlen(text);
	int r = mark_path(path, run_dir, driver, uuid, mark), fd;

	if (r == 0)
		r = vp_make_private_dir(run_dir);
	if (r < 0)
		return r;
	unlink(path); /* a new file has a new time */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (length)
		(void)!write(fd, text, length); /* it counts without its text, too */
	close(fd);
	return 0;
}

int vp_mark_look_up(const char *run_dir, const char *driver, const char *uuid, const char *mark)
{
	enum { LIFETIME = 300 }; /* seconds */
	char path[PATH_MAX];
	struct stat st;
	time_t now = time(NULL);
	int r = mark_path(path, run_dir, driver, uuid, mark);

	if (r < 0)
		return r;
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	/* the clock may have been set back since */
	return llabs((long long)now - st.st_mtime) < LIFETIME;
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
