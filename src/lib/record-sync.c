/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record of a guest's run, brought to disk. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "record-path.h"
#include "record.h"
#include "rename-new.h"
#include "sync-queue.h"

static int sync_at(struct vp_sync_queue *queue, int at, const char *path)
{
	int fd = openat(at, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : vp_sync_later(queue, fd);
}

/* Everything in a directory of a record, and the names of it. */
static int sync_dir(struct vp_sync_queue *queue, int at, const char *path, unsigned depth)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r = 0;
	struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (r == 0 && (errno = 0, entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		r = entry->d_type == DT_DIR && depth ? sync_dir(queue, fd, entry->d_name, depth - 1)
						     : sync_at(queue, fd, entry->d_name);
	}
	if (r == 0)
		r = errno ? -errno : sync_at(queue, fd, ".");
	closedir(dir);
	return r;
}

/* All that is in the queue, or, after a failure R, nothing more. */
static int finish(struct vp_sync_queue *queue, int r)
{
	if (r == 0)
		return vp_sync_all(queue);
	vp_sync_none(queue);
	return r;
}

int vp_record_sync(int run)
{
	struct vp_sync_queue queue = {0};
	int r = vp_record_has(run, "done") ? sync_dir(&queue, run, "done", 0) : 0;

	if (r == 0 && vp_record_has(run, "release"))
		r = sync_at(&queue, run, "release");
	if (r == 0)
		r = sync_at(&queue, run, ".");
	return finish(&queue, r);
}

/*
 * Where the filesystem has no RENAME_NOREPLACE: a directory can be renamed over an empty one only, and a
 * record, which has got its name whole, is none.
 */
static int put_in_place(const char *from, const char *to)
{
	int r = vp_rename_new(AT_FDCWD, from, AT_FDCWD, to);

	if (r != -EOPNOTSUPP)
		return r;
	if (rename(from, to) == 0)
		return 0;
	return errno == ENOTEMPTY ? -EEXIST : -errno;
}

int vp_record_begin(const char *state_dir, const char *driver, const char *uuid)
{
	struct vp_sync_queue queue = {0};
	char from[PATH_MAX], to[PATH_MAX];
	int r = vp_record_path(from, state_dir, driver, uuid, ".new");

	if (r == 0)
		r = vp_record_path(to, state_dir, driver, uuid, "");
	if (r == 0)
		r = sync_dir(&queue, AT_FDCWD, from, 1);
	r = finish(&queue, r);
	if (r == 0)
		r = put_in_place(from, to);
	if (r < 0)
		return r;
	*strrchr(to, '/') = '\0';
	r = sync_at(&queue, AT_FDCWD, to);
	/* the driver's directory may be as new */
	if (r == 0)
		r = sync_at(&queue, AT_FDCWD, state_dir);
	return finish(&queue, r);
}
