/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A caller that leaves a program as much as it can: `dispatch-poison PROGRAM ARGUMENT...` opens 1,000
 * files, blocks every signal, ignores those that can be ignored, sets LD_PRELOAD, a umask of 0 and a
 * strange directory, and runs it. With --closed in front it closes descriptors 0-2 instead of opening.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct rlimit limit = {2048, 2048};
	sigset_t all;
	int first = 1;

	if (argc > 1 && !strcmp(argv[1], "--closed")) {
		first = 2;
		for (int fd = 0; fd < 3; fd++)
			close(fd);
	} else if (setrlimit(RLIMIT_NOFILE, &limit) == 0) {
		for (int i = 0; i < 1000; i++)
			if (open("/dev/null", O_RDWR) < 0)
				return 99;
	}
	if (first >= argc)
		return 99;
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	umask(0);
	if (setenv("LD_PRELOAD", "/nonexistent/evil.so", 1) < 0 ||
		setenv("BASH_ENV", "/evil", 1) < 0 ||
		setenv("VIRT_PARTS_FAILED", "20-archive", 1) < 0 || chdir("/proc/self") < 0)
		return 99;
	execv(argv[first], argv + first);
	return 99;
}
