/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expand.h: %NAME%, %UUID%, %DATE% and the like in a text, in one pass from left to right: what was
 * inserted is not looked at again, so that a guest called %DATE% stays %DATE%.
 *
 * A date is known only when the archive is made, the name must not change any more after prepare.
 * So a text in a record has the name in it and a place for each date: `\dN;` stands for the N-th
 * token's value; a backslash is `\\`, a control character `\xNN`, `\n` or `\t`.
 */
#ifndef VP_EXPAND_H
#define VP_EXPAND_H

#include "element.h"

enum { VP_MAX_DATES = 16, VP_MAX_TOKENS = VP_MAX_DATES + 3 };

struct vp_token {
	const char *text;  /* what stands in the metadata, not empty */
	const char *value; /* what it becomes */
	bool date;	   /* a record has its place, not its value */
};

struct vp_tokens {
	size_t n;
	struct vp_token token[VP_MAX_TOKENS];
	char why[256]; /* after an error */
};

/*
 * The tokens of a raw directive: name and uuid, and, if its table has <datestr> (dates), those of
 * its <datestr> children and %DATE%, with their values at TIME in local time. 0, -ENOMEM, -EINVAL
 * (tokens->why). What the tokens point to belongs to the source.
 */
int vp_tokens_of(struct vp_source *source, const struct vp_element *directive, bool dates,
	const char *name, const char *uuid, time_t time, struct vp_tokens *ret);

/*
 * The text as it counts: of XML with the tokens' values, of a record decoded. NULL: source->why, or no
 * memory when that is "".
 */
char *vp_expand(struct vp_source *source, const char *text, const struct vp_tokens *tokens);

/* The text of XML in the form of a record. NULL: the same. */
char *vp_expand_to_record(
	struct vp_source *source, const char *text, const struct vp_tokens *tokens);

#endif
