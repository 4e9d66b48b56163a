/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ramdisks that a run has mounted and that are mounted now. */
#include "own-mounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "mounts.h"
#include "record.h"

struct finding {
	const char *journal;
	char source[64];
	struct vp_own_mounts *own;
};

static bool has_line(const char *text, const char *line)
{
	size_t length = strlen(line);

	for (; (text = strstr(text, line)); text++)
		if (text[length] == '\n' && text[-1] == '\n')
			return true;
	return false;
}

/* A journal line `mounted DEVICE PATH` or `mount PATH`; both were written before or after this one. */
static bool is_in_journal(const char *journal, const struct vp_mount *mount)
{
	char *line = NULL, device[48];
	bool found;

	snprintf(device, sizeof(device), "\nmounted %u:%u ", major(mount->device),
		minor(mount->device));
	if (strstr(journal, device))
		return true;
	if (asprintf(&line, "mount %s", mount->mount_point) < 0)
		return false;
	found = has_line(journal, line);
	free(line);
	return found;
}

static int find(const struct vp_mount *mount, void *context)
{
	struct finding *finding = context;
	struct vp_own_mounts *own = finding->own;
	struct vp_own_mount *mounts;

	if (strcmp(mount->fs_type, "tmpfs") != 0 || strcmp(mount->source, finding->source) != 0 ||
		!is_in_journal(finding->journal, mount))
		return 0;
	mounts = reallocarray(own->mounts, own->n + 1, sizeof(*mounts));
	if (!mounts)
		return -ENOMEM;
	own->mounts = mounts;
	mounts[own->n] = (struct vp_own_mount){mount->id, strdup(mount->mount_point)};
	return mounts[own->n++].path ? 0 : -ENOMEM;
}

int vp_own_mounts_read(int run, const char *uuid, struct vp_own_mounts *ret)
{
	struct finding finding = {.own = ret};
	char *journal, *text;
	int r;

	*ret = (struct vp_own_mounts){0};
	r = vp_record_read(run, "done/ramdisk", &text, NULL);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	/* so that every line has a newline before it */
	if (asprintf(&journal, "\n%s", text) < 0)
		journal = NULL;
	free(text);
	if (!journal)
		return -ENOMEM;
	finding.journal = journal;
	snprintf(finding.source, sizeof(finding.source), "virt-parts:%s", uuid);
	r = vp_each_mount(find, &finding);
	free(journal);
	return r;
}

void vp_own_mounts_free(struct vp_own_mounts *own)
{
	for (size_t i = 0; i < own->n; i++)
		free(own->mounts[i].path);
	free(own->mounts);
	*own = (struct vp_own_mounts){0};
}

static bool has_id(const struct vp_own_mounts *own, uint64_t id)
{
	for (size_t i = 0; i < own->n; i++)
		if (own->mounts[i].id == id)
			return true;
	return false;
}

bool vp_own_mounts_has(int fd, const struct vp_own_mounts *own)
{
	uint64_t id;

	return own->n && vp_is_mount_root(fd) > 0 && vp_mount_id(fd, &id) == 0 && has_id(own, id);
}

bool vp_own_mounts_hold(int fd, const struct vp_own_mounts *own)
{
	uint64_t id;

	return own->n && (vp_mount_id(fd, &id) < 0 || has_id(own, id));
}
