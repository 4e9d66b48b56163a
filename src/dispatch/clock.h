/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock.h: times. UTC is computed here: the C library would read the time zone's file first. */
#ifndef VP_DISPATCH_CLOCK_H
#define VP_DISPATCH_CLOCK_H

#include <stdint.h>
#include <time.h>

struct utc {
	int year;
	unsigned month, day, hour, minute, second;
};

struct utc clock_utc(time_t seconds);
time_t clock_seconds(const struct utc *utc);

/* Milliseconds of the monotonic clock. */
int64_t clock_ms(void);
/* Milliseconds until a time of clock_ms, for poll(): not below 0. */
int clock_left(int64_t until);
void clock_sleep(unsigned ms);

#endif
