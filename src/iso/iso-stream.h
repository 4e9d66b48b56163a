/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Streams that give libisofs the contents of scanned and of inline files. */
#ifndef VP_PARTS_ISO_STREAM_H
#define VP_PARTS_ISO_STREAM_H

#include <stdint.h>

#define LIBISOFS_WITHOUT_LIBBURN yes
#include <libisofs/libisofs.h>

#include "iso-tree.h"

#define ISO_READ_SIZE (128 * 1024)

/* All streams of an image share one: libisofs reads one file after the other, in its own thread.
 * That thread writes everything below; look at it only when the thread has ended. */
struct iso_reader {
	struct iso_tree *tree;
	struct iso_failure failure; /* libisofs loses errors, this doesn't */
	unsigned int fs_id;
	int fd;			    /* of the open file, or -1 */
	uint64_t position;	    /* in the open file */
	uint64_t delivered, closed; /* bytes and files that were handed over whole */
	ino_t serial;		    /* of the last stream made */
	size_t at, filled;	    /* in the buffer */
	char buffer[ISO_READ_SIZE];
};

void iso_reader_init(struct iso_reader *reader, struct iso_tree *tree);
void iso_reader_close(struct iso_reader *reader);
/* The node must be a regular file. Streams made first come first in the image. NULL: no memory. */
IsoStream *iso_stream_new(struct iso_reader *reader, const struct iso_node *node);
/* Puts the reader's whole tree into the image, a stream a file. Returns 0 or -errno. */
int iso_stream_add_tree(struct iso_reader *reader, IsoImage *image);

#endif
