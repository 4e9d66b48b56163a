/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: what AppArmor lets libvirt do with the hook. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "hooks.h"
#include "parts.h"

#define APPARMOR_PROFILES "/sys/kernel/security/apparmor/profiles"

/* The first driver's hook that is ours, resolved; false: there is none. */
static bool find_program(struct cli *cli, char ret[PATH_MAX])
{
	for (size_t i = 0; parts_drivers[i]; i++) {
		const char *hook = hooks_ours(cli, parts_drivers[i]);

		if (hook && realpath(hook, ret))
			return true;
	}
	return false;
}

/* libvirt's profile lets it run what lies there, each program outside that profile. */
static bool is_free_place(const char *program)
{
	static const char *const dirs[] = {"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"};

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (!strncmp(program, dirs[i], strlen(dirs[i])) &&
			!strchr(program + strlen(dirs[i]), '/'))
			return true;
	return false;
}

/* `NAME (MODE)`, also with the path of the program for a name. */
static bool is_profile_of(const char *line, const char *name)
{
	const char *base = strrchr(line, '/');

	base = base ? base + 1 : line;
	return !strncmp(base, name, strlen(name)) && base[strlen(name)] == ' ';
}

static void check_profile(struct findings *f, const char *line, const char *program)
{
	static const char *const daemons[] = {
		"libvirtd", "virtqemud", "virtlxcd", "virtxend", "virtnetworkd"};
	bool enforced = strstr(line, "(enforce)") || strstr(line, "(kill)");
	int length = (int)strcspn(line, "\n");

	for (size_t i = 0; i < sizeof(daemons) / sizeof(daemons[0]); i++) {
		if (!is_profile_of(line, daemons[i]))
			continue;
		if (!enforced || is_free_place(program))
			findings_add(f, FINDING_NOTE, "AppArmor", "",
				"its profile %.*s lets libvirt run '%s' unconfined", length, line,
				program);
		else
			findings_add(f, FINDING_ERROR, "AppArmor",
				"install virt-parts with its install.sh in /usr, without --prefix",
				"its profile %.*s does not let libvirt run '%s': it allows what is "
				"in /usr/sbin",
				length, line, program);
	}
	if (is_profile_of(line, "virt-parts-hook"))
		findings_add(f, FINDING_NOTE, "AppArmor", "",
			"every part runs under the profile %.*s, which must let it do what it does",
			length, line);
}

void doctor_check_apparmor(struct findings *f)
{
	char program[PATH_MAX], *line = NULL;
	FILE *profiles;
	size_t size = 0;

	if (!find_program(f->cli, program))
		return;
	profiles = fopen(APPARMOR_PROFILES, "re");
	while (profiles && getline(&line, &size, profiles) > 0)
		check_profile(f, line, program);
	free(line);
	if (profiles)
		fclose(profiles);
}
