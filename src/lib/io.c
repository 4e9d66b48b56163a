/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files and descriptors, whole or with an error. */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int vp_write_all(int fd, const void *data, size_t length)
{
	const char *p = data;

	while (length) {
		ssize_t n = write(fd, p, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		length -= (size_t)n;
	}
	return 0;
}

int vp_copy_file(int from, int to)
{
	char buffer[16384];
	off_t at = 0;
	ssize_t n;
	int r;

	while ((n = pread(from, buffer, sizeof(buffer), at)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		r = vp_write_all(to, buffer, (size_t)n);
		if (r < 0)
			return r;
		at += n;
	}
	return 0;
}

bool vp_read_first_line(const char *path, char *ret, size_t size)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return true;
}
