/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record.h: the record of a guest's run, a directory <state>/<driver>/<uuid>/ of small text files.
 *
 *	run            what the run is: `key value` lines (struct vp_run)
 *	domain.xml     the XML that prepare was given
 *	asked/NAME     the directives NAME of the guest, as asked.h writes them
 *	claims         the paths that no other run may touch, a line each
 *	attached/NAME  what the disk NAME was built from that the running guest was given
 *	done/NAME      what part NAME has done or is about to do, a line each, oldest first
 *	preloading     an empty file: what <preload> asks for has not all been there yet
 *	called         the name by which the guest goes on, when it is not that in run
 *	start          the process of libvirt, its number and time of start, that was about to start the guest
 *	started        an empty file: a started event has succeeded
 *	release        the reason with which the run's teardown began, a line
 *	owed           `TURN REASON` of each end that the run went on from, or that another was written over
 *	discarded      an empty file: the run was discarded: what it asks of <archive> and <post-rm-rf> does
 *	               not count, and a ramdisk out of reach does not keep it; gone when the guest comes back
 *	failed         the parts that failed in the teardown, a line each; and while it runs, the
 *	               admin's own that have not ended yet; empty: there was no room for it
 *	before         the reason of an unfinished teardown, then what failed in it, a line each: while
 *	               the run goes on and its guest has not started
 *
 * prepare makes it whole under another name and renames it, so that it is there whole or not at
 * all; every file is replaced by rename, and done/NAME grows by whole lines. No path in it holds a
 * control character, so a line is a line.
 *
 * Everything returns 0 or -errno unless it says otherwise. `run` descriptors are of that directory.
 */
#ifndef VP_RECORD_H
#define VP_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { VP_RECORD_VERSION = 1 };

/* How a run began. */
enum vp_begin {
	VP_BEGIN_NEW,	   /* nothing is known of it from before */
	VP_BEGIN_RESTORED, /* a restore event preceded: the guest's memory knows its ISO and ramdisk */
	VP_BEGIN_REVERTED,   /* goes on after a revert to a snapshot, which calls no restore */
	VP_BEGIN_INCOMING,   /* a migrate event preceded: the guest still runs at the source */
	VP_BEGIN_UNFINISHED, /* goes on since it could not be finished: what it left is still there */
};

struct vp_run {
	unsigned version;
	char name[256]; /* the guest's, at prepare */
	enum vp_begin begin;
	unsigned turn;	  /* 1, and one more when the guest starts after an archive was made */
	time_t time;	  /* of the prepare event */
	char boot_id[37]; /* of the host: in another boot its mounts are gone */
};

/* <state>/<driver>/<uuid> opened, or -errno: -ENOENT when the guest has no run. */
int vp_record_open(const char *state_dir, const char *driver, const char *uuid);

/* -EPROTO: written by a newer virt-parts; -EINVAL: damaged. */
int vp_record_read_run(int run, struct vp_run *ret);
int vp_record_write_run(int run, const struct vp_run *value);
int vp_record_fill_run(int new_run, const struct vp_run *value); /* as vp_record_fill */

/* This boot's id, 36 characters. */
int vp_boot_id(char ret[37]);
/* Whether its last prepare was in this boot; true when that cannot be told. */
bool vp_run_is_of_this_boot(const struct vp_run *run);
/* Whether a guest that ends for REASON will come back to what it has left: its run goes on. */
bool vp_reason_is_pause(const char *reason);

/* Whether the record holds the file NAME (such as "started" or "asked/archive"). */
bool vp_record_has(int run, const char *name);
/* Whether it asks for the directive: holds asked/DIRECTIVE, which was not given up with the run. */
bool vp_record_asks(int run, const char *directive);
/* Whether the directive does not count any more: it saves or deletes, and the run was discarded. */
bool vp_record_gives_up(int run, const char *directive);
/* A whole file, NUL-terminated, to be freed; -ENOENT when it is not there, -EFBIG over 64 MiB. */
int vp_record_read(int run, const char *name, char **ret_text, size_t *ret_length);
/* Replaces a file, or makes it, on disk when it returns: temporary name, fsync, rename, fsync. */
int vp_record_write(int run, const char *name, const void *data, size_t length);
/*
 * The same, but it may be gone, or empty, after a power loss: for what may then be unknown, since
 * a run of unknown end is archived and not deleted.
 */
int vp_record_note(int run, const char *name, const void *data, size_t length);
/*
 * Adds a line to done/NAME. It outlives the process, not a power loss: mounts do not outlive that
 * either, and what else it tells of can be done again. The line must hold no newline.
 */
int vp_record_append(int run, const char *name, const char *line);
/*
 * Sees to it that such a line of LENGTH bytes has room, before that is done of which it tells. 0, also where the
 * filesystem can keep no room, or -errno.
 */
int vp_record_reserve(int run, const char *name, size_t length);
/* Whether the file NAME has such a line: 1, 0, also when it is not there, or -errno. */
int vp_record_has_line(int run, const char *name, const char *line);
/*
 * Brings the journals and the reason to disk, as all else in the record is already: before something
 * is deleted on its word, so that no power loss leaves the deletion without the word.
 */
int vp_record_sync(int run);
int vp_record_remove(int run, const char *name); /* 0 also when it is not there */

/*
 * A new record, to be filled file by file and then begun. -EEXIST from begin when the guest has one. A record
 * that was not begun is removed by the next new one of that guest.
 */
int vp_record_new(const char *state_dir, const char *driver, const char *uuid);
int vp_record_fill(int new_run, const char *name, const void *data, size_t length);
int vp_record_begin(const char *state_dir, const char *driver, const char *uuid);

/* Ends a run, on disk when it returns: nothing of its record is left, nor of one whose end was cut short. */
int vp_record_end(const char *state_dir, const char *driver, const char *uuid);

/*
 * Short-lived marks of a guest, <run>/<driver>-<uuid>.<mark>: that a restore or a migrate event
 * came, or that a restore was refused, with TEXT that says why. They count for 5 minutes (libvirt's
 * prepare follows within seconds), in which the clock may be set.
 */
int vp_mark_set(const char *run_dir, const char *driver, const char *uuid, const char *mark,
	const char *text);
/* 1; 0, when it is not set, or not any more; or -errno. */
int vp_mark_look_up(const char *run_dir, const char *driver, const char *uuid, const char *mark);
bool vp_mark_is_set(const char *run_dir, const char *driver, const char *uuid, const char *mark);
/* As vp_mark_is_set, and the text into RET, cut to SIZE with its end. */
bool vp_mark_read(const char *run_dir, const char *driver, const char *uuid, const char *mark,
	char *ret, size_t size);
/* The same of one that counts until it is cleared, or the host is booted. */
bool vp_mark_read_lasting(const char *run_dir, const char *driver, const char *uuid,
	const char *mark, char *ret, size_t size);
void vp_mark_clear(const char *run_dir, const char *driver, const char *uuid, const char *mark);

/* Makes DIR and what is missing above it, root's and 0700 (the missing above it 0755). */
int vp_make_private_dir(const char *dir);

#endif
