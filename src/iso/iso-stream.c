/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Streams that give libisofs the contents of scanned and of inline files. */
#include "iso-stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stream_data {
	struct iso_reader *reader;
	const struct iso_node *node;
	ino_t serial;
};

/* Only an error of class FATAL makes libisofs stop; after others it fills up with zeros. */
#define STREAM_ERROR ((int)ISO_FATAL_ERROR)

static int is_inline(const struct iso_node *node)
{
	return node->origin.source == ISO_INLINE;
}

static int stream_open(IsoStream *stream)
{
	struct stream_data *data = stream->data;
	struct iso_reader *reader = data->reader;

	iso_reader_close(reader);
	reader->position = 0;
	reader->at = reader->filled = 0;
	if (is_inline(data->node))
		return 1;
	reader->fd = iso_entry_open_file(reader->tree, data->node, &reader->failure);
	return reader->fd < 0 ? STREAM_ERROR : 1;
}

static off_t stream_get_size(IsoStream *stream)
{
	struct stream_data *data = stream->data;

	return (off_t)data->node->origin.stamp.size;
}

/* libisofs ignores what this returns, so all that can fail is done when the last byte is read. */
static int stream_close(IsoStream *stream)
{
	struct stream_data *data = stream->data;

	if (data->reader->position == data->node->origin.stamp.size)
		data->reader->closed++;
	iso_reader_close(data->reader);
	return 1;
}

static int fail_read(struct iso_reader *reader, const struct iso_node *node, int error)
{
	char text[ISO_TEXT_SIZE];

	iso_node_text(reader->tree, node, node->origin.source, text);
	if (error)
		iso_fail(&reader->failure, error, "cannot read '%s': %s", text, strerror(error));
	else
		iso_fail(&reader->failure, EBUSY, "'%s' shrank while the image was built", text);
	return STREAM_ERROR;
}

static int fill_buffer(struct iso_reader *reader, const struct iso_node *node)
{
	uint64_t left = node->origin.stamp.size - reader->position;
	size_t want = left < ISO_READ_SIZE ? (size_t)left : ISO_READ_SIZE;
	ssize_t got;

	do
		got = pread(reader->fd, reader->buffer, want, (off_t)reader->position);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return fail_read(reader, node, got < 0 ? errno : 0);
	reader->at = 0;
	reader->filled = (size_t)got;
	return 1;
}

static int stream_read(IsoStream *stream, void *buffer, size_t count)
{
	struct stream_data *data = stream->data;
	const struct iso_node *node = data->node;
	struct iso_reader *reader = data->reader;
	uint64_t left = node->origin.stamp.size - reader->position;
	size_t want = left < count ? (size_t)left : count;
	size_t done = 0;

	if (reader->failure.error)
		return STREAM_ERROR;
	while (done < want) {
		const char *from = reader->buffer + reader->at;
		size_t n = reader->filled - reader->at;

		if (is_inline(node)) {
			from = node->data + reader->position;
			n = want;
		} else if (n == 0) {
			if (fill_buffer(reader, node) < 0)
				return STREAM_ERROR;
			continue;
		} else if (n > want - done) {
			n = want - done;
		}
		memcpy((char *)buffer + done, from, n);
		reader->at += n;
		reader->position += n;
		done += n;
	}
	reader->delivered += done;
	if (done > 0 && done == left && !is_inline(node) &&
		iso_entry_check_file(reader->tree, node, reader->fd, &reader->failure) < 0)
		return STREAM_ERROR;
	return (int)done;
}

static int stream_is_repeatable(IsoStream *stream)
{
	(void)stream;
	return 1;
}

/* Never two alike: libisofs would store two files with one id once. */
static void stream_get_id(IsoStream *stream, unsigned int *fs_id, dev_t *dev_id, ino_t *ino_id)
{
	struct stream_data *data = stream->data;

	*fs_id = data->reader->fs_id;
	*dev_id = 0;
	*ino_id = data->serial;
}

static void stream_free(IsoStream *stream)
{
	stream->data = NULL; /* belongs to the tree */
}

static int stream_update_size(IsoStream *stream)
{
	(void)stream;
	return 1;
}

static IsoStream *stream_get_input_stream(IsoStream *stream, int flag)
{
	(void)stream;
	(void)flag;
	return NULL;
}

static int stream_clone(IsoStream *stream, IsoStream **ret_stream, int flag)
{
	(void)stream;
	(void)ret_stream;
	(void)flag;
	return (int)ISO_STREAM_NO_CLONE;
}

static IsoStreamIface stream_class = {
	.version = 4,
	.type = {'u', 's', 'e', 'r'},
	.open = stream_open,
	.close = stream_close,
	.get_size = stream_get_size,
	.read = stream_read,
	.is_repeatable = stream_is_repeatable,
	.get_id = stream_get_id,
	.free = stream_free,
	.update_size = stream_update_size,
	.get_input_stream = stream_get_input_stream,
	.cmp_ino = NULL,
	.clone_stream = stream_clone,
};

void iso_reader_init(struct iso_reader *reader, struct iso_tree *tree)
{
	memset(reader, 0, offsetof(struct iso_reader, buffer));
	reader->tree = tree;
	reader->fs_id = iso_fs_global_id++;
	reader->fd = -1;
}

void iso_reader_close(struct iso_reader *reader)
{
	if (reader->fd >= 0)
		close(reader->fd);
	reader->fd = -1;
}

IsoStream *iso_stream_new(struct iso_reader *reader, const struct iso_node *node)
{
	struct stream_data *data = iso_tree_alloc(reader->tree, sizeof *data);
	IsoStream *stream = data ? malloc(sizeof *stream) : NULL; /* libisofs frees it */

	if (!stream)
		return NULL;
	*data = (struct stream_data){reader, node, ++reader->serial};
	*stream = (IsoStream){.class = &stream_class, .refcount = 1, .data = data};
	return stream;
}
