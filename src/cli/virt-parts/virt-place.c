/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose guests a URI of libvirt's means: those that the hook of this host is called for, or others. */
#include <libxml/uri.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "virt-call.h"

#define SOCKET_DIR "/run/libvirt"

/* Whether the socket is one of the system's daemons, as far as its place shows. */
static bool is_system_socket(const char *path)
{
	char dir[PATH_MAX], socket[PATH_MAX];

	return realpath(SOCKET_DIR, dir) && realpath(path, socket) && vp_path_within(socket, dir);
}

/* NAME=SOCKET in what stands behind the question mark. */
static bool has_other_socket(const char *query)
{
	static const char name[] = "socket=";
	bool other = false;

	while (query && *query) {
		size_t length = strcspn(query, "&;");

		if (strncmp(query, name, sizeof(name) - 1) == 0) {
			char *path = xmlURIUnescapeString(
				query + sizeof(name) - 1, (int)(length - (sizeof(name) - 1)), NULL);

			other = other || !path || !is_system_socket(path);
			xmlFree(path);
		}
		query += length + (query[length] != '\0');
	}
	return other;
}

static enum virt_place place_of(const xmlURI *uri)
{
	const char *transport = uri->scheme ? strchr(uri->scheme, '+') : NULL;

	if ((transport && strcmp(transport, "+unix") != 0) || (uri->server && *uri->server) ||
		has_other_socket(uri->query_raw))
		return VIRT_ELSEWHERE;
	/* whose daemon, or whose process, runs no hooks of the host's */
	if (uri->path && (!strcmp(uri->path, "/session") || !strcmp(uri->path, "/embed")))
		return VIRT_OF_USER;
	return VIRT_HERE;
}

enum virt_place virt_place_of(const char *text)
{
	xmlURIPtr uri = xmlParseURI(text);
	enum virt_place place = uri ? place_of(uri) : VIRT_ELSEWHERE;

	xmlFreeURI(uri);
	return place;
}
