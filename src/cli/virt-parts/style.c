/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Colour, only on a terminal. */
#include "style.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool coloured;

void style_init(bool plain)
{
	const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");

	coloured = !plain && !(no && *no) && terminal && strcmp(terminal, "dumb") != 0 &&
		   isatty(STDOUT_FILENO);
}

const char *style(enum style which)
{
	static const char *const codes[] = {
		[STYLE_PLAIN] = "\033[0m",
		[STYLE_BOLD] = "\033[1m",
		[STYLE_FAINT] = "\033[2m",
		[STYLE_GOOD] = "\033[32m",
		[STYLE_WARNING] = "\033[33m",
		[STYLE_BAD] = "\033[31m",
	};

	return coloured ? codes[which] : "";
}

/* Columns of UTF-8 text: bytes that continue a character take none. */
static int columns(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

void style_print(enum style which, const char *text, int width)
{
	int used = columns(text);

	printf("%s%s%s", style(which), text, style(STYLE_PLAIN));
	if (used < width)
		printf("%*s", width - used, "");
}
