/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A raw directive checked against a part's table. */
#include "bind.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "expand.h"
#include "text.h"

struct binding {
	struct vp_source *source;
	struct vp_tokens tokens;
	const struct vp_element **where;
};

__attribute__((format(printf, 3, 4))) static int refuse(
	struct binding *b, const struct vp_element *where, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(b->source->why, sizeof(b->source->why), format, args);
	va_end(args);
	*b->where = where;
	return -EINVAL;
}

static const struct vp_tokens no_tokens;
static const char blanks[] = " \t\r\n";
enum { MAX_SHOWN = 60 }; /* of a word, so that what is said of it has room */

static char *trim(char *text)
{
	size_t length;

	text += strspn(text, blanks);
	length = strlen(text);
	while (length && strchr(blanks, text[length - 1]))
		length--;
	text[length] = '\0';
	return text;
}

static bool is_word_of(const char *const *words, const char *word, size_t length)
{
	for (; *words; words++)
		if (strlen(*words) == length && memcmp(*words, word, length) == 0)
			return true;
	return false;
}

/* The first of TEXT's words that is none of the table's, or NULL. */
static const char *wrong_word(const char *text, const char *const *words, size_t *ret_length)
{
	for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
		*ret_length = strcspn(text, blanks);
		if (!is_word_of(words, text, *ret_length))
			return text;
		text += *ret_length;
	}
	return NULL;
}

/* What a value is of: the element's text (name NULL) or an attribute. */
struct place {
	const struct vp_element *element;
	const char *name;
	enum vp_type type;
	uint64_t min, max;
	const char *const *words;
};

__attribute__((format(printf, 4, 5))) static int refuse_value(
	struct binding *b, const struct place *place, const char *text, const char *format, ...)
{
	char why[512];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	return refuse(b, place->element, "%s%s'%.200s' %s", place->name ? place->name : "",
		place->name ? " " : "", text, why);
}

static int parse_typed_number(
	struct binding *b, const struct place *place, const char *text, uint64_t *ret)
{
	static const struct {
		int (*parse)(const char *text, uint64_t *ret);
		const char *what;
	} types[] = {
		[VP_SIZE] = {vp_parse_size, "is not a size such as 64M or 1G"},
		[VP_NUMBER] = {vp_parse_number, "is not a number"},
		[VP_MODE] = {vp_parse_mode, "is not an octal mode from 0 to 1777"},
		[VP_ID] = {vp_parse_number, "is not a numeric id"},
	};
	/* the last value of uid_t means `unchanged` to chown(2) */
	uint64_t max = place->max ? place->max : place->type == VP_ID ? UINT32_MAX - 1 : UINT64_MAX;

	if (types[place->type].parse(text, ret) < 0)
		return refuse_value(b, place, text, "%s", types[place->type].what);
	if (*ret < place->min)
		return refuse_value(
			b, place, text, "is too small, the least is %" PRIu64, place->min);
	if (*ret > max)
		return refuse_value(b, place, text, "is too large, the most is %" PRIu64, max);
	return 0;
}

/* ", known are: a b c" or ", there are none", for a message. */
static const char *known_names(char *buffer, size_t size, const void *list, size_t stride)
{
	size_t used = 0;
	const char *const *name = list;

	for (; name && *name && used < size; name = (const void *)((const char *)name + stride))
		used += (size_t)snprintf(
			buffer + used, size - used, "%s%s", used ? " " : ", known are: ", *name);
	if (!used)
		snprintf(buffer, size, ", it has none");
	return buffer;
}

static int parse_value(
	struct binding *b, const struct place *place, const char **text, uint64_t *ret_number)
{
	const char *why, *wrong;
	char known[256];
	size_t length;
	/* what the dates replace, for one, must not be replaced itself */
	char *value =
		vp_expand(b->source, *text, place->type == VP_VERBATIM ? &no_tokens : &b->tokens);

	if (!value)
		return b->source->why[0] ? -EINVAL : -ENOMEM;
	if (place->type != VP_TEXT && place->type != VP_VERBATIM)
		value = trim(value);
	*text = value;
	switch (place->type) {
	case VP_TEXT:
	case VP_VERBATIM:
		return 0;
	case VP_NONE:
		return *value ? refuse_value(b, place, value, "is text where only elements may be")
			      : 0;
	case VP_PATH:
		return vp_check_path(value, &why) < 0 ? refuse_value(b, place, value, "%s", why)
						      : 0;
	case VP_YESNO:
		*ret_number = strcmp(value, "yes") == 0;
		return *ret_number || !strcmp(value, "no")
			       ? 0
			       : refuse_value(b, place, value, "is neither yes nor no");
	case VP_WORDS:
		known_names(known, sizeof(known), place->words, sizeof(*place->words));
		wrong = wrong_word(value, place->words, &length);
		if (wrong)
			return refuse_value(b, place, value, "holds an unknown word: '%.*s'%s",
				(int)(length < MAX_SHOWN ? length : MAX_SHOWN), wrong, known);
		return *value ? 0 : refuse_value(b, place, value, "holds no word%s", known);
	default:
		return parse_typed_number(b, place, value, ret_number);
	}
}

static const struct vp_attr_spec *attr_spec(const struct vp_attr_spec *specs, const char *name)
{
	for (; specs && specs->name; specs++)
		if (strcmp(specs->name, name) == 0)
			return specs;
	return NULL;
}

static bool has_attr(const struct vp_element *element, const char *name)
{
	return vp_attr_text(element, name, NULL) != NULL;
}

static int bind_attrs(
	struct binding *b, struct vp_element *element, const struct vp_element_spec *spec)
{
	char known[256];

	for (size_t i = 0; i < element->n_attrs; i++) {
		struct vp_attr *attr = &element->attrs[i];
		const struct vp_attr_spec *as = attr_spec(spec->attrs, attr->name);
		int r;

		if (!as)
			return refuse(b, element, "unknown attribute '%.100s'%s", attr->name,
				known_names(known, sizeof(known), spec->attrs, sizeof(*as)));
		r = parse_value(b,
			&(struct place){element, as->name, as->type, as->min, as->max, as->words},
			&attr->text, &attr->number);
		if (r < 0)
			return r;
	}
	for (const struct vp_attr_spec *as = spec->attrs; as && as->name; as++)
		if (as->required && !has_attr(element, as->name))
			return refuse(b, element, "needs the attribute '%s'", as->name);
	return 0;
}

static const struct vp_element_spec *child_spec(
	const struct vp_element_spec *specs, const char *name)
{
	for (; specs && specs->name; specs++)
		if (strcmp(specs->name, name) == 0)
			return specs;
	return NULL;
}

static int count_children(
	struct binding *b, const struct vp_element *element, const struct vp_element_spec *spec)
{
	for (const struct vp_element_spec *cs = spec->children; cs && cs->name; cs++) {
		const struct vp_element *child = vp_child(element, cs->name);
		unsigned n = 0;

		for (; child; child = vp_next(child, cs->name))
			n++;
		if (n < cs->min)
			return refuse(
				b, element, "needs %s <%s>", cs->min == 1 ? "a" : "more", cs->name);
		if (cs->max && n > cs->max)
			return refuse(b, element, "has %u <%s>, may have %u", n, cs->name, cs->max);
	}
	return 0;
}

static int bind_element(
	struct binding *b, struct vp_element *element, const struct vp_element_spec *spec)
{
	char known[256];
	int r;

	element->spec = spec;
	r = bind_attrs(b, element, spec);
	if (r == 0)
		r = parse_value(b, &(struct place){element, NULL, spec->type, 0, 0, NULL},
			&element->text, &element->number);
	for (struct vp_element *child = element->first_child; r == 0 && child;
		child = child->next) {
		const struct vp_element_spec *cs = child_spec(spec->children, child->name);

		if (!cs)
			return refuse(b, element, "unknown element <%.100s>%s", child->name,
				known_names(known, sizeof(known), spec->children, sizeof(*cs)));
		r = bind_element(b, child, cs);
	}
	return r < 0 ? r : count_children(b, element, spec);
}

bool vp_spec_has_dates(const struct vp_element_spec *spec)
{
	return child_spec(spec->children, "datestr") != NULL;
}

int vp_bind(struct vp_source *source, struct vp_element *directive,
	const struct vp_element_spec *spec, const struct vp_event *event,
	const struct vp_element **ret_where)
{
	struct binding b = {.source = source, .where = ret_where};
	int r = vp_tokens_of(source, directive, vp_spec_has_dates(spec), event->domain, event->uuid,
		event->time, &b.tokens);

	if (r == -EINVAL)
		return refuse(&b, directive, "%s", b.tokens.why);
	return r < 0 ? r : bind_element(&b, directive, spec);
}
