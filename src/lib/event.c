/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event that a part is run for. */
#include "event.h"

#include <errno.h>
#include <stdlib.h>

#include "text.h"

static const char *variable(const char *name, const char *fallback)
{
	const char *value = getenv(name);

	return value ? value : fallback;
}

bool vp_event_is_hook(void)
{
	return getenv("VIRT_PARTS_OP") != NULL;
}

int vp_event_get(const char *part, int argc, char **argv, struct vp_event *ret)
{
	bool hook = vp_event_is_hook();
	uint64_t now;

	if (argc != 5)
		return -EINVAL;
	*ret = (struct vp_event){
		.driver = variable("VIRT_PARTS_DRIVER", "qemu"),
		.domain = hook ? variable("VIRT_PARTS_DOMAIN", argv[1]) : argv[1],
		.uuid = variable("VIRT_PARTS_UUID", ""),
		.op = hook ? variable("VIRT_PARTS_OP", argv[2]) : argv[2],
		.subop = hook ? variable("VIRT_PARTS_SUBOP", argv[3]) : argv[3],
		.extra = hook ? variable("VIRT_PARTS_EXTRA", argv[4]) : argv[4],
		.reason = variable("VIRT_PARTS_REASON", ""),
		.failed = variable("VIRT_PARTS_FAILED", ""),
		.state_dir = variable("VIRT_PARTS_STATE_DIR", ""),
		.hook_dir = variable("VIRT_PARTS_HOOK_DIR", VP_HOOK_DIR),
		.part = part,
	};
	if (vp_parse_number(variable("VIRT_PARTS_EVENT_TIME", ""), &now) == 0)
		ret->time = (time_t)now;
	else
		ret->time = time(NULL);
	return 0;
}
