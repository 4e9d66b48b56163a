/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A restore that failed: it is told by refusing the prepare that follows, which leaves the save as it is. */
#include "life.h"

#include <errno.h>

#include "life-steps.h"

static const char mark_refused[] = "refused";

int life_defer(struct dispatch *d, int status)
{
	const struct event *event = d->event;
	const char *run_dir = d->conf->run_dir;
	int r = run_dir ? 0 : -ENOMEM;

	if (status == 0) {
		vp_mark_clear(run_dir, event->driver, event->uuid, mark_refused);
		return 0;
	}
	/* its prepare goes on with the run, so that the release that follows knows that it was saved */
	if (r == 0 && dispatch_is_bound(d))
		r = vp_mark_set(run_dir, event->driver, event->uuid, LIFE_RESTORED, "");
	if (r == 0)
		r = vp_mark_set(
			run_dir, event->driver, event->uuid, mark_refused, log_last_error(&d->log));
	if (r < 0) {
		life_refuse(d, r, "remember for the prepare that follows that it is");
		return status;
	}
	log_line(&d->log, "note: the prepare that follows is refused for that");
	return 0;
}

static int look_up_refused(const struct dispatch *d)
{
	const struct event *event = d->event;

	if (!event_is(event, "prepare", "begin") || !event->uuid[0])
		return 0;
	return vp_mark_look_up(d->conf->run_dir, event->driver, event->uuid, mark_refused);
}

bool life_is_refused(const struct dispatch *d)
{
	return look_up_refused(d) > 0;
}

bool life_refused_before(const struct dispatch *d)
{
	const struct event *event = d->event;
	char why[LOG_MESSAGE_MAX / 2];
	int r = look_up_refused(d);

	if (r < 0 && dispatch_is_bound(d)) {
		life_refuse(d, r, "tell whether its restore was");
		return true;
	}
	if (r <= 0)
		return false;
	vp_mark_read(d->conf->run_dir, event->driver, event->uuid, mark_refused, why, sizeof(why));
	vp_mark_clear(d->conf->run_dir, event->driver, event->uuid, mark_refused);
	log_error(&d->log, "prepare refused, since its restore was: %s", why);
	return true;
}

void life_forget_refused(const struct dispatch *d)
{
	vp_mark_clear(d->conf->run_dir, d->event->driver, d->event->uuid, mark_refused);
}
