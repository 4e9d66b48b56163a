/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run: calls the hook as libvirt does, for a guest or a file, now, and shows what its parts print.
 * --dry-run explains what that would do.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dispatch/clock.h"
#include "dispatch/log.h"
#include "events.h"
#include "guest.h"
#include "hooks.h"
#include "log-file.h"
#include "log-show.h"
#include "parts.h"
#include "progress.h"

enum { POLL_MS = 20 };

static bool refuse(const char *name, const char *why)
{
	cli_error("'%s' %s; add --force to run it all the same", name, why);
	return false;
}

/* libvirt, which this is done in the place of, does not call what it has not. */
static bool is_event(struct cli *cli, const struct guest *guest, const char *op, const char *subop)
{
	const char *wrong =
		cli_option(cli, "--force") ? NULL : events_wrong(cli, guest->driver, op, subop);

	return !wrong || refuse(cli_format(cli, "%s %s", op, subop), wrong);
}

/* What would tear a running guest's run down, or begin a second one. */
static bool may_run(struct cli *cli, const struct guest *guest, const char *op)
{
	bool teardown = !strcmp(op, "stopped") || !strcmp(op, "release");
	const struct virt_guest *virt = guest->virt;
	struct virt_answer answer;

	if (cli_option(cli, "--force") || (!teardown && strcmp(op, "prepare") != 0) ||
		!parts_of_guests(guest->driver))
		return true;
	if (!virt && !guest->no_uuid) {
		answer = virt_ask(cli, guest->uuid, 0);
		virt = virt_find(&answer, guest->driver, guest->uuid);
		/* a guest that has a run may be alive */
		if (!virt_answered(&answer, guest->driver) && guest->record >= 0)
			return refuse(guest->name,
				"has a run, and libvirt does not say whether it is alive");
	}
	if (virt && virt_elsewhere(cli, virt))
		return refuse(guest->name, virt_elsewhere(cli, virt));
	if (virt && virt->active)
		return refuse(guest->name, "runs");
	return true;
}

/* Where libvirt finds the hook: as itself, or beside one that is not ours. */
static const char *find_hook(struct cli *cli, const char *driver)
{
	const char *hook = hooks_beside(cli, driver);

	return access(hook, X_OK) == 0 ? hook : hooks_path(cli, driver);
}

/* What has been logged since the last time. */
static void print_logged(struct log_tail *tail, struct progress *progress)
{
	char *text;
	size_t length;

	if (log_tail_read(tail, &text, &length) < 0 || !length)
		return;
	progress_hide(progress);
	for (char *line = text; line < text + length;) {
		char *end = memchr(line, '\n', (size_t)(text + length - line));

		log_print_line(line, (size_t)(end - line));
		line = end + 1;
	}
	fflush(stdout);
	free(text);
}

/* Shows what the hook and its parts print until it ends. Its status of waitpid, or -errno. */
static int wait_for(pid_t pid, struct log_tail *tail, int *ret)
{
	struct progress progress;
	pid_t ended;

	progress_begin(&progress);
	while ((ended = waitpid(pid, ret, WNOHANG)) == 0 || (ended < 0 && errno == EINTR)) {
		print_logged(tail, &progress);
		progress_show(&progress, pid);
		clock_sleep(POLL_MS);
	}
	progress_hide(&progress);
	if (ended < 0)
		return -errno;
	print_logged(tail, &progress);
	return 0;
}

static int call(struct cli *cli, const struct guest *guest, const char *op, const char *subop,
	const char *extra)
{
	const char *hook = find_hook(cli, guest->driver);
	char log[NAME_MAX + 1];
	struct log_tail tail = {0};
	int xml = guest_hook_fd(guest), status, r;
	pid_t pid;

	log_name(log, guest->driver, guest->name, guest->uuid);
	tail.path = cli_format(cli, "%s/%s.log", cli->conf.log_dir, log);
	if (xml < 0)
		return cli_error("cannot keep the XML: %s", strerror(-xml));
	if (access(hook, X_OK) < 0)
		return cli_error("cannot run the hook '%s': %s", hook, strerror(errno));
	log_tail_end(&tail);
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return cli_error("cannot start a process: %s", strerror(errno));
	if (pid == 0) {
		if (dup2(xml, STDIN_FILENO) >= 0)
			execl(hook, hook, guest->name, op, subop, extra, (char *)NULL);
		_exit(127);
	}
	close(xml);
	r = wait_for(pid, &tail, &status);
	if (r < 0)
		return cli_error("cannot wait for the hook: %s", strerror(-r));
	if (WIFSIGNALED(status))
		return cli_error("the hook was killed by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) == 0)
		return CLI_GOOD;
	cli_error("the event failed (exit %d); 'virt-parts log %s' shows what was run",
		WEXITSTATUS(status), cli_quoted(cli, log));
	return CLI_FOUND;
}

int run_command(struct cli *cli, int argc, char **argv)
{
	const char *op = argv[1], *subop = argv[2], *reason = cli_option(cli, "--reason");
	bool teardown = !strcmp(op, "stopped") || !strcmp(op, "release");
	struct guest guest;

	(void)argc;
	if (reason && !teardown)
		return cli_error("only stopped and release have a reason");
	if (cli_option(cli, "--dry-run")) {
		char *words[] = {argv[0], argv[1], argv[2], (char *)reason, NULL};

		return explain_command(cli, reason ? 4 : 3, words);
	}
	if (geteuid() != 0)
		return cli_error("run needs root, since the hook does nothing for others");
	if (!guest_get(cli, argv[0], strcmp(op, "prepare") != 0, &guest))
		return CLI_ERROR;
	if (!is_event(cli, &guest, op, subop))
		return CLI_ERROR;
	if (guest.no_uuid && parts_of_guests(guest.driver))
		return cli_error("'%s' has no <uuid>, so its run could not be recorded", argv[0]);
	guest_open_record(cli, &guest);
	if (!may_run(cli, &guest, op))
		return CLI_ERROR;
	return call(cli, &guest, op, subop, reason ? reason : "-");
}
