/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: what is wrong, or may be, with the XML of a guest, of a file, or of all guests. */
#include <stdio.h>
#include <string.h>

#include "lint-host.h"
#include "lint.h"
#include "runs.h"

static void check_conf(struct findings *findings)
{
	struct cli *cli = findings->cli;

	if (cli_needs_root(cli->conf_error))
		findings_add(findings, FINDING_WARNING, "parts.conf", "",
			"not checked, which needs root: %s", cli->conf_why);
	else if (cli->conf_why[0])
		findings_add(findings, FINDING_ERROR, "parts.conf", "", "it is not valid: %s",
			cli->conf_why);
}

/* What was not looked at is not said to be in order. */
static void check_daemons(struct findings *findings, const struct virt_answer *answer)
{
	for (const struct virt_daemon *d = answer->daemons; d; d = d->next)
		if (virt_is_silent(d))
			findings_add(findings, FINDING_WARNING, d->uri, "",
				"its guests were not checked: %s", d->why);
}

static void check_guest(struct findings *findings, struct guest *guest)
{
	struct cli *cli = findings->cli;
	const char *text, *mend;

	findings->domain = guest->name;
	findings->driver = guest->driver;
	lint(findings, guest);
	if (runs_old_count(cli, guest, &text, &mend))
		findings_add(findings, FINDING_WARNING,
			cli_format(cli, "%s (%s)", guest->name, guest->driver), mend, "%s", text);
	findings->domain = findings->driver = NULL;
}

static int check_all(struct findings *findings)
{
	struct cli *cli = findings->cli;
	struct virt_answer answer = virt_ask(cli, NULL, VIRT_XML);
	const struct virt_daemon *foreign = virt_foreign(&answer);
	bool here = !foreign || foreign->place != VIRT_ELSEWHERE;
	unsigned n = 0;

	if (!answer.answered)
		return cli_error("cannot ask libvirt: %s", virt_why(cli, &answer));
	if (here)
		check_conf(findings);
	check_daemons(findings, &answer);
	for (const struct virt_guest *virt = answer.guests; virt; virt = virt->next) {
		struct guest guest = guest_of(virt, false);

		check_guest(findings, &guest);
		n++;
	}
	if (here)
		lint_numbers(findings, NULL);
	return findings_print(findings, cli_format(cli, "%u guests, nothing is wrong", n));
}

int check_command(struct cli *cli, int argc, char **argv)
{
	struct findings findings;
	struct guest guest;

	findings_init(&findings, cli);
	if (argc && cli_option(cli, "--all"))
		return cli_error("a guest or --all, not both");
	if (!argc)
		return check_all(&findings);
	if (!guest_get(cli, argv[0], false, &guest))
		return CLI_ERROR;
	check_guest(&findings, &guest);
	if (!guest_is_elsewhere(&guest))
		lint_numbers(&findings, guest.name);
	return findings_print(&findings, "nothing is wrong");
}
