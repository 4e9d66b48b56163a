/* SPDX-License-Identifier: GPL-2.0-or-later */
/* life.h: what an event does to the record of the guest's run, before its parts run and after. */
#ifndef VP_DISPATCH_LIFE_H
#define VP_DISPATCH_LIFE_H

#include "dispatch.h"
#include "record.h"

/*
 * Finishes or continues a run that prepare finds; writes a teardown's reason. 0; or -errno, told, and
 * the event is refused. The lock is held.
 */
int life_before(struct dispatch *d);

/*
 * Tells that the event is refused, since WHAT cannot be done for WHY; of a release, which libvirt tells nobody of,
 * the system's log, too.
 */
void life_tell_refused(const struct dispatch *d, const char *what, const char *why);

/* The same for ERROR, -errno, which it returns. */
int life_refuse(const struct dispatch *d, int error, const char *what);

/* Writes down how it went: GOOD when no part failed. 0, or -errno, told. */
int life_after(struct dispatch *d, bool good);

/*
 * The end of an event that defers, with its STATUS: what failed refuses the prepare that follows, which
 * leaves the save and all that it needs. 0; or STATUS, when that cannot be remembered.
 */
int life_defer(struct dispatch *d, int status);

/* Whether the event is a prepare that is refused for that. */
bool life_is_refused(const struct dispatch *d);

/* The same, once: it is told, and not remembered any longer. */
bool life_refused_before(const struct dispatch *d);

/*
 * When the event comes, before it waits for its turn: with a teardown, whoever's guest it is, the prepare that follows
 * is not that of a restore before. In its turn that of a restore behind it, which was refused without one, would go.
 */
void life_arrives(const struct dispatch *d);

/* Whether the event is of a guest that ends: stopped or release. */
bool life_is_teardown(const struct event *event);

/*
 * Whether the run's guest has started, or may have: libvirt was about to start it, and that process of
 * libvirt went before it told that the guest has started, or has not.
 */
bool life_may_have_run(int record);

/* Of a pause that could not be written to the record, a mark in the run directory says it in the same boot. */
bool life_read_pause(
	const struct vp_conf *conf, const char *driver, const char *uuid, char *ret, size_t size);

/* How the run with that record ended, as far as that was told, also by such a mark: 1; 0, when it was not; or -errno. */
int life_look_up_end(const struct vp_conf *conf, const char *driver, const char *uuid, int record,
	char *ret, size_t size);

/* The reason of a teardown into d->reason. 0; or -errno, told: what the record knew of it could not be read. */
int life_find_reason(struct dispatch *d);

/*
 * The guest's name when its run began, by which its paths are allowed, in RUN: the guest may have been
 * renamed while its run was unfinished. NAME, when no record tells.
 */
const char *life_run_name(int record, const char *name, struct vp_run *run);

/* A file of the record that is one line, without its newline: 1; 0, when there is none; or -errno. */
int life_look_up_line(int record, const char *name, char *ret, size_t size);

/* The same, where nothing hangs on it whether there is none or it cannot be read: then false. */
bool life_read_line(int record, const char *name, char *ret, size_t size);

#endif
