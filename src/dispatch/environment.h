/* SPDX-License-Identifier: GPL-2.0-or-later */
/* environment.h: what a part is told, and nothing else. */
#ifndef VP_DISPATCH_ENVIRONMENT_H
#define VP_DISPATCH_ENVIRONMENT_H

#include "dispatch.h"

struct environment {
	char *variables[16]; /* ends with NULL */
	char *text;	     /* what is not of environment_bare, all in one */
};

/*
 * The environment of a part, with DOMAIN for the guest's name and FAILED for the parts that failed
 * before it: nothing of the dispatcher's own. -1 and errno, or 0.
 */
int environment_make(
	const struct dispatch *d, const char *domain, const char *failed, struct environment *ret);
void environment_free(struct environment *environment);

/* Of a program that is no part: a path and a locale. */
extern char *const environment_bare[];

#endif
