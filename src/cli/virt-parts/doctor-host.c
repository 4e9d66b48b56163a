/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: what runs have left on the host. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "doctor.h"
#include "mounts.h"
#include "parts.h"
#include "runs.h"
#include "trust.h"

static int take_rights(struct cli *cli, const struct finding *finding)
{
	(void)cli;
	return chmod(finding->path, 0700) < 0 ? -errno : 0;
}

/* Whether others keep things there too: records and logs have no directories but those of drivers. */
static bool is_shared(const char *path)
{
	DIR *dir = opendir(path);
	bool shared = !dir;
	struct dirent *entry;
	struct stat st;

	while (dir && !shared && (entry = readdir(dir)))
		shared = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			 !parts_is_driver(entry->d_name) &&
			 fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			 S_ISDIR(st.st_mode);
	if (dir)
		closedir(dir);
	return shared;
}

static void check_private(struct findings *f, const char *what, const char *dir)
{
	struct finding *finding;
	char why[PATH_MAX + 128];
	struct stat st;

	if (lstat(dir, &st) < 0)
		return; /* it is made when it is needed */
	if (vp_trust_check(dir, NULL, NULL, why, sizeof(why)) == -EPERM)
		findings_add(f, FINDING_ERROR, what, doctor_trust_mend(f->cli, dir, "go-w"),
			"'%s' is not root's alone: %s", dir, why);
	else if (S_ISDIR(st.st_mode) && st.st_mode & 0077 && is_shared(dir)) {
		findings_add(f, FINDING_WARNING, what,
			"name a directory of its own under [dirs] in parts.conf",
			"'%s' can be read by others than root (mode %04o), and they keep things "
			"there, too",
			dir, st.st_mode & 07777);
	} else if (S_ISDIR(st.st_mode) && st.st_mode & 0077) {
		finding = findings_add(f, FINDING_WARNING, what,
			cli_format(f->cli, "chmod 0700 %s", cli_quoted(f->cli, dir)),
			"'%s' can be read by others than root (mode %04o)", dir,
			st.st_mode & 07777);
		finding->fix = take_rights;
		finding->path = dir;
	}
}

/* A record that cannot be written refuses every start of a guest with directives. */
static void check_room(struct findings *f, const char *what, const char *dir)
{
	struct cli *cli = f->cli;
	struct statvfs fs;

	if (access(dir, W_OK) < 0 && errno == EROFS)
		findings_add(f, FINDING_ERROR, what,
			cli_format(cli, "mount -o remount,rw \"$(findmnt -n -o TARGET -T %s)\"",
				cli_quoted(cli, dir)),
			"'%s' is on a filesystem that is read-only, so no guest with directives "
			"starts",
			dir);
	if (statvfs(dir, &fs) < 0)
		return;
	/* root may have the last of it; some have no fixed number of files, and say 0 */
	if (!fs.f_bfree || (fs.f_files && !fs.f_ffree))
		findings_add(f, FINDING_ERROR, what,
			cli_format(cli, "make room on it: df %s%s", fs.f_bfree ? "-i " : "",
				cli_quoted(cli, dir)),
			"the filesystem of '%s' has no %s left, so no guest with directives "
			"starts",
			dir, fs.f_bfree ? "files" : "space");
}

static void check_runs(struct findings *f, const struct run *runs)
{
	for (; runs; runs = runs->next)
		if (runs->state == RUN_UNFINISHED)
			findings_add(f, FINDING_WARNING, runs->name,
				*runs->own
					? runs_own_advice(f->cli, runs)
					: cli_format(f->cli, "virt-parts resolve %s", runs->uuid),
				"its last run is unfinished, failed: %s; 'virt-parts status' shows "
				"more",
				*runs->failed ? runs->failed : "nothing yet");
		else if (runs->state == RUN_DAMAGED)
			findings_add(f, FINDING_ERROR, runs->name, runs_error_mend(f->cli, runs),
				"the record of its run cannot be read, and it does not start: %s",
				runs_error_text(f->cli, runs));
}

struct orphans {
	struct findings *findings;
	const struct run *runs;
	bool asked; /* libvirt, once there is one */
	struct virt_answer answer;
};

/* What use its guest has for a ramdisk of no run, or may have; NULL: none. */
static const char *told_use(struct orphans *o, const char *uuid)
{
	struct cli *cli = o->findings->cli;
	const struct virt_guest *guest;

	if (!o->asked)
		o->answer = virt_ask(cli, NULL, 0);
	o->asked = true;
	for (guest = o->answer.guests; guest; guest = guest->next)
		if (!strcmp(guest->uuid, uuid) && (guest->active || guest->saved))
			return cli_format(cli, "its guest '%s' %s", guest->name,
				guest->active ? "runs" : "is saved");
	return doctor_told_all(cli, &o->answer)
		       ? NULL
		       : "its guest may run, as not every daemon of libvirt was asked and has told";
}

/* Why a ramdisk of no run is to be left mounted; NULL: it need not. ret_mend is then what to do instead. */
static const char *told_need(struct orphans *o, const char *uuid, const char **ret_mend)
{
	const char *use = told_use(o, uuid);

	*ret_mend = "see whether [dirs] state in parts.conf has changed, and leave it mounted "
		    "while its guest runs or is saved";
	if (use || !o->findings->cli->conf_why[0])
		return use;
	*ret_mend = "make parts.conf valid, leave it mounted until then, and ask doctor again";
	return "parts.conf is not valid, so its record may be elsewhere, and say what is still to "
	       "be archived";
}

/* A ramdisk by its source, of a run that no record is of. */
static void tell_orphan(struct orphans *o, const struct vp_mount *mount, const char *uuid)
{
	const struct vp_own_mount own = {
		.id = mount->id, .path = (char *)mount->mount_point, .lost = mount->cut};
	struct cli *cli = o->findings->cli;
	const char *mend, *need = told_need(o, uuid, &mend);
	char shown[VP_MOUNT_SHOWN_SIZE];

	vp_own_mount_shown(&own, shown);
	if (need)
		findings_add(o->findings, FINDING_WARNING, "ramdisks", mend,
			"'%s' is a ramdisk of no run that is known (%s), but %s", shown,
			mount->source, need);
	else
		findings_add(o->findings, FINDING_WARNING, "ramdisks",
			strlen(mount->mount_point) < PATH_MAX
				? cli_format(cli, "umount %s", cli_quoted(cli, mount->mount_point))
				: "move a directory above it up in its tree, and unmount it there",
			"'%s' is a ramdisk of no run that is known (%s); what is in it goes with "
			"it, so unmount it only if [dirs] state in parts.conf has not changed "
			"since: else its record is elsewhere, and says what is still to be "
			"archived, of a guest that is shut off, too",
			shown, mount->source);
}

static int check_mount(const struct vp_mount *mount, void *context)
{
	static const char prefix[] = "virt-parts:";
	struct orphans *o = context;
	const char *uuid = mount->source + sizeof(prefix) - 1;

	if (strcmp(mount->fs_type, "tmpfs") != 0 ||
		strncmp(mount->source, prefix, sizeof(prefix) - 1) != 0)
		return 0;
	for (const struct run *run = o->runs; run; run = run->next)
		if (strcmp(run->uuid, uuid) == 0)
			return 0;
	tell_orphan(o, mount, uuid);
	return 0;
}

static void check_left(struct findings *f)
{
	struct orphans orphans = {.findings = f};
	struct run *runs;
	const char *where;
	int r = runs_read(f->cli, NULL, &runs, &where);

	if (r == 0 && runs) {
		orphans.answer = virt_ask(f->cli, NULL, 0);
		orphans.asked = true;
		r = runs_read(f->cli, &orphans.answer, &runs, &where);
	}
	if (r < 0) {
		findings_add(f, FINDING_ERROR, "records",
			r == -ENOENT ? "bring back what that link leads to, or name another "
				       "directory under [dirs] in parts.conf"
				     : "",
			"cannot read '%s', so no guest with directives starts: %s", where,
			strerror(-r));
		return;
	}
	check_runs(f, runs);
	orphans.runs = runs;
	r = vp_each_mount(check_mount, &orphans);
	if (r < 0)
		findings_add(f, FINDING_ERROR, "ramdisks", "", "cannot read the mounts: %s",
			strerror(-r));
}

void doctor_check_host(struct findings *f)
{
	check_private(f, "records", f->cli->conf.state_dir);
	check_room(f, "records", f->cli->conf.state_dir);
	check_private(f, "logs", f->cli->conf.log_dir);
	check_left(f);
}
