/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes, modes, durations, paths, names, and the list of mounts; the first byte says which. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "mounts.h"
#include "text.h"

static void check_size(const char *text)
{
	uint64_t value = 42, expected;
	int r = vp_parse_size(text, &value);
	char *end;
	unsigned shift = 0;

	HOLDS(r == 0 || ((r == -EINVAL || r == -ERANGE) && value == 42));
	if (r < 0)
		return;
	HOLDS(isdigit((unsigned char)*text));
	errno = 0;
	expected = strtoull(text, &end, 10);
	HOLDS(errno == 0);
	if (*end) {
		shift = *end == 'K'   ? 10
			: *end == 'M' ? 20
			: *end == 'G' ? 30
			: *end == 'T' ? 40
				      : 99;
		HOLDS(shift != 99 && !end[1]);
	}
	HOLDS(expected <= UINT64_MAX >> shift && value == expected << shift);
}

static void check_mode(const char *text)
{
	uint64_t value = 42;

	if (vp_parse_mode(text, &value) == 0)
		HOLDS(value <= 01777 && strspn(text, "01234567") == strlen(text) &&
			value == strtoull(text, NULL, 8));
	else
		HOLDS(value == 42);
}

static void check_path(const char *text)
{
	const char *why = NULL;
	char around[PATH_MAX + 4];

	if (vp_check_path(text, &why) < 0) {
		HOLDS(why);
		return;
	}
	HOLDS(*text == '/' && strlen(text) < PATH_MAX);
	snprintf(around, sizeof(around), "%s/", text);
	HOLDS(!strstr(around, "/../") && !strstr(around, "/./"));
	for (const char *at = text; *at; at++)
		HOLDS((unsigned char)*at >= ' ' && *at != 0x7f);
	HOLDS(vp_path_within(text, text) && vp_path_within(text, "/"));
}

static void check_words(const char *text, size_t length)
{
	char escaped[256];
	unsigned seconds = 42;

	HOLDS(vp_escape(text, length, escaped, sizeof(escaped)) == escaped &&
		strlen(escaped) < sizeof(escaped));
	for (const char *at = escaped; *at; at++)
		HOLDS((unsigned char)*at >= ' ' && *at != 0x7f);
	if (vp_is_file_name(text))
		HOLDS(*text && strcmp(text, ".") && strcmp(text, "..") && !strchr(text, '/'));
	if (vp_is_uuid(text))
		HOLDS(strlen(text) == 36);
	if (vp_parse_duration(text, &seconds) == 0)
		HOLDS(seconds >= 1);
}

static int look(const struct vp_mount *mount, void *context)
{
	(void)context;
	return strlen(mount->mount_point) + strlen(mount->source) + strlen(mount->fs_type) >
	       1 << 20;
}

static void check_mounts(const char *text, size_t length)
{
	int fd = memfd_create("mountinfo", MFD_CLOEXEC);

	HOLDS(fd >= 0 && write(fd, text, length) == (ssize_t)length);
	lseek(fd, 0, SEEK_SET);
	vp_each_mount_of(fd, look, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size < 1)
		return 0;
	text = malloc(size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (*data) {
	case 's':
		check_size(text);
		break;
	case 'm':
		check_mode(text);
		break;
	case 'p':
		check_path(text);
		break;
	case 'i':
		check_mounts(text, size - 1);
		break;
	default:
		check_words(text, size - 1);
	}
	free(text);
	return 0;
}
