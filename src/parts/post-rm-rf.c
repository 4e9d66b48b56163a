/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * post-rm-rf: deletes each <dir> when the guest has ended, and only when all before it succeeded.
 * It is the last part of release.
 *
 * Journal, done/post-rm-rf: `TURN DIR` when it is about to delete what is in the directory DIR, nothing being
 * in the way any more, TURN being the run's.
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
#include "text.h"
#include "tree-remove.h"

/* What the directories of one directive have in common. */
struct removing {
	const struct vp_event *event;
	struct vp_policy policy;
	struct vp_run info;
	char *filesystems; /* sources of the guest's <filesystem>s, a line each, a newline before each */
	char *archives; /* the journal of archive, or NULL */
};

/* A directory that the guest's <filesystem> needs at its next start is emptied, not removed. */
static bool is_filesystem(const struct removing *r, const char *path)
{
	size_t length = strlen(path);

	for (const char *at = r->filesystems; (at = strstr(at, path)); at++)
		if (at[-1] == '\n' && at[length] == '\n')
			return true;
	return false;
}

/*
 * What this run has archived outlives it. prepare has refused what was to be seen then, but a date
 * or an appended -2 may lead elsewhere at release.
 */
static int check_archives(struct removing *r, const struct vp_element *dir)
{
	for (char *line = r->archives; line && *line; line += strcspn(line, "\n") + 1) {
		char *path = strchr(line, '/'), *end = path ? strchr(path, '\n') : NULL;
		bool held;

		if (!end)
			break;
		*end = '\0';
		held = vp_path_within(path, dir->text) || vp_path_within(dir->text, path);
		if (held)
			vp_error(r->event, dir,
				"'%s' is not deleted: it holds, or lies in, the archive '%s'",
				dir->text, path);
		*end = '\n';
		if (held)
			return -EPERM;
	}
	return 0;
}

/* Nothing at all is deleted of a tree that something is mounted in. */
static int check_mounts(struct removing *r, const struct vp_element *dir, int fd)
{
	char where[512];
	int mounted = vp_is_mount_root(fd);

	if (mounted > 0) {
		vp_error(r->event, dir,
			"nothing of '%s' is deleted: it is itself where something is mounted; "
			"unmount it, the next start of the guest then deletes first; or end the "
			"run "
			"with 'virt-parts resolve --discard %s', and name a directory in it",
			dir->text, r->event->uuid);
		return -EBUSY;
	}
	if (mounted == 0)
		mounted = vp_tree_has_mounts(fd, where, sizeof(where));
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

/*
 * From here on a tree that is not what was archived is what is left of it. After a power loss what is
 * deleted stays so: then it must be known why, and what was archived.
 */
static int note_begun(const struct removing *r, const struct vp_element *dir)
{
	int run = open(r->event->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), status;
	char *line;

	if (run < 0)
		return -errno;
	if (asprintf(&line, "%u %s", r->info.turn, dir->text) < 0) {
		close(run);
		return -ENOMEM;
	}
	/* without room for it what is left may be archived once more */
	if (vp_record_has_line(run, "done/post-rm-rf", line) <= 0)
		(void)vp_record_append(run, "done/post-rm-rf", line);
	free(line);
	status = vp_record_sync(run);
	close(run);
	return status;
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
		status = note_begun(r, dir);
		if (status < 0)
			vp_error(r->event, dir,
				"nothing of '%s' is deleted: cannot write the run's record to "
				"disk: %s",
				dir->text, strerror(-status));
	}
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
	int parent, status = check_archives(r, dir);

	if (status < 0)
		return status;
	parent = vp_policy_open_parent(&r->policy, VP_DELETE, dir->text, 0, &leaf);
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
	if (status == 0 && vp_record_has(run, "done/archive"))
		status = vp_record_read(run, "done/archive", &r->archives, NULL);
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
	why = vp_post_rm_rf_stays(event, directive, r.info.begin);
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
	free(r.archives);
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
