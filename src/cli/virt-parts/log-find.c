/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of a guest's logs: of its name, of one that it had when its run began, or of its UUID. */
#include "log-find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dispatch/log.h"
#include "parts.h"
#include "runs.h"

struct finding {
	struct cli *cli;
	const char *name;    /* NULL: all are wanted */
	const char **others; /* logs of the guest by another name */
	size_t n_others;
	struct log_found *found;
	size_t count;
};

/* --- which names ---------------------------------------------------------------------------------------------- */

static void *grow(struct cli *cli, const void *list, size_t n, size_t size)
{
	char *larger;

	if (n & (n - 1))
		return (void *)list;
	larger = cli_alloc(cli, (n ? 2 * n : 1) * size);
	if (n)
		memcpy(larger, list, n * size);
	return larger;
}

static void want(struct finding *f, const char *driver, const char *name, const char *uuid)
{
	char log[NAME_MAX + 1];

	log_name(log, driver, name, uuid);
	f->others = grow(f->cli, f->others, f->n_others, sizeof(*f->others));
	f->others[f->n_others++] = cli_copy(f->cli, log, strlen(log));
}

/* Without the right to read records there is none to read logs either. */
static void want_runs(struct finding *f, const char *name)
{
	const char *where;
	struct run *run;

	if (runs_read(f->cli, NULL, &run, &where) < 0)
		return;
	for (; run; run = run->next)
		if (runs_is_of(run, name)) {
			want(f, run->driver, run->name, run->uuid);
			want(f, run->driver, run->called, run->uuid);
		}
}

/* Why libvirt may know more than it has said; "". */
static const char *want_guests(struct finding *f)
{
	struct virt_answer answer = virt_ask(f->cli, f->name, 0);
	bool silent = !answer.answered;

	for (const struct virt_guest *guest = answer.guests; guest; guest = guest->next) {
		want(f, guest->driver, guest->name, guest->uuid);
		want_runs(f, guest->uuid);
	}
	for (const struct virt_daemon *d = answer.daemons; d; d = d->next)
		silent = silent || virt_is_silent(d);
	return silent ? virt_why(f->cli, &answer) : "";
}

/* --- which files ---------------------------------------------------------------------------------------------- */

static bool is_named(const struct finding *f, const char *log)
{
	if (!strcmp(log, f->name))
		return true;
	for (size_t i = 0; parts_drivers[i]; i++)
		if (!strcmp(log, cli_format(f->cli, "%s-%s", parts_drivers[i], f->name)))
			return true;
	return false;
}

static bool is_other(const struct finding *f, const char *log)
{
	for (size_t i = 0; i < f->n_others; i++)
		if (!strcmp(log, f->others[i]))
			return true;
	return false;
}

/*
 * What stands behind `.log`: nothing, or as logrotate calls what was the log, `.1`, `.2.gz`. False: it is
 * no log's.
 */
static bool take_tail(const char *tail, struct log_found *ret)
{
	char *end;

	ret->age = 0;
	ret->packed = false;
	if (!*tail)
		return true;
	if (tail[0] != '.' || tail[1] < '1' || tail[1] > '9')
		return false;
	ret->age = (unsigned)strtoul(tail + 1, &end, 10);
	ret->packed = *end == '.' && end[1] && !strchr(end + 1, '.');
	return !*end || ret->packed;
}

/* A guest may be called `a.log.1`: the last `.log` counts. */
static bool take_name(struct cli *cli, const char *file, struct log_found *ret)
{
	for (size_t length = strlen(file); length-- > 1;)
		if (strncmp(file + length, ".log", 4) == 0 && take_tail(file + length + 4, ret)) {
			ret->log = cli_copy(cli, file, length);
			ret->file = cli_copy(cli, file, strlen(file));
			return true;
		}
	return false;
}

static void take_file(struct finding *f, DIR *dir, const char *file)
{
	struct log_found found = {0};
	struct stat st;

	if (!take_name(f->cli, file, &found))
		return;
	found.named = !f->name || is_named(f, found.log);
	if (!found.named && !is_other(f, found.log))
		return;
	if (fstatat(dirfd(dir), file, &st, AT_SYMLINK_NOFOLLOW) == 0)
		found.last = st.st_mtime;
	f->found = grow(f->cli, f->found, f->count, sizeof(*f->found));
	f->found[f->count++] = found;
}

static int by_name(const void *a, const void *b)
{
	const struct log_found *x = a, *y = b;
	int r = strcmp(x->log, y->log);

	return r ? r : x->age < y->age ? 1 : x->age > y->age ? -1 : 0;
}

static int find_files(struct finding *f)
{
	DIR *dir = opendir(f->cli->conf.log_dir);
	struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir)))
		take_file(f, dir, entry->d_name);
	closedir(dir);
	if (f->count)
		qsort(f->found, f->count, sizeof(*f->found), by_name);
	return 0;
}

int log_find(struct cli *cli, const char *name, struct log_found **ret, size_t *ret_count,
	const char **ret_why)
{
	struct finding f = {.cli = cli, .name = name};
	int r;

	*ret_why = "";
	if (name)
		want_runs(&f, name);
	r = find_files(&f);
	if (r == 0 && name && !f.count) {
		*ret_why = want_guests(&f);
		r = find_files(&f);
	}
	*ret = f.found;
	*ret_count = f.count;
	return r;
}
