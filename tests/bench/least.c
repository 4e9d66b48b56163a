/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The least that a dispatcher can do: runs the programs of its arguments, one after the other. */
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int status = 0;
	pid_t pid;

	for (int i = 1; i < argc && status == 0; i++) {
		char *arguments[] = {argv[i], NULL};

		if (posix_spawn(&pid, argv[i], NULL, NULL, arguments, environ) != 0 ||
			waitpid(pid, &status, 0) != pid)
			return 1;
	}
	return status != 0;
}
