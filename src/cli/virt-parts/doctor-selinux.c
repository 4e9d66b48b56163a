/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: what SELinux's policy lets each daemon do with the hook, and the hook itself then. install.sh
 * asks the same before it installs; a policy may have changed since.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemons.h"
#include "doctor.h"
#include "hooks.h"
#include "selinux.h"

#define TMPFS "system_u:object_r:tmpfs_t:s0"

/* What is asked of one daemon, and the rules that it lacks. */
struct asking {
	struct cli *cli;
	const char *daemon, *source; /* its name, its context */
	const char *missing;	     /* `allow SOURCE TARGET:CLASS PERMISSION;`, blanks between */
};

static void need(struct asking *a, const char *source, const char *target, const char *class,
	const char *permission)
{
	const char *rule;

	if (selinux_allows(source, target, class, permission))
		return;
	rule = cli_format(a->cli, "allow %s %s:%s %s;", selinux_type(a->cli, source),
		selinux_type(a->cli, target), class, permission);
	if (!strstr(a->missing, rule))
		a->missing = cli_format(a->cli, "%s%s%s", a->missing, *a->missing ? " " : "", rule);
}

/* The least that a hook needs to work. */
static void need_to_work(struct asking *a, const char *domain)
{
	struct cli *cli = a->cli;
	const char *state = cli->conf.state_dir;

	/* what is not there yet is made with the label of what it lies in */
	while (access(state, F_OK) < 0 && strrchr(state, '/') > state)
		state = cli_copy(cli, state, (size_t)(strrchr(state, '/') - state));
	state = selinux_of_file(cli, state);
	need(a, domain, selinux_of_file(cli, cli_format(cli, "%s/parts.d", cli->hook_dir)), "dir",
		"search");
	need(a, domain, selinux_of_file(cli, cli_format(cli, "%s/parts.conf", cli->hook_dir)),
		"file", "read");
	need(a, domain, selinux_of_file(cli, VP_PREFIX "/libexec/virt-parts/ramdisk"), "file",
		"execute");
	need(a, domain, state, "dir", "add_name");
	need(a, domain, state, "dir", "write");
	need(a, domain, TMPFS, "file", "create");
	need(a, domain, TMPFS, "filesystem", "mount");
}

static void need_all(struct asking *a, const char *program)
{
	const char *target = selinux_of_file(a->cli, program);
	const char *domain = selinux_domain_of_exec(a->cli, a->source, target);

	need(a, a->source, target, "file", "execute");
	if (!strcmp(domain, a->source)) {
		need(a, a->source, target, "file", "execute_no_trans");
	} else {
		need(a, a->source, domain, "process", "transition");
		need(a, domain, target, "file", "entrypoint");
	}
	need_to_work(a, domain);
}

/* The context that a daemon has, or has when it is started; NULL: it is not there, or not known. */
static const char *context_of(struct cli *cli, const struct daemon *running, const char *name)
{
	static const char exec[] = "_exec_t";
	const char *program = cli_format(cli, "/usr/sbin/%s", name), *context = NULL, *type;
	size_t length;

	for (; running && !context; running = running->next)
		if (!strcmp(running->name, name))
			context = selinux_of_process(cli, running->pid);
	if (context || access(program, F_OK) < 0)
		return context;
	type = selinux_type(cli, selinux_of_file(cli, program));
	length = strlen(type);
	if (length < sizeof(exec) || strcmp(type + length - (sizeof(exec) - 1), exec) != 0)
		return NULL;
	return cli_format(
		cli, "system_u:system_r:%.*s_t:s0", (int)(length - (sizeof(exec) - 1)), type);
}

/* The first hook of ours that the daemon calls, resolved; the names of all of them. NULL: none. */
static const char *called_by(struct cli *cli, const char *daemon, char program[PATH_MAX])
{
	static const char *const drivers[] = {"qemu", "lxc", "libxl", "bhyve", "network", "daemon"};
	const char *names = NULL;

	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		const char *hook =
			daemon_calls(daemon, drivers[i]) ? hooks_ours(cli, drivers[i]) : NULL;
		char resolved[PATH_MAX];

		if (!hook || !realpath(hook, resolved))
			continue;
		if (!names)
			memcpy(program, resolved, sizeof(resolved));
		names = names ? cli_format(cli, "%s, %s", names, drivers[i]) : drivers[i];
	}
	return names;
}

static void tell_missing(
	struct findings *f, const struct asking *a, const char *program, const char *names)
{
	bool enforced = selinux_mode() == SELINUX_ENFORCING;

	findings_add(f, enforced ? FINDING_ERROR : FINDING_NOTE, "SELinux",
		cli_format(f->cli,
			"restorecon -RF %s %s " VP_PREFIX "/libexec/virt-parts; if that is not "
			"enough, load a policy module with '%s', see audit2allow(1)",
			cli_quoted(f->cli, program), cli_quoted(f->cli, f->cli->hook_dir),
			a->missing),
		enforced ? "under its policy %s cannot run '%s', or that cannot work, so starts "
			   "are refused (%s)"
			 : "it is permissive; under its policy %s could not run '%s', or that not "
			   "work (%s)",
		a->daemon, program, names);
}

void doctor_check_selinux(struct findings *f)
{
	struct cli *cli = f->cli;
	const char *name, *good = "";
	char program[PATH_MAX];
	struct daemon *running;

	if (selinux_mode() == SELINUX_NONE)
		return;
	if (daemons_find(cli, &running) < 0)
		running = NULL;
	for (size_t i = 0; (name = daemon_name(i)); i++) {
		struct asking a = {.cli = cli, .daemon = name, .missing = ""};
		const char *names = called_by(cli, name, program);

		a.source = names ? context_of(cli, running, name) : NULL;
		if (!a.source)
			continue;
		need_all(&a, program);
		if (*a.missing)
			tell_missing(f, &a, program, names);
		else
			good = cli_format(cli, "%s%s%s", good, *good ? ", " : "", name);
	}
	if (*good)
		findings_add(f, FINDING_NOTE, "SELinux", "",
			"it is %s, and its policy lets %s run the hook, and that work",
			selinux_mode() == SELINUX_ENFORCING ? "enforcing" : "permissive", good);
}
