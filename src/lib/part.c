/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The frame of a part: event, directives, checks, and the function of the event. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bind.h"
#include "element.h"
#include "event.h"
#include "policy.h"
#include "text.h"

static void print_values(const struct vp_element_spec *spec, int level)
{
	printf("  %*s<%s>\n", level * 2, "", spec->name);
	for (const struct vp_attr_spec *as = spec->attrs; as && as->name; as++)
		printf("  %*s  %s%s\n", level * 2, "", as->name, as->required ? " (required)" : "");
	for (const struct vp_element_spec *cs = spec->children; cs && cs->name; cs++)
		print_values(cs, level + 1);
}

static int print_help(const struct vp_part *part)
{
	printf("%s: %s\n\nA part for libvirt's hooks, run by virt-parts-hook. By hand:\n"
	       "  [VIRT_PARTS_DRIVER=qemu] %s DOMAIN OP SUBOP EXTRA <domain.xml\n\nAt:\n",
		part->name, part->summary, part->name);
	for (const struct vp_handler *h = part->handlers; h->op; h++)
		printf("  %s %s\n", h->op, h->subop);
	printf("\nIts directive in the guest's <metadata>, in <virt-parts "
	       "xmlns=\"urn:virt-parts:1\">:\n");
	print_values(part->directive, 0);
	return fflush(stdout) == 0 ? 0 : 1;
}

/* Which failures end the event at once: the table of ops says the same of whole parts. */
static bool is_teardown(const struct vp_event *event)
{
	return !strcmp(event->op, "stopped") || !strcmp(event->op, "release") ||
	       !strcmp(event->op, "detach");
}

/*
 * What a part sets up must be allowed before any of it is done. At teardown each part decides: what
 * was done is undone whatever the policy says today.
 */
static int check_policy(const struct vp_part *part, const struct vp_event *event,
	const struct vp_element *directive)
{
	const struct vp_element *where = NULL;
	struct vp_policy policy;
	int r;

	if (!directive || is_teardown(event) || !vp_policy_is_needed(part->directive))
		return 0;
	r = vp_policy_load(event, &policy);
	for (; r == 0 && directive; directive = directive->next)
		r = vp_policy_allows_element(&policy, directive, &where);
	if (r < 0)
		vp_error(event, where, "%s", policy.why);
	vp_policy_free(&policy);
	return r;
}

static int act(const struct vp_part *part, const struct vp_handler *handler,
	const struct vp_event *event, struct vp_source *source)
{
	const struct vp_element *where = NULL;
	int status = 0, r;

	for (struct vp_element *d = source->directives; d; d = d->next) {
		r = vp_bind(source, d, part->directive, event, &where);
		if (r < 0) {
			vp_error(event, where, "%s", r == -EINVAL ? source->why : strerror(-r));
			return 1;
		}
	}
	if (check_policy(part, event, source->directives) < 0)
		return 1;
	for (const struct vp_element *d = source->directives; d; d = d->next) {
		if (handler->each(event, d) != 0)
			status = 1;
		if (status && !is_teardown(event))
			break;
	}
	return status;
}

int vp_part_main(const struct vp_part *part, int argc, char **argv)
{
	const struct vp_handler *handler = part->handlers;
	struct vp_source source = {0};
	struct vp_event event;
	int r;

	/* a guest may be called --help: options are for calls by hand only */
	if (!vp_event_is_hook() && argc == 2 && !strcmp(argv[1], "--help"))
		return print_help(part);
	r = vp_event_get(part->name, argc, argv, &event);
	if (r < 0) {
		fprintf(stderr, "%s: needs DOMAIN OP SUBOP EXTRA, see '%s --help'\n", part->name,
			argv[0]);
		return 2;
	}
	while (handler->op &&
		(strcmp(handler->op, event.op) || strcmp(handler->subop, event.subop)))
		handler++;
	if (!handler->op)
		return 0;
	r = part->read(&event, part->name, &source);
	if (r < 0)
		vp_error(&event, NULL, "%s", source.why[0] ? source.why : strerror(-r));
	r = r < 0 ? 1 : act(part, handler, &event, &source);
	vp_source_free(&source);
	return r;
}
