/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the shipped parts would do for a directive at an event, path by path. */
#include "deeds.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "place.h"
#include "runs.h"
#include "text.h"

enum { MAX_NAMES = 10000 }; /* as archive tries them */

struct making {
	struct cli *cli;
	const struct deeds_query *query;
	struct deed *first, **last;
};

/* PATH NULL: a deed that no rule is about. */
__attribute__((format(printf, 4, 5))) static struct deed *add(
	struct making *m, enum vp_access access, const char *path, const char *format, ...)
{
	struct deed *deed = cli_alloc(m->cli, sizeof(*deed));
	struct vp_policy *policy = m->query->policy;
	char text[2048 + PATH_MAX], root[PATH_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	deed->text = cli_copy(m->cli, text, strlen(text));
	deed->path = path;
	deed->access = access;
	if (path && access != VP_ANYWHERE) {
		const struct vp_rule *rule = vp_policy_rule(policy, access, path, root);

		if (rule) {
			deed->rule = cli_copy(m->cli, rule->path, strlen(rule->path));
			deed->line = rule->line;
		}
		if (vp_policy_allows(policy, access, path, NULL) < 0)
			deed->refused = policy->conf.valid
						? cli_copy(m->cli, policy->why, strlen(policy->why))
						: "there is no valid parts.conf";
	}
	*m->last = deed;
	m->last = &deed->next;
	return deed;
}

static void prepare_ramdisk(struct making *m, const struct vp_element *directive)
{
	for (const struct vp_element *dir = vp_child(directive, "dir"); dir;
		dir = vp_next(dir, "dir")) {
		struct deed *deed = add(m, VP_WRITE, dir->text, "mounts a tmpfs of %s on '%s'",
			vp_attr_text(dir, "size", "?"), dir->text);

		if (m->query->looks && !deed->refused)
			deed->refused = place_of_ramdisk(
				m->cli, m->query->policy, m->query->record, dir->text);
	}
}

static void release_ramdisk(struct making *m, const struct vp_element *directive)
{
	const char *why = vp_ramdisk_stays(m->query->event);

	for (const struct vp_element *dir = vp_child(directive, "dir"); dir;
		dir = vp_next(dir, "dir"))
		if (why)
			add(m, VP_ANYWHERE, dir->text, "leaves '%s' mounted: %s", dir->text, why)
				->stays = true;
		else
			add(m, VP_ANYWHERE, dir->text, "unmounts '%s', if this run mounted it",
				dir->text);
}

static void prepare_iso(struct making *m, const struct vp_element *iso)
{
	const char *path = vp_attr_text(iso, "path", "");
	struct deed *deed;

	if (m->query->begin != VP_BEGIN_NEW)
		deed = add(m, VP_ISO, path,
			"uses the image '%s' as it is, builds it if it is missing", path);
	else
		deed = add(m, VP_ISO, path, "builds the image '%s', label '%s'", path,
			vp_attr_text(iso, "label", "VIRT-PARTS"));
	if (m->query->looks && !deed->refused)
		deed->refused = place_of_image(m->cli, m->query->policy, path);
	for (const struct vp_element *e = vp_child(iso, NULL); e; e = vp_next(e, NULL))
		if (strcmp(e->name, "src") == 0)
			add(m, VP_READ, e->text, "  with what lies in '%s'", e->text);
		else
			add(m, VP_ANYWHERE, NULL, "  with the file '%s', %zu bytes",
				vp_attr_text(e, "path", ""), strlen(e->text));
}

static void add_copy(struct making *m, const struct vp_element *dircopy)
{
	const char *src = vp_child(dircopy, "src")->text, *dst = vp_child(dircopy, "dst")->text;

	add(m, VP_READ, src, "copies '%s'", src);
	add(m, VP_WRITE, dst, "  over what is in '%s'", dst);
}

static void prepare_preload(struct making *m, const struct vp_element *directive)
{
	enum vp_begin begin = m->query->begin;

	for (const struct vp_element *e = vp_child(directive, NULL); e; e = vp_next(e, NULL)) {
		if (strcmp(e->name, "iso") == 0 && vp_child(e, NULL))
			prepare_iso(m, e);
		else if (strcmp(e->name, "iso") == 0)
			add(m, VP_ANYWHERE, NULL, "leaves the image '%s' as it is: it was attached",
				vp_attr_text(e, "path", ""));
		else if (begin == VP_BEGIN_NEW || begin == VP_BEGIN_REVERTED)
			add_copy(m, e);
		else
			add(m, VP_ANYWHERE, NULL, "copies nothing over '%s': %s",
				vp_child(e, "dst")->text,
				begin == VP_BEGIN_INCOMING
					? "the guest comes by migration and may still run "
					  "elsewhere"
					: "the guest comes back to its files");
	}
}

static void release_preload(struct making *m, const struct vp_element *directive)
{
	const char *why = vp_iso_stays(m->query->event, m->query->begin);

	for (const struct vp_element *iso = vp_child(directive, "iso"); iso;
		iso = vp_next(iso, "iso")) {
		const char *path = vp_attr_text(iso, "path", "");

		if (vp_attr_number(iso, "keep", 0))
			add(m, VP_ANYWHERE, path, "leaves the image '%s': keep=\"yes\"", path);
		else if (why)
			add(m, VP_ANYWHERE, path, "leaves the image '%s': %s", path, why)->stays =
				true;
		else
			add(m, VP_ANYWHERE, path, "removes the image '%s', if this run built it",
				path);
	}
}

static bool is_taken(const char *path)
{
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Under a name that nothing has now. */
static void add_archive(struct making *m, const struct vp_element *dircopy)
{
	const char *src = vp_child(dircopy, "src")->text, *dst = vp_child(dircopy, "dst")->text;
	unsigned number = 2;

	add(m, VP_READ, src, "copies '%s'", src);
	if (!is_taken(dst)) {
		add(m, VP_WRITE, dst, "  to '%s'", dst);
		return;
	}
	while (number < MAX_NAMES && is_taken(cli_format(m->cli, "%s-%u", dst, number)))
		number++;
	add(m, VP_WRITE, dst, "  to '%s-%u', as '%s' is there", dst, number, dst);
}

static bool is_due(const struct making *m, const char *when, unsigned number)
{
	const char *reason = m->query->event->reason;

	return m->query->record < 0 ? vp_reason_matches(when, VP_ARCHIVE_WHEN, reason)
				    : vp_archive_is_due(m->query->record, when, reason, number) > 0;
}

static void release_archive(struct making *m, const struct vp_element *directive)
{
	const struct vp_element *copy = vp_child(directive, "dircopy");
	const char *when = vp_attr_text(directive, "when", NULL);
	bool acts = false;

	for (; copy; copy = vp_next(copy, "dircopy")) {
		/* they are counted as the part counts them */
		unsigned number = ++*m->query->dircopies;
		bool done = runs_is_archived(m->query->archived, m->query->turn, number);
		const char *src = vp_child(copy, "src")->text;

		if (!is_due(m, when, number))
			continue;
		acts = true;
		if (done)
			add(m, VP_ANYWHERE, NULL, "has archived '%s' already", src);
		else
			add_archive(m, copy);
	}
	if (!acts)
		add(m, VP_ANYWHERE, NULL, "archives nothing when the guest ends with '%s'",
			m->query->event->reason);
}

/* As the part has it: a source of a <filesystem> is emptied. */
static bool is_filesystem(const struct making *m, const char *path)
{
	const struct vp_filesystem *fs = m->query->filesystems;

	while (fs && strcmp(fs->source, path) != 0)
		fs = fs->next;
	return fs != NULL;
}

static void release_post_rm_rf(struct making *m, const struct vp_element *directive)
{
	const char *why = vp_post_rm_rf_stays(m->query->event, directive, m->query->begin);

	for (const struct vp_element *dir = vp_child(directive, "dir"); dir;
		dir = vp_next(dir, "dir"))
		if (why)
			add(m, VP_ANYWHERE, dir->text, "does not delete '%s': %s", dir->text, why)
				->stays = true;
		else
			add(m, VP_DELETE, dir->text, "%s '%s', if all before it succeeds",
				is_filesystem(m, dir->text) ? "empties" : "deletes", dir->text);
}

/* One row a part and event that it has something to do at. */
static const struct {
	const char *directive, *op, *subop;
	void (*make)(struct making *m, const struct vp_element *directive);
} rows[] = {
	{"ramdisk", "prepare", "begin", prepare_ramdisk},
	{"preload", "prepare", "begin", prepare_preload},
	{"archive", "release", "end", release_archive},
	{"ramdisk", "release", "end", release_ramdisk},
	{"preload", "release", "end", release_preload},
	{"post-rm-rf", "release", "end", release_post_rm_rf},
};

struct deed *deeds_of(
	struct cli *cli, const struct deeds_query *query, const struct vp_element *directive)
{
	struct making m = {.cli = cli, .query = query, .last = &m.first};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i].directive, directive->name) &&
			!strcmp(rows[i].op, query->event->op) &&
			!strcmp(rows[i].subop, query->event->subop))
			rows[i].make(&m, directive);
	return m.first;
}
