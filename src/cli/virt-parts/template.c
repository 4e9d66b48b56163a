/* SPDX-License-Identifier: GPL-2.0-or-later */
/* template: a directive to begin with, as a file that 'set' takes. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "suggest.h"

static const struct {
	const char *name, *text;
} templates[] = {
	{"ramdisk", "  <ramdisk>\n"
		    "    <dir size=\"64M\" mode=\"1777\">/srv/guests/%NAME%/tmp</dir>\n"
		    "  </ramdisk>\n"},
	{"preload", "  <preload>\n"
		    "    <iso path=\"/var/lib/virt-parts/iso/%NAME%/seed.iso\" label=\"CIDATA\">\n"
		    "      <src>/srv/seed/%NAME%</src>\n"
		    "      <file path=\"meta-data\">instance-id: %UUID%</file>\n"
		    "    </iso>\n"
		    "    <dircopy>\n"
		    "      <src>/srv/seed/www</src>\n"
		    "      <dst>/srv/guests/%NAME%/var/www</dst>\n"
		    "    </dircopy>\n"
		    "  </preload>\n"},
	{"archive", "  <archive>\n"
		    "    <dircopy>\n"
		    "      <src>/srv/guests/%NAME%/var/log</src>\n"
		    "      <dst>/srv/archive/%NAME%/%DATE%</dst>\n"
		    "    </dircopy>\n"
		    "  </archive>\n"},
	{"post-rm-rf", "  <post-rm-rf>\n"
		       "    <dir>/srv/guests/%NAME%/scratch</dir>\n"
		       "  </post-rm-rf>\n"},
};

enum { N_TEMPLATES = sizeof(templates) / sizeof(templates[0]) };

int template_command(struct cli *cli, int argc, char **argv)
{
	const char *names[N_TEMPLATES], *near;
	bool found = false;

	(void)cli;
	for (size_t i = 0; i < N_TEMPLATES; i++) {
		names[i] = templates[i].name;
		found = found || !argc || !strcmp(names[i], argv[0]);
	}
	if (!found) {
		near = suggest(argv[0], names, N_TEMPLATES);
		return cli_error("'%.64s' is none of ramdisk, preload, archive, post-rm-rf%s%s%s",
			argv[0], near ? "; did you mean '" : "", near ? near : "",
			near ? "'?" : "");
	}
	printf("<virt-parts xmlns=\"urn:virt-parts:1\">\n");
	for (size_t i = 0; i < N_TEMPLATES; i++)
		if (!argc || !strcmp(templates[i].name, argv[0]))
			fputs(templates[i].text, stdout);
	printf("</virt-parts>\n");
	return CLI_GOOD;
}
