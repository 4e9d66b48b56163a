/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One event of a guest at a time, in the order in which they came. */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "record.h"
#include "text.h"

/* In the file: the last ticket that was given, and who holds the lock. */
struct content {
	uint64_t last;
	struct {
		int64_t since; /* clock_ms */
		int64_t pid;
		char what[112];
	} holder;
};

/* Bytes that are locked but never written: of the tickets, byte FIRST + ticket. */
#define FIRST ((off_t)1 << 32)

enum { POLL_MIN_MS = 1, POLL_MAX_MS = 20 };

static int set_lock(int fd, short type, off_t start)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = 1};

	return fcntl(fd, F_OFD_SETLK, &lock) < 0 ? -errno : 0;
}

static void pause_for(unsigned *ms)
{
	clock_sleep(*ms);
	*ms = *ms < POLL_MAX_MS / 2 ? 2 * *ms : POLL_MAX_MS;
}

static int open_file(const char *run_dir, const char *driver, const char *uuid)
{
	static const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
	char path[PATH_MAX];
	int fd, r;

	if (!vp_is_file_name(driver) || !vp_is_uuid(uuid))
		return -EINVAL;
	if (snprintf(path, sizeof(path), "%s/%s-%s.lock", run_dir, driver, uuid) >=
		(int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, flags, 0600);
	if (fd < 0 && errno == ENOENT) {
		r = vp_make_private_dir(run_dir);
		if (r < 0)
			return r;
		fd = open(path, flags, 0600);
	}
	return fd < 0 ? -errno : fd;
}

/* Under the lock of byte 0. The ticket's lock comes first: whoever dies here leaves nothing behind. */
static int take_ticket(struct lock *lock)
{
	uint64_t last = 0;
	ssize_t n = pread(lock->fd, &last, sizeof(last), 0);
	int r;

	if (n < 0)
		return -errno;
	lock->ticket = last + 1;
	r = set_lock(lock->fd, F_WRLCK, FIRST + (off_t)lock->ticket);
	if (r == 0 && pwrite(lock->fd, &lock->ticket, sizeof(lock->ticket), 0) < 0)
		r = -errno;
	return r;
}

int lock_queue(
	struct lock *ret, const char *run_dir, const char *driver, const char *uuid, int64_t until)
{
	struct lock lock = {.fd = open_file(run_dir, driver, uuid)};
	unsigned ms = POLL_MIN_MS;
	int r;

	if (lock.fd < 0)
		return lock.fd;
	while ((r = set_lock(lock.fd, F_WRLCK, 0)) == -EAGAIN || r == -EACCES) {
		if (clock_left(until) == 0) {
			r = -ETIMEDOUT;
			break;
		}
		pause_for(&ms);
	}
	if (r == 0)
		r = take_ticket(&lock);
	if (r == 0)
		r = set_lock(lock.fd, F_UNLCK, 0);
	if (r < 0)
		close(lock.fd);
	else
		*ret = lock;
	return r;
}

int lock_wait(const struct lock *lock, int64_t until)
{
	unsigned ms = POLL_MIN_MS;

	for (;;) {
		struct flock lower = {.l_type = F_WRLCK,
			.l_whence = SEEK_SET,
			.l_start = FIRST,
			.l_len = (off_t)lock->ticket};

		if (fcntl(lock->fd, F_OFD_GETLK, &lower) < 0)
			return -errno;
		if (lower.l_type == F_UNLCK)
			return 0;
		if (clock_left(until) == 0)
			return -ETIMEDOUT;
		pause_for(&ms);
	}
}

void lock_label(const struct lock *lock, const char *what)
{
	struct content content = {.holder = {.since = clock_ms(), .pid = getpid()}};

	if (lock->fd < 0)
		return;
	snprintf(content.holder.what, sizeof(content.holder.what), "%s", what);
	/* only for messages: without it they say less */
	if (pwrite(lock->fd, &content.holder, sizeof(content.holder),
		    offsetof(struct content, holder)) < 0)
		return;
}

void lock_holder(const struct lock *lock, char *ret, size_t size)
{
	struct content content = {0};
	ssize_t n = pread(lock->fd, &content.holder, sizeof(content.holder),
		offsetof(struct content, holder));
	char what[sizeof(content.holder.what)];

	content.holder.what[sizeof(content.holder.what) - 1] = '\0';
	vp_escape(content.holder.what, strlen(content.holder.what), what, sizeof(what));
	if (n < (ssize_t)sizeof(content.holder) || content.holder.pid <= 0 ||
		(kill((pid_t)content.holder.pid, 0) < 0 && errno == ESRCH))
		snprintf(ret, size, "another event of this guest");
	else
		snprintf(ret, size, "%s (pid %" PRId64 ") since %" PRId64 " s", what,
			content.holder.pid, (clock_ms() - content.holder.since) / 1000);
}

int lock_look(
	const char *run_dir, const char *driver, const char *uuid, char *ret_holder, size_t size)
{
	struct flock any = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = FIRST};
	struct lock lock;
	char path[PATH_MAX];
	int r;

	if (snprintf(path, sizeof(path), "%s/%s-%s.lock", run_dir, driver, uuid) >=
		(int)sizeof(path))
		return -ENAMETOOLONG;
	lock.fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (lock.fd < 0)
		return errno == ENOENT ? 0 : -errno;
	r = fcntl(lock.fd, F_OFD_GETLK, &any) < 0 ? -errno : any.l_type != F_UNLCK;
	if (r == 1)
		lock_holder(&lock, ret_holder, size);
	close(lock.fd);
	return r;
}

void lock_leave(struct lock *lock)
{
	if (lock->fd >= 0)
		close(lock->fd);
	lock->fd = -1;
}
