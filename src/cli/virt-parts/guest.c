/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest that an argument means. */
#include "guest.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dispatch/input.h"
#include "record.h"
#include "text.h"

bool guest_is_file(const char *argument)
{
	size_t length = strlen(argument);

	if (!strcmp(argument, "-") || strchr(argument, '/'))
		return true;
	return length > 4 && !strcmp(argument + length - 4, ".xml") && access(argument, F_OK) == 0;
}

static int read_all(struct cli *cli, int fd, struct guest *ret)
{
	size_t size = 1 << 16, used = 0;
	char *text = cli_alloc(cli, size);
	ssize_t n;

	while ((n = read(fd, text + used, size - used - 1)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		used += (size_t)n;
		if (used > INPUT_MAX) /* the hook takes no more */
			return -EFBIG;
		if (size - used < 2) {
			char *larger = cli_alloc(cli, 2 * size);

			memcpy(larger, text, used);
			text = larger;
			size *= 2;
		}
	}
	text[used] = '\0';
	ret->xml = text;
	ret->length = used;
	return 0;
}

static const char *child_text(struct cli *cli, xmlNodePtr parent, const char *name)
{
	for (xmlNodePtr node = parent->children; node; node = node->next) {
		xmlChar *text;
		const char *copy;

		if (node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, name) != 0)
			continue;
		text = xmlNodeGetContent(node);
		copy = cli_copy(cli, text ? (char *)text : "", text ? strlen((char *)text) : 0);
		xmlFree(text);
		return copy;
	}
	return "";
}

/* The hook directory's name for <domain type='...'>. */
static const char *driver_of_type(const char *type)
{
	static const char *const names[][2] = {{"lxc", "lxc"}, {"xen", "libxl"}, {"bhyve", "bhyve"},
		{"qemu", "qemu"}, {"kvm", "qemu"}, {"hvf", "qemu"}, {"kqemu", "qemu"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(type, names[i][0]) == 0)
			return names[i][1];
	return NULL;
}

/* libvirt gives a network's hook <hookData>, in which a port may be as well; `virsh net-dumpxml` prints none. */
static const char *make_hook_data(struct cli *cli, xmlNodePtr network)
{
	xmlBufferPtr buffer = xmlBufferCreate();
	const char *text = NULL;

	if (buffer && xmlNodeDump(buffer, network->doc, network, 0, 0) >= 0)
		text = cli_format(cli, "<hookData>\n%s\n</hookData>\n",
			(const char *)xmlBufferContent(buffer));
	xmlBufferFree(buffer);
	return text;
}

static bool take_root(struct cli *cli, xmlNodePtr root, struct guest *ret)
{
	xmlChar *type = root ? xmlGetNoNsProp(root, BAD_CAST "type") : NULL;
	const char *name = root ? (const char *)root->name : "";

	ret->driver = NULL;
	if (!strcmp(name, "network"))
		ret->hook_data = make_hook_data(cli, root);
	if (!strcmp(name, "hookData")) {
		for (root = root->children; root && root->type != XML_ELEMENT_NODE;)
			root = root->next;
		name = root ? (const char *)root->name : "";
	}
	if (!strcmp(name, "network"))
		ret->driver = "network";
	else if (!strcmp(name, "domain") && type)
		ret->driver = driver_of_type((const char *)type);
	if (ret->driver) {
		ret->name = child_text(cli, root, "name");
		ret->uuid = child_text(cli, root, "uuid");
	} else if (!strcmp(name, "domain")) {
		cli_error("'%s': '%s' is no type of domain that has hooks", ret->file,
			type ? (const char *)type : "");
	} else {
		cli_error("'%s' holds no <domain>, but <%s>", ret->file, name);
	}
	xmlFree(type);
	return ret->driver != NULL;
}

static void tell_malformed(struct cli *cli, const struct guest *guest)
{
	const xmlError *error = xmlGetLastError();
	const char *message = error && error->message ? error->message : "it is empty";

	cli_error("'%s' is not well-formed XML: line %d: %s", guest->file, error ? error->line : 0,
		cli_copy(cli, message, strcspn(message, "\n")));
}

static bool parse(struct cli *cli, struct guest *ret)
{
	xmlDocPtr doc = xmlReadMemory(ret->xml, (int)ret->length, NULL, NULL,
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	bool good = false;

	if (doc)
		good = take_root(cli, xmlDocGetRootElement(doc), ret);
	else
		tell_malformed(cli, ret);
	xmlFreeDoc(doc);
	return good;
}

static bool read_text(struct cli *cli, const char *path, struct guest *ret)
{
	bool input = !strcmp(path, "-");
	int fd = input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), r;

	ret->file = input ? "standard input" : path;
	r = fd < 0 ? -errno : read_all(cli, fd, ret);
	if (fd >= 0 && !input)
		close(fd);
	if (r < 0)
		cli_error("cannot read '%s': %s", ret->file,
			r == -EFBIG ? "it is longer than 8 MiB" : strerror(-r));
	return r == 0;
}

const char *guest_read_text(struct cli *cli, const char *path)
{
	struct guest guest;

	if (!read_text(cli, path, &guest))
		return NULL;
	if (strlen(guest.xml) == guest.length)
		return guest.xml;
	cli_error("cannot use '%s': it is no text, there is a NUL in it", guest.file);
	return NULL;
}

static bool read_file(struct cli *cli, const char *path, struct guest *ret)
{
	return read_text(cli, path, ret) && parse(cli, ret);
}

static const char *lower_case(struct cli *cli, const char *text)
{
	char *copy = (char *)cli_copy(cli, text, strlen(text));

	for (char *p = copy; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return copy;
}

struct guest guest_of(const struct virt_guest *virt, bool live)
{
	const char *xml = live && virt->live ? virt->live : virt->xml;

	return (struct guest){.driver = virt->driver,
		.name = virt->name,
		.uuid = virt->uuid,
		.xml = xml,
		.length = strlen(xml),
		.virt = virt,
		.record = -1};
}

bool guest_get(struct cli *cli, const char *argument, bool live, struct guest *ret)
{
	const struct virt_guest *virt;

	*ret = (struct guest){.record = -1};
	if (guest_is_file(argument)) {
		if (!read_file(cli, argument, ret))
			return false;
		ret->uuid = lower_case(cli, ret->uuid);
		ret->no_uuid = !vp_is_uuid(ret->uuid);
		if (ret->no_uuid)
			ret->uuid = "00000000-0000-0000-0000-000000000000";
		return true;
	}
	virt = virt_one(cli, argument, VIRT_XML);
	if (virt)
		*ret = guest_of(virt, live);
	return virt != NULL;
}

bool guest_is_elsewhere(const struct guest *guest)
{
	return guest->virt && guest->virt->place == VIRT_ELSEWHERE;
}

int guest_open_record(struct cli *cli, struct guest *guest)
{
	int fd = guest->no_uuid ? -ENOENT
				: vp_record_open(cli->conf.state_dir, guest->driver, guest->uuid);

	guest->record = fd < 0 ? -1 : fd;
	return fd < 0 && fd != -ENOENT ? fd : 0;
}

struct vp_event guest_event(struct cli *cli, const struct guest *guest, const char *op,
	const char *subop, const char *reason)
{
	return (struct vp_event){
		.driver = guest->driver,
		.domain = guest->name,
		.uuid = guest->uuid,
		.op = op,
		.subop = subop,
		.extra = "-",
		.reason = reason,
		.failed = "",
		.state_dir = guest->record < 0 ? ""
					       : cli_format(cli, "%s/%s/%s", cli->conf.state_dir,
							 guest->driver, guest->uuid),
		.hook_dir = cli->hook_dir,
		.time = time(NULL),
		.part = "virt-parts",
	};
}

static int text_fd(const char *text, size_t length)
{
	int fd = input_from_text(text, length);

	if (fd >= 0 && lseek(fd, 0, SEEK_SET) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

int guest_xml_fd(const struct guest *guest)
{
	return text_fd(guest->xml, guest->length);
}

int guest_hook_fd(const struct guest *guest)
{
	return guest->hook_data ? text_fd(guest->hook_data, strlen(guest->hook_data))
				: guest_xml_fd(guest);
}
