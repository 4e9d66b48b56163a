/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest.h: the guest that an argument means: a name or UUID that libvirt knows, or a file of XML. */
#ifndef VP_CLI_GUEST_H
#define VP_CLI_GUEST_H

#include "virt-parts.h"
#include "virt.h"

struct guest {
	const char *driver; /* qemu, lxc, libxl, bhyve; of a network's file: network */
	const char *name;
	const char *uuid; /* in lower case */
	bool no_uuid;	  /* the file has none, and uuid is made up */
	const char *xml;
	size_t length;
	const char *hook_data; /* a network's XML as its hook is given it; NULL: as xml is */
	const char *file;      /* NULL: it is libvirt's */
	const struct virt_guest *virt; /* NULL of a file */
	int record;		       /* of its run, or -1: see guest_open_record */
};

/*
 * Reads what ARGUMENT means; LIVE: the XML of a guest that runs as it runs. A file has a slash in its
 * name, or ends in .xml, or is `-`, standard input. False, and told, when that fails.
 */
bool guest_get(struct cli *cli, const char *argument, bool live, struct guest *ret);

/* Whether ARGUMENT means a file. */
bool guest_is_file(const char *argument);

/* A file's text, or that of standard input, `-`, at most 8 MiB, without NULs; NULL, and told. */
const char *guest_read_text(struct cli *cli, const char *path);

/* The guest of an answer of libvirt's. */
struct guest guest_of(const struct virt_guest *virt, bool live);

/* Whether it is another host's, whose parts.conf, files, parts and records count for it, not those here. */
bool guest_is_elsewhere(const struct guest *guest);

/* Opens the record of its run: 0, also when it has none; -errno. */
int guest_open_record(struct cli *cli, struct guest *guest);

/* What the parts call an event of it now. */
struct vp_event guest_event(struct cli *cli, const struct guest *guest, const char *op,
	const char *subop, const char *reason);

/* The XML as a file that can be read from its beginning; closed by the caller. -errno. */
int guest_xml_fd(const struct guest *guest);
/* The same of what libvirt gives the hook. */
int guest_hook_fd(const struct guest *guest);

#endif
