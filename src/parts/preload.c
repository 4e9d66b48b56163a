/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * preload: files that are there when the guest starts: <iso>, an image built for it, and <dircopy>,
 * copied into its tree.
 *
 * Journal, done/preload: see preload-journal.h.
 *
 * `virt-parts attach` and detach run it for a guest that runs: `attach begin NAME` builds the image
 * that the record's attached/NAME asks for, `detach end NAME` removes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "asked.h"
#include "beneath.h"
#include "directives.h"
#include "own-mounts.h"
#include "preload-iso.h"
#include "record.h"
#include "space.h"
#include "tree-copy.h"

/* What the elements of one directive have in common. */
struct preloading {
	const struct vp_event *event;
	struct vp_policy policy;
	struct vp_own_mounts own;
	int run; /* the record */
	struct vp_run info;
	const struct vp_element *element;
};

static bool enter_own_mount(int fd, void *context)
{
	const struct preloading *p = context;

	return vp_own_mounts_has(fd, &p->own);
}

static void note_skipped(void *context, const char *path, const char *what)
{
	const struct preloading *p = context;

	vp_note(p->event, p->element, "'%s' %s", path, what);
}

/* A guest that comes back, or still runs elsewhere, has its files, and they may have changed since. */
static const char *why_files_stay(const struct preloading *p)
{
	if (p->info.begin == VP_BEGIN_INCOMING)
		return "the guest comes by migration and may still run elsewhere";
	return p->info.begin == VP_BEGIN_RESTORED || p->info.begin == VP_BEGIN_UNFINISHED
		       ? "the guest comes back to its files"
		       : NULL;
}

static struct vp_copy_options options_of(struct preloading *p, const struct vp_space *space)
{
	struct vp_copy_options options = VP_COPY_OPTIONS_DEFAULT;
	const struct vp_element *dircopy = p->element;
	mode_t mode = (mode_t)vp_attr_number(dircopy, "mode", 0);

	options.enter_mount = enter_own_mount;
	options.note = note_skipped;
	options.context = p;
	options.uid = (uid_t)vp_attr_number(dircopy, "uid", (uid_t)-1);
	options.gid = (gid_t)vp_attr_number(dircopy, "gid", (gid_t)-1);
	options.set_file_mode = vp_attr_text(dircopy, "mode", NULL) != NULL;
	options.set_directory_mode = options.set_file_mode;
	options.file_mode = mode;
	options.directory_mode = mode | ((mode & 0444) >> 2); /* who may read may search */
	options.durable = false;			      /* it is copied anew at every start */
	options.max_bytes = space->max_bytes;
	options.max_entries = space->max_entries;
	return options;
}

/* The destination, made if it is missing; ret_made says so. */
static int open_destination(struct preloading *p, const char *dst, bool *ret_made)
{
	const char *leaf;
	int parent = vp_policy_open_parent(&p->policy, VP_WRITE, dst, 0755, &leaf), fd;

	if (parent < 0)
		return parent;
	*ret_made = mkdirat(parent, leaf, 0755) == 0;
	fd = vp_open_beneath(parent, leaf, O_RDONLY | O_DIRECTORY);
	close(parent);
	if (fd < 0)
		snprintf(p->policy.why, sizeof(p->policy.why), "cannot open '%s': %s", dst,
			fd == -ELOOP || fd == -ENOTDIR
				? "it is no directory, or a symbolic link, which is never followed"
				: strerror(-fd));
	return fd;
}

static int copy_dir(struct preloading *p)
{
	const char *src = vp_child(p->element, "src")->text,
		   *dst = vp_child(p->element, "dst")->text;
	struct vp_copy_options options;
	char why[1024] = "";
	int source, destination, r;
	struct vp_space space;
	bool made;

	source = vp_policy_open_dir(&p->policy, VP_READ, src);
	destination = source < 0 ? source : open_destination(p, dst, &made);
	if (destination < 0) {
		vp_error(p->event, p->element, "%s", p->policy.why);
		r = destination;
	} else {
		r = vp_space_limits(&p->policy, destination, &space, why, sizeof(why));
		if (r == 0) {
			options = options_of(p, &space);
			options.keep_top = !made;
			r = vp_merge_tree(source, destination, &options, NULL, why, sizeof(why));
		}
		if (r < 0)
			vp_error(p->event, p->element, "cannot copy '%s' to '%s': %s", src, dst,
				*why ? why : strerror(-r));
		close(destination);
	}
	if (source >= 0)
		close(source);
	return r;
}

static int copy_iso(struct preloading *p, unsigned how)
{
	char why[1024] = "";
	int r = preload_iso(p->event, &p->policy, p->element, p->run, how, why, sizeof(why));

	if (r < 0)
		vp_error(p->event, p->element, "cannot build '%s': %s",
			vp_attr_text(p->element, "path", ""), *why ? why : strerror(-r));
	return r;
}

/* An image without contents was attached, and is there if it is needed. */
static int keep_attached(struct preloading *p)
{
	const char *path = vp_attr_text(p->element, "path", "");
	int r = preload_iso_take_over(p->event, path, p->run);

	if (r < 0)
		vp_error(p->event, p->element, "cannot note '%s' in the run's journal: %s", path,
			strerror(-r));
	return r;
}

static int begin(struct preloading *p, const struct vp_element *directive)
{
	int r;

	p->run = open(p->event->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = p->run < 0 ? -errno : vp_record_read_run(p->run, &p->info);
	if (r == 0)
		r = vp_own_mounts_read(p->run, p->event->uuid, &p->own);
	if (r < 0) {
		vp_error(p->event, directive, "cannot read the run's record '%s': %s",
			p->event->state_dir, strerror(-r));
		return r;
	}
	r = vp_policy_load(p->event, &p->policy);
	if (r < 0)
		vp_error(p->event, directive, "%s", p->policy.why);
	return r;
}

static void end(struct preloading *p)
{
	vp_policy_free(&p->policy);
	vp_own_mounts_free(&p->own);
	if (p->run >= 0)
		close(p->run);
}

/* What the guest comes back to was never there. */
static int refuse_incomplete(const struct preloading *p, const struct vp_element *directive)
{
	if (p->info.begin != VP_BEGIN_UNFINISHED || !vp_record_has(p->run, VP_PRELOADING))
		return 0;
	vp_error(p->event, directive,
		"the guest's unfinished run began without all that it is to find, and into such a "
		"run nothing is preloaded: finish it first, 'virt-parts resolve %s'",
		p->event->uuid);
	return -EBUSY;
}

static int set_complete(const struct preloading *p, const struct vp_element *directive)
{
	int r = vp_record_remove(p->run, VP_PRELOADING);

	if (r < 0)
		vp_error(p->event, directive, "cannot remove '%s' from the run's record '%s': %s",
			VP_PRELOADING, p->event->state_dir, strerror(-r));
	return r;
}

static int prepare(const struct vp_event *event, const struct vp_element *directive)
{
	struct preloading p = {.event = event, .run = -1};
	int r = begin(&p, directive);
	/* the guest's memory, or the destination of its migration, knows the image as it is */
	unsigned how = p.info.begin != VP_BEGIN_NEW ? PRELOAD_ISO_KEEP : 0;
	const char *why = why_files_stay(&p);

	if (r == 0)
		r = refuse_incomplete(&p, directive);
	p.element = vp_child(directive, NULL);
	for (; r == 0 && p.element; p.element = vp_next(p.element, NULL)) {
		if (strcmp(p.element->name, "iso") == 0)
			r = vp_child(p.element, NULL) ? copy_iso(&p, how) : keep_attached(&p);
		else if (why)
			vp_note(event, p.element, "nothing is copied: %s", why);
		else
			r = copy_dir(&p);
	}
	if (r == 0 && !directive->next)
		r = set_complete(&p, directive);
	end(&p);
	return r;
}

/* What is undone needs the record, and no policy. */
static int begin_undoing(struct preloading *p, const struct vp_element *directive)
{
	int r;

	p->run = open(p->event->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = p->run < 0 ? -errno : vp_record_read_run(p->run, &p->info);
	if (r < 0)
		vp_error(p->event, directive, "cannot read the run's record '%s': %s",
			p->event->state_dir, strerror(-r));
	return r;
}

static int remove_iso(struct preloading *p, const struct vp_element *iso, bool stays)
{
	const char *path = vp_attr_text(iso, "path", "");
	char why[1024] = "";
	int r = preload_iso_remove(p->event, path, stays, p->run, why, sizeof(why));

	if (r < 0)
		vp_error(p->event, iso, "cannot remove '%s': %s", path, why);
	return r;
}

static int release(const struct vp_event *event, const struct vp_element *directive)
{
	const struct vp_element *iso = vp_child(directive, "iso");
	struct preloading p = {.event = event, .run = -1};
	int status = 0, r = begin_undoing(&p, directive);
	const char *why;

	if (r < 0)
		return r;
	why = vp_iso_stays(event, p.info.begin);
	for (; iso; iso = vp_next(iso, "iso")) {
		bool keep = vp_attr_number(iso, "keep", 0);

		if (why && !keep)
			vp_note(event, iso, "'%s' stays: %s", vp_attr_text(iso, "path", ""), why);
		r = remove_iso(&p, iso, why || keep);
		if (r < 0)
			status = r;
	}
	end(&p);
	return status;
}

static int attach(const struct vp_event *event, const struct vp_element *directive)
{
	struct preloading p = {.event = event, .run = -1};
	int r = begin(&p, directive);

	p.element = vp_child(directive, "iso");
	if (r == 0 && p.element)
		r = copy_iso(&p, PRELOAD_ISO_SYNC);
	end(&p);
	return r;
}

static int detach(const struct vp_event *event, const struct vp_element *directive)
{
	const struct vp_element *iso = vp_child(directive, "iso");
	struct preloading p = {.event = event, .run = -1};
	int r = begin_undoing(&p, directive);

	if (r == 0 && iso)
		r = remove_iso(&p, iso, false);
	end(&p);
	return r;
}

/* What a running guest is given is asked for in a file of its own. */
static int read_directives(const struct vp_event *event, const char *name, struct vp_source *ret)
{
	char file[300];
	int run, r;

	if (strcmp(event->op, "attach") != 0 && strcmp(event->op, "detach") != 0)
		return vp_read_record(event, name, ret);
	*ret = (struct vp_source){.recorded = true};
	if ((size_t)snprintf(file, sizeof(file), "attached/%s", event->extra) >= sizeof(file))
		return -ENAMETOOLONG;
	run = open(event->state_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (run < 0)
		return errno == ENOENT ? 0 : -errno;
	r = vp_asked_read_file(run, file, ret);
	close(run);
	return r;
}

static const struct vp_handler handlers[] = {
	{"prepare", "begin", prepare},
	{"release", "end", release},
	{"attach", "begin", attach},
	{"detach", "end", detach},
	{0},
};

int main(int argc, char **argv)
{
	const struct vp_part part = {
		.name = "preload",
		.summary =
			"builds an image, and copies files into the guest's tree, before it starts",
		.directive = vp_preload.spec,
		.handlers = handlers,
		.read = read_directives,
	};

	return vp_part_main(&part, argc, argv);
}
