/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolve --discard: what it loses, and the record that is left for the release parts. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "directives.h"
#include "dispatch/unfinished.h"
#include "own-mounts.h"
#include "resolve.h"
#include "style.h"

static void show_lines(struct cli *cli, const char *what, const char *lines)
{
	const char *line;

	while ((line = cli_line(cli, &lines)))
		printf("  %s: %s\n", what, cli_shown(cli, line));
}

static void show_directives(struct resolving *x)
{
	struct cli *cli = x->cli;

	/* whatever reason it would have ended with */
	show_lines(cli, "is not archived",
		runs_unsaved(cli, x->record, x->run->error ? 0 : x->run->info.turn, ""));
	show_lines(cli, "is not deleted", runs_undeleted(cli, x->record, ""));
}

/* What took the name of an archive, where the filesystem needs that, and is not the archive. */
static bool is_claim(struct resolving *x, const char *path)
{
	struct cli *cli = x->cli;
	DIR *dir = opendir(path);
	unsigned n = 0;

	while (dir && n < 3 && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return dir && n == 2 &&
	       !strstr(runs_archived(cli, x->record), cli_format(cli, " %s\n", path));
}

/* What an archive was built in, or took its name, that was killed: with the record it is not known any more. */
static void show_left(struct resolving *x, const char *file, bool claims)
{
	struct cli *cli = x->cli;
	const char *lines, *line;
	char *journal;

	if (vp_record_read(x->record, file, &journal, NULL) < 0)
		return;
	lines = cli_copy(cli, journal, strlen(journal));
	free(journal);
	while ((line = cli_line(cli, &lines))) {
		const char *dst = strchr(line, '/'), *leaf = dst ? strrchr(dst, '/') : NULL, *path;

		if (!dst || dst == line)
			continue;
		path = cli_format(
			cli, "%.*s/%.*s", (int)(leaf - dst), dst, (int)(dst - line - 1), line);
		if (claims ? !is_claim(x, path)
			   : faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		printf("  stays: '%s', part of an archive that was not completed; remove it then\n",
			cli_shown(cli, path));
	}
}

/* The record that mend_record makes says that the guest came by migration. */
static void show_images(struct resolving *x)
{
	struct cli *cli = x->cli;
	char reason[REASON_SIZE];
	struct vp_event event = {.reason = reason, .failed = ""};
	const char *lines = x->run->built, *image, *why;

	unfinished_reason(x->record, reason);
	why = vp_iso_stays(&event, x->run->error ? VP_BEGIN_INCOMING : x->run->info.begin);
	while ((image = cli_line(cli, &lines))) {
		image = cli_shown(cli, image);
		if (why)
			printf("  stays: the image '%s': %s\n", image, why);
		else
			printf("  is removed, unless keep=\"yes\": the image '%s'\n", image);
	}
}

static void show_ramdisk(struct cli *cli, const struct vp_own_mount *mount)
{
	char buffer[VP_MOUNT_SHOWN_SIZE];
	const char *shown = cli_shown(cli, vp_own_mount_shown(mount, buffer));
	struct statvfs fs = {0};
	uint64_t used = 0;
	int fd;

	if (mount->several) {
		printf("  stays mounted, as it is seen in several places: the ramdisk '%s'; move "
		       "the "
		       "directory back that has taken it there, or unmount each of them\n",
			shown);
		return;
	}
	if (mount->lost) {
		printf("  stays mounted, if it stays out of reach: the ramdisk '%s'; move a "
		       "directory "
		       "above it up, or unmount what covers it, and unmount it there\n",
			shown);
		return;
	}
	fd = vp_own_mount_open(mount);
	if (fd >= 0 && fstatvfs(fd, &fs) == 0)
		used = (uint64_t)(fs.f_blocks - fs.f_bfree) * fs.f_frsize;
	if (fd >= 0)
		close(fd);
	printf("  %sis lost:%s the ramdisk '%s', with %" PRIu64 " bytes in it\n", style(STYLE_BAD),
		style(STYLE_PLAIN), shown, used);
}

void discard_show_loss(struct resolving *x)
{
	struct cli *cli = x->cli;
	struct vp_own_mounts own;

	printf("Discarding the run of '%s' (%s, %s):\n", cli_shown(cli, x->run->name),
		x->run->driver, x->run->uuid);
	if (vp_own_mounts_read(x->record, x->run->uuid, &own) == 0)
		for (size_t i = 0; i < own.n; i++)
			show_ramdisk(cli, &own.mounts[i]);
	vp_own_mounts_free(&own);
	show_images(x);
	show_left(x, "done/archive-staging", false);
	show_left(x, "done/archive-claim", true);
	show_directives(x);
	fflush(stdout);
}

bool discard_confirm(struct cli *cli)
{
	char answer[16] = "";

	if (cli_option(cli, "--yes"))
		return true;
	if (!isatty(STDIN_FILENO)) {
		cli_error("nothing was done; add --yes to do it");
		return false;
	}
	printf("Discard it? [y/N] ");
	fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* A record whose `run` cannot be read gets one that undoes what is surely this host's. */
static int mend_record(struct resolving *x)
{
	struct vp_run *info = &x->run->info;
	int r;

	*info = (struct vp_run){.version = VP_RECORD_VERSION, .begin = VP_BEGIN_INCOMING};
	info->turn = 1;
	info->time = time(NULL);
	snprintf(info->name, sizeof(info->name), "%s",
		strcmp(x->run->name, "?") ? x->run->name : x->run->uuid);
	r = vp_boot_id(info->boot_id);
	return r < 0 ? r : vp_record_write_run(x->record, info);
}

/*
 * From this one step on the release parts unmount and remove, and neither archive nor delete. What the run
 * asks stays in the record: it counts again if the run cannot be ended and its guest comes back to it.
 */
int discard_mark(struct resolving *x)
{
	int r = vp_record_write(x->record, "discarded", "", 0);

	return r == 0 && x->run->error ? mend_record(x) : r;
}
