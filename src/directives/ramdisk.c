/* SPDX-License-Identifier: GPL-2.0-or-later */
/* <ramdisk>: a tmpfs on each <dir>, for as long as the guest runs. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "directives.h"
#include "limit.h"
#include "text.h"

static const char *const options[] = {"exec", "noatime", NULL};

static const struct vp_attr_spec dir_attrs[] = {
	/* size 0 is no limit to the kernel: tmpfs(5) */
	{.name = "size", .type = VP_SIZE, .required = true, .min = 4096},
	{.name = "mode", .type = VP_MODE},
	{.name = "uid", .type = VP_ID},
	{.name = "gid", .type = VP_ID},
	/* and so are inodes="0"; one is the root directory's */
	{.name = "inodes", .type = VP_NUMBER, .min = 2, .max = INT64_MAX},
	{.name = "options", .type = VP_WORDS, .words = options},
	{0},
};

static const struct vp_element_spec children[] = {
	{.name = "dir", .type = VP_PATH, .access = VP_WRITE, .min = 1, .attrs = dir_attrs},
	{0},
};

static const struct vp_element_spec spec = {.name = "ramdisk", .children = children};

/* libvirt_lxc binds such a source without what is mounted below it. */
static int check_visible(struct vp_checking *checking, const struct vp_element *dir)
{
	const struct vp_filesystem *fs = checking->filesystems;

	if (strcmp(checking->event->driver, "lxc") != 0)
		return 0;
	for (; fs; fs = fs->next) {
		if (!*fs->source || !strcmp(fs->target, "/") || !strcmp(fs->source, dir->text) ||
			!vp_path_within(dir->text, fs->source))
			continue;
		return vp_check_refuse(checking, dir,
			"'%s' lies below the <filesystem> source '%s', where the guest would not "
			"see it; "
			"mount on that source itself, or below the root's",
			dir->text, fs->source);
	}
	return 0;
}

/* Each costs the kernel memory that is outside of the size, and so of ramdisk-total. */
static int check_inodes(struct vp_checking *checking, const struct vp_element *dir)
{
	uint64_t most = vp_attr_number(dir, "size", 0) / 1024 + 1024;

	if (vp_attr_number(dir, "inodes", 0) <= most)
		return 0;
	return vp_check_refuse(checking, dir,
		"inodes '%s' is more than size '%s' allows, which is one for each KiB and 1024, "
		"%" PRIu64 "; ask for less or for a larger size",
		vp_attr_text(dir, "inodes", ""), vp_attr_text(dir, "size", ""), most);
}

/* They are mounted in the order of the document: the outer one would cover the inner. */
static int check_order(struct vp_checking *checking, const struct vp_element *dir)
{
	const struct vp_element *ramdisk = checking->directives, *before;

	for (; ramdisk; ramdisk = vp_next(ramdisk, NULL)) {
		if (strcmp(ramdisk->name, spec.name) != 0)
			continue;
		before = vp_child(ramdisk, "dir");
		for (; before && before != dir; before = vp_next(before, "dir"))
			if (vp_path_within(before->text, dir->text))
				return vp_check_refuse(checking, dir,
					"'%s' holds '%s', which it would cover; name the outer "
					"one first",
					dir->text, before->text);
		if (ramdisk == dir->parent)
			break;
	}
	return 0;
}

static int check(struct vp_checking *checking, const struct vp_element *ramdisk)
{
	uint64_t most = vp_limit_of_memory(&checking->policy->conf.ramdisk_size);

	for (const struct vp_element *dir = vp_child(ramdisk, "dir"); dir;
		dir = vp_next(dir, "dir")) {
		int r = check_visible(checking, dir);

		if (r < 0)
			return r;
		if (vp_attr_number(dir, "size", 0) > most)
			return vp_check_refuse(checking, dir,
				"size '%s' is more than ramdisk-size in parts.conf allows, %" PRIu64
				" bytes; ask for less or raise it",
				vp_attr_text(dir, "size", ""), most);
		r = check_inodes(checking, dir);
		if (r == 0)
			r = vp_check_once(checking, dir, NULL);
		if (r == 0)
			r = check_order(checking, dir);
		if (r < 0)
			return r;
	}
	return 0;
}

const struct vp_directive vp_ramdisk = {.spec = &spec, .check = check, .claims = true};
