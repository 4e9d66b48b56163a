/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virt-device.h: devices of a guest that runs, plugged and unplugged, and the XML that says which it has. */
#ifndef VP_CLI_VIRT_DEVICE_H
#define VP_CLI_VIRT_DEVICE_H

#include "virt.h"

/*
 * Plugs the device that XML describes into the running guest alone. 0; -EIO: libvirt refused, and
 * nothing is plugged; another -errno: it is not known whether libvirt still does it. Then why.
 */
int virt_plug(
	struct cli *cli, const struct virt_guest *guest, const char *xml, const char **ret_why);

/*
 * Asks the guest to let the device go. 0 when it was asked, which is not when it has; -EIO: libvirt
 * refused; another -errno.
 */
int virt_unplug(
	struct cli *cli, const struct virt_guest *guest, const char *xml, const char **ret_why);

/* The XML of the guest as it runs, "" when it does not; 0 or -errno and why. */
int virt_live_xml(struct cli *cli, const struct virt_guest *guest, const char **ret_xml,
	const char **ret_why);

#endif
