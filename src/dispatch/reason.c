/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a guest ends: libvirt's fourth argument, or qemu's log. */
#include "reason.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "text.h"

enum { TAIL = 64 << 10 };

void reason_from_extra(const char *extra, char ret[REASON_SIZE])
{
	size_t n = 0;

	for (; *extra && n < REASON_SIZE - 1; extra++)
		ret[n++] = (unsigned char)*extra <= ' ' || *extra == 0x7f ? '-' : *extra;
	ret[n] = '\0';
}

/* `2026-11-21 22:10:25.123+0000: `, 30 characters, as libvirt begins its own lines. */
static bool read_stamp(const char *line, size_t length, time_t *ret)
{
	static const char form[] = "dddd-dd-dd dd:dd:dd.ddd+0000: ";
	struct utc utc;

	if (length < sizeof(form) - 1)
		return false;
	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == 'd' ? line[i] < '0' || line[i] > '9' : line[i] != form[i])
			return false;
#define TWO(at) ((unsigned)(line[at] - '0') * 10 + (unsigned)(line[(at) + 1] - '0'))
	utc = (struct utc){(int)(TWO(0) * 100 + TWO(2)), TWO(5), TWO(8), TWO(11), TWO(14), TWO(17)};
#undef TWO
	*ret = clock_seconds(&utc);
	return true;
}

/* Past the stamp of a line of libvirt's own that is not older than SINCE. */
static bool read_prefix(const char **line, size_t *length, time_t since)
{
	time_t stamp;

	if (!read_stamp(*line, *length, &stamp) || stamp < since)
		return false;
	*line += 30;
	*length -= 30;
	return true;
}

/* Of the guest's last start: what is before that is another life, maybe of the same second. */
static bool read_migration(const char *line, size_t length, time_t since, char ret[REASON_SIZE])
{
	static const char start[] = "starting up ", what[] = "initiating migration";

	if (!read_prefix(&line, &length, since))
		return false;
	ret[0] = '\0';
	if (length == sizeof(what) - 1 && !memcmp(line, what, length))
		strcpy(ret, "migrated");
	return ret[0] || (length >= sizeof(start) - 1 && !memcmp(line, start, sizeof(start) - 1));
}

/* The reason in a line of libvirt's own; what the guest prints has no time in front. */
static bool read_line(const char *line, size_t length, time_t since, char ret[REASON_SIZE])
{
	static const char what[] = "shutting down, reason=";
	const char *word;
	size_t n;

	if (!read_prefix(&line, &length, since))
		return false;
	if (length <= sizeof(what) - 1 || memcmp(line, what, sizeof(what) - 1) != 0)
		return false;
	word = line + sizeof(what) - 1;
	n = length - (sizeof(what) - 1);
	if (n >= REASON_SIZE)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((word[i] < 'a' || word[i] > 'z') && word[i] != '-' && word[i] != ' ')
			return false;
	memcpy(ret, word, n);
	ret[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if (ret[i] == ' ')
			ret[i] = '-';
	return true;
}

/* The last bytes of a file that is trusted no further than to be read; how many, 0 on any error. */
static size_t read_tail(const char *path, char *buffer, bool *ret_whole)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	ssize_t n = 0;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		*ret_whole = st.st_size <= TAIL;
		n = pread(fd, buffer, TAIL, *ret_whole ? 0 : st.st_size - TAIL);
	}
	close(fd);
	return n > 0 ? (size_t)n : 0;
}

typedef bool read_log_line(const char *line, size_t length, time_t since, char ret[REASON_SIZE]);

/* The last line that READ finds something in. */
static bool read_log(const char *path, read_log_line *read, time_t since, char ret[REASON_SIZE])
{
	static char buffer[TAIL];
	bool whole = false;
	size_t end = read_tail(path, buffer, &whole);

	while (end > 0) {
		const char *newline = memrchr(buffer, '\n', end);
		size_t start = newline ? (size_t)(newline - buffer) + 1 : 0;

		/* the first line of a cut tail has lost its beginning */
		if (!newline && !whole)
			return false;
		if (read(buffer + start, end - start, since, ret))
			return true;
		if (!newline)
			return false;
		end = start - 1;
	}
	return false;
}

static bool read_logs(const char *log_dir, const char *name, read_log_line *read, time_t since,
	char ret[REASON_SIZE])
{
	static const char *const suffixes[] = {".log", ".log.0"};
	char path[PATH_MAX];

	if (!vp_is_file_name(name))
		return false;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		int n = snprintf(path, sizeof(path), "%s/%s%s", log_dir, name, suffixes[i]);

		if (n > 0 && (size_t)n < sizeof(path) && read_log(path, read, since, ret))
			return true;
	}
	return false;
}

bool reason_from_qemu_log(
	const char *log_dir, const char *name, time_t since, char ret[REASON_SIZE])
{
	return read_logs(log_dir, name, read_line, since, ret);
}

bool reason_migration_began(const char *log_dir, const char *name, time_t since)
{
	char found[REASON_SIZE];

	return read_logs(log_dir, name, read_migration, since, found) && found[0];
}
