/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which events libvirt has, and which of them somebody may have meant. */
#include "events.h"

#include <string.h>

#include "dispatch/ops.h"
#include "parts.h"
#include "suggest.h"

enum { MAX_OPS = 16, MAX_WORDS = 4, MAX_DIRECTORIES = 64 };

bool events_has(const char *driver, const char *op, const char *subop)
{
	enum event_kind kind = parts_kind(driver);

	for (const struct op *each = NULL; (each = op_each(kind, each));)
		if (!strcmp(each->name, op) && !strcmp(each->subop, subop))
			return true;
	return false;
}

static const struct op *find(enum event_kind kind, const char *name)
{
	const struct op *op = op_find(kind, name);

	return op->name ? op : NULL;
}

/* The event whose operation is nearest; the suboperation follows from that. */
static const struct op *find_meant(enum event_kind kind, const char *name)
{
	const char *names[MAX_OPS], *near;
	size_t n = 0;

	for (const struct op *op = NULL; (op = op_each(kind, op)) && n < MAX_OPS;)
		names[n++] = op->name;
	near = suggest(name, names, n);
	return near ? find(kind, near) : NULL;
}

/* --- words of an event ---------------------------------------------------------------------------------------- */

static const char *object_of(const char *driver)
{
	static const char *const objects[] = {[EVENT_GUEST] = "a guest",
		[EVENT_NETWORK] = "a network",
		[EVENT_DAEMON] = "the daemon"};

	return objects[parts_kind(driver)];
}

const char *events_wrong(struct cli *cli, const char *driver, const char *op, const char *subop)
{
	enum event_kind kind = parts_kind(driver);
	const struct op *meant = find_meant(kind, op);
	const char *known = "";

	if (events_has(driver, op, subop))
		return NULL;
	if (meant)
		return cli_format(cli, "is no event of %s, did you mean '%s %s'?",
			object_of(driver), meant->name, meant->subop);
	for (const struct op *each = NULL; (each = op_each(kind, each));)
		known = cli_format(
			cli, "%s%s%s %s", known, *known ? ", " : "", each->name, each->subop);
	return cli_format(cli, "is no event of %s; known are %s", object_of(driver), known);
}

static bool has_directory(
	struct cli *cli, const char *driver, const char *guest, const char *op, const char *subop)
{
	struct parts_event *event;
	const char *where;

	/* what cannot be read may be one */
	if (parts_events(cli, &event, &where) < 0)
		return true;
	for (; event; event = event->next)
		if (!strcmp(event->op, op) && !strcmp(event->subop, subop) &&
			(*event->driver ? !strcmp(event->driver, driver)
					: parts_of_guests(driver)) &&
			(!*event->guest || !strcmp(event->guest, guest)))
			return true;
	return false;
}

bool events_may_show(
	struct cli *cli, const char *driver, const char *guest, const char *op, const char *subop)
{
	const char *wrong = events_wrong(cli, driver, op, subop);

	if (!wrong)
		return true;
	if (!has_directory(cli, driver, guest, op, subop)) {
		cli_error("'%s %s' %s", op, subop, wrong);
		return false;
	}
	cli_error("warning: '%s %s' %s; it is shown, as there are parts for it", op, subop, wrong);
	return true;
}

/* --- directories ---------------------------------------------------------------------------------------------- */

static const char *directory_of(struct cli *cli, const char *driver, const struct op *op)
{
	return cli_format(cli, "%s%s%s_%s.d", driver, *driver ? "_" : "", op->name, op->subop);
}

/* Every directory of an event; how many. */
static size_t list_directories(struct cli *cli, bool of_guest, const char **ret)
{
	const char *driver = "";
	size_t n = 0;

	for (size_t i = 0; driver; driver = of_guest ? NULL : parts_drivers[i++])
		for (const struct op *op = NULL; (op = op_each(parts_kind(driver), op));)
			if (n < MAX_DIRECTORIES)
				ret[n++] = directory_of(cli, driver, op);
	return n;
}

bool events_is_directory(struct cli *cli, const char *name, bool of_guest)
{
	const char *names[MAX_DIRECTORIES];
	size_t n = list_directories(cli, of_guest, names);

	while (n && strcmp(names[n - 1], name) != 0)
		n--;
	return n > 0;
}

/* How many words NAME has between underscores, its .d aside. */
static size_t split(struct cli *cli, const char *name, const char **ret)
{
	size_t length = strlen(name), n = 0;
	char *at;

	if (length > 2 && !strcmp(name + length - 2, ".d"))
		length -= 2;
	at = (char *)cli_copy(cli, name, length);
	for (char *word; n < MAX_WORDS && (word = strsep(&at, "_"));)
		ret[n++] = word;
	return n;
}

/* An event of networks or of the daemon whose directory lacks the driver's name. */
static const char *lacks_driver(struct cli *cli, const char *word)
{
	static const char *const drivers[] = {"network", "daemon"};
	const struct op *op;

	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (!find(EVENT_GUEST, word) && (op = find(parts_kind(drivers[i]), word)))
			return directory_of(cli, drivers[i], op);
	return NULL;
}

const char *events_meant_directory(struct cli *cli, const char *name, bool of_guest)
{
	const char *names[MAX_DIRECTORIES], *words[MAX_WORDS], *driver = "", *meant;
	size_t n_words = split(cli, name, words), first = 0, n;
	const struct op *op;

	for (n = 0; parts_drivers[n];)
		n++;
	/* of two words the first is a driver only where it is spelt as one */
	if (n_words > 2)
		driver = suggest(words[0], parts_drivers, n);
	else if (n_words == 2 && parts_is_driver(words[0]))
		driver = words[0];
	driver = driver ? driver : "";
	first = *driver ? 1 : 0;
	if (of_guest && !parts_of_guests(driver))
		return NULL;
	meant = *driver || of_guest ? NULL : lacks_driver(cli, words[0]);
	if (meant)
		return meant;
	op = find_meant(parts_kind(driver), words[first]);
	if (op)
		return directory_of(cli, of_guest ? "" : driver, op);
	/* what stands before an event may be a guest, whose parts are not for all */
	n = list_directories(cli, of_guest, names);
	return n_words > 2 && !*driver ? NULL : suggest(name, names, n);
}
