/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: the hooks that libvirt calls, and the layouts beside them. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"
#include "hooks.h"
#include "parts.h"
#include "selinux.h"
#include "virt.h"

#define HOOK_PROGRAM VP_PREFIX "/sbin/virt-parts-hook"

static void check_target(struct findings *f, const char *driver, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		findings_add(f, FINDING_ERROR, driver,
			"install virt-parts again with its install.sh",
			"'%s' leads nowhere, so virt-parts is not called: %s", path,
			strerror(errno));
	else if (!(st.st_mode & 0111))
		findings_add(f, FINDING_ERROR, driver,
			cli_format(f->cli, "chmod 0755 \"$(readlink -f %s)\"",
				cli_quoted(f->cli, path)),
			"'%s' has no right to be executed, so libvirt passes over it and "
			"virt-parts is not called; libvirt must be reloaded when it has",
			path);
}

/* Makes a link, which SELinux's policy may turn into one that refuses every start: install.sh asks it. */
static const char *link_command(struct cli *cli, const char *before, const char *path)
{
	if (selinux_mode() == SELINUX_ENFORCING)
		return "run install.sh again, which asks SELinux's policy and makes no link that "
		       "it would not let work";
	return cli_format(cli, "%sln -s " HOOK_PROGRAM " %s", before, cli_quoted(cli, path));
}

/* What a hook that is not ours, and that libvirt runs nothing beside, can do about it. */
static const char *call_advice(struct cli *cli, const char *driver)
{
	return cli_format(cli,
		"let '%s' end with 'exec " HOOK_PROGRAM " --driver %s \"$@\"', and leave it the "
		"standard input; or have a libvirt of 6.5 or newer, and run install.sh again",
		hooks_path(cli, driver), driver);
}

const char *doctor_hook_beside_mend(struct cli *cli, const char *driver)
{
	const char *path = hooks_path(cli, driver), *beside = hooks_beside(cli, driver);

	if (hook_whose(path) != HOOK_FOREIGN)
		return cli_format(
			cli, "mv -nT %s %s", cli_quoted(cli, beside), cli_quoted(cli, path));
	if (hooks_call_line(path))
		return cli_format(cli, "rm %s", cli_quoted(cli, beside));
	return call_advice(cli, driver);
}

static bool libvirt_is_old(struct cli *cli)
{
	struct virt_answer answer = virt_ask(cli, NULL, 0);

	for (const struct virt_daemon *d = answer.daemons; d; d = d->next)
		if (!hooks_beside_runs(d->version))
			return true;
	return false;
}

/* The path of what libvirt runs for the driver, is not ours, and may call ours; NULL: nothing does. */
static const char *find_caller(struct cli *cli, const char *driver)
{
	const char *path = hooks_path(cli, driver);

	if (hooks_call_line(path))
		return path;
	path = hooks_caller_beside(cli, driver);
	return path && !libvirt_is_old(cli) ? path : NULL;
}

static void check_foreign(struct findings *f, const char *driver, enum finding_level level)
{
	struct cli *cli = f->cli;
	const char *path = hooks_path(cli, driver);
	const char *dir = cli_format(cli, "%s/%s.d", cli->hook_dir, driver);

	if (libvirt_is_old(cli))
		findings_add(f, level, driver, call_advice(cli, driver),
			"'%s' is not virt-parts, which is not called; this libvirt runs nothing "
			"beside it (6.5 does)",
			path);
	else
		findings_add(f, level, driver,
			link_command(cli, cli_format(cli, "mkdir -p %s && ", cli_quoted(cli, dir)),
				hooks_beside(cli, driver)),
			"'%s' is not virt-parts, which is not called; it can be beside it, and "
			"libvirt must be reloaded then",
			path);
}

/* What calls virt-parts, where one that is ours is called, too. */
static void check_called(struct findings *f, const char *driver)
{
	struct cli *cli = f->cli;
	const char *ours = hooks_ours(cli, driver), *caller = find_caller(cli, driver);

	/* of a hook and what lies beside it, an old libvirt calls the hook alone */
	if (caller && !libvirt_is_old(cli))
		findings_add(f, FINDING_WARNING, driver,
			cli_format(cli, "rm %s", cli_quoted(cli, ours)),
			"'%s' is not virt-parts, but calls it, as it names it in line %u, and "
			"virt-parts is there, too, as '%s': every part runs twice; if that line "
			"does not call it, take the name out of it instead",
			caller, hooks_call_line(caller), ours);
}

/* Whether there is one that is ours. */
static bool check_ours(struct findings *f, const char *driver)
{
	struct cli *cli = f->cli;
	const char *path = hooks_path(cli, driver), *beside = hooks_beside(cli, driver);
	bool ours = hook_whose(path) == HOOK_OURS, second = hook_whose(beside) == HOOK_OURS;

	if (ours)
		check_target(f, driver, path);
	if (second)
		check_target(f, driver, beside);
	if (ours && second)
		findings_add(f, FINDING_ERROR, driver,
			cli_format(cli, "rm %s", cli_quoted(cli, beside)),
			"virt-parts is installed twice, as '%s' and as '%s': every part runs twice",
			path, beside);
	else if (ours || second)
		check_called(f, driver);
	return ours || second;
}

static void tell_missing(struct findings *f, const char *driver, enum finding_level level)
{
	struct cli *cli = f->cli;
	const char *path = hooks_path(cli, driver), *caller = find_caller(cli, driver);

	if (caller)
		findings_add(f, FINDING_NOTE, driver, "",
			"'%s' is not virt-parts, but names it in line %u: whether it calls it for "
			"every event, with the guest's XML, is seen in the log alone",
			caller, hooks_call_line(caller));
	else if (hook_whose(path) == HOOK_FOREIGN)
		check_foreign(f, driver, level);
	else
		findings_add(f, level, driver, link_command(cli, "", path),
			"there is no hook '%s', so virt-parts is not called; libvirt must be "
			"reloaded when there is",
			path);
}

static void check_hook(struct findings *f, const char *driver)
{
	/* those that are installed without --drivers: nobody need have the others */
	static const struct {
		const char *driver;
		enum finding_level missing;
	} usual[] = {
		{"qemu", FINDING_WARNING},
		{"lxc", FINDING_WARNING},
		{"network", FINDING_NOTE},
		{"daemon", FINDING_NOTE},
	};

	if (check_ours(f, driver))
		return;
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (!strcmp(driver, usual[i].driver))
			tell_missing(f, driver, usual[i].missing);
}

/* --- other layouts -------------------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *tail)
{
	size_t length = strlen(text), n = strlen(tail);

	return length > n && strcmp(text + length - n, tail) == 0;
}

/* What virt-parts does about what FILES, a directory, holds in the layout of somebody else. */
static void tell_layout(struct findings *f, const char *driver, const char *mend, const char *files,
	const char *layout)
{
	const char *path = hooks_path(f->cli, driver);

	if (hooks_run_others(f->cli, driver))
		findings_add(f, FINDING_NOTE, driver, mend,
			"what is in '%s' is run, which is the layout of %s", files, layout);
	else if (hook_whose(path) == HOOK_FOREIGN)
		findings_add(f, FINDING_NOTE, driver, mend,
			"what is in '%s' is in the layout of %s: virt-parts does not run it; that "
			"is left to the other hook '%s'",
			files, layout, path);
	else
		findings_add(f, FINDING_WARNING, driver, mend,
			"what is in '%s', the layout of %s, is not run, as virt-parts is not '%s', "
			"but beside it",
			files, layout, path);
}

/* `qemu_prepare_begin_-.d` beside the hook. */
static void check_2014(struct findings *f, const char *driver, const char *name)
{
	struct cli *cli = f->cli;
	const char *path = cli_format(cli, "%s/%s", cli->hook_dir, name);
	const char *to = cli_format(cli, "%s/parts.d/%.*s.d", cli->hook_dir,
		(int)(strlen(name) - strlen("_-.d")), name);

	tell_layout(f, driver, parts_move_command(cli, path, to), path, "2014");
}

/* VFIO-Tools' `qemu.d/NAME/prepare/begin`. */
static void check_vfio(struct findings *f, const char *driver)
{
	struct cli *cli = f->cli;
	const char *path = cli_format(cli, "%s/%s.d", cli->hook_dir, driver);
	DIR *dir = opendir(path);
	struct dirent *entry;
	struct stat st;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
			S_ISDIR(st.st_mode))
			tell_layout(f, driver, "", cli_format(cli, "%s/%s", path, entry->d_name),
				"VFIO-Tools");
	if (dir)
		closedir(dir);
}

static void check_layouts(struct findings *f, const char *driver)
{
	struct cli *cli = f->cli;
	const char *prefix = cli_format(cli, "%s_", driver);
	struct dirent *entry;
	DIR *dir;

	if (!hooks_ours(cli, driver))
		return;
	if (parts_of_guests(driver))
		check_vfio(f, driver);
	dir = opendir(cli->hook_dir);
	while (dir && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, prefix, strlen(prefix)) &&
			ends_with(entry->d_name, "_-.d"))
			check_2014(f, driver, entry->d_name);
	if (dir)
		closedir(dir);
}

void doctor_check_hooks(struct findings *f)
{
	for (size_t i = 0; parts_drivers[i]; i++)
		check_hook(f, parts_drivers[i]);
	for (size_t i = 0; parts_drivers[i]; i++)
		check_layouts(f, parts_drivers[i]);
}
