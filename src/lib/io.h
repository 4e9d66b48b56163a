/* SPDX-License-Identifier: GPL-2.0-or-later */
/* io.h: small files and descriptors, whole or with an error. */
#ifndef VP_IO_H
#define VP_IO_H

#include <stdbool.h>
#include <stddef.h>

/* All of DATA, however often write(2) takes less: 0 or -errno. */
int vp_write_all(int fd, const void *data, size_t length);

/* The first line of the file PATH, without its newline, as much as fits; false: none, or it cannot be read. */
bool vp_read_first_line(const char *path, char *ret, size_t size);

#endif
