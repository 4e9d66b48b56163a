/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a program again and again while another process changes the tree under it, as the root of a guest could,
 * and watches a tree outside that must not change. In the same run a naive program (lstat, then open by name) is
 * attacked in the same way: where it is not caught often enough, the run says nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
	"usage: attack-race OPTION... -- PROGRAM [ARGUMENT...] [--|--with|--clean PROGRAM "
	"[ARGUMENT...]]...\n"
	"what follows --with runs at the same time as the one before it; what follows --clean is "
	"ours,\n"
	"and may touch the outside\n"
	"  --swap A B          exchange these two, in a mount namespace of its own, as a guest "
	"does;\n"
	"                      B is a link or a FIFO, and made again when a program took it away\n"
	"  --unmounted         A and B are mount points here, but not for the guest: B is none of "
	"these\n"
	"  --mount FROM DIR    bind FROM to DIR and take it away again, instead\n"
	"  --check PATH        what the naive program looks at ...\n"
	"  --open PATH         ... and opens then: it is caught where it gets ...\n"
	"  --wrong PATH        ... this file, or a FIFO\n"
	"  --outside DIR       must not change or be opened; nothing in it may turn up in a swept "
	"directory\n"
	"  --sweep DIR         emptied after every round\n"
	"  --forget FILE       removed before every round\n"
	"  --stdin FILE        of the programs\n"
	"  --log FILE          stdout and stderr of the programs\n"
	"  --each N            how many rounds a run of all the programs counts for\n"
	"  --rounds N          end after so many,\n"
	"  --seconds N         or after this time, if there were enough changes and runs by then\n"
	"  --caught N          the naive program must be caught so often\n"
	"exit: 0 all held, 1 something escaped, 3 the run is invalid\n";

enum { MAX_LIST = 64, CONTROL_SECONDS = 200, RUN_SECONDS = 300, LEAST_RUNS = 20 };
enum { LEAST_SWAPS = 1000, LEAST_MOUNTS = 100 };

struct list {
	const char *items[MAX_LIST];
	int n;
};

static const char *swap_a, *swap_b, *mount_from, *mount_dir, *check_path, *open_path, *wrong_path,
	*outside, *stdin_path = "/dev/null", *log_path = "/dev/null";
static struct list sweeps, forgets;
static volatile long *changes; /* that the attacker has made, in memory that both have */
static long each = 1, rounds = 1000, seconds = 5, wanted = 1000;
static char **programs[MAX_LIST];
static bool is_ours[MAX_LIST], is_with[MAX_LIST];
static int n_programs;
static bool unmounted;
static volatile sig_atomic_t stopped;
static long leaks, opened;
static int watch = -1;
extern char **environ;

static void die(const char *what)
{
	fprintf(stderr, "attack-race: %s: %s\n", what, strerror(errno));
	exit(3);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		sched_setaffinity(0, sizeof(set), &set);
}

/* --- who attacks ------------------------------------------------------------------------------ */

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/* What B is: nothing that a program may have put there. */
static struct bait {
	mode_t type;
	char target[PATH_MAX];
} bait;

static void look_at_bait(void)
{
	struct stat st;

	if (lstat(swap_b, &st) < 0)
		die(swap_b);
	bait.type = st.st_mode & S_IFMT;
	if (bait.type == S_IFLNK && readlink(swap_b, bait.target, sizeof(bait.target) - 1) < 0)
		die(swap_b);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path) < 0;
}

static bool is_bait(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && (st.st_mode & S_IFMT) == bait.type;
}

/* Programs delete and replace what they meet: then there must be something to exchange again. */
static void bait_again(void)
{
	if (is_bait(swap_a) || is_bait(swap_b))
		return;
	nftw(swap_b, remove_entry, 64, FTW_PHYS | FTW_DEPTH);
	if (bait.type == S_IFLNK ? symlink(bait.target, swap_b) < 0 : mkfifo(swap_b, 0600) < 0)
		if (errno != EEXIST && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
			die(swap_b);
}

/* Whether it was an attack: what leads elsewhere was one of the two, and is the other one now. */
static bool swap(void)
{
	static bool was_bait = true; /* B */
	bool done = renameat2(AT_FDCWD, swap_a, AT_FDCWD, swap_b, RENAME_EXCHANGE) == 0, is;

	if (!done && errno != ENOENT && errno != ENOTDIR && errno != ELOOP && errno != EINVAL)
		die("renameat2");
	if (unmounted)
		return done;
	is = is_bait(swap_b);
	if (done && is != was_bait) {
		was_bait = is;
		return true;
	}
	bait_again();
	was_bait = is_bait(swap_b);
	return false;
}

/* It comes and goes, and stays for long enough to be met. */
static bool remount(void)
{
	double until = now() + 0.0001;
	bool done = mount(mount_from, mount_dir, NULL, MS_BIND, NULL) == 0;

	if (!done && errno != ENOENT && errno != ENOTDIR)
		die("mount");
	while (done && now() < until)
		;
	umount2(mount_dir, MNT_DETACH | UMOUNT_NOFOLLOW);
	return done;
}

static int attacker(int ready)
{
	const struct sigaction action = {.sa_handler = stop};
	struct stat first, st;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(SIGTERM, &action, NULL);
	pin(1);
	if (swap_a &&
		(unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0))
		die("unshare");
	if (swap_a && !unmounted)
		look_at_bait();
	if (unmounted && (umount2(swap_a, MNT_DETACH) < 0 || umount2(swap_b, MNT_DETACH) < 0))
		die("umount2");
	if (swap_a && lstat(swap_a, &first) < 0)
		die(swap_a);
	if (write(ready, "", 1) < 0)
		die("write");
	while (!stopped)
		*changes += swap_a ? swap() : remount();
	/* as it was, so that another run can follow */
	if (swap_a && (unmounted ? lstat(swap_a, &st) == 0 && st.st_ino != first.st_ino
				 : is_bait(swap_a)))
		swap();
	return 0;
}

/* --- who is attacked -------------------------------------------------------------------------- */

/*
 * For a moment: how often it was caught. It gives way, also between its look and its use of what it saw: with one
 * processor the attacker would hardly ever come in between else.
 */
static long naive(const struct stat *wrong, dev_t device, long most)
{
	const double until = now() + 0.05;
	struct stat seen, got;
	long caught = 0;

	while (caught < most && now() < until) {
		int fd;

		if (lstat(check_path, &seen) < 0 || seen.st_dev != device ||
			!(S_ISDIR(seen.st_mode) || S_ISREG(seen.st_mode))) {
			sched_yield();
			continue;
		}
		sched_yield();
		/* without O_NONBLOCK it would wait for ever where a FIFO was put */
		fd = open(open_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (fstat(fd, &got) == 0 &&
			(S_ISFIFO(got.st_mode) ||
				(got.st_ino == wrong->st_ino && got.st_dev == wrong->st_dev)))
			caught++;
		close(fd);
	}
	return caught;
}

static pid_t start(char **argv)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int r;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, stdin_path, O_RDONLY, 0);
	posix_spawn_file_actions_addopen(
		&actions, 1, log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	r = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (r) {
		errno = r;
		die(argv[0]);
	}
	return pid;
}

static int await(pid_t pid, char **argv)
{
	int status;

	alarm(RUN_SECONDS); /* by default this ends us: the program hangs */
	if (waitpid(pid, &status, 0) < 0)
		die("waitpid");
	alarm(0);
	if (!WIFEXITED(status)) {
		fprintf(stderr, "attack-race: %s was killed by signal %d\n", argv[0],
			WTERMSIG(status));
		exit(1);
	}
	return WEXITSTATUS(status);
}

/* Starts all that run at the same time, and returns how many of them there are. */
static int run_group(int first, long *good)
{
	pid_t pids[MAX_LIST];
	int n = 0;

	do {
		pids[n] = start(programs[first + n]);
		n++;
	} while (first + n < n_programs && is_with[first + n]);
	for (int i = 0; i < n; i++)
		*good += await(pids[i], programs[first + i]) == 0;
	return n;
}

/* --- what is watched -------------------------------------------------------------------------- */

static uint64_t print;

static void mix(const void *data, size_t length)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < length; i++)
		print = (print ^ p[i]) * 0x100000001b3;
}

static void mix_content(const char *path)
{
	char buffer[4096];
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME | O_CLOEXEC);
	ssize_t n;

	while (fd >= 0 && (n = read(fd, buffer, sizeof(buffer))) > 0)
		mix(buffer, (size_t)n);
	if (fd >= 0)
		close(fd);
}

/* A directory's order is none: what is in it is added up. The ctime tells of all that has no line here. */
static int print_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	static uint64_t sum;
	struct statx stx;

	(void)type;
	if (at->level == 0)
		sum = 0;
	print = 0xcbf29ce484222325;
	mix(path, strlen(path));
	mix(&st->st_mode, sizeof(st->st_mode));
	mix(&st->st_uid, sizeof(st->st_uid));
	mix(&st->st_gid, sizeof(st->st_gid));
	mix(&st->st_size, sizeof(st->st_size));
	mix(&st->st_ctim, sizeof(st->st_ctim));
	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &stx) == 0)
		mix(&stx.stx_mnt_id, sizeof(stx.stx_mnt_id));
	if (S_ISREG(st->st_mode))
		mix_content(path);
	sum += print;
	print = sum;
	return 0;
}

static uint64_t fingerprint(void)
{
	print = 0;
	if (outside)
		nftw(outside, print_entry, 64, FTW_PHYS);
	return print;
}

static int watch_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)at;
	if (type == FTW_D && inotify_add_watch(watch, path, IN_OPEN | IN_MODIFY | IN_CREATE) < 0)
		die(path);
	return 0;
}

/* Whether anything outside was opened since it was last asked: by whatever way, and whatever came of it. */
static long was_opened(void)
{
	char events[65536];
	long n = 0;

	while (watch >= 0 && read(watch, events, sizeof(events)) > 0)
		n++;
	return n;
}

static void watch_outside(void)
{
	watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch < 0)
		die("inotify_init1");
	if (outside)
		nftw(outside, watch_entry, 64, FTW_PHYS);
}

/* What comes from outside is called CANARY, or says so. */
static int sweep_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	char text[6] = "";
	int fd;

	(void)type;
	if (S_ISREG(st->st_mode) &&
		(fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)) >= 0) {
		if (read(fd, text, 6) == 6 && memcmp(text, "CANARY", 6) == 0)
			leaks++;
		close(fd);
	}
	if (strstr(path + at->base, "CANARY"))
		leaks++;
	if (at->level > 0)
		remove(path);
	return 0;
}

/* --- the whole --------------------------------------------------------------------------------- */

static const char *next(char ***at)
{
	if (!(*at)[1]) {
		fputs(usage, stderr);
		exit(2);
	}
	return *++*at;
}

static void add(struct list *list, const char *item)
{
	if (list->n == MAX_LIST)
		exit(2);
	list->items[list->n++] = item;
}

static void read_options(char **at)
{
	for (at++; *at && strcmp(*at, "--") != 0; at++) {
		const char *option = *at;
		const char **path = !strcmp(option, "--check")	   ? &check_path
				    : !strcmp(option, "--open")	   ? &open_path
				    : !strcmp(option, "--wrong")   ? &wrong_path
				    : !strcmp(option, "--outside") ? &outside
				    : !strcmp(option, "--stdin")   ? &stdin_path
				    : !strcmp(option, "--log")	   ? &log_path
								   : NULL;
		long *number = !strcmp(option, "--each")      ? &each
			       : !strcmp(option, "--rounds")  ? &rounds
			       : !strcmp(option, "--seconds") ? &seconds
			       : !strcmp(option, "--caught")  ? &wanted
							      : NULL;

		if (path) {
			*path = next(&at);
		} else if (number) {
			*number = atol(next(&at));
		} else if (!strcmp(option, "--swap")) {
			swap_a = next(&at);
			swap_b = next(&at);
		} else if (!strcmp(option, "--unmounted")) {
			unmounted = true;
		} else if (!strcmp(option, "--mount")) {
			mount_from = next(&at);
			mount_dir = next(&at);
		} else if (!strcmp(option, "--sweep")) {
			add(&sweeps, next(&at));
		} else if (!strcmp(option, "--forget")) {
			add(&forgets, next(&at));
		} else {
			fprintf(stderr, "attack-race: unknown option %s\n%s", option, usage);
			exit(2);
		}
	}
	for (; *at && n_programs < MAX_LIST; at++) {
		if (strcmp(*at, "--") != 0 && strcmp(*at, "--clean") != 0 &&
			strcmp(*at, "--with") != 0)
			continue;
		is_ours[n_programs] = !strcmp(*at, "--clean");
		is_with[n_programs] = !strcmp(*at, "--with");
		*at = NULL;
		programs[n_programs++] = at + 1;
	}
	if (!n_programs || !(swap_a || mount_from)) {
		fputs(usage, stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	long done = 0, runs = 0, good_runs = 0, caught = 0, least;
	double began, ended, longest = 0;
	struct stat wrong, device;
	uint64_t before;
	pid_t other;
	int report[2], status;
	char ready;

	(void)argc;
	read_options(argv);
	least = !wanted ? 0 : mount_from ? LEAST_MOUNTS : LEAST_SWAPS;
	changes = mmap(
		NULL, sizeof(*changes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (changes == MAP_FAILED)
		die("mmap");
	before = fingerprint();
	watch_outside();
	if (wanted && (stat(wrong_path, &wrong) < 0 || stat(check_path, &device) < 0))
		die("the way of the naive program");
	if (pipe2(report, O_CLOEXEC) < 0)
		die("pipe");
	other = fork();
	if (other == 0)
		_exit(attacker(report[1]));
	close(report[1]);
	pin(0);
	if (read(report[0], &ready, 1) != 1)
		die("the attacker");
	began = now();
	while ((done < rounds && (now() - began < (double)seconds || done < LEAST_RUNS * each)) ||
		(*changes < least && now() - began < (double)seconds + CONTROL_SECONDS)) {
		for (int i = 0; i < forgets.n; i++)
			unlink(forgets.items[i]);
		for (int i = 0, n; i < n_programs; i += n) {
			double started = now();

			was_opened();
			n = run_group(i, &good_runs);
			runs += n;
			if (now() - started > longest)
				longest = now() - started;
			if (!is_ours[i])
				opened += was_opened();
		}
		done += each;
		for (int i = 0; i < sweeps.n; i++)
			nftw(sweeps.items[i], sweep_entry, 64, FTW_PHYS | FTW_DEPTH);
		if (caught < wanted)
			caught += naive(&wrong, device.st_dev, wanted - caught);
		/* there is nothing to exchange */
		if (*changes == 0 && now() - began > CONTROL_SECONDS)
			break;
		if (runs % 64 == 0 && (leaks || opened || fingerprint() != before))
			break;
	}
	for (ended = now(); caught < wanted && now() - ended < CONTROL_SECONDS;)
		caught += naive(&wrong, device.st_dev, wanted - caught);
	kill(other, SIGTERM);
	if (waitpid(other, &status, 0) < 0 || status != 0) {
		puts("invalid: the attacker did not last");
		return 3;
	}
	if (mount_from)
		umount2(mount_dir, MNT_DETACH | UMOUNT_NOFOLLOW);
	bool changed = fingerprint() != before;

	printf("rounds=%ld runs=%ld succeeded=%ld changes=%ld caught=%ld longest=%.2f seconds=%.1f "
	       "leaks=%ld opened=%ld outside=%s\n",
		done, runs, good_runs, *changes, caught, longest, ended - began, leaks, opened,
		changed ? "changed" : "same");
	if (leaks || opened || changed)
		return 1;
	if (caught < wanted || *changes < least) {
		puts("invalid: the naive program was not caught often enough");
		return 3;
	}
	return 0;
}
