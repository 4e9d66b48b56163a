/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files on their way to the disk, several at a time. */
#include "sync-queue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

/* The oldest leaves. */
static int leave(struct vp_sync_queue *queue, bool sync)
{
	int fd = queue->fds[queue->first], r = 0;

	queue->first = (queue->first + 1) % VP_SYNC_HELD;
	queue->count--;
	if (sync && fsync(fd) < 0)
		r = -errno;
	/* NFS and others tell of a failed write only here */
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

int vp_sync_later(struct vp_sync_queue *queue, int fd)
{
	int r = queue->count == VP_SYNC_HELD ? leave(queue, true) : 0;

	/* only a hint, and directories have no such pages: fsync is what counts */
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	queue->fds[(queue->first + queue->count) % VP_SYNC_HELD] = fd;
	queue->count++;
	return r;
}

int vp_sync_all(struct vp_sync_queue *queue)
{
	int first = 0;

	while (queue->count) {
		int r = leave(queue, true);

		if (first == 0)
			first = r;
	}
	return first;
}

void vp_sync_none(struct vp_sync_queue *queue)
{
	while (queue->count)
		(void)leave(queue, false);
}
