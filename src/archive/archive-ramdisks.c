/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ramdisks of a run, by what it asks, which a power loss spares. */
#include "archive-ramdisks.h"

#include "asked.h"
#include "bind.h"
#include "directives.h"

void archive_each_ramdisk(const struct vp_event *event, int run,
	void (*each)(const char *path, void *context), void *context)
{
	struct vp_source asked;
	const struct vp_element *where;

	(void)vp_asked_read(run, "ramdisk", &asked);
	for (struct vp_element *one = asked.directives; one; one = one->next) {
		if (vp_bind(&asked, one, vp_ramdisk.spec, event, &where) < 0)
			continue;
		for (const struct vp_element *dir = vp_child(one, "dir"); dir;
			dir = vp_next(dir, "dir"))
			each(dir->text, context);
	}
	vp_source_free(&asked);
}
