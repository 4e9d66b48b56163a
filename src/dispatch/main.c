/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virt-parts-hook: libvirt's hook program, which runs the parts of each event. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "dispatch.h"
#include "input.h"
#include "life.h"
#include "process.h"
#include "seen.h"
#include "teardown.h"

#ifndef VP_VERSION
#define VP_VERSION "development"
#endif

static const char help[] =
	"virt-parts-hook: libvirt's hook program, which runs the parts of each event\n"
	"\n"
	"usage: virt-parts-hook --driver DRIVER [--hook-dir DIR] OBJECT OPERATION SUBOPERATION "
	"EXTRA\n"
	"       virt-parts-hook --help | --version\n"
	"\n"
	"The XML of OBJECT is read from standard input. Called through a link with the name of a\n"
	"driver (qemu, lxc, libxl, bhyve, network, daemon), as libvirt does, it takes the four "
	"words\n"
	"only, and DIR is the directory of the link (else /etc/libvirt/hooks).\n"
	"Which parts there are and what they may do: virt-parts-hook(8).\n";

static int supervised_finish(void *data)
{
	/* the queue is as long as it is: nothing of a teardown is left out */
	return dispatch_finish(data, INT64_MAX);
}

/* stopped and release: the hook waits a while, and what is not done by then goes on without it. */
static int run_teardown(struct dispatch *d)
{
	int64_t until = d->began + (int64_t)d->conf->teardown_wait * 1000;
	int pid = 0, status = teardown_supervise(supervised_finish, d, until, &pid);

	if (status == -ETIMEDOUT) {
		log_line(&d->log, "note: goes on in the background, pid=%d", pid);
		return 0;
	}
	if (status < 0 && pid == 0) {
		log_warning(&d->log, "cannot go to the background: %s", strerror(-status));
		return dispatch_finish(d, INT64_MAX);
	}
	return status < 0 ? 1 : status;
}

/* A place in the queue of the guest's events; false when the event is refused for that. */
static bool queue_up(struct dispatch *d)
{
	char what[PATH_MAX + 32];
	int r;

	if (d->op->lock == OP_UNLOCKED || !d->event->uuid[0])
		return true;
	r = lock_queue(&d->lock, d->conf->run_dir, d->event->driver, d->event->uuid,
		d->op->lock == OP_TRIES ? d->began + 1000 : d->until);
	if (r == 0)
		return true;
	if (!dispatch_is_bound(d) && !(d->op->lock == OP_TRIES && r == -ETIMEDOUT)) {
		log_warning(&d->log, "cannot lock the guest in '%s': %s, going on without",
			d->conf->run_dir, strerror(-r));
		return true;
	}
	snprintf(what, sizeof(what), "lock the guest in '%s'", d->conf->run_dir);
	life_refuse(d, r, what);
	return false;
}

static int run_event(struct dispatch *d)
{
	for (size_t i = 0; i < d->plan.n_warnings; i++)
		log_warning(&d->log, "%s", d->plan.warnings[i]);
	if (!queue_up(d))
		return 1;
	if (d->op->lock == OP_QUEUES)
		return run_teardown(d);
	return dispatch_finish(d, d->op->lock == OP_TRIES ? 0 : d->until);
}

static void open_log(struct dispatch *d)
{
	log_open(&d->log, d->conf->log_dir, d->event->driver, d->event->object, d->event->uuid);
}

/* With a parts.conf that was read. */
static int handle_with(struct dispatch *d, struct event *event, int read)
{
	const struct vp_conf *conf = d->conf;
	int opened, r;

	if (!conf->state_dir || !conf->run_dir || !conf->log_dir || !conf->vendor_dir ||
		!conf->qemu_log_dir) {
		life_refuse(d, -ENOMEM, "read parts.conf");
		return 1;
	}
	seen_note(d->conf->run_dir, event);
	opened = dispatch_open_record(d);
	life_arrives(d);
	if (read < 0) {
		open_log(d);
		life_tell_refused(d, "read its XML",
			read == -EFBIG ? "it is longer than 8 MiB" : strerror(-read));
		return 1;
	}
	r = dispatch_plan(d);
	if (r == 0 && opened == 0 && !plan_has_work(&d->plan) && !dispatch_is_bound(d) &&
		!life_is_refused(d))
		return 0;
	open_log(d);
	if (r < 0) {
		life_refuse(d, r, "tell its parts");
		return 1;
	}
	if (d->conf_why)
		log_warning(&d->log, "no valid parts.conf: %s", d->conf_why);
	if (opened < 0 && !event->directives)
		log_warning(&d->log,
			"cannot open the record of its run in '%s': %s, going on without",
			conf->state_dir, strerror(-opened));
	r = input_seal(event);
	if (r < 0) {
		life_refuse(d, r, "keep its XML");
		return 1;
	}
	return run_event(d);
}

static int handle(struct event *event)
{
	struct dispatch d = {
		.event = event,
		.op = op_find(event->kind, event->op),
		.lock = {.fd = -1},
		.began = clock_ms(),
		.caller = getppid(),
		.record = -1,
	};
	char path[PATH_MAX], why[PATH_MAX + 256] = "";
	struct vp_conf conf;
	int read, valid, status;

	d.until = d.began + LOCK_WAIT_S * 1000;
	log_init(&d.log, event->name, event->object);
	read = input_read(STDIN_FILENO, event);
	if (event->kind != EVENT_GUEST) {
		event->uuid[0] = '\0';
		event->directives = false;
	}
	if ((size_t)snprintf(path, sizeof(path), "%s/parts.conf", event->hook_dir) >= sizeof(path))
		return 1;
	valid = vp_conf_read(path, &conf, why, sizeof(why));
	d.conf = &conf;
	d.conf_why = valid < 0 ? why : NULL;
	status = handle_with(&d, event, read);
	if (d.op->defers && event->uuid[0])
		status = life_defer(&d, status);
	plan_free(&d.plan);
	names_free(&d.failed);
	vp_conf_free(&conf);
	return status;
}

static int print(enum event_wish wish)
{
	fputs(wish == EVENT_HELP ? help : "virt-parts-hook " VP_VERSION "\n", stdout);
	return fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	enum event_wish wish;
	struct event event;
	struct log log;
	char why[512];
	int status;

	/* qemu:///session runs the same hook as its user, who has no part in this */
	if (geteuid() != 0) {
		if (argc == 2 &&
			event_from_arguments(argc, argv, &event, &wish, why, sizeof(why)) == 0)
			return print(wish);
		input_drain(STDIN_FILENO);
		return 0;
	}
	process_reset();
	if (event_from_arguments(argc, argv, &event, &wish, why, sizeof(why)) < 0) {
		log_init(&log, "-", event.object);
		log_error(&log, "%s", why);
		/* nothing that goes wrong here may end a guest that runs */
		return argc > 2 && !strcmp(argv[2], "reconnect") ? 0 : 2;
	}
	if (wish != EVENT_RUN)
		return print(wish);
	if (chdir("/") < 0)
		return 1;
	status = handle(&event);
	return op_find(event.kind, event.op)->always_succeeds ? 0 : status;
}
