/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose the hooks are that libvirt calls. */
#include "hooks.h"

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

	if (hook_whose(path) == HOOK_OURS)
		return path;
	return hook_whose(beside) == HOOK_OURS ? beside : NULL;
}

bool hooks_run_others(struct cli *cli, const char *driver)
{
	enum hook hook = hook_whose(hooks_path(cli, driver));

	return hook == HOOK_OURS ||
	       (hook == HOOK_NONE && hook_whose(hooks_beside(cli, driver)) != HOOK_OURS);
}

bool hooks_beside_runs(unsigned long version)
{
	enum { SINCE = 6005000 };

	return !version || version >= SINCE;
}
