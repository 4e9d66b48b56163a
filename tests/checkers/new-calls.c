/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exits 0 where openat2 and the calls that mount by descriptor are there: an old valgrind has none of them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY, .resolve = RESOLVE_NO_SYMLINKS};

	if (syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how)) < 0 && errno == ENOSYS)
		return 1;
	if (fsopen("tmpfs", FSOPEN_CLOEXEC) < 0 && errno == ENOSYS)
		return 1;
	if (fsconfig(-1, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 && errno == ENOSYS)
		return 1;
	return fsmount(-1, 0, 0) < 0 && errno == ENOSYS;
}
