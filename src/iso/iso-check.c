/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at a written image: is every directory at the place that the image says it is at? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "iso-tree.h"

/*
 * libisofs 1.5.4 lays out directories before it writes them, and miscounts some whose Rock Ridge
 * entries overflow into continuation areas: many names or link targets of over 100 bytes in one
 * directory. What follows is then a block off. Mostly the image gets too short, but two such
 * errors can cancel each other out.
 */

#define BLOCK 2048

static uint32_t little32(const unsigned char *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static int read_at(int fd, void *data, size_t size, uint64_t at, struct iso_failure *failure)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(fd, (char *)data + done, size - done, (off_t)(at + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return iso_fail(failure, got < 0 ? errno : EIO,
				"cannot read the image back: %s",
				got < 0 ? strerror(errno) : "it is too short");
		done += (size_t)got;
	}
	return 0;
}

int iso_check_fail_layout(struct iso_failure *failure)
{
	return iso_fail(failure, EOPNOTSUPP,
		"libisofs cannot lay out this tree: "
		"too many names or link targets of over 100 bytes in one directory");
}

/* ECMA-119 9.4: the path table has every directory's place; 9.1: each begins with itself. */
static int check_table(int fd, const unsigned char *table, size_t size, struct iso_failure *failure)
{
	unsigned char record[34];

	for (size_t at = 0; at + 8 <= size; at += 8 + table[at] + (table[at] & 1)) {
		uint32_t place = little32(table + at + 2);
		int error = read_at(fd, record, sizeof record, (uint64_t)place * BLOCK, failure);

		if (error)
			return error;
		if (record[0] < sizeof record || little32(record + 2) != place || record[32] != 1 ||
			record[33] != 0)
			return iso_check_fail_layout(failure);
	}
	return 0;
}

int iso_check_image(int fd, uint64_t size, struct iso_failure *failure)
{
	unsigned char descriptor[BLOCK], *table;

	/* The primary descriptor, type 1, then that of Joliet, type 2. */
	for (unsigned int type = 1; type <= 2; type++) {
		size_t table_size;
		int error =
			read_at(fd, descriptor, sizeof descriptor, (15 + type) * BLOCK, failure);

		if (error)
			return error;
		if (descriptor[0] != type || memcmp(descriptor + 1, "CD001\1", 6) ||
			(uint64_t)little32(descriptor + 80) * BLOCK != size)
			return iso_fail(failure, EIO, "the image's descriptors are wrong");
		table_size = little32(descriptor + 132);
		table = malloc(table_size);
		if (!table)
			return iso_fail(failure, ENOMEM, "out of memory");
		error = read_at(fd, table, table_size, (uint64_t)little32(descriptor + 140) * BLOCK,
			failure);
		if (!error)
			error = check_table(fd, table, table_size, failure);
		free(table);
		if (error)
			return error;
	}
	return 0;
}
