/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree of an image to be: nodes in sorted order, merged from several sources. */
#include "iso-tree.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE (64 * 1024)

struct iso_chunk {
	struct iso_chunk *next;
	size_t used, size;
	_Alignas(max_align_t) char data[];
};

int iso_fail(struct iso_failure *failure, int error, const char *format, ...)
{
	va_list args;

	if (failure->error)
		return -failure->error;
	failure->error = error;
	va_start(args, format);
	vsnprintf(failure->why, sizeof failure->why, format, args);
	va_end(args);
	return -error;
}

void *iso_tree_alloc(struct iso_tree *tree, size_t size)
{
	struct iso_chunk *chunk = tree->chunks;
	void *data;

	size = (size + 7) & ~(size_t)7;
	if (!chunk || chunk->size - chunk->used < size) {
		size_t want = size > CHUNK_SIZE ? size : CHUNK_SIZE;

		chunk = malloc(sizeof *chunk + want);
		if (!chunk) {
			iso_fail(&tree->failure, ENOMEM, "out of memory");
			return NULL;
		}
		chunk->next = tree->chunks;
		chunk->used = 0;
		chunk->size = want;
		tree->chunks = chunk;
	}
	data = chunk->data + chunk->used;
	chunk->used += size;
	return data;
}

struct iso_node *iso_tree_add(struct iso_tree *tree, struct iso_node *dir, const char *name)
{
	size_t size = strlen(name) + 1;
	struct iso_node *node = iso_tree_alloc(tree, sizeof *node + size);

	if (!node)
		return NULL;
	memset(node, 0, sizeof *node);
	memcpy(node->name, name, size);
	node->parent = dir;
	if (dir) {
		node->sibling = dir->children;
		dir->children = node;
	}
	return node;
}

static struct iso_node *add_inline_dir(
	struct iso_tree *tree, struct iso_node *dir, const char *name)
{
	struct iso_node *node = iso_tree_add(tree, dir, name);

	if (node) {
		node->origin.source = ISO_INLINE;
		node->origin.stamp.mode = S_IFDIR | 0755;
	}
	return node;
}

int iso_tree_init(struct iso_tree *tree, const struct iso_request *request)
{
	memset(tree, 0, sizeof *tree);
	tree->request = request;
	tree->newest_mtime = INT64_MIN;
	tree->root = add_inline_dir(tree, NULL, "");
	tree->mounts = iso_tree_alloc(tree, request->n_sources * sizeof *tree->mounts);
	return tree->root && tree->mounts ? 0 : -ENOMEM;
}

void iso_tree_free(struct iso_tree *tree)
{
	struct iso_chunk *next;

	for (struct iso_chunk *chunk = tree->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	tree->chunks = NULL;
}

int iso_tree_count(struct iso_tree *tree, uint64_t bytes, const char *where)
{
	uint64_t max = tree->request->max_bytes;

	if (max > ISO_BYTES_MAX)
		max = ISO_BYTES_MAX;
	if (bytes > max - tree->bytes)
		return iso_fail(&tree->failure, EFBIG, "more than %llu bytes, with '%s'",
			(unsigned long long)max, where);
	tree->bytes += bytes;
	tree->files++;
	return 0;
}

int iso_node_path(const struct iso_node *node, char ret_path[PATH_MAX])
{
	char *at = ret_path + PATH_MAX - 1;
	int error = 0;

	*at = '\0';
	if (!node->parent)
		*--at = '.';
	for (; node->parent; node = node->parent) {
		size_t length = strlen(node->name);

		if (length + (*at != '\0') > (size_t)(at - ret_path)) {
			error = -ENAMETOOLONG;
			break;
		}
		if (*at)
			*--at = '/';
		at -= length;
		memcpy(at, node->name, length);
	}
	memmove(ret_path, at, (size_t)(ret_path + PATH_MAX - at));
	return error;
}

const char *iso_node_text(const struct iso_tree *tree, const struct iso_node *node,
	unsigned int source, char ret_text[ISO_TEXT_SIZE])
{
	char path[PATH_MAX];
	const char *top = source == ISO_INLINE ? "" : tree->request->sources[source].path;
	const char *gap = iso_node_path(node, path) ? "/..." : "";

	if (!node->parent)
		snprintf(ret_text, ISO_TEXT_SIZE, "%s", *top ? top : "/");
	else
		snprintf(ret_text, ISO_TEXT_SIZE, "%s%s%s%s", top, gap, *top ? "/" : "", path);
	return ret_text;
}

static int add_file(struct iso_tree *tree, const struct iso_file *file)
{
	struct iso_node *dir = tree->root, *node;
	const char *rest = file->path;
	char name[ISO_NAME_MAX + 1];

	for (const unsigned char *c = (const unsigned char *)rest; *c; c++)
		if (*c < ' ' || *c == 0x7f)
			return iso_fail(&tree->failure, EINVAL,
				"control character in the file path '%s'", file->path);
	for (unsigned int depth = 1;; depth++) {
		size_t length = strcspn(rest, "/");

		if (length == 0 || (length <= 2 && !strncmp(rest, "..", length)))
			return iso_fail(&tree->failure, EINVAL,
				"the file path '%s' is not relative and plain", file->path);
		if (length > ISO_NAME_MAX || depth > ISO_DEPTH_MAX)
			return iso_fail(&tree->failure, ENAMETOOLONG,
				"the file path '%s' is too long", file->path);
		memcpy(name, rest, length);
		name[length] = '\0';
		rest += length;
		if (!*rest)
			break;
		rest++;
		for (node = dir->children; node; node = node->sibling)
			if (iso_node_is(node, S_IFDIR) && !strcmp(node->name, name))
				break;
		dir = node ? node : add_inline_dir(tree, dir, name);
		if (!dir)
			return -ENOMEM;
	}
	node = iso_tree_add(tree, dir, name);
	if (!node)
		return -ENOMEM;
	node->data = file->data;
	node->origin.source = ISO_INLINE;
	node->origin.stamp.mode = S_IFREG | 0644;
	node->origin.stamp.size = file->size;
	return iso_tree_count(tree, file->size, file->path);
}

int iso_tree_add_files(struct iso_tree *tree)
{
	int error = 0;

	for (size_t i = 0; !error && i < tree->request->n_files; i++) {
		const struct iso_file *file = &tree->request->files[i];

		if (tree->entries >= tree->request->max_entries)
			return iso_fail(&tree->failure, E2BIG, "more than %llu entries, with '%s'",
				(unsigned long long)tree->request->max_entries, file->path);
		tree->entries++;
		error = add_file(tree, file);
	}
	return error;
}

/* By name in byte order; for one name in the sources' order, inline files last. */
static int compare_nodes(const void *left, const void *right)
{
	const struct iso_node *a = *(struct iso_node *const *)left;
	const struct iso_node *b = *(struct iso_node *const *)right;
	int order = strcmp(a->name, b->name);

	if (order)
		return order;
	return (a->origin.source > b->origin.source) - (a->origin.source < b->origin.source);
}

static int refuse_twice(
	struct iso_tree *tree, const struct iso_node *node, const struct iso_node *twin)
{
	char path[PATH_MAX];
	unsigned int a = node->origin.source, b = twin->origin.source;
	const struct iso_source *sources = tree->request->sources;

	iso_node_path(node, path);
	if (a == ISO_INLINE)
		return iso_fail(&tree->failure, EEXIST, "'%s' is given twice", path);
	if (b == ISO_INLINE)
		return iso_fail(&tree->failure, EEXIST,
			"'%s' is in '%s' and is also given as a file", path, sources[a].path);
	return iso_fail(&tree->failure, EEXIST, "'%s' is in '%s' and in '%s'", path,
		sources[a].path, sources[b].path);
}

/* Lets the twin's children and origin become those of the node. */
static int join_dirs(struct iso_tree *tree, struct iso_node *node, struct iso_node *twin)
{
	struct iso_node **last = &node->children;
	struct iso_origin *origin, **end = &node->origin.next;

	for (struct iso_node *child = twin->children; child; child = child->sibling)
		child->parent = node;
	while (*last)
		last = &(*last)->sibling;
	*last = twin->children;
	if (twin->origin.source == ISO_INLINE)
		return 0;
	origin = iso_tree_alloc(tree, sizeof *origin);
	if (!origin)
		return -ENOMEM;
	*origin = twin->origin;
	while (*end)
		end = &(*end)->next;
	*end = origin;
	return 0;
}

int iso_tree_merge(struct iso_tree *tree, struct iso_node *dir)
{
	struct iso_node **list, *last = NULL;
	size_t n = 0, i = 0;
	int error = 0;

	for (struct iso_node *node = dir->children; node; node = node->sibling)
		n++;
	if (n == 0)
		return 0;
	list = malloc(n * sizeof *list);
	if (!list)
		return iso_fail(&tree->failure, ENOMEM, "out of memory");
	for (struct iso_node *node = dir->children; node; node = node->sibling)
		list[i++] = node;
	qsort(list, n, sizeof *list, compare_nodes);
	dir->children = NULL;
	for (i = 0; !error && i < n; i++) {
		if (last && !strcmp(last->name, list[i]->name)) {
			if (iso_node_is(last, S_IFDIR) && iso_node_is(list[i], S_IFDIR))
				error = join_dirs(tree, last, list[i]);
			else
				error = refuse_twice(tree, last, list[i]);
			continue;
		}
		if (last)
			last->sibling = list[i];
		else
			dir->children = list[i];
		last = list[i];
		last->sibling = NULL;
	}
	free(list);
	return error;
}
