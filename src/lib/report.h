/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.h: messages on standard error; only programs and the frame use it, the library does not. */
#ifndef VP_REPORT_H
#define VP_REPORT_H

#include <stdarg.h>

#include "virt-parts.h"

/* "<archive><dircopy>" of an element, for a message. Returns buffer. */
char *vp_element_path(const struct vp_element *element, char *buffer, size_t size);

#endif
