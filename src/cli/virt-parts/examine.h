/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * examine.h: a guest's directives, checked as prepare checks them, by the same tables and rules; but
 * each one, not only up to the first that is refused, and with no effect.
 */
#ifndef VP_CLI_EXAMINE_H
#define VP_CLI_EXAMINE_H

#include "directives.h"
#include "guest.h"

struct problem {
	struct problem *next;
	const struct vp_element *directive; /* NULL: it is the guest's, or the policy's */
	const char *where;		    /* <preload><iso>, or "" */
	const char *text;
	bool only_warns; /* prepare does not refuse the guest for it */
};

struct examined {
	struct guest *guest;
	struct vp_event event;
	struct vp_xml xml; /* its directives are bound where they have no problem */
	struct vp_policy policy;
	struct problem *problems; /* in the order of the XML */
	const char *claims;	  /* the paths that a run would claim, a line each */
};

/*
 * To be freed by examine_free. What is wrong is in the problems. Of a guest that is elsewhere: only what the
 * tables say, as no policy is loaded; a word that may be that of a part there is no more than warned of.
 */
void examine(struct cli *cli, struct guest *guest, struct vp_event event, struct examined *ret);
void examine_free(struct examined *examined);

/* Whether the directive is bound and has nothing wrong with it. */
bool examine_is_good(const struct examined *examined, const struct vp_element *directive);
bool examine_has(const struct examined *examined, const char *directive);
/* Whether prepare would refuse the guest. */
bool examine_refuses(const struct examined *examined);

#endif
