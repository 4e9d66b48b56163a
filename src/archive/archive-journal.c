/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal of archives: `TURN N STATE PATH`, and what of a STATE is of ramdisks. */
#include "archive-journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive-ramdisks.h"
#include "beneath.h"
#include "record.h"
#include "text.h"
#include "tree-state.h"

static bool enter_own_mount(int fd, void *context)
{
	return vp_own_mounts_has(fd, context);
}

/* With the mounts of OWN, NULL for none. 0 or -errno. */
static int look(
	int dir, const struct vp_own_mounts *own, uint64_t max_entries, struct vp_tree_state *ret)
{
	const struct vp_walk_options options = {
		.enter_mount = own ? enter_own_mount : NULL,
		.context = (void *)own,
		.max_depth = (unsigned)-1,
	};

	return vp_tree_state(dir, &options, max_entries, ret);
}

/* The same; all 0 where it cannot be told. */
static struct vp_tree_state state_of(int dir, const struct vp_own_mounts *own, uint64_t max_entries)
{
	struct vp_tree_state state = {0};

	look(dir, own, max_entries, &state);
	return state;
}

/*
 * What the state of SOURCE has of PATH in it: of the ramdisk that is mounted there, without others in
 * that; or of the directory alone. All 0 where there is none, or it cannot be told.
 */
static struct vp_tree_state share_of(
	const struct archive_of *of, int source, const char *path, uint64_t max_entries)
{
	const char *relative = path + strlen(of->src);
	struct vp_tree_state share = {0};
	int fd = vp_open_beneath(source, relative + strspn(relative, "/"), O_PATH | O_DIRECTORY);

	if (fd < 0)
		return share;
	if (vp_own_mounts_has(fd, of->own))
		share = state_of(fd, NULL, max_entries);
	else
		vp_tree_state_alone(fd, &share);
	close(fd);
	return share;
}

/* The rest of the last line of the journal that is of this turn and number; to be freed. NULL: there is none. */
static char *last_line(const struct archive_of *of, const char *name)
{
	char *journal, *rest, *line, *found = NULL, key[64];

	if (vp_record_read(of->run, name, &journal, NULL) < 0)
		return NULL;
	snprintf(key, sizeof(key), "%u %u", of->turn, of->number);
	rest = journal;
	while ((line = strsep(&rest, "\n"))) {
		char *behind = line + strlen(key);

		if (strncmp(line, key, strlen(key)) == 0 && (*behind == ' ' || *behind == '\t'))
			found = behind + 1;
	}
	found = found ? strdup(found) : NULL;
	free(journal);
	return found;
}

/* Of what SRC is in. Then all was archived, and a tree that is not what it was is what is left of it. */
static bool deletion_has_begun(const struct archive_of *of)
{
	char *journal, *rest, *line, *dir;
	bool begun = false;

	if (vp_record_read(of->run, "done/post-rm-rf", &journal, NULL) < 0)
		return false;
	rest = journal;
	/* once a line had no directory, and was of all */
	while ((line = strsep(&rest, "\n")))
		begun = begun || (strtoul(line, &dir, 10) == of->turn && dir > line &&
					 (*dir != ' ' || vp_path_within(of->src, dir + 1)));
	free(journal);
	return begun;
}

/*
 * BEFORE, with each of the run's ramdisks as it is now: not mounted any more, or a new one. One with
 * something in it is no such; what is in its mount point counts as what somebody wrote there.
 */
static uint64_t with_ramdisks_of_now(const struct archive_of *of, int source, uint64_t before)
{
	char *shares = last_line(of, "done/archive-ramdisks"), *rest = shares, *one;

	while ((one = strsep(&rest, "\t"))) {
		char *path;
		uint64_t then = strtoull(one, &path, 16);
		struct vp_tree_state now;

		if (*path != ' ' || !vp_path_within(path + 1, of->src))
			continue;
		now = share_of(of, source, path + 1, UINT64_MAX);
		if (now.entries == 0)
			before += now.value - then;
	}
	free(shares);
	return before;
}

/* Whether the tree is still what was archived of it. An empty one may be where a ramdisk was. */
static bool is_unchanged(const struct archive_of *of, int source, uint64_t before)
{
	struct vp_tree_state now = state_of(source, of->own, UINT64_MAX);

	return now.value &&
	       (now.entries == 0 || now.value == before ||
		       (before && now.value == with_ramdisks_of_now(of, source, before)));
}

enum archive_is archive_journal_look(const struct archive_of *of, int source)
{
	char *line = last_line(of, "done/archive");
	uint64_t before;

	if (!line)
		return ARCHIVE_NOT_DONE;
	before = strtoull(line, NULL, 16);
	free(line);
	return source < 0 || deletion_has_begun(of) || is_unchanged(of, source, before)
		       ? ARCHIVE_DONE
		       : ARCHIVE_CHANGED;
}

struct sharing {
	const struct archive_of *of;
	int source;
	uint64_t max_entries;
	FILE *out;
};

static void add_share(const char *path, void *context)
{
	const struct sharing *sharing = context;
	struct vp_tree_state share;

	if (!vp_path_within(path, sharing->of->src))
		return;
	share = share_of(sharing->of, sharing->source, path, sharing->max_entries);
	fprintf(sharing->out, "\t%016" PRIx64 " %s", share.value, path);
}

void archive_state_get(
	const struct archive_of *of, int source, uint64_t max_entries, struct archive_state *ret)
{
	struct sharing sharing = {.of = of, .source = source, .max_entries = max_entries};
	size_t length = 0;

	*ret = (struct archive_state){.value = state_of(source, of->own, max_entries).value};
	sharing.out = open_memstream(&ret->ramdisks, &length);
	if (!sharing.out)
		return;
	archive_each_ramdisk(of->event, of->run, add_share, &sharing);
	if (fclose(sharing.out) != 0 || length == 0) {
		free(ret->ramdisks);
		ret->ramdisks = NULL;
	}
}

int archive_state_holds(const struct archive_of *of, int source, const struct archive_state *state)
{
	struct vp_tree_state now;
	int r = state->value ? look(source, of->own, UINT64_MAX, &now) : 0;

	if (!state->value)
		return 1;
	return r == -ESTALE ? 0 : r < 0 ? r : now.value == state->value;
}

void archive_state_free(struct archive_state *state)
{
	free(state->ramdisks);
}

static int append(const struct archive_of *of, const char *journal, const char *text)
{
	char *line;
	int r;

	if (asprintf(&line, "%u %u%s", of->turn, of->number, text) < 0)
		return -ENOMEM;
	r = vp_record_append(of->run, journal, line);
	free(line);
	return r;
}

int archive_journal_reserve(const struct archive_of *of, const struct archive_state *state)
{
	enum { NUMBERS = 64 }; /* in front of the rest of a line */
	size_t ramdisks = state->ramdisks ? strlen(state->ramdisks) + NUMBERS : 0;
	int r = ramdisks ? vp_record_reserve(of->run, "done/archive-ramdisks", ramdisks) : 0;

	return r < 0 ? r : vp_record_reserve(of->run, "done/archive", PATH_MAX + NUMBERS);
}

int archive_journal_add(
	const struct archive_of *of, const struct archive_state *state, const char *path)
{
	int r = state->ramdisks ? append(of, "done/archive-ramdisks", state->ramdisks) : 0;
	char *text;

	if (r < 0)
		return r;
	if (asprintf(&text, " %016" PRIx64 " %s", state->value, path) < 0)
		return -ENOMEM;
	r = append(of, "done/archive", text);
	free(text);
	return r;
}
