/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files on their way to the disk, several at a time. */
#include "sync-queue.h"

#include <errno.h>
#include <unistd.h>

enum { STACK_SIZE = 64 * 1024 };

static int sync_and_close(int fd, bool sync)
{
	int r = sync && fsync(fd) < 0 ? -errno : 0;

	/* NFS and others tell of a failed write only here */
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

static int take(struct vp_sync_queue *queue)
{
	int fd = queue->fds[queue->first];

	queue->first = (queue->first + 1) % VP_SYNC_HELD;
	queue->waiting--;
	return fd;
}

static void note_left(struct vp_sync_queue *queue, int r)
{
	queue->held--;
	if (queue->error == 0)
		queue->error = r;
}

static void *sync_them(void *data)
{
	struct vp_sync_queue *queue = data;

	pthread_mutex_lock(&queue->mutex);
	for (;;) {
		while (!queue->waiting && !queue->no_more) {
			queue->idle++;
			pthread_cond_wait(&queue->added, &queue->mutex);
			queue->idle--;
		}
		if (!queue->waiting)
			break;
		int fd = take(queue), r;

		pthread_mutex_unlock(&queue->mutex);
		r = sync_and_close(fd, true);
		pthread_mutex_lock(&queue->mutex);
		note_left(queue, r);
		pthread_cond_signal(&queue->left);
	}
	pthread_mutex_unlock(&queue->mutex);
	return NULL;
}

static void begin(struct vp_sync_queue *queue)
{
	pthread_mutex_init(&queue->mutex, NULL);
	pthread_cond_init(&queue->added, NULL);
	pthread_cond_init(&queue->left, NULL);
	queue->begun = true;
}

/* Where no thread can be had, the others, or this one alone, do its work. */
static void add_thread(struct vp_sync_queue *queue)
{
	pthread_attr_t attributes;

	if (queue->n_threads == VP_SYNC_HELD || pthread_attr_init(&attributes) != 0)
		return;
	/* small, so that memory does not go with their number; where it is too small, as it is otherwise */
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	if (pthread_create(&queue->threads[queue->n_threads], &attributes, sync_them, queue) == 0)
		queue->n_threads++;
	pthread_attr_destroy(&attributes);
}

int vp_sync_later(struct vp_sync_queue *queue, int fd)
{
	int r;

	if (!queue->begun)
		begin(queue);
	pthread_mutex_lock(&queue->mutex);
	if (queue->idle <= queue->waiting)
		add_thread(queue);
	while (queue->held == VP_SYNC_HELD)
		pthread_cond_wait(&queue->left, &queue->mutex);
	queue->held++;
	if (queue->n_threads) {
		queue->fds[(queue->first + queue->waiting) % VP_SYNC_HELD] = fd;
		queue->waiting++;
		pthread_cond_signal(&queue->added);
	} else {
		note_left(queue, sync_and_close(fd, true));
	}
	r = queue->error;
	pthread_mutex_unlock(&queue->mutex);
	return r;
}

static int end(struct vp_sync_queue *queue, bool sync)
{
	int r;

	if (!queue->begun)
		return 0;
	pthread_mutex_lock(&queue->mutex);
	while (!sync && queue->waiting)
		note_left(queue, sync_and_close(take(queue), false));
	queue->no_more = true;
	pthread_cond_broadcast(&queue->added);
	pthread_mutex_unlock(&queue->mutex);
	for (unsigned i = 0; i < queue->n_threads; i++)
		pthread_join(queue->threads[i], NULL);
	pthread_cond_destroy(&queue->left);
	pthread_cond_destroy(&queue->added);
	pthread_mutex_destroy(&queue->mutex);
	r = queue->error;
	*queue = (struct vp_sync_queue){0};
	return r;
}

int vp_sync_all(struct vp_sync_queue *queue)
{
	return end(queue, true);
}

void vp_sync_none(struct vp_sync_queue *queue)
{
	(void)end(queue, false);
}
