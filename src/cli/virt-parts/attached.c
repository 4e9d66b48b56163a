/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attached: the disks that `attach` has given to a guest. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attach.h"
#include "json.h"

static const char *target_of(struct cli *cli, const struct guest *guest, const struct attached *a)
{
	bool covered;

	return guest->virt->live ? attach_xml_target(cli, guest->virt->live, a->path, &covered)
				 : "";
}

static void print(struct cli *cli, const struct guest *guest, const struct attached *a)
{
	printf("%-20s  %-6s  %12s  %-19s  %s\n", "NAME", "DEVICE", "BYTES", "SINCE", "IMAGE");
	for (; a; a = a->next) {
		const char *target = target_of(cli, guest, a);

		printf("%-20s  %-6s  %12s  %-19s  %s\n", a->name, *target ? target : "-",
			a->size < 0 ? "-" : cli_format(cli, "%" PRId64, a->size),
			cli_when(cli, a->since), cli_shown(cli, a->path));
	}
}

static void print_json(struct cli *cli, const struct guest *guest, const struct attached *a)
{
	struct json json = {0};

	json_array(&json, NULL);
	for (; a; a = a->next) {
		const char *target = target_of(cli, guest, a);

		json_object(&json, NULL);
		json_text(&json, "name", a->name);
		json_text(&json, "device", *target ? target : NULL);
		json_text(&json, "image", a->path);
		if (a->size < 0)
			json_text(&json, "size", NULL);
		else
			json_number(&json, "size", a->size);
		json_time(&json, "since", a->since);
		json_end(&json);
	}
	json_end(&json);
}

int attached_command(struct cli *cli, int argc, char **argv)
{
	struct attached *attached = NULL;
	const struct virt_guest *virt;
	const char *elsewhere;
	struct vp_event event;
	struct guest guest;
	int r;

	(void)argc;
	if (geteuid() != 0)
		return cli_error("attached needs root, who alone may read the records of runs");
	virt = virt_one(cli, argv[0], VIRT_XML);
	if (!virt)
		return CLI_ERROR;
	elsewhere = virt_elsewhere(cli, virt);
	if (elsewhere)
		return cli_error("'%s' %s; ask on its own host", virt->name, elsewhere);
	guest = guest_of(virt, true);
	event = guest_event(cli, &guest, "attached", "-", "");
	r = guest_open_record(cli, &guest);
	if (r == 0 && guest.record >= 0) {
		r = attached_list(cli, guest.record, &event, &attached);
		close(guest.record);
	}
	if (r < 0)
		return cli_error(
			"cannot read what is attached to '%s': %s", guest.name, strerror(-r));
	if (cli->json)
		print_json(cli, &guest, attached);
	else if (attached)
		print(cli, &guest, attached);
	else
		printf("nothing is attached to '%s'\n", cli_shown(cli, guest.name));
	return CLI_GOOD;
}
