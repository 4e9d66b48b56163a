/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show: a guest's directives, as a file that 'set' takes. clear: takes them away. */
#include <stdio.h>
#include <string.h>

#include "metadata.h"

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
		fprintf(stderr, "virt-parts: '%s' has no directives\n",
			cli_shown(cli, guest->name));
	else
		printf("%s\n", metadata_text(cli, doc));
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

int clear_command(struct cli *cli, int argc, char **argv)
{
	const struct virt_guest *guest;
	int status = CLI_FOUND;
	unsigned where;
	xmlDocPtr doc;
	bool none;

	guest = metadata_open(cli, argv[0], &where, &doc, &none);
	if (!guest)
		return CLI_ERROR;
	if (argc < 2) {
		xmlFreeDoc(doc);
		doc = metadata_new();
	} else if (!drop(doc, argv[1])) {
		none = true;
	}
	if (none)
		fprintf(stderr, "virt-parts: '%s' has no directive%s%s\n",
			cli_shown(cli, guest->name), argc < 2 ? "s" : " ",
			argc < 2 ? "" : cli_shown(cli, argv[1]));
	else
		status = metadata_set(cli, guest, where, doc);
	xmlFreeDoc(doc);
	return status;
}
