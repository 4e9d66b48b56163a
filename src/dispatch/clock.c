/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times. The two conversions are Howard Hinnant's days_from_civil and civil_from_days. */
#include "clock.h"

#include <limits.h>

enum { DAY = 86400, ERA_DAYS = 146097 };

struct utc clock_utc(time_t seconds)
{
	int64_t days = seconds / DAY - (seconds % DAY < 0) + 719468;
	unsigned second = (unsigned)(seconds - (seconds / DAY - (seconds % DAY < 0)) * DAY);
	int64_t era = (days >= 0 ? days : days - (ERA_DAYS - 1)) / ERA_DAYS;
	unsigned doe = (unsigned)(days - era * ERA_DAYS);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;
	unsigned month = mp < 10 ? mp + 3 : mp - 9;

	return (struct utc){
		.year = (int)((int64_t)yoe + era * 400) + (month <= 2),
		.month = month,
		.day = doy - (153 * mp + 2) / 5 + 1,
		.hour = second / 3600,
		.minute = second / 60 % 60,
		.second = second % 60,
	};
}

time_t clock_seconds(const struct utc *utc)
{
	int64_t year = utc->year - (utc->month <= 2);
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t yoe = year - era * 400;
	int64_t doy = (153 * (utc->month + (utc->month > 2 ? -3 : 9)) + 2) / 5 + utc->day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return (era * ERA_DAYS + doe - 719468) * DAY + utc->hour * 3600 + utc->minute * 60 +
	       utc->second;
}

int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int clock_left(int64_t until)
{
	int64_t left = until - clock_ms();

	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

void clock_sleep(unsigned ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	nanosleep(&time, NULL);
}
