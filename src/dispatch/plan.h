/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan.h: which parts an event runs, in which order, and why the others do not.
 *
 * Only reads directories. The same plan is run by the dispatcher and printed by whoever explains it.
 */
#ifndef VP_DISPATCH_PLAN_H
#define VP_DISPATCH_PLAN_H

#include <stdbool.h>
#include <stddef.h>

/* Where a part comes from. Of one basename the first of these counts. */
enum plan_source {
	PLAN_ADMIN_DOMAIN,  /* parts.d/domains/NAME/O_S.d */
	PLAN_ADMIN_DRIVER,  /* parts.d/D_O_S.d */
	PLAN_ADMIN_SHARED,  /* parts.d/O_S.d */
	PLAN_VENDOR_DRIVER, /* <vendor>/D_O_S.d */
	PLAN_VENDOR_SHARED, /* <vendor>/O_S.d */
	PLAN_COMPAT_2014,   /* D_O_S_-.d beside the hook */
	PLAN_COMPAT_VFIO,   /* D.d/NAME/O/S beside the hook */
};

enum plan_state {
	PLAN_RUN,
	PLAN_REFUSED, /* cannot be trusted or read: counts as a failed part */
	PLAN_IDLE,    /* a shipped part that the guest has no directive for */
	PLAN_MASK,    /* a link to /dev/null: hides the others of its name */
	PLAN_HIDDEN,  /* another of the same name comes first */
	PLAN_SKIPPED, /* is no part, or is not executable */
};

struct plan_entry {
	const char *path, *name; /* name: the basename, within path */
	const char *label;	 /* for messages: prepare_begin.d/20-preload, within path */
	enum plan_source source;
	enum plan_state state;
	const char *asked; /* runs only when the run's record has asked/<this>; NULL: always */
	char *why;	   /* of every state but PLAN_RUN */
	bool unreadable;   /* a directory of parts, refused: nobody knows what is in it */
};

struct plan {
	/* by name in byte order, then by source; directories that cannot be read come before all */
	struct plan_entry *entries;
	size_t count;
	char **warnings; /* what the log must say */
	size_t n_warnings;
	bool shipped_missing; /* the vendor root has no directory for this event */
};

struct plan_query {
	const char *hook_dir, *vendor_dir;
	const char *driver, *object, *op, *subop;
	bool guest;	   /* the driver's objects are guests, not networks or the daemon */
	bool compat;	   /* the compatibility layouts count */
	bool directives;   /* the XML's bytes say that the guest may have some */
	int record;	   /* of the guest's run, or -1 */
	bool shipped_only; /* leaves only shipped parts to run: an unfinished run is finished */
	bool complete;	   /* lists also what is no part or has nothing to do (costs more) */
};

/* 0 or -errno. *ret needs plan_free when it is 0. */
int plan_make(const struct plan_query *query, struct plan *ret);
void plan_free(struct plan *plan);

bool plan_is_shipped(const struct plan_entry *entry);
/* Whether there is a part for the directive, in whatever state: one that is masked is there. */
bool plan_has(const struct plan *plan, const char *directive);
/* Whether there is anything that plan's owner must do. */
bool plan_has_work(const struct plan *plan);
/* A source and a state in words. */
const char *plan_source_text(enum plan_source source);
const char *plan_state_text(enum plan_state state);

#endif
