/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a part is told, and nothing else. */
#include "environment.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define SAFE_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

char *const environment_bare[] = {(char *)SAFE_PATH, (char *)"LC_ALL=C", NULL};

int environment_make(const struct dispatch *d, const char *failed, struct environment *ret)
{
	const struct event *event = d->event;
	char seconds[24], record[PATH_MAX] = "";
	const struct {
		const char *name, *value;
	} values[] = {
		{"DRIVER", event->driver},
		{"DOMAIN", event->object},
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
	size_t n = 0;

	snprintf(seconds, sizeof(seconds), "%jd", (intmax_t)event->time.tv_sec);
	if (d->record >= 0 && snprintf(record, sizeof(record), "%s/%s/%s", d->conf->state_dir,
				      event->driver, event->uuid) >= (int)sizeof(record)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	*ret = (struct environment){.variables = {environment_bare[0], environment_bare[1]}};
	for (n = 0; n < n_values; n++) {
		if (asprintf(&ret->variables[2 + n], "VIRT_PARTS_%s=%s", values[n].name,
			    values[n].value) < 0) {
			ret->variables[2 + n] = NULL;
			environment_free(ret);
			errno = ENOMEM;
			return -1;
		}
	}
	return 0;
}

void environment_free(struct environment *environment)
{
	for (size_t i = 2; environment->variables[i]; i++)
		free(environment->variables[i]);
	*environment = (struct environment){0};
}
