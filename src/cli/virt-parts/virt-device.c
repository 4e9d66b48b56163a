/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices of a guest that runs, plugged and unplugged, and the XML that says which it has. */
#include "virt-device.h"

#include <stdlib.h>

#include "virt-call.h"

static virDomainPtr open_guest(const struct virt_request *request, bool change)
{
	virConnectPtr connection;

	virSetErrorFunc(NULL, virt_say_nothing);
	connection = change ? virConnectOpen(request->uri) : virConnectOpenReadOnly(request->uri);
	return connection ? virDomainLookupByUUIDString(connection, request->name) : NULL;
}

static int plug(void *data, FILE *answer)
{
	const struct virt_request *request = data;
	virDomainPtr domain = open_guest(request, true);

	if (!domain ||
		virDomainAttachDeviceFlags(domain, request->device, VIR_DOMAIN_AFFECT_LIVE) < 0)
		return virt_fail(answer);
	return 0;
}

static int unplug(void *data, FILE *answer)
{
	const struct virt_request *request = data;
	virDomainPtr domain = open_guest(request, true);

	if (!domain ||
		virDomainDetachDeviceFlags(domain, request->device, VIR_DOMAIN_AFFECT_LIVE) < 0)
		return virt_fail(answer);
	return 0;
}

/* A transient guest that has ended is not known any more: it does not run. */
static int live_xml(void *data, FILE *answer)
{
	virDomainPtr domain = open_guest(data, false);
	int active = domain ? virDomainIsActive(domain) : -1;
	char *xml;

	if (active < 0)
		return virGetLastErrorCode() == VIR_ERR_NO_DOMAIN ? 0 : virt_fail(answer);
	if (!active)
		return 0;
	xml = virDomainGetXMLDesc(domain, 0);
	if (!xml)
		return virt_fail(answer);
	virt_put(answer, xml);
	free(xml);
	return 0;
}

int virt_plug(
	struct cli *cli, const struct virt_guest *guest, const char *xml, const char **ret_why)
{
	struct virt_request request = {.uri = guest->uri, .name = guest->uuid, .device = xml};

	return virt_call(cli, plug, &request, ret_why);
}

int virt_unplug(
	struct cli *cli, const struct virt_guest *guest, const char *xml, const char **ret_why)
{
	struct virt_request request = {.uri = guest->uri, .name = guest->uuid, .device = xml};

	return virt_call(cli, unplug, &request, ret_why);
}

int virt_live_xml(
	struct cli *cli, const struct virt_guest *guest, const char **ret_xml, const char **ret_why)
{
	struct virt_request request = {.uri = guest->uri, .name = guest->uuid};
	const char *text;
	int r = virt_call(cli, live_xml, &request, &text);

	*(r == 0 ? ret_xml : ret_why) = text;
	return r;
}
