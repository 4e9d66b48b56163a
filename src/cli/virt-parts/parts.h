/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parts.h: a plan as people and programs are shown it, and the directories that hold parts. */
#ifndef VP_CLI_PARTS_H
#define VP_CLI_PARTS_H

#include "command.h"
#include "dispatch/event.h"
#include "dispatch/plan.h"
#include "json.h"

/* An event of every guest's life, or one that some directory has parts for. */
struct parts_event {
	struct parts_event *next;
	const char *driver; /* "": any guest driver */
	const char *guest;  /* whose directory it is; "": no guest's own */
	const char *op, *subop;
};

/*
 * The events of every guest's life and those that a directory of parts is there for, as a life goes on,
 * then those of networks and of the daemon. 0, or -errno and
 * ret_where is the directory that cannot be read.
 */
int parts_events(struct cli *cli, struct parts_event **ret, const char **ret_where);

/* Its plan, as complete as it can be: what a guest asks for is not known. 0 or -errno. */
int parts_plan(struct cli *cli, const struct parts_event *event, struct plan *ret);

/* The command that gives a part a number of two digits. */
const char *parts_renumber_command(struct cli *cli, const char *path);

/* The command that moves what the directory PATH holds to TO, which may be there. */
const char *parts_move_command(struct cli *cli, const char *path, const char *to);

/* What libvirt calls hooks by, NULL at the end. */
extern const char *const parts_drivers[];
/* What the driver's objects are; "": any guest driver. */
enum event_kind parts_kind(const char *driver);
/* Whether the driver's objects are guests. */
bool parts_of_guests(const char *driver);
/* Whether libvirt calls hooks with that name. */
bool parts_is_driver(const char *name);

/* `prepare begin`, and whose it is. */
const char *parts_title(struct cli *cli, const struct parts_event *event);

/* One entry: its number, name, source and state; why it does not run, or "". */
void parts_print(struct cli *cli, const struct plan_entry *entry, unsigned number,
	enum plan_state state, const char *why);
void parts_json(
	struct json *json, const struct plan_entry *entry, enum plan_state state, const char *why);

#endif
