/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain.h: what explain knows of an event (explain.c), to be shown (explain-show.c). */
#ifndef VP_CLI_EXPLAIN_H
#define VP_CLI_EXPLAIN_H

#include "deeds.h"
#include "dispatch/ops.h"
#include "examine.h"
#include "parts.h"

enum { MAX_NOTES = 8 };

/* What a run's record asks of one part: deeds point into it. */
struct recorded_source {
	struct recorded_source *next;
	struct vp_source source;
};

struct explaining {
	struct cli *cli;
	struct guest guest;
	struct vp_event event;
	bool directives; /* the XML's bytes say that there may be some */
	bool recorded;	 /* what counts is what the run's record asks for */
	bool is_prepare, is_release;
	bool unheard;		  /* the XML's directives count for nothing: no part records them */
	bool runless;		  /* the guest runs, and nothing was recorded at its start */
	bool of_user;		  /* the guest is a user's own: the hook does nothing for it */
	bool hidden;		  /* root alone may look at its run */
	bool namesake;		  /* a prepare finishes another guest's run first */
	bool incoming;		  /* a prepare of which a migration to this host has begun */
	struct vp_run run;	  /* of the record */
	enum vp_begin begin;	  /* of the run that the event is of, or makes */
	const char *failed;	  /* parts that failed in its teardown, blanks between */
	const char *stopped_by;	  /* the part that is known to fail and stops the event; NULL */
	struct explaining *first; /* the release of an unfinished run, before a prepare; NULL */
	bool incomplete;	  /* that run never had all that it preloads */
	const char *moved;	  /* which ramdisk of that run is not where it was mounted; NULL */
	struct plan plan;
	struct examined examined; /* of the XML, unless recorded */
	struct recorded_source *sources;
	const char *notes[MAX_NOTES];
	unsigned n_notes, refused;
	struct json json;
};

bool explain_is_recorder(const struct plan_entry *entry);
/* What is known here that the plan leaves open until there is a record. */
enum plan_state explain_state(
	struct explaining *x, const struct plan_entry *entry, const char **ret_why);
/* What a shipped part would do; NULL: nothing. */
struct deed *explain_deeds(struct explaining *x, const struct plan_entry *entry);
/*
 * What follows when a part fails. explain_failed: one does, for certain; what comes behind it is told
 * so. explain_withholds: whether the part at INDEX, if it fails, keeps that at LATER from its work.
 */
void explain_failed(struct explaining *x, const struct plan_entry *entry);
bool explain_withholds(struct explaining *x, size_t index, size_t later);
const struct op *explain_op(const struct explaining *x);
bool explain_is_advisory(const struct explaining *x, const struct plan_entry *entry);

/* What is known of the guest's run, with the release that a prepare begins with. 0 or -errno. */
int explain_look_at_record(struct explaining *x);

/* Kept to be shown. */
void explain_note(struct explaining *x, const char *text);

/* The parts that an event of the guest runs. 0 or -errno. */
int explain_plan(const struct explaining *x, const struct vp_event *event, bool shipped_only,
	struct plan *ret);

/* What the guest asks for and nothing that is installed could do, and what follows; NULL: there is no such thing. */
const char *explain_lost(const struct explaining *x);

void explain_text(struct explaining *x);
void explain_json(struct explaining *x);

#endif
