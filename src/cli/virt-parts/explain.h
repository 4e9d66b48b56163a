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
	struct vp_run run;	  /* of the record */
	const char *failed;	  /* parts that failed in its teardown, blanks between */
	const char *stopped_by;	  /* the part that is known to fail and stops the event; NULL */
	struct explaining *first; /* the release of an unfinished run, before a prepare; NULL */
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

/* The release of the unfinished run that a prepare begins with: x->first. 0 or -errno. */
int explain_unfinished(struct explaining *x, const char *reason);
/* Another guest's run that a prepare finishes first, as it had this one's name; NULL: none. */
const char *explain_namesake(struct explaining *x);

/* The parts that the event runs, into x->plan. 0 or -errno. */
int explain_plan(struct explaining *x, bool shipped_only);

/* The guest asks for something, and nothing is installed that could do it. */
bool explain_is_lost(const struct explaining *x);

void explain_text(struct explaining *x);
void explain_json(struct explaining *x);

#endif
