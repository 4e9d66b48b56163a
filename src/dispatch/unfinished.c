/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs whose release failed, was interrupted or never came. */
#include "unfinished.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failed.h"
#include "input.h"
#include "life.h"
#include "teardown.h"
#include "text.h"

void unfinished_not_started(int record, const struct vp_run *run, char ret[REASON_SIZE])
{
	int r = life_look_up_line(record, FAILED_BEFORE, ret, REASON_SIZE);

	if (run->begin == VP_BEGIN_RESTORED)
		snprintf(ret, REASON_SIZE, "saved");
	else if (r < 0 || !vp_run_is_of_this_boot(run))
		/* that it has started may not have been on disk when the host went down */
		snprintf(ret, REASON_SIZE, "lost");
	else if (r == 0)
		snprintf(ret, REASON_SIZE, "%s",
			run->begin == VP_BEGIN_REVERTED || run->turn > 1 ? "lost" : "failed");
}

/*
 * A teardown that came no further than `stopped`: what the admin's own parts of release save is not saved. A guest that
 * never started has nothing to save, and of one that has migrated nothing is deleted: it runs elsewhere.
 */
static bool has_no_release(int record, const char *reason)
{
	return strcmp(reason, "failed") != 0 && strcmp(reason, "migrated") != 0 &&
	       vp_record_has_line(record, "release", "stopped") != 0;
}

void unfinished_reason(int record, char ret[REASON_SIZE])
{
	struct vp_run run;
	int r = life_look_up_line(record, "release", ret, REASON_SIZE);

	if (r > 0) {
		if (has_no_release(record, ret))
			strcpy(ret, "lost");
	} else if (r < 0 || vp_record_has(record, "started") || vp_record_has(record, "start") ||
		   vp_record_read_run(record, &run) < 0)
		snprintf(ret, REASON_SIZE, "lost");
	else
		unfinished_not_started(record, &run, ret);
	/* a save that was not restored was discarded */
	if (vp_reason_is_pause(ret))
		snprintf(ret, REASON_SIZE, "lost");
}

struct finish {
	const struct dispatch *prepare;
	const struct vp_run *run;
	const char *uuid;
	struct lock *lock;
	int record;
};

/* In the supervisor: a release that is made up from the record. */
static int finish(void *data)
{
	struct finish *f = data;
	struct event event = {
		.kind = EVENT_GUEST,
		.driver = f->prepare->event->driver,
		.object = f->run->name,
		.op = "release",
		.subop = "end",
		.extra = "-",
		.name = "release_end",
		.compat = f->prepare->event->compat,
		.xml = -1,
		.time = f->prepare->event->time,
	};
	struct dispatch d = {
		.event = &event,
		.op = op_find(EVENT_GUEST, "release"),
		.conf = f->prepare->conf,
		.lock = {.fd = -1},
		.began = f->prepare->began,
		.record = f->record,
		.finishing = true,
	};
	char *xml;
	size_t length;
	int status = 1;

	/* who waits for this guest waits for this; who waits for the one that prepares need not */
	lock_label(f->lock, "release end of the unfinished run");
	if (f->lock->fd != f->prepare->lock.fd && f->prepare->lock.fd >= 0)
		close(f->prepare->lock.fd);
	strcpy(event.hook_dir, f->prepare->event->hook_dir);
	strcpy(event.uuid, f->uuid);
	log_init(&d.log, event.name, event.object);
	log_open(&d.log, d.conf->log_dir, event.driver, event.object, event.uuid);
	log_line(&d.log, "note: finishes the unfinished run");
	unfinished_reason(f->record, d.reason);
	if (vp_record_read(f->record, "domain.xml", &xml, &length) == 0) {
		event.xml = input_from_text(xml, length);
		free(xml);
	}
	if (event.xml < 0)
		log_warning(&d.log, "the record of the run has no XML that can be read");
	/* it goes on for what parts failed at that do not run again, if its guest had started */
	if (dispatch_plan(&d) == 0 && dispatch_finish(&d, 0) == 0)
		status = d.record >= 0 && vp_record_has(d.record, "run");
	plan_free(&d.plan);
	names_free(&d.failed);
	return status;
}

int unfinished_finish(struct dispatch *d, const char *uuid, int record, const struct vp_run *run,
	struct lock *lock)
{
	struct finish f = {.prepare = d, .run = run, .uuid = uuid, .lock = lock, .record = record};

	return teardown_supervise(finish, &f, d->until, NULL);
}

/* One run of a guest that is gone. */
static int finish_namesake(struct dispatch *d, const char *uuid)
{
	const struct event *event = d->event;
	struct lock lock;
	struct vp_run run;
	char holder[256] = "its lock";
	int record, r = lock_queue(&lock, d->conf->run_dir, event->driver, uuid, d->until);

	if (r < 0) {
		lock.fd = -1;
	} else {
		r = lock_wait(&lock, d->until);
		if (r == -ETIMEDOUT)
			lock_holder(&lock, holder, sizeof(holder));
	}
	/* an event of that guest may have ended the run meanwhile */
	record = r < 0 ? r : vp_record_open(d->conf->state_dir, event->driver, uuid);
	if (record >= 0 && vp_record_read_run(record, &run) == 0)
		r = unfinished_finish(d, uuid, record, &run, &lock);
	if (r == -ETIMEDOUT)
		log_error(&d->log,
			"prepare refused after %d s: waits for %s of a guest that is gone, of the "
			"same name and with UUID %s",
			LOCK_WAIT_S, record >= 0 ? "the release" : holder, uuid);
	else if (r != 0)
		log_error(&d->log,
			"the run of a guest that is gone, of the same name and with UUID "
			"%s, could not be finished; see 'virt-parts status'",
			uuid);
	if (record >= 0)
		close(record);
	lock_leave(&lock);
	return r == -ETIMEDOUT ? r : 0;
}

static bool is_namesake(const struct dispatch *d, const char *uuid)
{
	int record;
	struct vp_run run;
	char called[sizeof(run.name)];
	bool same;

	if (!vp_is_uuid(uuid) || !strcmp(uuid, d->event->uuid))
		return false;
	record = vp_record_open(d->conf->state_dir, d->event->driver, uuid);
	if (record < 0)
		return false;
	/* one that was renamed, and goes on, is called otherwise by now */
	same = vp_record_read_run(record, &run) == 0 &&
	       !strcmp(life_read_line(record, "called", called, sizeof(called)) ? called : run.name,
		       d->event->object);
	close(record);
	return same;
}

int unfinished_finish_namesakes(struct dispatch *d)
{
	struct dirent *entry;
	char path[PATH_MAX];
	DIR *dir;
	int r = 0;

	if (snprintf(path, sizeof(path), "%s/%s", d->conf->state_dir, d->event->driver) >=
		(int)sizeof(path))
		return -ENAMETOOLONG;
	dir = opendir(path);
	while (dir && r == 0 && (entry = readdir(dir)))
		if (is_namesake(d, entry->d_name))
			r = finish_namesake(d, entry->d_name);
	if (dir)
		closedir(dir);
	return r;
}
