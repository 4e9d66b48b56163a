/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dns-host: a guest's name in the host's DNS for as long as it runs.
 *
 *	<dns-host address="192.0.2.10">%NAME%.example.net</dns-host>
 *
 * writes a line into a file of its own in HOSTS_DIR, which dnsmasq watches when it has the option
 * hostsdir=/run/virt-parts-hosts. The element may be repeated. Install it as 30-dns-host at
 * prepare_begin and at release_end.
 *
 * dnsmasq never watches a directory that is not there when it starts, and /run is empty after each
 * boot. So have it made before, by a file /etc/tmpfiles.d/virt-parts-hosts.conf with the line
 *
 *	d /run/virt-parts-hosts 0755 root root -
 *
 * and once by systemd-tmpfiles --create, before dnsmasq is started anew with that option.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <virt-parts.h>

#define HOSTS_DIR "/run/virt-parts-hosts"

/* What the frame checks before any function here is called: names, types, and what must be there. */
static const struct vp_attr_spec attrs[] = {
	{.name = "address", .type = VP_TEXT, .required = true},
	{0},
};

static const struct vp_element_spec spec = {.name = "dns-host", .type = VP_TEXT, .attrs = attrs};

/* What only this part can check: the text becomes a line of a file that other programs read. */
static bool is_host_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
	size_t length = strspn(name, allowed);

	return length > 0 && length < 254 && !name[length] && name[0] != '-' && name[0] != '.';
}

/* One form for one address, so that release finds the file that prepare wrote. */
static int read_address(const char *text, char *ret, socklen_t size)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;

	return inet_pton(family, text, bytes) == 1 && inet_ntop(family, bytes, ret, size) ? 0
											  : -EINVAL;
}

/* The UUID and the address make a name that is safe and no other guest's. */
static int path_of(const struct vp_event *event, const struct vp_element *host, char *ret,
	size_t size, const char *prefix)
{
	char address[INET6_ADDRSTRLEN];

	if (read_address(vp_attr_text(host, "address", ""), address, sizeof(address)) < 0) {
		vp_error(event, host, "'%s' is not an IP address",
			vp_attr_text(host, "address", ""));
		return -EINVAL;
	}
	snprintf(ret, size, HOSTS_DIR "/%s%s_%s", prefix, event->uuid, address);
	return 0;
}

/* dnsmasq must never read half a line: write beside, then rename. It skips names with a dot in front. */
static int prepare(const struct vp_event *event, const struct vp_element *host)
{
	const char *address = vp_attr_text(host, "address", "");
	char path[256], new_path[256];
	FILE *file;

	if (path_of(event, host, path, sizeof(path), "") < 0 ||
		path_of(event, host, new_path, sizeof(new_path), ".") < 0)
		return 1;
	if (!is_host_name(host->text)) {
		vp_error(event, host, "'%s' is not a host name", host->text);
		return 1;
	}
	if (mkdir(HOSTS_DIR, 0755) < 0 && errno != EEXIST) {
		vp_error(event, host, "cannot make '%s': %m", HOSTS_DIR);
		return 1;
	}
	file = fopen(new_path, "we");
	if (!file || fprintf(file, "%s %s\n", address, host->text) < 0 || fclose(file) != 0 ||
		rename(new_path, path) < 0) {
		vp_error(event, host, "cannot write '%s': %m", path);
		return 1;
	}
	return 0;
}

/* May be called twice, or after a prepare that was refused: what is not there is done. */
static int release(const struct vp_event *event, const struct vp_element *host)
{
	char path[256];

	if (path_of(event, host, path, sizeof(path), "") < 0)
		return 0; /* prepare has refused it */
	if (unlink(path) < 0 && errno != ENOENT) {
		vp_error(event, host, "cannot remove '%s': %m", path);
		return 1;
	}
	return 0;
}

static const struct vp_handler handlers[] = {
	{"prepare", "begin", prepare},
	{"release", "end", release},
	{0},
};

/* vp_read_record: what was asked at prepare, so that an edit of the running guest leaves nothing behind. */
static const struct vp_part part = {
	.name = "dns-host",
	.summary = "the guest's name in the host's DNS while it runs",
	.directive = &spec,
	.handlers = handlers,
	.read = vp_read_record,
};

int main(int argc, char **argv)
{
	return vp_part_main(&part, argc, argv);
}
