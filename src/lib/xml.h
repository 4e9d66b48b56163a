/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xml.h: what a guest's XML says to virt-parts, read by libxml2 as a stream, whatever its size.
 *
 * A DOCTYPE or an entity is refused, nothing is fetched, and there are bounds on elements,
 * attributes and depth: the XML holds what an editor of metadata wrote.
 */
#ifndef VP_XML_H
#define VP_XML_H

#include "filesystem.h"

struct vp_xml {
	struct vp_source source;	   /* every directive, raw */
	struct vp_filesystem *filesystems; /* by each name of theirs */
};

/*
 * Reads the XML from FD, from where it stands. 0; -EINVAL: not well-formed, or not as it must be,
 * and ret->source.why says so; -ENOMEM; -errno of reading. To be freed by vp_source_free.
 */
int vp_xml_read(int fd, struct vp_xml *ret);

/* The same for who needs nothing else, and must not wait for the host's paths. */
int vp_xml_read_directives(int fd, struct vp_source *ret);

/* Only whether it is well-formed, without DOCTYPE: 0, or as above with why. */
int vp_xml_check(int fd, char *ret_why, size_t why_size);

#endif
