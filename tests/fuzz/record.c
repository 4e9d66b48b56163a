/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run's record with one file, for the targets that need one. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

static char path[] = "/dev/shm/virt-parts-fuzz.XXXXXX";
static int dir = -1;

static void forget(void)
{
	unlinkat(dir, "asked/x", 0);
	unlinkat(dir, "asked", AT_REMOVEDIR);
	rmdir(path);
}

int fuzz_record(const void *text, size_t length)
{
	int fd;

	if (dir < 0) {
		HOLDS(mkdtemp(path));
		dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		HOLDS(dir >= 0 && mkdirat(dir, "asked", 0700) == 0);
		atexit(forget);
	}
	fd = openat(dir, "asked/x", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	HOLDS(fd >= 0 && write(fd, text, length) == (ssize_t)length);
	close(fd);
	return dir;
}
