/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages on standard error: one line each, control characters escaped. */
#include "report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

char *vp_element_path(const struct vp_element *element, char *buffer, size_t size)
{
	size_t used = 0;

	if (element->parent)
		vp_element_path(element->parent, buffer, size);
	else if (size)
		buffer[0] = '\0';
	used = strlen(buffer);
	if (used < size)
		snprintf(buffer + used, size - used, "<%s>", element->name);
	return buffer;
}

/* One write a line, so that lines of several writers do not mix in the log. */
__attribute__((format(printf, 4, 0))) static void report(const struct vp_event *event,
	const struct vp_element *where, const char *kind, const char *format, va_list args)
{
	char text[4096], path[256], line[6144], escaped[8192];
	int n;
	size_t length;

	vsnprintf(text, sizeof(text), format, args);
	/* a guest that is called like a line of the dispatcher's does not make one */
	n = snprintf(line, sizeof(line), "%s%s: %s: %s%s",
		vp_is_stamped(event->domain, strlen(event->domain)) ? " " : "", event->domain,
		where ? vp_element_path(where, path, sizeof(path)) : event->part, kind, text);
	if (n < 0)
		return;
	length = (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1;
	vp_escape(line, length, escaped, sizeof(escaped) - 1);
	length = strlen(escaped);
	escaped[length++] = '\n';
	if (write(STDERR_FILENO, escaped, length) < 0)
		return; /* there is nobody to tell */
}

void vp_error(const struct vp_event *event, const struct vp_element *where, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(event, where, "", format, args);
	va_end(args);
}

void vp_note(const struct vp_event *event, const struct vp_element *where, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(event, where, "note: ", format, args);
	va_end(args);
}
