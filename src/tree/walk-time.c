/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times of files as a sign that they changed. */
#include <time.h>

#include "walk-state.h"

uint64_t vp_walk_nanoseconds(const struct statx_timestamp *time)
{
	return (uint64_t)time->tv_sec * 1000000000U + time->tv_nsec;
}

int vp_walk_settle(const struct statx_timestamp *ctime)
{
	const uint64_t tick = 10000000; /* CONFIG_HZ=100, the slowest */
	struct timespec now, pause = {.tv_nsec = 2 * (long)tick};

	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return 0;
	uint64_t age = (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec -
		       vp_walk_nanoseconds(ctime);

	if (age > tick) /* a time in the future too: it wraps */
		return 0;
	nanosleep(&pause, NULL);
	return 1;
}
