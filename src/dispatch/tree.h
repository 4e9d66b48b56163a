/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tree.h: the processes that a part has started, and their end.
 *
 * The dispatcher is the subreaper of all of them, so that what left its parent, its process group and
 * its session is still found below it.
 */
#ifndef VP_DISPATCH_TREE_H
#define VP_DISPATCH_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What a process is known by: the kernel gives a number again, but not at the same time. */
struct tree_process {
	pid_t pid, parent, group, session;
	char state, name[16];
	unsigned long long start;
};

/* False when there is no such process. */
bool tree_read_process(pid_t pid, struct tree_process *ret);

/*
 * The process of libvirt that has started PID, by whatever scripts and shells, or is it: 1; 0: there is none, RET
 * is not touched; or -ESRCH: that cannot be told.
 */
int tree_find_libvirt(pid_t pid, struct tree_process *ret);

struct tree_list {
	struct tree_process *items;
	size_t count;
};

/* The processes that are below this one now; mostly none, which costs one system call. */
int tree_below(struct tree_list *ret);
void tree_free(struct tree_list *list);

/*
 * Ends every process below this one but those of SPARED and theirs: TERM, GRACE_MS to follow it, then
 * KILL until none is left. How many could not be ended (they wait for hardware), mostly 0; or -errno.
 */
int tree_end(const struct tree_list *spared, unsigned grace_ms);

#endif
