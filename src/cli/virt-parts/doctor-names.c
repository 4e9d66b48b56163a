/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: what lies in parts.d and is never run, as no event and no guest is called so. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dispatch/names.h"
#include "doctor.h"
#include "events.h"
#include "parts.h"
#include "runs.h"
#include "suggest.h"
#include "virt.h"

struct naming {
	struct findings *f;
	const char *dir;
	bool of_guest; /* dir is that of one guest */
	DIR *stream;
	bool asked, told_all; /* libvirt, once there is a guest's directory */
	const char **guests;
	size_t n_guests;
};

static bool is_event_like(const char *name)
{
	size_t length = strlen(name);

	return length > 2 && strcmp(name + length - 2, ".d") == 0;
}

/* --- no event ------------------------------------------------------------------------------------------------- */

static void tell_directory(struct naming *n, const char *name)
{
	static const char *const domains[] = {"domains"};
	struct cli *cli = n->f->cli;
	const char *path = cli_format(cli, "%s/%s", n->dir, name), *meant = NULL;

	if (!n->of_guest)
		meant = suggest(name, domains, 1);
	if (!meant)
		meant = events_meant_directory(cli, name, n->of_guest);
	/* a part may keep its data in a directory */
	findings_add(n->f, meant || is_event_like(name) ? FINDING_WARNING : FINDING_NOTE, "parts",
		meant ? parts_move_command(cli, path, cli_format(cli, "%s/%s", n->dir, meant)) : "",
		"'%s' is no directory of an event, so nothing in it is run%s%s%s", path,
		meant ? "; did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
}

/* Whether a link in the directory of an event leads to it: one program may be the part of several. */
static bool is_linked_to(struct cli *cli, const struct stat *st)
{
	struct parts_event *event;
	const char *where;
	bool found = false;

	/* what cannot be read is told with the parts */
	if (parts_events(cli, &event, &where) < 0)
		return false;
	for (; !found && event; event = event->next) {
		struct plan plan;
		struct stat part;

		if (parts_plan(cli, event, &plan) < 0)
			continue;
		for (size_t i = 0; !found && i < plan.count; i++)
			found = stat(plan.entries[i].path, &part) == 0 &&
				part.st_dev == st->st_dev && part.st_ino == st->st_ino;
		plan_free(&plan);
	}
	return found;
}

static void tell_file(struct naming *n, const char *name, const struct stat *st)
{
	struct cli *cli = n->f->cli;

	/* a README, or what a guest's parts read */
	if (!is_event_like(name) && !name_is_part(name) && !(st->st_mode & 0111))
		return;
	if (is_linked_to(cli, st))
		return;
	findings_add(n->f, FINDING_WARNING, "parts", "",
		"'%s' is not run: parts lie in the directory of an event, such as "
		"'%s/prepare_begin.d'",
		cli_format(cli, "%s/%s", n->dir, name), n->dir);
}

static void look_at(struct naming *n, const char *name)
{
	struct stat st;

	if (name[0] == '.' || name_is_leftover(name))
		return;
	if (fstatat(dirfd(n->stream), name, &st, 0) < 0)
		findings_add(n->f, FINDING_WARNING, "parts", "", "cannot look at '%s/%s': %s",
			n->dir, name, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		tell_file(n, name, &st);
	else if (!events_is_directory(n->f->cli, name, n->of_guest))
		tell_directory(n, name);
}

/* --- no guest ------------------------------------------------------------------------------------------------- */

static void ask_libvirt(struct naming *n)
{
	struct cli *cli = n->f->cli;
	struct virt_answer answer = virt_ask(cli, NULL, 0);
	const char *where;
	struct run *runs;
	size_t count = 0;

	n->asked = true;
	n->told_all = doctor_told_all(cli, &answer);
	if (runs_read(cli, NULL, &runs, &where) < 0)
		runs = NULL;
	for (const struct virt_guest *guest = answer.guests; guest; guest = guest->next)
		count++;
	for (const struct run *run = runs; run; run = run->next)
		count++;
	n->guests = cli_alloc(cli, (count + 1) * sizeof(*n->guests));
	for (const struct virt_guest *guest = answer.guests; guest; guest = guest->next)
		n->guests[n->n_guests++] = guest->name;
	for (const struct run *run = runs; run; run = run->next)
		n->guests[n->n_guests++] = run->name;
}

static bool is_guest(const struct naming *n, const char *name)
{
	for (size_t i = 0; i < n->n_guests; i++)
		if (!strcmp(n->guests[i], name))
			return true;
	return false;
}

static void look_for_guest(struct naming *n, const char *name)
{
	const char *near;

	if (!n->asked)
		ask_libvirt(n);
	if (!n->told_all || is_guest(n, name))
		return;
	near = suggest(name, n->guests, n->n_guests);
	findings_add(n->f, FINDING_NOTE, "parts", "",
		"libvirt knows no guest '%s', so nothing in '%s/%s' is run%s%s%s", name, n->dir,
		name, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* --- each directory ------------------------------------------------------------------------------------------- */

static void check_directory(struct findings *f, const char *path, bool of_guest)
{
	struct naming n = {.f = f, .dir = path, .of_guest = of_guest, .stream = opendir(path)};
	struct dirent *entry;

	while (n.stream && (entry = readdir(n.stream)))
		if (of_guest || strcmp(entry->d_name, "domains") != 0)
			look_at(&n, entry->d_name);
	if (n.stream)
		closedir(n.stream);
}

static void check_guests(struct findings *f, const char *path)
{
	struct naming n = {.f = f, .dir = path, .of_guest = true, .stream = opendir(path)};
	struct dirent *entry;
	struct stat st;

	while (n.stream && (entry = readdir(n.stream))) {
		const char *name = entry->d_name;

		if (!strcmp(name, ".") || !strcmp(name, ".."))
			continue;
		if (fstatat(dirfd(n.stream), name, &st, 0) < 0 || !S_ISDIR(st.st_mode)) {
			look_at(&n, name);
			continue;
		}
		look_for_guest(&n, name);
		check_directory(f, cli_format(f->cli, "%s/%s", path, name), true);
	}
	if (n.stream)
		closedir(n.stream);
}

/* Other layouts' directories beside the hook. */
static void check_beside(struct findings *f)
{
	struct parts_event *event;
	const char *where, *wrong;

	/* what cannot be read is told with the parts */
	if (parts_events(f->cli, &event, &where) < 0)
		return;
	for (; event; event = event->next) {
		const char *dir = f->cli->hook_dir, *path;

		if (!*event->driver)
			continue;
		path = *event->guest ? cli_format(f->cli, "%s/%s.d/%s/%s/%s", dir, event->driver,
					       event->guest, event->op, event->subop)
				     : cli_format(f->cli, "%s/%s_%s_%s_-.d", dir, event->driver,
					       event->op, event->subop);
		wrong = events_wrong(f->cli, event->driver, event->op, event->subop);
		if (wrong && access(path, F_OK) == 0)
			findings_add(f, FINDING_WARNING, "parts", "",
				"nothing in '%s' is run: '%s %s' %s", path, event->op, event->subop,
				wrong);
	}
}

void doctor_check_names(struct findings *f)
{
	const char *path = cli_format(f->cli, "%s/parts.d", f->cli->hook_dir);
	struct stat st;

	check_directory(f, path, false);
	path = cli_format(f->cli, "%s/domains", path);
	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		findings_add(f, FINDING_WARNING, "parts", "",
			"'%s' is no directory, so no guest has parts of its own", path);
	check_guests(f, path);
	check_beside(f);
}
