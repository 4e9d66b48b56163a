/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copying the data of one regular file: cloned, by copy_file_range, or read and written; holes
 * stay holes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tree-copy-state.h"

#define MAX_CHUNK ((uint64_t)64 << 20) /* of one copy_file_range(), so that a signal is seen */

static bool means_unsupported(int error)
{
	return error == EXDEV || error == EINVAL || error == EOPNOTSUPP || error == ENOSYS ||
	       error == ENOTTY;
}

static int write_all(int out, const char *data, size_t length, off_t at)
{
	while (length > 0) {
		ssize_t written = pwrite(out, data, length, at);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? -errno : -EIO;
		data += written;
		at += written;
		length -= (size_t)written;
	}
	return 0;
}

static int read_write(struct vp_copy *copy, const char *name, int in, int out, off_t from, off_t to)
{
	while (from < to) {
		size_t want =
			to - from < (off_t)VP_COPY_BUFFER ? (size_t)(to - from) : VP_COPY_BUFFER;
		ssize_t got = pread(in, copy->buffer, want, from);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return vp_copy_fail(copy, -errno, "read", name);
		if (got == 0) /* it became shorter */
			return vp_copy_changed(copy, name);
		int r = write_all(out, copy->buffer, (size_t)got, from);

		if (r < 0)
			return vp_copy_fail(copy, r, "write", name);
		from += got;
		r = vp_copy_took(copy, (uint64_t)got);
		if (r < 0)
			return r;
	}
	return 0;
}

static int copy_range(struct vp_copy *copy, const char *name, int in, int out, off_t from, off_t to)
{
	while (from < to) {
		off_t from_in = from, from_out = from;
		uint64_t want = (uint64_t)(to - from);
		ssize_t done = copy_file_range(
			in, &from_in, out, &from_out, want < MAX_CHUNK ? want : MAX_CHUNK, 0);

		if (done < 0 && errno == EINTR)
			continue;
		/*
		 * Some filesystems say 0 where they mean that they can't (copy_file_range(2),
		 * bugs).
		 */
		if (done == 0 || (done < 0 && means_unsupported(errno)))
			return read_write(copy, name, in, out, from, to);
		if (done < 0)
			return vp_copy_fail(copy, -errno, "copy", name);
		from += done;

		int r = vp_copy_took(copy, (uint64_t)done);

		if (r < 0)
			return r;
	}
	return 0;
}

/* The next range of data at or behind from: 1, or 0 when there is only a hole up to the end. */
static int next_data(int in, off_t from, off_t size, off_t *ret_from, off_t *ret_to)
{
	off_t start = from < size ? lseek(in, from, SEEK_DATA) : size;

	if (start < 0 && errno == ENXIO)
		return 0;
	if (start < 0 && errno != EINVAL && errno != EOPNOTSUPP)
		return -errno;
	if (start < 0) { /* the filesystem can't tell: all is data */
		*ret_from = from;
		*ret_to = size;
		return 1;
	}
	if (start >= size)
		return 0;
	off_t end = lseek(in, start, SEEK_HOLE);

	if (end < 0 && errno != ENXIO)
		return -errno;
	*ret_from = start;
	*ret_to = end <= start || end > size ? size : end;
	return 1;
}

/* All of the file as one reflink: 1 if so, 0 if that can't be done here. */
static int reflink(struct vp_copy *copy, const char *name, int in, const struct statx *stx, int out)
{
	uint64_t device = makedev(stx->stx_dev_major, stx->stx_dev_minor);

	if (device == copy->no_clone_device)
		return 0;
	if (ioctl(out, FICLONE, in) == 0)
		return 1;
	if (!means_unsupported(errno))
		return vp_copy_fail(copy, -errno, "clone", name);
	copy->no_clone_device = device;
	return 0;
}

int vp_copy_data(struct vp_copy *copy, const char *name, int in, const struct statx *stx, int out)
{
	off_t size = (off_t)stx->stx_size;
	off_t from = 0, to = 0;
	int cloned = size > 0 ? reflink(copy, name, in, stx, out) : 0;

	if (cloned < 0)
		return cloned;
	for (;;) {
		int r = next_data(in, to, size, &from, &to);

		if (r < 0)
			return vp_copy_fail(copy, r, "read", name);
		if (r == 0)
			break;
		r = vp_copy_charge(copy, (uint64_t)(to - from));
		if (r == 0 && !cloned)
			r = copy_range(copy, name, in, out, from, to);
		if (r < 0)
			return r;
	}
	if (!cloned && to < size && ftruncate(out, size) < 0) /* a hole at the end */
		return vp_copy_fail(copy, -errno, "write", name);
	return 0;
}
