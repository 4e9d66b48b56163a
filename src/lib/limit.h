/* SPDX-License-Identifier: GPL-2.0-or-later */
/* limit.h: what a limit of parts.conf comes to on this host. */
#ifndef VP_LIMIT_H
#define VP_LIMIT_H

#include "conf.h"

/* Bytes; UINT64_MAX: no limit. */
uint64_t vp_limit_of(const struct vp_limit *limit, uint64_t whole);
uint64_t vp_limit_of_memory(const struct vp_limit *limit);

#endif
