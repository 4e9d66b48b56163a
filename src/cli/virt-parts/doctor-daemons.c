/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: whether the daemons that run call the hooks that are there. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemons.h"
#include "doctor.h"
#include "hooks.h"
#include "parts.h"

/* Whether what lies at PATH, or what that leads to, has come or changed since TIME. */
static bool is_newer(const char *path, const struct timespec *time)
{
	struct stat own, target;

	return lstat(path, &own) < 0 || stat(path, &target) < 0 ||
	       daemon_is_later(&own.st_ctim, time) || daemon_is_later(&target.st_ctim, time);
}

/*
 * Whether the driver has hooks that can be run, and none that was there, as it is, when the daemon looked.
 * libvirt looks whether a driver has any hook that can be run, ours or not, and then calls all that it has.
 */
static bool came_late(struct cli *cli, const char *driver, const struct daemon *daemon)
{
	const char *const paths[] = {hooks_path(cli, driver), hooks_beside(cli, driver)};
	bool any = false;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (access(paths[i], X_OK) < 0)
			continue;
		if (!is_newer(paths[i], &daemon->looked))
			return false;
		any = true;
	}
	return any;
}

/* Whether it has found no hook when it looked: the hook `daemon` is there since before, and was not called. */
static bool found_none(struct cli *cli, const struct daemon *daemon)
{
	const char *path = hooks_ours(cli, "daemon");

	return path && access(path, X_OK) == 0 && !daemon->noted &&
	       !is_newer(path, &daemon->looked);
}

/* The drivers whose hook, ours, the daemon may not call, with commas. */
static const char *not_called(struct cli *cli, const struct daemon *daemon)
{
	bool none = found_none(cli, daemon);
	const char *text = "";

	for (size_t i = 0; parts_drivers[i]; i++) {
		const char *driver = parts_drivers[i], *path = hooks_ours(cli, driver);

		if (path && daemon_calls(daemon->name, driver) &&
			(none ? access(path, X_OK) == 0 : came_late(cli, driver, daemon)))
			text = cli_format(cli, "%s%s%s", text, *text ? ", " : "", driver);
	}
	return text;
}

static int reload(struct cli *cli, const struct finding *finding)
{
	return daemon_reload(cli, finding->data);
}

static void check_daemon(struct findings *f, const struct daemon *daemon)
{
	struct cli *cli = f->cli;
	const char *drivers = not_called(cli, daemon);
	bool told = hooks_ours(cli, "daemon") != NULL;
	struct finding *finding;

	if (!*drivers)
		return;
	finding = findings_add(f, told ? FINDING_WARNING : FINDING_NOTE, daemon->name,
		daemon_reload_command(cli, daemon),
		found_none(cli, daemon)
			? "process %d has not called the hook 'daemon', as it does when it looks "
			  "for hooks, so it may have found none and not call these: %s%s"
			: "process %d looked for hooks before these were there as they are, so it "
			  "may not call them: %s%s",
		daemon->pid, drivers,
		told ? ""
		     : "; without the hook 'daemon' nothing tells whether it was reloaded since");
	finding->fix = told ? reload : NULL;
	finding->data = daemon;
	finding->path = daemon->name;
}

void doctor_check_daemons(struct findings *f)
{
	struct daemon *daemon;
	int r = daemons_find(f->cli, &daemon);

	if (r < 0)
		findings_add(f, FINDING_ERROR, "daemons", "", "cannot tell which daemons run: %s",
			strerror(-r));
	for (; daemon; daemon = daemon->next)
		check_daemon(f, daemon);
}
