/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which file names are parts, and which words make the directory of an event. */
#include "part-name.h"

#include <stddef.h>
#include <string.h>

static bool ends_with(const char *name, const char *suffix)
{
	size_t length = strlen(name), tail = strlen(suffix);

	return length >= tail && strcmp(name + length - tail, suffix) == 0;
}

bool name_is_leftover(const char *name)
{
	static const char *const suffixes[] = {
		"~", ".bak", ".orig", ".rej", ".swp", ".pacnew", ".pacsave"};
	static const char *const marks[] = {".dpkg-", ".ucf-", ".rpm"};

	if (name[0] == '.')
		return true;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (ends_with(name, suffixes[i]))
			return true;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (strstr(name, marks[i]))
			return true;
	return false;
}

bool name_is_part(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._+-";

	return name[0] >= '0' && name[0] <= '9' && !name[strspn(name, allowed)] &&
	       !name_is_leftover(name);
}

bool name_is_event_word(const char *text)
{
	enum { MAX_WORD = 64 };
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz-");

	if (text[length] || length == 0 || length > MAX_WORD)
		return false;
	return text[0] != '-' || length == 1;
}
