/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: what is wrong with the installation, each finding with the command that mends it. --fix
 * does what cannot harm: it takes rights away from others than root, and reloads libvirt.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dispatch/interpreter.h"
#include "dispatch/names.h"
#include "doctor.h"
#include "lint-host.h"
#include "parts.h"
#include "trust.h"

/* --- parts.conf ----------------------------------------------------------------------------------------------- */

static void check_conf(struct findings *f)
{
	const char *path = cli_format(f->cli, "%s/parts.conf", f->cli->hook_dir), *mend;
	struct vp_conf conf;
	char why[1024];
	int r = vp_conf_read(path, &conf, why, sizeof(why));

	vp_conf_free(&conf);
	if (r == 0)
		return;
	if (r == -ENOENT)
		mend = cli_format(f->cli, "install -m 0644 %s/share/virt-parts/parts.conf %s",
			VP_PREFIX, cli_quoted(f->cli, path));
	else if (r == -EPERM)
		mend = doctor_trust_mend(f->cli, path, "go-w");
	else
		mend = cli_format(f->cli, "${EDITOR:-vi} %s", cli_quoted(f->cli, path));
	findings_add(f, FINDING_ERROR, "parts.conf", mend,
		"it is not valid, so no guest with directives starts: %s", why);
}

/* The directory that a rule's root lies in must be root's alone; with a token in it, the one above. */
static void check_rule(struct findings *f, const struct vp_rule *rule)
{
	size_t length = strcspn(rule->path, "%");
	char why[PATH_MAX + 128];
	const char *parent, *mend;

	if (rule->path[length] == '\0' && length > 1)
		length--; /* the root's own last component */
	while (length > 1 && rule->path[length - 1] != '/')
		length--;
	while (length > 1 && rule->path[length - 1] == '/')
		length--;
	parent = cli_copy(f->cli, rule->path, length);
	if (access(parent, F_OK) < 0 ||
		vp_trust_check(parent, NULL, NULL, why, sizeof(why)) != -EPERM)
		return;
	mend = doctor_trust_mend(f->cli, parent, "go-w");
	for (const struct finding *told = f->first; told; told = told->next)
		if (*mend && strcmp(told->mend, mend) == 0)
			return;
	findings_add(f, FINDING_ERROR, "parts.conf", mend,
		"line %u: nothing below '%s' is used: %s", rule->line, rule->path, why);
}

/* --- parts ---------------------------------------------------------------------------------------------------- */

/* What makes a refused part one that is run, as far as its owner or mode is the reason. */
static const char *rights_command(struct cli *cli, const char *path)
{
	const char *mend = doctor_trust_mend(cli, path, "go-w,ug-s");
	struct stat st;

	if (*mend || stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return mend;
	if (!(st.st_mode & 0111)) /* a shipped one is not passed over for that */
		return cli_format(cli, "chmod +x %s", cli_quoted(cli, path));
	if (!(st.st_mode & (S_ISUID | S_ISGID)))
		return "";
	return cli_format(cli, "chmod ug-s %s", cli_quoted(cli, path));
}

static void check_skipped(struct findings *f, const char *title, const struct plan_entry *entry)
{
	bool any_name = entry->source == PLAN_COMPAT_VFIO;
	const char *path = cli_quoted(f->cli, entry->path), *slash = strrchr(entry->path, '/');
	const char *as_part = cli_format(f->cli, "50-%s", entry->name);
	struct stat st;

	if (name_is_leftover(entry->name) || stat(entry->path, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	if (!any_name && !name_is_part(entry->name))
		findings_add(f, FINDING_NOTE, title,
			name_is_part(as_part) && st.st_mode & 0111
				? cli_format(f->cli, "mv -n %s %s", path,
					  cli_quoted(f->cli, cli_format(f->cli, "%.*s/%s",
								     (int)(slash - entry->path),
								     entry->path, as_part)))
				: "",
			"'%s' is ignored: the name of a part begins with a digit and has letters, "
			"digits and . _ + - only",
			entry->path);
	else
		findings_add(f, FINDING_WARNING, title, cli_format(f->cli, "chmod +x %s", path),
			"'%s' is passed over: %s", entry->path, entry->why);
}

static void check_entry(struct findings *f, const char *title, const struct plan_entry *entry)
{
	struct cli *cli = f->cli;
	char why[400];

	/* the dispatcher of that layout runs what has no #! */
	if (entry->state == PLAN_RUN && entry->source != PLAN_COMPAT_VFIO &&
		interpreter_is_lacking(entry->path, why, sizeof(why)))
		findings_add(f, FINDING_ERROR, title, "",
			"'%s' cannot be run, and counts as failed: %s", entry->path, why);
	else if (entry->state == PLAN_REFUSED)
		findings_add(f, FINDING_ERROR, title, rights_command(cli, entry->path),
			"'%s' is not run and counts as failed: %s", entry->path, entry->why);
	else if (entry->state == PLAN_SKIPPED)
		check_skipped(f, title, entry);
	else if (entry->state == PLAN_MASK)
		findings_add(f, FINDING_NOTE, title,
			cli_format(cli, "rm %s", cli_quoted(cli, entry->path)),
			"'%s' keeps every part of its name from being run", entry->path);
}

static void check_event(struct findings *f, const struct parts_event *event)
{
	const char *title = parts_title(f->cli, event);
	struct plan plan;
	int r = parts_plan(f->cli, event, &plan);

	if (r < 0) {
		findings_add(
			f, FINDING_ERROR, title, "", "cannot tell its parts: %s", strerror(-r));
		return;
	}
	for (size_t i = 0; i < plan.count; i++) {
		const struct plan_entry *entry = &plan.entries[i];
		bool shared =
			entry->source == PLAN_ADMIN_SHARED || entry->source == PLAN_VENDOR_SHARED;

		/* what all guests share is told once, of all guests */
		if (!shared || (!*event->driver && !*event->guest))
			check_entry(f, title, entry);
	}
	plan_free(&plan);
}

static void check_parts(struct findings *f)
{
	static const char *const shipped[] = {"prepare_begin.d/05-virt-parts",
		"prepare_begin.d/10-ramdisk", "prepare_begin.d/20-preload",
		"release_end.d/20-archive", "release_end.d/40-ramdisk", "release_end.d/50-preload",
		"release_end.d/60-post-rm-rf"};
	struct parts_event *events;
	const char *where = "", *path;
	int r = parts_events(f->cli, &events, &where);

	if (r < 0)
		findings_add(
			f, FINDING_ERROR, "parts", "", "cannot read '%s': %s", where, strerror(-r));
	for (; r == 0 && events; events = events->next)
		check_event(f, events);
	lint_numbers(f, NULL);
	for (size_t i = 0; i < sizeof(shipped) / sizeof(shipped[0]); i++) {
		path = cli_format(f->cli, "%s/%s", f->cli->conf.vendor_dir, shipped[i]);
		if (access(path, F_OK) < 0)
			findings_add(f, FINDING_ERROR, "shipped parts",
				"install virt-parts again with its install.sh", "'%s': %s", path,
				strerror(errno));
	}
}

static void fix(struct findings *f)
{
	for (struct finding *finding = f->first; finding; finding = finding->next) {
		int r = finding->fix ? finding->fix(f->cli, finding) : 0;

		if (r < 0)
			cli_error("cannot mend '%s': %s", finding->path, strerror(-r));
		finding->mended = finding->fix && r == 0;
	}
}

int doctor_command(struct cli *cli, int argc, char **argv)
{
	struct findings findings;

	(void)argc;
	(void)argv;
	if (geteuid() != 0)
		return cli_error("doctor needs root");
	findings_init(&findings, cli);
	check_conf(&findings);
	for (const struct vp_rule *rule = cli->conf.rules; rule; rule = rule->next)
		check_rule(&findings, rule);
	doctor_check_settings(&findings);
	doctor_check_hooks(&findings);
	doctor_check_daemons(&findings);
	check_parts(&findings);
	doctor_check_names(&findings);
	doctor_check_host(&findings);
	doctor_check_left(&findings);
	doctor_check_apparmor(&findings);
	doctor_check_selinux(&findings);
	doctor_check_versions(&findings);
	if (cli_option(cli, "--fix"))
		fix(&findings);
	return findings_print(&findings, "nothing is wrong");
}
