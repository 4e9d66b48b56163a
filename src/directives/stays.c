/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a release leaves something as it is. The parts act by this, and what explains them says it. */
#include <string.h>

#include "directives.h"

const char *vp_ramdisk_stays(const struct vp_event *event)
{
	if (*event->failed)
		return "a part failed before";
	return vp_reason_is_pause(event->reason) ? "the guest was saved and knows what is in it"
						 : NULL;
}

const char *vp_iso_stays(const struct vp_event *event, enum vp_begin begin)
{
	/* the run stays unfinished: the guest may start again before it is finished, and uses it */
	if (*event->failed)
		return "a part failed before";
	if (vp_reason_is_pause(event->reason))
		return "the guest was saved and has it open";
	if (!strcmp(event->reason, "migrated") || begin == VP_BEGIN_INCOMING)
		return "another host may use it";
	return NULL;
}

const char *vp_post_rm_rf_stays(
	const struct vp_event *event, const struct vp_element *directive, enum vp_begin begin)
{
	if (*event->failed)
		return "a part failed before";
	/* it lives on: whatever `when` says */
	if (vp_reason_is_pause(event->reason) || !strcmp(event->reason, "migrated"))
		return "the guest lives on";
	if (!vp_reason_matches(
		    vp_attr_text(directive, "when", NULL), VP_POST_RM_RF_WHEN, event->reason))
		return "the guest did not end with a reason that it is deleted at";
	/* an aborted migration looks like the guest's end here, while it runs on at the source */
	if (begin == VP_BEGIN_INCOMING)
		return "the guest came by migration and may still run elsewhere";
	return NULL;
}
