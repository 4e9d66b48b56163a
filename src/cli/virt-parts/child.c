/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work in a child with a time limit. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dispatch/clock.h"

static _Noreturn void be_child(child_work *work, void *data, int output)
{
	FILE *answer = fdopen(output, "w");
	int status;

	if (!answer)
		_exit(126);
	status = work(data, answer);
	_exit(fclose(answer) == 0 ? status : 126);
}

/* Reads to the end; -ETIMEDOUT at UNTIL. */
static int read_answer(int fd, int64_t until, char **text, size_t *length)
{
	size_t size = 0;

	for (;;) {
		struct pollfd poller = {.fd = fd, .events = POLLIN};
		int r = poll(&poller, 1, clock_left(until));
		ssize_t n;

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? -errno : -ETIMEDOUT;
		if (size - *length < 2) {
			char *larger;

			size = size ? 2 * size : 1 << 16;
			larger = realloc(*text, size);
			if (!larger)
				return -ENOMEM;
			*text = larger;
		}
		n = read(fd, *text + *length, size - *length - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		(*text)[*length + (size_t)n] = '\0';
		if (n == 0)
			return 0;
		*length += (size_t)n;
	}
}

int child_run(child_work *work, void *data, unsigned seconds, char **ret_answer, size_t *ret_length)
{
	int64_t until = clock_ms() + (int64_t)seconds * 1000;
	char *text = NULL;
	size_t length = 0;
	int fds[2], status, r;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		r = -errno;
		close(fds[0]);
		close(fds[1]);
		return r;
	}
	if (pid == 0) {
		close(fds[0]);
		be_child(work, data, fds[1]);
	}
	close(fds[1]);
	r = read_answer(fds[0], until, &text, &length);
	close(fds[0]);
	if (r < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r < 0) {
		free(text);
		return r;
	}
	*ret_answer = text;
	*ret_length = length;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}
