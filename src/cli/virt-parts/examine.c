/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's directives, checked as prepare checks them, but all of them. */
#include "examine.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bind.h"
#include "claims.h"
#include "custom.h"
#include "report.h"
#include "runs.h"
#include "suggest.h"
#include "text.h"

enum { MAX_NAMES = 32 };

struct examining {
	struct cli *cli;
	struct examined *examined;
	struct problem **last;
};

__attribute__((format(printf, 4, 5))) static struct problem *add(struct examining *x,
	const struct vp_element *directive, const struct vp_element *where, const char *format, ...)
{
	struct problem *problem = cli_alloc(x->cli, sizeof(*problem));
	char text[2048], path[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	problem->directive = directive;
	problem->where =
		where ? cli_format(x->cli, "%s", vp_element_path(where, path, sizeof(path))) : "";
	problem->text = cli_copy(x->cli, text, strlen(text));
	*x->last = problem;
	x->last = &problem->next;
	return problem;
}

/* What could not be read, -errno: a problem, or, when root alone may read it, no more than unknown. */
static void add_unread(struct examining *x, const struct vp_element *directive,
	const struct vp_element *where, int error, const char *why)
{
	bool hidden = cli_needs_root(error);

	add(x, directive, where, "%s%s", hidden ? "not checked, which needs root: " : "", why)
		->only_warns = hidden;
}

bool examine_is_good(const struct examined *examined, const struct vp_element *directive)
{
	for (const struct problem *p = examined->problems; p; p = p->next)
		if (p->directive == directive && !p->only_warns)
			return false;
	return directive->spec != NULL;
}

bool examine_has(const struct examined *examined, const char *name)
{
	const struct vp_element *d = examined->xml.source.directives;

	while (d && strcmp(d->name, name) != 0)
		d = d->next;
	return d != NULL;
}

bool examine_refuses(const struct examined *examined)
{
	for (const struct problem *p = examined->problems; p; p = p->next)
		if (!p->only_warns)
			return true;
	return false;
}

/* --- names ---------------------------------------------------------------------------------------------------- */

/* `; did you mean X?`, or which there are. NAMES is a list of structs that begin with a name. */
static const char *hint(struct examining *x, const char *word, const void *list, size_t stride,
	const char *opens, const char *closes)
{
	const char *const *name = list, *names[MAX_NAMES] = {NULL}, *near, *known = "";
	size_t n = 0;

	for (; name && *name && n < MAX_NAMES; name = (const void *)((const char *)name + stride))
		names[n++] = *name;
	near = suggest(word, names, n);
	if (near)
		return cli_format(x->cli, "; did you mean %s%s%s?", opens, near, closes);
	for (size_t i = 0; i < n; i++)
		known = cli_format(x->cli, "%s%s%s%s%s", known, i ? ", " : "; known are ", opens,
			names[i], closes);
	return n ? known : "; there are none";
}

static const struct vp_element_spec *child_spec(
	const struct vp_element_spec *specs, const char *name)
{
	for (; specs && specs->name; specs++)
		if (strcmp(specs->name, name) == 0)
			return specs;
	return NULL;
}

/* Every element and attribute that the table does not know; how many. */
static unsigned check_names(struct examining *x, const struct vp_element *directive,
	const struct vp_element *element, const struct vp_element_spec *spec)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < element->n_attrs; i++) {
		const struct vp_attr_spec *as = spec->attrs;

		while (as && as->name && strcmp(as->name, element->attrs[i].name) != 0)
			as++;
		if (as && as->name)
			continue;
		add(x, directive, element, "unknown attribute '%.100s'%s", element->attrs[i].name,
			hint(x, element->attrs[i].name, spec->attrs, sizeof(*as), "'", "'"));
		wrong++;
	}
	for (const struct vp_element *child = element->first_child; child; child = child->next) {
		const struct vp_element_spec *cs = child_spec(spec->children, child->name);

		if (cs) {
			wrong += check_names(x, directive, child, cs);
			continue;
		}
		add(x, directive, element, "unknown element <%.100s>%s", child->name,
			hint(x, child->name, spec->children, sizeof(*cs), "<", ">"));
		wrong++;
	}
	return wrong;
}

static void check_unknown(struct examining *x, const struct vp_element *directive)
{
	const char *names[MAX_NAMES], *near;
	const char *vendor_dir = x->cli->conf.vendor_dir;
	bool elsewhere = guest_is_elsewhere(x->examined->guest);
	size_t n = 0;
	int r = !elsewhere && vp_is_file_name(directive->name)
			? vp_part_is_installed(&x->examined->event, vendor_dir, directive->name)
			: 0;

	if (r > 0)
		return;
	for (; n < MAX_NAMES && vp_directives[n]; n++)
		names[n] = vp_directives[n]->spec->name;
	near = suggest(directive->name, names, n);
	if (r < 0)
		add_unread(x, directive, directive, r,
			cli_format(x->cli, "cannot tell whether there is a part NN-%s: %s",
				directive->name, strerror(-r)));
	else if (near)
		add(x, directive, directive, "unknown directive; did you mean <%s>?", near)
			->only_warns = elsewhere;
	else if (!elsewhere)
		add(x, directive, directive,
			"unknown directive: it is none of ramdisk, preload, archive, post-rm-rf, "
			"and no part NN-%s would run for this guest",
			directive->name);
}

/* --- values and paths ----------------------------------------------------------------------------------------- */

static bool is_claimed(enum vp_access access)
{
	return access == VP_WRITE || access == VP_DELETE || access == VP_ISO;
}

static void collect_claims(struct examining *x, const struct vp_element *element)
{
	const struct vp_attr_spec *as = element->spec->attrs;
	struct examined *e = x->examined;

	if (is_claimed(element->spec->access))
		e->claims = cli_format(x->cli, "%s%s\n", e->claims, element->text);
	for (; as && as->name; as++) {
		const char *path = vp_attr_text(element, as->name, NULL);

		if (path && is_claimed(as->access))
			e->claims = cli_format(x->cli, "%s%s\n", e->claims, path);
	}
	for (const struct vp_element *child = element->first_child; child; child = child->next)
		collect_claims(x, child);
}

static void check_directive(struct examining *x, struct vp_element *element)
{
	const struct vp_directive *directive = vp_directive_find(element->name);
	struct examined *e = x->examined;
	struct vp_checking checking = {
		.event = &e->event,
		.policy = &e->policy,
		.directives = e->xml.source.directives,
		.filesystems = e->xml.filesystems,
	};
	int r;

	if (!directive) {
		check_unknown(x, element);
		return;
	}
	if (check_names(x, element, element, directive->spec))
		return;
	r = vp_bind(&e->xml.source, element, directive->spec, &e->event, &checking.where);
	if (r < 0) {
		add(x, element, checking.where, "%s",
			r == -EINVAL ? e->xml.source.why : strerror(-r));
		return;
	}
	/* without a policy every path would be a problem of its own */
	if (!e->policy.conf.valid)
		return;
	r = vp_directive_check(&checking, directive, element);
	if (r < 0)
		add(x, element, checking.where, "%s", checking.why);
	if (directive->claims)
		collect_claims(x, element);
}

/* What prepare reads must be there; what release reads may come with the guest. */
static void check_sources(
	struct examining *x, const struct vp_element *directive, const struct vp_element *element)
{
	struct vp_policy *policy = &x->examined->policy;
	bool now = strcmp(directive->name, "archive") != 0;

	if (!strcmp(element->name, "src") && element->spec && element->spec->access == VP_READ) {
		int fd = vp_policy_open_dir(policy, VP_READ, element->text);

		if (fd >= 0)
			close(fd);
		else if (now || fd != -ENOENT)
			add_unread(x, directive, element, fd,
				cli_format(x->cli, "%s%s", policy->why,
					fd == -ENOENT ? "; make it, or name another directory"
						      : ""));
		else
			add(x, directive, element,
				"'%s' is not there yet; the archive fails if it is still missing "
				"at release",
				element->text)
				->only_warns = true;
	}
	for (const struct vp_element *child = element->first_child; child; child = child->next)
		check_sources(x, directive, child);
}

static void check_whole(struct examining *x)
{
	struct examined *e = x->examined;

	for (const struct vp_element *d = e->xml.source.directives; d; d = d->next) {
		struct vp_checking checking = {.directives = e->xml.source.directives};

		if (!examine_is_good(e, d) || !e->policy.conf.valid)
			continue;
		if (!strcmp(d->name, "archive") && vp_check_archives_survive(&checking, d) < 0)
			add(x, d, checking.where, "%s", checking.why);
		check_sources(x, d, d);
	}
}

static int compare_claims(struct examining *x, const char *name, char *why, size_t size)
{
	const struct examined *e = x->examined;

	return vp_claims_check(
		x->cli->conf.state_dir, e->event.driver, e->event.uuid, name, e->claims, why, size);
}

/* Prepare finishes the run of a guest that is gone and had this one's name, before it looks. */
static void check_claims(struct examining *x)
{
	const struct vp_event *event = &x->examined->event;
	const struct run *gone;
	char why[1024];
	int r = compare_claims(x, NULL, why, sizeof(why));

	if (r < 0 && r != -EBUSY)
		add_unread(x, NULL, NULL, r, why);
	if (r != -EBUSY)
		return;
	if (compare_claims(x, event->domain, why, sizeof(why)) == -EBUSY) {
		add(x, NULL, NULL, "%s", why);
		return;
	}
	gone = runs_namesake(x->cli, event->driver, event->domain, event->uuid);
	add(x, NULL, NULL,
		"a guest of this name that is gone has left a run that claims the same paths: the "
		"start finishes that first, or is refused; see 'virt-parts status%s%s'",
		gone ? " " : "", gone ? gone->uuid : "")
		->only_warns = true;
}

static void check_name(struct examining *x)
{
	static const char blanks[] = " \t";
	const char *name = x->examined->event.domain;

	if (!vp_is_file_name(name))
		add(x, NULL, NULL,
			"a guest of that name cannot have directives: it leads elsewhere in a "
			"path");
	else if (strchr(blanks, name[0]) || strchr(blanks, name[strlen(name) - 1]))
		add(x, NULL, NULL,
			"a guest whose name begins or ends with a blank cannot have directives: a "
			"path with its name could be another guest's; rename it");
}

void examine(struct cli *cli, struct guest *guest, struct vp_event event, struct examined *ret)
{
	struct examining x = {.cli = cli, .examined = ret, .last = &ret->problems};
	int fd = guest_xml_fd(guest), r;

	*ret = (struct examined){.guest = guest, .event = event, .claims = ""};
	r = fd < 0 ? fd : vp_xml_read(fd, &ret->xml);
	if (fd >= 0)
		close(fd);
	if (r < 0) {
		add(&x, NULL, NULL, "cannot read the guest's XML: %s",
			ret->xml.source.why[0] ? ret->xml.source.why : strerror(-r));
		return;
	}
	if (!ret->xml.source.directives)
		return;
	check_name(&x);
	r = guest_is_elsewhere(guest) ? 0 : vp_policy_load(&ret->event, &ret->policy);
	if (r < 0)
		add_unread(&x, NULL, NULL, r, ret->policy.why);
	for (struct vp_element *d = ret->xml.source.directives; d; d = d->next)
		check_directive(&x, d);
	check_whole(&x);
	if (*ret->claims && !guest->no_uuid)
		check_claims(&x);
}

void examine_free(struct examined *examined)
{
	vp_policy_free(&examined->policy);
	vp_source_free(&examined->xml.source);
}
