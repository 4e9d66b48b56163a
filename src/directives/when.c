/* SPDX-License-Identifier: GPL-2.0-or-later */
/* At which reasons of a guest's end a directive acts. */
#include <string.h>

#include "directives.h"

const char *const vp_reasons[] = {"shutdown", "destroyed", "crashed", "daemon", "saved", "migrated",
	"failed", "from-snapshot", "lost", "unknown", NULL};

static bool has_word(const char *words, const char *word)
{
	size_t length = strlen(word);

	for (words += strspn(words, " \t\r\n"); *words; words += strspn(words, " \t\r\n")) {
		size_t n = strcspn(words, " \t\r\n");

		if (n == length && memcmp(words, word, n) == 0)
			return true;
		words += n;
	}
	return false;
}

bool vp_reason_matches(const char *when, const char *default_words, const char *reason)
{
	const char *words = when ? when : default_words;
	const char *const *known = vp_reasons;

	if (strcmp(reason, "shutdown-or-destroyed") == 0)
		return has_word(words, "shutdown") || has_word(words, "destroyed");
	while (*known && strcmp(*known, reason) != 0)
		known++;
	return has_word(words, *known ? reason : "unknown");
}
