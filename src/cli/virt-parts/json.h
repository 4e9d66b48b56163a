/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json.h: writes one JSON value to standard output, indented, as it is told.
 *
 * In an object every value has a name, in an array (and at the top) none: NULL. Text is UTF-8; bytes
 * that are not become U+FFFD.
 */
#ifndef VP_CLI_JSON_H
#define VP_CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>

enum { JSON_MAX_DEPTH = 16 };

struct json {
	int depth;
	bool filled[JSON_MAX_DEPTH]; /* something is in it already */
	char close[JSON_MAX_DEPTH];
};

void json_object(struct json *json, const char *name);
void json_array(struct json *json, const char *name);
void json_end(
	struct json *json); /* of the object or array begun last; at the top a newline follows */

void json_text(struct json *json, const char *name, const char *text); /* NULL text: null */
void json_number(struct json *json, const char *name, int64_t number);
void json_bool(struct json *json, const char *name, bool value);
void json_time(struct json *json, const char *name, int64_t seconds); /* 2026-11-21T22:10:25Z */

#endif
