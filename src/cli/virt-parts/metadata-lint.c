/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What only the XML as a document shows. */
#include "metadata-lint.h"

#include <libxml/relaxng.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directives.h"
#include "suggest.h"
#include "virt.h"

/* virt-parts.rng, as it is installed for editors: made a string by the Makefile. */
extern const char schema_text[];

enum { MAX_SEEN = 64 };

static const char *name_of(xmlNodePtr node)
{
	return (const char *)node->name;
}

static const char *uri_of(xmlNodePtr node)
{
	return node->ns && node->ns->href ? (const char *)node->ns->href : "";
}

static xmlNodePtr child(xmlNodePtr parent, const char *name)
{
	xmlNodePtr node = parent ? parent->children : NULL;

	while (node && (node->type != XML_ELEMENT_NODE || strcmp(name_of(node), name) != 0))
		node = node->next;
	return node;
}

static xmlNodePtr find_metadata(xmlDocPtr doc)
{
	return child(xmlDocGetRootElement(doc), "metadata");
}

static bool is_old_form(const char *name)
{
	return vp_directive_find(name) != NULL;
}

static bool is_meant(const char *name)
{
	static const char *const ours[] = {"virt-parts"};

	return suggest(name, ours, 1) != NULL;
}

static void lint_child(struct findings *findings, const char *about, xmlNodePtr node)
{
	const char *name = name_of(node), *uri = uri_of(node);
	static const char wrap[] = "put it into <virt-parts xmlns=\"" VIRT_NAMESPACE "\">";

	if (!*uri && is_old_form(name))
		findings_add(findings, FINDING_ERROR, about, wrap,
			"<%s> has no namespace: libvirt drops it without a word", name);
	else if (!*uri && is_meant(name))
		findings_add(findings, FINDING_ERROR, about,
			"write <virt-parts xmlns=\"" VIRT_NAMESPACE "\">",
			"<%s> has no namespace: libvirt drops it without a word", name);
	else if (!*uri)
		findings_add(findings, FINDING_WARNING, about, "",
			"<%s> has no namespace: libvirt drops it without a word", name);
	else if (is_meant(name) && strcmp(uri, VIRT_NAMESPACE) != 0)
		findings_add(findings, FINDING_ERROR, about,
			"write <virt-parts xmlns=\"" VIRT_NAMESPACE "\">",
			"<%s> is of the namespace '%s', which virt-parts does not look at", name,
			uri);
}

void lint_dropped(struct findings *findings, const char *about, xmlDocPtr doc)
{
	xmlNodePtr metadata = find_metadata(doc);
	const char *seen[MAX_SEEN];
	size_t n = 0;

	for (xmlNodePtr node = metadata ? metadata->children : NULL; node; node = node->next) {
		const char *uri;
		size_t i = 0;

		if (node->type == XML_COMMENT_NODE)
			findings_add(findings, FINDING_NOTE, about, "",
				"a comment directly in <metadata> is dropped by libvirt");
		if (node->type != XML_ELEMENT_NODE)
			continue;
		lint_child(findings, about, node);
		uri = uri_of(node);
		while (i < n && strcmp(seen[i], uri) != 0)
			i++;
		if (i < n && *uri && strcmp(uri, VIRT_NAMESPACE) != 0)
			findings_add(findings, FINDING_WARNING, about, "",
				"a second element of the namespace '%s' in <metadata>: libvirt "
				"keeps only the first",
				uri);
		else if (i == n && n < MAX_SEEN)
			seen[n++] = uri;
	}
}

static bool has_source(xmlNodePtr node, const char *path)
{
	static const char *const attributes[] = {"file", "dev", "dir", "name"};
	bool found = false;

	for (; node && !found; node = node->next) {
		if (node->type != XML_ELEMENT_NODE)
			continue;
		for (size_t i = 0; !found && i < sizeof(attributes) / sizeof(attributes[0]); i++) {
			xmlChar *value = strcmp(name_of(node), "source") == 0
						 ? xmlGetNoNsProp(node, BAD_CAST attributes[i])
						 : NULL;

			found = value && strcmp((char *)value, path) == 0;
			xmlFree(value);
		}
		found = found || has_source(node->children, path);
	}
	return found;
}

bool lint_is_source(xmlDocPtr doc, const char *path)
{
	xmlNodePtr devices = child(xmlDocGetRootElement(doc), "devices");

	return devices && has_source(devices->children, path);
}

bool lint_is_writable(xmlDocPtr doc, const char *path)
{
	xmlNodePtr devices = child(xmlDocGetRootElement(doc), "devices");
	bool writable = false;

	for (xmlNodePtr node = devices ? devices->children : NULL; node && !writable;
		node = node->next) {
		xmlChar *device;

		if (node->type != XML_ELEMENT_NODE || strcmp(name_of(node), "disk") != 0 ||
			child(node, "readonly") || !has_source(node->children, path))
			continue;
		/* a cdrom is read-only whether it says so or not */
		device = xmlGetNoNsProp(node, BAD_CAST "device");
		writable = !device || strcmp((char *)device, "cdrom") != 0;
		xmlFree(device);
	}
	return writable;
}

/* What libvirt takes for a unit of memory; without one KiB. */
static uint64_t unit_of(const char *unit)
{
	static const char letters[] = "bkmgtp";
	const char *letter = strchr(letters, *unit | 0x20);
	uint64_t step = strlen(unit) == 2 && (unit[1] | 0x20) == 'b' ? 1000 : 1024, size = 1;

	if (!*unit || !letter)
		return 1024;
	if (*letter == 'b')
		return 1;
	for (ptrdiff_t i = letter - letters; i > 0; i--)
		size *= step;
	return size;
}

uint64_t lint_memory(xmlDocPtr doc)
{
	xmlNodePtr node = child(xmlDocGetRootElement(doc), "memory");
	xmlChar *text = node ? xmlNodeGetContent(node) : NULL;
	xmlChar *unit = node ? xmlGetNoNsProp(node, BAD_CAST "unit") : NULL;
	uint64_t number = text ? strtoull((char *)text, NULL, 10) : 0;

	number *= unit_of(unit ? (char *)unit : "");
	xmlFree(text);
	xmlFree(unit);
	return number;
}

/* --- the schema ----------------------------------------------------------------------------------------------- */

struct complaint {
	struct findings *findings;
	const char *about;
	bool told; /* the first is what matters */
};

static void on_error(void *context, xmlErrorPtr error)
{
	struct complaint *complaint = context;
	const char *message = error->message ? error->message : "";

	if (complaint->told || !*message)
		return;
	findings_add(complaint->findings, FINDING_ERROR, complaint->about, "", "schema: %.*s",
		(int)strcspn(message, "\n"), message);
	complaint->told = true;
}

static void validate(struct complaint *complaint, xmlDocPtr doc)
{
	xmlRelaxNGParserCtxtPtr parser =
		xmlRelaxNGNewMemParserCtxt(schema_text, (int)strlen(schema_text));
	xmlRelaxNGPtr grammar = NULL;
	xmlRelaxNGValidCtxtPtr context = NULL;

	if (parser) {
		xmlRelaxNGSetParserStructuredErrors(
			parser, (xmlStructuredErrorFunc)on_error, complaint);
		grammar = xmlRelaxNGParse(parser);
	}
	if (grammar)
		context = xmlRelaxNGNewValidCtxt(grammar);
	if (context) {
		xmlRelaxNGSetValidStructuredErrors(
			context, (xmlStructuredErrorFunc)on_error, complaint);
		xmlRelaxNGValidateDoc(context, doc);
		xmlRelaxNGFreeValidCtxt(context);
	}
	xmlRelaxNGFree(grammar);
	xmlRelaxNGFreeParserCtxt(parser);
}

void lint_schema(struct findings *findings, const char *about, xmlDocPtr doc)
{
	struct complaint complaint = {.findings = findings, .about = about};
	xmlNodePtr metadata = find_metadata(doc), node = child(metadata, "virt-parts");
	xmlDocPtr alone = node ? xmlNewDoc(BAD_CAST "1.0") : NULL;

	if (!alone)
		return;
	xmlDocSetRootElement(alone, xmlDocCopyNode(node, alone, 1));
	validate(&complaint, alone);
	xmlFreeDoc(alone);
}
