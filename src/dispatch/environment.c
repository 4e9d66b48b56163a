/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a part is told, and nothing else. */
#include "environment.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAFE_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define PREFIX "VIRT_PARTS_"

#ifndef VP_PREFIX
#define VP_PREFIX "/usr"
#endif

/* Whether virt-parts-get, which parts call by its name, is installed in one of these. */
#define IS_SAFE_PREFIX \
	(!__builtin_strcmp(VP_PREFIX, "/usr") || !__builtin_strcmp(VP_PREFIX, "/usr/local"))

char *const environment_bare[] = {
	(char *)(IS_SAFE_PREFIX ? SAFE_PATH : SAFE_PATH ":" VP_PREFIX "/bin"), (char *)"LC_ALL=C",
	NULL};

int environment_make(
	const struct dispatch *d, const char *domain, const char *failed, struct environment *ret)
{
	const struct event *event = d->event;
	char seconds[24], record[PATH_MAX] = "";
	const struct {
		const char *name, *value;
	} values[] = {
		{"DRIVER", event->driver},
		{"DOMAIN", domain},
		{"UUID", event->uuid},
		{"OP", event->op},
		{"SUBOP", event->subop},
		{"EXTRA", event->extra},
		{"REASON", d->reason},
		{"EVENT_TIME", seconds},
		{"STATE_DIR", record},
		{"HOOK_DIR", event->hook_dir},
		{"FAILED", failed},
	};
	const size_t n_values = sizeof(values) / sizeof(values[0]);
	size_t size = 0;
	char *at;

	snprintf(seconds, sizeof(seconds), "%jd", (intmax_t)event->time.tv_sec);
	if (d->record >= 0 && snprintf(record, sizeof(record), "%s/%s/%s", d->conf->state_dir,
				      event->driver, event->uuid) >= (int)sizeof(record)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (size_t i = 0; i < n_values; i++)
		size += sizeof(PREFIX) + strlen(values[i].name) + 1 + strlen(values[i].value);
	at = malloc(size);
	*ret = (struct environment){
		.variables = {environment_bare[0], environment_bare[1]}, .text = at};
	if (!at)
		return -1;
	for (size_t i = 0; i < n_values; i++) {
		ret->variables[2 + i] = at;
		at = stpcpy(at, PREFIX);
		at = stpcpy(at, values[i].name);
		at = stpcpy(at, "=");
		at = stpcpy(at, values[i].value) + 1;
	}
	return 0;
}

void environment_free(struct environment *environment)
{
	free(environment->text);
	*environment = (struct environment){0};
}
