/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virt-parts element of a guest's metadata, read and changed. */
#include <errno.h>
#include <stdlib.h>

#include "virt-call.h"

#define KEY "vp"

static unsigned flags_of(unsigned where)
{
	return (where & VIRT_LIVE ? VIR_DOMAIN_AFFECT_LIVE : 0) |
	       (where & VIRT_CONFIG ? VIR_DOMAIN_AFFECT_CONFIG : 0);
}

static int get_metadata(void *data, FILE *answer)
{
	const struct virt_request *request = data;
	virConnectPtr connection;
	virDomainPtr domain = NULL;
	char *xml;

	virSetErrorFunc(NULL, virt_say_nothing);
	connection = virConnectOpenReadOnly(request->uri);
	if (connection)
		domain = virDomainLookupByUUIDString(connection, request->name);
	if (!domain)
		return virt_fail(answer);
	xml = virDomainGetMetadata(
		domain, VIR_DOMAIN_METADATA_ELEMENT, VIRT_NAMESPACE, flags_of(request->where));
	if (!xml && virGetLastErrorCode() != VIR_ERR_NO_DOMAIN_METADATA)
		return virt_fail(answer);
	virt_put(answer, xml);
	free(xml);
	return 0;
}

static int set_metadata(void *data, FILE *answer)
{
	const struct virt_request *request = data;
	virConnectPtr connection;
	virDomainPtr domain = NULL;

	virSetErrorFunc(NULL, virt_say_nothing);
	connection = virConnectOpen(request->uri);
	if (connection)
		domain = virDomainLookupByUUIDString(connection, request->name);
	if (!domain || virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, request->metadata,
			       KEY, VIRT_NAMESPACE, flags_of(request->where)) < 0)
		return virt_fail(answer);
	return 0;
}

const char *virt_metadata(struct cli *cli, const struct virt_guest *guest, enum virt_where where,
	const char **ret_why)
{
	struct virt_request request = {.uri = guest->uri, .name = guest->uuid, .where = where};
	const char *text;

	*ret_why = "";
	if (virt_call(cli, get_metadata, &request, &text) == 0)
		return *text ? text : NULL;
	*ret_why = text;
	return NULL;
}

int virt_set_metadata(struct cli *cli, const struct virt_guest *guest, unsigned where,
	const char *xml, const char **ret_why)
{
	struct virt_request request = {
		.uri = guest->uri, .name = guest->uuid, .where = where, .metadata = xml};

	return virt_call(cli, set_metadata, &request, ret_why);
}
