/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve: finishes an unfinished run now, as the guest's next prepare would, by the dispatcher's own
 * mechanism: the shipped parts of release end. --discard leaves out what saves and what deletes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dispatch/clock.h"
#include "dispatch/failed.h"
#include "dispatch/life.h"
#include "dispatch/unfinished.h"
#include "guest-lock.h"
#include "resolve.h"

/* --- which run, and whether it may be finished ---------------------------------------------------------------- */

/* How many are of that name, and the first two; ANSWER: only those whose daemon has answered. */
static unsigned pick(
	struct run *runs, const char *name, const struct virt_answer *answer, struct run *ret[2])
{
	unsigned n = 0;

	for (; runs; runs = runs->next) {
		if (!runs_is_of(runs, name) || (answer && !virt_answered(answer, runs->driver)))
			continue;
		if (n < 2)
			ret[n] = runs;
		n++;
	}
	return n;
}

/* One that is alone may be of a daemon that does not answer. */
static int pick_one(struct cli *cli, struct run *runs, const char *name,
	const struct virt_answer *answer, struct run **ret)
{
	struct run *of[2] = {NULL, NULL};
	unsigned n = pick(runs, name, NULL, of);

	if (n > 1 && cli->uri && pick(runs, name, answer, of) == 1)
		n = 1;
	*ret = of[0];
	if (n <= 1)
		return CLI_GOOD;
	return cli_error("'%s' may be the %s guest %s or the %s guest %s: %s", name, of[0]->driver,
		of[0]->uuid, of[1]->driver, of[1]->uuid,
		strcmp(of[0]->uuid, of[1]->uuid) != 0
			? "name it by its UUID"
			: "say which with -c, whose daemon must answer");
}

static int find_run(struct cli *cli, const char *name, struct run **ret)
{
	struct virt_answer answer = {0};
	const char *where;
	struct run *runs;
	int r = runs_read(cli, NULL, &runs, &where);

	*ret = NULL;
	if (r == 0 && runs) {
		answer = virt_ask(cli, NULL, 0);
		r = runs_read(cli, &answer, &runs, &where);
		runs_tell_silent(cli, &answer);
	}
	if (r < 0)
		return cli_error("cannot read '%s': %s", where, strerror(-r));
	return pick_one(cli, runs, name, &answer, ret);
}

static bool refuse(const struct run *run, const char *why)
{
	cli_error("the run of '%s' is left alone: %s", run->name, why);
	return false;
}

static const char *unread_advice(struct cli *cli, const struct run *run)
{
	if (run->error == -EPROTO)
		return "a newer virt-parts wrote its record: use that, or add --discard";
	if (*runs_error_mend(cli, run))
		return "its record is damaged, so nobody knows what to save; --discard ends it";
	return cli_format(cli, "its record cannot be read: %s; mend that, or add --discard",
		runs_error_text(cli, run));
}

/* It was saved, or nobody knows that it was not. */
static bool may_lose_save(struct resolving *x)
{
	struct cli *cli = x->cli;
	const struct run *run = x->run;
	bool discarded = cli_option(cli, "--save-discarded");

	/* its record may be damaged otherwise */
	if (runs_was_saved(run) && !discarded)
		return refuse(run,
			"it was saved, and a restore needs what is left of it; if that cannot "
			"happen any more, add --save-discarded");
	if (run->unread && !(discarded && x->discard))
		return refuse(
			run, cli_format(cli,
				     "its record cannot be read: %s; mend that, since a guest "
				     "that was saved needs what is left of it, or add "
				     "--discard --save-discarded",
				     runs_error_text(cli, run)));
	return true;
}

static bool may_resolve(struct resolving *x)
{
	struct cli *cli = x->cli;
	const struct run *run = x->run;

	if (!strcmp(run->guest, "running"))
		return refuse(run, "the guest runs, and its release will end it");
	if (*run->busy)
		return refuse(run, cli_format(cli, "%s is at it", run->busy));
	if (run->saved_by_libvirt)
		return refuse(run, cli_format(cli,
					   "libvirt keeps its saved state; start the guest, or "
					   "discard that with 'virsh managedsave-remove %s'",
					   run->uuid));
	if (!may_lose_save(x))
		return false;
	/* with a release recorded it has ended, whatever libvirt would say */
	if (!strcmp(run->guest, "unknown") && run->state != RUN_UNFINISHED)
		return refuse(run, cli_format(cli,
					   "libvirt does not say whether the guest runs; %s and "
					   "try again",
					   run->ask));
	if (run->error && !x->discard)
		return refuse(run, unread_advice(cli, run));
	return true;
}

/* --- finishing ------------------------------------------------------------------------------------------------ */

/* Nothing has happened to the run since libvirt was asked. */
static bool is_same(const struct resolving *x)
{
	struct stat now;

	if (fstatat(x->record, "run", &now, AT_SYMLINK_NOFOLLOW) < 0)
		return x->run->error != 0 && x->seen.st_ino == 0;
	return now.st_ino == x->seen.st_ino && now.st_dev == x->seen.st_dev &&
	       now.st_ctim.tv_sec == x->seen.st_ctim.tv_sec &&
	       now.st_ctim.tv_nsec == x->seen.st_ctim.tv_nsec;
}

static int reopen(struct resolving *x)
{
	struct cli *cli = x->cli;
	int record = vp_record_open(cli->conf.state_dir, x->run->driver, x->run->uuid);

	if (record < 0)
		return record;
	close(x->record);
	x->record = record;
	return is_same(x) ? 0 : -ESTALE;
}

/* Of this teardown, and of the one that the run went on after. */
static int forget_failed(int record)
{
	char reason[REASON_SIZE];
	int r = vp_record_remove(record, "failed");

	if (r < 0 || !life_read_line(record, FAILED_BEFORE, reason, sizeof(reason)))
		return r;
	return vp_record_write(record, FAILED_BEFORE, reason, strlen(reason));
}

static int finish(struct resolving *x, struct lock *lock)
{
	struct cli *cli = x->cli;
	struct event event = {.kind = EVENT_GUEST,
		.driver = x->run->driver,
		.object = x->run->name,
		.op = "release",
		.subop = "end",
		.extra = "-",
		.name = "release_end",
		.compat = true,
		.xml = -1};
	struct dispatch d = {.event = &event,
		.conf = &cli->conf,
		.lock = {.fd = -1},
		.record = x->record,
		.began = clock_ms(),
		.until = INT64_MAX};
	int r = 0;

	clock_gettime(CLOCK_REALTIME, &event.time);
	snprintf(event.hook_dir, sizeof(event.hook_dir), "%s", cli->hook_dir);
	snprintf(event.uuid, sizeof(event.uuid), "%s", x->run->uuid);
	log_init(&d.log, event.name, event.object);
	/* the parts that failed run again; those of the admin do not, and are said to be done */
	if (x->discard)
		r = discard_mark(x);
	if (r == 0 && (x->discard || cli_option(cli, "--own-parts-done")))
		r = forget_failed(x->record);
	if (r == 0)
		r = unfinished_finish(&d, x->run->uuid, x->record, &x->run->info, lock);
	return r;
}

static int tell_unfinished(struct resolving *x)
{
	const char *failed = runs_failed(x->cli, x->record);
	const struct names names = {(char *)failed};

	cli_error("the run of '%s' is still unfinished%s%s", x->run->name,
		*failed ? ", failed: " : "", failed);
	if (*runs_failed_own(x->cli, failed) || names_has(&names, FAILED_UNKNOWN))
		fprintf(stderr,
			"virt-parts: parts of your own do not run again: do by hand what they were "
			"to do, then add --own-parts-done\n");
	fprintf(stderr,
		x->discard ? "virt-parts: mend what is told above and try again; nothing of it is "
			     "archived or deleted until its guest starts, and goes on with it\n"
			   : "virt-parts: mend what is told above and try again; or end it with "
			     "--discard, which shows first what that loses\n");
	return CLI_FOUND;
}

static int resolve_locked(struct resolving *x, struct lock *lock)
{
	int r = reopen(x);

	if (r == -ENOENT) {
		printf("the run of '%s' has ended meanwhile\n", cli_shown(x->cli, x->run->name));
		return CLI_GOOD;
	}
	if (r == -ESTALE)
		return cli_error("an event of '%s' came between: look at 'virt-parts status' and "
				 "try again",
			x->run->name);
	if (r == 0)
		r = finish(x, lock);
	if (r < 0)
		return cli_error("cannot finish the run of '%s': %s", x->run->name, strerror(-r));
	if (r > 0)
		return tell_unfinished(x);
	printf("%s the run of '%s'\n", x->discard ? "discarded" : "finished",
		cli_shown(x->cli, x->run->name));
	return CLI_GOOD;
}

static int resolve(struct resolving *x)
{
	struct lock lock;
	int status;

	if (!guest_lock(x->cli, x->run->driver, x->run->uuid, "virt-parts resolve", &lock))
		return CLI_ERROR;
	status = resolve_locked(x, &lock);
	lock_leave(&lock);
	return status;
}

int resolve_command(struct cli *cli, int argc, char **argv)
{
	struct resolving x = {.cli = cli, .discard = cli_option(cli, "--discard"), .record = -1};
	int status;

	(void)argc;
	if (geteuid() != 0)
		return cli_error("resolve needs root");
	status = find_run(cli, argv[0], &x.run);
	if (status != CLI_GOOD)
		return status;
	if (!x.run)
		return runs_none(cli, argv[0]);
	if (!may_resolve(&x))
		return CLI_ERROR;
	x.record = vp_record_open(cli->conf.state_dir, x.run->driver, x.run->uuid);
	if (x.record < 0)
		return cli_error(
			"cannot open the record of '%s': %s", x.run->name, strerror(-x.record));
	if (fstatat(x.record, "run", &x.seen, AT_SYMLINK_NOFOLLOW) < 0)
		x.seen.st_ino = 0;
	if (x.discard) {
		discard_show_loss(&x);
		if (!discard_confirm(cli))
			return CLI_FOUND;
	}
	/* parts get the same surroundings as from the hook */
	umask(022);
	if (chdir("/") < 0)
		return cli_error("cannot go to '/': %s", strerror(errno));
	status = resolve(&x);
	close(x.record);
	return status;
}
