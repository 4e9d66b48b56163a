/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process that owes nothing to whoever started it. */
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void open_standard(void)
{
	struct pollfd fds[3] = {{.fd = 0}, {.fd = 1}, {.fd = 2}};

	poll(fds, 3, 0);
	for (int i = 0; i < 3; i++)
		/* the lowest that is free is this one; without it another file would be taken for it */
		if ((fds[i].revents & POLLNVAL) && open("/dev/null", O_RDWR) != i)
			abort();
}

static void close_rest(void)
{
	struct dirent *entry;
	DIR *dir;

	if (close_range(3, UINT_MAX, 0) == 0 || errno != ENOSYS)
		return;
	dir = opendir("/proc/self/fd"); /* Linux 5.8 */
	while (dir && (entry = readdir(dir))) {
		int fd = atoi(entry->d_name);

		if (fd > 2 && fd != dirfd(dir))
			close(fd);
	}
	if (dir)
		closedir(dir);
}

void process_reset(void)
{
	sigset_t none;

	open_standard();
	close_rest();
	/* a SIGCHLD that is ignored would take the exit status of parts with it */
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(022);
}
