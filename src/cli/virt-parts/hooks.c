/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose the hooks are that libvirt calls, and which of somebody else's call ours. */
#include "hooks.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Whether a name ends at C, which is then neither alphanumeric nor one of OTHERS. */
static bool ends_name(char c, const char *others)
{
	return !isalnum((unsigned char)c) && (!c || !strchr(others, c));
}

/* Whether a line of LENGTH names our program as a word of a command, before what is a comment. */
static bool line_may_call(const char *line, size_t length)
{
	static const char name[] = "virt-parts-hook";
	const size_t n = sizeof(name) - 1;

	for (size_t i = 0; i < length; i++) {
		if (line[i] == '#' && (!i || isspace((unsigned char)line[i - 1])))
			return false;
		if (length - i >= n && !memcmp(line + i, name, n) &&
			(!i || ends_name(line[i - 1], "#_.-")) &&
			(i + n == length || ends_name(line[i + n], "_.-/:,")))
			return true;
	}
	return false;
}

unsigned hooks_call_line(const char *path)
{
	struct stat st;
	bool runs = hook_whose(path) == HOOK_FOREIGN && stat(path, &st) == 0 &&
		    S_ISREG(st.st_mode) && access(path, X_OK) == 0;
	FILE *file = runs ? fopen(path, "re") : NULL;
	unsigned number = 0, found = 0;
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while (file && !found && (n = getline(&line, &size, file)) > 0) {
		number++;
		if (line_may_call(line, (size_t)n))
			found = number;
	}
	free(line);
	if (file)
		fclose(file);
	return found;
}

const char *hooks_caller_beside(struct cli *cli, const char *driver)
{
	const char *path = cli_format(cli, "%s/%s.d", cli->hook_dir, driver), *file, *found = NULL;
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && !found && (entry = readdir(dir))) {
		file = cli_format(cli, "%s/%s", path, entry->d_name);
		if (hooks_call_line(file))
			found = file;
	}
	if (dir)
		closedir(dir);
	return found;
}
