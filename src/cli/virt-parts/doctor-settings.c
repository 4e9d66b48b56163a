/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: names in [timeout] and [advisory] of parts.conf that are no part's, and so do nothing. */
#include <string.h>

#include "dispatch/names.h"
#include "doctor.h"
#include "parts.h"
#include "suggest.h"

/* The names of all parts, and whether the administrator has one of that name. */
struct known {
	const char **names;
	bool *own;
	size_t count;
};

static void add(struct cli *cli, struct known *known, const struct plan_entry *entry)
{
	size_t i = 0;

	while (i < known->count && strcmp(known->names[i], entry->name) != 0)
		i++;
	if (i == known->count) {
		const char **names = cli_alloc(cli, (i + 1) * sizeof(*names));
		bool *own = cli_alloc(cli, (i + 1) * sizeof(*own));

		if (i) {
			memcpy(names, known->names, i * sizeof(*names));
			memcpy(own, known->own, i * sizeof(*own));
		}
		names[i] = cli_copy(cli, entry->name, strlen(entry->name));
		*known = (struct known){names, own, i + 1};
	}
	known->own[i] = known->own[i] || !plan_is_shipped(entry);
}

static bool read_known(struct cli *cli, struct known *ret)
{
	struct parts_event *event;
	const char *where;

	*ret = (struct known){0};
	/* what cannot be read is told with the parts */
	if (parts_events(cli, &event, &where) < 0)
		return false;
	for (; event; event = event->next) {
		struct plan plan;

		if (parts_plan(cli, event, &plan) < 0)
			return false;
		for (size_t i = 0; i < plan.count; i++)
			if (plan.entries[i].state != PLAN_SKIPPED)
				add(cli, ret, &plan.entries[i]);
		plan_free(&plan);
	}
	return true;
}

/* The part that may be meant: by its number left out, or nearly spelt so. */
static const char *meant(const struct known *known, const char *name)
{
	for (size_t i = 0; i < known->count; i++)
		if (strcmp(name_of_directive(known->names[i]), name) == 0)
			return known->names[i];
	return suggest(name, known->names, known->count);
}

static void check(struct findings *f, const struct known *known, const char *section,
	const char *name, bool only_own)
{
	const char *near;

	for (size_t i = 0; i < known->count; i++) {
		if (strcmp(known->names[i], name) != 0)
			continue;
		if (only_own && !known->own[i])
			findings_add(f, FINDING_WARNING, "parts.conf", "",
				"[%s]: '%s' does nothing: it is a shipped part", section, name);
		return;
	}
	near = meant(known, name);
	findings_add(f, FINDING_WARNING, "parts.conf", "",
		"[%s]: '%s' does nothing: no part is called so%s%s%s", section, name,
		near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

void doctor_check_settings(struct findings *f)
{
	const struct vp_conf *conf = &f->cli->conf;
	struct known known;

	if ((!conf->timeouts && !conf->advisory) || !read_known(f->cli, &known))
		return;
	for (const struct vp_part_setting *s = conf->timeouts; s; s = s->next)
		check(f, &known, "timeout", s->name, false);
	for (const struct vp_part_setting *s = conf->advisory; s; s = s->next)
		check(f, &known, "advisory", s->name, true);
}
