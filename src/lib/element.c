/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The directives of a guest as a small tree. */
#include "element.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What was allocated, newest first, so that it goes in one piece. */
struct chunk {
	struct chunk *next;
	_Alignas(max_align_t) char data[];
};

void *vp_source_alloc(struct vp_source *source, size_t size)
{
	struct chunk *chunk = calloc(1, sizeof(*chunk) + size);

	if (!chunk)
		return NULL;
	chunk->next = source->memory;
	source->memory = chunk;
	return chunk->data;
}

char *vp_source_copy(struct vp_source *source, const char *text, size_t length)
{
	char *copy = vp_source_alloc(source, length + 1);

	if (copy)
		memcpy(copy, text, length);
	return copy;
}

void vp_source_free(struct vp_source *source)
{
	struct chunk *chunk = source->memory;

	while (chunk) {
		struct chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
	source->memory = NULL;
	source->directives = NULL;
}

struct vp_element *vp_element_add(
	struct vp_source *source, struct vp_element *parent, const char *name)
{
	struct vp_element **first = parent ? &parent->first_child : &source->directives;
	struct vp_element *element = vp_source_alloc(source, sizeof(*element));

	if (!element)
		return NULL;
	element->name = vp_source_copy(source, name, strlen(name));
	if (!element->name)
		return NULL;
	element->text = "";
	element->parent = parent;
	if (*first)
		(*first)->last->next = element;
	else
		*first = element;
	(*first)->last = element;
	return element;
}

int vp_element_set(
	struct vp_source *source, struct vp_element *element, const char *name, const char *text)
{
	size_t n = element->n_attrs;
	struct vp_attr *attrs;

	for (size_t i = 0; i < n; i++)
		if (strcmp(element->attrs[i].name, name) == 0)
			return -EEXIST;
	attrs = vp_source_alloc(source, (n + 1) * sizeof(*attrs));
	if (!attrs)
		return -ENOMEM;
	if (n)
		memcpy(attrs, element->attrs, n * sizeof(*attrs));
	attrs[n].name = vp_source_copy(source, name, strlen(name));
	attrs[n].text = vp_source_copy(source, text, strlen(text));
	if (!attrs[n].name || !attrs[n].text)
		return -ENOMEM;
	element->attrs = attrs;
	element->n_attrs = n + 1;
	return 0;
}

const struct vp_element *vp_next(const struct vp_element *element, const char *name)
{
	do
		element = element->next;
	while (element && name && strcmp(element->name, name) != 0);
	return element;
}

const struct vp_element *vp_child(const struct vp_element *parent, const char *name)
{
	const struct vp_element *child = parent->first_child;

	return child && name && strcmp(child->name, name) != 0 ? vp_next(child, name) : child;
}

static const struct vp_attr *find_attr(const struct vp_element *element, const char *name)
{
	for (size_t i = 0; i < element->n_attrs; i++)
		if (strcmp(element->attrs[i].name, name) == 0)
			return &element->attrs[i];
	return NULL;
}

const char *vp_attr_text(const struct vp_element *element, const char *name, const char *fallback)
{
	const struct vp_attr *attr = find_attr(element, name);

	return attr ? attr->text : fallback;
}

uint64_t vp_attr_number(const struct vp_element *element, const char *name, uint64_t fallback)
{
	const struct vp_attr *attr = find_attr(element, name);

	return attr ? attr->number : fallback;
}

bool vp_attr_has_word(const struct vp_element *element, const char *name, const char *word)
{
	const char *text = vp_attr_text(element, name, "");
	size_t length = strlen(word);

	while (*text) {
		size_t n;

		text += strspn(text, " \t\n");
		n = strcspn(text, " \t\n");
		if (n && n == length && memcmp(text, word, n) == 0)
			return true;
		text += n;
	}
	return false;
}
