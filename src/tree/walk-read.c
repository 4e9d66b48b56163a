/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the current directory of a walk, and finding the place again. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "walk-state.h"

/* The next entry of the buffer, read anew when it is used up: 1, 0 at the end, or -errno. */
static int next_entry(struct vp_walk *walk)
{
	struct vp_walk_buffer *buffer = vp_walk_current(walk);

	if (buffer->at >= buffer->length) {
		ssize_t length = getdents64(vp_walk_fd(walk), buffer->data, sizeof(buffer->data));

		buffer->length = buffer->at = 0;
		buffer->entry = NULL;
		if (length <= 0)
			return length < 0 ? -errno : 0;
		buffer->length = (size_t)length;
	}
	buffer->entry = (struct dirent64 *)(void *)(buffer->data + buffer->at);
	buffer->entry_position = buffer->position;
	buffer->position = (uint64_t)buffer->entry->d_off;
	buffer->at += buffer->entry->d_reclen;
	return 1;
}

int vp_walk_next(struct vp_walk *walk, const char **ret_name, unsigned char *ret_type)
{
	for (;;) {
		int r = next_entry(walk);

		/* A directory that somebody removed reads as ENOENT. */
		if (r < 0)
			return vp_walk_fail(walk, r, "read directory", NULL);
		if (r == 0)
			return 0;
		struct dirent64 *entry = vp_walk_current(walk)->entry;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		*ret_name = entry->d_name;
		*ret_type = entry->d_type;
		return 1;
	}
}

static int seek(struct vp_walk *walk, uint64_t position)
{
	struct vp_walk_buffer *buffer = vp_walk_current(walk);

	if (lseek(vp_walk_fd(walk), (off_t)position, SEEK_SET) < 0)
		return -errno;
	buffer->length = buffer->at = 0;
	buffer->position = position;
	buffer->entry = NULL;
	return 0;
}

int vp_walk_rewind(struct vp_walk *walk)
{
	int r = seek(walk, 0);

	return r < 0 ? vp_walk_fail(walk, r, "read directory", NULL) : 0;
}

/* Whether the entry last read is the directory left. */
static bool entry_is(struct vp_walk *walk, const struct vp_identity *identity)
{
	struct vp_identity now;

	return vp_identify(vp_walk_fd(walk), vp_walk_current(walk)->entry->d_name, &now, NULL) ==
		       0 &&
	       vp_identity_equal(&now, identity);
}

/*
 * Looks at the entry's position first; then, where positions do not survive deletions (tmpfs
 * before Linux 6.6), everywhere.
 */
int vp_walk_find(struct vp_walk *walk, const struct vp_identity *identity)
{
	uint64_t start = vp_stack_level(&walk->stack)->position;

	for (int attempt = 0; attempt < 2; attempt++, start = 0) {
		int r = seek(walk, start);

		/* a directory that was emptied may not have the position any more */
		if (r == -EINVAL && attempt == 0)
			continue;
		while (r == 0) {
			int more = next_entry(walk);

			if (more < 0)
				return more == -ENOENT ? -ESTALE : more;
			if (more == 0)
				break;
			struct dirent64 *entry = vp_walk_current(walk)->entry;

			/*
			 * The number in the directory is another one for a mount point; there
			 * only the full check helps.
			 */
			if ((entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN) &&
				(entry->d_ino == identity->inode ||
					identity->mount != vp_walk_identity(walk)->mount ||
					attempt > 0) &&
				strcmp(entry->d_name, ".") != 0 &&
				strcmp(entry->d_name, "..") != 0 && entry_is(walk, identity))
				return 0;
		}
		if (r < 0)
			return r;
	}
	return -ESTALE;
}
