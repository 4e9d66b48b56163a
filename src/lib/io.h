/* SPDX-License-Identifier: GPL-2.0-or-later */
/* io.h: small files and descriptors, whole or with an error. */
#ifndef VP_IO_H
#define VP_IO_H

#include <stdbool.h>
#include <stddef.h>

/* All of DATA, however often write(2) takes less: 0 or -errno. */
int vp_write_all(int fd, const void *data, size_t length);

/*
 * All that the file FROM holds, from its begin on, to TO: 0 or -errno. Not by sendfile(2), which takes no
 * TO that is open for appending, as the standard error of a job may be.
 */
int vp_copy_file(int from, int to);

/* The first line of the file PATH, without its newline, as much as fits; false: none, or it cannot be read. */
bool vp_read_first_line(const char *path, char *ret, size_t size);

#endif
