/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a part of a directive's name would run for a guest. */
#include "custom.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "part-name.h"
#include "text.h"
#include "trust.h"

/* Where parts of a guest's events lie, those first that hide others of their name. */
enum { ADMIN_DOMAIN, ADMIN_DRIVER, ADMIN_SHARED, VENDOR_DRIVER, VENDOR_SHARED, N_PLACES };

struct search {
	const struct vp_event *event;
	const char *vendor_dir, *name;
	bool (*is_known)(const char *event); /* NULL: they all are */
	int place;
	char unknown[NAME_MAX + 1]; /* an event with such a part, which is not known */
};

static bool is_of_driver(int place)
{
	return place == ADMIN_DRIVER || place == VENDOR_DRIVER;
}

/* 20-NAME, as the dispatcher runs it: what follows the digits and a dash. */
static bool is_part_of(const char *file, const char *name)
{
	size_t digits = strspn(file, "0123456789");

	return name_is_part(file) && file[digits] == '-' && strcmp(file + digits + 1, name) == 0;
}

/* The directory of a place; false when there can be none, or its path is too long. */
static bool place_path(const struct search *s, int place, char ret[PATH_MAX])
{
	const struct vp_event *event = s->event;
	int n;

	if (place == ADMIN_DOMAIN && !vp_is_file_name(event->domain))
		return false;
	if (place == ADMIN_DOMAIN)
		n = snprintf(
			ret, PATH_MAX, "%s/parts.d/domains/%s", event->hook_dir, event->domain);
	else if (place == ADMIN_DRIVER || place == ADMIN_SHARED)
		n = snprintf(ret, PATH_MAX, "%s/parts.d", event->hook_dir);
	else
		n = snprintf(ret, PATH_MAX, "%s", s->vendor_dir);
	return n > 0 && n < PATH_MAX;
}

/* `O_S` of a directory O_S.d of that place, or D_O_S.d where it is the driver's; false: it is another's. */
static bool event_of(const struct search *s, const char *dir, char ret[NAME_MAX + 1])
{
	size_t length = strlen(dir), driver = strlen(s->event->driver);
	char *mark;
	bool words;

	if (length < 3 || strcmp(dir + length - 2, ".d") != 0)
		return false;
	if (is_of_driver(s->place)) {
		if (strncmp(dir, s->event->driver, driver) != 0 || dir[driver] != '_')
			return false;
		dir += driver + 1;
		length -= driver + 1;
	}
	snprintf(ret, NAME_MAX + 1, "%.*s", (int)length - 2, dir);
	mark = strchr(ret, '_');
	if (!mark)
		return false;
	*mark = '\0';
	words = name_is_event_word(ret) && name_is_event_word(mark + 1);
	*mark = '_';
	return words;
}

/* Whether a link to /dev/null in a place before this one switches the part off. */
static bool is_masked(const struct search *s, const char *event, const char *file)
{
	char root[PATH_MAX], path[2 * PATH_MAX];
	struct stat st;

	for (int place = 0; place < s->place; place++) {
		bool named = is_of_driver(place);

		if (!place_path(s, place, root))
			continue;
		snprintf(path, sizeof(path), "%s/%s%s%s.d/%s", root, named ? s->event->driver : "",
			named ? "_" : "", event, file);
		if (stat(path, &st) == 0 && S_ISCHR(st.st_mode))
			return true;
	}
	return false;
}

static bool would_run(const char *path)
{
	struct stat st;
	char why[PATH_MAX + 128];

	return vp_trust_check(path, &st, NULL, why, sizeof(why)) == 0 && S_ISREG(st.st_mode) &&
	       st.st_mode & 0111 && !(st.st_mode & (S_ISUID | S_ISGID));
}

static int search_event(const struct search *s, const char *dir, const char *event)
{
	struct dirent *entry;
	char path[PATH_MAX];
	DIR *files = opendir(dir);
	int found = 0;

	if (!files)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	while (!found && (entry = readdir(files)))
		found = is_part_of(entry->d_name, s->name) &&
			snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) < PATH_MAX &&
			would_run(path) && !is_masked(s, event, entry->d_name);
	closedir(files);
	return found;
}

static int search_place(struct search *s, const char *root)
{
	char path[PATH_MAX], event[NAME_MAX + 1];
	struct dirent *entry;
	DIR *dir = opendir(root);
	int found = 0;

	if (!dir)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	while (found == 0 && (entry = readdir(dir)))
		if (event_of(s, entry->d_name, event) &&
			snprintf(path, sizeof(path), "%s/%s", root, entry->d_name) < PATH_MAX) {
			found = search_event(s, path, event);
			if (found > 0 && s->is_known && !s->is_known(event)) {
				strcpy(s->unknown, event);
				found = 0;
			}
		}
	closedir(dir);
	return found;
}

int vp_part_find(const struct vp_event *event, const char *vendor_dir, const char *name,
	bool (*is_known)(const char *event), char ret_unknown[NAME_MAX + 1])
{
	struct search s = {
		.event = event, .vendor_dir = vendor_dir, .name = name, .is_known = is_known};
	char root[PATH_MAX];
	int found = 0;

	for (; found == 0 && s.place < N_PLACES; s.place++)
		if (place_path(&s, s.place, root))
			found = search_place(&s, root);
	strcpy(ret_unknown, found == 0 ? s.unknown : "");
	return found == 0 && *s.unknown ? 1 : found;
}

int vp_part_is_installed(const struct vp_event *event, const char *vendor_dir, const char *name)
{
	char unknown[NAME_MAX + 1];

	return vp_part_find(event, vendor_dir, name, NULL, unknown);
}
