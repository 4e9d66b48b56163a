/* SPDX-License-Identifier: GPL-2.0-or-later */
/* suggest.h: which of some names somebody may have meant. */
#ifndef VP_CLI_SUGGEST_H
#define VP_CLI_SUGGEST_H

#include <stddef.h>

/* The name that is nearest to WORD, when it is near enough to be meant; else NULL. */
const char *suggest(const char *word, const char *const *names, size_t count);

#endif
