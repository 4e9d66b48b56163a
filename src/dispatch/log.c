/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's log, and the dispatcher's standard error. */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "clock.h"
#include "record.h"
#include "text.h"

enum { MAX_NAME = 200 };

void log_init(struct log *log, const char *event, const char *object)
{
	log->fd = -1;
	snprintf(log->event, sizeof(log->event), "%s", event);
	vp_escape(object, strlen(object), log->object, sizeof(log->object));
}

static int open_file(const char *path)
{
	int fd = open(path,
		O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		0600);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return -EINVAL;
}

void log_name(char ret[NAME_MAX + 1], const char *driver, const char *name, const char *uuid)
{
	bool usable = strlen(name) <= MAX_NAME &&
		      (vp_is_file_name(name) || !strcmp(name, ".") || !strcmp(name, ".."));

	if (!strcmp(driver, "daemon"))
		snprintf(ret, NAME_MAX + 1, "%s", driver);
	else
		snprintf(ret, NAME_MAX + 1, "%s-%s", driver,
			usable	  ? name
			: uuid[0] ? uuid
				  : "unnamed");
}

void log_open(struct log *log, const char *log_dir, const char *driver, const char *name,
	const char *uuid)
{
	char path[PATH_MAX], file[NAME_MAX + 1];
	int n, r;

	log_name(file, driver, name, uuid);
	n = snprintf(path, sizeof(path), "%s/%s.log", log_dir, file);
	if (n < 0 || (size_t)n >= sizeof(path))
		r = -ENAMETOOLONG;
	else
		r = open_file(path);
	if (r == -ENOENT && vp_make_private_dir(log_dir) == 0)
		r = open_file(path);
	if (r >= 0)
		log->fd = r;
	else
		log_error(
			log, "cannot open the log '%s': %s, going on without", path, strerror(-r));
}

/* One write, so that lines of several events do not mix. */
static void put(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return; /* a full disk or a closed pipe: there is nobody left to tell */
		text += n;
		length -= (size_t)n;
	}
}

static char last_error[LOG_MESSAGE_MAX];

/* A line of standard error, whose last byte is the newline. */
static void put_error(const char *line, size_t length)
{
	put(STDERR_FILENO, line, length);
	memcpy(last_error, line, length - 1);
	last_error[length - 1] = '\0';
}

const char *log_last_error(const struct log *log)
{
	size_t whom = strlen("virt-parts: ") + strlen(log->object) + strlen(": ");

	return strlen(last_error) > whom ? last_error + whom : "";
}

static void put_line(const struct log *log, const char *kind, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

static void put_line(const struct log *log, const char *kind, const char *format, va_list args)
{
	char text[LOG_MESSAGE_MAX - 512], line[LOG_MESSAGE_MAX];
	struct timespec now;
	struct utc utc;
	size_t used;
	int n;

	if (log->fd < 0)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	utc = clock_utc(now.tv_sec);
	n = snprintf(line, sizeof(line), "%04d-%02u-%02uT%02u:%02u:%02u.%03uZ %s: %s", utc.year,
		utc.month, utc.day, utc.hour, utc.minute, utc.second,
		(unsigned)(now.tv_nsec / 1000000), log->event, kind);
	vsnprintf(text, sizeof(text), format, args);
	used = (size_t)n;
	vp_escape(text, strlen(text), line + used, sizeof(line) - used - 1);
	used += strlen(line + used);
	line[used++] = '\n';
	put(log->fd, line, used);
}

void log_line(const struct log *log, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put_line(log, "", format, args);
	va_end(args);
}

void log_warning(const struct log *log, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put_line(log, "warning: ", format, args);
	va_end(args);
}

void log_alarm(const struct log *log, const char *format, ...)
{
	char text[LOG_MESSAGE_MAX - 512], shown[LOG_MESSAGE_MAX - 512];
	va_list args;

	va_start(args, format);
	put_line(log, "warning: ", format, args);
	va_end(args);
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	openlog("virt-parts", LOG_PID, LOG_DAEMON);
	syslog(LOG_ERR, "%s: %s", log->object, vp_escape(text, strlen(text), shown, sizeof(shown)));
	closelog();
}

void log_error(const struct log *log, const char *format, ...)
{
	char line[LOG_MESSAGE_MAX];
	size_t used, left;
	va_list args;

	va_start(args, format);
	put_line(log, "error: ", format, args);
	va_end(args);
	used = (size_t)snprintf(line, sizeof(line), "virt-parts: %s: ", log->object);
	left = sizeof(line) - used - 1;
	va_start(args, format);
	vsnprintf(line + used, left, format, args);
	va_end(args);
	used += strlen(line + used);
	line[used++] = '\n';
	put_error(line, used);
}

off_t log_position(const struct log *log)
{
	struct stat st;

	return log->fd >= 0 && fstat(log->fd, &st) == 0 ? st.st_size : -1;
}

/* The last bytes of the log since FROM, at most SIZE of them. */
static size_t read_tail(const struct log *log, off_t from, char *buffer, size_t size)
{
	off_t end = log_position(log);
	char self[32];
	ssize_t n = 0;
	int fd;

	if (from < 0 || end <= from)
		return 0;
	if (end - from > (off_t)size)
		from = end - (off_t)size;
	/* the log is open for writing only: parts have it, too */
	snprintf(self, sizeof(self), "/proc/self/fd/%d", log->fd);
	fd = open(self, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = pread(fd, buffer, size, from);
		close(fd);
	}
	return n > 0 ? (size_t)n : 0;
}

/* Escapes what is no newline; what does not fit is cut off at the front, by whole lines if possible. */
static size_t escape_lines(const char *text, size_t length, char *ret, size_t size)
{
	static char escaped[LOG_MESSAGE_MAX * 4 + 8];
	size_t used = 0, skipped = 0;

	while (length) {
		const char *end = memchr(text, '\n', length);
		size_t n = end ? (size_t)(end - text) : length;

		vp_escape_controls(text, n, escaped + used, sizeof(escaped) - used);
		used += strlen(escaped + used);
		if (end) {
			escaped[used++] = '\n';
			n++;
		}
		text += n;
		length -= n;
	}
	while (used && escaped[used - 1] == '\n')
		used--;
	if (used > size) {
		char *line;

		skipped = used - size;
		line = memchr(escaped + skipped, '\n', used - skipped);
		if (line)
			skipped = (size_t)(line + 1 - escaped);
	}
	memcpy(ret, escaped + skipped, used - skipped);
	return used - skipped;
}

void log_show_failure(const struct log *log, const char *label, const char *how, off_t from)
{
	char message[LOG_MESSAGE_MAX], shown[1024], tail[LOG_MESSAGE_MAX];
	size_t used, length = read_tail(log, from, tail, sizeof(tail));
	int n;

	vp_escape(label, strlen(label), shown, sizeof(shown));
	n = snprintf(message, sizeof(message), "virt-parts: %s: %s failed (%.1024s)", log->object,
		shown, how);
	used = (size_t)n < sizeof(message) / 2 ? (size_t)n : sizeof(message) / 2;
	if (length) {
		size_t colon = used;

		memcpy(message + used, ": ", 2);
		used += 2;
		used += escape_lines(tail, length, message + used, sizeof(message) - used - 1);
		if (used == colon + 2)
			used = colon;
	}
	message[used++] = '\n';
	put_error(message, used);
}
