/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a walk is, as text of bounded length for messages, and the reasons of failures. */
#ifndef VP_WALK_TEXT_H
#define VP_WALK_TEXT_H

#include <limits.h>
#include <stddef.h>

/*
 * The components from the top that fit are always exact; of those below, the last ones are kept,
 * with "..." in front. Coming up again from a very deep place, the names that were dropped are
 * shown as "...".
 */
struct vp_walk_text {
	unsigned head_levels; /* components in head */
	unsigned tail_levels; /* components below those, kept or dropped */
	size_t head_length;
	size_t tail_length;
	char head[512];
	char tail[512];
};

/* Enough for head, "...", tail, a name and the slashes. */
#define VP_WALK_TEXT_MAX (512 + 512 + NAME_MAX + 8)

void vp_walk_text_push(struct vp_walk_text *text, const char *name);
void vp_walk_text_pop(struct vp_walk_text *text);

/* The path of name (NULL: of the directory itself, "." at the top) in buffer, which is returned. */
const char *vp_walk_text_path(
	const struct vp_walk_text *text, const char *name, char buffer[VP_WALK_TEXT_MAX]);

/*
 * For a note of what a guest can make without end, which must not fill the log: WHAT for the first of those that *N
 * counts, for one more that there are more, NULL from then on.
 */
const char *vp_walk_note(unsigned *n, const char *what);

/* Where a public function's reason goes. The text may be NULL. */
struct vp_why {
	char *text;
	size_t size;
};

/* Writes the reason and returns r, a -errno, for `return vp_why_set(...)`. */
int vp_why_set(const struct vp_why *why, int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* "cannot VERB 'path': message of r"; returns r. */
int vp_why_path(const struct vp_why *why, int r, const char *verb, const char *path);

#endif
