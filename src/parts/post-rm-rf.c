/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * post-rm-rf: deletes each <dir> when the guest has ended, and only when all before it succeeded.
 * It is the last part of release.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "beneath.h"
#include "directives.h"
#include "mounts.h"
#include "record.h"
#include "tree-remove.h"

/* What the directories of one directive have in common. */
struct removing {
	const struct vp_event *event;
	struct vp_policy policy;
	struct vp_run info;
	char *filesystems; /* sources of the guest's <filesystem>s, a line each, a newline before each */
};

/* Why nothing may be deleted now, or NULL. */
static const char *why_kept(const struct removing *r, const struct vp_element *directive)
{
	if (*r->event->failed)
		return "a part failed before";
	if (!vp_reason_matches(
		    vp_attr_text(directive, "when", NULL), VP_POST_RM_RF_WHEN, r->event->reason))
		return "the guest did not end with a reason that it is deleted at";
	/* an aborted migration looks like the guest's end here, while it runs on at the source */
	if (r->info.begin == VP_BEGIN_INCOMING)
		return "the guest came by migration and may still run elsewhere";
	return NULL;
}

/* A directory that the guest's <filesystem> needs at its next start is emptied, not removed. */
static bool is_filesystem(const struct removing *r, const char *path)
{
	size_t length = strlen(path);

	for (const char *at = r->filesystems; (at = strstr(at, path)); at++)
		if (at[-1] == '\n' && at[length] == '\n')
			return true;
	return false;
}

/* Nothing at all is deleted of a tree that something is mounted in. */
static int check_mounts(struct removing *r, const struct vp_element *dir, int fd)
{
	char where[512];
	int mounted = vp_tree_has_mounts(fd, where, sizeof(where));

	if (mounted == 0)
		return 0;
	if (mounted < 0)
		vp_error(r->event, dir, "cannot see what is mounted in '%s': %s", dir->text,
			strerror(-mounted));
	else
		vp_error(r->event, dir,
			"nothing of '%s' is deleted: something is mounted at '%s'; unmount it, the "
			"next start of the guest then deletes first",
			dir->text, where);
	return mounted < 0 ? mounted : -EBUSY;
}

static int remove_dir(
	struct removing *r, const struct vp_element *dir, int parent, const char *leaf)
{
	struct vp_remove_result result = {0};
	char why[1024] = "";
	bool only_empty = is_filesystem(r, dir->text);
	int fd = vp_open_beneath(parent, leaf, O_RDONLY | O_DIRECTORY), status;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0) {
		vp_error(r->event, dir, "cannot delete '%s': %s; it is left alone", dir->text,
			fd == -ELOOP || fd == -ENOTDIR ? "it is no directory" : strerror(-fd));
		return fd;
	}
	status = check_mounts(r, dir, fd);
	if (status == 0) {
		status = only_empty ? vp_empty_directory(fd, &result, why, sizeof(why))
				    : vp_remove_tree(parent, leaf, &result, why, sizeof(why));
		if (status < 0)
			vp_error(r->event, dir, "cannot delete all of '%s': %s", dir->text,
				*why ? why : strerror(-status));
		else
			vp_note(r->event, dir, "%s '%s': %" PRIu64 " entries",
				only_empty ? "emptied" : "deleted", dir->text, result.removed);
	}
	close(fd);
	return status;
}

static int release_dir(struct removing *r, const struct vp_element *dir)
{
	const char *leaf;
	int parent = vp_policy_open_parent(&r->policy, VP_DELETE, dir->text, 0, &leaf), status;

	if (parent == -ENOENT)
		return 0; /* not there is done */
	if (parent < 0) {
		vp_error(r->event, dir, "%s", r->policy.why);
		return parent;
	}
	status = remove_dir(r, dir, parent, leaf);
	close(parent);
	return status;
}

static int read_record(struct removing *r)
{
	int run = open(r->event->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), status;
	char *text;

	if (run < 0)
		return -errno;
	status = vp_record_read_run(run, &r->info);
	if (status == 0)
		status = vp_record_read(run, "filesystems", &text, NULL);
	if (status == 0) {
		if (asprintf(&r->filesystems, "\n%s", text) < 0) {
			r->filesystems = NULL;
			status = -ENOMEM;
		}
		free(text);
	}
	close(run);
	return status;
}

static int release(const struct vp_event *event, const struct vp_element *directive)
{
	struct removing r = {.event = event};
	const struct vp_element *dir = vp_child(directive, "dir");
	const char *why;
	int status = read_record(&r);

	if (status < 0) {
		vp_error(event, directive, "cannot read the run's record '%s': %s",
			event->state_dir, strerror(-status));
		return status;
	}
	why = why_kept(&r, directive);
	if (why) {
		for (; dir; dir = vp_next(dir, "dir"))
			vp_note(event, dir, "'%s' is not deleted: %s", dir->text, why);
	} else if ((status = vp_policy_load(event, &r.policy)) < 0) {
		vp_error(event, directive, "%s", r.policy.why);
	}
	for (; status >= 0 && dir; dir = vp_next(dir, "dir"))
		if (release_dir(&r, dir) < 0)
			status = 1; /* and the rest is tried all the same */
	vp_policy_free(&r.policy);
	free(r.filesystems);
	return status;
}

static const struct vp_handler handlers[] = {
	{"release", "end", release},
	{0},
};

int main(int argc, char **argv)
{
	const struct vp_part part = {
		.name = "post-rm-rf",
		.summary = "deletes directories when the guest has ended",
		.directive = vp_post_rm_rf.spec,
		.handlers = handlers,
		.read = vp_read_record,
	};

	return vp_part_main(&part, argc, argv);
}
