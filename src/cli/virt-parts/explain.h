/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain.h: what explain knows of an event (explain.c), to be shown (explain-show.c). */
#ifndef VP_CLI_EXPLAIN_H
#define VP_CLI_EXPLAIN_H

#include "deeds.h"
#include "examine.h"
#include "parts.h"

enum { MAX_NOTES = 8 };

struct explaining {
	struct cli *cli;
	struct guest guest;
	struct vp_event event;
	bool directives; /* the XML's bytes say that there may be some */
	bool recorded;	 /* what counts is what the run's record asks for */
	bool is_prepare, is_release;
	struct vp_run run;  /* of the record */
	const char *failed; /* parts that failed in its teardown, blanks between */
	struct plan plan;
	struct examined examined; /* of the XML, unless recorded */
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
/* The guest asks for something, and nothing is installed that could do it. */
bool explain_is_lost(const struct explaining *x);

void explain_text(struct explaining *x);
void explain_json(struct explaining *x);

#endif
