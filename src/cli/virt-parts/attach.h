/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attach.h: disks of data that a running guest was given, in the files attach*.c.
 *
 * The image belongs to the guest's run: attached/NAME of its record says what it is built from,
 * `claims` has its path, and asked/preload has an <iso> without contents, by which the release
 * removes it, whatever became of the command. All of that is written before it is built. One command for a guest
 * runs at a time; the guest's own lock is held only while the record changes and the image is built,
 * never while libvirt is asked, which may be running the guest's hook.
 */
#ifndef VP_CLI_ATTACH_H
#define VP_CLI_ATTACH_H

#include "directives.h"
#include "guest-lock.h"
#include "guest.h"
#include "virt-device.h"

struct attach {
	struct cli *cli;
	struct guest guest;
	struct vp_event event;
	const char *name;  /* of the disk, its serial number */
	const char *path;  /* of the image */
	struct lock alone; /* no other attach or detach of this guest */
	struct vp_policy policy;
	struct vp_source source; /* what it is built from */
	char *asked;		 /* the same in the form of a record */
	size_t asked_length;
	bool begun; /* the run was begun for it */
};

/* --- attach.c: what the commands share ------------------------------------------------------------------------ */

/*
 * The guest and the name of the disk from ARGV, root and the driver checked; false, and told. With
 * ALONE it waits for other commands. attach_end ends it in either case.
 */
bool attach_begin(struct attach *x, struct cli *cli, char **argv);
void attach_end(struct attach *x);
/* Opens the run's record, -1 when there is none; false, and told, when that fails. */
bool attach_open_record(struct attach *x, int *ret);
/* Takes image and record back, for a guest that has not, or no longer, the disk. False, and told. */
bool attach_undo(struct attach *x);

/* --- attach-request.c: what is asked for ---------------------------------------------------------------------- */

/* 0, or -EINVAL and why NAME cannot be a disk's. */
int attach_check_name(const char *name, const char **ret_why);
/* Reads the options, finds a place for the image and checks both by the rules; false, and told. */
bool attach_request(struct attach *x);

/* --- attach-record.c: the record of the run -------------------------------------------------------------------- */

/* A disk that the record tells of. */
struct attached {
	struct attached *next;
	const char *name, *path;
	time_t since;
	int64_t size; /* of the image, -1: it is not there */
};

/* All of a record, by name. 0 or -errno. */
int attached_list(struct cli *cli, int record, const struct vp_event *event, struct attached **ret);

/* Writes down what is about to be built, in a new run when the guest has none. False, and told. */
bool attach_record_add(struct attach *x, const char *live_xml);
/* Forgets it; a run that was begun for nothing else ends. 0 or -errno. */
int attach_record_remove(struct attach *x, int record);

/* --- attach-image.c -------------------------------------------------------------------------------------------- */

/* Runs the shipped preload at OP SUBOP for the disk, which keeps the lock while it runs. False, and told. */
bool attach_image(
	struct attach *x, struct lock *lock, int record, const char *op, const char *subop);

/* --- attach-xml.c: the guest's XML ----------------------------------------------------------------------------- */

/* The target (`vdb`) of the disk that PATH is in, "" when there is none; covered: another image lies above it. */
const char *attach_xml_target(
	struct cli *cli, const char *xml, const char *path, bool *ret_covered);
/* The target of the disk with that serial number, "" when there is none. */
const char *attach_xml_serial(struct cli *cli, const char *xml, const char *serial);
/* The directory that the guest shares with this host and that PATH lies below; NULL: there is none. */
const char *attach_xml_shared(struct cli *cli, const char *xml, const char *path);
/* A target that no disk has, vda at first; NULL: all are taken. */
const char *attach_xml_free_target(struct cli *cli, const char *xml);
/* The device. */
const char *attach_xml_device(
	struct cli *cli, const char *path, const char *target, const char *serial);

#endif
