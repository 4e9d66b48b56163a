/* SPDX-License-Identifier: GPL-2.0-or-later */
/* interpreter.h: why the kernel cannot run a file that is there. */
#ifndef VP_DISPATCH_INTERPRETER_H
#define VP_DISPATCH_INTERPRETER_H

#include <stdbool.h>
#include <stddef.h>

/* Whether PATH is a script whose interpreter is not there, or no program at all: then why, in words. */
bool interpreter_is_lacking(const char *path, char *ret_why, size_t size);

#endif
