/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guests that libvirt knows. libvirt has no time limit of its own, and stands still while a hook
 * runs, so every call is made by a child: what it prints are fields, each ended by a NUL.
 */
#include "virt.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "virt-call.h"

/* As virConnectGetType has them, what the hook directory calls them, and where their system's daemon is. */
static const struct {
	const char *type, *driver, *uri;
} drivers[] = {
	{"QEMU", "qemu", "qemu:///system"},
	{"LXC", "lxc", "lxc:///system"},
	{"Xen", "libxl", "xen:///system"},
	{"BHYVE", "bhyve", "bhyve:///system"},
};

enum { N_DRIVERS = sizeof(drivers) / sizeof(drivers[0]), N_ASKED = 2 }; /* without -c, the first */

void virt_say_nothing(void *data, virErrorPtr error)
{
	(void)data;
	(void)error;
}

void virt_put(FILE *answer, const char *text)
{
	fputs(text ? text : "", answer);
	putc('\0', answer);
}

int virt_fail(FILE *answer)
{
	const char *message = virGetLastErrorMessage();

	virt_put(answer, message ? message : "unknown error");
	return 1;
}

static const char *driver_of(virConnectPtr connection)
{
	const char *type = virConnectGetType(connection);

	for (int i = 0; type && i < N_DRIVERS; i++)
		if (strcmp(type, drivers[i].type) == 0)
			return drivers[i].driver;
	return "other";
}

static void put_daemon(FILE *answer, virConnectPtr connection)
{
	char text[32], *uri = virConnectGetURI(connection);
	unsigned long version = 0;

	virConnectGetLibVersion(connection, &version);
	snprintf(text, sizeof(text), "%lu", version);
	virt_put(answer, driver_of(connection));
	virt_put(answer, text);
	virt_put(answer, uri);
	free(uri);
}

static void put_xml(FILE *answer, virDomainPtr domain, unsigned flags, bool wanted)
{
	char *xml = wanted ? virDomainGetXMLDesc(domain, flags) : NULL;

	virt_put(answer, xml);
	free(xml);
}

/* A guest that goes away meanwhile is left out. */
static void put_guest(FILE *answer, virDomainPtr domain, unsigned wishes)
{
	char uuid[VIR_UUID_STRING_BUFLEN] = "";
	int active = virDomainIsActive(domain), persistent = virDomainIsPersistent(domain);
	bool wanted = wishes & VIRT_XML;

	if (active < 0 || persistent < 0 || virDomainGetUUIDString(domain, uuid) < 0)
		return;
	virt_put(answer, "guest");
	virt_put(answer, virDomainGetName(domain));
	virt_put(answer, uuid);
	virt_put(answer, active ? "yes" : "");
	virt_put(answer, persistent ? "yes" : "");
	virt_put(answer, virDomainHasManagedSaveImage(domain, 0) > 0 ? "yes" : "");
	put_xml(answer, domain, persistent ? VIR_DOMAIN_XML_INACTIVE : 0, wanted);
	put_xml(answer, domain, 0, wanted && active);
}

static virDomainPtr look_up(virConnectPtr connection, const char *name)
{
	virDomainPtr domain = virDomainLookupByName(connection, name);

	return domain || !vp_is_uuid(name) ? domain : virDomainLookupByUUIDString(connection, name);
}

static int put_all(virConnectPtr connection, const struct virt_request *request, FILE *answer)
{
	virDomainPtr *domains = NULL;
	int n = virConnectListAllDomains(connection, &domains, 0);

	if (n < 0)
		return virt_fail(answer);
	put_daemon(answer, connection);
	for (int i = 0; i < n; i++) {
		put_guest(answer, domains[i], request->wishes);
		virDomainFree(domains[i]);
	}
	free(domains);
	return 0;
}

/* No socket of it, or none of its driver in the daemon. */
static bool is_absent(void)
{
	const virError *error = virGetLastError();

	return error && (error->code == VIR_ERR_NO_CONNECT ||
				(error->code == VIR_ERR_SYSTEM_ERROR && error->int1 == ENOENT));
}

static int fail_to_open(FILE *answer)
{
	bool absent = is_absent();
	int status = virt_fail(answer);

	virt_put(answer, absent ? "absent" : "");
	return status;
}

static int ask(void *data, FILE *answer)
{
	const struct virt_request *request = data;
	virConnectPtr connection;
	virDomainPtr domain;

	virSetErrorFunc(NULL, virt_say_nothing);
	connection = virConnectOpenReadOnly(request->uri);
	if (!connection)
		return fail_to_open(answer);
	if (!request->name)
		return put_all(connection, request, answer);
	domain = look_up(connection, request->name);
	if (!domain && virGetLastErrorCode() != VIR_ERR_NO_DOMAIN)
		return virt_fail(answer);
	put_daemon(answer, connection);
	if (domain) {
		put_guest(answer, domain, request->wishes);
		virDomainFree(domain);
	}
	virConnectClose(connection);
	return 0;
}

const char *virt_next_field(struct virt_fields *f)
{
	const char *text = f->at;

	if (f->at >= f->end)
		return "";
	f->at += strlen(text) + 1;
	return cli_copy(f->cli, text, strlen(text));
}

static void take_guests(struct cli *cli, struct virt_fields *f, const struct virt_daemon *daemon,
	struct virt_answer *answer)
{
	struct virt_guest **last = &answer->guests;

	while (*last)
		last = &(*last)->next;
	while (strcmp(virt_next_field(f), "guest") == 0) {
		struct virt_guest *guest = cli_alloc(cli, sizeof(*guest));
		const char *live;

		guest->uri = daemon->uri;
		guest->driver = daemon->driver;
		guest->place = daemon->place;
		guest->name = virt_next_field(f);
		guest->uuid = virt_next_field(f);
		guest->active = *virt_next_field(f);
		guest->persistent = *virt_next_field(f);
		guest->saved = *virt_next_field(f);
		guest->xml = virt_next_field(f);
		live = virt_next_field(f);
		guest->live = *live ? live : NULL;
		*last = guest;
		last = &guest->next;
	}
}

const char *virt_why_of(struct cli *cli, int r, const char *text)
{
	if (r == -ETIMEDOUT)
		return cli_format(cli,
			"it does not answer within %u s; a hook that runs holds it up, see "
			"'virt-parts status'",
			cli->limit);
	return r < 0 ? strerror(-r) : text;
}

int virt_call(
	struct cli *cli, child_work *work, struct virt_request *request, const char **ret_text)
{
	size_t length = 0;
	char *text = NULL;
	int r = child_run(work, request, cli->limit, &text, &length);
	struct virt_fields f = {cli, text, text + length};
	const char *field = r < 0 ? "" : virt_next_field(&f);

	*ret_text = r == 0 ? field : virt_why_of(cli, r, field);
	free(text);
	if (r <= 1) /* virt_fail */
		return r == 1 ? -EIO : r;
	*ret_text = "the process that asked was killed";
	return -ECHILD;
}

static void ask_daemon(struct cli *cli, const char *uri, const char *name, unsigned wishes,
	struct virt_answer *answer)
{
	struct virt_request request = {.uri = uri, .name = name, .wishes = wishes};
	struct virt_daemon *daemon = cli_alloc(cli, sizeof(*daemon)), **last = &answer->daemons;
	size_t length = 0;
	char *text = NULL;
	int r = child_run(ask, &request, cli->limit, &text, &length);
	struct virt_fields f = {cli, text, text + length};

	while (*last)
		last = &(*last)->next;
	*last = daemon;
	daemon->uri = uri;
	daemon->driver = daemon->why = "";
	if (r == 0) {
		daemon->driver = virt_next_field(&f);
		daemon->version = strtoul(virt_next_field(&f), NULL, 10);
		daemon->place = virt_place_of(virt_next_field(&f));
		take_guests(cli, &f, daemon, answer);
		answer->answered = true;
	} else {
		daemon->slow = r == -ETIMEDOUT;
		daemon->why = virt_why_of(cli, r, r < 0 ? "" : virt_next_field(&f));
		daemon->absent = r == 1 && *virt_next_field(&f);
	}
	free(text);
}

struct virt_answer virt_ask(struct cli *cli, const char *name, unsigned wishes)
{
	struct virt_answer answer = {0};

	if (cli->uri)
		ask_daemon(cli, cli->uri, name, wishes, &answer);
	for (int i = 0; !cli->uri && i < N_ASKED; i++)
		ask_daemon(cli, drivers[i].uri, name, wishes, &answer);
	return answer;
}

const char *virt_uri(const char *driver)
{
	for (int i = 0; i < N_DRIVERS; i++)
		if (!strcmp(drivers[i].driver, driver))
			return drivers[i].uri;
	return NULL;
}

/* Of one that has not answered the URI is known, and that may be an alias. */
static bool may_be_of(const struct virt_daemon *daemon, const char *driver)
{
	if (!*daemon->why)
		return !strcmp(daemon->driver, driver);
	for (int i = 0; i < N_DRIVERS; i++)
		if (!strcmp(drivers[i].uri, daemon->uri))
			return !strcmp(drivers[i].driver, driver);
	return true;
}

bool virt_asked(const struct virt_answer *answer, const char *driver)
{
	const struct virt_daemon *d = answer->daemons;

	while (d && !may_be_of(d, driver))
		d = d->next;
	return d;
}

const struct virt_daemon *virt_slow(const struct virt_answer *answer, const char *driver)
{
	const struct virt_daemon *d = answer->daemons;

	while (d && !(d->slow && may_be_of(d, driver)))
		d = d->next;
	return d;
}

bool virt_answered(const struct virt_answer *answer, const char *driver)
{
	for (const struct virt_daemon *d = answer->daemons; d; d = d->next)
		if (!*d->why && d->place == VIRT_HERE && !strcmp(d->driver, driver))
			return true;
	return false;
}

const struct virt_daemon *virt_foreign(const struct virt_answer *answer)
{
	const struct virt_daemon *d = answer->daemons;

	while (d && (*d->why || d->place == VIRT_HERE))
		d = d->next;
	return d;
}

const struct virt_guest *virt_find(
	const struct virt_answer *answer, const char *driver, const char *uuid)
{
	const struct virt_guest *guest = answer->guests;

	while (guest && (guest->place != VIRT_HERE || strcmp(guest->driver, driver) != 0 ||
				strcmp(guest->uuid, uuid) != 0))
		guest = guest->next;
	return guest;
}

const char *virt_why(struct cli *cli, const struct virt_answer *answer)
{
	const char *text = "";

	for (const struct virt_daemon *d = answer->daemons; d; d = d->next)
		if (*d->why)
			text = cli_format(
				cli, "%s%s%s: %s", text, *text ? "; " : "", d->uri, d->why);
	return text;
}

bool virt_is_silent(const struct virt_daemon *daemon)
{
	return *daemon->why && !daemon->absent;
}

static const struct virt_daemon *find_silent(const struct virt_answer *answer)
{
	const struct virt_daemon *d = answer->daemons;

	while (d && !virt_is_silent(d))
		d = d->next;
	return d;
}

const struct virt_guest *virt_one(struct cli *cli, const char *name, unsigned wishes)
{
	struct virt_answer answer = virt_ask(cli, name, wishes);
	const struct virt_guest *guest = answer.guests;
	const struct virt_daemon *silent = find_silent(&answer);

	if (!answer.answered) {
		cli_error("cannot ask libvirt: %s", virt_why(cli, &answer));
	} else if (!guest) {
		const char *why = virt_why(cli, &answer);

		cli_error("libvirt knows no guest '%s'%s%s%s", name, *why ? " (" : "", why,
			*why ? ")" : "");
	} else if (guest->next) {
		cli_error("'%s' is a guest of %s and of %s: say which with -c", name, guest->uri,
			guest->next->uri);
		guest = NULL;
	} else if (silent) {
		cli_error("'%s' is a guest of %s, and may be one of %s, too (%s): say which with "
			  "-c",
			name, guest->uri, silent->uri, silent->why);
		guest = NULL;
	}
	return guest;
}
