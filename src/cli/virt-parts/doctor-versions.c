/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: versions of this command, the hook, libvirt and the kernel, and whether they go together. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "child.h"
#include "doctor.h"
#include "hooks.h"
#include "parts.h"
#include "trust.h"
#include "virt.h"

enum { HOOK_LIMIT_S = 5, NOT_RUN = 127 };

static int print_version(void *program, FILE *answer)
{
	int null = open("/dev/null", O_RDONLY);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(fileno(answer), STDOUT_FILENO) < 0)
		return 126;
	execl(program, "virt-parts-hook", "--version", (char *)NULL);
	fputs(strerror(errno), answer);
	return NOT_RUN;
}

static void check_hook_version(struct findings *f)
{
	static const char wanted[] = "virt-parts-hook " VP_VERSION "\n";
	char program[PATH_MAX], why[PATH_MAX + 128], *text = NULL;
	size_t length;
	const char *hook = NULL;
	int r;

	for (size_t i = 0; !hook && parts_drivers[i]; i++)
		hook = hooks_ours(f->cli, parts_drivers[i]);
	/* what somebody else may have put there is not run by root */
	if (!hook || vp_trust_check(hook, NULL, program, why, sizeof(why)) < 0 ||
		access(program, X_OK) < 0)
		return;
	r = child_run(print_version, program, HOOK_LIMIT_S, &text, &length);
	if (r == NOT_RUN)
		findings_add(f, FINDING_ERROR, "versions",
			"install virt-parts again with its install.sh",
			"'%s' cannot be run, so libvirt refuses every start of a guest: %s",
			program, *text ? text : "exit 127");
	else if (r < 0 || strcmp(text, wanted) != 0)
		findings_add(f, FINDING_WARNING, "versions",
			"install virt-parts again with its install.sh",
			"'%s' is not of this command's version, " VP_VERSION ": it says '%.*s'",
			program, text ? (int)strcspn(text, "\n") : 0, text ? text : "");
	free(text);
}

static void check_libvirt(struct findings *f, const struct virt_daemon *daemon)
{
	struct cli *cli = f->cli;
	const char *hook;

	if (daemon->slow)
		findings_add(f, FINDING_WARNING, daemon->uri,
			"virt-parts status, which shows the event that runs", "%s", daemon->why);
	else if (*daemon->why)
		findings_add(f, FINDING_NOTE, daemon->uri, "", "%s", daemon->why);
	hook = *daemon->why ? NULL : hooks_ours(cli, daemon->driver);
	if (hook && strstr(hook, ".d/") && !hooks_beside_runs(daemon->version))
		findings_add(f, FINDING_ERROR, daemon->driver,
			doctor_hook_beside_mend(cli, daemon->driver),
			"'%s' is never called: this libvirt runs nothing beside a hook (6.5 does)",
			hook);
}

static void check_kernel(struct findings *f, const char *release)
{
	unsigned major = 0, minor = 0;

	if (sscanf(release, "%u.%u", &major, &minor) == 2 &&
		(major < 5 || (major == 5 && minor < 8)))
		findings_add(f, FINDING_ERROR, "versions", "boot Linux 5.8 or newer",
			"Linux %s is too old for the shipped parts", release);
}

void doctor_check_versions(struct findings *f)
{
	struct cli *cli = f->cli;
	struct virt_answer answer = virt_ask(cli, NULL, 0);
	const char *text = "virt-parts " VP_VERSION;
	struct utsname host;

	check_hook_version(f);
	for (const struct virt_daemon *d = answer.daemons; d; d = d->next) {
		check_libvirt(f, d);
		if (d->version)
			text = cli_format(cli, "%s, libvirt %lu.%lu.%lu (%s)", text,
				d->version / 1000000, d->version / 1000 % 1000, d->version % 1000,
				d->uri);
	}
	if (uname(&host) == 0) {
		check_kernel(f, host.release);
		text = cli_format(cli, "%s, Linux %s", text, host.release);
	}
	findings_add(f, FINDING_NOTE, "versions", "", "%s", text);
}
