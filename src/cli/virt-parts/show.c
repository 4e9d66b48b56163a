/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show: a guest's directives, as a file that 'set' takes. clear: takes them away. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "metadata.h"
#include "text.h"

static int tell_none(struct cli *cli, const struct virt_guest *guest, const char *name)
{
	fprintf(stderr, "virt-parts: '%s' has no directive%s%s\n", cli_shown(cli, guest->name),
		name ? " " : "s", name ? cli_shown(cli, name) : "");
	return CLI_FOUND;
}

/* A file gets the very text; a terminal is told what it would take for its controls. */
static void print_shown(const char *text)
{
	bool terminal = isatty(STDOUT_FILENO);

	for (; *text; text++)
		if (terminal && vp_is_high_control(text))
			printf("&#x%x;", (unsigned char)*++text);
		else if (terminal && *text == 0x7f)
			fputs("&#x7f;", stdout);
		else
			putchar(*text);
	putchar('\n');
}

int show_command(struct cli *cli, int argc, char **argv)
{
	const struct virt_guest *guest;
	unsigned where;
	xmlDocPtr doc;
	bool none;

	(void)argc;
	guest = metadata_open(cli, argv[0], &where, &doc, &none);
	if (!guest)
		return CLI_ERROR;
	if (none)
		tell_none(cli, guest, NULL);
	else
		print_shown(metadata_text(cli, doc));
	xmlFreeDoc(doc);
	return none ? CLI_FOUND : CLI_GOOD;
}

/* Takes away every directive of that name; how many. */
static unsigned drop(xmlDocPtr doc, const char *name)
{
	xmlNodePtr node = xmlDocGetRootElement(doc)->children, next;
	unsigned n = 0;

	for (; node; node = next) {
		next = node->next;
		if (node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, name) != 0)
			continue;
		xmlUnlinkNode(node);
		xmlFreeNode(node);
		n++;
	}
	return n;
}

static int clear_one(
	struct cli *cli, const struct virt_guest *guest, unsigned where, const char *name)
{
	int status = CLI_FOUND;
	xmlDocPtr doc;
	bool none;

	if (!metadata_get(cli, guest, where, &doc, &none))
		return CLI_ERROR;
	if (drop(doc, name))
		status = metadata_set(cli, guest, where, doc);
	else
		tell_none(cli, guest, name);
	xmlFreeDoc(doc);
	return status;
}

/* What is there need not be understood for that. */
static int clear_all(struct cli *cli, const struct virt_guest *guest, unsigned where)
{
	xmlDocPtr doc;
	int status;
	bool any;

	if (!metadata_has(cli, guest, where, &any))
		return CLI_ERROR;
	if (!any)
		return tell_none(cli, guest, NULL);
	doc = metadata_new();
	status = metadata_set(cli, guest, where, doc);
	xmlFreeDoc(doc);
	return status;
}

int clear_command(struct cli *cli, int argc, char **argv)
{
	const struct virt_guest *guest = virt_one(cli, argv[0], VIRT_XML);
	unsigned where;

	if (!guest || !metadata_where(cli, guest, &where))
		return CLI_ERROR;
	return argc < 2 ? clear_all(cli, guest, where) : clear_one(cli, guest, where, argv[1]);
}
