/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every subcommand needs: texts that live as long as the program, and messages. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "text.h"

void *cli_alloc(struct cli *cli, size_t size)
{
	void *memory = vp_source_alloc(&cli->memory, size);

	if (!memory)
		exit(cli_error("%s", strerror(ENOMEM)));
	return memory;
}

const char *cli_copy(struct cli *cli, const char *text, size_t length)
{
	char *copy = cli_alloc(cli, length + 1);

	memcpy(copy, text, length);
	return copy;
}

const char *cli_format(struct cli *cli, const char *format, ...)
{
	va_list args, again;
	char *text;
	int n;

	va_start(args, format);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	text = cli_alloc(cli, n < 0 ? 1 : (size_t)n + 1);
	if (n > 0)
		vsnprintf(text, (size_t)n + 1, format, again);
	va_end(again);
	return text;
}

const char *cli_line(struct cli *cli, const char **lines)
{
	size_t length = strcspn(*lines, "\n");
	const char *line = *lines;

	if (!*line)
		return NULL;
	*lines += length + (line[length] == '\n');
	return cli_copy(cli, line, length);
}

const char *cli_shown(struct cli *cli, const char *text)
{
	size_t length = strlen(text), size = length * 4 + 8;

	return vp_escape(text, length, cli_alloc(cli, size), size);
}

const char *cli_shown_command(struct cli *cli, const char *text)
{
	size_t length = strlen(text), size = length * 4 + 8;

	return vp_escape_controls(text, length, cli_alloc(cli, size), size);
}

const char *cli_when(struct cli *cli, time_t time)
{
	char text[64] = "?";
	struct tm tm;

	if (localtime_r(&time, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	return cli_format(cli, "%s", text);
}

int cli_error(const char *format, ...)
{
	char text[4096], escaped[8192];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fflush(stdout);
	fprintf(stderr, "virt-parts: %s\n",
		vp_escape(text, strlen(text), escaped, sizeof(escaped)));
	return CLI_ERROR;
}

bool cli_needs_root(int error)
{
	return error == -EACCES && geteuid() != 0;
}

bool cli_has_conf(const struct cli *cli)
{
	if (!cli->conf_why[0])
		return true;
	cli_error("no valid parts.conf, so the built-in values count%s and no path is allowed: %s",
		cli->conf.dirs_valid ? ", but for [dirs]," : "", cli->conf_why);
	return false;
}

const char *cli_quoted(struct cli *cli, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._+-%,:@";
	const char *text = "'";

	if (*path && !path[strspn(path, plain)])
		return path;
	for (; *path; path++)
		text = *path == '\'' ? cli_format(cli, "%s'\\''", text)
				     : cli_format(cli, "%s%c", text, *path);
	return cli_format(cli, "%s'", text);
}
