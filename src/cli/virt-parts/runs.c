/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The records of guests' runs, and what is left of each on this host. */
#include "runs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dispatch/failed.h"
#include "dispatch/life.h"
#include "dispatch/lock.h"
#include "dispatch/reason.h"
#include "dispatch/unfinished.h"
#include "iso-id.h"
#include "preload-journal.h"
#include "text.h"

const char *runs_state_text(enum run_state state)
{
	static const char *const texts[] = {
		[RUN_OPEN] = "open",
		[RUN_BUSY] = "busy",
		[RUN_SAVED] = "saved",
		[RUN_UNFINISHED] = "unfinished",
		[RUN_UNKNOWN] = "unknown",
		[RUN_DAMAGED] = "damaged",
	};

	return texts[state];
}

const char *runs_unread_text(struct cli *cli, const char *driver, const char *uuid, int error)
{
	return cli_format(cli, "'%s/%s/%s/release', which says how it ended: %s",
		cli->conf.state_dir, driver, uuid, strerror(-error));
}

const char *runs_error_text(struct cli *cli, const struct run *run)
{
	if (!run->error)
		return runs_unread_text(cli, run->driver, run->uuid, run->unread);
	return run->error == -EPROTO ? "written by a newer virt-parts" : strerror(-run->error);
}

bool runs_was_saved(const struct run *run)
{
	return *run->reason && vp_reason_is_pause(run->reason);
}

const char *runs_error_mend(struct cli *cli, const struct run *run)
{
	if (run->error == -EPROTO)
		return "install the newer virt-parts again";
	/* nobody will ever read it; what another error hides may be whole, and of a guest that was saved */
	if (!run->unread && (run->error == -EINVAL || run->error == -ENOENT))
		return cli_format(cli, "virt-parts resolve --discard %s%s",
			runs_was_saved(run) ? "--save-discarded " : "", run->uuid);
	return "";
}

const char *runs_begin_text(enum vp_begin begin)
{
	static const char *const texts[] = {
		[VP_BEGIN_NEW] = "new",
		[VP_BEGIN_RESTORED] = "restored",
		[VP_BEGIN_REVERTED] = "reverted to a snapshot",
		[VP_BEGIN_INCOMING] = "came by migration",
		[VP_BEGIN_UNFINISHED] = "went on unfinished",
	};

	return texts[begin];
}

static const char *read_text(struct cli *cli, int record, const char *name)
{
	const char *copy = "";
	size_t length;
	char *text;

	if (vp_record_read(record, name, &text, &length) == 0) {
		copy = cli_copy(cli, text, length);
		free(text);
	}
	return copy;
}

/* The lines of TEXT. One that is no name is passed over. */
static void add_names(struct names *names, const char *text)
{
	char name[NAME_MAX + 1];

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(text, "\n"), text);
		if (*name)
			names_add(names, name);
	}
}

static const char *list_of(struct cli *cli, struct names *names)
{
	const char *copy = names->text ? cli_copy(cli, names->text, strlen(names->text)) : "";

	names_free(names);
	return copy;
}

/* NOW: in the teardown that has begun, too, or only in the one before it. */
static const char *list_failed(struct cli *cli, int record, bool now)
{
	struct names names = {0};
	const char *before = read_text(cli, record, FAILED_BEFORE);
	const char *failed = now ? read_text(cli, record, "failed") : "";

	if (now && !*failed && vp_record_has(record, "failed"))
		failed = FAILED_UNKNOWN;
	add_names(&names, failed);
	/* behind the reason; it counts until the guest has started again */
	if (!vp_record_has(record, "started"))
		add_names(&names, before + strcspn(before, "\n"));
	return list_of(cli, &names);
}

const char *runs_failed(struct cli *cli, int record)
{
	return list_failed(cli, record, true);
}

/* Whether the release would remove it: it is this guest's, and the one that the run has built. */
static bool is_built(int root, int record, const char *uuid, const char *path)
{
	char id[ISO_OWNER_ID_SIZE];

	iso_owner_id(uuid, id);
	return *path == '/' && iso_look_at_place(root, path + 1, id) > 0 &&
	       preload_journal_owns(record, root, path + 1, path) > 0;
}

/* `iso PATH` lines of the journal whose image is there. */
static const char *find_built(struct cli *cli, int record, const char *uuid)
{
	const char *line = read_text(cli, record, "done/preload"), *built = "";
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t length = strcspn(line, "\n");
		const char *path;

		if (length < 4 || strncmp(line, "iso ", 4) != 0)
			continue;
		path = cli_copy(cli, line + 4, length - 4);
		/* the journal may have it more than once */
		if (!strstr(built, cli_format(cli, "%s\n", path)) &&
			is_built(root, record, uuid, path))
			built = cli_format(cli, "%s%s\n", built, path);
	}
	if (root >= 0)
		close(root);
	return built;
}

static const char *find_mounted(struct cli *cli, int record, const char *uuid)
{
	struct vp_own_mounts own;
	const char *mounted = "";
	char shown[VP_MOUNT_SHOWN_SIZE], line[4 * VP_MOUNT_SHOWN_SIZE];

	if (vp_own_mounts_read(record, uuid, &own) == 0)
		for (size_t i = 0; i < own.n; i++) {
			vp_own_mount_shown(&own.mounts[i], shown);
			/* a guest may have put it below a name with a newline */
			mounted = cli_format(cli, "%s%s\n", mounted,
				vp_escape_controls(shown, strlen(shown), line, sizeof(line)));
		}
	vp_own_mounts_free(&own);
	return mounted;
}

/* A damaged record may still hold the XML. */
static const char *name_in_xml(struct cli *cli, int record)
{
	const char *xml = read_text(cli, record, "domain.xml"), *name = "?";
	xmlDocPtr doc = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL,
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	xmlNodePtr root = doc ? xmlDocGetRootElement(doc) : NULL;

	for (xmlNodePtr node = root ? root->children : NULL; node; node = node->next) {
		xmlChar *text;

		if (node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, "name") != 0)
			continue;
		text = xmlNodeGetContent(node);
		if (text)
			name = cli_copy(cli, (char *)text, strlen((char *)text));
		xmlFree(text);
		break;
	}
	xmlFreeDoc(doc);
	return name;
}

/* What to do, so that libvirt says whether the guest runs. */
static const char *ask_of(struct cli *cli, const char *driver, const struct virt_answer *answer)
{
	const struct virt_daemon *foreign = answer ? virt_foreign(answer) : NULL;
	const struct virt_daemon *slow = answer ? virt_slow(answer, driver) : NULL;
	const char *uri = virt_uri(driver);

	if (foreign)
		return cli_format(cli,
			"leave out -c and LIBVIRT_DEFAULT_URI, as '%s' is not the libvirt of this "
			"host's system,",
			foreign->uri);
	if (slow)
		return cli_format(cli, "wait until libvirt's daemon at '%s' answers (%s)",
			slow->uri, slow->why);
	if (!answer || !uri || virt_asked(answer, driver))
		return "start libvirt's daemon";
	return cli_format(cli, "ask its daemon with '-c %s'%s", uri,
		cli->uri ? cli_format(cli, ", as '%s' is another,", cli->uri) : "");
}

static void ask_libvirt(struct cli *cli, struct run *run, const struct virt_answer *answer)
{
	const struct virt_guest *guest;

	run->guest = "unknown";
	run->ask = ask_of(cli, run->driver, answer);
	if (!answer || !virt_answered(answer, run->driver))
		return;
	guest = virt_find(answer, run->driver, run->uuid);
	if (guest)
		run->called = guest->name;
	run->guest = !guest ? "gone" : guest->active ? "running" : "shut off";
	run->saved_by_libvirt = guest && guest->saved;
}

static enum run_state state_of(const struct run *run)
{
	if (run->error || run->unread)
		return RUN_DAMAGED;
	if (*run->busy)
		return RUN_BUSY;
	if (runs_was_saved(run))
		return RUN_SAVED;
	/* a release that has not ended the run has failed, or was interrupted */
	if (*run->reason)
		return RUN_UNFINISHED;
	if (!strcmp(run->guest, "running"))
		return RUN_OPEN;
	return !strcmp(run->guest, "unknown") ? RUN_UNKNOWN : RUN_UNFINISHED;
}

/* Parts that run are in the list of those that failed, ahead; when an unfinished run is finished they are not. */
static bool is_teardown(const char *busy)
{
	static const char *const events[] = {"stopped end (", "release end ("};

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (strncmp(busy, events[i], strlen(events[i])) == 0)
			return true;
	return false;
}

static struct run *read_run(
	struct cli *cli, const struct virt_answer *answer, const char *driver, const char *uuid)
{
	struct run *run = cli_alloc(cli, sizeof(*run));
	struct names running = {0};
	char line[REASON_SIZE], busy[256], called[sizeof(run->info.name)];
	int record = vp_record_open(cli->conf.state_dir, driver, uuid), ended;

	run->driver = cli_copy(cli, driver, strlen(driver));
	run->uuid = cli_copy(cli, uuid, strlen(uuid));
	run->name = run->called = run->reason = run->failed = run->running = run->own = run->busy =
		"";
	run->mounted = run->built = run->claims = run->unsaved = run->undeleted = "";
	run->error = record < 0 ? record : vp_record_read_run(record, &run->info);
	if (record >= 0) {
		run->name = run->error ? name_in_xml(cli, record)
				       : cli_copy(cli, run->info.name, strlen(run->info.name));
		run->called = life_read_line(record, "called", called, sizeof(called))
				      ? cli_copy(cli, called, strlen(called))
				      : run->name;
		run->started = vp_record_has(record, "started");
		run->discarded = vp_record_has(record, "discarded");
		ended = life_look_up_end(&cli->conf, driver, uuid, record, line, sizeof(line));
		if (ended > 0)
			run->reason = cli_copy(cli, line, strlen(line));
		run->unread = ended < 0 ? ended : 0;
		run->mounted = find_mounted(cli, record, uuid);
		run->built = find_built(cli, record, uuid);
		run->claims = read_text(cli, record, "claims");
	}
	if (lock_look(cli->conf.run_dir, driver, uuid, busy, sizeof(busy)) > 0)
		run->busy = cli_copy(cli, busy, strlen(busy));
	if (record >= 0) {
		run->failed = list_failed(cli, record, !is_teardown(run->busy));
		if (is_teardown(run->busy))
			add_names(&running, read_text(cli, record, "failed"));
		run->running = list_of(cli, &running);
	}
	ask_libvirt(cli, run, answer);
	run->state = state_of(run);
	if (run->state == RUN_UNFINISHED) {
		/* as its release will have it */
		unfinished_reason(record, line);
		run->unsaved = runs_unsaved(cli, record, run->info.turn, line);
		run->undeleted = runs_undeleted(cli, record, line);
		if (!failed_never_started(record, line))
			run->own = runs_failed_own(cli, run->failed);
	}
	if (record >= 0)
		close(record);
	return run;
}

struct run *runs_one(
	struct cli *cli, const struct virt_answer *answer, const char *driver, const char *uuid)
{
	struct run *run = read_run(cli, answer, driver, uuid);

	return run->error == -ENOENT && !*run->name ? NULL : run;
}

static void insert(struct run **list, struct run *run)
{
	int r;

	while (*list) {
		r = strcmp((*list)->driver, run->driver);
		if (r == 0)
			r = strcmp((*list)->name, run->name);
		if (r == 0)
			r = strcmp((*list)->uuid, run->uuid);
		if (r > 0)
			break;
		list = &(*list)->next;
	}
	run->next = *list;
	*list = run;
}

static int read_driver(struct cli *cli, const struct virt_answer *answer, const char *path,
	const char *driver, struct run **list)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return errno == ENOTDIR || errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir)))
		if (vp_is_uuid(entry->d_name)) {
			struct run *run = runs_one(cli, answer, driver, entry->d_name);

			/* it may have ended just now */
			if (run)
				insert(list, run);
		}
	closedir(dir);
	return 0;
}

int runs_read(
	struct cli *cli, const struct virt_answer *answer, struct run **ret, const char **ret_where)
{
	DIR *dir = opendir(cli->conf.state_dir);
	struct dirent *entry;
	struct stat st;
	int r = 0;

	*ret = NULL;
	*ret_where = cli->conf.state_dir;
	/* a link that leads nowhere is no directory that is still to be made */
	if (!dir)
		return errno == ENOENT && lstat(cli->conf.state_dir, &st) < 0 ? 0 : -errno;
	while (r == 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		*ret_where = cli_format(cli, "%s/%s", cli->conf.state_dir, entry->d_name);
		r = read_driver(cli, answer, *ret_where, entry->d_name, ret);
	}
	closedir(dir);
	return r;
}

bool runs_is_of(const struct run *run, const char *name)
{
	return !strcmp(run->name, name) || !strcmp(run->called, name) || !strcmp(run->uuid, name);
}

const struct run *runs_namesake(
	struct cli *cli, const char *driver, const char *name, const char *uuid)
{
	const char *where;
	struct run *run;

	if (runs_read(cli, NULL, &run, &where) < 0)
		return NULL;
	while (run && (strcmp(run->driver, driver) != 0 || strcmp(run->called, name) != 0 ||
			      !strcmp(run->uuid, uuid)))
		run = run->next;
	return run;
}

void runs_tell_silent(struct cli *cli, const struct virt_answer *answer)
{
	static const char text[] = "cannot ask libvirt which guests run";
	const char *why = virt_why(cli, answer);

	if (!answer->answered) {
		if (*why)
			cli_error("%s: %s", text, why);
		return;
	}
	for (const struct virt_daemon *d = answer->daemons; d; d = d->next)
		if (virt_is_silent(d))
			cli_error("%s: %s: %s", text, d->uri, d->why);
}

int runs_none(struct cli *cli, const char *name)
{
	struct virt_answer answer = virt_ask(cli, name, 0);
	const char *why = virt_why(cli, &answer);
	bool known = answer.guests || !answer.answered;

	/* one that is there and has not answered may know the guest */
	for (const struct virt_daemon *d = answer.daemons; d; d = d->next)
		known = known || virt_is_silent(d);
	if (!known)
		return cli_error("libvirt knows no guest '%s'%s%s%s", name, *why ? " (" : "", why,
			*why ? ")" : "");
	if (!cli->json)
		printf("'%s' has no run that is open or unfinished\n", cli_shown(cli, name));
	return CLI_GOOD;
}
