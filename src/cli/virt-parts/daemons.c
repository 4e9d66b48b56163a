/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemons of libvirt that run on this host and read its hooks. */
#include "daemons.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dispatch/clock.h"
#include "dispatch/seen.h"
#include "event.h"

enum { RELOAD_MS = 10000, POLL_MS = 50 };

/* One row a daemon: the driver whose hook it calls beside that called `daemon`; NULL: every one. */
static const struct {
	const char *name, *driver;
} known[] = {
	{"libvirtd", NULL},
	{"virtqemud", "qemu"},
	{"virtlxcd", "lxc"},
	{"virtxend", "libxl"},
	{"virtbhyved", "bhyve"},
	{"virtnetworkd", "network"},
};

static const char *known_name(const char *comm)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].name, comm) == 0)
			return known[i].name;
	return NULL;
}

const char *daemon_name(size_t number)
{
	return number < sizeof(known) / sizeof(known[0]) ? known[number].name : NULL;
}

bool daemon_calls(const char *name, const char *driver)
{
	if (!strcmp(driver, "daemon"))
		return true;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].name, name) == 0)
			return !known[i].driver || !strcmp(known[i].driver, driver);
	return false;
}

static bool read_proc(pid_t pid, const char *name, char *ret, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, ret, size - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	ret[n] = '\0';
	return true;
}

static bool is_same(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Its name if it is a daemon that reads these hooks; NULL else. */
static const char *name_of(struct cli *cli, pid_t pid)
{
	char comm[64], path[PATH_MAX];
	const char *name;
	struct stat st;

	if (!read_proc(pid, "comm", comm, sizeof(comm)))
		return NULL;
	comm[strcspn(comm, "\n")] = '\0';
	name = known_name(comm);
	snprintf(path, sizeof(path), "/proc/%d", pid);
	if (!name || stat(path, &st) < 0 || st.st_uid != 0)
		return NULL;
	snprintf(path, sizeof(path), "/proc/%d/root" VP_HOOK_DIR, pid);
	return is_same(path, cli->hook_dir) ? name : NULL;
}

/* When the process began, by the clock that files have. */
static bool begin_of(pid_t pid, struct timespec *ret)
{
	struct timespec now, boot;
	unsigned long long ticks;
	const char *rest;
	int64_t since;
	char stat[1024];
	long hz = sysconf(_SC_CLK_TCK);

	if (!read_proc(pid, "stat", stat, sizeof(stat)))
		return false;
	/* its name, in brackets, may hold anything; the 22nd field is the 20th behind it */
	rest = strrchr(stat, ')');
	for (int i = 0; rest && i < 20; i++)
		rest = strchr(rest + 1, ' ');
	if (!rest || hz <= 0 || sscanf(rest, "%llu", &ticks) != 1 ||
		clock_gettime(CLOCK_REALTIME, &now) < 0 || clock_gettime(CLOCK_BOOTTIME, &boot) < 0)
		return false;
	since = ((int64_t)now.tv_sec - boot.tv_sec) * 1000 +
		(now.tv_nsec - boot.tv_nsec) / 1000000 +
		(int64_t)(ticks * 1000 / (unsigned long long)hz);
	*ret = (struct timespec){.tv_sec = since / 1000, .tv_nsec = since % 1000 * 1000000};
	return true;
}

bool daemon_is_later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

/* Fills in when it has looked, which it does when it begins, and when it is reloaded. */
static bool look_of(struct cli *cli, struct daemon *daemon)
{
	struct timespec noted;

	if (!begin_of(daemon->pid, &daemon->looked))
		return false;
	daemon->noted = seen_read(cli->conf.run_dir, daemon->name, daemon->pid, &noted);
	if (daemon->noted && daemon_is_later(&noted, &daemon->looked))
		daemon->looked = noted;
	return true;
}

int daemons_find(struct cli *cli, struct daemon **ret)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	*ret = NULL;
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		const char *name = pid > 0 ? name_of(cli, pid) : NULL;
		struct daemon each = {.next = *ret, .name = name, .pid = pid};

		if (name && look_of(cli, &each)) {
			*ret = cli_alloc(cli, sizeof(each));
			**ret = each;
		}
	}
	closedir(dir);
	return 0;
}

const char *daemon_reload_command(struct cli *cli, const struct daemon *daemon)
{
	char groups[4096];

	if (access("/run/systemd/system", F_OK) == 0 &&
		read_proc(daemon->pid, "cgroup", groups, sizeof(groups)) &&
		strstr(groups, cli_format(cli, "/%s.service", daemon->name)))
		return cli_format(cli, "systemctl reload %s", daemon->name);
	return cli_format(cli, "kill -HUP %d", daemon->pid);
}

int daemon_reload(struct cli *cli, const struct daemon *daemon)
{
	int64_t until = clock_ms() + RELOAD_MS;
	struct daemon now = *daemon;

	if (kill(daemon->pid, SIGHUP) < 0)
		return -errno;
	while (clock_ms() < until) {
		clock_sleep(POLL_MS);
		if (look_of(cli, &now) && daemon_is_later(&now.looked, &daemon->looked))
			return 0;
	}
	return -ETIMEDOUT;
}
