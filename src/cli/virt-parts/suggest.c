/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of some names somebody may have meant: by the number of letters that differ. */
#include "suggest.h"

#include <string.h>

enum { MAX_WORD = 64 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Letters to add, drop, change or swap with the next one (Damerau, restricted). */
static size_t distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), rows[3][MAX_WORD + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];

	if (n > MAX_WORD || m > MAX_WORD)
		return (size_t)-1;
	for (size_t j = 0; j <= m; j++)
		above[j] = before[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *free_row = before;

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			row[j] = least(least(above[j], row[j - 1]) + 1,
				above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = above;
		above = row;
		row = free_row;
	}
	return above[m];
}

const char *suggest(const char *word, const char *const *names, size_t count)
{
	/* a third of the letters may be wrong */
	size_t best = strlen(word) / 3 + 1, d;
	const char *found = NULL;

	for (size_t i = 0; i < count; i++) {
		d = distance(word, names[i]);
		if (d < best || (d == best && !found)) {
			best = d;
			found = names[i];
		}
	}
	return found;
}
