/* SPDX-License-Identifier: GPL-2.0-or-later */
/* event.h: what libvirt calls the hook for, from its name and arguments. */
#ifndef VP_DISPATCH_EVENT_H
#define VP_DISPATCH_EVENT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

enum event_kind { EVENT_GUEST, EVENT_NETWORK, EVENT_DAEMON };

struct event {
	enum event_kind kind;
	const char *driver;			 /* qemu, lxc, libxl, bhyve, network, daemon */
	const char *object, *op, *subop, *extra; /* as libvirt gave them */
	char name[136];				 /* op_subop */
	char hook_dir[PATH_MAX];		 /* where parts.conf and parts.d lie, absolute */
	bool compat;	 /* the compatibility layouts count: no other hook is there to run them */
	char uuid[37];	 /* of the guest, in lower case; "" when the XML has none */
	bool directives; /* the XML's bytes say that there may be some */
	int xml;	 /* sealed memfd of the standard input; -1 before input_seal */
	struct timespec time; /* all parts of an event agree on it */
};

enum event_wish { EVENT_RUN, EVENT_HELP, EVENT_VERSION };

/*
 * The event that argv means, without its XML. argv[0] decides: a hook entry point (named as a
 * driver, or lying in <driver>.d/) takes no options, since a guest may be called `--help`.
 * Relative names count from the current directory. 0; or -EINVAL and what is wrong.
 */
int event_from_arguments(int argc, char **argv, struct event *ret, enum event_wish *ret_wish,
	char *ret_why, size_t why_size);

/* Whether the event is OP with SUBOP, of a guest. */
bool event_is(const struct event *event, const char *op, const char *subop);

#endif
