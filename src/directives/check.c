/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every directive must be beyond its table: its paths allowed, and none in another's way. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "directives.h"
#include "text.h"

int vp_check_refuse(
	struct vp_checking *checking, const struct vp_element *where, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(checking->why, sizeof(checking->why), format, args);
	va_end(args);
	checking->where = where;
	return -EINVAL;
}

static const char *path_of(const struct vp_element *element, const char *attribute)
{
	return attribute ? vp_attr_text(element, attribute, "") : element->text;
}

int vp_check_once(
	struct vp_checking *checking, const struct vp_element *element, const char *attribute)
{
	const struct vp_element *directive = checking->directives, *before;

	for (; directive; directive = vp_next(directive, NULL)) {
		if (strcmp(directive->name, element->parent->name) != 0)
			continue;
		before = vp_child(directive, element->name);
		for (; before && before != element; before = vp_next(before, element->name))
			if (strcmp(path_of(before, attribute), path_of(element, attribute)) == 0)
				return vp_check_refuse(checking, element,
					"%s%s'%s' is asked for twice", attribute ? attribute : "",
					attribute ? " " : "", path_of(element, attribute));
		if (directive == element->parent)
			break;
	}
	return 0;
}

int vp_check_dircopy(struct vp_checking *checking, const struct vp_element *dircopy)
{
	const char *src = vp_child(dircopy, "src")->text, *dst = vp_child(dircopy, "dst")->text;

	if (vp_path_within(dst, src) || vp_path_within(src, dst))
		return vp_check_refuse(
			checking, dircopy, "<src> '%s' and <dst> '%s' lie in each other", src, dst);
	return 0;
}

static int check_archive_survives(struct vp_checking *checking, const struct vp_element *dst)
{
	const struct vp_element *d = checking->directives, *dir;

	for (; d; d = d->next) {
		bool rm = strcmp(d->name, "post-rm-rf") == 0;

		if (!rm && strcmp(d->name, "ramdisk") != 0)
			continue;
		for (dir = vp_child(d, "dir"); dir; dir = vp_next(dir, "dir")) {
			if (!vp_path_within(dst->text, dir->text) &&
				(!rm || !vp_path_within(dir->text, dst->text)))
				continue;
			return vp_check_refuse(checking, dst,
				"'%s' %s '%s', which %s; archive to another place", dst->text,
				vp_path_within(dst->text, dir->text) ? "lies in" : "holds",
				dir->text, rm ? "post-rm-rf deletes" : "is a ramdisk");
		}
	}
	return 0;
}

int vp_check_archives_survive(struct vp_checking *checking, const struct vp_element *archive)
{
	const struct vp_element *copy = vp_child(archive, "dircopy");
	int r = 0;

	for (; r == 0 && copy; copy = vp_next(copy, "dircopy"))
		r = check_archive_survives(checking, vp_child(copy, "dst"));
	return r;
}

int vp_directive_check(struct vp_checking *checking, const struct vp_directive *directive,
	const struct vp_element *element)
{
	int r = vp_policy_allows_element(checking->policy, element, &checking->where);

	if (r < 0)
		snprintf(checking->why, sizeof(checking->why), "%s", checking->policy->why);
	return r == 0 && directive->check ? directive->check(checking, element) : r;
}
