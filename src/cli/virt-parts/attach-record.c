/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An attached disk in the record of the guest's run, so that the release removes its image. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "asked.h"
#include "attach.h"
#include "bind.h"
#include "claims.h"
#include "text.h"

/* --- the parts of it ------------------------------------------------------------------------------------------- */

static const char *file_of(const struct attach *x)
{
	return cli_format(x->cli, "attached/%s", x->name);
}

/* An <iso> of which the release knows no more than its path; vp_directives_differ knows it by that. */
static const char *release_of(struct attach *x)
{
	static const struct vp_tokens none;
	struct vp_source source = {0};
	struct vp_element *preload = vp_element_add(&source, NULL, "preload");
	struct vp_element *iso = preload ? vp_element_add(&source, preload, "iso") : NULL;
	const char *copy = NULL;
	size_t length = 0;
	char *text = NULL;

	if (iso && vp_element_set(&source, iso, "path", x->path) == 0 &&
		vp_asked_add(&source, preload, &none, &text, &length) == 0)
		copy = cli_copy(x->cli, text, length);
	free(text);
	vp_source_free(&source);
	return copy;
}

/* A file of the record that may be missing: "" then. */
static int read_text(struct cli *cli, int record, const char *name, const char **ret)
{
	size_t length;
	char *text;
	int r = vp_record_read(record, name, &text, &length);

	*ret = "";
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	*ret = cli_copy(cli, text, length);
	free(text);
	return 0;
}

static int write_text(int record, const char *name, const char *text)
{
	return vp_record_write(record, name, text, strlen(text));
}

static int add_lines(struct cli *cli, int record, const char *name, const char *lines)
{
	const char *text;
	int r = read_text(cli, record, name, &text);

	return r < 0 ? r : write_text(record, name, cli_format(cli, "%s%s", text, lines));
}

/* Where whole LINES are in TEXT; NULL: nowhere. */
static const char *find_lines(const char *text, const char *lines)
{
	const char *at = strstr(text, lines);

	while (at && at != text && at[-1] != '\n')
		at = strstr(at + 1, lines);
	return at;
}

static int remove_lines(struct cli *cli, int record, const char *name, const char *lines)
{
	const char *text, *at;
	int r = read_text(cli, record, name, &text);

	at = r < 0 ? NULL : find_lines(text, lines);
	if (!at)
		return r;
	return write_text(record, name,
		cli_format(cli, "%.*s%s", (int)(at - text), text, at + strlen(lines)));
}

/* --- adding ---------------------------------------------------------------------------------------------------- */

static int fail(const char *what, int error)
{
	cli_error("cannot %s: %s", what, strerror(-error));
	return error;
}

static int begin_run(struct attach *x, const char *live_xml)
{
	const char *state_dir = x->cli->conf.state_dir;
	struct vp_run run = {.begin = VP_BEGIN_NEW, .turn = 1, .time = x->event.time};
	const char *const files[][2] = {
		{file_of(x), x->asked},
		{"asked/preload", release_of(x)},
		{"claims", cli_format(x->cli, "%s\n", x->path)},
		{"filesystems", ""},
		{"domain.xml", live_xml},
		{"started", ""},
	};
	int record = vp_record_new(state_dir, x->guest.driver, x->guest.uuid), r;

	if (record < 0)
		return fail("make a record of the guest's run", record);
	snprintf(run.name, sizeof(run.name), "%s", x->guest.name);
	r = vp_boot_id(run.boot_id);
	for (size_t i = 0; r == 0 && i < sizeof(files) / sizeof(files[0]); i++)
		r = vp_record_fill(record, files[i][0], files[i][1], strlen(files[i][1]));
	if (r == 0)
		r = vp_record_fill_run(record, &run);
	close(record);
	if (r == 0)
		r = vp_record_begin(state_dir, x->guest.driver, x->guest.uuid);
	return r < 0 ? fail("write a record of the guest's run", r) : 0;
}

/* Of this run itself: the claims of others are checked by claims.h. */
static int check_own_claims(struct attach *x, int record)
{
	const char *claims;
	int r = read_text(x->cli, record, "claims", &claims);

	if (r < 0)
		return fail("read the record of the guest's run", r);
	while (*claims) {
		size_t length = strcspn(claims, "\n");
		const char *claim = cli_copy(x->cli, claims, length);

		if (vp_path_within(claim, x->path) || vp_path_within(x->path, claim)) {
			cli_error("the image '%s' would be in the way of '%s', which the guest's "
				  "own directives ask for; choose another name",
				x->path, claim);
			return -EBUSY;
		}
		claims += length + (claims[length] == '\n');
	}
	return 0;
}

static int check_run(struct attach *x, int record)
{
	struct vp_run run;
	int r = vp_record_read_run(record, &run);

	if (r < 0)
		return fail("read the record of the guest's run, see 'virt-parts status'", r);
	if (vp_record_has(record, "release")) {
		cli_error("the run of '%s' is ending; try again when it has started anew",
			x->guest.name);
		return -ESHUTDOWN;
	}
	if (vp_record_has(record, file_of(x))) {
		cli_error("'%s' is attached to '%s' already; take it back first with 'virt-parts "
			  "detach', or choose another name",
			x->name, x->guest.name);
		return -EEXIST;
	}
	return check_own_claims(x, record);
}

static int add_to_run(struct attach *x, int record)
{
	struct cli *cli = x->cli;
	int r = check_run(x, record);

	if (r < 0)
		return r;
	/* this file first: by it everything that follows is found again */
	r = vp_record_write(record, file_of(x), x->asked, x->asked_length);
	if (r == 0)
		r = add_lines(cli, record, "claims", cli_format(cli, "%s\n", x->path));
	if (r == 0)
		r = add_lines(cli, record, "asked/preload", release_of(x));
	if (r == 0)
		return 0;
	fail("write to the record of the guest's run", r);
	attach_record_remove(x, record);
	return r;
}

bool attach_record_add(struct attach *x, const char *live_xml)
{
	const char *state_dir = x->cli->conf.state_dir;
	char why[1024] = "";
	int lock = vp_claims_lock(state_dir), record, r;

	if (lock < 0) {
		fail("lock the claims of runs", lock);
		return false;
	}
	r = vp_claims_check(state_dir, x->guest.driver, x->guest.uuid, NULL,
		cli_format(x->cli, "%s\n", x->path), why, sizeof(why));
	if (r < 0) {
		cli_error("%s", why);
	} else if (!release_of(x)) {
		r = fail("attach it", -ENOMEM);
	} else if (!attach_open_record(x, &record)) {
		r = -EIO;
	} else if (record < 0) {
		r = begin_run(x, live_xml);
		x->begun = r == 0;
	} else {
		r = add_to_run(x, record);
		close(record);
	}
	close(lock);
	return r == 0;
}

/* --- removing -------------------------------------------------------------------------------------------------- */

/* Whether the directory of the record holds anything; also when that cannot be told. */
static bool holds_any(int record, const char *name)
{
	int fd = openat(record, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool any = false;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return errno != ENOENT;
	}
	while ((entry = readdir(dir)))
		any |= entry->d_name[0] != '.';
	closedir(dir);
	return any;
}

int attach_record_remove(struct attach *x, int record)
{
	struct cli *cli = x->cli;
	const char *asked, *lines = release_of(x);
	int r = lines ? remove_lines(cli, record, "asked/preload", lines) : -ENOMEM;

	if (r == 0)
		r = read_text(cli, record, "asked/preload", &asked);
	if (r == 0 && !*asked)
		r = vp_record_remove(record, "asked/preload");
	if (r == 0)
		r = remove_lines(cli, record, "claims", cli_format(cli, "%s\n", x->path));
	if (r == 0)
		r = vp_record_remove(record, file_of(x));
	unlinkat(record, "attached", AT_REMOVEDIR); /* if it is empty */
	/* every other run was asked for something */
	if (r == 0 && !holds_any(record, "asked") && !holds_any(record, "attached"))
		r = vp_record_end(cli->conf.state_dir, x->guest.driver, x->guest.uuid);
	return r;
}

/* --- listing --------------------------------------------------------------------------------------------------- */

static const char *path_in(
	struct cli *cli, int record, const struct vp_event *event, const char *file)
{
	const struct vp_element *where, *iso;
	const char *path = NULL;
	struct vp_source source;

	if (vp_asked_read_file(record, file, &source) == 0 && source.directives &&
		vp_bind(&source, source.directives, vp_preload.spec, event, &where) == 0) {
		iso = vp_child(source.directives, "iso");
		path = iso ? vp_attr_text(iso, "path", NULL) : NULL;
		if (path)
			path = cli_copy(cli, path, strlen(path));
	}
	vp_source_free(&source);
	return path;
}

static void insert(struct attached **list, struct attached *new)
{
	while (*list && strcmp((*list)->name, new->name) < 0)
		list = &(*list)->next;
	new->next = *list;
	*list = new;
}

static int add_attached(struct cli *cli, int record, const struct vp_event *event, const char *name,
	struct attached **list)
{
	struct attached *attached = cli_alloc(cli, sizeof(*attached));
	const char *file = cli_format(cli, "attached/%s", name);
	struct stat st;

	if (fstatat(record, file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	attached->name = cli_copy(cli, name, strlen(name));
	attached->since = st.st_mtime;
	attached->path = path_in(cli, record, event, file);
	if (!attached->path)
		return -EINVAL;
	attached->size = stat(attached->path, &st) < 0 ? -1 : st.st_size;
	insert(list, attached);
	return 0;
}

int attached_list(struct cli *cli, int record, const struct vp_event *event, struct attached **ret)
{
	int fd = openat(record, "attached", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r = 0;
	struct dirent *entry;
	const char *why;
	DIR *dir;

	*ret = NULL;
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (r == 0 && (entry = readdir(dir)))
		if (attach_check_name(entry->d_name, &why) == 0)
			r = add_attached(cli, record, event, entry->d_name, ret);
	closedir(dir);
	return r;
}
