/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A walk through a directory tree by descriptor: any depth and width, no link followed, no mount entered. */
#include "walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "beneath.h"

#define BUFFER_SIZE 16384

/* What was read of a directory that is held open. */
struct buffer {
	size_t length;
	size_t at;	   /* where the next entry begins */
	uint64_t position; /* of that entry in the directory, for lseek() */
	/* the entry last given */
	struct dirent64 *entry;
	uint64_t entry_position;
	_Alignas(struct dirent64) char data[BUFFER_SIZE];
};

struct vp_walk {
	struct vp_stack stack;
	struct vp_walk_options options;
	const struct vp_why *why;
	struct vp_walk_text text;
	char path[VP_WALK_TEXT_MAX];
	struct buffer buffers
		[VP_WALK_HELD]; /* of level n in buffers[n % VP_WALK_HELD], as its descriptor */
};

static struct buffer *current(struct vp_walk *walk)
{
	return &walk->buffers[walk->stack.depth % VP_WALK_HELD];
}

const char *vp_walk_path(struct vp_walk *walk, const char *name)
{
	return vp_walk_text_path(&walk->text, name, walk->path);
}

int vp_walk_fd(const struct vp_walk *walk)
{
	return vp_stack_fd(&walk->stack);
}

unsigned vp_walk_depth(const struct vp_walk *walk)
{
	return walk->stack.depth;
}

uint64_t *vp_walk_mark(struct vp_walk *walk)
{
	return &vp_stack_level(&walk->stack)->mark;
}

const struct vp_identity *vp_walk_identity(const struct vp_walk *walk)
{
	return &vp_stack_level(&walk->stack)->identity;
}

static int fail(struct vp_walk *walk, int r, const char *verb, const char *name)
{
	return vp_why_path(walk->why, r, verb, vp_walk_path(walk, name));
}

static uint64_t nanoseconds(const struct statx_timestamp *time)
{
	return (uint64_t)time->tv_sec * 1000000000U + time->tv_nsec;
}

int vp_walk_settle(const struct statx_timestamp *ctime)
{
	const uint64_t tick = 10000000; /* CONFIG_HZ=100, the slowest */
	struct timespec now, pause = {.tv_nsec = 2 * (long)tick};

	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return 0;
	uint64_t age =
		(uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec - nanoseconds(ctime);

	if (age > tick) /* a time in the future too: it wraps */
		return 0;
	nanosleep(&pause, NULL);
	return 1;
}

/* A descriptor that can be read as a directory, of one that may be O_PATH. "." is never a mount put over it. */
static int reopen(int fd)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME);

	if (again < 0 && errno == EPERM) /* not the owner's and no CAP_FOWNER */
		again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return again < 0 ? -errno : again;
}

/* Sets up the directory just come into. */
static int arrive(struct vp_walk *walk)
{
	struct buffer *buffer = current(walk);
	struct statx stx;

	buffer->length = buffer->at = 0;
	buffer->position = 0;
	buffer->entry = NULL;
	if (!walk->options.watch)
		return 0;
	int r = vp_identify(vp_walk_fd(walk), "", NULL, &stx);

	if (r == 0 && vp_walk_settle(&stx.stx_ctime))
		r = vp_identify(vp_walk_fd(walk), "", NULL, &stx);
	if (r == 0)
		vp_stack_level(&walk->stack)->mark = nanoseconds(&stx.stx_ctime);
	return r;
}

int vp_walk_begin(int dir, const struct vp_walk_options *options, const struct vp_why *why,
	struct vp_walk **ret_walk)
{
	struct vp_walk *walk = calloc(1, sizeof(*walk));

	if (!walk)
		return vp_why_path(why, -ENOMEM, "walk", ".");
	walk->options = *options;
	walk->why = why;

	int r = reopen(dir);

	if (r >= 0)
		r = vp_stack_begin(&walk->stack, r, VP_WALK_HELD);
	if (r == 0)
		r = arrive(walk);
	if (r < 0) {
		fail(walk, r, "open", NULL);
		vp_walk_end(walk);
		return r;
	}
	*ret_walk = walk;
	return 0;
}

void vp_walk_end(struct vp_walk *walk)
{
	if (!walk)
		return;
	vp_stack_end(&walk->stack);
	free(walk);
}

/* The next entry of the buffer, read anew when it is used up: 1, 0 at the end, or -errno. */
static int next_entry(struct vp_walk *walk)
{
	struct buffer *buffer = current(walk);

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
			return fail(walk, r, "read directory", NULL);
		if (r == 0)
			return 0;
		struct dirent64 *entry = current(walk)->entry;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		*ret_name = entry->d_name;
		*ret_type = entry->d_type;
		return 1;
	}
}

static int seek(struct vp_walk *walk, uint64_t position)
{
	struct buffer *buffer = current(walk);

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

	return r < 0 ? fail(walk, r, "read directory", NULL) : 0;
}

int vp_walk_look(struct vp_walk *walk, int *ret_fd, struct statx *ret_statx)
{
	const char *name = current(walk)->entry->d_name;
	struct vp_identity identity;
	struct statx stx;
	int fd = vp_openat2(
		vp_walk_fd(walk), name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS);

	if (fd < 0)
		return fail(walk, fd, "open", name);
	int r = vp_identify(fd, "", &identity, &stx);

	if (r < 0) {
		close(fd);
		return fail(walk, r, "examine", name);
	}
	/* st_dev says nothing here: a bind mount of the same filesystem has the same one. */
	if (identity.mount != vp_walk_identity(walk)->mount ||
		(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT)) {
		if (!walk->options.enter_mount ||
			!walk->options.enter_mount(fd, walk->options.context)) {
			close(fd);
			return vp_why_set(walk->why, -EXDEV, "'%s' is a mount point",
				vp_walk_path(walk, name));
		}
	}
	*ret_fd = fd;
	*ret_statx = stx;
	return 0;
}

int vp_walk_enter(struct vp_walk *walk, int fd)
{
	struct buffer *buffer = current(walk);
	const char *name = buffer->entry->d_name;

	if (walk->stack.depth >= walk->options.max_depth)
		return vp_why_set(walk->why, -E2BIG, "'%s' is deeper than %u levels",
			vp_walk_path(walk, name), walk->options.max_depth);
	int child = reopen(fd);

	if (child < 0)
		return fail(walk, child, "open", name);
	vp_stack_level(&walk->stack)->position = buffer->entry_position;

	int r = vp_stack_push(&walk->stack, child);

	if (r < 0)
		return fail(walk, r, "enter", name);
	/* the name is in the parent's buffer, which is held as long as its descriptor */
	vp_walk_text_push(&walk->text, name);
	r = arrive(walk);
	return r < 0 ? fail(walk, r, "open", NULL) : 0;
}

/* Whether the entry last read is the directory left. */
static bool entry_is(struct vp_walk *walk, const struct vp_identity *identity)
{
	struct vp_identity now;

	return vp_identify(vp_walk_fd(walk), current(walk)->entry->d_name, &now, NULL) == 0 &&
	       vp_identity_equal(&now, identity);
}

/*
 * Makes the entry that was entered the current one again after its directory had to be opened anew: at its
 * position; or, where positions do not survive deletions (tmpfs before Linux 6.6), wherever it is now.
 */
static int find_entry(struct vp_walk *walk, const struct vp_identity *identity)
{
	uint64_t start = vp_stack_level(&walk->stack)->position;

	for (int attempt = 0; attempt < 2; attempt++, start = 0) {
		int r = seek(walk, start);

		while (r == 0) {
			int more = next_entry(walk);

			if (more < 0)
				return more;
			if (more == 0)
				break;
			struct dirent64 *entry = current(walk)->entry;

			/* The number in the directory is another one for a mount point; there only the full check helps. */
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

int vp_walk_leave(struct vp_walk *walk, const char **ret_name)
{
	struct vp_identity left = *vp_walk_identity(walk);
	bool reopened;
	int r = vp_stack_pop(&walk->stack, &reopened);

	if (r == 0) {
		vp_walk_text_pop(&walk->text);
		if (reopened)
			r = find_entry(walk, &left);
	}
	if (r < 0)
		return vp_why_set(walk->why, r,
			r == -ESTALE ? "'%s' was moved meanwhile" : "cannot go up from '%s': %s",
			vp_walk_path(walk, NULL), strerror(-r));
	if (ret_name)
		*ret_name = current(walk)->entry->d_name;
	return 0;
}

int vp_walk_check_unchanged(struct vp_walk *walk)
{
	struct statx stx;
	int r = vp_identify(vp_walk_fd(walk), "", NULL, &stx);

	if (r < 0)
		return fail(walk, r, "examine", NULL);
	if (nanoseconds(&stx.stx_ctime) != vp_stack_level(&walk->stack)->mark)
		return vp_why_set(walk->why, -ESTALE, "directory '%s' changed while it was copied",
			vp_walk_path(walk, NULL));
	return 0;
}
