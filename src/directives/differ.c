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

/* Whether all directives of the name, of which FIRST is one, are as recorded: 1 or 0, -errno. */
static int is_recorded(int run, struct vp_source *source, const struct vp_element *first,
	const struct vp_event *event)
{
	char file[300], *theirs = NULL, *ours = NULL;
	size_t length = 0;
	int r = 0;

	if ((size_t)snprintf(file, sizeof(file), "asked/%s", first->name) >= sizeof(file))
		return 0;
	for (const struct vp_element *d = first; r == 0 && d; d = d->next)
		if (strcmp(d->name, first->name) == 0)
			r = vp_directive_record(source, d, event, &ours, &length);
	if (r == 0)
		r = vp_record_read(run, file, &theirs, NULL);
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

/* What the record has and SOURCE has not. */
static int add_dropped(FILE *out, int run, const struct vp_source *source)
{
	struct dirent **entries = NULL;
	int n = scandirat(run, "asked", &entries, NULL, alphasort);

	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		if (entries[i]->d_name[0] != '.' && !first_of(source, entries[i]->d_name))
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
