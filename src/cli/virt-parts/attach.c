/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attach: gives a running guest a read-only disk with data. Its record is written first, then the image
 * is built, then it is plugged; what fails is taken back.
 */
#include "attach.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dispatch/clock.h"
#include "dispatch/life.h"
#include "text.h"

enum { CLOSE_WAIT_MS = 2000, LOOK_MS = 50 };

/* --- what the commands share ------------------------------------------------------------------------------------ */

bool attach_open_record(struct attach *x, int *ret)
{
	*ret = vp_record_open(x->cli->conf.state_dir, x->guest.driver, x->guest.uuid);
	if (*ret >= 0 || *ret == -ENOENT)
		return true;
	cli_error("cannot open the record of '%s': %s", x->guest.name, strerror(-*ret));
	return false;
}

static const char *label(const struct attach *x)
{
	return cli_format(x->cli, "virt-parts %s", x->cli->command->name);
}

bool attach_begin(struct attach *x, struct cli *cli, char **argv)
{
	const struct virt_guest *virt;
	const char *why, *name;
	struct vp_run run;
	int record;

	*x = (struct attach){.cli = cli, .name = argv[1], .alone = {.fd = -1}};
	if (geteuid() != 0) {
		cli_error("%s needs root", cli->command->name);
		return false;
	}
	if (attach_check_name(x->name, &why) < 0) {
		cli_error("the name '%s' %s", x->name, why);
		return false;
	}
	virt = virt_one(cli, argv[0], VIRT_XML);
	if (!virt)
		return false;
	/* its run is recorded, and its release comes, where it is */
	why = virt_elsewhere(cli, virt);
	if (why) {
		cli_error("'%s' %s; do this on its own host", virt->name, why);
		return false;
	}
	x->guest = guest_of(virt, true);
	if (vp_check_guest_name(x->guest.name, &why) < 0) {
		cli_error("'%s': %s", x->guest.name, why);
		return false;
	}
	if (!attach_open_record(x, &record))
		return false;
	x->event = guest_event(cli, &x->guest, cli->command->name, "-", "");
	name = life_run_name(record, x->guest.name, &run);
	x->event.domain = cli_copy(cli, name, strlen(name));
	if (record >= 0)
		close(record);
	return guest_lock(cli, cli_format(cli, "attach-%s", x->guest.driver), x->guest.uuid,
		label(x), &x->alone);
}

void attach_end(struct attach *x)
{
	lock_leave(&x->alone);
	vp_policy_free(&x->policy);
	vp_source_free(&x->source);
	free(x->asked);
}

/* With the guest's lock held. */
static bool take_back(struct attach *x, struct lock *lock)
{
	int record, r = 0;
	bool good;

	if (!attach_open_record(x, &record))
		return false;
	if (record < 0)
		return true; /* the run is over, and its release has removed the image */
	good = attach_image(x, lock, record, "detach", "end");
	if (good)
		r = attach_record_remove(x, record);
	close(record);
	if (r < 0)
		cli_error("cannot write to the record of '%s': %s", x->guest.name, strerror(-r));
	return good && r == 0;
}

/*
 * A write lease is had only of a file that nobody else has open (fcntl(2)). Where there are none,
 * libvirt's word counts alone.
 */
static bool is_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	bool open_elsewhere;

	if (fd < 0)
		return false;
	signal(SIGIO, SIG_IGN); /* of who opens it in this moment */
	open_elsewhere = fcntl(fd, F_SETLEASE, F_WRLCK) < 0 && errno == EAGAIN;
	close(fd);
	return open_elsewhere;
}

/* libvirt may not know what qemu has, when it was killed while it plugged or unplugged. */
static bool wait_closed(const struct attach *x)
{
	int64_t until = clock_ms() + CLOSE_WAIT_MS;

	while (is_open(x->path)) {
		if (clock_left(until) == 0) {
			cli_error("somebody still has '%s' open, so it stays: if that is '%s', "
				  "its end removes it, else try again",
				x->path, x->guest.name);
			return false;
		}
		clock_sleep(LOOK_MS);
	}
	return true;
}

bool attach_undo(struct attach *x)
{
	struct lock lock;
	bool good;

	if (!wait_closed(x))
		return false;
	if (!guest_lock(x->cli, x->guest.driver, x->guest.uuid, label(x), &lock))
		return false;
	good = take_back(x, &lock);
	lock_leave(&lock);
	return good;
}

/* --- attach ------------------------------------------------------------------------------------------------------ */

/* A container is given no disk: its driver plugs block devices alone, and its tree is at hand. */
static bool refuse_driver(const struct attach *x)
{
	if (!strcmp(x->guest.driver, "qemu"))
		return false;
	if (!strcmp(x->guest.driver, "lxc"))
		cli_error("'%s' is a container, which libvirt gives no image while it runs; its "
			  "files lie on this host: copy the data below the <source> of its "
			  "<filesystem>, and it is there at once",
			x->guest.name);
	else
		cli_error(
			"'%s' is no guest of QEMU; only those can be given a disk", x->guest.name);
	return true;
}

static bool build(struct attach *x, const char *live_xml)
{
	bool good = false;
	struct lock lock;
	int record;

	if (!guest_lock(x->cli, x->guest.driver, x->guest.uuid, label(x), &lock))
		return false;
	if (attach_record_add(x, live_xml)) {
		if (attach_open_record(x, &record) && record >= 0) {
			good = attach_image(x, &lock, record, "attach", "begin");
			close(record);
		}
		if (!good) {
			cli_error(
				"nothing was attached: the image of '%s' cannot be built", x->name);
			take_back(x, &lock);
		}
	}
	lock_leave(&lock);
	return good;
}

static int tell_unknown(const struct attach *x, const char *why)
{
	return cli_error("it is not known whether '%s' is attached: %s; 'virt-parts attached %s' "
			 "shows it, 'virt-parts detach %s %s' takes it back",
		x->name, why, x->guest.uuid, x->guest.uuid, x->name);
}

static int plug(struct attach *x, const char *target)
{
	struct cli *cli = x->cli;
	const char *xml = attach_xml_device(cli, x->path, target, x->name), *live, *why, *other;
	int r = virt_plug(cli, x->guest.virt, xml, &why);
	bool covered;

	if (r == 0) {
		printf("attached '%s' to '%s' as %s: %s\n", x->name, cli_shown(cli, x->guest.name),
			target, cli_shown(cli, x->path));
		return CLI_GOOD;
	}
	/* a daemon that dies answers with an error too, and may have plugged it */
	if (r != -EIO || virt_live_xml(cli, x->guest.virt, &live, &other) < 0 ||
		*attach_xml_target(cli, live, x->path, &covered))
		return tell_unknown(x, why);
	cli_error("nothing was attached: libvirt refuses the disk: %s", why);
	attach_undo(x);
	return CLI_ERROR;
}

static int attach(struct attach *x)
{
	const char *live, *why, *target, *shared;
	bool covered;

	if (refuse_driver(x) || !attach_request(x))
		return CLI_ERROR;
	if (virt_live_xml(x->cli, x->guest.virt, &live, &why) < 0)
		return cli_error("cannot ask libvirt about '%s': %s", x->guest.name, why);
	if (!*live)
		return cli_error("'%s' does not run; what it has from its start on, <preload> "
				 "builds: see 'virt-parts template preload'",
			x->guest.name);
	/* libvirt opens the image by its name, and follows links */
	shared = attach_xml_shared(x->cli, live, x->path);
	if (shared)
		return cli_error("the image '%s' would lie in '%s', which '%s' shares with this "
				 "host and could put another file in: have another 'iso' path come "
				 "first in parts.conf",
			x->path, shared, x->guest.name);
	target = attach_xml_target(x->cli, live, x->path, &covered);
	if (*target)
		return cli_error(
			"'%s' is attached to '%s' already, as %s", x->name, x->guest.name, target);
	target = attach_xml_serial(x->cli, live, x->name);
	if (*target)
		return cli_error("a disk of '%s' (%s) has the serial number '%s' already; choose "
				 "another name",
			x->guest.name, target, x->name);
	target = attach_xml_free_target(x->cli, live);
	if (!target)
		return cli_error("'%s' has no target left for a disk", x->guest.name);
	return build(x, live) ? plug(x, target) : CLI_ERROR;
}

int attach_command(struct cli *cli, int argc, char **argv)
{
	struct attach x;
	int status;

	(void)argc;
	status = attach_begin(&x, cli, argv) ? attach(&x) : CLI_ERROR;
	attach_end(&x);
	return status;
}
