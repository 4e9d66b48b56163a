/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes below this one, from /proc, and their end. */
#include "tree.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

enum { POLL_MS = 10, KILL_MS = 10000 };

/* /proc/PID/stat */
bool tree_read_process(pid_t pid, struct tree_process *ret)
{
	struct tree_process p = {.pid = pid};
	char path[32], text[1024], *name, *rest;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	name = strchr(text, '(');
	rest = strrchr(text, ')'); /* the command's name may hold anything */
	/* state ppid pgrp session, then 15 fields until the start time: proc(5) */
	if (!name || !rest ||
		sscanf(rest + 1,
			" %c %d %d %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
			"%*s %llu",
			&p.state, &p.parent, &p.group, &p.session, &p.start) != 5)
		return false;
	snprintf(p.name, sizeof(p.name), "%.*s", (int)(rest - name - 1), name + 1);
	*ret = p;
	return true;
}

/* libvirtd, or one of the daemons that it is divided into, such as virtqemud; also as a wrapper calls it: .libvirtd-wrapp */
static bool is_libvirt(const char *name)
{
	const char *virt = strstr(name, "virt");
	size_t length = 0;

	while (virt && isalpha((unsigned char)virt[length]))
		length++;
	return length && virt[length - 1] == 'd';
}

int tree_find_libvirt(pid_t pid, struct tree_process *ret)
{
	enum { MAX_STEPS = 16 };
	struct tree_process p;

	for (int i = 0; i < MAX_STEPS && pid > 0; i++, pid = p.parent) {
		if (!tree_read_process(pid, &p))
			return -ESRCH;
		if (is_libvirt(p.name)) {
			*ret = p;
			return 1;
		}
	}
	return 0;
}

static int add(struct tree_list *list, const struct tree_process *process)
{
	struct tree_process *items = list->items;

	if (!(list->count & (list->count - 1))) {
		items = reallocarray(items, list->count ? 2 * list->count : 1, sizeof(*items));
		if (!items)
			return -ENOMEM;
		list->items = items;
	}
	items[list->count++] = *process;
	return 0;
}

void tree_free(struct tree_list *list)
{
	free(list->items);
	*list = (struct tree_list){0};
}

static int read_all(struct tree_list *ret)
{
	struct tree_process process;
	struct dirent *entry;
	DIR *dir = opendir("/proc");
	int r = dir ? 0 : -errno;

	while (r == 0 && (entry = readdir(dir)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
			tree_read_process(atoi(entry->d_name), &process))
			r = add(ret, &process);
	if (dir)
		closedir(dir);
	return r;
}

static bool holds(const struct tree_list *list, const struct tree_process *process)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].pid == process->pid && list->items[i].start == process->start)
			return true;
	return false;
}

/* An orphan of a spared process came to us, but is still in its group or session. */
static bool is_kin(const struct tree_list *spared, const struct tree_process *process)
{
	pid_t group = getpgrp(), session = getsid(0);

	for (size_t i = 0; i < spared->count; i++) {
		const struct tree_process *s = &spared->items[i];

		if ((s->group == process->group && s->group != group) ||
			(s->session == process->session && s->session != session))
			return true;
	}
	return false;
}

/* Adds the children of PARENT in ALL, and theirs, but not those of SPARED. */
static int add_below(const struct tree_list *all, pid_t parent, const struct tree_list *spared,
	struct tree_list *ret)
{
	size_t first = ret->count;
	int r = 0;

	for (size_t next = first; r == 0; next++) {
		for (size_t i = 0; r == 0 && i < all->count; i++) {
			const struct tree_process *p = &all->items[i];

			if (p->parent == parent && !holds(spared, p) && !is_kin(spared, p) &&
				!holds(ret, p))
				r = add(ret, p);
		}
		if (next >= ret->count)
			break;
		parent = ret->items[next].pid;
	}
	return r;
}

static int find_below(const struct tree_list *spared, struct tree_list *ret)
{
	struct tree_list all = {0};
	int r = read_all(&all);

	if (r == 0)
		r = add_below(&all, getpid(), spared, ret);
	tree_free(&all);
	return r;
}

int tree_below(struct tree_list *ret)
{
	static const struct tree_list nobody;
	struct tree_list list = {0};
	siginfo_t info;
	int r = 0;

	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
		r = find_below(&nobody, &list);
	if (r < 0)
		tree_free(&list);
	else
		*ret = list;
	return r;
}

/* The number may mean another process by now: only the one that was found gets the signal. */
static void send_signal(const struct tree_process *process, int signal)
{
	struct tree_process now;
	int fd = pidfd_open(process->pid, 0);

	if (fd < 0)
		return;
	if (tree_read_process(process->pid, &now) && now.start == process->start)
		pidfd_send_signal(fd, signal, NULL, 0);
	close(fd);
}

/* Signals all that are there; how many of them live. */
static int signal_all(const struct tree_list *spared, int signal)
{
	struct tree_list list = {0};
	int r = find_below(spared, &list), living = 0;

	for (size_t i = 0; r == 0 && i < list.count; i++) {
		if (list.items[i].state == 'Z' || list.items[i].state == 'X')
			continue;
		living++;
		if (signal)
			send_signal(&list.items[i], signal);
	}
	tree_free(&list);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return r < 0 ? r : living;
}

int tree_end(const struct tree_list *spared, unsigned grace_ms)
{
	int64_t until = clock_ms() + grace_ms;
	int living = signal_all(spared, SIGTERM);

	/* one that is stopped does not see the TERM before it goes on */
	if (living > 0)
		living = signal_all(spared, SIGCONT);
	while (living > 0 && clock_left(until)) {
		clock_sleep(POLL_MS);
		living = signal_all(spared, 0);
	}
	until = clock_ms() + KILL_MS;
	while (living > 0 && clock_left(until)) {
		living = signal_all(spared, SIGKILL);
		if (living > 0)
			clock_sleep(1);
	}
	return living;
}
