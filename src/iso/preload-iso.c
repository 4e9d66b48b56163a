/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An <iso> of a guest built, put in place and removed again. */
#include "preload-iso.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beneath.h"
#include "directives.h"
#include "iso.h"
#include "preload-journal.h"
#include "record.h"
#include "rename-new.h"
#include "space.h"

/* libisofs keeps every entry in memory */
enum { MAX_ENTRIES = 1000000 };

/* The image being built, and its place. */
struct building {
	const struct vp_event *event;
	struct vp_policy *policy;
	const struct vp_element *iso;
	const char *path, *leaf;
	int parent;
	char id[64];
	struct iso_source sources[VP_ISO_MAX_SOURCES];
	struct iso_file files[VP_ISO_MAX_FILES];
	struct iso_request request;
	char *why;
	size_t why_size;
};

/* iso_build's callback has no context; one image is built at a time. */
static const struct building *building;

static void note_left_out(const char *path, const char *why)
{
	vp_note(building->event, building->iso, "'%s' is not in the image: %s", path, why);
}

/* The table lets no more of either through than there is room for. */
static int open_sources(struct building *b)
{
	for (const struct vp_element *e = vp_child(b->iso, NULL); e; e = vp_next(e, NULL)) {
		if (strcmp(e->name, "src") == 0) {
			struct iso_source *source = &b->sources[b->request.n_sources];

			source->path = e->text;
			source->dirfd = vp_policy_open_dir(b->policy, VP_READ, e->text);
			if (source->dirfd < 0) {
				snprintf(b->why, b->why_size, "%s", b->policy->why);
				return source->dirfd;
			}
			b->request.n_sources++;
		} else {
			const char *path = vp_attr_text(e, "path", "");

			b->files[b->request.n_files++] =
				(struct iso_file){path + (*path == '/'), e->text, strlen(e->text)};
		}
	}
	return 0;
}

static void close_sources(struct building *b)
{
	for (size_t i = 0; i < b->request.n_sources; i++)
		close(b->sources[i].dirfd);
}

static int set_owner(const struct building *b, int fd)
{
	uid_t uid = (uid_t)vp_attr_number(b->iso, "uid", 0);
	gid_t gid = (gid_t)vp_attr_number(b->iso, "gid", 0);

	if (fchown(fd, uid, gid) < 0 ||
		fchmod(fd, (mode_t)vp_attr_number(b->iso, "mode", 0600)) < 0)
		return -errno;
	return 0;
}

/* A file without a name, which a killed part takes with it, where the filesystem knows such files. */
static int open_image(int parent, const char *temporary, bool *ret_named)
{
	int fd = openat(parent, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);

	*ret_named = false;
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
		*ret_named = true;
		fd = openat(parent, temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);
	}
	return fd < 0 ? -errno : fd;
}

/* The path is claimed: what has the temporary name is a leftover of a killed run. */
static int build_beside(struct building *b, int run, const char *temporary, bool sync)
{
	bool named;
	int fd, r;

	unlinkat(b->parent, temporary, 0);
	fd = open_image(b->parent, temporary, &named);
	if (fd < 0)
		return fd;
	r = preload_journal_built(run, fd, b->path);
	if (r == 0 && sync)
		r = vp_record_sync(run);
	if (r < 0)
		snprintf(b->why, b->why_size, "cannot write to the run's record: %s", strerror(-r));
	/* before, and it is on disk with the rest; after, when its owner could open it half-done */
	if (r == 0 && !named)
		r = set_owner(b, fd);
	if (r == 0)
		r = iso_build(&b->request, fd, b->why, b->why_size);
	if (r == 0 && named)
		r = set_owner(b, fd);
	if (r == 0 && named && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && !named && linkat(fd, "", b->parent, temporary, AT_EMPTY_PATH) < 0)
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r < 0)
		unlinkat(b->parent, temporary, 0);
	return r;
}

static int put_in_place(struct building *b, int run, const char *temporary, bool replace)
{
	int r = preload_journal_place(run, b->path);

	if (r == 0 && replace)
		r = renameat(b->parent, temporary, b->parent, b->leaf) < 0 ? -errno : 0;
	/* what appeared since it was looked at is not overwritten */
	else if (r == 0)
		r = vp_rename_new(b->parent, temporary, b->parent, b->leaf);
	if (r == 0 && fsync(b->parent) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(b->parent, temporary, 0);
	return r;
}

static int set_limits(struct building *b)
{
	struct vp_space space;
	int r = vp_space_limits(b->policy, b->parent, &space, b->why, b->why_size);

	if (r < 0)
		return r;
	b->request.max_bytes = space.max_bytes;
	b->request.max_entries = space.max_entries < MAX_ENTRIES ? space.max_entries : MAX_ENTRIES;
	return 0;
}

/* One that is there, and is this run's from now on, whatever its number: it may have been moved with its disk. */
static int take_over(int run, int parent, const char *leaf, const char *path)
{
	int placed = preload_journal_has(run, path), r = placed, fd;

	if (placed > 0)
		r = preload_journal_owns(run, parent, leaf, path);
	if (r != 0)
		return r < 0 ? r : 0;
	fd = vp_open_beneath(parent, leaf, O_PATH);
	r = fd < 0 ? fd : preload_journal_built(run, fd, path);
	if (fd >= 0)
		close(fd);
	return r < 0 || placed ? r : preload_journal_place(run, path);
}

/* The name that an image has before it is in place. */
static int temporary_of(const char *leaf, char ret[NAME_MAX + 1])
{
	return snprintf(ret, NAME_MAX + 1, ".%s.virt-parts", leaf) > NAME_MAX ? -ENAMETOOLONG : 0;
}

static int build(struct building *b, int run, unsigned how)
{
	char temporary[NAME_MAX + 1];
	int there = iso_look_at_place(b->parent, b->leaf, b->id), r;

	if (there == -EEXIST)
		snprintf(b->why, b->why_size,
			"there is a file which is not this guest's image; move it away or name "
			"another path");
	if (there < 0)
		return there;
	if (there && (how & PRELOAD_ISO_KEEP)) {
		vp_note(b->event, b->iso, "'%s' is used as it is", b->path);
		return take_over(run, b->parent, b->leaf, b->path);
	}
	r = temporary_of(b->leaf, temporary);
	if (r == 0)
		r = set_limits(b);
	if (r == 0)
		r = open_sources(b);
	if (r == 0 && (how & PRELOAD_ISO_SYNC)) {
		r = preload_journal_place(run, b->path);
		if (r == 0)
			r = vp_record_sync(run);
	}
	if (r == 0)
		r = build_beside(b, run, temporary, how & PRELOAD_ISO_SYNC);
	close_sources(b);
	return r < 0 ? r : put_in_place(b, run, temporary, there);
}

int preload_iso(const struct vp_event *event, struct vp_policy *policy,
	const struct vp_element *iso, int run, unsigned how, char *why, size_t size)
{
	static struct building b; /* large, and there is one at a time */
	int r;

	b = (struct building){
		.event = event, .policy = policy, .iso = iso, .why = why, .why_size = size};
	b.path = vp_attr_text(iso, "path", "");
	iso_owner_id(event->uuid, b.id);
	b.request = (struct iso_request){.label = vp_attr_text(iso, "label", "VIRT-PARTS"),
		.application_id = b.id,
		.sources = b.sources,
		.files = b.files,
		.warn = note_left_out};
	building = &b;
	b.parent = vp_policy_open_parent(policy, VP_ISO, b.path, 0711, &b.leaf);
	if (b.parent < 0) {
		snprintf(why, size, "%s", policy->why);
		return b.parent;
	}
	r = build(&b, run, how);
	close(b.parent);
	return r;
}

static int open_parent(const char *path, const char **ret_leaf)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int parent = root < 0 ? -errno : vp_open_parent_beneath(root, path + 1, ret_leaf);

	if (root >= 0)
		close(root);
	return parent;
}

/*
 * Of one that was killed while it built, by what it has noted. Where nothing was noted for the path, it is of
 * an older version, which noted an image only when that was PLACED; or it was killed before it could note it,
 * and has put nothing into it.
 */
static void remove_temporary(int run, int parent, const char *leaf, const char *path, bool placed)
{
	char temporary[NAME_MAX + 1];
	struct stat st;
	int owns = temporary_of(leaf, temporary);

	if (owns == 0)
		owns = preload_journal_owns(run, parent, temporary, path);
	if (owns == PRELOAD_JOURNAL_NONE && !placed)
		owns = fstatat(parent, temporary, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		       S_ISREG(st.st_mode) && st.st_size == 0;
	if (owns > 0)
		unlinkat(parent, temporary, 0);
}

static int remove_image(const struct vp_event *event, int run, int parent, const char *leaf,
	const char *path, char *why, size_t size)
{
	char id[ISO_OWNER_ID_SIZE];
	int r;

	iso_owner_id(event->uuid, id);
	r = iso_look_at_place(parent, leaf, id);
	if (r == -EEXIST)
		snprintf(why, size, "it is not this guest's image any more; it is left alone");
	else if (r > 0 && (r = preload_journal_owns(run, parent, leaf, path)) == 0)
		vp_note(event, NULL,
			"'%s' stays: it is not the image that this run built, but a later one; "
			"another host may use it",
			path);
	else if (r > 0 && unlinkat(parent, leaf, 0) < 0)
		r = -errno;
	if (r < 0 && !*why)
		snprintf(why, size, "%s", strerror(-r));
	return r < 0 ? r : 0;
}

int preload_iso_take_over(const struct vp_event *event, const char *path, int run)
{
	int r = preload_journal_has(run, path), parent;
	char id[ISO_OWNER_ID_SIZE];
	const char *leaf;

	if (r <= 0)
		return r;
	/* what is wrong with it libvirt says */
	parent = open_parent(path, &leaf);
	if (parent < 0)
		return 0;
	iso_owner_id(event->uuid, id);
	r = iso_look_at_place(parent, leaf, id) > 0 ? take_over(run, parent, leaf, path) : 0;
	close(parent);
	return r;
}

int preload_iso_remove(
	const struct vp_event *event, const char *path, bool stays, int run, char *why, size_t size)
{
	int placed = preload_journal_has(run, path), parent, r = 0;
	const char *leaf;

	if (placed < 0) {
		snprintf(why, size, "cannot read the run's journal: %s", strerror(-placed));
		return placed;
	}
	parent = open_parent(path, &leaf);
	if (parent < 0) {
		snprintf(why, size, "%s", strerror(-parent));
		return parent == -ENOENT || !placed || stays ? 0 : parent;
	}
	remove_temporary(run, parent, leaf, path, placed);
	if (placed && !stays)
		r = remove_image(event, run, parent, leaf, path, why, size);
	close(parent);
	return r;
}
