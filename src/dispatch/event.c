/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libvirt calls the hook for, from its name and arguments. */
#include "event.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hook.h"
#include "part-name.h"

#define DEFAULT_HOOK_DIR "/etc/libvirt/hooks"

enum { N_ARGUMENTS = 4 };

static const struct driver {
	const char *name;
	enum event_kind kind;
} drivers[] = {
	{"qemu", EVENT_GUEST},
	{"lxc", EVENT_GUEST},
	{"libxl", EVENT_GUEST},
	{"bhyve", EVENT_GUEST},
	{"network", EVENT_NETWORK},
	{"daemon", EVENT_DAEMON},
};

/* The driver whose name is these LENGTH bytes with SUFFIX behind it. */
static const struct driver *find_driver(const char *text, size_t length, const char *suffix)
{
	size_t tail = strlen(suffix);

	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		size_t n = strlen(drivers[i].name);

		if (length == n + tail && !memcmp(text, drivers[i].name, n) &&
			!memcmp(text + n, suffix, tail))
			return &drivers[i];
	}
	return NULL;
}

/* Makes the first LENGTH bytes of PATH, a directory, absolute. */
static int absolute(const char *path, size_t length, char ret[PATH_MAX])
{
	size_t used = 0;

	while (length > 1 && path[length - 1] == '/')
		length--;
	if (path[0] != '/') {
		if (!getcwd(ret, PATH_MAX))
			return -errno;
		used = strlen(ret);
		ret[used++] = '/';
	}
	/* what is put behind it later must fit, too */
	if (used + length >= PATH_MAX - 1024)
		return -ENAMETOOLONG;
	memcpy(ret + used, path, length);
	ret[used + length] = '\0';
	return 0;
}

/* Where the part of the path before the last component of its first LENGTH bytes ends. */
static size_t parent_length(const char *path, size_t length)
{
	while (length && path[length - 1] != '/')
		length--;
	while (length > 1 && path[length - 1] == '/')
		length--;
	return length;
}

/* 1 when argv[0] is an entry point, 0 when it is not, or -errno. */
static int find_entry_point(const char *path, struct event *event)
{
	size_t length = strlen(path), dir = parent_length(path, length), above = 0;
	const char *base = strrchr(path, '/');
	const struct driver *driver = NULL;

	base = base ? base + 1 : path;
	if (dir) {
		size_t start;

		above = parent_length(path, dir);
		start = above + strspn(path + above, "/");
		driver = find_driver(path + start, dir - start, ".d");
	}
	event->compat = !driver;
	if (driver)
		dir = above;
	else
		driver = find_driver(base, strlen(base), "");
	if (!driver)
		return 0;
	event->driver = driver->name;
	event->kind = driver->kind;
	if (base == path) {
		strcpy(event->hook_dir, DEFAULT_HOOK_DIR);
		return 1;
	}
	int r = dir ? absolute(path, dir, event->hook_dir) : absolute(".", 1, event->hook_dir);

	return r < 0 ? r : 1;
}

static bool is_foreign(const struct event *event)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/%s", event->hook_dir, event->driver);
	return hook_whose(path) == HOOK_FOREIGN;
}

/* Options, for whoever calls the program by its own name; returns how many words they were. */
static int read_options(
	int argc, char **argv, struct event *event, enum event_wish *wish, char *why, size_t size)
{
	int i = 1;

	strcpy(event->hook_dir, DEFAULT_HOOK_DIR);
	/* four words that are left are the event, whatever they look like */
	while (i < argc && !(event->driver && argc - i == N_ARGUMENTS)) {
		const char *option = argv[i++], *value = i < argc ? argv[i] : NULL;

		/* the event begins, and has too few words or too many, or --driver is not there */
		if (option[0] != '-' || !option[1]) {
			i--;
			break;
		}
		if (!strcmp(option, "--help")) {
			*wish = EVENT_HELP;
			return i;
		}
		if (!strcmp(option, "--version")) {
			*wish = EVENT_VERSION;
			return i;
		}
		if (!strcmp(option, "--driver") && value) {
			const struct driver *driver = find_driver(value, strlen(value), "");

			if (!driver) {
				snprintf(why, size, "'%.64s' is not a driver", value);
				return -EINVAL;
			}
			event->driver = driver->name;
			event->kind = driver->kind;
			i++;
		} else if (!strcmp(option, "--hook-dir") && value && *value) {
			if (absolute(value, strlen(value), event->hook_dir) < 0) {
				snprintf(why, size, "'%.200s' cannot be the hook directory", value);
				return -EINVAL;
			}
			i++;
		} else if (!strcmp(option, "--")) {
			break;
		} else if (!strcmp(option, "--driver") || !strcmp(option, "--hook-dir")) {
			snprintf(why, size, "'%s' needs a value", option);
			return -EINVAL;
		} else {
			snprintf(why, size, "'%.200s' is not an option", option);
			return -EINVAL;
		}
	}
	if (!event->driver) {
		snprintf(why, size, "needs --driver, since it is not called as a hook");
		return -EINVAL;
	}
	/* a hook of somebody else's, which may be what calls this, runs its own layout itself */
	event->compat = !is_foreign(event);
	return i;
}

int event_from_arguments(
	int argc, char **argv, struct event *event, enum event_wish *wish, char *why, size_t size)
{
	int first = 1, r;

	*event = (struct event){.object = "-", .op = "", .subop = "", .extra = "-", .xml = -1};
	*wish = EVENT_RUN;
	clock_gettime(CLOCK_REALTIME, &event->time);
	r = find_entry_point(argc > 0 ? argv[0] : "", event);
	if (r < 0) {
		snprintf(why, size, "cannot tell the hook directory: %s", strerror(-r));
		return r;
	}
	if (r == 0) {
		first = read_options(argc, argv, event, wish, why, size);
		if (first < 0 || *wish != EVENT_RUN)
			return first < 0 ? first : 0;
	}
	if (argc - first != N_ARGUMENTS) {
		snprintf(why, size, "needs OBJECT, OPERATION, SUBOPERATION and EXTRA, got %d words",
			argc > first ? argc - first : 0);
		return -EINVAL;
	}
	event->object = argv[first];
	event->op = argv[first + 1];
	event->subop = argv[first + 2];
	event->extra = argv[first + 3];
	if (!name_is_event_word(event->op) || !name_is_event_word(event->subop)) {
		snprintf(why, size, "the operation or suboperation is not a word of a-z and '-'");
		return -EINVAL;
	}
	snprintf(event->name, sizeof(event->name), "%s_%s", event->op, event->subop);
	return 0;
}

bool event_is(const struct event *event, const char *op, const char *subop)
{
	return event->kind == EVENT_GUEST && !strcmp(event->op, op) && !strcmp(event->subop, subop);
}
