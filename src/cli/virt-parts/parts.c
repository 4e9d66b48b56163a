/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans as they are shown, and the directories that hold parts. */
#include "parts.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dispatch/ops.h"
#include "hooks.h"
#include "style.h"

const char *const parts_drivers[] = {"qemu", "lxc", "libxl", "bhyve", "network", "daemon", NULL};

struct finding {
	struct cli *cli;
	struct parts_event *events;
	const char *where;
};

enum event_kind parts_kind(const char *driver)
{
	if (!strcmp(driver, "network"))
		return EVENT_NETWORK;
	return strcmp(driver, "daemon") ? EVENT_GUEST : EVENT_DAEMON;
}

bool parts_of_guests(const char *driver)
{
	return parts_kind(driver) == EVENT_GUEST;
}

static const char *find_driver(const char *text, size_t length)
{
	for (size_t i = 0; parts_drivers[i]; i++)
		if (strlen(parts_drivers[i]) == length && !memcmp(parts_drivers[i], text, length))
			return parts_drivers[i];
	return NULL;
}

bool parts_is_driver(const char *name)
{
	return find_driver(name, strlen(name)) != NULL;
}

/* As a life goes on. What libvirt does not have is last. */
static int rank_of(const struct parts_event *event)
{
	enum event_kind kind = parts_kind(event->driver);
	const struct op *op = NULL;
	int i = 0;

	while ((op = op_each(kind, op)) && strcmp(op->name, event->op) != 0)
		i++;
	return i;
}

/* Phase by phase, and in each what is for all guests first. */
static int compare(const struct parts_event *a, const struct parts_event *b)
{
	int r = (int)parts_kind(a->driver) - (int)parts_kind(b->driver);

	if (r == 0)
		r = rank_of(a) - rank_of(b);
	if (r == 0)
		r = strcmp(a->op, b->op);
	if (r == 0)
		r = strcmp(a->subop, b->subop);
	if (r == 0)
		r = strcmp(a->guest, b->guest);
	return r ? r : strcmp(a->driver, b->driver);
}

static void add(struct finding *f, struct parts_event value)
{
	struct parts_event **link = &f->events, *event;
	int r = 1;

	while (*link && (r = compare(*link, &value)) < 0)
		link = &(*link)->next;
	if (*link && r == 0)
		return;
	event = cli_alloc(f->cli, sizeof(*event));
	*event = value;
	event->next = *link;
	*link = event;
}

/* The events that every guest has; also where nobody knows which ones have parts. */
static void add_life(struct finding *f, const char *driver, const char *guest)
{
	static const char *const life[][2] = {{"prepare", "begin"}, {"start", "begin"},
		{"started", "begin"}, {"stopped", "end"}, {"release", "end"}};

	for (size_t i = 0; i < sizeof(life) / sizeof(life[0]); i++)
		add(f, (struct parts_event){.driver = driver,
			       .guest = guest,
			       .op = life[i][0],
			       .subop = life[i][1]});
}

/* Why PATH cannot be opened: 0 when it is not there, or no directory. */
static int take_missing(
	struct finding *f, const char *path, int error, const char *driver, const char *guest)
{
	struct stat st;

	f->where = path;
	/* for the plan, a link that leads nowhere is no place without parts */
	if (error == ENOENT && lstat(path, &st) == 0)
		add_life(f, driver, guest);
	return error == ENOENT || error == ENOTDIR ? 0 : -error;
}

/* `O_S.d` or `D_O_S.d`; with TAIL "_-.d" only the second form, without its tail. */
static void take_name(struct finding *f, const char *name, const char *tail, const char *guest)
{
	size_t length = strlen(name), end = length - strlen(tail), op, subop;
	const char *driver = "";

	if (length < strlen(tail) || strcmp(name + end, tail) != 0)
		return;
	op = strcspn(name, "_");
	if (op < end && find_driver(name, op)) {
		driver = find_driver(name, op);
		name += op + 1;
		end -= op + 1;
		op = strcspn(name, "_");
	}
	if (tail[0] == '_' && (!*driver || !hooks_run_others(f->cli, driver)))
		return;
	if (op == 0 || op >= end)
		return;
	subop = end - op - 1;
	if (subop == 0 || memchr(name + op + 1, '_', subop))
		return;
	if (*guest && *driver)
		return; /* no such layout */
	add(f, (struct parts_event){.driver = driver,
		       .guest = guest,
		       .op = cli_copy(f->cli, name, op),
		       .subop = cli_copy(f->cli, name + op + 1, subop)});
}

/* Calls take_name for what lies in DIR, or, with BELOW, for what lies in its directories. */
static int scan(
	struct finding *f, const char *path, const char *tail, const char *guest, bool below)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return take_missing(f, path, errno, "", guest);
	while (r == 0 && (entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (name[0] == '.' && (!below || !name[1] || !strcmp(name, "..")))
			continue;
		if (below)
			r = scan(f, cli_format(f->cli, "%s/%s", path, name), tail,
				cli_copy(f->cli, name, strlen(name)), false);
		else
			take_name(f, name, tail, guest);
	}
	closedir(dir);
	return r;
}

/* VFIO-Tools' <driver>.d/GUEST/OP/SUBOP: LEVEL names of it are in WORDS. */
static int scan_vfio(
	struct finding *f, const char *driver, const char *path, const char **words, int level)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return take_missing(f, path, errno, driver, level ? words[0] : "");
	while (r == 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		words[level] = cli_copy(f->cli, entry->d_name, strlen(entry->d_name));
		if (level < 2)
			r = scan_vfio(f, driver, cli_format(f->cli, "%s/%s", path, words[level]),
				words, level + 1);
		else
			add(f, (struct parts_event){.driver = driver,
				       .guest = words[0],
				       .op = words[1],
				       .subop = words[2]});
	}
	closedir(dir);
	return r;
}

int parts_events(struct cli *cli, struct parts_event **ret, const char **ret_where)
{
	struct finding f = {.cli = cli};
	const char *words[3];
	int r;

	add_life(&f, "", "");
	r = scan(&f, cli->conf.vendor_dir, ".d", "", false);
	if (r == 0)
		r = scan(&f, cli_format(cli, "%s/parts.d", cli->hook_dir), ".d", "", false);
	if (r == 0)
		r = scan(&f, cli->hook_dir, "_-.d", "", false);
	if (r == 0)
		r = scan(&f, cli_format(cli, "%s/parts.d/domains", cli->hook_dir), ".d", "", true);
	for (size_t i = 0; r == 0 && parts_drivers[i]; i++)
		if (parts_of_guests(parts_drivers[i]) && hooks_run_others(cli, parts_drivers[i]))
			r = scan_vfio(&f, parts_drivers[i],
				cli_format(cli, "%s/%s.d", cli->hook_dir, parts_drivers[i]), words,
				0);
	*ret = f.events;
	*ret_where = f.where;
	return r;
}

int parts_plan(struct cli *cli, const struct parts_event *event, struct plan *ret)
{
	struct plan_query query = {
		.hook_dir = cli->hook_dir,
		.vendor_dir = cli->conf.vendor_dir,
		.driver = event->driver,
		/* a name is needed to look for parts of one guest; this one has none */
		.object = *event->guest ? event->guest : "*",
		.op = event->op,
		.subop = event->subop,
		.guest = parts_of_guests(event->driver),
		/* an event of any guest is of no driver, whose hook could be looked at */
		.compat = *event->driver && hooks_run_others(cli, event->driver),
		.directives = true,
		.record = -1,
		.complete = true,
	};

	return plan_make(&query, ret);
}

const char *parts_renumber_command(struct cli *cli, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	unsigned long number = strtoul(name, NULL, 10);

	/* what is wider is not made narrower: the others would have to be made wider */
	return number > 9 ? "give the parts numbers of one width"
			  : cli_format(cli, "mv -n %s %s", cli_quoted(cli, path),
				    cli_quoted(cli,
					    cli_format(cli, "%.*s%02lu%s", (int)(name - path), path,
						    number, name + strspn(name, "0123456789"))));
}

const char *parts_move_command(struct cli *cli, const char *path, const char *to)
{
	path = cli_quoted(cli, path);
	if (access(to, F_OK) == 0)
		return cli_format(cli, "mv -n %s/* %s/", path, cli_quoted(cli, to));
	return cli_format(cli, "mv %s %s", path, cli_quoted(cli, to));
}

const char *parts_title(struct cli *cli, const struct parts_event *event)
{
	if (*event->guest)
		return cli_format(cli, "%s %s of the %s%sguest '%s'", event->op, event->subop,
			event->driver, *event->driver ? " " : "", cli_shown(cli, event->guest));
	if (*event->driver)
		return cli_format(cli, "%s %s of %s", event->op, event->subop, event->driver);
	return cli_format(cli, "%s %s of any guest", event->op, event->subop);
}

static enum style style_of(enum plan_state state)
{
	static const enum style styles[] = {
		[PLAN_RUN] = STYLE_GOOD,
		[PLAN_REFUSED] = STYLE_BAD,
		[PLAN_IDLE] = STYLE_FAINT,
		[PLAN_MASK] = STYLE_WARNING,
		[PLAN_HIDDEN] = STYLE_FAINT,
		[PLAN_SKIPPED] = STYLE_WARNING,
	};

	return styles[state];
}

void parts_print(struct cli *cli, const struct plan_entry *entry, unsigned number,
	enum plan_state state, const char *why)
{
	if (number)
		printf("%4u  ", number);
	else
		printf("   -  ");
	style_print(STYLE_PLAIN, cli_shown(cli, entry->name), 22);
	printf("  ");
	style_print(style_of(state), plan_state_text(state), 7);
	printf("  %s\n", plan_source_text(entry->source));
	if (*why)
		printf("      %s\n", cli_shown(cli, why));
}

void parts_json(
	struct json *json, const struct plan_entry *entry, enum plan_state state, const char *why)
{
	json_text(json, "name", entry->name);
	json_text(json, "path", entry->path);
	json_text(json, "source", plan_source_text(entry->source));
	json_text(json, "state", plan_state_text(state));
	json_text(json, "why", *why ? why : NULL);
}
