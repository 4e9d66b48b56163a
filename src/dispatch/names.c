/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of parts. */
#include "names.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

const char *name_of_directive(const char *name)
{
	const char *rest = name + strspn(name, "0123456789");

	return *rest == '-' ? rest + 1 : rest;
}

bool names_next(const struct names *names, const char **at, char *ret)
{
	const char *from = *at ? *at : names->text;
	size_t length;

	if (!from)
		return false;
	from += strspn(from, " ");
	length = strcspn(from, " ");
	*at = from + length;
	if (length == 0 || length > NAME_MAX)
		return false;
	memcpy(ret, from, length);
	ret[length] = '\0';
	return true;
}

bool names_has(const struct names *names, const char *name)
{
	char each[NAME_MAX + 1];
	const char *at = NULL;

	while (names_next(names, &at, each))
		if (strcmp(each, name) == 0)
			return true;
	return false;
}

int names_add(struct names *names, const char *name)
{
	size_t used = names->text ? strlen(names->text) : 0, length = strlen(name);
	char clean[NAME_MAX + 1], *text;

	if (length == 0 || length > NAME_MAX)
		return -EINVAL;
	/* other layouts' files may be called anything: one name must stay one */
	for (size_t i = 0; i <= length; i++)
		clean[i] = name[i] && ((unsigned char)name[i] <= ' ' || name[i] == 0x7f) ? '_'
											 : name[i];
	if (names_has(names, clean))
		return 0;
	text = realloc(names->text, used + length + 2);
	if (!text)
		return -ENOMEM;
	if (used)
		text[used++] = ' ';
	memcpy(text + used, clean, length + 1);
	names->text = text;
	return 0;
}

void names_free(struct names *names)
{
	free(names->text);
	names->text = NULL;
}
