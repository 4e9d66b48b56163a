/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Swaps two paths as fast as it can; and the naive victim that shows that this is dangerous. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
	"usage: swapper swap A B               until SIGTERM, then print how often\n"
	"       swapper victim PATH GOOD N S  stat PATH without links, open it by name, and count "
	"how often\n"
	"                                     what was opened is not inode GOOD; until it was N "
	"times,\n"
	"                                     or S seconds have passed\n";

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static int swap(const char *a, const char *b)
{
	const struct sigaction action = {.sa_handler = stop};
	long swaps = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(SIGTERM, &action, NULL);
	while (!stopped) {
		if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0) {
			swaps++;
			continue;
		}
		/* The victim has just removed one; it comes back. EINVAL: one lies in the other. */
		if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP && errno != EINVAL) {
			perror("swapper: renameat2");
			return 1;
		}
	}
	printf("swaps=%ld\n", swaps);
	return 0;
}

static time_t seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* It gives way, also between check and use: with one processor the two do hardly ever meet else. */
static int victim(const char *path, const char *good, long wanted, long limit)
{
	struct stat seen, opened;
	ino_t want = strtoull(good, NULL, 10);
	time_t end = seconds() + limit;
	long caught = 0, checked = 0, rounds = 0;

	for (; caught < wanted && seconds() < end; rounds++) {
		/* the check: no link in the last component, and the right thing */
		if (fstatat(AT_FDCWD, path, &seen, AT_SYMLINK_NOFOLLOW) < 0 ||
			S_ISLNK(seen.st_mode) || seen.st_ino != want) {
			sched_yield();
			continue;
		}
		checked++;
		sched_yield();
		/* the use, by the same name */
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		if (fstat(fd, &opened) == 0 && opened.st_ino != want)
			caught++;
		close(fd);
	}
	printf("rounds=%ld checked=%ld caught=%ld\n", rounds, checked, caught);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "swap") == 0)
		return swap(argv[2], argv[3]);
	if (argc == 6 && strcmp(argv[1], "victim") == 0)
		return victim(argv[2], argv[3], atol(argv[4]), atol(argv[5]));
	fputs(usage, stderr);
	return 2;
}
