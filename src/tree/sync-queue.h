/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sync-queue.h: files on their way to the disk, several at a time.
 *
 * An fsync waits for one file and one commit of the filesystem's journal. Begun when a file is
 * written and waited for some files later, most of the waiting is shared. Each file is still fsynced
 * by the descriptor that wrote it, so that no error of its writing can be missed (fsync(2)).
 */
#ifndef VP_SYNC_QUEUE_H
#define VP_SYNC_QUEUE_H

enum { VP_SYNC_HELD = 16 }; /* descriptors */

struct vp_sync_queue {
	int fds[VP_SYNC_HELD];
	unsigned first, count;
};

/*
 * Takes the descriptor of a file or directory over, with which everything has been written. 0, or
 * the -errno of this one or of an earlier one that made room for it.
 */
int vp_sync_later(struct vp_sync_queue *queue, int fd);

/* Waits for all that are left. 0 or the first -errno; the queue is empty then in any case. */
int vp_sync_all(struct vp_sync_queue *queue);

/* Closes all that are left: what was made is given up. */
void vp_sync_none(struct vp_sync_queue *queue);

#endif
