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
	const uint64_t tick = 10000000, second = 1000000000; /* CONFIG_HZ=100, the slowest */
	/* without nanoseconds the filesystem most likely keeps none: ext4 with small inodes, NFS from such */
	uint64_t unit = ctime->tv_nsec ? tick : second + tick, age, left;
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return 0;
	age = (uint64_t)now.tv_sec * second + (uint64_t)now.tv_nsec - vp_walk_nanoseconds(ctime);
	if (age > unit) /* a time in the future too: it wraps */
		return 0;
	left = unit - age + tick;
	nanosleep(&(struct timespec){.tv_sec = (time_t)(left / second),
			  .tv_nsec = (long)(left % second)},
		NULL);
	return 1;
}
