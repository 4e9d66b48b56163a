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
	HOLDS(conf.state_dir && conf.run_dir && conf.log_dir && conf.vendor_dir &&
		conf.qemu_log_dir);
	vp_conf_free(&conf);
	return 0;
}
