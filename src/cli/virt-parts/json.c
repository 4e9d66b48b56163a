/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes one JSON value to standard output: RFC 8259. */
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "text.h"

/* Bytes of the UTF-8 character that TEXT begins with; 0 when it begins with none. */
static size_t utf8_length(const char *text)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t min;
	} forms[] = {{0x80, 0, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
	unsigned char first = (unsigned char)*text;

	for (size_t n = 1; n <= 4; n++) {
		uint32_t value = first & (unsigned char)~forms[n - 1].mask;

		if ((first & forms[n - 1].mask) != forms[n - 1].lead)
			continue;
		for (size_t i = 1; i < n; i++) {
			if (((unsigned char)text[i] & 0xc0) != 0x80)
				return 0;
			value = value << 6 | ((unsigned char)text[i] & 0x3f);
		}
		if (value < forms[n - 1].min || value > 0x10ffff ||
			(value >= 0xd800 && value <= 0xdfff))
			return 0;
		return n;
	}
	return 0;
}

static void put_string(const char *text)
{
	putchar('"');
	while (*text) {
		size_t n = utf8_length(text);

		if (n == 0)
			fputs("\\ufffd", stdout);
		else if (n == 2 && vp_is_high_control(text))
			printf("\\u%04x", (unsigned char)text[1]);
		else if (n > 1)
			fwrite(text, 1, n, stdout);
		else if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if (*text == '\n')
			fputs("\\n", stdout);
		else if ((unsigned char)*text < ' ' || *text == 0x7f)
			printf("\\u%04x", (unsigned char)*text);
		else
			putchar(*text);
		text += n ? n : 1;
	}
	putchar('"');
}

/* What stands before a value: a comma, a new line, its name. */
static void begin(struct json *json, const char *name)
{
	if (json->depth) {
		if (json->filled[json->depth - 1])
			putchar(',');
		json->filled[json->depth - 1] = true;
		printf("\n%*s", json->depth * 2, "");
	}
	if (name) {
		put_string(name);
		fputs(": ", stdout);
	}
}

static void open_level(struct json *json, const char *name, char opens, char closes)
{
	begin(json, name);
	if (json->depth == JSON_MAX_DEPTH)
		abort();
	putchar(opens);
	json->filled[json->depth] = false;
	json->close[json->depth++] = closes;
}

void json_object(struct json *json, const char *name)
{
	open_level(json, name, '{', '}');
}

void json_array(struct json *json, const char *name)
{
	open_level(json, name, '[', ']');
}

void json_end(struct json *json)
{
	json->depth--;
	if (json->filled[json->depth])
		printf("\n%*s", json->depth * 2, "");
	putchar(json->close[json->depth]);
	if (json->depth == 0)
		putchar('\n');
}

void json_text(struct json *json, const char *name, const char *text)
{
	begin(json, name);
	if (text)
		put_string(text);
	else
		fputs("null", stdout);
}

void json_number(struct json *json, const char *name, int64_t number)
{
	begin(json, name);
	printf("%" PRId64, number);
}

void json_bool(struct json *json, const char *name, bool value)
{
	begin(json, name);
	fputs(value ? "true" : "false", stdout);
}

void json_time(struct json *json, const char *name, int64_t seconds)
{
	time_t time = (time_t)seconds;
	struct tm tm;
	char text[32] = "";

	if (gmtime_r(&time, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	json_text(json, name, *text ? text : NULL);
}
