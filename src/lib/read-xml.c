/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A part's directives from the XML on standard input. */
#include <string.h>
#include <unistd.h>

#include "xml.h"

int vp_read_xml(const struct vp_event *event, const char *name, struct vp_source *ret)
{
	struct vp_element **link;
	int r = vp_xml_read_directives(STDIN_FILENO, ret);

	(void)event;
	for (link = &ret->directives; r == 0 && *link;) {
		if (strcmp((*link)->name, name) == 0)
			link = &(*link)->next;
		else
			*link = (*link)->next;
	}
	return r;
}
