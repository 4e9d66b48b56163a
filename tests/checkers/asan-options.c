/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the sanitizers do in a program under test. It is compiled in, since the dispatcher gives no
 * part the environment that it was called with.
 */
#include <stdio.h>

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
int __lsan_is_turned_off(void);

const char *__asan_default_options(void)
{
	return "log_path=" REPORTS "/asan:detect_stack_use_after_return=1:"
	       "strict_string_checks=1:allocator_may_return_null=1";
}

const char *__ubsan_default_options(void)
{
	return "log_path=" REPORTS "/ubsan:print_stacktrace=1";
}

/*
 * LeakSanitizer cannot look at a process that is traced, and some tests trace what they attack. Where
 * a test leaves no descriptor to find out, it looks not either.
 */
int __lsan_is_turned_off(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	int tracer = -1;

	while (status && fgets(line, sizeof(line), status) &&
		sscanf(line, "TracerPid: %d", &tracer) != 1)
		;
	if (status)
		fclose(status);
	return tracer != 0;
}
