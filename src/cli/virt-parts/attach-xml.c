/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks in a guest's XML: which one an image is in, which target is free, and a new one. */
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "text.h"

static xmlDocPtr parse(const char *xml)
{
	return xmlReadMemory(xml, (int)strlen(xml), NULL, NULL,
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
}

/* The next element called NAME, from NODE on; NULL: there is none. */
static xmlNodePtr element(xmlNodePtr node, const char *name)
{
	while (node && (node->type != XML_ELEMENT_NODE || strcmp((char *)node->name, name) != 0))
		node = node->next;
	return node;
}

static xmlNodePtr first_device(xmlDocPtr doc, const char *name)
{
	xmlNodePtr root = doc ? xmlDocGetRootElement(doc) : NULL;
	xmlNodePtr devices = root ? element(root->children, "devices") : NULL;

	return devices ? element(devices->children, name) : NULL;
}

static xmlNodePtr first_disk(xmlDocPtr doc)
{
	return first_device(doc, "disk");
}

static bool has_value(xmlNodePtr node, const char *attribute, const char *value)
{
	xmlChar *text = node ? xmlGetNoNsProp(node, BAD_CAST attribute) : NULL;
	bool same = text && strcmp((char *)text, value) == 0;

	xmlFree(text);
	return same;
}

/* Anywhere in a disk: what lies below a snapshot is in use too. */
static bool is_used(xmlNodePtr node, const char *path)
{
	for (node = node->children; node; node = node->next)
		if (node->type == XML_ELEMENT_NODE &&
			(has_value(node, "file", path) || is_used(node, path)))
			return true;
	return false;
}

static bool has_serial(xmlNodePtr disk, const char *serial)
{
	xmlNodePtr node = element(disk->children, "serial");
	xmlChar *text = node ? xmlNodeGetContent(node) : NULL;
	bool same = text && strcmp((char *)text, serial) == 0;

	xmlFree(text);
	return same;
}

static const char *target_of(struct cli *cli, xmlNodePtr disk)
{
	xmlNodePtr node = disk ? element(disk->children, "target") : NULL;
	xmlChar *dev = node ? xmlGetNoNsProp(node, BAD_CAST "dev") : NULL;
	const char *target = disk ? "?" : "";

	if (dev)
		target = cli_copy(cli, (char *)dev, strlen((char *)dev));
	xmlFree(dev);
	return target;
}

const char *attach_xml_target(struct cli *cli, const char *xml, const char *path, bool *ret_covered)
{
	xmlDocPtr doc = parse(xml);
	xmlNodePtr disk = first_disk(doc);
	const char *target;

	while (disk && !is_used(disk, path))
		disk = element(disk->next, "disk");
	*ret_covered = disk && !has_value(element(disk->children, "source"), "file", path);
	target = target_of(cli, disk);
	xmlFreeDoc(doc);
	return target;
}

const char *attach_xml_serial(struct cli *cli, const char *xml, const char *serial)
{
	xmlDocPtr doc = parse(xml);
	xmlNodePtr disk = first_disk(doc);
	const char *target;

	while (disk && !has_serial(disk, serial))
		disk = element(disk->next, "disk");
	target = target_of(cli, disk);
	xmlFreeDoc(doc);
	return target;
}

static bool is_taken(xmlDocPtr doc, const char *target)
{
	xmlNodePtr disk = first_disk(doc);

	while (disk && !has_value(element(disk->children, "target"), "dev", target))
		disk = element(disk->next, "disk");
	return disk != NULL;
}

const char *attach_xml_free_target(struct cli *cli, const char *xml)
{
	xmlDocPtr doc = parse(xml);
	const char *target = NULL;

	/* vda to vdz, vdaa to vdzz */
	for (unsigned i = 0; doc && !target && i < 27 * 26; i++) {
		char first = (char)('a' + i / 26 - 1), last = (char)('a' + i % 26);

		target = i < 26 ? cli_format(cli, "vd%c", last)
				: cli_format(cli, "vd%c%c", first, last);
		if (is_taken(doc, target))
			target = NULL;
	}
	xmlFreeDoc(doc);
	return target;
}

/* Whether PATH, which may not be there yet, lies below the directory, by whatever names. */
static bool lies_below(const char *path, const char *dir)
{
	char real[PATH_MAX], parent[PATH_MAX], above[PATH_MAX];
	const char *leaf = strrchr(path, '/');

	if (vp_path_within(path, dir))
		return true;
	snprintf(parent, sizeof(parent), "%.*s", leaf ? (int)(leaf - path) : 0, path);
	/* where the parent is made only now, its own parent counts */
	while (*parent && !realpath(parent, real))
		*strrchr(parent, '/') = '\0';
	return realpath(dir, above) && vp_path_within(*parent ? real : "/", above);
}

const char *attach_xml_shared(struct cli *cli, const char *xml, const char *path)
{
	xmlDocPtr doc = parse(xml);
	xmlNodePtr node = first_device(doc, "filesystem");
	const char *shared = NULL;

	for (; node && !shared; node = element(node->next, "filesystem")) {
		xmlNodePtr source = element(node->children, "source");
		xmlChar *dir = source ? xmlGetNoNsProp(source, BAD_CAST "dir") : NULL;

		if (dir && lies_below(path, (char *)dir))
			shared = cli_copy(cli, (char *)dir, strlen((char *)dir));
		xmlFree(dir);
	}
	xmlFreeDoc(doc);
	return shared;
}

static void add(
	xmlNodePtr disk, const char *name, const char *const (*values)[2], const char *content)
{
	xmlNodePtr node = xmlNewTextChild(disk, NULL, BAD_CAST name, BAD_CAST content);

	for (; values && (*values)[0]; values++)
		xmlNewProp(node, BAD_CAST(*values)[0], BAD_CAST(*values)[1]);
}

const char *attach_xml_device(
	struct cli *cli, const char *path, const char *target, const char *serial)
{
	static const char *const driver[][2] = {{"name", "qemu"}, {"type", "raw"}, {NULL}};
	const char *const source[][2] = {{"file", path}, {NULL}};
	const char *const place[][2] = {{"dev", target}, {"bus", "virtio"}, {NULL}};
	xmlDocPtr doc = xmlNewDoc(BAD_CAST "1.0");
	xmlNodePtr disk = xmlNewNode(NULL, BAD_CAST "disk");
	xmlBufferPtr buffer = xmlBufferCreate();
	const char *xml;

	xmlDocSetRootElement(doc, disk);
	xmlNewProp(disk, BAD_CAST "type", BAD_CAST "file");
	xmlNewProp(disk, BAD_CAST "device", BAD_CAST "disk");
	add(disk, "driver", driver, NULL);
	add(disk, "source", source, NULL);
	add(disk, "target", place, NULL);
	add(disk, "readonly", NULL, NULL);
	add(disk, "serial", NULL, serial);
	xmlNodeDump(buffer, doc, disk, 0, 0);
	xml = cli_format(cli, "%s", (const char *)xmlBufferContent(buffer));
	xmlBufferFree(buffer);
	xmlFreeDoc(doc);
	return xml;
}
