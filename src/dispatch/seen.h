/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seen.h: which daemon of libvirt has looked for hooks, and when. A daemon looks when it starts and
 * when it is reloaded, and calls the hook called `daemon` then: that call is noted, so that doctor can
 * tell whether it sees a hook that came later.
 */
#ifndef VP_DISPATCH_SEEN_H
#define VP_DISPATCH_SEEN_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "event.h"

/* Notes the caller, if the event says that it has looked. A failure costs no more than the note. */
void seen_note(const char *run_dir, const struct event *event);

/* Whether the daemon of that name and process is noted to have looked, and when it did so last. */
bool seen_read(const char *run_dir, const char *daemon, pid_t pid, struct timespec *ret);

#endif
