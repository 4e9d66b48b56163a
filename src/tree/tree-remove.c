/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Deleting a directory tree by descriptor: no link followed, no mount entered. */
#include "tree-remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <unistd.h>

#include "beneath.h"
#include "walk.h"

/*
 * A directory that turns out not to be empty, with nothing in it having failed, is gone through
 * again: somebody still makes files in it. This often for a whole tree, then it is an error.
 */
#define MAX_AGAIN 1000

struct removal {
	struct vp_walk *walk;
	struct vp_remove_result result;
	unsigned again;
	int first; /* the first failure; its reason is in first_text */
	char first_text[VP_WALK_TEXT_MAX + 128];
	char text[VP_WALK_TEXT_MAX + 128]; /* of what just failed */
	struct vp_why why;		   /* leads there */
};

/* Counts a failure whose reason is in removal->text. */
static void count_failure(struct removal *removal, int r)
{
	removal->result.failed++;
	if (removal->first == 0) {
		removal->first = r;
		memcpy(removal->first_text, removal->text, sizeof(removal->first_text));
	}
}

/* Why an entry can't be removed, where the bare errno would not tell. */
static void explain(struct removal *removal, int r, const char *name)
{
	const char *path = vp_walk_path(removal->walk, name);
	const uint64_t fixed = STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND;
	struct statx stx;

	if (r == -EBUSY) {
		vp_why_set(&removal->why, r, "'%s' is a mount point", path);
		return;
	}
	vp_why_path(&removal->why, r, "remove", path);
	if (r != -EPERM)
		return;
	const char *what = NULL;

	if (vp_identify(vp_walk_fd(removal->walk), name, NULL, &stx) == 0 &&
		(stx.stx_attributes & fixed))
		what = "it";
	else if (vp_identify(vp_walk_fd(removal->walk), "", NULL, &stx) == 0 &&
		 (stx.stx_attributes & fixed))
		what = "its directory";
	if (what)
		vp_why_set(&removal->why, r,
			"cannot remove '%s': %s is immutable or append-only (lsattr, chattr)", path,
			what);
}

static void fail_entry(struct removal *removal, int r, const char *name)
{
	explain(removal, r, name);
	count_failure(removal, r);
}

/*
 * Goes down into the current entry, a directory. 0 also if there is nothing to enter any more, or
 * it failed.
 */
static void enter_directory(struct removal *removal)
{
	struct statx stx;
	int fd;
	int r = vp_walk_look(removal->walk, &fd, &stx);

	if (r == 0) {
		/* Not a directory any more: the next pass over this one takes it. */
		if (S_ISDIR(stx.stx_mode)) {
			r = vp_walk_enter(removal->walk, fd);
			if (r == 0)
				*vp_walk_mark(removal->walk) = removal->result.failed;
		}
		close(fd);
	}
	if (r < 0 && r != -ENOENT)
		count_failure(removal, r);
}

static void remove_entry(struct removal *removal, const char *name, unsigned char type)
{
	/*
	 * Whatever name is by now, this takes it away and nothing behind it; a mount point is
	 * EBUSY.
	 */
	if (type != DT_DIR && unlinkat(vp_walk_fd(removal->walk), name, 0) == 0)
		removal->result.removed++;
	else if (type == DT_DIR || errno == EISDIR)
		enter_directory(removal);
	else if (errno != ENOENT)
		fail_entry(removal, -errno, name);
}

/* Leaves a directory that is done with, and removes it. */
static int leave_directory(struct removal *removal)
{
	bool clean = *vp_walk_mark(removal->walk) == removal->result.failed;
	const char *name;
	int r = vp_walk_leave(removal->walk, &name);

	if (r < 0) {
		count_failure(removal, r);
		return r;
	}
	if (!clean) /* then it can't be empty, and that is told already */
		return 0;
	if (unlinkat(vp_walk_fd(removal->walk), name, AT_REMOVEDIR) == 0)
		removal->result.removed++;
	else if (errno == ENOTEMPTY && removal->again < MAX_AGAIN) {
		removal->again++;
		enter_directory(removal);
	} else if (errno != ENOENT)
		fail_entry(removal, -errno, name);
	return 0;
}

/* Whether the top must be gone through again. Leaves it at its start. */
static bool top_again(struct removal *removal)
{
	const char *name;
	unsigned char type;
	int r = vp_walk_rewind(removal->walk);

	if (r == 0 && removal->result.failed == 0)
		r = vp_walk_next(removal->walk, &name, &type);
	if (r > 0 && removal->again++ >= MAX_AGAIN)
		r = vp_why_set(&removal->why, -ENOTEMPTY,
			"cannot empty the directory: somebody still makes files in it");
	if (r > 0)
		r = vp_walk_rewind(removal->walk);
	else if (r == 0)
		return false;
	if (r < 0)
		count_failure(removal, r);
	return r == 0;
}

/* Empties the directory dir; its failures are in removal. */
static void empty(struct removal *removal, int dir)
{
	const struct vp_walk_options options = {.max_depth = UINT_MAX};
	int r = vp_walk_begin(dir, &options, &removal->why, &removal->walk);

	if (r < 0) {
		count_failure(removal, r);
		return;
	}
	while (r == 0) {
		const char *name;
		unsigned char type;
		int more = vp_walk_next(removal->walk, &name, &type);

		if (more > 0) {
			remove_entry(removal, name, type);
			continue;
		}
		if (more < 0)
			count_failure(removal, more);
		if (vp_walk_depth(removal->walk) > 0)
			r = leave_directory(removal);
		else if (more < 0 || !top_again(removal))
			break;
	}
	vp_walk_end(removal->walk);
}

static void begin(struct removal *removal)
{
	*removal = (struct removal){.first = 0};
	removal->why = (struct vp_why){removal->text, sizeof(removal->text)};
}

static int finish(const struct removal *removal, struct vp_remove_result *ret_result,
	const struct vp_why *why)
{
	if (ret_result)
		*ret_result = removal->result;
	if (removal->result.failed > 1)
		vp_why_set(why, 0, "%s; and %llu more", removal->first_text,
			(unsigned long long)removal->result.failed - 1);
	else if (removal->result.failed == 1)
		vp_why_set(why, 0, "%s", removal->first_text);
	return removal->first;
}

int vp_empty_directory(int dir, struct vp_remove_result *ret_result, char *ret_why, size_t why_size)
{
	const struct vp_why why = {ret_why, why_size};
	struct removal removal;

	begin(&removal);
	empty(&removal, dir);
	return finish(&removal, ret_result, &why);
}

/* Removes the emptied top, if it still is what was opened. */
static void remove_top(
	struct removal *removal, int parent_dir, const char *name, const struct vp_identity *top)
{
	struct vp_identity now;
	int r = vp_identify(parent_dir, name, &now, NULL);

	if (r == 0 && !vp_identity_equal(&now, top))
		r = -ESTALE;
	if (r == 0 && unlinkat(parent_dir, name, AT_REMOVEDIR) < 0)
		r = -errno;
	if (r == 0) {
		removal->result.removed++;
		return;
	}
	if (r == -ESTALE)
		vp_why_set(&removal->why, r, "'%s' was replaced while it was emptied", name);
	else if (r == -ENOTEMPTY)
		vp_why_set(&removal->why, r, "cannot remove '%s': somebody still makes files in it",
			name);
	else
		vp_why_path(&removal->why, r, "remove", name);
	count_failure(removal, r);
}

int vp_remove_tree(int parent_dir, const char *name, struct vp_remove_result *ret_result,
	char *ret_why, size_t why_size)
{
	const struct vp_why why = {ret_why, why_size};
	struct vp_identity top;
	struct removal removal;
	struct statx stx;

	if (*name == '\0' || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return vp_why_set(
			&why, -EINVAL, "'%s' is not the name of a directory in another", name);
	int fd = vp_openat2(parent_dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0,
		RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);

	if (fd == -EXDEV)
		return vp_why_set(&why, fd, "'%s' is a mount point", name);
	if (fd < 0)
		return vp_why_path(&why, fd, "open", name);
	int r = vp_identify(fd, "", &top, &stx);

	if (r < 0 || !S_ISDIR(stx.stx_mode)) {
		close(fd);
		return vp_why_path(&why, r < 0 ? r : -ENOTDIR, "remove", name);
	}
	begin(&removal);
	empty(&removal, fd);
	close(fd);
	if (removal.result.failed == 0)
		remove_top(&removal, parent_dir, name, &top);
	return finish(&removal, ret_result, &why);
}
