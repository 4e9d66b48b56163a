/* SPDX-License-Identifier: GPL-2.0-or-later */
/* edit: a guest's directives in an editor, checked before they are stored. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "event.h"
#include "guest.h"
#include "metadata.h"

static const char *find_editor(void)
{
	static const char *const names[] = {"VISUAL", "EDITOR"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *editor = getenv(names[i]);

		if (editor && *editor)
			return editor;
	}
	return "vi";
}

/* The editor's words are the shell's to split, the path is not. 0, or an exit status, or -errno. */
static int run_editor(const char *path)
{
	const char *editor = find_editor();
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		setenv("VIRT_PARTS_EDITOR", editor, 1);
		execl("/bin/sh", "sh", "-c", "eval \"$VIRT_PARTS_EDITOR\" '\"$1\"'", "sh", path,
			(char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), r = 0;

	if (fd < 0)
		return -errno;
	if (dprintf(fd, "%s\n", text) < 0)
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

/* The command NAME for the guest that edit was called for: the same daemon, tree and options, as far as it has them. */
static const char *command_of(struct cli *cli, const char *name, const struct virt_guest *guest)
{
	const char *text = "virt-parts";
	bool checks = !strcmp(name, "set");

	if (cli->uri)
		text = cli_format(cli, "%s -c %s", text, cli_quoted(cli, cli->uri));
	if (strcmp(cli->hook_dir, VP_HOOK_DIR) != 0)
		text = cli_format(cli, "%s --hook-dir %s", text, cli_quoted(cli, cli->hook_dir));
	text = cli_format(cli, "%s %s", text, name);
	/* none of edit's has a value */
	for (const struct option_value *option = cli->options; option; option = option->next)
		if (checks || strcmp(option->name, "--no-check") != 0)
			text = cli_format(cli, "%s %s", text, option->name);
	return cli_format(cli, "%s %s", text, guest->uuid);
}

/* Whether the guest still has what the editor was given. */
static bool is_current(
	struct cli *cli, const struct virt_guest *guest, unsigned where, const char *before)
{
	xmlDocPtr doc;
	bool none, same;

	if (!metadata_get(cli, guest, where, &doc, &none))
		return false;
	same = strcmp(metadata_text(cli, doc), before) == 0;
	xmlFreeDoc(doc);
	if (!same) {
		cli_error("nothing was stored, since the directives of '%s' have been changed "
			  "meanwhile",
			guest->name);
		fprintf(stderr, "virt-parts: they are shown by '%s'\n",
			cli_shown_command(cli, command_of(cli, "show", guest)));
	}
	return same;
}

/* What the editor left, if it has changed what it was given, and nobody else has changed that. */
static int store(struct cli *cli, const struct virt_guest *guest, unsigned where, const char *path,
	const char *before)
{
	const char *text = guest_read_text(cli, path);
	xmlDocPtr doc;
	int status;

	if (!text)
		return CLI_ERROR;
	if (strcmp(text, cli_format(cli, "%s\n", before)) == 0) {
		printf("nothing was changed\n");
		return CLI_GOOD;
	}
	doc = metadata_parse(cli, cli_format(cli, "'%s'", path), text);
	if (!doc)
		return CLI_ERROR;
	status = is_current(cli, guest, where, before) ? metadata_set(cli, guest, where, doc)
						       : CLI_ERROR;
	xmlFreeDoc(doc);
	return status;
}

/* Whether there is a text that would be lost: R is how the editor ended. */
static bool is_worth_keeping(struct cli *cli, const char *path, const char *before, int r)
{
	const char *text;

	if (r < 0 || access(path, F_OK) < 0)
		return false;
	if (r == 0)
		return true;
	text = guest_read_text(cli, path);
	return !text || strcmp(text, cli_format(cli, "%s\n", before)) != 0;
}

static int edit(struct cli *cli, const struct virt_guest *guest, unsigned where, const char *text)
{
	char dir[] = "/tmp/virt-parts.XXXXXX";
	const char *path;
	int status, r;

	if (!mkdtemp(dir))
		return cli_error("cannot make a directory in '/tmp': %s", strerror(errno));
	path = cli_format(cli, "%s/virt-parts.xml", dir);
	r = write_file(path, text);
	if (r == 0)
		r = run_editor(path);
	if (r == 0)
		status = store(cli, guest, where, path, text);
	else
		status = r < 0 ? cli_error("cannot edit '%s': %s", path, strerror(-r))
			       : cli_error("the editor ended with %d, nothing was stored", r);
	if (status != CLI_GOOD && is_worth_keeping(cli, path, text, r)) {
		fflush(stdout);
		fprintf(stderr, "virt-parts: your text is kept: mend it and say '%s %s'\n",
			cli_shown_command(cli, command_of(cli, "set", guest)), path);
		return status;
	}
	unlink(path);
	rmdir(dir);
	return status;
}

int edit_command(struct cli *cli, int argc, char **argv)
{
	const struct virt_guest *guest;
	const char *text;
	unsigned where;
	xmlDocPtr doc;
	bool none;

	(void)argc;
	guest = metadata_open(cli, argv[0], &where, &doc, &none);
	if (!guest)
		return CLI_ERROR;
	text = metadata_text(cli, doc);
	xmlFreeDoc(doc);
	return edit(cli, guest, where, text);
}
