/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose guests a URI of libvirt's means: those that the hook of this host is called for, or others. */
#include <libxml/uri.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "text.h"
#include "virt-call.h"

#define SOCKET_DIR "/run/libvirt"

/* Whether the socket is one of the system's daemons, as far as its place shows. */
static bool is_system_socket(const char *path)
{
	char dir[PATH_MAX], socket[PATH_MAX];

	return realpath(SOCKET_DIR, dir) && realpath(path, socket) && vp_path_within(socket, dir);
}

/* Of NAME=VALUE, either of which may be escaped; libvirt takes the name in any case. */
static bool is_other_socket(const char *word, size_t length)
{
	char *text = xmlURIUnescapeString(word, (int)length, NULL);
	bool other = !text || (strncasecmp(text, "socket=", strlen("socket=")) == 0 &&
				      !is_system_socket(text + strlen("socket=")));

	xmlFree(text);
	return other;
}

/* In what stands behind the question mark. */
static bool has_other_socket(const char *query)
{
	while (query && *query) {
		size_t length = strcspn(query, "&;");

		if (length && is_other_socket(query, length))
			return true;
		query += length + (query[length] != '\0');
	}
	return false;
}

static enum virt_place place_of(const xmlURI *uri)
{
	const char *transport = uri->scheme ? strchr(uri->scheme, '+') : NULL;

	if ((transport && strcmp(transport, "+unix") != 0) || (uri->server && *uri->server) ||
		has_other_socket(uri->query_raw))
		return VIRT_ELSEWHERE;
	/* whose daemon, or whose process, runs no hooks of the host's; root's session is the system */
	if (uri->path && ((!strcmp(uri->path, "/session") && geteuid() != 0) ||
				 !strcmp(uri->path, "/embed")))
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

const char *virt_elsewhere(struct cli *cli, const struct virt_guest *guest)
{
	if (guest->place == VIRT_HERE)
		return NULL;
	return cli_format(cli, "is a guest of '%s', which is not the libvirt of this host's system",
		guest->uri);
}
