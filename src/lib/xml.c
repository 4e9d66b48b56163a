/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest's XML says to virt-parts, read by libxml2 as a stream. */
#include "xml.h"

#include <errno.h>
#include <libxml/xmlreader.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "filesystem.h"

#define NAMESPACE "urn:virt-parts:1"
#define CONTAINER "virt-parts"

enum {
	MAX_ELEMENTS = 10000,
	MAX_ATTRS = 32,
	MAX_DEPTH = 16,
	MAX_PATH_DEPTH = 8,
	MAX_TEXT = 4 << 20, /* of all directives together */
	MAX_PIECES = 8,	    /* of one text: each costs a copy of what is there */
};

static const char *const old_elements[] = {"ramdisk", "preload", "archive", "post-rm-rf"};

struct reading {
	xmlTextReaderPtr reader;
	struct vp_xml *xml; /* NULL: only check */
	char *why;
	size_t why_size;
	char path[MAX_PATH_DEPTH][32]; /* names of the elements that are open, cut */
	int depth;		       /* of the node at hand */
	struct vp_element *open;       /* the directive's element that is open */
	bool has_container, in_container;
	unsigned n_elements, n_pieces;
	size_t n_text;
};

__attribute__((format(printf, 2, 3))) static int refuse(struct reading *r, const char *format, ...)
{
	va_list args;
	int n;

	if (r->why[0]) /* libxml2 was first */
		return -EINVAL;
	n = snprintf(r->why, r->why_size, "line %d: ", xmlTextReaderGetParserLineNumber(r->reader));
	va_start(args, format);
	if (n > 0 && (size_t)n < r->why_size)
		vsnprintf(r->why + n, r->why_size - (size_t)n, format, args);
	va_end(args);
	return -EINVAL;
}

/* libxml2's first complaint is the one that matters. */
static void on_error(void *context, xmlErrorPtr error)
{
	struct reading *r = context;
	size_t length;

	if (r->why[0] || !error->message)
		return;
	snprintf(r->why, r->why_size, "line %d: %s", error->line, error->message);
	length = strlen(r->why);
	while (length && strchr("\n ", r->why[length - 1]))
		r->why[--length] = '\0';
}

static const char *local_name(struct reading *r)
{
	const xmlChar *name = xmlTextReaderConstLocalName(r->reader);

	return name ? (const char *)name : "";
}

static const char *namespace_of(struct reading *r)
{
	const xmlChar *uri = xmlTextReaderConstNamespaceUri(r->reader);

	return uri ? (const char *)uri : "";
}

static bool at_path(const struct reading *r, const char *const *names, int n)
{
	if (r->depth != n)
		return false;
	for (int i = 0; i < n; i++)
		if (strcmp(r->path[i], names[i]) != 0)
			return false;
	return true;
}

/* Whether the element at hand is a child of the <metadata> of a domain, or of a network. */
static bool in_metadata(const struct reading *r)
{
	static const char *const domain[] = {"domain", "metadata"};
	static const char *const network[] = {"network", "metadata"};
	static const char *const hook[] = {"hookData", "network", "metadata"};

	return at_path(r, domain, 2) || at_path(r, network, 2) || at_path(r, hook, 3);
}

static bool is_old_element(const char *name)
{
	for (size_t i = 0; i < sizeof(old_elements) / sizeof(old_elements[0]); i++)
		if (strcmp(old_elements[i], name) == 0)
			return true;
	return false;
}

static int take_attributes(struct reading *r, struct vp_element *element)
{
	struct vp_source *source = &r->xml->source;
	int more = xmlTextReaderMoveToFirstAttribute(r->reader), result = 0;

	for (; result == 0 && more == 1; more = xmlTextReaderMoveToNextAttribute(r->reader)) {
		const xmlChar *value;

		if (xmlTextReaderIsNamespaceDecl(r->reader) == 1)
			continue;
		if (*namespace_of(r) || element->n_attrs == MAX_ATTRS) {
			result = refuse(r, "<%.100s>: unknown attribute '%.100s'", element->name,
				(const char *)xmlTextReaderConstName(r->reader));
			break;
		}
		value = xmlTextReaderConstValue(r->reader);
		result = vp_element_set(
			source, element, local_name(r), value ? (const char *)value : "");
	}
	xmlTextReaderMoveToElement(r->reader);
	return more < 0 && result == 0 ? -EINVAL : result;
}

/* The white space between children. */
static void drop_blank_text(struct vp_element *element)
{
	if (!element->text[strspn(element->text, " \t\r\n")])
		element->text = "";
}

static int take_element(struct reading *r)
{
	struct vp_element *element, *parent = r->open;

	if (parent)
		drop_blank_text(parent);
	r->n_pieces = 0;
	if (++r->n_elements > MAX_ELEMENTS)
		return refuse(r, "more than %d elements for virt-parts", MAX_ELEMENTS);
	element = vp_element_add(&r->xml->source, parent, local_name(r));
	if (!element)
		return -ENOMEM;
	if (!xmlTextReaderIsEmptyElement(r->reader))
		r->open = element;
	return take_attributes(r, element);
}

static bool has_real_attributes(struct reading *r)
{
	bool real = false;

	for (int more = xmlTextReaderMoveToFirstAttribute(r->reader); more == 1;
		more = xmlTextReaderMoveToNextAttribute(r->reader))
		real |= xmlTextReaderIsNamespaceDecl(r->reader) != 1;
	xmlTextReaderMoveToElement(r->reader);
	return real;
}

static int take_filesystem(struct reading *r)
{
	static const char *const path[] = {"domain", "devices", "filesystem"}; /* and its parents */
	struct vp_source *source = &r->xml->source;
	bool is_source = strcmp(local_name(r), "source") == 0;
	struct vp_filesystem *fs;
	xmlChar *dir;

	if (at_path(r, path, 2) && !strcmp(local_name(r), "filesystem")) {
		fs = vp_source_alloc(source, sizeof(*fs));
		if (!fs)
			return -ENOMEM;
		*fs = (struct vp_filesystem){r->xml->filesystems, "", ""};
		r->xml->filesystems = fs;
		return 0;
	}
	if (!at_path(r, path, 3) || !r->xml->filesystems ||
		(!is_source && strcmp(local_name(r), "target") != 0))
		return 0;
	dir = xmlTextReaderGetAttribute(r->reader, BAD_CAST "dir");
	if (!dir)
		return 0;
	*(is_source ? &r->xml->filesystems->source : &r->xml->filesystems->target) =
		vp_filesystem_path(source, (char *)dir);
	xmlFree(dir);
	return r->xml->filesystems->source && r->xml->filesystems->target ? 0 : -ENOMEM;
}

static int start_element(struct reading *r)
{
	const char *name = local_name(r), *uri = namespace_of(r);

	if (r->open || r->in_container) {
		if (strcmp(uri, r->in_container ? NAMESPACE : "") != 0)
			return refuse(r, "<%.100s> is of the namespace '%.100s', not of '%s'", name,
				uri, r->in_container ? NAMESPACE : "");
		/* it would pass for a directive of the admin's, with 05-virt-parts as its part */
		if (!r->open && strcmp(name, CONTAINER) == 0)
			return refuse(r,
				"<virt-parts> lies in <virt-parts>: put what it holds into the "
				"outer one");
		if (r->depth >= MAX_DEPTH)
			return refuse(r, "elements lie more than %d deep", MAX_DEPTH);
		return take_element(r);
	}
	if (r->depth < MAX_PATH_DEPTH)
		snprintf(r->path[r->depth], sizeof(r->path[0]), "%s", name);
	if (!in_metadata(r))
		return take_filesystem(r);
	if (strcmp(uri, NAMESPACE) != 0)
		return !*uri && is_old_element(name) ? take_element(r) : 0;
	if (strcmp(name, CONTAINER) != 0)
		return refuse(r, "<%.100s> must lie in <virt-parts>", name);
	if (r->has_container)
		return refuse(r, "a second <virt-parts> element: libvirt keeps only the first");
	r->has_container = true;
	r->in_container = !xmlTextReaderIsEmptyElement(r->reader);
	if (xmlTextReaderHasAttributes(r->reader) == 1 && has_real_attributes(r))
		return refuse(r, "<virt-parts> has no attributes");
	return 0;
}

static void end_element(struct reading *r)
{
	r->n_pieces = 0;
	if (r->open) {
		if (r->open->first_child)
			drop_blank_text(r->open);
		r->open = r->open->parent;
	} else if (r->in_container && in_metadata(r))
		r->in_container = false;
}

static int take_text(struct reading *r)
{
	const xmlChar *value = xmlTextReaderConstValue(r->reader);
	struct vp_element *element = r->open;
	size_t before = strlen(element->text), length = value ? strlen((const char *)value) : 0;
	char *text;

	if (before && ++r->n_pieces > MAX_PIECES)
		return refuse(r, "the text of <%.100s> is in too many pieces", element->name);
	r->n_text += length;
	if (r->n_text > MAX_TEXT)
		return refuse(r, "the directives hold more than %d bytes of text", MAX_TEXT);
	text = vp_source_alloc(&r->xml->source, before + length + 1);
	if (!text)
		return -ENOMEM;
	memcpy(text, element->text, before);
	if (length)
		memcpy(text + before, value, length);
	element->text = text;
	return 0;
}

static int take_node(struct reading *r)
{
	int type = xmlTextReaderNodeType(r->reader);

	r->depth = xmlTextReaderDepth(r->reader);
	switch (type) {
	case XML_READER_TYPE_DOCUMENT_TYPE:
	case XML_READER_TYPE_ENTITY_REFERENCE:
		return refuse(r, "a DOCTYPE or an entity, which no guest's XML has");
	case XML_READER_TYPE_ELEMENT:
		return r->xml ? start_element(r) : 0;
	case XML_READER_TYPE_END_ELEMENT:
		if (r->xml)
			end_element(r);
		return 0;
	case XML_READER_TYPE_TEXT:
	case XML_READER_TYPE_CDATA:
	case XML_READER_TYPE_WHITESPACE:
	case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
		return r->open ? take_text(r) : 0;
	default:
		return 0;
	}
}

static int read_all(struct reading *r, int fd)
{
	int result = 0, more;

	r->why[0] = '\0';
	r->reader = xmlReaderForFd(fd, NULL, NULL, XML_PARSE_NONET);
	if (!r->reader)
		return -ENOMEM;
	xmlTextReaderSetStructuredErrorHandler(r->reader, (xmlStructuredErrorFunc)on_error, r);
	while (result == 0 && (more = xmlTextReaderRead(r->reader)) != 0)
		result = more < 0 ? refuse(r, "not well-formed XML") : take_node(r);
	xmlFreeTextReader(r->reader);
	return result;
}

static int read_xml(int fd, struct vp_xml *ret, bool resolve)
{
	struct reading r = {
		.xml = ret, .why = ret->source.why, .why_size = sizeof(ret->source.why)};
	int result;

	*ret = (struct vp_xml){0};
	result = read_all(&r, fd);
	if (result == 0 && resolve && ret->source.directives)
		result = vp_filesystems_resolve(&ret->source, ret->filesystems);
	if (result < 0) {
		vp_source_free(&ret->source);
		ret->filesystems = NULL;
	}
	return result;
}

int vp_xml_read(int fd, struct vp_xml *ret)
{
	return read_xml(fd, ret, true);
}

int vp_xml_read_directives(int fd, struct vp_source *ret)
{
	struct vp_xml xml = {0};
	int result = read_xml(fd, &xml, false);

	*ret = xml.source;
	return result;
}

int vp_xml_check(int fd, char *why, size_t size)
{
	struct reading r = {.why = why, .why_size = size};

	return read_all(&r, fd);
}
