/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: what copies and images have left below the paths of parts.conf. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"
#include "iso-id.h"
#include "runs.h"
#include "text.h"
#include "tree-copy-staging.h"
#include "trust.h"

struct looking {
	struct findings *f;
	/* whether the entry NAME of the directory was dealt with; it is not looked into then */
	bool (*look)(struct looking *l, int dir, const char *name, const char *path);
	struct virt_answer answer;
	const struct run *runs;
};

/* In the directory, and in its directories. */
static void look_below(struct looking *l, int at, const char *name, const char *path, int levels)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		const char *below = cli_format(l->f->cli, "%s/%s", path, entry->d_name);

		if (!l->look(l, fd, entry->d_name, below) && levels && entry->d_name[0] != '.')
			look_below(l, fd, entry->d_name, below, levels - 1);
	}
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}

/* Below the paths of one kind, for all guests: up to the token, if the rule has one. */
static void look_at_rules(struct looking *l, enum vp_access access)
{
	struct cli *cli = l->f->cli;

	for (const struct vp_rule *rule = cli->conf.rules; rule; rule = rule->next) {
		size_t length = strcspn(rule->path, "%");
		const char *path;
		char why[PATH_MAX + 128];

		if (rule->access != access)
			continue;
		while (length > 1 && rule->path[length] && rule->path[length - 1] != '/')
			length--;
		while (length > 1 && rule->path[length - 1] == '/')
			length--;
		path = cli_copy(cli, rule->path, length);
		/* where others may write, what is there may be another thing when it is removed */
		if (vp_trust_check(path, NULL, NULL, why, sizeof(why)) == 0)
			look_below(l, AT_FDCWD, path, path, 1);
	}
}

/* --- copies that were not completed --------------------------------------------------------------------------- */

/*
 * A copy that goes on holds a lock on the directory that it fills, which on another host is not seen: so
 * no command is told that would remove it. What a run of this host has left goes when that is finished.
 */
static bool look_for_copy(struct looking *l, int dir, const char *name, const char *path)
{
	int fd = vp_staging_open_left(dir, name);

	if (fd < 0)
		return false;
	close(fd);
	findings_add(l->f, FINDING_NOTE, "copies", "",
		"'%s' is a copy that was not completed, or that another host is making which "
		"shares the filesystem; remove it if no run here is unfinished and no other host "
		"archives there",
		path);
	return true;
}

/* --- images of nobody ----------------------------------------------------------------------------------------- */

/* The UUID of the guest that virt-parts has built the image for. */
static bool read_owner(int dir, const char *name, char ret[ISO_APPLICATION_ID_MAX + 1])
{
	static const char prefix[] = ISO_OWNER_PREFIX;
	char id[ISO_APPLICATION_ID_MAX + 1];
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	bool ours;

	if (fd < 0)
		return false;
	ours = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && iso_read_application_id(fd, id) == 0 &&
	       strncasecmp(id, prefix, sizeof(prefix) - 1) == 0;
	close(fd);
	if (!ours)
		return false;
	strcpy(ret, id + sizeof(prefix) - 1);
	for (char *at = ret; *at; at++)
		*at = (char)(*at >= 'A' && *at <= 'F' ? *at - 'A' + 'a' : *at);
	return vp_is_uuid(ret);
}

static bool is_known(const struct looking *l, const char *uuid)
{
	for (const struct run *run = l->runs; run; run = run->next)
		if (!strcmp(run->uuid, uuid))
			return true;
	for (const struct virt_guest *guest = l->answer.guests; guest; guest = guest->next)
		if (!strcmp(guest->uuid, uuid))
			return true;
	return false;
}

static bool look_for_image(struct looking *l, int dir, const char *name, const char *path)
{
	char uuid[ISO_APPLICATION_ID_MAX + 1];
	size_t length = strlen(name);

	if (length < 4 || strcmp(name + length - 4, ".iso") != 0 || !read_owner(dir, name, uuid) ||
		is_known(l, uuid))
		return false;
	findings_add(l->f, FINDING_NOTE, "images", "",
		"'%s' is the image of a guest that is not known here (%s), as one that has "
		"migrated "
		"away; remove it if no other host uses it",
		path, uuid);
	return true;
}

void doctor_check_left(struct findings *f)
{
	struct looking l = {.f = f, .look = look_for_copy};
	const char *where;
	struct run *runs;

	look_at_rules(&l, VP_WRITE);
	if (runs_read(f->cli, NULL, &runs, &where) < 0)
		return; /* doctor_check_host has told */
	l.runs = runs;
	l.look = look_for_image;
	l.answer = virt_ask(f->cli, NULL, 0);
	if (doctor_told_all(f->cli, &l.answer))
		look_at_rules(&l, VP_ISO);
}
