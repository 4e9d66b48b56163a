/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's XML: read, bound, written to a record, read from there and bound again, which must give the same. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "asked.h"
#include "bind.h"
#include "directives.h"
#include "fuzz.h"
#include "xml.h"

static const struct vp_event event = {
	.driver = "qemu",
	.domain = "web%DATE%1",
	.uuid = "5d0b2d3c-9a6e-4b0e-8f0e-000000000001",
	.op = "prepare",
	.subop = "begin",
	.extra = "-",
	.reason = "",
	.failed = "",
	.state_dir = "",
	.hook_dir = "",
	.time = 1700000000,
	.part = "fuzz",
};

static void same(const struct vp_element *a, const struct vp_element *b)
{
	const struct vp_element *x = a->first_child, *y = b->first_child;

	HOLDS(!strcmp(a->name, b->name) && !strcmp(a->text, b->text) && a->number == b->number &&
		a->n_attrs == b->n_attrs);
	for (size_t i = 0; i < a->n_attrs; i++)
		HOLDS(!strcmp(a->attrs[i].name, b->attrs[i].name) &&
			!strcmp(a->attrs[i].text, b->attrs[i].text) &&
			a->attrs[i].number == b->attrs[i].number);
	for (; x && y; x = x->next, y = y->next)
		same(x, y);
	HOLDS(!x && !y);
}

static void check(struct vp_source *source, struct vp_element *element)
{
	const struct vp_directive *directive = vp_directive_find(element->name);
	const struct vp_element *where = NULL;
	struct vp_source again = {0};
	struct vp_tokens tokens;
	char *text = NULL;
	size_t length = 0;
	int bound;

	if (!directive)
		return;
	if (vp_tokens_of(source, element, vp_spec_has_dates(directive->spec), event.domain,
		    event.uuid, event.time, &tokens) < 0)
		return;
	HOLDS(vp_asked_add(source, element, &tokens, &text, &length) == 0);
	bound = vp_bind(source, element, directive->spec, &event, &where);
	HOLDS(bound == 0 || (bound == -EINVAL && source->why[0]));
	if (bound == 0) {
		HOLDS(vp_asked_read(fuzz_record(text, length), "x", &again) == 0);
		HOLDS(again.directives && !again.directives->next);
		HOLDS(vp_bind(&again, again.directives, directive->spec, &event, &where) == 0);
		same(element, again.directives);
		vp_source_free(&again);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vp_xml xml;
	char why[512];
	int fd = memfd_create("xml", MFD_CLOEXEC), r;

	HOLDS(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	lseek(fd, 0, SEEK_SET);
	r = vp_xml_read(fd, &xml);
	HOLDS(r == 0 || (r == -EINVAL && xml.source.why[0]));
	for (struct vp_element *d = r == 0 ? xml.source.directives : NULL; d; d = d->next)
		check(&xml.source, d);
	vp_source_free(&xml.source);
	lseek(fd, 0, SEEK_SET);
	HOLDS(r < 0 || vp_xml_check(fd, why, sizeof(why)) == 0);
	close(fd);
	return 0;
}
