/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why the kernel cannot run a file that is there: the first line of a script. */
#include "interpreter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char elf[] = "\177ELF", mark[] = "#!";

bool interpreter_is_lacking(const char *path, char *ret_why, size_t size)
{
	char line[256], *name;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
	bool has_cr;

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return false;
	line[n] = '\0';
	if (!strncmp(line, elf, sizeof(elf) - 1))
		return false;
	if (strncmp(line, mark, sizeof(mark) - 1) != 0) {
		snprintf(ret_why, size, "it is no program: its first line does not begin with #!");
		return true;
	}
	line[strcspn(line, "\n")] = '\0';
	has_cr = strchr(line, '\r') != NULL;
	name = line + sizeof(mark) - 1;
	name += strspn(name, " \t");
	/* the kernel takes a carriage return for a part of the name */
	name[strcspn(name, " \t")] = '\0';
	if (access(name, F_OK) == 0 || errno != ENOENT)
		return false;
	name[strcspn(name, "\r")] = '\0';
	snprintf(ret_why, size, "its interpreter '%s' is not there%s", name,
		has_cr ? ": its lines end in CR LF, and must in LF" : "");
	return true;
}
