/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench: calls contenders in turn and prints the median time of each.
 *
 *	bench ROUNDS XML RUNS
 *	DIR/NN-NAME OBJECT OP SUBOP EXTRA       as a part: see below
 *
 * RUNS is a file of lines, words with a blank between:
 *
 *	run NAME         begins a contender
 *	setup COMMAND... called before each round, not timed
 *	call COMMAND...  called in the order of the file, timed, as libvirt does: XML in a pipe
 *
 * In each round every contender has its turn, each time behind another one, so that whatever else the
 * machine does, and what is in its caches, hits all of them alike. Printed is a line each: `NAME MEDIAN P10 P90 RSS`,
 * microseconds of a round's calls together and the greatest resident set in KiB. The resident set is
 * that of the greatest process of a call: wait4 counts children that were waited for.
 *
 * Called by the name of a part it runs DIR/../../real/NN-NAME in its own place and appends
 * `OP NN-NAME RSS MICROSECONDS` to DIR/../../parts.txt: what a part takes inside a real event.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_RUNS = 16, MAX_CALLS = 16, MAX_WORDS = 16, ERROR = 2 };

struct command {
	char *words[MAX_WORDS + 1];
};

struct run {
	const char *name;
	struct command setup, calls[MAX_CALLS];
	size_t n_calls;
	double *times; /* microseconds, one a round */
	long rss;
};

static struct run runs[MAX_RUNS];
static size_t n_runs;
static int xml; /* not kept in memory: a child's resident set begins as that of its parent */
static off_t xml_length;
static int null; /* what contenders print is not ours */

static _Noreturn void fail(const char *what, const char *which)
{
	fprintf(stderr, "bench: %s '%s': %s\n", what, which, strerror(errno));
	exit(ERROR);
}

static char *read_file(const char *path, size_t *ret_length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	struct stat st;
	char *text;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		fail("cannot read", path);
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		fail("cannot read", path);
	while ((n = read(fd, text + used, (size_t)st.st_size - used)) > 0)
		used += (size_t)n;
	close(fd);
	text[used] = '\0';
	*ret_length = used;
	return text;
}

static struct command split(char *line)
{
	struct command command = {0};
	size_t n = 0;

	for (char *word = strtok(line, " "); word; word = strtok(NULL, " ")) {
		if (n == MAX_WORDS) {
			errno = E2BIG;
			fail("cannot take the command", command.words[0]);
		}
		command.words[n++] = word;
	}
	return command;
}

static void read_runs(const char *path)
{
	size_t length;
	char *text = read_file(path, &length), *line;
	struct run *run = NULL;

	while ((line = strsep(&text, "\n"))) {
		if (!strncmp(line, "run ", 4) && n_runs < MAX_RUNS) {
			run = &runs[n_runs++];
			run->name = line + 4;
		} else if (!strncmp(line, "setup ", 6) && run) {
			run->setup = split(line + 6);
		} else if (!strncmp(line, "call ", 5) && run && run->n_calls < MAX_CALLS) {
			run->calls[run->n_calls++] = split(line + 5);
		} else if (*line) {
			errno = EINVAL;
			fail("cannot take the line", line);
		}
	}
}

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* What a pipe holds goes in before the clock starts, so that a program need not wait for it. */
static off_t feed(int fd, off_t from)
{
	ssize_t n;

	/* an error: it is full, or nobody reads it, as a no-op does */
	do
		n = sendfile(fd, xml, &from, (size_t)(xml_length - from));
	while (n > 0 || (n < 0 && errno == EINTR));
	return from;
}

/* Runs a command and returns its microseconds; ret_rss is raised to its resident set. */
static double call(const struct command *command, long *ret_rss)
{
	static char *environment[] = {"LC_ALL=C",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
		NULL};
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	int fds[2], status, error;
	double from, took;
	off_t fed;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0 || fcntl(fds[1], F_SETFL, O_NONBLOCK) < 0)
		fail("cannot make a pipe for", command->words[0]);
	fcntl(fds[1], F_SETPIPE_SZ, 1 << 20);
	fed = feed(fds[1], 0);
	if (fed == xml_length)
		close(fds[1]);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, null, STDOUT_FILENO);
	from = now_us();
	error = posix_spawn(&pid, command->words[0], &actions, NULL, command->words, environment);
	if (error) {
		errno = error;
		fail("cannot run", command->words[0]);
	}
	close(fds[0]);
	if (fed < xml_length) {
		fcntl(fds[1], F_SETFL, 0);
		feed(fds[1], fed);
		close(fds[1]);
	}
	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR)
			fail("cannot wait for", command->words[0]);
	took = now_us() - from;
	posix_spawn_file_actions_destroy(&actions);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "bench: failed (status %#x):", status);
		for (char *const *word = command->words; *word; word++)
			fprintf(stderr, " %s", *word);
		fputc('\n', stderr);
		exit(ERROR);
	}
	if (ret_rss && usage.ru_maxrss > *ret_rss)
		*ret_rss = usage.ru_maxrss;
	return took;
}

static double round_of(struct run *run)
{
	double sum = 0;

	if (run->setup.words[0])
		call(&run->setup, NULL);
	for (size_t i = 0; i < run->n_calls; i++)
		sum += call(&run->calls[i], &run->rss);
	return sum;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int compare(size_t rounds)
{
	for (size_t i = 0; i < n_runs; i++) {
		runs[i].times = calloc(rounds, sizeof(double));
		if (!runs[i].times)
			fail("cannot keep the times of", runs[i].name);
		round_of(&runs[i]); /* caches are warm from then on */
	}
	for (size_t round = 0; round < rounds; round++)
		for (size_t i = 0; i < n_runs; i++) {
			size_t at = (round / 2 + (round % 2 ? n_runs - 1 - i : i)) % n_runs;
			struct run *run = &runs[at];

			run->times[round] = round_of(run);
		}
	for (size_t i = 0; i < n_runs; i++) {
		double *times = runs[i].times;

		qsort(times, rounds, sizeof(*times), ascending);
		printf("%s %.0f %.0f %.0f %ld\n", runs[i].name, times[rounds / 2],
			times[rounds / 10], times[rounds * 9 / 10], runs[i].rss);
	}
	return fflush(stdout) ? ERROR : 0;
}

static int be_part(char **argv, const char *name)
{
	char real[4096], list[4096], line[512];
	int dir = (int)(name - argv[0]), fd, status, error, n;
	struct rusage usage;
	double from;
	pid_t pid;

	snprintf(real, sizeof(real), "%.*s../../real/%s", dir, argv[0], name);
	snprintf(list, sizeof(list), "%.*s../../parts.txt", dir, argv[0]);
	argv[0] = real;
	from = now_us();
	error = posix_spawn(&pid, real, NULL, NULL, argv, environ);
	if (error) {
		errno = error;
		fail("cannot run", real);
	}
	if (wait4(pid, &status, 0, &usage) < 0)
		fail("cannot wait for", real);
	n = snprintf(line, sizeof(line), "%s %s %ld %.0f\n", argv[2] ? argv[2] : "-", name,
		usage.ru_maxrss, now_us() - from);
	fd = open(list, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, line, (size_t)n) != n)
		fail("cannot write", list);
	return WIFEXITED(status) ? WEXITSTATUS(status) : ERROR;
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	long rounds;

	name = name ? name + 1 : argv[0];
	if (name[0] >= '0' && name[0] <= '9')
		return be_part(argv, name);
	rounds = argc == 4 ? strtol(argv[1], NULL, 10) : 0;
	if (rounds < 1) {
		fputs("usage: bench ROUNDS XML RUNS\n", stderr);
		return ERROR;
	}
	signal(SIGPIPE, SIG_IGN);
	/* before whatever else the machine does; without the right to, the times are noisier */
	sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1});
	xml = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (xml < 0)
		fail("cannot read", argv[2]);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	xml_length = lseek(xml, 0, SEEK_END);
	read_runs(argv[3]);
	return compare((size_t)rounds);
}
