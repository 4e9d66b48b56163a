/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command.h: a subcommand of virt-parts, and what the frame has read for it. */
#ifndef VP_CLI_COMMAND_H
#define VP_CLI_COMMAND_H

#include "conf.h"
#include "element.h"

/* Exit statuses of every subcommand. */
enum { CLI_GOOD = 0, CLI_FOUND = 1, CLI_ERROR = 2 };

/* An option as it was given. */
struct option_value {
	struct option_value *next;
	const char *name, *value; /* value "": it has none */
};

struct cli {
	const char *hook_dir;	 /* where parts.conf and parts.d lie, absolute */
	const char *uri;	 /* of libvirt; NULL: both system daemons */
	unsigned limit;		 /* seconds that libvirt may take to answer */
	bool json;		 /* what is printed is for a program */
	struct vp_conf conf;	 /* of hook_dir; the built-in values when it is not valid */
	char conf_why[1024];	 /* it is not valid; "" when it is */
	int conf_error;		 /* -errno then */
	struct vp_source memory; /* freed at the end: see cli_format */
	const struct command *command;
	struct option_value *options, **last_option; /* of the command, in the order given */
};

/* An option of a subcommand; a list of them ends with {0}. */
struct option_spec {
	const char *name;  /* with its dashes */
	const char *value; /* what its value is called; NULL: it has none */
};

struct command {
	const char *name;
	const char *arguments; /* for the usage */
	int min, max;	       /* how many arguments; max -1: any number */
	const char *summary;
	const struct option_spec *options;
	bool json;					    /* knows --json */
	int (*run)(struct cli *cli, int argc, char **argv); /* an exit status */
};

/* All of them, in the order of the help; {0} at the end. */
extern const struct command commands[];

/*
 * The value of the command's option, "" of one without a value; NULL when it was not given. Of one
 * that was given twice the last counts.
 */
const char *cli_option(const struct cli *cli, const char *name);
/* Of one that may be repeated, one value after the other: the first with BEFORE NULL, then NULL. */
const struct option_value *cli_each_option(
	const struct cli *cli, const char *name, const struct option_value *before);

/* A formatted text that lives until the program ends. Never NULL: without memory the program ends. */
const char *cli_format(struct cli *cli, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
const char *cli_copy(struct cli *cli, const char *text, size_t length);
void *cli_alloc(struct cli *cli, size_t size);

/* The line that *lines begins with, without its newline; *lines is then what follows it. NULL at the end. */
const char *cli_line(struct cli *cli, const char **lines);

/* `virt-parts: TEXT` on standard error; returns CLI_ERROR. */
int cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* TEXT as a terminal may have it: control characters escaped. */
const char *cli_shown(struct cli *cli, const char *text);

/* The same of a text with a command in it, whose backslashes a shell is to have as they are. */
const char *cli_shown_command(struct cli *cli, const char *text);

/* A path as a shell takes it: in quotes where it needs them. */
const char *cli_quoted(struct cli *cli, const char *path);

/* 2026-11-21 22:10:25, local time. */
const char *cli_when(struct cli *cli, time_t time);

/* Whether what could not be read, -errno, is only hidden from who is not root: nothing is known to be wrong. */
bool cli_needs_root(int error);

/* Told once, by whoever needs the rules: no valid parts.conf. False then. */
bool cli_has_conf(const struct cli *cli);

int list_command(struct cli *cli, int argc, char **argv);
int explain_command(struct cli *cli, int argc, char **argv);
int status_command(struct cli *cli, int argc, char **argv);
int resolve_command(struct cli *cli, int argc, char **argv);
int check_command(struct cli *cli, int argc, char **argv);
int doctor_command(struct cli *cli, int argc, char **argv);
int show_command(struct cli *cli, int argc, char **argv);
int set_command(struct cli *cli, int argc, char **argv);
int edit_command(struct cli *cli, int argc, char **argv);
int clear_command(struct cli *cli, int argc, char **argv);
int template_command(struct cli *cli, int argc, char **argv);
int run_command(struct cli *cli, int argc, char **argv);
int log_command(struct cli *cli, int argc, char **argv);
int attach_command(struct cli *cli, int argc, char **argv);
int detach_command(struct cli *cli, int argc, char **argv);
int attached_command(struct cli *cli, int argc, char **argv);

#endif
