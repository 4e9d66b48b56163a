/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parts.conf: a value is never cut, joined or widened, and what is not valid allows nothing. */
#include <string.h>

#include "conf.h"
#include "fuzz.h"
#include "text.h"

/* Whether a line of the text is KEY, blanks, `=`, blanks and exactly this path. */
static int is_line(const char *text, size_t size, const char *path)
{
	size_t length = strlen(path);

	for (const char *at = text; (at = memmem(at, size - (size_t)(at - text), path, length));
		at++) {
		const char *before = at, *after = at + length, *end = text + size;

		while (before > text && (before[-1] == ' ' || before[-1] == '\t'))
			before--;
		while (after < end && (*after == ' ' || *after == '\t' || *after == '\r'))
			after++;
		if (before > text && before[-1] == '=' && (after == end || *after == '\n'))
			return 1;
	}
	return 0;
}

/* It is built in, or the text has it and may be believed. */
static int is_dir(const struct vp_conf *conf, const char *text, size_t size, const char *dir,
	const char *built_in)
{
	const char *why;

	if (!dir || vp_check_path(dir, &why) < 0)
		return 0;
	return strcmp(dir, built_in) == 0 || (conf->dirs_valid && is_line(text, size, dir));
}

static int has_dirs(const struct vp_conf *conf, const char *text, size_t size)
{
	struct vp_conf built_in;
	char why[64];
	int good;

	if (vp_conf_parse("", "", 0, &built_in, why, sizeof(why)) < 0)
		return 0;
	good = is_dir(conf, text, size, conf->state_dir, built_in.state_dir) &&
	       is_dir(conf, text, size, conf->run_dir, built_in.run_dir) &&
	       is_dir(conf, text, size, conf->log_dir, built_in.log_dir) &&
	       is_dir(conf, text, size, conf->vendor_dir, built_in.vendor_dir) &&
	       is_dir(conf, text, size, conf->qemu_log_dir, built_in.qemu_log_dir);
	vp_conf_free(&built_in);
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vp_conf conf;
	char why[768] = "";
	const char *reason;
	int r = vp_conf_parse("parts.conf", (const char *)data, size, &conf, why, sizeof(why));

	HOLDS((r == 0) == conf.valid);
	HOLDS(r == 0 || (!conf.rules && why[0]));
	for (const struct vp_rule *rule = conf.rules; rule; rule = rule->next)
		HOLDS(vp_check_path(rule->path, &reason) == 0 &&
			is_line((const char *)data, size, rule->path));
	for (const struct vp_part_setting *s = conf.advisory; s; s = s->next)
		HOLDS(vp_is_file_name(s->name));
	HOLDS(conf.dirs_valid || !conf.valid);
	HOLDS(has_dirs(&conf, (const char *)data, size));
	vp_conf_free(&conf);
	return 0;
}
