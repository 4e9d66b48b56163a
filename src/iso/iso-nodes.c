/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scanned tree as nodes of libisofs. */
#include <errno.h>
#include <stdlib.h>

#include "iso-stream.h"

static void set_attributes(const struct iso_tree *tree, IsoNode *node, const struct iso_node *from)
{
	const struct iso_stamp *stamp = &from->origin.stamp;
	time_t mtime = from->origin.source == ISO_INLINE ? tree->newest_mtime : stamp->mtime;

	iso_node_set_permissions(node, stamp->mode & 01777);
	iso_node_set_uid(node, stamp->uid);
	iso_node_set_gid(node, stamp->gid);
	iso_node_set_mtime(node, mtime);
	iso_node_set_atime(node, mtime);
	iso_node_set_ctime(node, mtime);
}

static int add_children(
	struct iso_reader *reader, IsoImage *image, IsoDir *dir, const struct iso_node *from);

static int add_node(
	struct iso_reader *reader, IsoImage *image, IsoDir *dir, const struct iso_node *node)
{
	char text[ISO_TEXT_SIZE];
	IsoNode *new = NULL;
	IsoDir *new_dir = NULL;
	IsoStream *stream = NULL;
	int code;

	if (iso_node_is(node, S_IFDIR)) {
		code = iso_image_add_new_dir(image, dir, node->name, &new_dir);
		new = (IsoNode *)new_dir;
	} else if (iso_node_is(node, S_IFLNK)) {
		code = iso_image_add_new_symlink(
			image, dir, node->name, node->data, (IsoSymlink **)&new);
	} else {
		stream = iso_stream_new(reader, node);
		if (!stream)
			return iso_fail(&reader->tree->failure, ENOMEM, "out of memory");
		code = iso_image_add_new_file(image, dir, node->name, stream, (IsoFile **)&new);
		if (code < 0)
			iso_stream_unref(stream);
	}
	if (code < 0)
		return iso_fail(&reader->tree->failure,
			code == (int)ISO_OUT_OF_MEM ? ENOMEM : EINVAL,
			"cannot put '%s' into the image: %s",
			iso_node_text(reader->tree, node, node->origin.source, text),
			iso_error_to_msg(code));
	set_attributes(reader->tree, new, node);
	return new_dir ? add_children(reader, image, new_dir, node) : 0;
}

/* Last name first: libisofs keeps a sorted list and looks for a new node's place from its head. */
static int add_children(
	struct iso_reader *reader, IsoImage *image, IsoDir *dir, const struct iso_node *from)
{
	const struct iso_node **list;
	size_t n = 0, i = 0;
	int error = 0;

	for (const struct iso_node *node = from->children; node; node = node->sibling)
		n++;
	if (n == 0)
		return 0;
	list = malloc(n * sizeof *list);
	if (!list)
		return iso_fail(&reader->tree->failure, ENOMEM, "out of memory");
	for (const struct iso_node *node = from->children; node; node = node->sibling)
		list[i++] = node;
	while (!error && i > 0)
		error = add_node(reader, image, dir, list[--i]);
	free(list);
	return error;
}

int iso_stream_add_tree(struct iso_reader *reader, IsoImage *image)
{
	IsoDir *root = iso_image_get_root(image);

	set_attributes(reader->tree, (IsoNode *)root, reader->tree->root);
	return add_children(reader, image, root, reader->tree->root);
}
