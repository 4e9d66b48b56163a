/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a part of a directive's name is installed anywhere. */
#include "custom.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

/* 20-NAME: what follows the digits and a dash. */
static bool is_part_of(const char *file, const char *name)
{
	size_t digits = strspn(file, "0123456789");

	return digits && file[digits] == '-' && strcmp(file + digits + 1, name) == 0;
}

/* Looks in DIR (LEVELS 0) or in the directories of it that end in .d. */
static int find_part(int at, const char *path, const char *name, int levels)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), found = 0;
	struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (found == 0 && (entry = readdir(dir))) {
		size_t length = strlen(entry->d_name);

		if (levels == 0)
			found = is_part_of(entry->d_name, name);
		else if (length > 2 && strcmp(entry->d_name + length - 2, ".d") == 0)
			found = find_part(fd, entry->d_name, name, levels - 1);
	}
	closedir(dir);
	return found;
}

int vp_part_is_installed(const struct vp_event *event, const char *vendor_dir, const char *name)
{
	char path[PATH_MAX];
	int found = find_part(AT_FDCWD, vendor_dir, name, 1);

	if (found == 0 && snprintf(path, sizeof(path), "%s/parts.d", event->hook_dir) < PATH_MAX)
		found = find_part(AT_FDCWD, path, name, 1);
	if (found == 0 && vp_is_file_name(event->domain) &&
		snprintf(path, sizeof(path), "%s/parts.d/domains/%s", event->hook_dir,
			event->domain) < PATH_MAX)
		found = find_part(AT_FDCWD, path, name, 1);
	return found;
}
