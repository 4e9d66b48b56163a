/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The image of an attached disk, built and removed by the shipped preload: by its code and its policy. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "attach.h"
#include "dispatch/environment.h"
#include "dispatch/life.h"
#include "dispatch/spawn.h"
#include "trust.h"

static bool run(struct attach *x, struct dispatch *d, const char *program)
{
	char *argv[] = {(char *)program, (char *)d->event->object, (char *)d->event->op,
		(char *)d->event->subop, (char *)d->event->extra, NULL};
	struct environment environment;
	struct spawn spawn = {.argv = argv,
		.input = -1,
		.output = STDERR_FILENO,
		.error = STDERR_FILENO,
		.seconds = x->cli->conf.part_timeout};
	struct spawn_result result;
	struct vp_run record;
	char text[256];

	if (environment_make(
		    d, life_run_name(d->record, d->event->object, &record), "", &environment) < 0) {
		cli_error("cannot run '%s': %s", program, strerror(errno));
		return false;
	}
	spawn.environment = environment.variables;
	fflush(stdout);
	spawn_prepare();
	result = spawn_run(&spawn);
	environment_free(&environment);
	if (result.end == SPAWN_EXITED && result.value == 0)
		return true;
	/* with an exit status of 1 it has said why */
	if (result.end != SPAWN_EXITED || result.value != 1)
		cli_error("'%s': %s", program, spawn_text(&spawn, &result, text, sizeof(text)));
	return false;
}

bool attach_image(
	struct attach *x, struct lock *lock, int record, const char *op, const char *subop)
{
	const char *link =
		cli_format(x->cli, "%s/prepare_begin.d/20-preload", x->cli->conf.vendor_dir);
	struct event event = {.kind = EVENT_GUEST,
		.driver = x->guest.driver,
		.object = x->guest.name,
		.op = op,
		.subop = subop,
		.extra = x->name,
		.xml = -1};
	struct dispatch d = {.event = &event, .conf = &x->cli->conf, .record = record};
	char program[PATH_MAX], why[1024];

	if (vp_trust_check(link, NULL, program, why, sizeof(why)) < 0) {
		cli_error("cannot run the shipped part '%s': %s; 'virt-parts doctor' says more",
			link, why);
		return false;
	}
	snprintf(event.hook_dir, sizeof(event.hook_dir), "%s", x->cli->hook_dir);
	snprintf(event.uuid, sizeof(event.uuid), "%s", x->guest.uuid);
	clock_gettime(CLOCK_REALTIME, &event.time);
	/* parts get the same surroundings as from the hook */
	umask(022);
	if (chdir("/") < 0) {
		cli_error("cannot go to '/': %s", strerror(errno));
		return false;
	}
	/* it keeps the lock should this process be killed: a release waits until it is through */
	if (fcntl(lock->fd, F_SETFD, 0) < 0) {
		cli_error("cannot share the guest's lock: %s", strerror(errno));
		return false;
	}
	return run(x, &d, program);
}
