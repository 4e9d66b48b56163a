/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds an ISO 9660 image from directories that somebody else may be changing. */
#ifndef VP_ISO_H
#define VP_ISO_H

#include <stddef.h>
#include <stdint.h>

#include "iso-id.h"

/* A directory whose contents go to the image's root. */
struct iso_source {
	int dirfd;	  /* borrowed; may be O_PATH; the walk never leaves it */
	const char *path; /* for messages only, never opened */
};

/* A file that is given as text: mode 0644, uid and gid 0, the image's own time. */
struct iso_file {
	const char *path; /* inside the image, such as "a/b/meta-data" */
	const char *data;
	size_t size;
};

struct iso_request {
	const char *label;
	const char *application_id; /* letters are stored as capitals; NULL: none */
	const struct iso_source *sources;
	size_t n_sources;
	const struct iso_file *files;
	size_t n_files;
	/* UINT64_MAX: no limit; 0: nothing */
	uint64_t max_entries; /* directory entries met in the sources plus files */
	uint64_t max_bytes;   /* of file contents; never more than the format's 4 TiB */
	/* Told what is in a source but not in the image, and why, of the first twenty; may be NULL. The
	 * path may hold any byte but '/' in its names. */
	void (*warn)(const char *path, const char *why);
};

/*
 * Writes the image to out_fd, a regular file open for reading and writing, from its offset 0, and
 * cuts it off after the image. Success means that every source was the same at the end as at the
 * beginning, that the image is complete, and that it is on disk. Otherwise what out_fd holds is
 * undefined, and ret_why gets what failed, on which path and why, without control characters.
 * Images made from trees with the same names, contents, owners, modes and mtimes are the same
 * byte for byte. libisofs keeps its settings in globals: one call at a time in a process.
 *
 * Returns 0 or -errno, among them -EBUSY: a source changed; -EEXIST: one path from two places;
 * -EXDEV: a mount; -E2BIG, -EFBIG, -ENAMETOOLONG: limits; -EINVAL: the request is not valid;
 * -EOPNOTSUPP: a directory with too many long names or link targets for libisofs.
 */
int iso_build(const struct iso_request *request, int out_fd, char *ret_why, size_t why_size);

#endif
