/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of all commands and their options. */
#include "command.h"

static const struct option_spec resolve_options[] = {
	{"--discard", NULL},
	{"--yes", NULL},
	{"--own-parts-done", NULL},
	{"--save-discarded", NULL},
	{0},
};

static const struct option_spec show_options[] = {{"--live", NULL}, {"--config", NULL}, {0}};
static const struct option_spec set_options[] = {
	{"--live", NULL}, {"--config", NULL}, {"--no-check", NULL}, {0}};
static const struct option_spec run_options[] = {
	{"--dry-run", NULL}, {"--reason", "REASON"}, {"--force", NULL}, {0}};
static const struct option_spec log_options[] = {
	{"--follow", NULL}, {"--since", "TIME"}, {"--failed", NULL}, {0}};
static const struct option_spec doctor_options[] = {{"--fix", NULL}, {0}};
static const struct option_spec check_options[] = {{"--all", NULL}, {0}};
static const struct option_spec attach_options[] = {{"--src", "DIR"}, {"--file", "PATH=FILE"},
	{"--label", "LABEL"}, {"--mode", "MODE"}, {"--uid", "UID"}, {"--gid", "GID"}, {0}};
static const struct option_spec detach_options[] = {{"--wait", "SECONDS"}, {0}};

const struct command commands[] = {
	{
		.name = "list",
		.arguments = "[DRIVER OP SUBOP]",
		.max = 3,
		.summary = "the parts of every event, or of one",
		.json = true,
		.run = list_command,
	},
	{
		.name = "explain",
		.arguments = "DOMAIN|FILE OP SUBOP [REASON]",
		.min = 3,
		.max = 4,
		.summary = "what an event would run and do, and why",
		.json = true,
		.run = explain_command,
	},
	{
		.name = "status",
		.arguments = "[DOMAIN]",
		.max = 1,
		.summary = "runs that are open or unfinished, and what is left of them",
		.json = true,
		.run = status_command,
	},
	{
		.name = "resolve",
		.arguments = "DOMAIN",
		.min = 1,
		.max = 1,
		.summary = "finish an unfinished run now, or discard it",
		.options = resolve_options,
		.run = resolve_command,
	},
	{
		.name = "check",
		.arguments = "[DOMAIN|FILE]",
		.max = 1,
		.summary = "what is wrong with a guest's XML, or with that of all",
		.options = check_options,
		.json = true,
		.run = check_command,
	},
	{
		.name = "doctor",
		.arguments = "",
		.summary = "what is wrong with the installation, and what mends it",
		.options = doctor_options,
		.json = true,
		.run = doctor_command,
	},
	{
		.name = "show",
		.arguments = "DOMAIN",
		.min = 1,
		.max = 1,
		.summary = "a guest's directives",
		.options = show_options,
		.run = show_command,
	},
	{
		.name = "set",
		.arguments = "DOMAIN FILE|DIRECTIVE WORD...",
		.min = 2,
		.max = -1,
		.summary = "give a guest the directives of a file, or add one",
		.options = set_options,
		.run = set_command,
	},
	{
		.name = "edit",
		.arguments = "DOMAIN",
		.min = 1,
		.max = 1,
		.summary = "a guest's directives in an editor",
		.options = set_options,
		.run = edit_command,
	},
	{
		.name = "clear",
		.arguments = "DOMAIN [DIRECTIVE]",
		.min = 1,
		.max = 2,
		.summary = "take a guest's directives away",
		.options = set_options,
		.run = clear_command,
	},
	{
		.name = "template",
		.arguments = "[DIRECTIVE]",
		.max = 1,
		.summary = "a directive to begin with",
		.run = template_command,
	},
	{
		.name = "run",
		.arguments = "DOMAIN|FILE OP SUBOP",
		.min = 3,
		.max = 3,
		.summary = "call the hook as libvirt does, now",
		.options = run_options,
		.run = run_command,
	},
	{
		.name = "log",
		.arguments = "[DOMAIN]",
		.max = 1,
		.summary = "what events have run and printed",
		.options = log_options,
		.json = true,
		.run = log_command,
	},
	{
		.name = "attach",
		.arguments = "DOMAIN NAME",
		.min = 2,
		.max = 2,
		.summary = "give a running guest a disk with data",
		.options = attach_options,
		.run = attach_command,
	},
	{
		.name = "detach",
		.arguments = "DOMAIN NAME",
		.min = 2,
		.max = 2,
		.summary = "take it back, and remove its image",
		.options = detach_options,
		.run = detach_command,
	},
	{
		.name = "attached",
		.arguments = "DOMAIN",
		.min = 1,
		.max = 1,
		.summary = "the disks that a guest was given",
		.json = true,
		.run = attached_command,
	},
	{0},
};
