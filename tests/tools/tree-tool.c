/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree functions of src/lib as commands, for tests: exit 0, 1 (refused, reason on stderr), 2. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "beneath.h"
#include "mounts.h"
#include "tree-copy-staging.h"
#include "tree-copy.h"
#include "tree-remove.h"
#include "tree-size.h"

static const char usage[] =
	"usage: tree-tool [OPTION...] COMMAND ARGUMENT...\n"
	"  copy SRC PARENT NAME     copy, publish, print the name used\n"
	"  merge SRC DST\n"
	"  remove PARENT NAME\n"
	"  empty DIR\n"
	"  size DIR BELOW           print how many bytes it takes, with the mounts on the way to "
	"BELOW\n"
	"  mkdirs ROOT RELATIVE MODE\n"
	"  open ROOT RELATIVE       print what is read there\n"
	"  mounts DIR               print a mount in DIR\n"
	"  list-mounts FILE\n"
	"  make-deep DIR LEVELS NAME\n"
	"  race-copy ROUNDS SRC DST MARKER\n"
	"  race-merge|race-remove ROUNDS SRC DST OUTSIDE\n"
	"  race-open ROUNDS ROOT RELATIVE GOOD\n"
	"options: --bytes N --entries N --depth N --mounts (enter all) --uid N --gid N --file-mode "
	"M --dir-mode M\n"
	"         --top-mode M --keep-top --durable --ignore-changes --usage --hold SECONDS\n"
	"         --key TEXT (the maker of staging directories)\n";

struct tool {
	struct vp_copy_options options;
	bool show_usage;
	unsigned hold; /* seconds between copy and publish */
	struct vp_staging_maker maker;
};

static char why[2048];

static int report(int r)
{
	if (r >= 0)
		return 0;
	fprintf(stderr, "%s (%s)\n", *why != '\0' ? why : "no reason given", strerrorname_np(-r));
	return 1;
}

static int open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		fprintf(stderr, "cannot open '%s': %m\n", path);
		exit(2);
	}
	return fd;
}

static bool enter_all(int fd, void *context)
{
	(void)fd;
	(void)context;
	return true;
}

static void note(void *context, const char *path, const char *what)
{
	(void)context;
	fprintf(stderr, "note: '%s': %s\n", path, what);
}

static int copy(struct tool *tool, char **argument)
{
	char staging_name[NAME_MAX + 1], name[NAME_MAX + 1];
	struct vp_copy_result result;
	int source = open_dir(argument[0]), parent = open_dir(argument[1]);
	int staging = vp_staging_make(parent, argument[2], tool->maker.key ? &tool->maker : NULL,
		staging_name, why, sizeof(why));

	if (staging < 0)
		return report(staging);
	int r = vp_copy_tree(source, staging, &tool->options, &result, why, sizeof(why));
	if (tool->hold > 0)
		sleep(tool->hold);
	if (r == 0)
		r = vp_publish(
			staging, "tree", parent, argument[2], 100, NULL, name, why, sizeof(why));
	if (r == 0)
		printf("%s\n", name);
	int status = report(r);

	if (r == 0 && tool->show_usage)
		fprintf(stderr, "entries=%llu bytes=%llu skipped=%llu\n",
			(unsigned long long)result.entries, (unsigned long long)result.bytes,
			(unsigned long long)result.skipped);
	r = vp_staging_remove(parent, staging_name, staging, why, sizeof(why));
	return status ? status : report(r);
}

static int merge(struct tool *tool, char **argument)
{
	return report(vp_merge_tree(open_dir(argument[0]), open_dir(argument[1]), &tool->options,
		NULL, why, sizeof(why)));
}

static int print_removed(int r, const struct vp_remove_result *result)
{
	printf("removed %llu, failed %llu\n", (unsigned long long)result->removed,
		(unsigned long long)result->failed);
	return report(r);
}

static int remove_command(struct tool *tool, char **argument)
{
	struct vp_remove_result result = {.removed = 0};
	int r = vp_remove_tree(open_dir(argument[0]), argument[1], &result, why, sizeof(why));

	(void)tool;
	return print_removed(r, &result);
}

static int empty(struct tool *tool, char **argument)
{
	struct vp_remove_result result = {.removed = 0};
	int r = vp_empty_directory(open_dir(argument[0]), &result, why, sizeof(why));

	(void)tool;
	return print_removed(r, &result);
}

static int size_command(struct tool *tool, char **argument)
{
	uint64_t bytes = 0;
	int r = vp_tree_size(
		open_dir(argument[0]), open_dir(argument[1]), &bytes, why, sizeof(why));

	(void)tool;
	if (r == 0)
		printf("%llu\n", (unsigned long long)bytes);
	return report(r);
}

static int mkdirs(struct tool *tool, char **argument)
{
	(void)tool;
	return report(vp_mkdirs_beneath(
		open_dir(argument[0]), argument[1], (mode_t)strtoul(argument[2], NULL, 8)));
}

static int open_command(struct tool *tool, char **argument)
{
	char data[4096];
	int fd = vp_open_beneath(open_dir(argument[0]), argument[1], O_RDONLY | O_NONBLOCK);

	(void)tool;
	if (fd < 0)
		return report(fd);
	ssize_t length = read(fd, data, sizeof(data));

	if (length > 0)
		fwrite(data, 1, (size_t)length, stdout);
	return 0;
}

static int mounts(struct tool *tool, char **argument)
{
	char where[PATH_MAX] = "";
	int r = vp_tree_has_mounts(open_dir(argument[0]), where, sizeof(where));

	(void)tool;
	if (r > 0)
		puts(where);
	return r > 0 ? 0 : r < 0 ? report(r) : 1;
}

static int print_mount(const struct vp_mount *mount, void *context)
{
	(void)context;
	printf("%llu %llu [%s] [%s] [%s] [%s]%s\n", (unsigned long long)mount->id,
		(unsigned long long)mount->parent_id, mount->root, mount->mount_point,
		mount->fs_type, mount->source, mount->cut ? " cut" : "");
	return 0;
}

static int list_mounts(struct tool *tool, char **argument)
{
	int fd = open(argument[0], O_RDONLY | O_CLOEXEC);

	(void)tool;
	return report(fd < 0 ? -errno : vp_each_mount_of(fd, print_mount, NULL));
}

static int make_deep(struct tool *tool, char **argument)
{
	int fd = open_dir(argument[0]);

	(void)tool;
	for (long levels = strtol(argument[1], NULL, 10); levels > 0; levels--) {
		if (mkdirat(fd, argument[2], 0755) < 0)
			return report(-errno);
		int next = openat(fd, argument[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		close(fd);
		fd = next;
	}
	return 0;
}

/*
 * Races: the rounds are in this process, the swapper is another. Only what is met on the way is
 * looked at here; the test looks at what lies outside.
 */

/* In how many of the places that the swapper may bring it to a file of this name is in the copy. */
static int count_places(int dir, const char *name)
{
	static const char *const places[] = {
		"tree", "tree/leaf", "tree/lnk", "tree/lnk/leaf", "tree/mid", "tree/mid/leaf"};
	char path[PATH_MAX];
	int found = 0;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, sizeof(path), "%s/%s", places[i], name);
		int fd = vp_open_beneath(dir, path, O_PATH);

		if (fd < 0)
			continue;
		close(fd);
		found++;
	}
	return found;
}

/*
 * Copies SRC, which has the files ok and f in one directory, to a staging directory in DST again
 * and again. A file MARKER in one is an escape, whatever the copy said; one that succeeded must
 * have ok and f, once.
 */
static int race_copy(struct tool *tool, char **argument)
{
	long rounds = strtol(argument[0], NULL, 10), escapes = 0, succeeded = 0, incomplete = 0;
	int source = open_dir(argument[1]), parent = open_dir(argument[2]);

	for (long i = 0; i < rounds; i++) {
		char name[NAME_MAX + 1];
		int staging = vp_staging_make(parent, "race", NULL, name, why, sizeof(why));

		if (staging < 0)
			return report(staging);
		int r = vp_copy_tree(source, staging, &tool->options, NULL, why, sizeof(why));

		succeeded += r == 0;
		incomplete += r == 0 &&
			      (count_places(staging, "ok") != 1 || count_places(staging, "f") != 1);
		escapes += count_places(staging, argument[3]) > 0;
		r = vp_staging_remove(parent, name, staging, why, sizeof(why));

		if (r < 0)
			return report(r);
	}
	printf("rounds=%ld succeeded=%ld escapes=%ld incomplete=%ld\n", rounds, succeeded, escapes,
		incomplete);
	return escapes > 0;
}

/* Makes what the swapper swaps: mid/leaf, and a link to the outside. */
static int fill(int dest, const char *outside)
{
	if ((mkdirat(dest, "mid", 0755) < 0 && errno != EEXIST) ||
		(symlinkat(outside, dest, "lnk") < 0 && errno != EEXIST))
		return -errno;
	int leaf = vp_mkdirs_beneath(dest, "mid/leaf", 0755);

	/* -ELOOP: swapped already */
	if (leaf < 0)
		return leaf == -ELOOP || leaf == -ENOTDIR || leaf == -EAGAIN ? 0 : leaf;
	int file = openat(leaf, "f", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (file >= 0)
		close(file);
	close(leaf);
	return 0;
}

static int race_dest(struct tool *tool, char **argument, bool merge_too)
{
	long rounds = strtol(argument[0], NULL, 10), merged = 0, emptied = 0;
	int source = open_dir(argument[1]), dest = open_dir(argument[2]);
	struct vp_remove_result result = {.removed = 0};
	unsigned long long removed = 0;

	for (long i = 0; i < rounds; i++) {
		int r = fill(dest, argument[3]);

		if (r < 0)
			return report(r);
		if (merge_too)
			merged += vp_merge_tree(source, dest, &tool->options, NULL, why,
					  sizeof(why)) == 0;
		emptied += vp_empty_directory(dest, &result, why, sizeof(why)) == 0;
		removed += result.removed;
	}
	printf("rounds=%ld merged=%ld emptied=%ld removed=%llu\n", rounds, merged, emptied,
		removed);
	return 0;
}

/* Merges SRC over DST/mid/leaf and DST/lnk -> OUTSIDE, made anew each time. */
static int race_merge(struct tool *tool, char **argument)
{
	return race_dest(tool, argument, true);
}

/* Empties such a DST; SRC is not used. */
static int race_remove(struct tool *tool, char **argument)
{
	return race_dest(tool, argument, false);
}

/* Opens RELATIVE below ROOT again and again; what is opened must be GOOD, or nothing. */
static int race_open(struct tool *tool, char **argument)
{
	long rounds = strtol(argument[0], NULL, 10), opened = 0, escapes = 0;
	int root = open_dir(argument[1]);
	struct stat good, st;

	(void)tool;
	if (stat(argument[3], &good) < 0)
		return report(-errno);
	for (long i = 0; i < rounds; i++) {
		int fd = vp_open_beneath(root, argument[2], O_RDONLY);

		if (fd < 0)
			continue;
		opened++;
		escapes += fstat(fd, &st) < 0 || st.st_ino != good.st_ino;
		close(fd);
	}
	printf("rounds=%ld opened=%ld escapes=%ld\n", rounds, opened, escapes);
	return escapes > 0;
}

static const struct command {
	const char *name;
	int arguments;
	int (*run)(struct tool *tool, char **argument);
} commands[] = {
	{"copy", 3, copy},
	{"merge", 2, merge},
	{"remove", 2, remove_command},
	{"empty", 1, empty},
	{"size", 2, size_command},
	{"mkdirs", 3, mkdirs},
	{"open", 2, open_command},
	{"mounts", 1, mounts},
	{"list-mounts", 1, list_mounts},
	{"make-deep", 3, make_deep},
	{"race-copy", 4, race_copy},
	{"race-merge", 4, race_merge},
	{"race-remove", 4, race_remove},
	{"race-open", 4, race_open},
};

/* Takes one option; the number of words it used, 0 if it is none. */
static int take_option(struct tool *tool, char **argument)
{
	struct vp_copy_options *options = &tool->options;
	const char *name = argument[0];
	unsigned long long number = argument[1] ? strtoull(argument[1], NULL, 10) : 0;
	mode_t mode = argument[1] ? (mode_t)strtoul(argument[1], NULL, 8) : 0;

	if (strcmp(name, "--mounts") == 0)
		options->enter_mount = enter_all;
	else if (strcmp(name, "--keep-top") == 0)
		options->keep_top = true;
	else if (strcmp(name, "--durable") == 0)
		options->durable = true;
	else if (strcmp(name, "--ignore-changes") == 0)
		options->ignore_changes = true;
	else if (strcmp(name, "--usage") == 0)
		tool->show_usage = true;
	else if (!argument[1])
		return 0;
	else if (strcmp(name, "--bytes") == 0)
		return options->max_bytes = number, 2;
	else if (strcmp(name, "--entries") == 0)
		return options->max_entries = number, 2;
	else if (strcmp(name, "--depth") == 0)
		return options->max_depth = (unsigned)number, 2;
	else if (strcmp(name, "--uid") == 0)
		return options->uid = (uid_t)number, 2;
	else if (strcmp(name, "--gid") == 0)
		return options->gid = (gid_t)number, 2;
	else if (strcmp(name, "--file-mode") == 0)
		return options->set_file_mode = true, options->file_mode = mode, 2;
	else if (strcmp(name, "--dir-mode") == 0)
		return options->set_directory_mode = true, options->directory_mode = mode, 2;
	else if (strcmp(name, "--top-mode") == 0)
		return options->top_mode = mode, 2;
	else if (strcmp(name, "--hold") == 0)
		return tool->hold = (unsigned)number, 2;
	else if (strcmp(name, "--key") == 0)
		return tool->maker.key = argument[1], 2;
	else
		return 0;
	return 1;
}

/* What the run cost: memory, and the lowest free descriptor afterwards, which shows a leak. */
static void print_usage(void)
{
	struct rusage rusage;
	int next = dup(0);

	getrusage(RUSAGE_SELF, &rusage);
	fprintf(stderr, "rss_kib=%ld next_fd=%d\n", rusage.ru_maxrss, next);
}

int main(int argc, char **argv)
{
	struct tool tool = {.options = VP_COPY_OPTIONS_DEFAULT};
	int at = 1;

	tool.options.durable = false;
	tool.options.note = note;
	for (int used; at < argc && strncmp(argv[at], "--", 2) == 0; at += used) {
		used = take_option(&tool, argv + at);
		if (used == 0)
			break;
	}
	for (size_t i = 0; at < argc && i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(argv[at], commands[i].name) != 0 ||
			argc - at - 1 != commands[i].arguments)
			continue;
		int status = commands[i].run(&tool, argv + at + 1);

		if (tool.show_usage)
			print_usage();
		return status;
	}
	fputs(usage, stderr);
	return 2;
}
