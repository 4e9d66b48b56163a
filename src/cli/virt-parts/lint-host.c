/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong with a guest's directives on this host. */
#include "lint-host.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "limit.h"
#include "metadata-lint.h"
#include "parts.h"
#include "place.h"
#include "runs.h"
#include "text.h"

/* --- memory --------------------------------------------------------------------------------------------------- */

static uint64_t sum_ramdisks(const struct examined *examined)
{
	uint64_t sum = 0;

	for (const struct vp_element *d = examined->xml.source.directives; d; d = d->next) {
		if (strcmp(d->name, "ramdisk") != 0 || !examine_is_good(examined, d))
			continue;
		for (const struct vp_element *dir = vp_child(d, "dir"); dir;
			dir = vp_next(dir, "dir"))
			sum += vp_attr_number(dir, "size", 0);
	}
	return sum;
}

static void check_memory(struct findings *findings, const char *about,
	const struct examined *examined, xmlDocPtr doc)
{
	uint64_t sum = sum_ramdisks(examined), memory = lint_memory(doc);
	uint64_t most = vp_limit_of_memory(&examined->policy.conf.ramdisk_total);

	if (sum > most)
		findings_add(findings, FINDING_ERROR, about,
			"ask for less, or raise ramdisk-total in parts.conf",
			"<ramdisk>: %" PRIu64 " bytes are more than the ramdisks of all guests may "
			"have, %" PRIu64,
			sum, most);
	else if (!strcmp(examined->event.driver, "lxc") && memory && sum > memory)
		findings_add(findings, FINDING_WARNING, about,
			"ask for less, or give the guest more <memory>",
			"<ramdisk>: %" PRIu64
			" bytes are more than the container's memory, %" PRIu64
			", and what it writes there counts as its memory",
			sum, memory);
}

/* --- filesystems ---------------------------------------------------------------------------------------------- */

/* The filesystem that a path is on, or will be when it is made. */
static bool filesystem_of(struct cli *cli, const char *path, dev_t *ret)
{
	char *at = (char *)cli_copy(cli, path, strlen(path));
	struct stat st;

	while (stat(at, &st) < 0) {
		char *slash = strrchr(at, '/');

		if (!slash)
			return false;
		slash[slash == at] = '\0';
		if (slash == at && stat(at, &st) < 0)
			return false;
	}
	*ret = st.st_dev;
	return true;
}

/* The first directory that post-rm-rf deletes on the filesystem. */
static const char *find_deleted(struct cli *cli, const struct examined *examined, dev_t filesystem)
{
	for (const struct vp_element *d = examined->xml.source.directives; d; d = d->next) {
		if (strcmp(d->name, "post-rm-rf") != 0 || !examine_is_good(examined, d))
			continue;
		for (const struct vp_element *dir = vp_child(d, "dir"); dir;
			dir = vp_next(dir, "dir")) {
			dev_t own;

			if (filesystem_of(cli, dir->text, &own) && own == filesystem)
				return dir->text;
		}
	}
	return NULL;
}

static void check_archive(struct findings *findings, const char *about,
	const struct examined *examined, const struct vp_element *archive)
{
	for (const struct vp_element *copy = vp_child(archive, "dircopy"); copy;
		copy = vp_next(copy, "dircopy")) {
		const char *dst = vp_child(copy, "dst")->text, *deleted;
		dev_t filesystem;

		if (!filesystem_of(findings->cli, dst, &filesystem))
			continue;
		deleted = find_deleted(findings->cli, examined, filesystem);
		if (deleted)
			findings_add(findings, FINDING_NOTE, about, "",
				"<archive>: '%s' lies on the filesystem of '%s', which post-rm-rf "
				"deletes: a disk that is lost takes both",
				dst, deleted);
	}
}

static bool is_filesystem(const struct examined *examined, const char *path)
{
	const struct vp_filesystem *fs = examined->xml.filesystems;

	while (fs && strcmp(fs->source, path) != 0)
		fs = fs->next;
	return fs != NULL;
}

/* Whether a prepare makes the directory: by what it mounts or copies there. */
static bool is_made(const struct examined *examined, const char *path)
{
	const struct vp_element *d = examined->xml.source.directives, *at;

	for (; d; d = d->next) {
		bool ramdisk = strcmp(d->name, "ramdisk") == 0;

		if (!examine_is_good(examined, d) || (!ramdisk && strcmp(d->name, "preload") != 0))
			continue;
		for (at = vp_child(d, ramdisk ? "dir" : "dircopy"); at; at = vp_next(at, at->name))
			if (vp_path_within(ramdisk ? at->text : vp_child(at, "dst")->text, path))
				return true;
	}
	return false;
}

/* What is archived is deleted, and who archives it in the next life does not find it. */
static void check_deleted(struct findings *findings, const char *about,
	const struct examined *examined, const struct vp_element *dir)
{
	const struct vp_element *d = examined->xml.source.directives, *copy;

	for (; d; d = d->next) {
		if (strcmp(d->name, "archive") != 0 || !examine_is_good(examined, d))
			continue;
		for (copy = vp_child(d, "dircopy"); copy; copy = vp_next(copy, "dircopy")) {
			const char *src = vp_child(copy, "src")->text;

			if (!vp_path_within(src, dir->text) || is_made(examined, src) ||
				(!strcmp(src, dir->text) && is_filesystem(examined, src)))
				continue;
			findings_add(findings, FINDING_WARNING, about,
				"let the guest make it when it starts, or delete something else",
				"<post-rm-rf><dir>: deleting '%s' takes the <src> '%s' of an "
				"<archive>, which fails in the next life, unless the guest has "
				"made it anew",
				dir->text, src);
		}
	}
}

/* --- what is in the way --------------------------------------------------------------------------------------- */

/* What a guest of its name that is gone has left may not be there any more when it starts. */
static void tell_in_way(struct findings *findings, const char *about,
	const struct examined *examined, const char *element, const char *why)
{
	const struct vp_event *event = &examined->event;
	const struct run *gone;

	if (!why)
		return;
	gone = runs_namesake(findings->cli, event->driver, event->domain, event->uuid);
	findings_add(findings, gone ? FINDING_WARNING : FINDING_ERROR, about, "", "%s: %s%s",
		element, why,
		gone ? "; unless it is of the run of the guest of this name that is gone" : "");
}

static void check_places(struct findings *findings, const char *about, struct examined *examined)
{
	struct cli *cli = findings->cli;
	struct guest *guest = examined->guest;
	const struct vp_element *d = examined->xml.source.directives, *at;
	const char *moved;

	if (guest->no_uuid || guest_open_record(cli, guest) < 0)
		return;
	moved = guest->record < 0 ? NULL : place_of_moved(cli, guest->record, guest->uuid);
	if (moved)
		findings_add(findings, FINDING_WARNING, about,
			"move the directory back that has taken it there",
			"<ramdisk><dir>: %s: an archive of it fails, and so does the next start",
			moved);
	for (; d; d = d->next) {
		bool ramdisk = !strcmp(d->name, "ramdisk"), preload = !strcmp(d->name, "preload");

		if (!examine_is_good(examined, d))
			continue;
		for (at = ramdisk ? vp_child(d, "dir") : NULL; at; at = vp_next(at, "dir"))
			tell_in_way(findings, about, examined, "<ramdisk><dir>",
				place_of_ramdisk(cli, &examined->policy, guest->record, at->text));
		for (at = preload ? vp_child(d, "iso") : NULL; at; at = vp_next(at, "iso"))
			tell_in_way(findings, about, examined, "<preload><iso>",
				place_of_image(
					cli, &examined->policy, vp_attr_text(at, "path", "")));
	}
	if (guest->record >= 0)
		close(guest->record);
	guest->record = -1;
}

void lint_host(
	struct findings *findings, const char *about, struct examined *examined, xmlDocPtr doc)
{
	if (!examined->policy.conf.valid)
		return;
	check_memory(findings, about, examined, doc);
	check_places(findings, about, examined);
	for (const struct vp_element *d = examined->xml.source.directives; d; d = d->next) {
		if (!examine_is_good(examined, d))
			continue;
		if (!strcmp(d->name, "archive"))
			check_archive(findings, about, examined, d);
		if (strcmp(d->name, "post-rm-rf") != 0)
			continue;
		for (const struct vp_element *dir = vp_child(d, "dir"); dir;
			dir = vp_next(dir, "dir"))
			check_deleted(findings, about, examined, dir);
	}
}

/* --- names of parts ------------------------------------------------------------------------------------------- */

static bool is_told(const struct findings *findings, const char *text)
{
	for (const struct finding *f = findings->first; f; f = f->next)
		if (strcmp(f->text, text) == 0)
			return true;
	return false;
}

static void check_order(struct findings *findings, const char *title, const struct plan *plan)
{
	struct cli *cli = findings->cli;
	const struct plan_entry *largest = NULL;

	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_entry *entry = &plan->entries[i];
		unsigned long number = strtoul(entry->name, NULL, 10);
		const char *text;

		if (entry->state != PLAN_RUN && entry->state != PLAN_IDLE)
			continue;
		if (entry->source == PLAN_COMPAT_VFIO)
			continue; /* its names need no number */
		if (!largest || number >= strtoul(largest->name, NULL, 10)) {
			largest = entry;
			continue;
		}
		text = cli_format(cli, "'%s' runs behind '%s': names are compared byte by byte",
			entry->path, largest->name);
		if (!is_told(findings, text))
			findings_add(findings, FINDING_WARNING, title,
				parts_renumber_command(cli, entry->path), "%s", text);
	}
}

void lint_numbers(struct findings *findings, const char *guest)
{
	struct parts_event *events;
	const char *where = "";

	/* what cannot be read is told by doctor */
	if (parts_events(findings->cli, &events, &where) < 0)
		return;
	for (; events; events = events->next) {
		struct plan plan;

		if ((guest && *events->guest && strcmp(guest, events->guest) != 0) ||
			parts_plan(findings->cli, events, &plan) < 0)
			continue;
		check_order(findings, parts_title(findings->cli, events), &plan);
		plan_free(&plan);
	}
}
