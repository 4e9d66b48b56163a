/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conf.h: parts.conf, read strictly.
 *
 * A value is never cut, joined or widened: an unknown section or key, a leading blank, a repeated
 * single-valued key, a value that does not parse or a line over 4 KiB make the whole file invalid.
 * Then valid is false, there are no path rules, and every other value is the built-in one; but where
 * a record and a log lie is no policy: the values of [dirs] count all the same when the file is root's
 * alone and no line of [dirs] is wrong (dirs_valid).
 */
#ifndef VP_CONF_H
#define VP_CONF_H

#include "virt-parts.h"

struct vp_rule {
	struct vp_rule *next;
	enum vp_access access;
	unsigned line;
	char path[]; /* with %NAME% and %UUID% as written */
};

/* A basename, of [timeout] with its seconds or of [advisory]. */
struct vp_part_setting {
	struct vp_part_setting *next;
	unsigned seconds;
	char name[];
};

/* A number, or a percentage of something. Without limit: UINT64_MAX. */
struct vp_limit {
	uint64_t value;
	bool percent;
};

struct vp_conf {
	bool valid;
	bool dirs_valid;       /* what [dirs] says counts; true when valid */
	struct vp_rule *rules; /* in the order of the file */
	unsigned prepare_timeout, part_timeout, teardown_wait; /* seconds */
	struct vp_limit ramdisk_size, ramdisk_total;	       /* bytes, or percent of the memory */
	struct vp_limit archive_bytes, archive_entries;	       /* of one archive */
	struct vp_limit archive_total,
		archive_min_free; /* of a write root; percent of its filesystem */
	struct vp_part_setting *timeouts, *advisory;
	bool shared_storage;
	char *state_dir, *run_dir, *log_dir, *vendor_dir, *qemu_log_dir;
};

/*
 * Reads PATH into *ret, which needs vp_conf_free in every case. 0 when it is valid; -EPERM when
 * somebody else than root may have written it, -EINVAL when it is malformed, else -errno; why then
 * names the file, the line and what is wrong.
 */
int vp_conf_read(const char *path, struct vp_conf *ret, char *ret_why, size_t why_size);
/* The same from text that is at hand; PATH is for messages. */
int vp_conf_parse(const char *path, const char *text, size_t length, struct vp_conf *ret,
	char *ret_why, size_t why_size);
void vp_conf_free(struct vp_conf *conf);

/* Whether the list has a part of that basename; ret_seconds may be NULL. */
bool vp_conf_lists(const struct vp_part_setting *list, const char *name, unsigned *ret_seconds);

#endif
