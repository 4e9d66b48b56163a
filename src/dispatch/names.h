/* SPDX-License-Identifier: GPL-2.0-or-later */
/* names.h: the names of parts, and lists of them. */
#ifndef VP_DISPATCH_NAMES_H
#define VP_DISPATCH_NAMES_H

#include "part-name.h"

/* What is behind the number: `archive` of 20-archive. */
const char *name_of_directive(const char *name);

/* A list of names with spaces between, to be freed; NULL is the empty list. */
struct names {
	char *text;
};

/* -ENOMEM or 0. A name that is in the list already is not added again. */
int names_add(struct names *names, const char *name);
bool names_has(const struct names *names, const char *name);
/* Copies the next name behind *at into ret (NAME_MAX + 1 bytes); false at the end. */
bool names_next(const struct names *names, const char **at, char *ret);
void names_free(struct names *names);

#endif
