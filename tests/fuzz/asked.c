/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A damaged record: whatever is in asked/NAME is read, or refused. */

#include "asked.h"
#include "bind.h"
#include "directives.h"
#include "fuzz.h"

static const struct vp_event event = {
	.driver = "qemu",
	.domain = "web1",
	.uuid = "5d0b2d3c-9a6e-4b0e-8f0e-000000000001",
	.op = "",
	.subop = "",
	.extra = "",
	.reason = "",
	.failed = "",
	.state_dir = "",
	.hook_dir = "",
	.time = 1700000000,
	.part = "fuzz",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct vp_element *where;
	struct vp_source source;

	if (vp_asked_read(fuzz_record(data, size), "x", &source) == 0) {
		for (struct vp_element *d = source.directives; d; d = d->next) {
			const struct vp_directive *directive = vp_directive_find(d->name);

			if (directive)
				vp_bind(&source, d, directive->spec, &event, &where);
		}
	} else {
		HOLDS(source.why[0]);
	}
	vp_source_free(&source);
	return 0;
}
