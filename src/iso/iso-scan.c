/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk over the sources: by descriptor, into no mount, and once more to see that all stayed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "iso-tree.h"
#include "walk.h"

static void remember_times(struct iso_tree *tree, const struct iso_stamp *stamp)
{
	if (stamp->mtime > tree->newest_mtime)
		tree->newest_mtime = stamp->mtime;
	if (stamp->ctime > tree->newest_ctime ||
		(stamp->ctime == tree->newest_ctime &&
			stamp->ctime_nsec > tree->newest_ctime_nsec)) {
		tree->newest_ctime = stamp->ctime;
		tree->newest_ctime_nsec = stamp->ctime_nsec;
	}
}

static int read_link(struct iso_tree *tree, struct iso_node *node, int dirfd)
{
	char target[PATH_MAX];
	char *copy;
	ssize_t length = readlinkat(dirfd, node->name, target, sizeof target);

	if (length < 0)
		return iso_entry_fail(
			tree, &tree->failure, node, node->origin.source, -errno, "read");
	if ((size_t)length >= sizeof target)
		return iso_entry_fail(
			tree, &tree->failure, node, node->origin.source, -ENAMETOOLONG, "read");
	copy = iso_tree_alloc(tree, (size_t)length + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, target, (size_t)length);
	copy[length] = '\0';
	node->data = copy;
	return 0;
}

static void skip(struct iso_tree *tree, struct iso_node *dir, unsigned int source, const char *name,
	mode_t mode)
{
	char path[ISO_TEXT_SIZE], text[ISO_TEXT_SIZE + NAME_MAX + 2];
	const char *what = S_ISFIFO(mode) ? "a FIFO" : S_ISSOCK(mode) ? "a socket" : "a device";

	if (!tree->request->warn || !(what = vp_walk_note(&tree->n_notes, what)))
		return;
	snprintf(text, sizeof text, "%s/%s", iso_node_text(tree, dir, source, path), name);
	tree->request->warn(text, what);
}

static int scan_entry(struct iso_tree *tree, struct iso_node *dir, const struct iso_origin *from,
	int dirfd, const char *name)
{
	char text[ISO_TEXT_SIZE];
	struct iso_node *node;
	struct statx st;
	int error;

	if (tree->entries >= tree->request->max_entries)
		return iso_fail(&tree->failure, E2BIG, "more than %llu entries, in '%s'",
			(unsigned long long)tree->request->max_entries,
			iso_node_text(tree, dir, from->source, text));
	tree->entries++;
	error = iso_entry_stat(dirfd, name, &st);
	if (!error && !S_ISREG(st.stx_mode) && !S_ISDIR(st.stx_mode) && !S_ISLNK(st.stx_mode) &&
		!(st.stx_attributes & STATX_ATTR_MOUNT_ROOT)) {
		skip(tree, dir, from->source, name, st.stx_mode);
		return 0;
	}
	node = iso_tree_add(tree, dir, name);
	if (!node)
		return -ENOMEM;
	node->origin.source = from->source;
	if (strlen(name) > ISO_NAME_MAX)
		return iso_fail(&tree->failure, ENAMETOOLONG,
			"a name of more than %d bytes, which Linux would cut off: '%s'",
			ISO_NAME_MAX, iso_node_text(tree, node, from->source, text));
	if (error == -ENOENT)
		return iso_entry_fail_changed(tree, &tree->failure, node, from->source);
	if (error)
		return iso_entry_fail(tree, &tree->failure, node, from->source, error, "stat");
	if (st.stx_mnt_id != tree->mounts[from->source] ||
		(st.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return iso_entry_fail(tree, &tree->failure, node, from->source, -EXDEV, "read");
	node->origin.stamp = iso_entry_stamp(&st);
	remember_times(tree, &node->origin.stamp);
	if (S_ISLNK(st.stx_mode))
		return read_link(tree, node, dirfd);
	if (S_ISREG(st.stx_mode))
		return iso_tree_count(
			tree, st.stx_size, iso_node_text(tree, node, from->source, text));
	return 0;
}

static int scan_origin(struct iso_tree *tree, struct iso_node *dir, const struct iso_origin *origin)
{
	int fd = iso_entry_open(tree, dir, origin, O_RDONLY | O_DIRECTORY, &tree->failure);
	DIR *stream;
	int error = 0;

	if (fd < 0)
		return fd;
	stream = fdopendir(fd);
	if (!stream) {
		error = iso_entry_fail(tree, &tree->failure, dir, origin->source, -errno, "read");
		close(fd);
		return error;
	}
	while (!error) {
		struct dirent *entry;

		errno = 0;
		entry = readdir(stream);
		if (!entry && errno)
			error = iso_entry_fail(
				tree, &tree->failure, dir, origin->source, -errno, "read");
		if (!entry)
			break;
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			error = scan_entry(tree, dir, origin, fd, entry->d_name);
	}
	closedir(stream);
	return error;
}

static int scan_root(struct iso_tree *tree)
{
	struct iso_origin *origin = &tree->root->origin;
	struct statx st;

	for (unsigned int i = 0; i < tree->request->n_sources; i++) {
		int error = iso_entry_stat(tree->request->sources[i].dirfd, "", &st);

		if (!error && !S_ISDIR(st.stx_mode))
			error = -ENOTDIR;
		if (error)
			return iso_entry_fail(tree, &tree->failure, tree->root, i, error, "read");
		if (i > 0) {
			origin->next = iso_tree_alloc(tree, sizeof *origin);
			origin = origin->next;
			if (!origin)
				return -ENOMEM;
			origin->next = NULL;
		}
		origin->source = i;
		origin->stamp = iso_entry_stamp(&st);
		tree->mounts[i] = st.stx_mnt_id;
		remember_times(tree, &origin->stamp);
	}
	return 0;
}

/*
 * A change in the same tick of the clock as the last change before the scan gets the same times,
 * and could not be told from it. So contents are read only when that tick is over.
 */
static void wait_for_tick(const struct iso_tree *tree)
{
	const struct statx_timestamp newest = {
		.tv_sec = tree->newest_ctime, .tv_nsec = tree->newest_ctime_nsec};

	vp_walk_settle(&newest);
}

int iso_scan(struct iso_tree *tree)
{
	int error = scan_root(tree);
	struct iso_node *last = tree->root;

	for (struct iso_node *dir = tree->root; !error && dir; dir = dir->next_dir) {
		unsigned int depth = 0;

		if (++tree->dirs > ISO_DIRS_MAX)
			return iso_fail(
				&tree->failure, E2BIG, "more than %d directories", ISO_DIRS_MAX);
		for (const struct iso_node *up = dir; up->parent; up = up->parent)
			depth++;
		if (depth >= ISO_DEPTH_MAX)
			return iso_entry_fail(tree, &tree->failure, dir, dir->origin.source,
				-ENAMETOOLONG, "read");
		for (const struct iso_origin *o = &dir->origin; !error && o; o = o->next)
			if (o->source != ISO_INLINE)
				error = scan_origin(tree, dir, o);
		if (!error)
			error = iso_tree_merge(tree, dir);
		for (struct iso_node *c = dir->children; !error && c; c = c->sibling)
			if (iso_node_is(c, S_IFDIR)) {
				last->next_dir = c;
				last = c;
			}
	}
	if (!error)
		wait_for_tick(tree);
	return error;
}

/* One directory of one source: itself, and those children that are no directories. */
static int verify_origin(
	struct iso_tree *tree, const struct iso_node *dir, const struct iso_origin *origin)
{
	int fd = iso_entry_open(tree, dir, origin, O_RDONLY | O_DIRECTORY, &tree->failure);
	struct statx st;
	int error = 0;

	if (fd < 0)
		return fd;
	for (const struct iso_node *c = dir->children; !error && c; c = c->sibling) {
		if (c->origin.source != origin->source || iso_node_is(c, S_IFDIR))
			continue;
		error = iso_entry_stat(fd, c->name, &st);
		if (error && error != -ENOENT)
			error = iso_entry_fail(
				tree, &tree->failure, c, origin->source, error, "stat");
		else if (error || !iso_entry_is_same(tree, origin->source, &c->origin.stamp, &st))
			error = iso_entry_fail_changed(tree, &tree->failure, c, origin->source);
	}
	close(fd);
	return error;
}

int iso_scan_verify(struct iso_tree *tree)
{
	int error = 0;

	for (const struct iso_node *dir = tree->root; !error && dir; dir = dir->next_dir)
		for (const struct iso_origin *o = &dir->origin; !error && o; o = o->next)
			if (o->source != ISO_INLINE)
				error = verify_origin(tree, dir, o);
	return error;
}
