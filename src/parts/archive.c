/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * archive: each <src> copied to its <dst> when the guest has ended, put in place when it is complete
 * and on disk.
 *
 * Journal, done/archive: see archive-journal.h.
 *
 * Journal, done/archive-staging: `NAME DST` before the directory NAME is made, beside DST, in which an archive
 * is built: where a process that was killed may have left one, on whatever day. After a power loss, which may
 * cost the journal, one is known by its name, which the run's boot and guest make that of no other host.
 *
 * Journal, done/archive-claim: `NAME DST` before the name that an archive gets is taken by an empty directory,
 * beside DST, where the filesystem can put nothing in place without that: killed then, it would look like one.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive-journal.h"
#include "archive-ramdisks.h"
#include "directives.h"
#include "own-mounts.h"
#include "record.h"
#include "space.h"
#include "tree-copy-staging.h"
#include "tree-copy.h"

enum { MAX_NAMES = 10000 };

/* What the copies of one directive have in common. */
struct archiving {
	const struct vp_event *event;
	struct vp_policy policy;
	struct vp_own_mounts own;
	int run; /* the record */
	struct vp_run info;
	const struct vp_element *dircopy;
	int parent; /* where its archive is to lie */
};

static bool enter_own_mount(int fd, void *context)
{
	const struct archiving *a = context;

	return vp_own_mounts_has(fd, &a->own);
}

static void note_skipped(void *context, const char *path, const char *what)
{
	const struct archiving *a = context;

	vp_note(a->event, a->dircopy, "'%s' %s", path, what);
}

static int check_room(void *context, char *why, size_t size)
{
	struct archiving *a = context;

	return vp_space_check_free(&a->policy, a->parent, why, size);
}

/* The run's <dircopy> of that NUMBER, which is a->dircopy. */
static struct archive_of dircopy_of(const struct archiving *a, unsigned number)
{
	return (struct archive_of){
		.event = a->event,
		.run = a->run,
		.turn = a->info.turn,
		.number = number,
		.src = vp_child(a->dircopy, "src")->text,
		.own = &a->own,
	};
}

/* SOURCE: -ENOENT when it is not there any more. */
static bool is_done(const struct archiving *a, const struct archive_of *of, int source)
{
	enum archive_is is = archive_journal_look(of, source);

	if (is == ARCHIVE_DONE)
		vp_note(a->event, a->dircopy, "'%s' is archived already", of->src);
	else if (is == ARCHIVE_CHANGED)
		vp_note(a->event, a->dircopy,
			"'%s' has changed since it was archived, and is archived again", of->src);
	return is == ARCHIVE_DONE;
}

static struct vp_copy_options options_of(struct archiving *a, const struct vp_space *limits)
{
	struct vp_copy_options options = VP_COPY_OPTIONS_DEFAULT;

	options.max_bytes = limits->max_bytes;
	options.max_entries = limits->max_entries;
	options.enter_mount = enter_own_mount;
	options.note = note_skipped;
	options.check_room = check_room;
	options.context = a;
	options.top_mode = (mode_t)vp_attr_number(a->dircopy, "mode", 0700);
	options.top_uid = (uid_t)vp_attr_number(a->dircopy, "uid", 0);
	options.top_gid = (gid_t)vp_attr_number(a->dircopy, "gid", 0);
	return options;
}

static int fail_record(const struct archiving *a, int r, char *why, size_t size)
{
	snprintf(why, size, "cannot write to the run's record in '%s': %s", a->event->state_dir,
		strerror(-r));
	return r;
}

/* NAME, beside DST: in that journal once, since each try uses the same. */
static int note_name(
	const struct archiving *a, const char *journal, const char *name, char *why, size_t size)
{
	char *line;
	int r;

	if (asprintf(&line, "%s %s", name, vp_child(a->dircopy, "dst")->text) < 0)
		return -ENOMEM;
	r = vp_record_has_line(a->run, journal, line);
	if (r == 0)
		r = vp_record_append(a->run, journal, line);
	free(line);
	return r < 0 ? fail_record(a, r, why, size) : 0;
}

static int note_staging(void *context, const char *name, char *why, size_t size)
{
	return note_name(context, "done/archive-staging", name, why, size);
}

/* It is on disk before the claim may be on that of another machine. */
static int note_claim(void *context, const char *name, char *why, size_t size)
{
	const struct archiving *a = context;
	int r = note_name(a, "done/archive-claim", name, why, size);

	if (r == 0 && (r = vp_record_sync(a->run)) < 0)
		snprintf(why, size, "cannot bring the run's record in '%s' to disk: %s",
			a->event->state_dir, strerror(-r));
	return r;
}

/* One copy, and what comes of it. */
struct copying {
	const struct archive_of *of;
	int source;
	const char *leaf;
	struct vp_space limits;
	struct archive_state state; /* of the source, before it was read */
	struct vp_copy_result result;
	char name[NAME_MAX + 1]; /* under which it is in place */
	char why[1024];
};

/*
 * Before it is put in place. The copy itself sees what changes while that is read, and not what changes after
 * it, while the rest is: on an archive's word all of it may be deleted.
 */
static int check_copy(struct archiving *a, struct copying *c)
{
	int r = archive_state_holds(c->of, c->source, &c->state);

	if (r == 0)
		snprintf(c->why, sizeof(c->why),
			"something in it changed while it was copied; end what writes there");
	else if (r < 0)
		snprintf(c->why, sizeof(c->why),
			"cannot see whether it changed while it was copied: %s", strerror(-r));
	if (r <= 0)
		return r < 0 ? r : -ESTALE;
	return vp_space_check(&a->policy, VP_WRITE, vp_child(a->dircopy, "dst")->text, a->parent,
		c->why, sizeof(c->why));
}

static void tell_limit(struct copying *c)
{
	size_t used = strlen(c->why);

	snprintf(c->why + used, sizeof(c->why) - used, " (%s of parts.conf)",
		c->result.entries >= c->limits.max_entries ? "archive-entries" : c->limits.which);
}

/* Copies into a staging directory beside the final name, and puts it there. */
static int copy_and_publish(struct archiving *a, struct copying *c)
{
	struct vp_copy_options options = options_of(a, &c->limits);
	char staging_name[NAME_MAX + 1], ignored[256], key[128];
	const struct vp_staging_maker maker = {
		.key = key, .note = note_staging, .note_claim = note_claim, .context = a};
	int staging, r;

	snprintf(key, sizeof(key), "%s %s", a->info.boot_id, a->event->uuid);
	/* not the archive's name, in which may be a date: it is found again on another day */
	staging =
		vp_staging_make(a->parent, "archive", &maker, staging_name, c->why, sizeof(c->why));
	if (staging < 0)
		return staging;
	r = vp_copy_tree(c->source, staging, &options, &c->result, c->why, sizeof(c->why));
	if (r == 0)
		r = check_copy(a, c);
	if (r == 0)
		r = vp_publish(staging, "tree", a->parent, c->leaf, MAX_NAMES, &maker, c->name,
			c->why, sizeof(c->why));
	if (r == -E2BIG)
		tell_limit(c);
	vp_staging_remove(a->parent, staging_name, staging, ignored, sizeof(ignored));
	return r;
}

/* Where the archive came to lie, for the journal and the log. */
static char *final_path(const char *dst, const char *leaf, const char *name)
{
	char *path;

	return asprintf(&path, "%.*s%s", (int)(strlen(dst) - strlen(leaf)), dst, name) < 0 ? NULL
											   : path;
}

static int note_done(struct archiving *a, const struct copying *c)
{
	char *path = final_path(vp_child(a->dircopy, "dst")->text, c->leaf, c->name);
	int r = path ? archive_journal_add(c->of, &c->state, path) : -ENOMEM;

	if (r < 0)
		vp_error(a->event, a->dircopy, "cannot record that '%s' is archived: %s",
			c->of->src, strerror(-r));
	else
		vp_note(a->event, a->dircopy,
			"archived '%s' to '%s': %" PRIu64 " entries, %" PRIu64 " bytes%s",
			c->of->src, path, c->result.entries, c->result.bytes,
			c->result.skipped ? "; sockets and device nodes are left out" : "");
	free(path);
	return r;
}

static int archive_to(
	struct archiving *a, const struct archive_of *of, int source, const char *leaf)
{
	const char *dst = vp_child(a->dircopy, "dst")->text;
	struct copying c = {.of = of, .source = source, .leaf = leaf};
	int r = vp_space_left(
		&a->policy, VP_WRITE, dst, a->parent, &c.limits, c.why, sizeof(c.why));

	if (r == 0) {
		archive_state_get(of, source, c.limits.max_entries, &c.state);
		/* one that is in place and cannot be noted would be made again at each try */
		r = archive_journal_reserve(of, &c.state);
		r = r < 0 ? fail_record(a, r, c.why, sizeof(c.why)) : copy_and_publish(a, &c);
	}
	if (r < 0)
		vp_error(a->event, a->dircopy,
			"cannot archive '%s' to '%s': %s; nothing of it is deleted or unmounted",
			of->src, dst, *c.why ? c.why : strerror(-r));
	else
		r = note_done(a, &c);
	archive_state_free(&c.state);
	return r;
}

/* A ramdisk that was in SRC, or held it, and has gone from there: another thing is in its place, or none. */
static const struct vp_own_mount *find_moved(const struct archiving *a, const char *src)
{
	for (size_t i = 0; i < a->own.n; i++) {
		const struct vp_own_mount *own = &a->own.mounts[i];

		if (own->was &&
			(vp_path_within(src, own->was) ||
				(vp_path_within(own->was, src) && !vp_path_within(own->path, src))))
			return own;
	}
	return NULL;
}

static int refuse_moved(
	const struct archiving *a, const char *src, const struct vp_own_mount *moved)
{
	char shown[VP_MOUNT_SHOWN_SIZE];

	vp_error(a->event, a->dircopy,
		"cannot archive '%s': the ramdisk of '%s' is now at '%s', where a renamed "
		"directory has taken it; nothing is deleted or unmounted: move that directory back "
		"and start the guest",
		src, moved->was, vp_own_mount_shown(moved, shown));
	return -EBUSY;
}

static bool is_mounted(const struct archiving *a, const char *path)
{
	for (size_t i = 0; i < a->own.n; i++)
		if (!strcmp(a->own.mounts[i].path, path))
			return true;
	return false;
}

static void warn_if_gone(const char *path, void *context)
{
	const struct archiving *a = context;
	const char *src = vp_child(a->dircopy, "src")->text;

	if ((vp_path_within(src, path) || vp_path_within(path, src)) && !is_mounted(a, path))
		vp_note(a->event, a->dircopy,
			"warning: the ramdisk '%s' ended with the host's last boot; what it held "
			"is not in this archive",
			path);
}

static int archive_dircopy(struct archiving *a, unsigned number)
{
	const char *src = vp_child(a->dircopy, "src")->text,
		   *dst = vp_child(a->dircopy, "dst")->text;
	const struct vp_own_mount *moved = find_moved(a, src);
	const struct archive_of of = dircopy_of(a, number);
	int source, parent, r;
	const char *leaf;

	source = vp_policy_open_dir(&a->policy, VP_READ, src);
	if ((source >= 0 || source == -ENOENT) && is_done(a, &of, source)) {
		if (source >= 0)
			close(source);
		return 0;
	}
	if (moved) {
		if (source >= 0)
			close(source);
		return refuse_moved(a, src, moved);
	}
	if (source < 0) {
		vp_error(a->event, a->dircopy,
			"cannot archive: %s; nothing is deleted or unmounted", a->policy.why);
		return source;
	}
	/* no ramdisk outlives the boot that it was mounted in */
	if (!vp_run_is_of_this_boot(&a->info))
		archive_each_ramdisk(a->event, a->run, warn_if_gone, a);
	parent = vp_policy_open_parent(&a->policy, VP_WRITE, dst, 0700, &leaf);
	if (parent >= 0 && vp_own_mounts_hold(parent, &a->own)) {
		vp_error(a->event, a->dircopy,
			"cannot archive '%s': '%s' lies in a ramdisk of the guest; nothing is "
			"deleted or unmounted",
			src, dst);
		close(parent);
		r = -EINVAL;
	} else if (parent < 0) {
		vp_error(a->event, a->dircopy,
			"cannot archive '%s': %s; nothing is deleted or unmounted", src,
			a->policy.why);
		r = parent;
	} else {
		a->parent = parent;
		r = archive_to(a, &of, source, leaf);
		close(parent);
	}
	close(source);
	return r;
}

static int tell_unread(const struct archiving *a, const struct vp_element *directive, int r)
{
	vp_error(a->event, directive, "cannot read the run's record '%s': %s", a->event->state_dir,
		strerror(-r));
	return r;
}

static int begin(struct archiving *a, const struct vp_element *directive)
{
	char shown[VP_MOUNT_SHOWN_SIZE];
	const struct vp_own_mount *lost;
	int r;

	r = vp_record_read_run(a->run, &a->info);
	if (r == 0)
		r = vp_own_mounts_read(a->run, a->event->uuid, &a->own);
	if (r < 0)
		return tell_unread(a, directive, r);
	/* what is in it would not be archived, and be gone when it is found again */
	lost = vp_own_mounts_lost(&a->own);
	if (lost) {
		vp_error(a->event, directive,
			"nothing is archived, deleted or unmounted: the ramdisk '%s' is %s, and "
			"start the guest",
			vp_own_mount_shown(lost, shown),
			lost->several ? "in several places, where a renamed directory has taken "
					"it; move that directory back"
				      : "out of reach, too deep or covered; move a directory "
					"above it up in the tree, or unmount what covers it");
		return -ENAMETOOLONG;
	}
	r = vp_policy_load(a->event, &a->policy);
	if (r < 0)
		vp_error(a->event, directive, "%s; nothing is archived, deleted or unmounted",
			a->policy.why);
	return r;
}

/* The result of an archive of an empty directory is empty, too. */
static int remove_claim(const struct archiving *a, int parent, const char *name, const char *path,
	char *why, size_t size)
{
	char *journal = NULL, *line = NULL;
	int r = asprintf(&line, " %s\n", path) < 0 ? -ENOMEM : 0;

	if (r == 0)
		r = vp_record_read(a->run, "done/archive", &journal, NULL);
	if (r == -ENOENT || (r == 0 && !strstr(journal, line)))
		r = vp_publish_remove_left(parent, name, why, size);
	free(journal);
	free(line);
	return r;
}

/* LINE is of a journal. What cannot be removed keeps no archive from being made. */
static void remove_left_at(struct archiving *a, const struct vp_element *directive, char *line,
	const char *dst, bool claim)
{
	char why[1024] = "", *path;
	const char *leaf;
	int parent = vp_policy_open_parent(&a->policy, VP_WRITE, dst, 0, &leaf), r = parent;

	line[dst - line - 1] = '\0';
	path = parent < 0 ? NULL : final_path(dst, leaf, line);
	if (parent >= 0) {
		r = !path   ? -ENOMEM
		    : claim ? remove_claim(a, parent, line, path, why, sizeof(why))
			    : vp_staging_remove_left(parent, line, why, sizeof(why));
		close(parent);
	}
	free(path);
	if (r > 0)
		vp_note(a->event, directive, "removed '%s', of an interrupted archive to '%s'",
			line, dst);
	else if (r < 0 && r != -ENOENT)
		vp_note(a->event, directive,
			"cannot remove '%s', of an interrupted archive to '%s': %s; remove it",
			line, dst, parent < 0 ? a->policy.why : why);
}

/* What processes of this run were building, or putting in place, when they were killed. */
static void remove_left(struct archiving *a, const struct vp_element *directive, bool claims)
{
	char *journal, *rest, *line;

	if (vp_record_read(a->run, claims ? "done/archive-claim" : "done/archive-staging", &journal,
		    NULL) < 0)
		return;
	rest = journal;
	while ((line = strsep(&rest, "\n"))) {
		const char *dst = strchr(line, '/');

		if (dst && dst > line)
			remove_left_at(a, directive, line, dst, claims);
	}
	free(journal);
}

static void end(struct archiving *a)
{
	vp_policy_free(&a->policy);
	vp_own_mounts_free(&a->own);
	if (a->run >= 0)
		close(a->run);
}

/* Whether the <dircopy> NUMBER of DIRECTIVE is to be made now: 1, 0, -errno. */
static int is_due(const struct archiving *a, const struct vp_element *directive, unsigned number)
{
	return vp_archive_is_due(
		a->run, vp_attr_text(directive, "when", NULL), a->event->reason, number);
}

/* Whether any of DIRECTIVE's is, of which the first is behind NUMBER: 1, 0, -errno. */
static int is_any_due(
	const struct archiving *a, const struct vp_element *directive, unsigned number)
{
	const struct vp_element *each = vp_child(directive, "dircopy");
	int r = 0;

	for (; r == 0 && each; each = vp_next(each, "dircopy"))
		r = is_due(a, directive, ++number);
	return r;
}

static int release(const struct vp_event *event, const struct vp_element *directive)
{
	static unsigned number; /* counts on over the directives of the run */
	static bool has_looked; /* for what is left */
	struct archiving a = {.event = event};
	int due, status = 0;
	bool ready;

	a.run = open(event->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	due = a.run < 0 ? -errno : is_any_due(&a, directive, number);
	if (due < 0)
		status = tell_unread(&a, directive, due);
	else if (due)
		status = begin(&a, directive);
	else
		vp_note(event, directive, "nothing to archive when the guest ends with '%s'",
			event->reason);
	ready = due > 0 && status == 0;
	if (ready && !has_looked) {
		remove_left(&a, directive, false);
		remove_left(&a, directive, true);
	}
	has_looked = has_looked || ready;
	/* whatever is done: by the number the journal knows it the next time */
	for (a.dircopy = vp_child(directive, "dircopy"); a.dircopy;
		a.dircopy = vp_next(a.dircopy, "dircopy")) {
		int r;

		number++;
		r = ready ? is_due(&a, directive, number) : 0;
		if (r > 0)
			r = archive_dircopy(&a, number);
		if (r < 0)
			status = r;
	}
	end(&a);
	return status;
}

static const struct vp_handler handlers[] = {
	{"release", "end", release},
	{0},
};

int main(int argc, char **argv)
{
	const struct vp_part part = {
		.name = "archive",
		.summary = "copies directories of the guest to a safe place when it has ended",
		.directive = vp_archive.spec,
		.handlers = handlers,
		.read = vp_read_record,
	};

	return vp_part_main(&part, argc, argv);
}
