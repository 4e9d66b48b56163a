/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directives as a record keeps them, and whether those of XML are the same. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asked.h"
#include "bind.h"
#include "directives.h"

int vp_directive_record(struct vp_source *source, const struct vp_element *directive,
	const struct vp_event *event, char **text, size_t *length)
{
	const struct vp_directive *known = vp_directive_find(directive->name);
	struct vp_tokens tokens;
	int r = vp_tokens_of(source, directive, known && vp_spec_has_dates(known->spec),
		event->domain, event->uuid, event->time, &tokens);

	return r < 0 ? r : vp_asked_add(source, directive, &tokens, text, length);
}

static const struct vp_element *first_of(const struct vp_source *source, const char *name)
{
	const struct vp_element *d = source->directives;

	while (d && strcmp(d->name, name) != 0)
		d = d->next;
	return d;
}

/* The length of what a disk that is attached adds, or 0: an <iso> with no more than a path, as no XML may have it. */
static size_t attached_length(const char *text)
{
	static const char form[] = "preload\n\tiso\n\t\t@path ";
	size_t length = sizeof(form) - 1;

	if (strncmp(text, form, length) != 0)
		return 0;
	length += strcspn(text + length, "\n");
	length += text[length] == '\n';
	return text[length] == '\t' ? 0 : length;
}

/* What the guest itself asked for: *ret_text, to be freed. 0 or -errno. */
static int read_own(int run, const char *name, char **ret_text)
{
	char file[300], *text, *from, *to;
	int r;

	if ((size_t)snprintf(file, sizeof(file), "asked/%s", name) >= sizeof(file))
		return -ENOENT;
	r = vp_record_read(run, file, &text, NULL);
	if (r < 0)
		return r;
	for (from = to = text; *from;) {
		size_t attached = attached_length(from), length = strcspn(from, "\n");

		length += from[length] == '\n';
		if (!attached) {
			memmove(to, from, length);
			to += length;
		}
		from += attached ? attached : length;
	}
	*to = '\0';
	*ret_text = text;
	return 0;
}

/* Whether all directives of the name, of which FIRST is one, are as recorded: 1 or 0, -errno. */
static int is_recorded(int run, struct vp_source *source, const struct vp_element *first,
	const struct vp_event *event)
{
	char *theirs = NULL, *ours = NULL;
	size_t length = 0;
	int r = 0;

	for (const struct vp_element *d = first; r == 0 && d; d = d->next)
		if (strcmp(d->name, first->name) == 0)
			r = vp_directive_record(source, d, event, &ours, &length);
	if (r == 0)
		r = read_own(run, first->name, &theirs);
	if (r == 0)
		r = strcmp(ours, theirs) == 0;
	else if (r == -EINVAL || r == -ENOENT) /* a date that is none, or not recorded */
		r = 0;
	free(ours);
	free(theirs);
	return r;
}

static void add_name(FILE *out, const char *name)
{
	fprintf(out, "%s<%s>", ftell(out) > 0 ? ", " : "", name);
}

/* Also when that cannot be told. */
static bool is_asked(int run, const char *name)
{
	char *text = NULL;
	bool asked = read_own(run, name, &text) < 0 || *text;

	free(text);
	return asked;
}

/* What the record has and SOURCE has not. */
static int add_dropped(FILE *out, int run, const struct vp_source *source)
{
	struct dirent **entries = NULL;
	int n = scandirat(run, "asked", &entries, NULL, alphasort);

	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		if (entries[i]->d_name[0] != '.' && !first_of(source, entries[i]->d_name) &&
			is_asked(run, entries[i]->d_name))
			add_name(out, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

int vp_directives_differ(
	int run, struct vp_source *source, const struct vp_event *event, char **ret_names)
{
	size_t length = 0;
	FILE *out = open_memstream(ret_names, &length);
	int r = 0, same;

	if (!out)
		return -ENOMEM;
	for (const struct vp_element *d = source->directives; r == 0 && d; d = d->next) {
		same = first_of(source, d->name) == d ? is_recorded(run, source, d, event) : 1;
		if (same == 0)
			add_name(out, d->name);
		r = same < 0 ? same : 0;
	}
	if (r == 0)
		r = add_dropped(out, run, source);
	if (fclose(out) != 0 && r == 0)
		r = -ENOMEM;
	if (r < 0) {
		free(*ret_names);
		*ret_names = NULL;
	}
	return r;
}
