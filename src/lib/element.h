/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * element.h: the directives of a guest as a small tree, before and after they are checked.
 *
 * A reader (xml.c, asked.c) makes the tree raw: texts as they were written. vp_bind (bind.h) checks
 * it against a part's table and makes every text what it stands for. One vp_source holds it all.
 */
#ifndef VP_ELEMENT_H
#define VP_ELEMENT_H

#include "virt-parts.h"

/* What the values of one source may come to in bytes when they are expanded, all together. */
enum { VP_EXPANDED_MAX = 16 << 20 };

struct vp_source {
	struct vp_element *directives; /* of all names or of one, in document order */
	size_t expanded;	       /* bytes of values so far: expand.c */
	bool recorded;		       /* texts are in the form of a record: see expand.h */
	char why[512];		       /* after an error */
	void *memory;		       /* what vp_source_free frees */
};

void vp_source_free(struct vp_source *source);

/* Memory that lives as long as the source, zeroed; NULL when there is none. */
void *vp_source_alloc(struct vp_source *source, size_t size);
char *vp_source_copy(struct vp_source *source, const char *text, size_t length);

/* Adds an element at the end of parent's children (NULL: of the directives). NULL: no memory. */
struct vp_element *vp_element_add(
	struct vp_source *source, struct vp_element *parent, const char *name);
/* Adds an attribute. 0 or -ENOMEM; -EEXIST when it is there. */
int vp_element_set(
	struct vp_source *source, struct vp_element *element, const char *name, const char *text);

#endif
