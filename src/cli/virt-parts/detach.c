/* SPDX-License-Identifier: GPL-2.0-or-later */
/* detach: takes a disk that `attach` has given back from a running guest, and then removes its image. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attach.h"
#include "dispatch/clock.h"
#include "text.h"

enum { DEFAULT_WAIT_S = 10, MAX_WAIT_S = 3600, LOOK_MS = 200 };

/* Finds the disk's image in the record. */
static bool find(struct attach *x)
{
	struct attached *attached = NULL;
	int record, r;

	if (!attach_open_record(x, &record))
		return false;
	r = record < 0 ? 0 : attached_list(x->cli, record, &x->event, &attached);
	if (record >= 0)
		close(record);
	if (r < 0) {
		cli_error("cannot read what is attached to '%s': %s", x->guest.name, strerror(-r));
		return false;
	}
	while (attached && strcmp(attached->name, x->name) != 0)
		attached = attached->next;
	if (!attached) {
		cli_error("virt-parts has attached no '%s' to '%s'; 'virt-parts attached %s' shows "
			  "what it has",
			x->name, x->guest.name, x->guest.uuid);
		return false;
	}
	x->path = attached->path;
	return true;
}

static bool wait_of(struct cli *cli, unsigned *ret)
{
	const char *text = cli_option(cli, "--wait");
	uint64_t seconds = DEFAULT_WAIT_S;

	if (text && (vp_parse_number(text, &seconds) < 0 || seconds > MAX_WAIT_S)) {
		cli_error("--wait '%.32s' is not a number of seconds up to %d", text, MAX_WAIT_S);
		return false;
	}
	*ret = (unsigned)seconds;
	return true;
}

/* Where the disk is in the guest by now: "" when it is not, live "" when the guest does not run. */
static bool look(struct attach *x, const char **ret_live, const char **ret_target)
{
	const char *why;
	bool covered;

	if (virt_live_xml(x->cli, x->guest.virt, ret_live, &why) < 0) {
		cli_error("cannot ask libvirt about '%s': %s; '%s' stays", x->guest.name, why,
			x->path);
		return false;
	}
	*ret_target = attach_xml_target(x->cli, *ret_live, x->path, &covered);
	if (!covered)
		return true;
	cli_error("a snapshot lies above '%s' in '%s' (%s): merge that first with 'virsh "
		  "blockcommit'",
		x->path, x->guest.name, *ret_target);
	return false;
}

/* Until the guest has let it go, or is gone. */
static bool unplug(struct attach *x, const char **live, const char *target)
{
	struct cli *cli = x->cli;
	const char *xml = attach_xml_device(cli, x->path, target, x->name), *why;
	unsigned seconds;
	int64_t until;
	int r;

	if (!wait_of(cli, &seconds))
		return false;
	until = clock_ms() + (int64_t)seconds * 1000;
	r = virt_unplug(cli, x->guest.virt, xml, &why);
	while (look(x, live, &target)) {
		if (!*target)
			return true;
		/* one that was asked before, and has not answered yet, is asked no more */
		if (r == -EIO && !strstr(why, "process of unplug")) {
			cli_error("libvirt refuses to take '%s' (%s) from '%s': %s", x->name,
				target, x->guest.name, why);
			return false;
		}
		if (clock_left(until) == 0) {
			cli_error("'%s' has not let go of '%s' (%s) within %u s, so its image "
				  "stays: unmount it in the guest, and try again; a guest without "
				  "a running system never lets go",
				x->guest.name, x->name, target, seconds);
			return false;
		}
		clock_sleep(LOOK_MS);
	}
	return false;
}

static int detach(struct attach *x)
{
	const char *live, *target;

	if (!find(x) || !look(x, &live, &target))
		return CLI_ERROR;
	if (!*live)
		return cli_error("'%s' does not run; the image goes with its run, see 'virt-parts "
				 "status %s'",
			x->guest.name, x->guest.uuid);
	if (*target && !unplug(x, &live, target))
		return CLI_ERROR;
	if (!*live) {
		printf("'%s' has ended meanwhile; its release removes '%s'\n",
			cli_shown(x->cli, x->guest.name), cli_shown(x->cli, x->path));
		return CLI_GOOD;
	}
	if (!attach_undo(x))
		return CLI_ERROR;
	printf("detached '%s' from '%s'\n", x->name, cli_shown(x->cli, x->guest.name));
	return CLI_GOOD;
}

int detach_command(struct cli *cli, int argc, char **argv)
{
	struct attach x;
	int status;

	(void)argc;
	status = attach_begin(&x, cli, argv) ? detach(&x) : CLI_ERROR;
	attach_end(&x);
	return status;
}
