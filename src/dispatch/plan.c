/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which parts an event runs: the directories, their union, and who wins. */
#include "plan.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "record.h"
#include "scan.h"
#include "text.h"

const char *plan_source_text(enum plan_source source)
{
	static const char *const texts[] = {
		[PLAN_ADMIN_DOMAIN] = "admin, this guest",
		[PLAN_ADMIN_DRIVER] = "admin, this driver",
		[PLAN_ADMIN_SHARED] = "admin",
		[PLAN_VENDOR_DRIVER] = "shipped, this driver",
		[PLAN_VENDOR_SHARED] = "shipped",
		[PLAN_COMPAT_2014] = "beside the hook, layout of 2014",
		[PLAN_COMPAT_VFIO] = "beside the hook, layout of VFIO-Tools",
	};

	return texts[source];
}

const char *plan_state_text(enum plan_state state)
{
	static const char *const texts[] = {
		[PLAN_RUN] = "run",
		[PLAN_REFUSED] = "refused",
		[PLAN_IDLE] = "idle",
		[PLAN_MASK] = "mask",
		[PLAN_HIDDEN] = "hidden",
		[PLAN_SKIPPED] = "skipped",
	};

	return texts[state];
}

bool plan_is_shipped(const struct plan_entry *entry)
{
	return entry->source == PLAN_VENDOR_DRIVER || entry->source == PLAN_VENDOR_SHARED;
}

bool plan_has(const struct plan *plan, const char *directive)
{
	for (size_t i = 0; i < plan->count; i++)
		if (!strcmp(name_of_directive(plan->entries[i].name), directive))
			return true;
	return false;
}

bool plan_has_work(const struct plan *plan)
{
	if (plan->n_warnings)
		return true;
	for (size_t i = 0; i < plan->count; i++)
		if (plan->entries[i].state == PLAN_RUN || plan->entries[i].state == PLAN_REFUSED)
			return true;
	return false;
}

static int scan(struct plan *plan, const struct plan_query *query, enum plan_source source,
	const char *root, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* One directory below ROOT; what messages call it is the part behind ROOT. */
static int scan(struct plan *plan, const struct plan_query *query, enum plan_source source,
	const char *root, const char *format, ...)
{
	char path[PATH_MAX];
	size_t length = strlen(root);
	va_list args;
	int n;

	if (length + 2 > sizeof(path))
		return -ENAMETOOLONG;
	memcpy(path, root, length);
	path[length++] = '/';
	va_start(args, format);
	n = vsnprintf(path + length, sizeof(path) - length, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(path) - length)
		return -ENAMETOOLONG;
	return scan_place(plan, path, length, source, query->complete);
}

static int scan_admin(struct plan *plan, const struct plan_query *q, bool named)
{
	char root[PATH_MAX];
	int r;

	if ((size_t)snprintf(root, sizeof(root), "%s/parts.d", q->hook_dir) >= sizeof(root))
		return -ENAMETOOLONG;
	r = scan_root(plan, root, strlen(q->hook_dir) + 1, PLAN_ADMIN_SHARED);
	if (r == 0)
		r = scan(
			plan, q, PLAN_ADMIN_DRIVER, root, "%s_%s_%s.d", q->driver, q->op, q->subop);
	if (r == 0 && q->guest)
		r = scan(plan, q, PLAN_ADMIN_SHARED, root, "%s_%s.d", q->op, q->subop);
	if (r == 0 && named)
		r = scan(plan, q, PLAN_ADMIN_DOMAIN, root, "domains/%s/%s_%s.d", q->object, q->op,
			q->subop);
	return r;
}

static int scan_compat(struct plan *plan, const struct plan_query *q, bool named)
{
	int r = scan(
		plan, q, PLAN_COMPAT_2014, q->hook_dir, "%s_%s_%s_-.d", q->driver, q->op, q->subop);

	if (r == 0 && named)
		r = scan(plan, q, PLAN_COMPAT_VFIO, q->hook_dir, "%s.d/%s/%s/%s", q->driver,
			q->object, q->op, q->subop);
	return r;
}

static int scan_vendor(struct plan *plan, const struct plan_query *q)
{
	size_t before = plan->count;
	int r = scan(plan, q, PLAN_VENDOR_DRIVER, q->vendor_dir, "%s_%s_%s.d", q->driver, q->op,
		q->subop);

	if (r == 0 && q->guest)
		r = scan(plan, q, PLAN_VENDOR_SHARED, q->vendor_dir, "%s_%s.d", q->op, q->subop);
	plan->shipped_missing = plan->count == before;
	return r;
}

/* What nobody knows may be a part that saves something: it fails before anything is deleted. */
static int by_name(const void *a, const void *b)
{
	const struct plan_entry *x = a, *y = b;
	int r = (int)y->unreadable - (int)x->unreadable;

	if (r == 0)
		r = strcmp(x->name, y->name);
	return r ? r : (int)x->source - (int)y->source;
}

static int set_state(struct plan_entry *entry, enum plan_state state, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int set_state(struct plan_entry *entry, enum plan_state state, const char *format, ...)
{
	va_list args;
	char *why;
	int r;

	va_start(args, format);
	r = vasprintf(&why, format, args);
	va_end(args);
	if (r < 0)
		return -ENOMEM;
	free(entry->why);
	entry->why = why;
	entry->state = state;
	return 0;
}

/* Of each name the first that is a part counts. Entries are sorted. */
static int choose(struct plan *plan)
{
	const struct plan_entry *winner = NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && i < plan->count; i++) {
		struct plan_entry *entry = &plan->entries[i];

		if (entry->state == PLAN_SKIPPED || entry->unreadable)
			continue;
		if (!winner || strcmp(winner->name, entry->name) != 0)
			winner = entry;
		else if (winner->state == PLAN_MASK)
			r = set_state(entry, PLAN_HIDDEN, "masked by '%s'", winner->path);
		else
			r = set_state(entry, PLAN_HIDDEN, "'%s' comes first", winner->path);
	}
	return r;
}

/* It runs, or counts as failed, if it has anything to do. */
static bool may_run(const struct plan_entry *entry)
{
	return entry->state == PLAN_RUN || entry->state == PLAN_REFUSED;
}

static struct plan_entry *find_recorder(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (may_run(&plan->entries[i]) && plan_is_shipped(&plan->entries[i]) &&
			!strcmp(name_of_directive(plan->entries[i].name), "virt-parts"))
			return &plan->entries[i];
	return NULL;
}

/* Whether there must be shipped parts for the event: for what begins a run, or ends it. */
static bool is_needed(const struct plan_query *q)
{
	return !strcmp(q->op, "prepare")   ? q->directives
	       : !strcmp(q->op, "release") ? q->record >= 0
					   : false;
}

/*
 * Shipped parts run only where the guest has their directive. What it has is known from its record;
 * the part virt-parts makes that, so whatever comes behind it must look once more.
 */
static int idle_shipped(struct plan *plan, const struct plan_query *q)
{
	struct plan_entry *recorder = find_recorder(plan);
	int r = 0;

	/* a run that goes on has directives that count, and that is said; but a guest without is not refused */
	if (recorder && !q->directives && (q->record < 0 || recorder->state != PLAN_RUN)) {
		r = set_state(recorder, PLAN_IDLE, "the guest's XML holds no directive");
		recorder = NULL;
	}
	for (size_t i = 0; r == 0 && i < plan->count; i++) {
		struct plan_entry *entry = &plan->entries[i];
		if (!may_run(entry) || !plan_is_shipped(entry) || entry == recorder)
			continue;
		if (entry->unreadable && is_needed(q))
			continue;
		entry->asked = name_of_directive(entry->name);
		if (!recorder && (q->record < 0 || !vp_record_asks(q->record, entry->asked)))
			r = q->record >= 0 && vp_record_gives_up(q->record, entry->asked)
				    ? set_state(entry, PLAN_IDLE, "the run was discarded")
				    : set_state(entry, PLAN_IDLE,
					      "the guest's run has no directive '%s'",
					      entry->asked);
	}
	return r;
}

/* An unfinished run is finished by what is shipped; the admin's own parts do not run again. */
static int keep_shipped(struct plan *plan)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < plan->count; i++) {
		struct plan_entry *entry = &plan->entries[i];

		if (!plan_is_shipped(entry) &&
			(entry->state == PLAN_RUN || entry->state == PLAN_REFUSED))
			r = set_state(
				entry, PLAN_SKIPPED, "it does not run again for an unfinished run");
	}
	return r;
}

/* A shipped part hides one of these, if it has the same name, also where it has nothing to do. */
static bool has_compat(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->entries[i].source > PLAN_VENDOR_SHARED)
			return true;
	return false;
}

int plan_make(const struct plan_query *q, struct plan *ret)
{
	/* a guest may be called `..`, and whoever calls by hand may call it anything */
	bool named = q->guest && vp_is_file_name(q->object);
	struct plan plan = {0};
	char shown[128];
	int r = scan_admin(&plan, q, named);

	if (r == 0 && q->compat)
		r = scan_compat(&plan, q, named);
	if (r == 0 && q->guest && !named) {
		vp_escape(q->object, strlen(q->object), shown, sizeof(shown));
		r = scan_warn(&plan,
			"'%s' cannot be the name of a directory: parts for this guest alone "
			"are not looked for",
			shown);
	}
	if (r == 0 && (q->directives || q->record >= 0 || q->complete || has_compat(&plan)))
		r = scan_vendor(&plan, q);
	if (r == 0 && plan.count)
		qsort(plan.entries, plan.count, sizeof(*plan.entries), by_name);
	if (r == 0)
		r = choose(&plan);
	if (r == 0)
		r = idle_shipped(&plan, q);
	if (r == 0 && q->shipped_only)
		r = keep_shipped(&plan);
	if (r < 0)
		plan_free(&plan);
	else
		*ret = plan;
	return r;
}

void plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		free((char *)plan->entries[i].path);
		free(plan->entries[i].why);
	}
	for (size_t i = 0; i < plan->n_warnings; i++)
		free(plan->warnings[i]);
	free(plan->entries);
	free(plan->warnings);
	*plan = (struct plan){0};
}
