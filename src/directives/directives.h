/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * directives.h: the tables of the directives that virt-parts ships, one file each, and what they
 * must be beyond their tables. The parts act by them, prepare checks all of them by the same.
 */
#ifndef VP_DIRECTIVES_H
#define VP_DIRECTIVES_H

#include "policy.h"
#include "record.h"
#include "xml.h"

/* What a check has at hand, and what it found. */
struct vp_checking {
	const struct vp_event *event;
	struct vp_policy *policy;
	const struct vp_element *directives;	 /* all of the guest; bound up to the one at hand */
	const struct vp_filesystem *filesystems; /* of the guest */
	const struct vp_element *where;		 /* after a refusal */
	char why[1024];
};

struct vp_directive {
	const struct vp_element_spec *spec;
	/*
	 * What the table and the policy cannot say, of a bound directive; NULL: nothing. 0, or
	 * -EINVAL with where and why.
	 */
	int (*check)(struct vp_checking *checking, const struct vp_element *directive);
	bool claims; /* the paths that it writes, mounts on or deletes belong to the run alone */
};

extern const struct vp_directive vp_ramdisk, vp_preload, vp_archive, vp_post_rm_rf;

/* How many <src> and <file> an <iso> may have: preload keeps all of them open, and at hand. */
enum { VP_ISO_MAX_SOURCES = 64, VP_ISO_MAX_FILES = 1024 };

/* All of them, NULL at the end. */
extern const struct vp_directive *const vp_directives[];

const struct vp_directive *vp_directive_find(const char *name);

/* Says why a directive is refused, and returns -EINVAL. */
int vp_check_refuse(struct vp_checking *checking, const struct vp_element *where,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * Checks every path of a bound directive against the policy, and what the directive's own check
 * asks for. 0, or -errno with where and why.
 */
int vp_directive_check(struct vp_checking *checking, const struct vp_directive *directive,
	const struct vp_element *element);

/*
 * Refuses a path that an element of the same name, in a directive of the same name, has asked for
 * before: in the ATTRIBUTE, or as the text (NULL).
 */
int vp_check_once(
	struct vp_checking *checking, const struct vp_element *element, const char *attribute);

/* Refuses a <dircopy> whose <src> and <dst> lie in each other. */
int vp_check_dircopy(struct vp_checking *checking, const struct vp_element *dircopy);

/*
 * Refuses an archive that would not outlive the release: one that post-rm-rf deletes, or that lies in
 * a ramdisk. For a bound <archive>, when all directives are bound.
 */
int vp_check_archives_survive(struct vp_checking *checking, const struct vp_element *archive);

/*
 * Adds the raw directive, which is of XML, to the text of a run's record: *text, NULL at first, to be
 * freed. 0, -ENOMEM; -EINVAL: a date of it is none.
 */
int vp_directive_record(struct vp_source *source, const struct vp_element *directive,
	const struct vp_event *event, char **text, size_t *length);

/*
 * Which directives the raw SOURCE, of XML, asks for otherwise than the record of a run has them, or not
 * any more: `<archive>, <ramdisk>`, "" when none; to be freed. 0 or -errno.
 */
int vp_directives_differ(
	int run, struct vp_source *source, const struct vp_event *event, char **ret_names);

/*
 * A file of the record from its beginning until <preload> has first ended well. An unfinished run with it would go
 * on without what its guest was to find, which it never had.
 */
#define VP_PRELOADING "preloading"

/* The words of `when`, for tables. */
extern const char *const vp_reasons[];
/*
 * Whether a directive with that `when` (NULL: the default, which is the list of words it acts on)
 * acts at REASON. `shutdown-or-destroyed` is acted on by either; a reason that no list knows, of a
 * newer libvirt, is `unknown`.
 */
bool vp_reason_matches(const char *when, const char *default_words, const char *reason);
#define VP_ARCHIVE_WHEN "shutdown destroyed crashed daemon lost unknown"
#define VP_POST_RM_RF_WHEN "shutdown destroyed"

/*
 * Notes that the run goes on from an end for REASON in its TURN that could not be finished, on disk: 0 or
 * -errno.
 */
int vp_owed_add(int run, unsigned turn, const char *reason);
/* The ends before were given up, and nothing is to be archived for them: 0 or -errno. */
int vp_owed_forget(int run);
/*
 * Whether the run's <dircopy> NUMBER, of an <archive> with that `when`, is to be made at an end for REASON: it
 * acts then, or it did at an earlier end that the run went on from, and has not been made since. 1, 0, -errno.
 */
int vp_archive_is_due(int run, const char *when, const char *reason, unsigned number);

/* Why release leaves ramdisks mounted, an image in place, directories undeleted; NULL: it does not. */
const char *vp_ramdisk_stays(const struct vp_event *event);
const char *vp_iso_stays(const struct vp_event *event, enum vp_begin begin);
const char *vp_post_rm_rf_stays(
	const struct vp_event *event, const struct vp_element *directive, enum vp_begin begin);

#endif
