/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One directory of a plan. */
#include "scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "names.h"
#include "text.h"
#include "trust.h"

struct place {
	const char *path;
	size_t label;
	enum plan_source source;
	bool complete;
	bool checked;		  /* the directory's own trust, once something in it matters */
	char why[PATH_MAX + 128]; /* it is not trusted; "" when it is */
};

/* Makes room for one more element; the memory doubles. */
static void *grow(void *list, size_t count, size_t size)
{
	if (count & (count - 1)) /* between two powers of two there is room */
		return list;
	return realloc(list, (count ? 2 * count : 1) * size);
}

int scan_warn(struct plan *plan, const char *format, ...)
{
	char **warnings = grow(plan->warnings, plan->n_warnings, sizeof(*warnings)), *text;
	va_list args;
	int r;

	if (!warnings)
		return -ENOMEM;
	plan->warnings = warnings;
	va_start(args, format);
	r = vasprintf(&text, format, args);
	va_end(args);
	if (r < 0)
		return -ENOMEM;
	plan->warnings[plan->n_warnings++] = text;
	return 0;
}

/* Adds PATH/NAME; NAME NULL: PATH itself. WHY may be NULL. */
static int add(struct plan *plan, const struct place *place, const char *name,
	enum plan_state state, const char *why)
{
	struct plan_entry *entries = grow(plan->entries, plan->count, sizeof(*entries));
	struct plan_entry entry = {.source = place->source, .state = state};
	char *path;

	if (!entries)
		return -ENOMEM;
	plan->entries = entries;
	if (why && !(entry.why = strdup(why)))
		return -ENOMEM;
	if (asprintf(&path, "%s%s%s", place->path, name ? "/" : "", name ? name : "") < 0) {
		free(entry.why);
		return -ENOMEM;
	}
	entry.path = path;
	entry.name = strrchr(path, '/') + 1;
	entry.label = path + place->label;
	plan->entries[plan->count++] = entry;
	return 0;
}

static bool is_mask(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

/* Decides over a file whose link, if it is one, leads to ST. WHY has PATH_MAX + 128 bytes. */
static enum plan_state judge(const struct stat *st, char *why)
{
	static const size_t size = PATH_MAX + 128;

	if (!S_ISREG(st->st_mode)) {
		snprintf(why, size, "it is not a regular file");
		return PLAN_REFUSED;
	}
	if (!(st->st_mode & 0111)) {
		snprintf(why, size, "it is not executable");
		return PLAN_SKIPPED;
	}
	if (vp_trust_mode(st) < 0) {
		if (st->st_uid != 0)
			snprintf(why, size, "it belongs to user %u, not to root", st->st_uid);
		else
			snprintf(why, size, "it can be written by others than root (mode %04o)",
				st->st_mode & 07777);
		return PLAN_REFUSED;
	}
	if (st->st_mode & (S_ISUID | S_ISGID)) {
		snprintf(why, size, "it is setuid or setgid");
		return PLAN_REFUSED;
	}
	return PLAN_RUN;
}

static enum plan_state judge_link(const char *path, const struct stat *link, char *why)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		snprintf(why, PATH_MAX + 128, "it is a link that leads nowhere: %s",
			strerror(errno));
		return PLAN_REFUSED;
	}
	if (link->st_uid == 0 && is_mask(&st)) {
		snprintf(why, PATH_MAX + 128, "it is a link to /dev/null");
		return PLAN_MASK;
	}
	if (vp_trust_check(path, &st, NULL, why, PATH_MAX + 128) < 0)
		return PLAN_REFUSED;
	return judge(&st, why);
}

static bool is_shipped(enum plan_source source)
{
	return source == PLAN_VENDOR_DRIVER || source == PLAN_VENDOR_SHARED;
}

/* VFIO-Tools runs files only: its directories may have others in them. */
static bool is_passed_over(const struct place *place, const char *path, const struct stat *link)
{
	struct stat st = *link;

	if (place->source != PLAN_COMPAT_VFIO || (S_ISLNK(st.st_mode) && stat(path, &st) < 0))
		return false;
	return S_ISDIR(st.st_mode);
}

/* A file of the directory FD (or PATH itself) that could be a part by its name. */
static int consider(struct plan *plan, struct place *place, int fd, const char *name)
{
	char path[PATH_MAX], why[PATH_MAX + 128] = "";
	enum plan_state state;
	struct stat st;
	int n = snprintf(
		path, sizeof(path), "%s%s%s", place->path, name ? "/" : "", name ? name : "");

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	if (fstatat(name ? fd : AT_FDCWD, name ? name : path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : add(plan, place, name, PLAN_REFUSED, strerror(errno));
	if (is_passed_over(place, path, &st))
		return place->complete ? add(plan, place, name, PLAN_SKIPPED, "it is a directory")
				       : 0;
	if (!place->checked) {
		char *dir = strdup(place->path);

		if (!dir)
			return -ENOMEM;
		if (!name)
			*strrchr(dir, '/') = '\0';
		if (vp_trust_check(dir, NULL, NULL, place->why, sizeof(place->why)) == 0)
			place->why[0] = '\0';
		free(dir);
		place->checked = true;
	}
	if (place->why[0])
		return add(plan, place, name, PLAN_REFUSED, place->why);
	state = S_ISLNK(st.st_mode) ? judge_link(path, &st, why) : judge(&st, why);
	/* a shipped part that cannot run is broken, not switched off: what it undoes must not be forgotten */
	if (state == PLAN_SKIPPED && is_shipped(place->source))
		state = PLAN_REFUSED;
	if (state == PLAN_SKIPPED) {
		int r = scan_warn(plan, "%s: skipped: it is not executable", path + place->label);

		if (r < 0)
			return r;
	}
	if (state == PLAN_SKIPPED && !place->complete)
		return 0;
	return add(plan, place, name, state, why[0] ? why : NULL);
}

/* Something is there that cannot be read, for WHY: nobody knows which parts are not run. */
static int refuse_place(struct plan *plan, const struct place *place, const char *why)
{
	int r = add(plan, place, NULL, PLAN_REFUSED, why);

	if (r == 0)
		plan->entries[plan->count - 1].unreadable = true;
	return r;
}

static int add_unreadable(struct plan *plan, const struct place *place, int error)
{
	char why[128];

	snprintf(why, sizeof(why), "cannot be read: %s", strerror(error));
	return refuse_place(plan, place, why);
}

static int scan_directory(struct plan *plan, struct place *place, DIR *dir)
{
	struct dirent *entry;
	int r = 0;

	while (r == 0 && (errno = 0, entry = readdir(dir))) {
		const char *name = entry->d_name;
		bool part = place->source == PLAN_COMPAT_VFIO ? !name_is_leftover(name)
							      : name_is_part(name);

		if (part)
			r = consider(plan, place, dirfd(dir), name);
		else if (place->complete && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
			r = add(plan, place, name, PLAN_SKIPPED, "its name is not that of a part");
	}
	if (r == 0 && !entry && errno)
		r = add_unreadable(plan, place, errno);
	return r;
}

/*
 * Of a place that is not there: something is all the same, if a link on the way to it leads nowhere. From
 * the root on, where mostly the first name is missing.
 */
static int add_if_link(struct plan *plan, const struct place *place)
{
	char path[PATH_MAX], why[PATH_MAX + 64];
	size_t length = place->label;
	struct stat st;

	while (place->path[length]) {
		length += strcspn(place->path + length + 1, "/") + 1;
		snprintf(path, sizeof(path), "%.*s", (int)length, place->path);
		if (lstat(path, &st) < 0)
			return 0;
		if (!S_ISLNK(st.st_mode) || access(path, F_OK) == 0)
			continue;
		snprintf(why, sizeof(why), "'%s' is a link that leads nowhere: %s", path,
			strerror(errno));
		return refuse_place(plan, place, why);
	}
	return 0;
}

int scan_root(struct plan *plan, const char *path, size_t label, enum plan_source source)
{
	struct place place = {.path = path, .label = label, .source = source};

	return add_if_link(plan, &place);
}

int scan_place(
	struct plan *plan, const char *path, size_t label, enum plan_source source, bool complete)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = fd < 0 ? errno : 0, r;
	struct place place;
	DIR *dir;

	place = (struct place){
		.path = path, .label = label, .source = source, .complete = complete};
	if (error == ENOENT)
		return add_if_link(plan, &place);
	if (error == ENOTDIR) {
		if (source == PLAN_COMPAT_VFIO)
			return consider(plan, &place, AT_FDCWD, NULL);
		return scan_warn(plan, "%s: ignored: it is not a directory", path + label);
	}
	if (error)
		return add_unreadable(plan, &place, error);
	dir = fdopendir(fd);
	if (!dir) {
		r = add_unreadable(plan, &place, errno);
		close(fd);
		return r;
	}
	r = scan_directory(plan, &place, dir);
	closedir(dir);
	return r;
}
