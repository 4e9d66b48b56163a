/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a limit of parts.conf comes to on this host. */
#include "limit.h"

#include <sys/sysinfo.h>

uint64_t vp_limit_of(const struct vp_limit *limit, uint64_t whole)
{
	return limit->percent ? whole / 100 * limit->value : limit->value;
}

uint64_t vp_limit_of_memory(const struct vp_limit *limit)
{
	struct sysinfo info;

	/* without knowing the memory a share of it is nothing */
	if (sysinfo(&info) < 0)
		return vp_limit_of(limit, 0);
	return vp_limit_of(limit, (uint64_t)info.totalram * info.mem_unit);
}
