/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text.h: sizes, modes, durations, paths and names, read strictly: the whole text or nothing. */
#ifndef VP_TEXT_H
#define VP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All return 0, -EINVAL (not such a value) or -ERANGE (too large); *ret is untouched on failure. */
int vp_parse_number(const char *text, uint64_t *ret);
int vp_parse_size(const char *text, uint64_t *ret); /* bytes; K M G T are powers of 1024 */
int vp_parse_mode(const char *text, uint64_t *ret); /* octal, at most 1777, not setuid/setgid */
int vp_parse_duration(const char *text, unsigned *ret_s); /* 90s, 10min, 1h: seconds, at least 1 */

/* What begins the name of what virt-parts itself is about to make: it is removed when it was left behind. */
#define VP_TEMPORARY_PREFIX ".virt-parts."

/* 0, or -EINVAL and what is wrong with it as an absolute path, for a message. */
int vp_check_path(const char *path, const char **ret_why);

/* Whether PATH is DIR or lies below it; both absolute and checked. */
bool vp_path_within(const char *path, const char *dir);

/* A name that is one component of a path: not empty, `.` or `..`, no slash or control character. */
bool vp_is_file_name(const char *name);

/* 0, or -EINVAL and why a guest of that name cannot have directives, for a message. */
int vp_check_guest_name(const char *name, const char **ret_why);

/* 8-4-4-4-12 hexadecimal digits, as libvirt writes a UUID. */
bool vp_is_uuid(const char *text);

/* Whether a line of the guest's log that begins so is the dispatcher's: `2026-11-21T22:10:25.123Z `. */
enum { VP_STAMP = 25 };
bool vp_is_stamped(const char *text, size_t length);

/* Whether TEXT begins with the UTF-8 of U+0080 to U+009F, which a terminal takes for controls too. */
bool vp_is_high_control(const char *text);

/* TEXT with control characters and backslashes as \xNN, \n, \t, \\; cut to fit. Returns buffer. */
char *vp_escape(const char *text, size_t length, char *buffer, size_t size);
/* The same for a text that may be escaped already: backslashes stay. */
char *vp_escape_controls(const char *text, size_t length, char *buffer, size_t size);

#endif
