/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * asked.h: the directives of one name as a run's record keeps them, asked/NAME.
 *
 * One element a line, indented by a tab for each level below the first; its attributes follow it as
 * `@name value`, its text as `=text`. Values are in the form that expand.h describes.
 *
 *	ramdisk
 *		dir
 *			@size 64M
 *			=/srv/guests/web1/tmp
 */
#ifndef VP_ASKED_H
#define VP_ASKED_H

#include "element.h"
#include "expand.h"

/* Reads asked/NAME of a run. 0 (none, or given up: ret->directives is NULL), -EINVAL when damaged, -errno. */
int vp_asked_read(int run, const char *name, struct vp_source *ret);
/* The same of another FILE of the record, in the same form: attached/NAME. */
int vp_asked_read_file(int run, const char *file, struct vp_source *ret);

/*
 * Adds the raw directive, which is of XML, to the text *text (NULL at first, to be freed), in the
 * form of a record. 0, -ENOMEM, or -EINVAL with source->why.
 */
int vp_asked_add(struct vp_source *source, const struct vp_element *directive,
	const struct vp_tokens *tokens, char **text, size_t *length);

#endif
