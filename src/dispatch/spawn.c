/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One process with nothing inherited, and its end within a time. */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "tree.h"

enum { GRACE_MS = 2000, LOOK_MS = 10 };

void spawn_prepare(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

static int add_output(posix_spawn_file_actions_t *actions, int fd, int target)
{
	return fd >= 0 ? posix_spawn_file_actions_adddup2(actions, fd, target)
		       : posix_spawn_file_actions_addopen(
				 actions, target, "/dev/null", O_WRONLY, 0);
}

/* posix_spawn runs the child in the parent's memory until its exec: no page is copied. */
static int start(const struct spawn *spawn, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	char input[32];
	int r;

	snprintf(input, sizeof(input), "/proc/self/fd/%d", spawn->input);
	sigemptyset(&none);
	/* not sigfillset: it leaves out two of the C library's own, which would stay ignored */
	memset(&all, 0xff, sizeof(all));
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(
		&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawn_file_actions_init(&actions);
	r = posix_spawn_file_actions_addopen(
		&actions, STDIN_FILENO, spawn->input >= 0 ? input : "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = add_output(&actions, spawn->output, STDOUT_FILENO);
	if (r == 0)
		r = add_output(&actions, spawn->error, STDERR_FILENO);
	if (r == 0)
		r = posix_spawn(
			ret, spawn->argv[0], &actions, &attr, spawn->argv, spawn->environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return -r;
}

/* Whether the output, which lies in memory, has grown beyond what anybody would use. */
static bool prints_on(const struct spawn *spawn)
{
	struct stat st;

	return spawn->output_max && fstat(spawn->output, &st) == 0 &&
	       st.st_size > spawn->output_max;
}

/* SPAWN_EXITED when the process has ended, the reason why it must be ended, or -errno. */
static int wait_for(const struct spawn *spawn, pid_t pid, int64_t until)
{
	struct pollfd poller = {.fd = pidfd_open(pid, 0), .events = POLLIN};
	int r, left;

	if (poller.fd < 0)
		return -errno;
	do {
		left = clock_left(until);
		r = poll(&poller, 1, spawn->output_max && left > LOOK_MS ? LOOK_MS : left);
		if (r < 0 && errno != EINTR)
			r = -errno;
		else if (r == 1)
			r = SPAWN_EXITED;
		else if (prints_on(spawn))
			r = SPAWN_PRINTS_ON;
		else if (left == 0)
			r = SPAWN_TIMED_OUT;
		else
			continue;
		break;
	} while (true);
	close(poller.fd);
	return r;
}

struct spawn_result spawn_run(const struct spawn *spawn)
{
	struct spawn_result result = {.end = SPAWN_NOT_RUN};
	struct tree_list before = {0};
	int64_t began = clock_ms();
	int status = 0, r;
	pid_t pid;

	result.value = tree_below(&before);
	if (result.value == 0)
		result.value = start(spawn, &pid);
	if (result.value < 0) {
		tree_free(&before);
		return result;
	}
	r = wait_for(spawn, pid, began + (int64_t)spawn->seconds * 1000);
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
	tree_free(&before);
	result.ms = (unsigned)(clock_ms() - began);
	return result;
}

const char *spawn_text(
	const struct spawn *spawn, const struct spawn_result *result, char *buffer, size_t size)
{
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
			(intmax_t)spawn->output_max >> 20);
		break;
	case SPAWN_NOT_RUN:
		snprintf(buffer, size, "cannot be run: %s", strerror(-result->value));
		break;
	}
	return buffer;
}
