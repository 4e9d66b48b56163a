/* SPDX-License-Identifier: GPL-2.0-or-later */
/* <preload>: an image that is built, and files that are put into the guest's tree. */
#include <stdio.h>
#include <string.h>

#include "directives.h"
#include "iso-id.h"
#include "text.h"

static const struct vp_attr_spec file_attrs[] = {
	{.name = "path", .type = VP_TEXT, .required = true},
	{0},
};

static const struct vp_attr_spec iso_attrs[] = {
	{.name = "path", .type = VP_PATH, .access = VP_ISO, .required = true},
	{.name = "label", .type = VP_TEXT},
	{.name = "mode", .type = VP_MODE},
	{.name = "uid", .type = VP_ID},
	{.name = "gid", .type = VP_ID},
	{.name = "keep", .type = VP_YESNO},
	{0},
};

static const struct vp_element_spec iso_children[] = {
	{.name = "src", .type = VP_PATH, .access = VP_READ, .max = VP_ISO_MAX_SOURCES},
	{.name = "file", .type = VP_TEXT, .max = VP_ISO_MAX_FILES, .attrs = file_attrs},
	{0},
};

static const struct vp_attr_spec dircopy_attrs[] = {
	{.name = "mode", .type = VP_MODE},
	{.name = "uid", .type = VP_ID},
	{.name = "gid", .type = VP_ID},
	{0},
};

static const struct vp_element_spec dircopy_children[] = {
	{.name = "src", .type = VP_PATH, .access = VP_READ, .min = 1, .max = 1},
	{.name = "dst", .type = VP_PATH, .access = VP_WRITE, .min = 1, .max = 1},
	{0},
};

static const struct vp_element_spec children[] = {
	{.name = "iso", .attrs = iso_attrs, .children = iso_children},
	{.name = "dircopy", .attrs = dircopy_attrs, .children = dircopy_children},
	{0},
};

static const struct vp_element_spec spec = {.name = "preload", .children = children};

static int check_label(struct vp_checking *checking, const struct vp_element *iso)
{
	const char *label = vp_attr_text(iso, "label", NULL), *why;

	if (!label || iso_check_label(label, &why) == 0)
		return 0;
	return vp_check_refuse(checking, iso, "label '%.100s' %s", label, why);
}

/* Paths in the image are checked as if the image's root were the root directory. */
static int check_file(struct vp_checking *checking, const struct vp_element *file)
{
	char path[4096];
	const char *text = vp_attr_text(file, "path", ""), *why;

	if (snprintf(path, sizeof(path), "%s%s", *text == '/' ? "" : "/", text) >=
		(int)sizeof(path))
		return vp_check_refuse(checking, file, "path is too long");
	if (!path[1])
		return vp_check_refuse(checking, file, "path '%s' names no file", text);
	if (vp_check_path(path, &why) < 0)
		return vp_check_refuse(checking, file, "path '%.200s' %s", text, why);
	return 0;
}

static int check_iso(struct vp_checking *checking, const struct vp_element *iso)
{
	int r = check_label(checking, iso);

	if (r == 0 && !vp_child(iso, NULL))
		r = vp_check_refuse(checking, iso, "has neither <src> nor <file>");
	for (const struct vp_element *file = vp_child(iso, "file"); r == 0 && file;
		file = vp_next(file, "file"))
		r = check_file(checking, file);
	return r < 0 ? r : vp_check_once(checking, iso, "path");
}

static int check(struct vp_checking *checking, const struct vp_element *preload)
{
	int r = 0;

	for (const struct vp_element *e = vp_child(preload, NULL); r == 0 && e;
		e = vp_next(e, NULL))
		r = strcmp(e->name, "iso") == 0 ? check_iso(checking, e)
						: vp_check_dircopy(checking, e);
	return r;
}

const struct vp_directive vp_preload = {.spec = &spec, .check = check, .claims = true};
