/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virt-parts: shows, checks and tries what virt-parts does for guests. One table of commands. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "event.h"
#include "style.h"
#include "suggest.h"
#include "text.h"

#ifndef VP_VERSION
#define VP_VERSION "development"
#endif

enum { DEFAULT_LIMIT_S = 15 };

const char *cli_option(const struct cli *cli, const char *name)
{
	const struct option_value *option = NULL;
	const char *value = NULL;

	while ((option = cli_each_option(cli, name, option)))
		value = option->value;
	return value;
}

const struct option_value *cli_each_option(
	const struct cli *cli, const char *name, const struct option_value *before)
{
	const struct option_value *option = before ? before->next : cli->options;

	while (option && strcmp(option->name, name) != 0)
		option = option->next;
	return option;
}

static void add_option(struct cli *cli, const char *name, const char *value)
{
	struct option_value *option = cli_alloc(cli, sizeof(*option));

	*option = (struct option_value){.name = name, .value = value};
	if (cli->options)
		*cli->last_option = option;
	else
		cli->options = option;
	cli->last_option = &option->next;
}

static int print_help(void)
{
	puts("virt-parts: shows, checks and tries what virt-parts does for guests\n\n"
	     "usage: virt-parts [OPTION]... COMMAND [ARGUMENT]...\n");
	for (const struct command *c = commands; c->name; c++)
		printf("  %-9s %-31s %s\n", c->name, c->arguments, c->summary);
	puts("\n  -c URI          libvirt's daemon; without it LIBVIRT_DEFAULT_URI, else both\n"
	     "                  qemu:///system and lxc:///system\n"
	     "  --hook-dir DIR  where parts.conf and parts.d lie (" VP_HOOK_DIR ")\n"
	     "  --root DIR      the same\n"
	     "  --timeout S     how long libvirt may take to answer (15)\n"
	     "  --json          print what a program can read, where the command has that\n"
	     "  --help, --version\n\n"
	     "'virt-parts COMMAND --help' shows the options of a command; see virt-parts(1).");
	return fflush(stdout) == 0 ? CLI_GOOD : CLI_ERROR;
}

static void print_usage(FILE *out, const struct command *command)
{
	const struct option_spec *option = command->options;

	fprintf(out, "usage: virt-parts %s", command->name);
	for (; option && option->name; option++)
		fprintf(out, " [%s%s%s]", option->name, option->value ? " " : "",
			option->value ? option->value : "");
	if (command->json)
		fprintf(out, " [--json]");
	fprintf(out, "%s%s\n", *command->arguments ? " " : "", command->arguments);
}

static const struct command *find_command(const char *name)
{
	const char *names[32];
	size_t n = 0;
	const char *near;

	for (const struct command *c = commands; c->name; c++) {
		if (strcmp(c->name, name) == 0)
			return c;
		names[n++] = c->name;
	}
	near = suggest(name, names, n);
	cli_error("'%.64s' is no command%s%s%s; 'virt-parts --help' lists them", name,
		near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
	return NULL;
}

/* --root is what `run` calls it, since a hook directory is the root of a tree to try things in. */
static bool is_hook_dir(const char *option)
{
	return !strcmp(option, "--hook-dir") || !strcmp(option, "--root");
}

/* Options of all commands. How many words they took: 0 none, -1 wrong and told. */
static int take_common(struct cli *cli, int argc, char **argv)
{
	const char *option = argv[0], *value = argc > 1 ? argv[1] : NULL;
	bool valued = !strcmp(option, "-c") || !strcmp(option, "--connect") ||
		      is_hook_dir(option) || !strcmp(option, "--timeout");
	uint64_t number;

	if (!strcmp(option, "--json")) {
		cli->json = true;
		return 1;
	}
	if (!valued)
		return 0;
	if (!value || !*value) {
		cli_error("%s needs a value", option);
		return -1;
	}
	if (is_hook_dir(option)) {
		cli->hook_dir = value;
	} else if (!strcmp(option, "--timeout")) {
		if (vp_parse_number(value, &number) < 0 || number < 1 || number > 3600) {
			cli_error("--timeout '%.32s' is not a number of seconds from 1 to 3600",
				value);
			return -1;
		}
		cli->limit = (unsigned)number;
	} else {
		cli->uri = value;
	}
	return 2;
}

static int take_own(struct cli *cli, int argc, char **argv)
{
	const struct option_spec *option = cli->command->options;

	for (size_t i = 0; option && option[i].name; i++) {
		if (strcmp(option[i].name, argv[0]) != 0)
			continue;
		if (option[i].value && argc < 2) {
			cli_error("%s needs a value, %s", argv[0], option[i].value);
			return -1;
		}
		add_option(cli, option[i].name, option[i].value ? argv[1] : "");
		return option[i].value ? 2 : 1;
	}
	return 0;
}

/*
 * Takes the options out of argv, which keeps the arguments. How many these are; -1: wrong, and
 * told; -2: help was asked for.
 */
static int take_options(struct cli *cli, int argc, char **argv)
{
	int kept = 0;

	for (int i = 0; i < argc;) {
		int taken = 0;

		if (!strcmp(argv[i], "--")) {
			while (++i < argc)
				argv[kept++] = argv[i];
			break;
		}
		if (argv[i][0] == '-' && argv[i][1]) {
			if (!strcmp(argv[i], "--help"))
				return -2;
			taken = take_own(cli, argc - i, argv + i);
			if (taken == 0)
				taken = take_common(cli, argc - i, argv + i);
			if (taken == 0)
				cli_error("'%.64s' is no option of '%s'; arguments that begin with "
					  "a dash go behind '--'",
					argv[i], cli->command->name);
			if (taken <= 0)
				return -1;
		} else {
			argv[kept++] = argv[i];
			taken = 1;
		}
		i += taken;
	}
	return kept;
}

static int read_conf(struct cli *cli)
{
	char path[PATH_MAX];

	if (cli->hook_dir[0] != '/') {
		char cwd[PATH_MAX];

		if (!getcwd(cwd, sizeof(cwd)))
			return cli_error("cannot tell the current directory: %s", strerror(errno));
		cli->hook_dir = cli_format(cli, "%s/%s", cwd, cli->hook_dir);
	}
	if (snprintf(path, sizeof(path), "%s/parts.conf", cli->hook_dir) >=
		(int)sizeof(path) - 1024)
		return cli_error("the path of the hook directory is too long");
	cli->conf_error = vp_conf_read(path, &cli->conf, cli->conf_why, sizeof(cli->conf_why));
	if (cli->conf_error == 0)
		cli->conf_why[0] = '\0';
	if (!cli->conf.state_dir || !cli->conf.run_dir || !cli->conf.log_dir ||
		!cli->conf.vendor_dir || !cli->conf.qemu_log_dir)
		return cli_error("%s", strerror(ENOMEM));
	return CLI_GOOD;
}

static int run_with(struct cli *cli, int argc, char **argv)
{
	const struct command *command = cli->command;
	int n = take_options(cli, argc, argv), status;

	if (n == -2) {
		print_usage(stdout, command);
		return fflush(stdout) == 0 ? CLI_GOOD : CLI_ERROR;
	}
	if (n < 0)
		return CLI_ERROR;
	if (n < command->min || (command->max >= 0 && n > command->max)) {
		print_usage(stderr, command);
		return CLI_ERROR;
	}
	if (cli->json && !command->json)
		return cli_error("'%s' has no --json", command->name);
	status = read_conf(cli);
	if (status != CLI_GOOD)
		return status;
	style_init(cli->json);
	status = command->run(cli, n, argv);
	/* a full disk or a closed pipe is no success */
	if (fflush(stdout) != 0 || ferror(stdout))
		return CLI_ERROR;
	return status;
}

/* Or a file that is opened takes the number of one that is closed. Printing to that fails as it did. */
static void open_standard(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
			abort();
}

int main(int argc, char **argv)
{
	struct cli cli = {.hook_dir = VP_HOOK_DIR, .limit = DEFAULT_LIMIT_S};
	const char *environment = getenv("LIBVIRT_DEFAULT_URI");
	int i = 1, status;

	open_standard();
	if (environment && *environment)
		cli.uri = environment;
	while (i < argc && argv[i][0] == '-') {
		int taken;

		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return print_help();
		if (!strcmp(argv[i], "--version")) {
			puts("virt-parts " VP_VERSION);
			return fflush(stdout) == 0 ? CLI_GOOD : CLI_ERROR;
		}
		taken = take_common(&cli, argc - i, argv + i);
		if (taken == 0)
			cli_error("'%.64s' is no option; see 'virt-parts --help'", argv[i]);
		if (taken <= 0)
			return CLI_ERROR;
		i += taken;
	}
	if (i >= argc) {
		fputs("usage: virt-parts [OPTION]... COMMAND [ARGUMENT]..., see 'virt-parts "
		      "--help'\n",
			stderr);
		return CLI_ERROR;
	}
	cli.command = find_command(argv[i]);
	if (!cli.command)
		return CLI_ERROR;
	status = run_with(&cli, argc - i - 1, argv + i + 1);
	vp_conf_free(&cli.conf);
	vp_source_free(&cli.memory);
	return status;
}
