/* SPDX-License-Identifier: GPL-2.0-or-later */
/* runs.h: the records of guests' runs, and what is left of each on this host. */
#ifndef VP_CLI_RUNS_H
#define VP_CLI_RUNS_H

#include "own-mounts.h"
#include "record.h"
#include "virt.h"

enum run_state {
	RUN_OPEN,	/* the guest runs, or starts */
	RUN_BUSY,	/* an event of it is running now */
	RUN_SAVED,	/* it was saved, or left for a snapshot, and may come back */
	RUN_UNFINISHED, /* its guest has ended, and not all was done */
	RUN_UNKNOWN,	/* libvirt does not say whether the guest runs */
	RUN_DAMAGED,	/* its record cannot be read */
};

struct run {
	struct run *next;
	const char *driver, *uuid, *name;
	const char *called; /* as the guest is called by now: it may have been renamed */
	enum run_state state;
	int error;	       /* of a record that cannot be read: -errno */
	int unread;	       /* of how it ended, where that cannot be read: -errno */
	struct vp_run info;    /* all 0 with error */
	bool started;	       /* a started event has succeeded */
	bool discarded;	       /* and not ended yet: nothing of it is archived or deleted */
	const char *reason;    /* with which its teardown began; "" when it did not, or unread */
	const char *failed;    /* parts that failed in it, blanks between; "" */
	const char *running;   /* parts that its teardown runs now, and counts as failed if that is
				  interrupted, blanks between; "" */
	const char *own;       /* of an unfinished one: of those that failed, the admin's; "" */
	const char *busy;      /* who holds its lock; "" */
	const char *guest;     /* running, shut off, gone, unknown */
	const char *ask;       /* of unknown: what to do, so that libvirt says it */
	bool saved_by_libvirt; /* there is a managed save */
	const char *mounted;   /* its ramdisks that are mounted now, a line each */
	const char *built;     /* its images that are there as it built them, a line each */
	const char *claims;    /* a line each */
	const char
		*unsaved; /* of an unfinished one: what is to be archived and is not, a line each */
	const char *
		undeleted; /* of an unfinished one: what is there and is to be deleted, a line each */
};

/*
 * All runs that there is a record of, by driver and name. ANSWER: what libvirt says of the guests;
 * NULL: it was not asked. 0, or -errno and ret_where is what cannot be read.
 */
int runs_read(struct cli *cli, const struct virt_answer *answer, struct run **ret,
	const char **ret_where);

/* That of one guest; NULL when it has none. */
struct run *runs_one(
	struct cli *cli, const struct virt_answer *answer, const char *driver, const char *uuid);

/* Whether it is of the guest of that name, by now or when it began, or UUID. */
bool runs_is_of(const struct run *run, const char *name);

/* One that the guest's prepare finishes first: of one of its name with another UUID, which is gone; NULL: none. */
const struct run *runs_namesake(
	struct cli *cli, const char *driver, const char *name, const char *uuid);

/* There is none of the guest of that name or UUID: says so, or that there is no such guest. An exit status. */
int runs_none(struct cli *cli, const char *name);

/* Says which daemons have not told which guests run, and why: of those that are not there, only where none has. */
void runs_tell_silent(struct cli *cli, const struct virt_answer *answer);

const char *runs_state_text(enum run_state state);

/* Its teardown began as the guest was saved, or left for a snapshot: it may come back. */
bool runs_was_saved(const struct run *run);

/* Of a record that cannot be read: why, and the command, or the change, that mends it and loses nothing more; "". */
const char *runs_error_text(struct cli *cli, const struct run *run);
const char *runs_error_mend(struct cli *cli, const struct run *run);
/* The same of the record's file that says how the run ended, and -errno. */
const char *runs_unread_text(struct cli *cli, const char *driver, const char *uuid, int error);
const char *runs_begin_text(enum vp_begin begin);

/* What the directives of a record name that release has not archived, or deleted: a line each. REASON "": not known. */
const char *runs_unsaved(struct cli *cli, int record, unsigned turn, const char *reason);
const char *runs_undeleted(struct cli *cli, int record, const char *reason);

/* What the run with that record has archived, "" without one; whether its <dircopy> NUMBER, from 1, is in it. */
const char *runs_archived(struct cli *cli, int record);
bool runs_is_archived(const char *archived, unsigned turn, unsigned number);

/* The parts that failed in the teardown of a record's run, blanks between; "" when none did. */
const char *runs_failed(struct cli *cli, int record);
/* Those of the list that do not run again when a run is finished: the admin's own. */
const char *runs_failed_own(struct cli *cli, const char *failed);
/* What to do about an unfinished run, which has failed at the admin's own parts: what they were to do. */
const char *runs_own_advice(struct cli *cli, const struct run *run);

struct guest;

/* The directives that the guest's XML has otherwise than the record of its run: `<archive>, <ramdisk>`. */
const char *runs_old_names(struct cli *cli, const struct guest *guest);

/*
 * Whether there are such, and do not count yet, as its run is unfinished, or went on so: a sentence
 * that says it, and what to do.
 */
bool runs_old_count(
	struct cli *cli, const struct guest *guest, const char **ret_text, const char **ret_mend);

#endif
