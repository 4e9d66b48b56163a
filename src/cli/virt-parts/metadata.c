/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's virt-parts element as it is shown and changed. */
#include "metadata.h"

#include <libxml/parser.h>
#include <stdio.h>
#include <string.h>

#include "lint.h"
#include "runs.h"

static xmlDocPtr read_xml(const char *text)
{
	return xmlReadMemory(text, (int)strlen(text), NULL, NULL,
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOBLANKS);
}

/* Gives every element the namespace, or takes it away (NULL). */
static void set_namespace(xmlNodePtr node, xmlNsPtr ns)
{
	for (; node; node = node->next) {
		if (node->type != XML_ELEMENT_NODE)
			continue;
		xmlSetNs(node, ns);
		set_namespace(node->children, ns);
		if (!ns && node->nsDef) {
			xmlFreeNsList(node->nsDef);
			node->nsDef = NULL;
		}
	}
}

/* Whether every element has this namespace, or, all of them, none. */
static bool has_namespace(xmlNodePtr node, const char *uri)
{
	for (; node; node = node->next) {
		const char *own = node->type == XML_ELEMENT_NODE && node->ns && node->ns->href
					  ? (const char *)node->ns->href
					  : "";

		if (node->type == XML_ELEMENT_NODE &&
			(strcmp(own, uri) != 0 || !has_namespace(node->children, uri)))
			return false;
	}
	return true;
}

/* Those of xmlns are none. */
static bool has_namespaced_attribute(xmlNodePtr node)
{
	for (; node; node = node->next) {
		if (node->type != XML_ELEMENT_NODE)
			continue;
		for (xmlAttrPtr attr = node->properties; attr; attr = attr->next)
			if (attr->ns)
				return true;
		if (has_namespaced_attribute(node->children))
			return true;
	}
	return false;
}

xmlDocPtr metadata_parse(struct cli *cli, const char *what, const char *text)
{
	xmlDocPtr doc = read_xml(text);
	xmlNodePtr root = doc ? xmlDocGetRootElement(doc) : NULL;
	const xmlError *error = doc ? NULL : xmlGetLastError();

	if (!doc) {
		const char *message = error && error->message ? error->message : "it is empty";

		cli_error("%s is not well-formed XML: line %d: %s", what, error ? error->line : 0,
			cli_copy(cli, message, strcspn(message, "\n")));
		return NULL;
	}
	if (doc->intSubset || !root || strcmp((const char *)root->name, "virt-parts") != 0) {
		cli_error("%s must hold a <virt-parts> element, and no DOCTYPE", what);
	} else if (!has_namespace(root, VIRT_NAMESPACE) && !has_namespace(root, "") &&
		   !(root->ns == NULL && has_namespace(root->children, VIRT_NAMESPACE))) {
		cli_error("%s: every element must be of the namespace '%s'", what, VIRT_NAMESPACE);
	} else if (has_namespaced_attribute(root)) {
		/* prepare refuses it; and what its namespace is would go with the declaration */
		cli_error("%s: an attribute with a prefix is none of a directive's; take it out, "
			  "or everything with 'virt-parts clear'",
			what);
	} else {
		set_namespace(root, NULL);
		return doc;
	}
	xmlFreeDoc(doc);
	return NULL;
}

xmlDocPtr metadata_new(void)
{
	return read_xml("<virt-parts/>");
}

const char *metadata_text(struct cli *cli, xmlDocPtr doc)
{
	xmlNodePtr root = xmlDocGetRootElement(doc);
	xmlBufferPtr buffer = xmlBufferCreate();
	const char *text = "";

	set_namespace(root, xmlNewNs(root, BAD_CAST VIRT_NAMESPACE, NULL));
	if (buffer && xmlNodeDump(buffer, doc, root, 0, 1) >= 0)
		text = cli_copy(cli, (const char *)xmlBufferContent(buffer),
			(size_t)xmlBufferLength(buffer));
	xmlBufferFree(buffer);
	set_namespace(root, NULL);
	return text;
}

bool metadata_where(struct cli *cli, const struct virt_guest *guest, unsigned *ret)
{
	*ret = (cli_option(cli, "--live") ? VIRT_LIVE : 0) |
	       (cli_option(cli, "--config") ? VIRT_CONFIG : 0);
	if (!*ret)
		*ret = (guest->active ? VIRT_LIVE : 0) | (guest->persistent ? VIRT_CONFIG : 0);
	if ((*ret & VIRT_LIVE) && !guest->active) {
		cli_error("'%s' does not run, so there is nothing --live", guest->name);
		return false;
	}
	if ((*ret & VIRT_CONFIG) && !guest->persistent) {
		cli_error("'%s' is transient, so there is no --config", guest->name);
		return false;
	}
	return true;
}

/* Of one place; NULL also when there is none. False, and told. */
static bool get_text(struct cli *cli, const struct virt_guest *guest, enum virt_where where,
	const char **ret_text)
{
	const char *why;

	*ret_text = virt_metadata(cli, guest, where, &why);
	if (!*ret_text && *why)
		cli_error("cannot read the metadata of '%s': %s", guest->name, why);
	return *ret_text || !*why;
}

bool metadata_has(struct cli *cli, const struct virt_guest *guest, unsigned where, bool *ret)
{
	const char *live = NULL, *config = NULL;

	if (((where & VIRT_LIVE) && !get_text(cli, guest, VIRT_LIVE, &live)) ||
		((where & VIRT_CONFIG) && !get_text(cli, guest, VIRT_CONFIG, &config)))
		return false;
	*ret = live || config;
	return true;
}

static bool get_one(struct cli *cli, const struct virt_guest *guest, enum virt_where where,
	xmlDocPtr *ret, bool *ret_none)
{
	const char *text;

	if (!get_text(cli, guest, where, &text))
		return false;
	*ret_none = !text;
	*ret = text ? metadata_parse(
			      cli, cli_format(cli, "the metadata of '%s'", guest->name), text)
		    : metadata_new();
	return *ret != NULL;
}

bool metadata_get(struct cli *cli, const struct virt_guest *guest, unsigned where, xmlDocPtr *ret,
	bool *ret_none)
{
	bool none, same;
	xmlDocPtr live;

	if (!(where & VIRT_LIVE) || !(where & VIRT_CONFIG))
		return get_one(cli, guest, where, ret, ret_none);
	if (!get_one(cli, guest, VIRT_LIVE, &live, &none))
		return false;
	if (!get_one(cli, guest, VIRT_CONFIG, ret, ret_none)) {
		xmlFreeDoc(live);
		return false;
	}
	same = none == *ret_none && !strcmp(metadata_text(cli, live), metadata_text(cli, *ret));
	xmlFreeDoc(live);
	if (!same) {
		xmlFreeDoc(*ret);
		cli_error("'%s' has other directives as it runs than for its next start: say which "
			  "are meant with --live or --config",
			guest->name);
	}
	return same;
}

const struct virt_guest *metadata_open(
	struct cli *cli, const char *name, unsigned *ret_where, xmlDocPtr *ret, bool *ret_none)
{
	const struct virt_guest *guest = virt_one(cli, name, VIRT_XML);

	if (!guest || !metadata_where(cli, guest, ret_where) ||
		!metadata_get(cli, guest, *ret_where, ret, ret_none))
		return NULL;
	return guest;
}

/* The guest's XML with this element in the place of its own. */
static const char *put_into(struct cli *cli, const struct virt_guest *guest, xmlDocPtr element)
{
	xmlDocPtr doc = read_xml(guest->xml), own = read_xml(metadata_text(cli, element));
	xmlNodePtr root = doc ? xmlDocGetRootElement(doc) : NULL, metadata = NULL, node, next;
	const char *text = "";
	xmlChar *dump = NULL;
	int length = 0;

	for (node = root ? root->children : NULL; node && !metadata; node = node->next)
		if (node->type == XML_ELEMENT_NODE && !strcmp((const char *)node->name, "metadata"))
			metadata = node;
	if (root && !metadata)
		metadata = xmlNewChild(root, NULL, BAD_CAST "metadata", NULL);
	for (node = metadata ? metadata->children : NULL; node; node = next) {
		next = node->next;
		if (node->type == XML_ELEMENT_NODE && node->ns && node->ns->href &&
			!strcmp((const char *)node->ns->href, VIRT_NAMESPACE)) {
			xmlUnlinkNode(node);
			xmlFreeNode(node);
		}
	}
	if (metadata && own)
		xmlAddChild(metadata, xmlDocCopyNode(xmlDocGetRootElement(own), doc, 1));
	if (doc)
		xmlDocDumpMemory(doc, &dump, &length);
	if (dump)
		text = cli_copy(cli, (const char *)dump, (size_t)length);
	xmlFree(dump);
	xmlFreeDoc(own);
	xmlFreeDoc(doc);
	return text;
}

/* What is wrong is told; whether it would be refused. */
static bool is_refused(struct cli *cli, const struct virt_guest *changed)
{
	struct guest guest = guest_of(changed, false);
	struct findings findings;
	bool refused = false;

	findings_init(&findings, cli);
	lint(&findings, &guest);
	if (findings.first)
		findings_print(&findings, "");
	for (const struct finding *f = findings.first; f; f = f->next)
		refused = refused || f->level == FINDING_ERROR;
	return refused;
}

static void tell_stored(
	struct cli *cli, const struct virt_guest *changed, unsigned where, bool empty)
{
	struct guest guest = guest_of(changed, false);
	bool later = where & VIRT_CONFIG, old;
	const char *text, *mend, *when = "";

	old = later && runs_old_count(cli, &guest, &text, &mend);
	if (!later)
		when = ", in the running guest only: its next start does not have it";
	else if (changed->active && !old)
		when = ", which runs: it counts from its next start";
	printf("%s '%s'%s\n", empty ? "cleared" : "stored for", cli_shown(cli, changed->name),
		when);
	if (old)
		printf("warning: %s\n  mend: %s\n", cli_shown(cli, text),
			cli_shown_command(cli, mend));
}

int metadata_set(struct cli *cli, const struct virt_guest *guest, unsigned where, xmlDocPtr doc)
{
	bool empty = xmlDocGetRootElement(doc)->children == NULL;
	struct virt_guest changed = *guest;
	const char *why;

	changed.xml = put_into(cli, guest, doc);
	if (!empty && is_refused(cli, &changed) && !cli_option(cli, "--no-check"))
		return cli_error("nothing was stored, since the guest would not start with it; "
				 "mend it, or add --no-check");
	if (virt_set_metadata(cli, guest, where, empty ? NULL : metadata_text(cli, doc), &why) < 0)
		return cli_error("cannot store the metadata of '%s': %s", guest->name, why);
	tell_stored(cli, &changed, where, empty);
	return CLI_GOOD;
}
