/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes, modes, durations, paths and names, read strictly. */
#include "text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* Digits from *text on in BASE; *text is left behind them. At least one digit must be there. */
static int parse_digits(const char **text, unsigned base, uint64_t *ret)
{
	const char *p = *text;
	uint64_t value = 0;

	if (*p < '0' || *p >= (char)('0' + base))
		return -EINVAL;
	for (; *p >= '0' && *p < (char)('0' + base); p++) {
		if (__builtin_mul_overflow(value, base, &value) ||
			__builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return -ERANGE;
	}
	*text = p;
	*ret = value;
	return 0;
}

int vp_parse_number(const char *text, uint64_t *ret)
{
	uint64_t value;
	int r = parse_digits(&text, 10, &value);

	if (r < 0)
		return r;
	if (*text)
		return -EINVAL;
	*ret = value;
	return 0;
}

int vp_parse_size(const char *text, uint64_t *ret)
{
	static const char units[] = "KMGT";
	uint64_t value;
	int r = parse_digits(&text, 10, &value);

	if (r < 0)
		return r;
	if (*text) {
		const char *unit = strchr(units, *text);
		unsigned shift;

		if (!unit || text[1])
			return -EINVAL;
		shift = 10 * (unsigned)(unit - units + 1);
		if (value > UINT64_MAX >> shift)
			return -ERANGE;
		value <<= shift;
	}
	if (value > INT64_MAX)
		return -ERANGE;
	*ret = value;
	return 0;
}

int vp_parse_mode(const char *text, uint64_t *ret)
{
	uint64_t value;
	int r = parse_digits(&text, 8, &value);

	if (r < 0)
		return r;
	if (*text)
		return -EINVAL;
	if (value > 01777)
		return -ERANGE;
	*ret = value;
	return 0;
}

int vp_parse_duration(const char *text, unsigned *ret_s)
{
	static const struct {
		const char *unit;
		unsigned seconds;
	} units[] = {{"s", 1}, {"min", 60}, {"h", 3600}};
	uint64_t value;
	int r = parse_digits(&text, 10, &value);

	if (r < 0)
		return r;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(text, units[i].unit) != 0)
			continue;
		if (value == 0)
			return -EINVAL;
		if (value > INT_MAX / 1000 / units[i].seconds)
			return -ERANGE;
		*ret_s = (unsigned)value * units[i].seconds;
		return 0;
	}
	return -EINVAL;
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

int vp_check_path(const char *path, const char **ret_why)
{
	const char *why = NULL;

	if (!path[0])
		why = "is empty";
	else if (path[0] != '/')
		why = "is not absolute";
	else if (strlen(path) >= PATH_MAX)
		why = "is too long";
	for (const char *p = path; !why && *p; p++)
		if (is_control(*p))
			why = "holds a control character";
	for (const char *p = path; !why && *p;) {
		size_t length = strcspn(++p, "/");

		if (length == 0 && (*p || p != path + 1))
			why = "has an empty component (two slashes, or one at its end)";
		else if (length > NAME_MAX)
			why = "has a component longer than 255 bytes";
		else if ((length == 1 && p[0] == '.') || (length == 2 && !memcmp(p, "..", 2)))
			why = "has a component '.' or '..'";
		else if (!strncmp(p, VP_TEMPORARY_PREFIX, sizeof(VP_TEMPORARY_PREFIX) - 1))
			why = "has a component that begins with '" VP_TEMPORARY_PREFIX
			      "', as what virt-parts removes";
		p += length;
	}
	if (!why)
		return 0;
	*ret_why = why;
	return -EINVAL;
}

bool vp_path_within(const char *path, const char *dir)
{
	size_t length = strlen(dir);

	if (length == 1) /* the root directory */
		return true;
	return strncmp(path, dir, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

bool vp_is_file_name(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length > NAME_MAX || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++)
		if (*name == '/' || is_control(*name))
			return false;
	return true;
}

int vp_check_guest_name(const char *name, const char **ret_why)
{
	static const char blanks[] = " \t";

	if (!vp_is_file_name(name))
		*ret_why = "a guest of that name cannot have directives: it leads elsewhere in a "
			   "path";
	else if (strchr(blanks, name[0]) || strchr(blanks, name[strlen(name) - 1]))
		*ret_why = "a guest whose name begins or ends with a blank cannot have "
			   "directives: a path with its name could be another guest's; rename it";
	else
		return 0;
	return -EINVAL;
}

bool vp_is_uuid(const char *text)
{
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (!text[i] ||
			(dash ? text[i] != '-' : !strchr("0123456789abcdefABCDEF", text[i])))
			return false;
	}
	return text[36] == '\0';
}

bool vp_is_stamped(const char *text, size_t length)
{
	static const char form[VP_STAMP + 1] = "dddd-dd-ddTdd:dd:dd.dddZ ";

	for (size_t i = 0; i < VP_STAMP; i++)
		if (i >= length ||
			(form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i]))
			return false;
	return true;
}

bool vp_is_high_control(const char *text)
{
	return (unsigned char)text[0] == 0xc2 && ((unsigned char)text[1] & 0xe0) == 0x80;
}

/* Whether byte I is one of the two. */
static bool is_of_high_control(const char *text, size_t i, size_t length)
{
	return (i + 1 < length && vp_is_high_control(text + i)) ||
	       (i > 0 && vp_is_high_control(text + i - 1));
}

static char *escape(const char *text, size_t length, char *buffer, size_t size, bool backslashes)
{
	static const char hex[] = "0123456789abcdef";
	size_t used = 0;

	for (size_t i = 0; i < length && used + 5 <= size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\n' || c == '\t' || (c == '\\' && backslashes)) {
			buffer[used++] = '\\';
			buffer[used++] = c == '\n' ? 'n' : c == '\t' ? 't' : '\\';
		} else if (is_control((char)c) || is_of_high_control(text, i, length)) {
			buffer[used++] = '\\';
			buffer[used++] = 'x';
			buffer[used++] = hex[c >> 4];
			buffer[used++] = hex[c & 15];
		} else {
			buffer[used++] = (char)c;
		}
	}
	if (size)
		buffer[used] = '\0';
	return buffer;
}

char *vp_escape(const char *text, size_t length, char *buffer, size_t size)
{
	return escape(text, length, buffer, size, true);
}

char *vp_escape_controls(const char *text, size_t length, char *buffer, size_t size)
{
	return escape(text, length, buffer, size, false);
}
