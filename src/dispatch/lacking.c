/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shipped parts that are not there, though a guest asks for what they do. */
#include "lacking.h"

#include <string.h>

bool lacking_recorder(const struct plan *plan)
{
	return plan->shipped_missing || !plan_has(plan, "virt-parts");
}

const struct plan_entry *lacking_unreadable(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->entries[i].unreadable && plan_is_shipped(&plan->entries[i]))
			return &plan->entries[i];
	return NULL;
}

const char *lacking_part(const struct plan *plan, const char *op,
	bool (*asks)(const void *run, const char *directive), const void *run)
{
	static const struct {
		const char *op, *directive;
	} acts[] = {
		{"prepare", "ramdisk"},
		{"prepare", "preload"},
		{"release", "archive"},
		{"release", "ramdisk"},
		{"release", "preload"},
		{"release", "post-rm-rf"},
	};

	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (!strcmp(acts[i].op, op) && asks(run, acts[i].directive) &&
			!plan_has(plan, acts[i].directive))
			return acts[i].directive;
	return NULL;
}
