/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parts.conf, read strictly: one table says which keys there are and what their values must be. */
#include "conf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"
#include "trust.h"

#ifndef VP_PREFIX
#define VP_PREFIX "/usr"
#endif

enum { MAX_LINE = 4096, MAX_FILE = 1 << 20, N_KEYS = 19 };

struct parser {
	struct vp_conf *conf;
	struct vp_rule **last_rule;
	unsigned line;
	const char *section;
	bool seen[N_KEYS];
	bool dirs_only;	   /* what is in other sections, right or wrong, is passed over */
	const char *wrong; /* what is wrong with the line */
	char shown[201];   /* and its beginning */
};

struct key;
typedef int set_value(struct parser *p, const struct key *key, const char *value);

struct key {
	const char *section, *name;
	set_value *set;
	size_t offset; /* in struct vp_conf */
	enum vp_access access;
	bool repeats;
};

static int set_rule(struct parser *p, const struct key *key, const char *value);
static int set_seconds(struct parser *p, const struct key *key, const char *value);
static int set_bytes(struct parser *p, const struct key *key, const char *value);
static int set_count(struct parser *p, const struct key *key, const char *value);
static int set_dir(struct parser *p, const struct key *key, const char *value);
static int set_yesno(struct parser *p, const struct key *key, const char *value);

#define FIELD(name) offsetof(struct vp_conf, name)
static const struct key keys[N_KEYS] = {
	{"paths", "read", set_rule, 0, VP_READ, true},
	{"paths", "write", set_rule, 0, VP_WRITE, true},
	{"paths", "delete", set_rule, 0, VP_DELETE, true},
	{"paths", "iso", set_rule, 0, VP_ISO, true},
	{"limits", "prepare-timeout", set_seconds, FIELD(prepare_timeout), 0, false},
	{"limits", "part-timeout", set_seconds, FIELD(part_timeout), 0, false},
	{"limits", "teardown-wait", set_seconds, FIELD(teardown_wait), 0, false},
	{"limits", "ramdisk-size", set_bytes, FIELD(ramdisk_size), 0, false},
	{"limits", "ramdisk-total", set_bytes, FIELD(ramdisk_total), 0, false},
	{"limits", "archive-bytes", set_bytes, FIELD(archive_bytes), 0, false},
	{"limits", "archive-entries", set_count, FIELD(archive_entries), 0, false},
	{"limits", "archive-total", set_bytes, FIELD(archive_total), 0, false},
	{"limits", "archive-min-free", set_bytes, FIELD(archive_min_free), 0, false},
	{"migration", "shared-storage", set_yesno, FIELD(shared_storage), 0, false},
	{"dirs", "state", set_dir, FIELD(state_dir), 0, false},
	{"dirs", "run", set_dir, FIELD(run_dir), 0, false},
	{"dirs", "log", set_dir, FIELD(log_dir), 0, false},
	{"dirs", "vendor", set_dir, FIELD(vendor_dir), 0, false},
	{"dirs", "qemu-log", set_dir, FIELD(qemu_log_dir), 0, false},
};

static const char *const sections[] = {
	"paths", "limits", "timeout", "advisory", "migration", "dirs"};

static void *field(struct vp_conf *conf, const struct key *key)
{
	return (char *)conf + key->offset;
}

static int refuse(struct parser *p, const char *wrong)
{
	p->wrong = wrong;
	return -EINVAL;
}

static int set_rule(struct parser *p, const struct key *key, const char *value)
{
	const char *why;
	struct vp_rule *rule;

	if (vp_check_path(value, &why) < 0)
		return refuse(p, why);
	rule = malloc(sizeof(*rule) + strlen(value) + 1);
	if (!rule)
		return -ENOMEM;
	*rule = (struct vp_rule){.access = key->access, .line = p->line};
	strcpy(rule->path, value);
	*p->last_rule = rule;
	p->last_rule = &rule->next;
	return 0;
}

static int set_seconds(struct parser *p, const struct key *key, const char *value)
{
	if (vp_parse_duration(value, field(p->conf, key)) < 0)
		return refuse(p, "is not a duration such as 60s, 10min or 1h");
	return 0;
}

static int set_bytes(struct parser *p, const struct key *key, const char *value)
{
	struct vp_limit limit = {0};
	size_t length = strlen(value);
	char number[8];

	if (strcmp(value, "unlimited") == 0) {
		limit.value = UINT64_MAX;
	} else if (length > 1 && length <= 4 && value[length - 1] == '%') {
		memcpy(number, value, length - 1);
		number[length - 1] = '\0';
		limit.percent = true;
		if (vp_parse_number(number, &limit.value) < 0 || limit.value > 100)
			return refuse(p, "is not a percentage from 0% to 100%");
	} else if (vp_parse_size(value, &limit.value) < 0) {
		return refuse(p, "is not a size such as 64M, a percentage or 'unlimited'");
	}
	*(struct vp_limit *)field(p->conf, key) = limit;
	return 0;
}

static int set_count(struct parser *p, const struct key *key, const char *value)
{
	struct vp_limit limit = {.value = UINT64_MAX};

	if (strcmp(value, "unlimited") != 0 && vp_parse_number(value, &limit.value) < 0)
		return refuse(p, "is not a number or 'unlimited'");
	*(struct vp_limit *)field(p->conf, key) = limit;
	return 0;
}

static int set_yesno(struct parser *p, const struct key *key, const char *value)
{
	bool yes = strcmp(value, "yes") == 0;

	if (!yes && strcmp(value, "no") != 0)
		return refuse(p, "is neither yes nor no");
	*(bool *)field(p->conf, key) = yes;
	return 0;
}

static int set_dir(struct parser *p, const struct key *key, const char *value)
{
	char **dir = field(p->conf, key), *copy;
	const char *why;

	if (vp_check_path(value, &why) < 0)
		return refuse(p, why);
	copy = strdup(value);
	if (!copy)
		return -ENOMEM;
	free(*dir);
	*dir = copy;
	return 0;
}

static int add_setting(
	struct parser *p, struct vp_part_setting **list, const char *name, unsigned seconds)
{
	struct vp_part_setting *setting;

	if (!vp_is_file_name(name))
		return refuse(p, "is not the file name of a part");
	if (vp_conf_lists(*list, name, NULL))
		return refuse(p, "is given twice");
	setting = malloc(sizeof(*setting) + strlen(name) + 1);
	if (!setting)
		return -ENOMEM;
	*setting = (struct vp_part_setting){.next = *list, .seconds = seconds};
	strcpy(setting->name, name);
	*list = setting;
	return 0;
}

static int set_key(struct parser *p, const char *name, const char *value)
{
	unsigned seconds;

	if (strcmp(p->section, "timeout") == 0) {
		if (vp_parse_duration(value, &seconds) < 0)
			return refuse(p, "is not a duration such as 60s, 10min or 1h");
		return add_setting(p, &p->conf->timeouts, name, seconds);
	}
	for (size_t i = 0; i < N_KEYS; i++) {
		if (strcmp(keys[i].section, p->section) || strcmp(keys[i].name, name))
			continue;
		if (p->seen[i] && !keys[i].repeats)
			return refuse(p, "is given twice");
		p->seen[i] = true;
		return keys[i].set(p, &keys[i], value);
	}
	return refuse(p, "is not a key of this section");
}

static int open_section(struct parser *p, const char *line, size_t length)
{
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		if (strlen(sections[i]) == length - 2 &&
			memcmp(sections[i], line + 1, length - 2) == 0) {
			p->section = sections[i];
			return 0;
		}
	}
	return refuse(p, "is not a section of this file");
}

static bool is_heading(const char *line, size_t length)
{
	return length > 1 && line[0] == '[' && line[length - 1] == ']';
}

/* A line without its newline, NUL-terminated. */
static int parse_line(struct parser *p, char *line)
{
	size_t length = strlen(line);
	char *equals;
	int r;

	if (length == 0 || line[0] == '#')
		return 0;
	if (strchr(" \t", line[0]))
		return refuse(p, "begins with a blank");
	if (strchr(" \t\r", line[length - 1]))
		return refuse(p, "ends with a blank");
	if (is_heading(line, length))
		return open_section(p, line, length);
	if (!p->section)
		return refuse(p, "stands before the first section");
	if (strcmp(p->section, "advisory") == 0)
		return add_setting(p, &p->conf->advisory, line, 0);
	equals = strstr(line, " = ");
	if (!equals)
		return refuse(p, "is not of the form 'key = value'");
	*equals = '\0';
	r = set_key(p, line, equals + 3);
	*equals = ' '; /* a message shows the line */
	return r;
}

static int set_defaults(struct vp_conf *conf)
{
	*conf = (struct vp_conf){
		.prepare_timeout = 60,
		.part_timeout = 600,
		.teardown_wait = 10,
		.ramdisk_size = {1ULL << 30, false},
		.ramdisk_total = {25, true},
		.archive_bytes = {64ULL << 30, false},
		.archive_entries = {2000000, false},
		.archive_total = {UINT64_MAX, false},
		.archive_min_free = {5, true},
		.shared_storage = true,
		.state_dir = strdup("/var/lib/virt-parts/state"),
		.run_dir = strdup("/run/virt-parts"),
		.log_dir = strdup("/var/log/virt-parts"),
		.vendor_dir = strdup(VP_PREFIX "/lib/virt-parts/parts.d"),
		.qemu_log_dir = strdup("/var/log/libvirt/qemu"),
	};
	if (!conf->state_dir || !conf->run_dir || !conf->log_dir || !conf->vendor_dir ||
		!conf->qemu_log_dir)
		return -ENOMEM;
	return 0;
}

/*
 * Whether a line is none of [dirs], where that is all that counts. A heading of any name ends it; of what
 * looks like one and is none nobody knows which section it begins.
 */
static bool is_passed_over(struct parser *p, const char *line, size_t length)
{
	if (!p->dirs_only)
		return false;
	if (is_heading(line, length)) {
		p->section = strcmp(line, "[dirs]") == 0 ? "dirs" : NULL;
		p->conf->dirs_valid |= p->section != NULL;
		return true;
	}
	return !p->section && line[strspn(line, " \t")] != '[';
}

static int parse_text(struct parser *p, const char *text, size_t length)
{
	char line[MAX_LINE + 1] = "";
	int r = 0;

	for (size_t at = 0; r == 0 && at < length;) {
		const char *end = memchr(text + at, '\n', length - at);
		size_t n = (end ? (size_t)(end - text) : length) - at;

		p->line++;
		memcpy(line, text + at, n > MAX_LINE ? MAX_LINE : n);
		line[n > MAX_LINE ? MAX_LINE : n] = '\0';
		at += n + 1;
		if (is_passed_over(p, line, strlen(line) == n ? n : 0))
			continue;
		if (n > MAX_LINE)
			r = refuse(p, "... is longer than 4096 bytes");
		else if (strlen(line) != n)
			r = refuse(p, "... holds a NUL byte");
		else
			r = parse_line(p, line);
	}
	snprintf(p->shown, sizeof(p->shown), "%.200s", line);
	return r;
}

/* Of a file that is not valid: the [dirs] that it has, if nothing is wrong there; all else is built in. */
static int set_dirs_only(struct vp_conf *conf, const char *text, size_t length)
{
	struct parser p = {.conf = conf, .last_rule = &conf->rules, .dirs_only = true};
	int r = set_defaults(conf);

	if (r == 0 && parse_text(&p, text, length) == 0)
		return 0;
	vp_conf_free(conf);
	return set_defaults(conf);
}

int vp_conf_parse(const char *path, const char *text, size_t length, struct vp_conf *ret, char *why,
	size_t size)
{
	struct parser p = {.conf = ret, .last_rule = &ret->rules};
	int r = set_defaults(ret);

	if (r == 0)
		r = parse_text(&p, text, length);
	if (r == 0) {
		ret->valid = ret->dirs_valid = true;
		return 0;
	}
	if (p.wrong)
		snprintf(why, size, "%s:%u: '%s' %s", path, p.line, p.shown, p.wrong);
	else
		snprintf(why, size, "%s: %s", path, strerror(-r));
	vp_conf_free(ret);
	return set_dirs_only(ret, text, length) < 0 ? -ENOMEM : r;
}

static int read_trusted(
	const char *path, char **ret_text, size_t *ret_length, char *why, size_t size)
{
	struct stat st;
	ssize_t n;
	int fd, r = vp_trust_check(path, &st, NULL, why, size);

	if (r < 0)
		return r;
	if (!S_ISREG(st.st_mode) || st.st_size > MAX_FILE) {
		snprintf(why, size, "'%s' is not a regular file of at most 1 MiB", path);
		return -EINVAL;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	*ret_text = fd < 0 ? NULL : malloc((size_t)st.st_size + 1);
	n = *ret_text ? read(fd, *ret_text, (size_t)st.st_size + 1) : -1;
	r = n < 0 ? -errno : n != st.st_size ? -EAGAIN : 0; /* -EAGAIN: it is being written */
	if (fd >= 0)
		close(fd);
	if (r < 0) {
		snprintf(why, size, "cannot read '%s': %s", path, strerror(-r));
		free(*ret_text);
		*ret_text = NULL;
		return r;
	}
	*ret_length = (size_t)n;
	return 0;
}

int vp_conf_read(const char *path, struct vp_conf *ret, char *why, size_t size)
{
	char *text = NULL;
	size_t length = 0;
	int r = read_trusted(path, &text, &length, why, size);

	if (r < 0)
		return set_defaults(ret) < 0 ? -ENOMEM : r;
	r = vp_conf_parse(path, text, length, ret, why, size);
	free(text);
	return r;
}

static void free_settings(struct vp_part_setting *list)
{
	while (list) {
		struct vp_part_setting *next = list->next;

		free(list);
		list = next;
	}
}

void vp_conf_free(struct vp_conf *conf)
{
	while (conf->rules) {
		struct vp_rule *next = conf->rules->next;

		free(conf->rules);
		conf->rules = next;
	}
	free_settings(conf->timeouts);
	free_settings(conf->advisory);
	free(conf->state_dir);
	free(conf->run_dir);
	free(conf->log_dir);
	free(conf->vendor_dir);
	free(conf->qemu_log_dir);
	*conf = (struct vp_conf){0};
}

bool vp_conf_lists(const struct vp_part_setting *list, const char *name, unsigned *ret_seconds)
{
	for (; list; list = list->next) {
		if (strcmp(list->name, name) == 0) {
			if (ret_seconds)
				*ret_seconds = list->seconds;
			return true;
		}
	}
	return false;
}
