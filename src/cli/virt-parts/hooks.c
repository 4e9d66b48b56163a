/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose the hooks are that libvirt calls. */
#include "hooks.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum hook hooks_whose(const char *path)
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

const char *hooks_path(struct cli *cli, const char *driver)
{
	return cli_format(cli, "%s/%s", cli->hook_dir, driver);
}

const char *hooks_beside(struct cli *cli, const char *driver)
{
	return cli_format(cli, "%s/%s.d/50-virt-parts", cli->hook_dir, driver);
}

const char *hooks_ours(struct cli *cli, const char *driver)
{
	const char *path = hooks_path(cli, driver), *beside = hooks_beside(cli, driver);

	if (hooks_whose(path) == HOOK_OURS)
		return path;
	return hooks_whose(beside) == HOOK_OURS ? beside : NULL;
}

bool hooks_run_others(struct cli *cli, const char *driver)
{
	return hooks_whose(hooks_path(cli, driver)) == HOOK_OURS ||
	       hooks_whose(hooks_beside(cli, driver)) != HOOK_OURS;
}

bool hooks_beside_runs(unsigned long version)
{
	enum { SINCE = 6005000 };

	return !version || version >= SINCE;
}
