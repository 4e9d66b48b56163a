/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One process with nothing inherited, and its end within a time. */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "interpreter.h"
#include "io.h"
#include "tree.h"

enum { GRACE_MS = 2000 };

/* As the kernel takes it, by whatever architecture: all zero is the default. */
union disposition {
	unsigned long words[16];
	unsigned char bytes[16 * sizeof(unsigned long)];
};

enum { SIGNAL_SET_SIZE = _NSIG / 8 };

/* Signals that are ignored or handled here, and that a child shall find as new. */
static struct {
	int signals[_NSIG];
	unsigned count;
} changed;

/* Not sigaction(3), which knows nothing of two signals of the C library's own. */
static void find_changed(void)
{
	static const union disposition as_new;

	changed.count = 0;
	for (int number = 1; number < _NSIG; number++) {
		union disposition now = {0};

		if (syscall(SYS_rt_sigaction, number, NULL, &now, SIGNAL_SET_SIZE) == 0 &&
			memcmp(&now, &as_new, sizeof(now)) != 0)
			changed.signals[changed.count++] = number;
	}
}

void spawn_prepare(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	find_changed();
}

static int put(int fd, int target)
{
	if (fd < 0)
		fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -1 : dup2(fd, target);
}

/* The signal comes for the end of PARENT, and that may have been before it was asked for. */
static bool die_with(pid_t parent)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == parent;
}

/* In the memory of the parent, which waits: changes nothing there but *error, and never returns. */
static void run_child(
	const struct spawn *spawn, int input, int output, pid_t parent, volatile int *error)
{
	static const union disposition as_new;
	sigset_t none;

	for (unsigned i = 0; i < changed.count; i++)
		syscall(SYS_rt_sigaction, changed.signals[i], &as_new, NULL, SIGNAL_SET_SIZE);
	if ((!spawn->dies_with_parent || die_with(parent)) && setpgid(0, 0) == 0 &&
		dup2(input, STDIN_FILENO) >= 0 && put(output, STDOUT_FILENO) >= 0 &&
		put(spawn->error, STDERR_FILENO) >= 0) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execve(spawn->argv[0], spawn->argv, spawn->environment);
		if (errno == ENOEXEC && spawn->shell) {
			execve(spawn->shell[0], spawn->shell, spawn->environment);
			errno = ENOEXEC;
		}
	}
	*error = errno;
	_exit(127);
}

/*
 * vfork: the child runs in the parent's memory until its exec, and no page is copied. posix_spawn does so
 * too, with a hundred system calls that nothing here needs.
 */
/* OUTPUT: what the child has for it. */
static int start(const struct spawn *spawn, int output, pid_t *ret)
{
	char path[32] = "/dev/null";
	volatile int error = 0;
	sigset_t all, before;
	int input;
	pid_t pid, parent = getpid();

	/* not by the child: /proc of a process is made when it is first looked at */
	if (spawn->input >= 0)
		snprintf(path, sizeof(path), "/proc/self/fd/%d", spawn->input);
	input = open(path, O_RDONLY | O_CLOEXEC);
	if (input < 0)
		return -errno;
	/* no handler of the parent's may run in the child */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid = vfork();
	if (pid == 0)
		run_child(spawn, input, output, parent, &error);
	if (pid < 0)
		error = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(input);
	if (pid > 0 && error)
		waitpid(pid, NULL, 0);
	*ret = pid;
	return -error;
}

/*
 * Moves what the pipe holds now. 1: there may be more later; 0: that was the end; -EFBIG: more than
 * capture_max; -errno.
 */
static int take_output(const struct spawn *spawn, int from, off_t *used)
{
	char buffer[16 * 1024];

	for (;;) {
		ssize_t n = read(from, buffer, sizeof(buffer));
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? 0 : errno == EAGAIN ? 1 : -errno;
		*used += n;
		r = *used > spawn->capture_max ? -EFBIG
					       : vp_write_all(spawn->output, buffer, (size_t)n);
		if (r < 0)
			return r;
	}
}

/* SPAWN_EXITED when the process has ended, the reason why it must be ended, or -errno. */
static int wait_for(const struct spawn *spawn, pid_t pid, int pipe, int64_t until)
{
	struct pollfd fds[2] = {
		{.fd = pidfd_open(pid, 0), .events = POLLIN}, {.fd = pipe, .events = POLLIN}};
	off_t used = 0;
	int r = 0, left;

	if (fds[0].fd < 0)
		return -errno;
	for (;;) {
		bool exited;

		left = clock_left(until);
		r = poll(fds, 2, left);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0) {
			r = -errno;
			break;
		}
		exited = fds[0].revents != 0;
		/* what it has printed before it ended is all there */
		if (fds[1].revents || (exited && fds[1].fd >= 0)) {
			r = take_output(spawn, pipe, &used);
			if (r == 0)
				fds[1].fd = -1;
			if (r < 0) {
				r = r == -EFBIG ? SPAWN_PRINTS_ON : r;
				break;
			}
		}
		if (exited || clock_left(until) == 0) {
			r = exited ? SPAWN_EXITED : SPAWN_TIMED_OUT;
			break;
		}
	}
	close(fds[0].fd);
	return r;
}

/* The child's end of a pipe, and in ret_from ours; without capture its output as it is. */
static int open_output(const struct spawn *spawn, int *ret_from, int *ret_to)
{
	int ends[2];

	*ret_from = -1;
	*ret_to = spawn->output;
	if (!spawn->capture)
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	*ret_from = ends[0];
	*ret_to = ends[1];
	return fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

struct spawn_result spawn_run(const struct spawn *spawn)
{
	struct spawn_result result = {.end = SPAWN_NOT_RUN};
	struct tree_list before = {0};
	int64_t began = clock_ms();
	int status = 0, r, from, to;
	pid_t pid;

	result.value = open_output(spawn, &from, &to);
	if (result.value == 0)
		result.value = tree_below(&before);
	if (result.value == 0)
		result.value = start(spawn, to, &pid);
	if (to != spawn->output)
		close(to);
	if (result.value == 0) {
		r = wait_for(spawn, pid, from, began + (int64_t)spawn->seconds * 1000);
		if (r == SPAWN_EXITED) {
			waitpid(pid, &status, 0);
			result.end = WIFEXITED(status) ? SPAWN_EXITED : SPAWN_KILLED;
			result.value = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
		} else {
			/* one that cannot be watched must not run on either */
			result.end = r < 0 ? SPAWN_NOT_RUN : (enum spawn_end)r;
			result.value = r;
			result.left = tree_end(&before, GRACE_MS);
		}
		result.ms = (unsigned)(clock_ms() - began);
	}
	if (from >= 0)
		close(from);
	tree_free(&before);
	return result;
}

/* What the kernel says of a script without its interpreter is true of that, and not of the script. */
static const char *text_of_error(const struct spawn *spawn, int error, char *buffer, size_t size)
{
	bool is_script = error == ENOENT || error == ENOEXEC;

	return is_script && interpreter_is_lacking(spawn->argv[0], buffer, size) ? buffer
										 : strerror(error);
}

const char *spawn_text(
	const struct spawn *spawn, const struct spawn_result *result, char *buffer, size_t size)
{
	char why[400];

	switch (result->end) {
	case SPAWN_EXITED:
		snprintf(buffer, size, "exit %d", result->value);
		break;
	case SPAWN_KILLED:
		snprintf(buffer, size, "killed by signal %d", result->value);
		break;
	case SPAWN_TIMED_OUT:
		snprintf(buffer, size, "timed out after %u s%s", spawn->seconds,
			result->left ? ", and is still there" : "");
		break;
	case SPAWN_PRINTS_ON:
		snprintf(buffer, size, "printed more than %jd MiB",
			(intmax_t)spawn->capture_max >> 20);
		break;
	case SPAWN_NOT_RUN:
		snprintf(buffer, size, "cannot be run: %s",
			text_of_error(spawn, -result->value, why, sizeof(why)));
		break;
	}
	return buffer;
}
