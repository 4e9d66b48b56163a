/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virt-parts: the first part of prepare. It refuses a guest whose directives cannot be honoured,
 * before anything is done for it, and records what they ask for the parts of the whole run.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bind.h"
#include "claims.h"
#include "custom.h"
#include "directives.h"
#include "dispatch/ops.h"
#include "event.h"
#include "record.h"
#include "text.h"

/* The directives of one name, in the form of the record. */
struct asked {
	struct asked *next;
	const char *name;
	char *text;
	size_t length;
};

/* All that prepare looks at and makes. */
struct preparing {
	struct vp_event event;
	struct vp_xml xml;
	struct vp_policy policy;
	struct asked *asked;
	char *claims;
	size_t claims_length;
};

static void preparing_free(struct preparing *p)
{
	while (p->asked) {
		struct asked *asked = p->asked;

		p->asked = asked->next;
		free(asked->text);
		free(asked);
	}
	free(p->claims);
	vp_policy_free(&p->policy);
	vp_source_free(&p->xml.source);
}

static int fail(struct preparing *p, const struct vp_element *where, const char *what, int error)
{
	vp_error(&p->event, where, "cannot %s: %s", what, strerror(-error));
	return error;
}

static int add_claim(struct preparing *p, const char *path)
{
	size_t length = strlen(path);
	char *claims = realloc(p->claims, p->claims_length + length + 2);

	if (!claims)
		return -ENOMEM;
	memcpy(claims + p->claims_length, path, length);
	p->claims = claims;
	p->claims_length += length + 1;
	claims[p->claims_length - 1] = '\n';
	claims[p->claims_length] = '\0';
	return 0;
}

static bool is_claimed(enum vp_access access)
{
	return access == VP_WRITE || access == VP_DELETE || access == VP_ISO;
}

static int collect_claims(struct preparing *p, const struct vp_element *element)
{
	const struct vp_attr_spec *as = element->spec->attrs;
	int r = is_claimed(element->spec->access) ? add_claim(p, element->text) : 0;

	for (; r == 0 && as && as->name; as++) {
		const char *path = vp_attr_text(element, as->name, NULL);

		if (path && is_claimed(as->access))
			r = add_claim(p, path);
	}
	for (const struct vp_element *child = element->first_child; r == 0 && child;
		child = child->next)
		r = collect_claims(p, child);
	return r;
}

static struct asked *asked_of(struct preparing *p, const char *name)
{
	struct asked *asked = p->asked;

	while (asked && strcmp(asked->name, name) != 0)
		asked = asked->next;
	if (asked)
		return asked;
	asked = calloc(1, sizeof(*asked));
	if (asked) {
		asked->name = name;
		asked->next = p->asked;
		p->asked = asked;
	}
	return asked;
}

/* The text of the record is made from what the XML says, so before it is bound. */
static int record_asked(struct preparing *p, struct vp_element *directive)
{
	struct asked *asked = asked_of(p, directive->name);

	return asked ? vp_directive_record(
			       &p->xml.source, directive, &p->event, &asked->text, &asked->length)
		     : -ENOMEM;
}

static bool is_known_event(const char *name)
{
	for (const struct op *op = NULL; (op = op_each(EVENT_GUEST, op));) {
		size_t length = strlen(op->name);

		if (!strncmp(name, op->name, length) && name[length] == '_' &&
			!strcmp(name + length + 1, op->subop))
			return true;
	}
	return false;
}

static int take_custom(struct preparing *p, struct vp_element *directive)
{
	char unknown[NAME_MAX + 1] = "";
	int r = vp_is_file_name(directive->name)
			? vp_part_find(&p->event, p->policy.conf.vendor_dir, directive->name,
				  is_known_event, unknown)
			: 0;

	if (r == 0) {
		vp_error(&p->event, directive,
			"unknown directive: it is none of ramdisk, preload, archive, post-rm-rf, "
			"and no part NN-%s would run for this guest",
			directive->name);
		return -EINVAL;
	}
	if (*unknown)
		vp_error(&p->event, directive,
			"warning: NN-%s is a part of '%s.d' alone, an event that virt-parts does "
			"not know: where libvirt has none of that name it never runs; see "
			"'virt-parts doctor'",
			directive->name, unknown);
	if (r > 0)
		r = record_asked(p, directive);
	return r < 0 ? fail(p, directive, "record the directive", r) : 0;
}

static int take_directive(struct preparing *p, struct vp_element *element)
{
	const struct vp_directive *directive = vp_directive_find(element->name);
	struct vp_checking checking = {.event = &p->event,
		.policy = &p->policy,
		.directives = p->xml.source.directives,
		.filesystems = p->xml.filesystems};
	int r;

	if (!directive)
		return take_custom(p, element);
	/* what is wrong with a date is said by vp_bind */
	r = record_asked(p, element);
	if (r < 0 && r != -EINVAL)
		return fail(p, element, "record the directive", r);
	r = vp_bind(&p->xml.source, element, directive->spec, &p->event, &checking.where);
	if (r < 0) {
		vp_error(&p->event, checking.where, "%s",
			r == -EINVAL ? p->xml.source.why : strerror(-r));
		return r;
	}
	r = vp_directive_check(&checking, directive, element);
	if (r < 0) {
		vp_error(&p->event, checking.where, "%s", checking.why);
		return r;
	}
	r = directive->claims ? collect_claims(p, element) : 0;
	return r < 0 ? fail(p, element, "record its paths", r) : 0;
}

/*
 * What is read at prepare must be there now; what is read at release is only said to be missing,
 * since the guest may make it.
 */
static int check_source(struct preparing *p, const struct vp_element *src, bool now)
{
	int fd = vp_policy_open_dir(&p->policy, VP_READ, src->text);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (!now && fd == -ENOENT) {
		vp_note(&p->event, src,
			"'%s' is not there yet; the archive fails if it is still missing at "
			"release",
			src->text);
		return 0;
	}
	vp_error(&p->event, src, "%s%s", p->policy.why,
		fd == -ENOENT ? "; make it, or name another directory" : "");
	return fd;
}

static int check_sources(struct preparing *p, const struct vp_element *element, bool now)
{
	int r = 0;

	if (element->spec && !strcmp(element->name, "src") && element->spec->access == VP_READ)
		r = check_source(p, element, now);
	for (const struct vp_element *child = element->first_child; r == 0 && child;
		child = child->next)
		r = check_sources(p, child, now);
	return r;
}

static int check_archives_survive(struct preparing *p, const struct vp_element *archive)
{
	struct vp_checking checking = {.directives = p->xml.source.directives};
	int r = vp_check_archives_survive(&checking, archive);

	if (r < 0)
		vp_error(&p->event, checking.where, "%s", checking.why);
	return r;
}

static int check_directives(struct preparing *p)
{
	struct vp_element *d;
	int r = 0;

	for (d = p->xml.source.directives; r == 0 && d; d = d->next)
		r = take_directive(p, d);
	for (d = p->xml.source.directives; r == 0 && d; d = d->next) {
		bool archive = strcmp(d->name, "archive") == 0;

		r = archive ? check_archives_survive(p, d) : 0;
		if (r == 0)
			r = check_sources(p, d, !archive);
	}
	return r;
}

static int fill_xml(int run)
{
	off_t length = lseek(STDIN_FILENO, 0, SEEK_END);
	char *text = length < 0 ? NULL : malloc((size_t)length + 1);
	ssize_t n = text ? pread(STDIN_FILENO, text, (size_t)length, 0) : -1;
	int r = n < 0 ? -errno : n < length ? -EIO : 0;

	if (r == 0)
		r = vp_record_fill(run, "domain.xml", text, (size_t)length);
	free(text);
	return r;
}

/* The sources of the guest's <filesystem>s, which release must not remove. */
static int fill_filesystems(struct preparing *p, int run)
{
	size_t length = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &length);
	int r = 0;

	if (!out)
		return -ENOMEM;
	for (const struct vp_filesystem *fs = p->xml.filesystems; fs; fs = fs->next)
		if (*fs->source && !strchr(fs->source, '\n'))
			fprintf(out, "%s\n", fs->source);
	r = fclose(out) == 0 ? vp_record_fill(run, "filesystems", text, length) : -ENOMEM;
	free(text);
	return r;
}

/* 1, 0; or -errno: nobody knows whether the event came that the mark is of. */
static int look_up(const struct preparing *p, const char *mark)
{
	return vp_mark_look_up(p->policy.conf.run_dir, p->event.driver, p->event.uuid, mark);
}

static int begin_of(const struct preparing *p, enum vp_begin *ret)
{
	int restored = look_up(p, "restored"),
	    incoming = p->policy.conf.shared_storage ? look_up(p, "incoming") : 0;

	*ret = restored > 0 ? VP_BEGIN_RESTORED : incoming > 0 ? VP_BEGIN_INCOMING : VP_BEGIN_NEW;
	return restored < 0 ? restored : incoming < 0 ? incoming : 0;
}

static int fill_run(struct preparing *p, int run)
{
	struct vp_run value = {.turn = 1, .time = p->event.time};
	char name[300];
	int r;

	if (strlen(p->event.domain) >= sizeof(value.name))
		return -ENAMETOOLONG;
	strcpy(value.name, p->event.domain);
	r = begin_of(p, &value.begin);
	if (r == 0)
		r = vp_boot_id(value.boot_id);
	for (const struct asked *a = p->asked; r == 0 && a; a = a->next) {
		snprintf(name, sizeof(name), "asked/%s", a->name);
		r = vp_record_fill(run, name, a->text, a->length);
		if (r == 0 && !strcmp(a->name, vp_preload.spec->name))
			r = vp_record_fill(run, VP_PRELOADING, "", 0);
	}
	if (r == 0)
		r = vp_record_fill(run, "claims", p->claims ? p->claims : "", p->claims_length);
	if (r == 0)
		r = fill_filesystems(p, run);
	if (r == 0)
		r = fill_xml(run);
	return r < 0 ? r : vp_record_fill_run(run, &value);
}

static int begin_run(struct preparing *p)
{
	const char *state_dir = p->policy.conf.state_dir;
	const struct vp_event *event = &p->event;
	char why[1024];
	int lock = vp_claims_lock(state_dir), run, r;

	if (lock < 0)
		return fail(p, NULL, "lock the claims of runs", lock);
	r = vp_claims_check(state_dir, event->driver, event->uuid, NULL, p->claims ? p->claims : "",
		why, sizeof(why));
	if (r < 0) {
		vp_error(event, NULL, "%s", why);
	} else if ((run = vp_record_new(state_dir, event->driver, event->uuid)) < 0) {
		r = fail(p, NULL, "make the run's record", run);
	} else {
		r = fill_run(p, run);
		close(run);
		if (r == 0)
			r = vp_record_begin(state_dir, event->driver, event->uuid);
		if (r < 0)
			fail(p, NULL, "write the run's record", r);
	}
	close(lock);
	return r;
}

/* The run goes on; unfinished, it may be with what the admin has changed since. */
static void tell_old(struct preparing *p, int run)
{
	const struct vp_event *event = &p->event;
	char *names = NULL;
	struct vp_run info;
	int r = vp_record_read_run(run, &info);

	vp_note(event, NULL, "the run goes on with the directives that it began with");
	if (r == 0 && (info.begin == VP_BEGIN_RESTORED || info.begin == VP_BEGIN_REVERTED))
		return;
	if (r == 0)
		r = vp_directives_differ(run, &p->xml.source, event, &names);
	if (r < 0)
		vp_note(event, NULL, "cannot tell whether the XML asks for others: %s",
			strerror(-r));
	else if (*names)
		vp_error(event, NULL,
			"warning: what the guest's XML says now of %s does not count until its "
			"unfinished run is finished or discarded; when the guest has ended, see "
			"'virt-parts resolve'",
			names);
	free(names);
}

static int prepare(struct preparing *p)
{
	struct vp_event *event = &p->event;
	int r = vp_xml_read(STDIN_FILENO, &p->xml), run;
	const char *why;

	if (r < 0) {
		vp_error(event, NULL, "cannot read the guest's XML: %s",
			p->xml.source.why[0] ? p->xml.source.why : strerror(-r));
		return r;
	}
	if (!p->xml.source.directives) {
		/* nothing to refuse: whatever is wrong with a run that goes on, the guest asks for nothing now */
		run = open(event->state_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (run >= 0) {
			tell_old(p, run);
			close(run);
		}
		return 0;
	}
	r = vp_check_guest_name(event->domain, &why);
	if (r < 0) {
		vp_error(event, NULL, "%s", why);
		return r;
	}
	if (!vp_is_uuid(event->uuid)) {
		vp_error(event, NULL, "the guest's XML has no <uuid>, which directives need");
		return -EINVAL;
	}
	r = vp_policy_load(event, &p->policy);
	if (r < 0) {
		vp_error(event, NULL, "%s", p->policy.why);
		return r;
	}
	run = vp_record_open(p->policy.conf.state_dir, event->driver, event->uuid);
	if (run >= 0) {
		tell_old(p, run);
		close(run);
		return 0;
	}
	if (run != -ENOENT)
		return fail(p, NULL, "open the record of its run", run);
	r = check_directives(p);
	return r < 0 ? r : begin_run(p);
}

static int check_well_formed(void)
{
	char why[512] = "";
	int r = vp_xml_check(STDIN_FILENO, why, sizeof(why));

	if (r < 0)
		fprintf(stderr, "virt-parts: %s\n", why[0] ? why : strerror(-r));
	return r < 0 ? 1 : 0;
}

static int print_help(void)
{
	puts("virt-parts: checks a guest's directives and records its run\n\n"
	     "A part for libvirt's hooks, run by virt-parts-hook at prepare begin.\n"
	     "By hand: virt-parts --well-formed <XML: exit 0 if it is well-formed, without "
	     "DOCTYPE.");
	return fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct preparing p = {0};
	int r;

	if (!vp_event_is_hook() && argc == 2 && !strcmp(argv[1], "--well-formed"))
		return check_well_formed();
	if (!vp_event_is_hook() && argc == 2 && !strcmp(argv[1], "--help"))
		return print_help();
	if (vp_event_get("virt-parts", argc, argv, &p.event) < 0) {
		fprintf(stderr, "virt-parts: needs DOMAIN OP SUBOP EXTRA, see '%s --help'\n",
			argv[0]);
		return 2;
	}
	if (strcmp(p.event.op, "prepare") != 0 || strcmp(p.event.subop, "begin") != 0)
		return 0;
	r = prepare(&p);
	preparing_free(&p);
	return r < 0 ? 1 : 0;
}
