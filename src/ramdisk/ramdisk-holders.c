/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which processes keep a filesystem busy, for a message: what fuser -m would say. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "ramdisk-mount.h"
#include "text.h"

enum { MAX_HOLDERS = 5 };

static bool is_on(int dir, const char *path, dev_t device)
{
	struct statx st;

	/* what it leads to may lie on a server that does not answer: that is not asked */
	return statx(dir, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &st) == 0 &&
	       makedev(st.stx_dev_major, st.stx_dev_minor) == device;
}

static bool has_open_file(int process, dev_t device)
{
	int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool found = false;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!found && (entry = readdir(dir)))
		found = entry->d_name[0] != '.' && is_on(dirfd(dir), entry->d_name, device);
	closedir(dir);
	return found;
}

static void add_holder(int process, const char *pid, char *list, size_t size)
{
	int fd = openat(process, "comm", O_RDONLY | O_CLOEXEC);
	char name[32] = "", escaped[160];
	ssize_t n = fd < 0 ? 0 : read(fd, name, sizeof(name) - 1);
	size_t used = strlen(list);

	if (fd >= 0)
		close(fd);
	if (n > 0 && name[n - 1] == '\n')
		n--;
	vp_escape(name, n > 0 ? (size_t)n : 0, escaped, sizeof(escaped));
	snprintf(list + used, size - used, "%spid %s (%s)", used ? ", " : "", pid, escaped);
}

void ramdisk_holders(dev_t device, char *list, size_t size)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	unsigned n = 0;

	*list = '\0';
	while (proc && n < MAX_HOLDERS && (entry = readdir(proc))) {
		int process;
		uint64_t pid;

		if (vp_parse_number(entry->d_name, &pid) < 0 || (pid_t)pid == getpid())
			continue;
		process = openat(dirfd(proc), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (process < 0)
			continue;
		if (is_on(process, "cwd", device) || is_on(process, "root", device) ||
			is_on(process, "exe", device) || has_open_file(process, device)) {
			add_holder(process, entry->d_name, list, size);
			n++;
		}
		close(process);
	}
	if (proc)
		closedir(proc);
}
