/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a run is, and what it asks for: the file `run` of a record, and whether there is one of a directive. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record.h"
#include "text.h"

enum { MAX_RUN = 1024 };

static const char *const begin_names[] = {"new", "restored", "reverted", "incoming", "unfinished"};

int vp_boot_id(char ret[37])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, 36);
	int r = n < 0 ? -errno : n < 36 ? -EIO : 0;

	if (fd >= 0)
		close(fd);
	ret[36] = '\0';
	return r;
}

bool vp_reason_is_pause(const char *reason)
{
	return !strcmp(reason, "saved") || !strcmp(reason, "from-snapshot");
}

bool vp_run_is_of_this_boot(const struct vp_run *run)
{
	char boot[sizeof(run->boot_id)];

	return vp_boot_id(boot) < 0 || !strcmp(boot, run->boot_id);
}

static int format_run(const struct vp_run *value, char text[MAX_RUN])
{
	int n;

	if (strchr(value->name, '\n')) /* libvirt refuses such a name */
		return -EINVAL;
	n = snprintf(text, MAX_RUN,
		"version %d\nname %s\nbegin %s\nturn %u\ntime %" PRIdMAX "\nboot %s\n",
		VP_RECORD_VERSION, value->name, begin_names[value->begin], value->turn,
		(intmax_t)value->time, value->boot_id);
	return n < 0 || n >= MAX_RUN ? -ENAMETOOLONG : n;
}

int vp_record_write_run(int run, const struct vp_run *value)
{
	char text[MAX_RUN];
	int n = format_run(value, text);

	return n < 0 ? n : vp_record_write(run, "run", text, (size_t)n);
}

int vp_record_fill_run(int new_run, const struct vp_run *value)
{
	char text[MAX_RUN];
	int n = format_run(value, text);

	return n < 0 ? n : vp_record_fill(new_run, "run", text, (size_t)n);
}

/* The value of a `key value` line that must come next. */
static char *next_value(char **text, const char *key)
{
	size_t length = strlen(key);
	char *line = *text, *end = strchr(line, '\n');

	if (!end || strncmp(line, key, length) != 0 || line[length] != ' ')
		return NULL;
	*end = '\0';
	*text = end + 1;
	return line + length + 1;
}

static int parse_run(char *text, struct vp_run *run)
{
	char *version = next_value(&text, "version"), *name, *begin, *turn, *time, *boot;
	uint64_t number;

	if (!version || vp_parse_number(version, &number) < 0 || number == 0)
		return -EINVAL;
	if (number > VP_RECORD_VERSION)
		return -EPROTO;
	*run = (struct vp_run){.version = (unsigned)number};
	name = next_value(&text, "name");
	begin = next_value(&text, "begin");
	turn = next_value(&text, "turn");
	time = next_value(&text, "time");
	boot = next_value(&text, "boot");
	if (!turn || vp_parse_number(turn, &number) < 0 || number == 0 || number > UINT_MAX)
		return -EINVAL;
	run->turn = (unsigned)number;
	if (!name || !begin || !time || !boot || strlen(name) >= sizeof(run->name) ||
		!vp_is_uuid(boot) || vp_parse_number(time, &number) < 0)
		return -EINVAL;
	strcpy(run->name, name);
	strcpy(run->boot_id, boot);
	run->time = (time_t)number;
	for (unsigned i = 0; i < sizeof(begin_names) / sizeof(begin_names[0]); i++) {
		if (strcmp(begin, begin_names[i]) == 0) {
			run->begin = i;
			return 0;
		}
	}
	return -EINVAL;
}

int vp_record_read_run(int run, struct vp_run *ret)
{
	struct vp_run value;
	char *text;
	int r = vp_record_read(run, "run", &text, NULL);

	if (r < 0)
		return r;
	r = parse_run(text, &value);
	free(text);
	if (r == 0)
		*ret = value;
	return r;
}

bool vp_record_gives_up(int run, const char *directive)
{
	/* what can't be looked at is not taken for it: then more is saved than need be */
	return (!strcmp(directive, "archive") || !strcmp(directive, "post-rm-rf")) &&
	       faccessat(run, "discarded", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool vp_record_asks(int run, const char *directive)
{
	char asked[NAME_MAX + 8];

	snprintf(asked, sizeof(asked), "asked/%s", directive);
	return vp_record_has(run, asked) && !vp_record_gives_up(run, directive);
}
