/* SPDX-License-Identifier: GPL-2.0-or-later */
/* deeds.h: what the shipped parts would do for a directive at an event, path by path. */
#ifndef VP_CLI_DEEDS_H
#define VP_CLI_DEEDS_H

#include "command.h"
#include "directives.h"

struct deed {
	struct deed *next;
	const char *text; /* `mounts a tmpfs of 64M on '/srv/guests/web1/tmp'` */
	const char *path; /* NULL: none */
	enum vp_access access;
	const char *
		rule; /* of parts.conf, as it stands there; NULL: none is needed, or none allows it */
	unsigned line;	     /* of the rule */
	bool stays;	     /* it says that something is left as it is */
	const char *refused; /* why it would not be done; NULL: it would */
};

struct deeds_query {
	const struct vp_event *event;
	struct vp_policy *policy;
	const struct vp_filesystem *filesystems;
	enum vp_begin begin;  /* of the guest's run */
	const char *archived; /* what that has archived: see runs_archived; "" */
	unsigned turn;	      /* of that run */
	int record;	      /* of that run, for what it has mounted; -1: none */
	bool looks;	      /* what is in the way of a prepare now is there then, too */
	unsigned *dircopies;  /* how many <dircopy> of <archive> come before the directive */
};

/* Of one bound directive. NULL: the part of its name does nothing at this event. */
struct deed *deeds_of(
	struct cli *cli, const struct deeds_query *query, const struct vp_element *directive);

#endif
