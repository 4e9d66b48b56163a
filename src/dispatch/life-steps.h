/* SPDX-License-Identifier: GPL-2.0-or-later */
/* life-steps.h: the steps that life.c takes, each of one kind of event. Inside life*.c only. */
#ifndef VP_DISPATCH_LIFE_STEPS_H
#define VP_DISPATCH_LIFE_STEPS_H

#include "dispatch.h"

/* Marks of the guest that its prepare finds: a restore came before it; it comes by migration. */
#define LIFE_RESTORED "restored"
#define LIFE_INCOMING "incoming"
/* How a run ended that is to be gone on with, where its record could not be told. */
#define LIFE_PAUSED "paused"
/* And of one whose prepare found nothing that it asks for, whatever its XML looks like: it has no record. */
#define LIFE_UNASKING "unasking"

/* The directive of the run that no shipped part of the event's plan is for; NULL: there is none. */
const char *life_lacking_part(const struct dispatch *d);

/* The mark that a restore was refused is gone. */
void life_forget_refused(const struct dispatch *d);

/* The mark that the record could not be told of a pause is gone. */
void life_forget_pause(const struct dispatch *d);

/* Each of these: 0; or -errno, told, and the event has failed. */
int life_begin_prepare(struct dispatch *d);
int life_end_prepare(struct dispatch *d);
/* SURE: of d->reason, which is written over what the record knows of the end. */
int life_begin_teardown(struct dispatch *d, bool sure);
int life_end_teardown(struct dispatch *d);

#endif
