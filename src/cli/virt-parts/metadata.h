/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metadata.h: a guest's virt-parts element as it is shown and changed. In a document here no element
 * has a namespace, which libvirt gives them when it stores them.
 */
#ifndef VP_CLI_METADATA_H
#define VP_CLI_METADATA_H

#include <libxml/tree.h>

#include "virt.h"

/* NULL, and told: not well-formed, or no <virt-parts>. WHAT: where it is from, for the message. */
xmlDocPtr metadata_parse(struct cli *cli, const char *what, const char *text);
xmlDocPtr metadata_new(void);

/* The element, indented; with the namespace, as a file has it. */
const char *metadata_text(struct cli *cli, xmlDocPtr doc);

/* Where the options --live and --config say; without them both, as far as the guest has them. */
bool metadata_where(struct cli *cli, const struct virt_guest *guest, unsigned *ret);

/*
 * What the guest has now, an empty element when it has none. False, and told, also when it has not
 * the same in both places, and both are meant.
 */
bool metadata_get(struct cli *cli, const struct virt_guest *guest, unsigned where, xmlDocPtr *ret,
	bool *ret_none);

/* Whether it has one in any of the places. False, and told. */
bool metadata_has(struct cli *cli, const struct virt_guest *guest, unsigned where, bool *ret);

/* The guest of that name, where its element is meant, and the element. NULL, and told. */
const struct virt_guest *metadata_open(
	struct cli *cli, const char *name, unsigned *ret_where, xmlDocPtr *ret, bool *ret_none);

/*
 * Checks it as prepare would, tells what is wrong, and stores it unless it would be refused
 * (--no-check: stores it all the same). An exit status.
 */
int metadata_set(struct cli *cli, const struct virt_guest *guest, unsigned where, xmlDocPtr doc);

#endif
