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

/* Whether it is that of a <disk> that the guest may write to. */
bool lint_is_writable(xmlDocPtr doc, const char *path);

/* The guest's memory, bytes; 0: the XML does not say. */
uint64_t lint_memory(xmlDocPtr doc);

/* What the schema says of the virt-parts element, if anything. */
void lint_schema(struct findings *findings, const char *about, xmlDocPtr doc);

#endif
