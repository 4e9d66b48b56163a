/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: what AppArmor and SELinux let libvirt do with the hook. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "daemons.h"
#include "doctor.h"

#define APPARMOR_PROFILES "/sys/kernel/security/apparmor/profiles"
#define SELINUX "/sys/fs/selinux"

/* The first driver's hook that is ours, resolved; false: there is none. */
static bool find_program(struct cli *cli, char ret[PATH_MAX])
{
	static const char *const drivers[] = {"qemu", "lxc", "network", "daemon"};

	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		const char *hook = doctor_hook(cli, drivers[i]);

		if (hook && realpath(hook, ret))
			return true;
	}
	return false;
}

/* --- AppArmor ------------------------------------------------------------------------------------------------- */

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

static void check_apparmor(struct findings *f, const char *program)
{
	FILE *profiles = fopen(APPARMOR_PROFILES, "re");
	char *line = NULL;
	size_t size = 0;

	while (profiles && getline(&line, &size, profiles) > 0)
		check_profile(f, line, program);
	free(line);
	if (profiles)
		fclose(profiles);
}

/* --- SELinux -------------------------------------------------------------------------------------------------- */

static bool read_file(const char *path, char *ret, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return true;
}

/* What the loaded policy says, in the form of selinuxfs: 1 allowed, 0 not, or -errno. */
static int ask_selinux(const char *source, const char *target, const char *permission)
{
	char path[128], class[16], bit[16], text[1024];
	unsigned long allowed;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), SELINUX "/class/file/perms/%s", permission);
	if (!read_file(SELINUX "/class/file/index", class, sizeof(class)) ||
		!read_file(path, bit, sizeof(bit)))
		return -EIO;
	n = snprintf(text, sizeof(text), "%s %s %s", source, target, class);
	fd = open(SELINUX "/access", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (n >= (ssize_t)sizeof(text) || write(fd, text, (size_t)n) != n)
		n = -1;
	else
		n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return n < 0 ? -EIO : 0;
	text[n] = '\0';
	allowed = strtoul(text, NULL, 16);
	return allowed >> (strtoul(bit, NULL, 10) - 1) & 1;
}

/* The third field of user:role:type:level. */
static const char *type_of(struct cli *cli, const char *context)
{
	for (int i = 0; i < 2; i++) {
		const char *colon = strchr(context, ':');

		if (!colon)
			return context;
		context = colon + 1;
	}
	return cli_copy(cli, context, strcspn(context, ":"));
}

static void daemon_context(struct cli *cli, char *ret, size_t size)
{
	struct daemon *daemon;
	char path[64];

	snprintf(ret, size, "system_u:system_r:virtd_t:s0-s0:c0.c1023");
	if (daemons_find(cli, &daemon) < 0 || !daemon)
		return;
	snprintf(path, sizeof(path), "/proc/%d/attr/current", daemon->pid);
	read_file(path, ret, size);
}

static void check_selinux(struct findings *f, const char *program)
{
	static const char *const permissions[] = {"execute", "execute_no_trans"};
	char enforces[8], source[256], target[256];
	bool refuses = false, enforced;
	ssize_t n;

	if (!read_file(SELINUX "/enforce", enforces, sizeof(enforces)))
		return;
	enforced = enforces[0] == '1';
	daemon_context(f->cli, source, sizeof(source));
	n = getxattr(program, "security.selinux", target, sizeof(target) - 1);
	snprintf(target + (n < 0 ? 0 : n), n < 0 ? sizeof(target) : 1, "%s",
		n < 0 ? "system_u:object_r:unlabeled_t:s0" : "");
	for (size_t i = 0; i < sizeof(permissions) / sizeof(permissions[0]); i++) {
		if (ask_selinux(source, target, permissions[i]) > 0)
			continue;
		refuses = true;
		findings_add(f, enforced ? FINDING_ERROR : FINDING_NOTE, "SELinux",
			cli_format(f->cli,
				"restorecon -F %s; if that is not enough, load a policy module "
				"with "
				"'allow %s %s:file %s;', see audit2allow(1)",
				program, type_of(f->cli, source), type_of(f->cli, target),
				permissions[i]),
			enforced ? "its policy does not let libvirt run '%s' (%s), so no guest "
				   "starts"
				 : "it is permissive; its policy would not let libvirt run '%s' "
				   "(%s)",
			program, permissions[i]);
	}
	if (!refuses)
		findings_add(f, FINDING_NOTE, "SELinux", "",
			"it is %s, and its policy lets libvirt run '%s'",
			enforced ? "enforcing" : "permissive", program);
}

void doctor_check_confinement(struct findings *f)
{
	char program[PATH_MAX];

	if (!find_program(f->cli, program))
		return;
	check_apparmor(f, program);
	check_selinux(f, program);
}
