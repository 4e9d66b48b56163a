/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work under a supervisor that may outlive the hook. */
#include "teardown.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "io.h"

enum { POLL_MS = 20 };

static _Noreturn void be_supervisor(supervised *work, void *data, int messages)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	/* whoever reads libvirt's pipes to the end must not wait for this process */
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
		dup2(messages, STDERR_FILENO) < 0) {
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		_exit(1);
	}
	_exit(work(data));
}

/*
 * Also where there is no descriptor to wait with, it waits: who is told that the work could not begin goes on
 * in its place, beside a child that lives.
 */
static int wait_for(pid_t pid, int64_t until)
{
	struct pollfd poller = {.fd = pidfd_open(pid, 0), .events = POLLIN};
	int status = 0;
	pid_t ended;

	do
		if (poller.fd < 0 || (poll(&poller, 1, clock_left(until)) < 0 && errno != EINTR))
			clock_sleep(POLL_MS);
	while ((ended = waitpid(pid, &status, WNOHANG)) == 0 && clock_left(until) > 0);
	if (ended < 0)
		status = -errno;
	if (poller.fd >= 0)
		close(poller.fd);
	if (ended <= 0)
		return ended < 0 ? status : -ETIMEDOUT;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int teardown_supervise(supervised *work, void *data, int64_t until, int *ret_pid)
{
	int messages = memfd_create("virt-parts", MFD_CLOEXEC), r;
	pid_t pid;

	if (messages < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		r = -errno;
		close(messages);
		return r;
	}
	if (pid == 0)
		be_supervisor(work, data, messages);
	if (ret_pid)
		*ret_pid = pid;
	r = wait_for(pid, until);
	vp_copy_file(messages, STDERR_FILENO);
	close(messages);
	return r;
}
