/* SPDX-License-Identifier: GPL-2.0-or-later */
/* filter.h: events in which what a part prints replaces the XML. */
#ifndef VP_DISPATCH_FILTER_H
#define VP_DISPATCH_FILTER_H

#include "dispatch.h"

struct filter {
	int current; /* the XML that the next part reads */
	int output;  /* what the part that runs prints; -1: none runs */
	bool changed;
};

/* A place for a part's output, in ret and in the filter; -1 and errno, or 0. */
int filter_open(struct filter *filter, int *ret);

/*
 * What the part has printed becomes current, unless it is nothing or the part was not GOOD. False,
 * and told, when it is not well-formed.
 */
bool filter_take(
	struct filter *filter, const struct dispatch *d, const struct plan_entry *entry, bool good);

/* Writes what has become of the XML, if anything, to FD: 0, or 1 and told. */
int filter_finish(struct filter *filter, const struct dispatch *d, int fd);

#endif
