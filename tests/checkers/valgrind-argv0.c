/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linked into a program that valgrind runs: valgrind names it by its file, but the dispatcher goes by
 * the name that libvirt called. Before main, argv[0] becomes what the wrapper was called.
 */
#include <stdlib.h>

__attribute__((constructor)) static void take_name(int argc, char **argv)
{
	static const char variable[] = "VIRT_PARTS_CALLED";
	char *name = getenv(variable);

	if (argc > 0 && name)
		argv[0] = name;
	unsetenv(variable);
}
