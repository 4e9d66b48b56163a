/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a walk is, as text of bounded length for messages, and the reasons of failures. */
#include "walk-text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void vp_walk_text_push(struct vp_walk_text *text, const char *name)
{
	size_t length = strlen(name);

	if (text->tail_levels == 0 && text->head_length + length + 1 <= sizeof(text->head)) {
		memcpy(text->head + text->head_length, name, length);
		text->head[text->head_length + length] = '/';
		text->head_length += length + 1;
		text->head_levels++;
		return;
	}
	text->tail_levels++;
	while (text->tail_length + length + 1 > sizeof(text->tail)) {
		char *slash = memchr(text->tail, '/', text->tail_length);
		size_t first = slash ? (size_t)(slash - text->tail) + 1 : text->tail_length;

		text->tail_length -= first;
		memmove(text->tail, text->tail + first, text->tail_length);
	}
	memcpy(text->tail + text->tail_length, name, length);
	text->tail[text->tail_length + length] = '/';
	text->tail_length += length + 1;
}

/* Drops the last "name/" of text. */
static size_t drop_last(const char *text, size_t length)
{
	if (length > 0)
		length--;
	while (length > 0 && text[length - 1] != '/')
		length--;
	return length;
}

void vp_walk_text_pop(struct vp_walk_text *text)
{
	if (text->tail_levels > 0) {
		text->tail_levels--;
		text->tail_length = drop_last(text->tail, text->tail_length);
	} else if (text->head_levels > 0) {
		text->head_levels--;
		text->head_length = drop_last(text->head, text->head_length);
	}
}

/* How many components the tail still has. */
static unsigned kept_levels(const struct vp_walk_text *text)
{
	unsigned kept = 0;

	for (size_t i = 0; i < text->tail_length; i++)
		kept += text->tail[i] == '/';
	return kept;
}

const char *vp_walk_text_path(
	const struct vp_walk_text *text, const char *name, char buffer[VP_WALK_TEXT_MAX])
{
	const char *gap = kept_levels(text) < text->tail_levels ? ".../" : "";
	int length = snprintf(buffer, VP_WALK_TEXT_MAX, "%.*s%s%.*s%s", (int)text->head_length,
		text->head, gap, (int)text->tail_length, text->tail, name ? name : "");

	if (length == 0)
		return strcpy(buffer, ".");
	if (!name)
		buffer[length - 1] = '\0'; /* the slash after the last component */
	return buffer;
}

const char *vp_walk_note(unsigned *n, const char *what)
{
	enum { MAX_NOTES = 20 };

	if (*n > MAX_NOTES)
		return NULL;
	return (*n)++ < MAX_NOTES ? what : "and more, of which no more is told";
}

int vp_why_set(const struct vp_why *why, int r, const char *format, ...)
{
	va_list arguments;

	if (!why->text || why->size == 0)
		return r;
	va_start(arguments, format);
	vsnprintf(why->text, why->size, format, arguments);
	va_end(arguments);
	return r;
}

int vp_why_path(const struct vp_why *why, int r, const char *verb, const char *path)
{
	return vp_why_set(why, r, "cannot %s '%s': %s", verb, path, strerror(-r));
}
