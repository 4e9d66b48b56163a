/* SPDX-License-Identifier: GPL-2.0-or-later */
/* style.h: colour, only on a terminal, and not where NO_COLOR is set (no-color.org). */
#ifndef VP_CLI_STYLE_H
#define VP_CLI_STYLE_H

#include <stdbool.h>

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_FAINT, STYLE_GOOD, STYLE_WARNING, STYLE_BAD };

/* PLAIN: never any. */
void style_init(bool plain);

/* What begins the style; "" where there is no colour. STYLE_PLAIN ends any. */
const char *style(enum style style);

/* Prints TEXT in that style and blanks behind it up to WIDTH columns. */
void style_print(enum style style, const char *text, int width);

#endif
