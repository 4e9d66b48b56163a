/* SPDX-License-Identifier: GPL-2.0-or-later */
/* metadata-lint.h: what only the XML as a document shows: what libvirt would drop, disks, the schema. */
#ifndef VP_CLI_METADATA_LINT_H
#define VP_CLI_METADATA_LINT_H

#include <libxml/tree.h>

#include "findings.h"

/* What libvirt drops without a word when it defines the guest. */
void lint_dropped(struct findings *findings, const char *about, xmlDocPtr doc);

/* Whether the file is a source of one of the guest's devices. */
bool lint_is_source(xmlDocPtr doc, const char *path);

/* What the schema says of the virt-parts element, if anything. */
void lint_schema(struct findings *findings, const char *about, xmlDocPtr doc);

#endif
