/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program without a C library's start: what the kernel alone takes for a process, and a virtual machine for it. */
#include <unistd.h>

void _start(void);

void _start(void)
{
	_exit(0);
}
