/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose a program is that libvirt calls as a hook. */
#include "hook.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum hook hook_whose(const char *path)
{
	static const char name[] = "/virt-parts-hook";
	char target[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (lstat(path, &st) < 0)
		return HOOK_NONE;
	n = readlink(path, target, sizeof(target) - 1);
	if (n < (ssize_t)sizeof(name) - 1)
		return HOOK_FOREIGN;
	target[n] = '\0';
	return strcmp(target + n - (sizeof(name) - 1), name) == 0 ? HOOK_OURS : HOOK_FOREIGN;
}
