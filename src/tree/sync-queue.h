/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sync-queue.h: files on their way to the disk, several at a time.
 *
 * An fsync waits for the filesystem's journal and for the disk to empty its cache, and those that wait
 * at the same time wait together: 16 threads fsync a tree of small files several times faster than one.
 * An error of a file's writing is told by the fsync of a descriptor that was open then (fsync(2)): what must
 * not be missed is given here with the descriptor that wrote it. In which order they reach the disk is not said.
 */
#ifndef VP_SYNC_QUEUE_H
#define VP_SYNC_QUEUE_H

#include <pthread.h>
#include <stdbool.h>

enum { VP_SYNC_HELD = 16 }; /* descriptors, and threads at most */

/* Begun as {0}; used by one thread. */
struct vp_sync_queue {
	bool begun; /* what follows is set up, until vp_sync_all or vp_sync_none */
	pthread_mutex_t mutex;
	pthread_cond_t added, left;
	pthread_t threads[VP_SYNC_HELD];
	unsigned n_threads, idle;
	int fds[VP_SYNC_HELD]; /* no thread has taken these yet */
	unsigned first, waiting, held;
	bool no_more;
	int error; /* the first -errno */
};

/*
 * Takes the descriptor of a file or directory over, with which everything has been written. 0, or
 * the -errno of this one or of an earlier one.
 */
int vp_sync_later(struct vp_sync_queue *queue, int fd);

/* Waits for all that are left. 0 or the first -errno; the queue is as {0} then in any case. */
int vp_sync_all(struct vp_sync_queue *queue);

/* Closes all that are left: what was made is given up. */
void vp_sync_none(struct vp_sync_queue *queue);

#endif
