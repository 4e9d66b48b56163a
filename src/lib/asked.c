/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The directives of one name as a run's record keeps them. */
#include "asked.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"

/* The reader's bound on depth is below this. */
static const char tabs[] = "\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t";

static int parse_attribute(struct vp_source *source, struct vp_element *element, char *line)
{
	char *space = strchr(line, ' ');

	if (!space)
		return -EINVAL;
	*space = '\0';
	return vp_element_set(source, element, line, space + 1);
}

/* A line without its tabs and newline; *at is the element read last. */
static int parse_line(struct vp_source *source, struct vp_element **at, unsigned *at_level,
	unsigned level, char *line)
{
	struct vp_element *parent = *at;

	if (*line == '@' || *line == '=') {
		if (!*at || level != *at_level + 1)
			return -EINVAL;
		if (*line == '@')
			return parse_attribute(source, *at, line + 1);
		(*at)->text = vp_source_copy(source, line + 1, strlen(line + 1));
		return (*at)->text ? 0 : -ENOMEM;
	}
	if (!*line || (parent ? level > *at_level + 1 : level > 0))
		return -EINVAL;
	for (unsigned up = parent ? *at_level + 1 : 0; up > level; up--)
		parent = parent->parent;
	*at = vp_element_add(source, parent, line);
	*at_level = level;
	return *at ? 0 : -ENOMEM;
}

int vp_asked_read(int run, const char *name, struct vp_source *ret)
{
	char file[300];

	*ret = (struct vp_source){.recorded = true};
	if (vp_record_gives_up(run, name))
		return 0;
	if ((size_t)snprintf(file, sizeof(file), "asked/%s", name) >= sizeof(file))
		return -ENAMETOOLONG;
	return vp_asked_read_file(run, file, ret);
}

int vp_asked_read_file(int run, const char *file, struct vp_source *ret)
{
	struct vp_element *at = NULL;
	unsigned at_level = 0;
	char *text = NULL, *line, *end;
	int r;

	*ret = (struct vp_source){.recorded = true};
	r = vp_record_read(run, file, &text, NULL);
	if (r == -ENOENT)
		return 0;
	for (line = text; r == 0 && *line; line = end + 1) {
		unsigned level = (unsigned)strspn(line, "\t");

		end = strchr(line, '\n');
		if (!end) {
			r = -EINVAL;
			break;
		}
		*end = '\0';
		r = parse_line(ret, &at, &at_level, level, line + level);
	}
	if (r < 0)
		snprintf(ret->why, sizeof(ret->why), "cannot read '%s' of the run's record: %s",
			file, strerror(-r));
	free(text);
	return r;
}

static int write_value(FILE *out, struct vp_source *source, const char *before, const char *text,
	const struct vp_tokens *tokens, int level)
{
	const char *form = vp_expand_to_record(source, text, tokens);

	if (!form)
		return source->why[0] ? -EINVAL : -ENOMEM;
	return fprintf(out, "%.*s%s%s\n", level, tabs, before, form) < 0 ? -ENOMEM : 0;
}

/* A <datestr> is kept as it is: it says which text is a date. */
static const struct vp_tokens *tokens_below(
	const struct vp_element *element, const struct vp_tokens *tokens)
{
	static const struct vp_tokens none;

	return strcmp(element->name, "datestr") == 0 ? &none : tokens;
}

static int write_element(FILE *out, struct vp_source *source, const struct vp_element *element,
	const struct vp_tokens *tokens, int level)
{
	int r = 0;

	tokens = tokens_below(element, tokens);
	fprintf(out, "%.*s%s\n", level, tabs, element->name);
	for (size_t i = 0; r == 0 && i < element->n_attrs; i++) {
		fprintf(out, "%.*s@%s", level + 1, tabs, element->attrs[i].name);
		r = write_value(out, source, " ", element->attrs[i].text, tokens, 0);
	}
	if (r == 0 && *element->text)
		r = write_value(out, source, "=", element->text, tokens, level + 1);
	for (const struct vp_element *child = element->first_child; r == 0 && child;
		child = child->next)
		r = write_element(out, source, child, tokens, level + 1);
	return r;
}

int vp_asked_add(struct vp_source *source, const struct vp_element *directive,
	const struct vp_tokens *tokens, char **text, size_t *length)
{
	char *added = NULL, *both;
	size_t added_length = 0;
	int r;
	FILE *out = open_memstream(&added, &added_length);

	if (!out)
		return -ENOMEM;
	r = write_element(out, source, directive, tokens, 0);
	if (fclose(out) != 0 && r == 0)
		r = -ENOMEM;
	both = r < 0 ? NULL : realloc(*text, *length + added_length + 1);
	if (!both) {
		free(added);
		return r < 0 ? r : -ENOMEM;
	}
	memcpy(both + *length, added, added_length + 1);
	free(added);
	*text = both;
	*length += added_length;
	return 0;
}
