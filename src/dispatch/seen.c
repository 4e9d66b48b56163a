/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which daemon of libvirt has looked for hooks: <run_dir>/NAME.seen, a file of its process id and that time. */
#include "seen.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"
#include "record.h"
#include "text.h"

static bool seen_path(char path[PATH_MAX], const char *run_dir, const char *daemon)
{
	return vp_is_file_name(daemon) &&
	       snprintf(path, PATH_MAX, "%s/%s.seen", run_dir, daemon) < PATH_MAX;
}

void seen_note(const char *run_dir, const struct event *event)
{
	char path[PATH_MAX], comm[64], name[32];
	pid_t daemon = getppid();
	int fd;

	if (event->kind != EVENT_DAEMON ||
		(strcmp(event->op, "start") != 0 && strcmp(event->op, "reload") != 0))
		return;
	snprintf(comm, sizeof(comm), "/proc/%d/comm", daemon);
	if (!vp_read_first_line(comm, name, sizeof(name)) || !seen_path(path, run_dir, name) ||
		vp_make_private_dir(run_dir) < 0)
		return;
	unlink(path); /* a new file has a new time */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	dprintf(fd, "%d\n", daemon);
	close(fd);
}

bool seen_read(const char *run_dir, const char *daemon, pid_t pid, struct timespec *ret)
{
	char path[PATH_MAX], text[32];
	struct stat st;

	if (!seen_path(path, run_dir, daemon) || stat(path, &st) < 0 ||
		!vp_read_first_line(path, text, sizeof(text)) || atol(text) != pid)
		return false;
	*ret = st.st_mtim;
	return true;
}
