/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * input.h: standard input, kept where each part can read it from its beginning, and searched for
 * what the dispatcher must know of it. It is never parsed: its bytes are enough to skip work.
 */
#ifndef VP_DISPATCH_INPUT_H
#define VP_DISPATCH_INPUT_H

#include "event.h"

enum { INPUT_MAX = 8 << 20 };

/*
 * Reads FD to its end and sets uuid and directives of the event. -EFBIG over INPUT_MAX, else 0 or
 * -errno. A small input stays in memory until input_seal.
 */
int input_read(int fd, struct event *event);

/* Sets event->xml, a sealed memfd of what input_read has read. */
int input_seal(struct event *event);

/* The same from text that is at hand; the descriptor or -errno. */
int input_from_text(const char *text, size_t length);

/* Reads FD to its end for nothing. */
void input_drain(int fd);

#endif
