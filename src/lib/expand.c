/* SPDX-License-Identifier: GPL-2.0-or-later */
/* %NAME%, %UUID%, %DATE% and the like in a text, in one pass. */
#include "expand.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

const struct vp_element_spec vp_datestr_children[] = {
	{.name = "format", .type = VP_VERBATIM, .min = 1, .max = 1},
	{.name = "replace", .type = VP_VERBATIM, .min = 1, .max = 1},
	{0},
};

/* Only conversions that strftime(3) knows; of those it does not know it makes what it likes. */
static bool is_date_format(const char *format)
{
	for (; (format = strchr(format, '%')); format++) {
		format += 1 + strspn(format + 1, "_-0^#");
		if (*format == 'E' || *format == 'O')
			format++;
		if (!*format || !strchr("aAbBcCdDeFgGhHIjklmMpPrRsSTuUVwWxXyYzZ%", *format))
			return false;
	}
	return true;
}

static size_t format_date(char *value, size_t size, const char *format, const struct tm *tm)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* it was checked by is_date_format */
	return strftime(value, size, format, tm);
#pragma GCC diagnostic pop
}

static int add_date(struct vp_source *source, struct vp_tokens *tokens, const char *format,
	const char *replace, const struct tm *tm)
{
	char value[256];
	size_t length;

	for (size_t i = 2; i < tokens->n; i++) {
		if (strcmp(tokens->token[i].text, replace) == 0) {
			snprintf(tokens->why, sizeof(tokens->why), "two <datestr> replace '%.100s'",
				replace);
			return -EINVAL;
		}
	}
	length = is_date_format(format) ? format_date(value, sizeof(value), format, tm) : 0;
	if (length == 0) {
		snprintf(tokens->why, sizeof(tokens->why),
			"<format> '%.100s' is not a date format such as %%Y-%%m-%%d", format);
		return -EINVAL;
	}
	tokens->token[tokens->n].value = vp_source_copy(source, value, length);
	tokens->token[tokens->n].text = replace;
	tokens->token[tokens->n].date = true;
	return tokens->token[tokens->n++].value ? 0 : -ENOMEM;
}

/* The text of a child, decoded if it comes from a record. */
static const char *verbatim(
	struct vp_source *source, const struct vp_element *parent, const char *child)
{
	static const struct vp_tokens none;
	const struct vp_element *element = vp_child(parent, child);

	return element ? vp_expand(source, element->text, &none) : "";
}

int vp_tokens_of(struct vp_source *source, const struct vp_element *directive, bool dates,
	const char *name, const char *uuid, time_t time, struct vp_tokens *ret)
{
	const struct vp_element *datestr;
	bool own_date = false;
	struct tm tm;
	int r = 0;

	*ret = (struct vp_tokens){
		.n = 2, .token = {{"%NAME%", name, false}, {"%UUID%", uuid, false}}};
	if (!dates)
		return 0;
	if (!localtime_r(&time, &tm))
		return -EINVAL;
	datestr = vp_child(directive, "datestr");
	for (; r == 0 && datestr; datestr = vp_next(datestr, "datestr")) {
		const char *format = verbatim(source, datestr, "format");
		const char *replace = verbatim(source, datestr, "replace");

		if (!format || !replace)
			return -ENOMEM;
		if (!*replace) {
			snprintf(ret->why, sizeof(ret->why),
				"<replace> is empty: say which text stands for the date");
			return -EINVAL;
		}
		if (ret->n == 2 + VP_MAX_DATES) {
			snprintf(
				ret->why, sizeof(ret->why), "more than %d <datestr>", VP_MAX_DATES);
			return -EINVAL;
		}
		own_date |= strcmp(replace, "%DATE%") == 0;
		r = add_date(source, ret, format, replace, &tm);
	}
	if (r == 0 && !own_date)
		r = add_date(source, ret, "%Y-%m-%d", "%DATE%", &tm);
	return r;
}

/* The longest token that TEXT begins with; a later one wins over an earlier of the same length. */
static const struct vp_token *token_at(const char *text, const struct vp_tokens *tokens)
{
	const struct vp_token *best = NULL;
	size_t best_length = 1;

	for (size_t i = 0; i < tokens->n; i++) {
		size_t length = strlen(tokens->token[i].text);

		if (length >= best_length && strncmp(text, tokens->token[i].text, length) == 0) {
			best = &tokens->token[i];
			best_length = length;
		}
	}
	return best;
}

/* Both passes write through this: counted first, then written for real. */
struct sink {
	char *out; /* NULL: only count */
	size_t used;
};

static void put(struct sink *sink, const char *text, size_t length)
{
	if (sink->out)
		memcpy(sink->out + sink->used, text, length);
	sink->used += length;
}

static void put_encoded(struct sink *sink, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char code[8];

		vp_escape(text + i, 1, code, sizeof(code));
		put(sink, code, strlen(code));
	}
}

static void expand_xml(struct sink *sink, const char *text, const struct vp_tokens *tokens)
{
	while (*text) {
		const struct vp_token *token = token_at(text, tokens);

		if (token)
			put(sink, token->value, strlen(token->value));
		else
			put(sink, text, 1);
		text += token ? strlen(token->text) : 1;
	}
}

static void expand_to_record(struct sink *sink, const char *text, const struct vp_tokens *tokens)
{
	while (*text) {
		const struct vp_token *token = token_at(text, tokens);
		char place[16];

		if (!token)
			put_encoded(sink, text, 1);
		else if (!token->date)
			put_encoded(sink, token->value, strlen(token->value));
		else
			put(sink, place,
				(size_t)snprintf(place, sizeof(place), "\\d%zu;",
					(size_t)(token - tokens->token)));
		text += token ? strlen(token->text) : 1;
	}
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void expand_recorded(struct sink *sink, const char *text, const struct vp_tokens *tokens)
{
	while (*text) {
		const char *escape = "n\nt\t\\\\", *simple;
		char c = *text++;

		if (c == '\\' && *text == 'd') {
			char *end;
			unsigned long i = strtoul(text + 1, &end, 10);

			if (*end == ';' && i < tokens->n)
				put(sink, tokens->token[i].value, strlen(tokens->token[i].value));
			text = *end == ';' ? end + 1 : text + strlen(text);
			continue;
		}
		if (c == '\\' && *text == 'x' && hex_digit(text[1]) >= 0 &&
			hex_digit(text[2]) >= 0) {
			c = (char)(hex_digit(text[1]) * 16 + hex_digit(text[2]));
			text += 3;
		} else if (c == '\\' && *text) {
			for (simple = escape; *simple && *simple != *text; simple += 2)
				;
			c = *simple ? simple[1] : *text;
			text++;
		}
		put(sink, &c, 1);
	}
}

typedef void expander(struct sink *sink, const char *text, const struct vp_tokens *tokens);

static char *run(struct vp_source *source, const char *text, const struct vp_tokens *tokens,
	expander *expand)
{
	struct sink sink = {0};

	expand(&sink, text, tokens);
	/* a token is two bytes in the XML, and what it stands for may be hundreds */
	if (sink.used > VP_EXPANDED_MAX - source->expanded) {
		snprintf(source->why, sizeof(source->why),
			"the directives hold more than %d MiB when what stands for other text, "
			"such "
			"as %%NAME%%, is put in; use less of it",
			VP_EXPANDED_MAX >> 20);
		return NULL;
	}
	source->expanded += sink.used;
	sink.out = vp_source_alloc(source, sink.used + 1);
	sink.used = 0;
	if (sink.out)
		expand(&sink, text, tokens);
	return sink.out;
}

char *vp_expand(struct vp_source *source, const char *text, const struct vp_tokens *tokens)
{
	return run(source, text, tokens, source->recorded ? expand_recorded : expand_xml);
}

char *vp_expand_to_record(
	struct vp_source *source, const char *text, const struct vp_tokens *tokens)
{
	return run(source, text, tokens, expand_to_record);
}
