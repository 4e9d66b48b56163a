/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Standard input: read in steps, searched, and kept in a sealed memfd. */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io.h"
#include "text.h"

/* What is looked for may lie across two steps: KEPT is longer than any of it. */
enum { STEP = 64 << 10, KEPT = 64 };

static struct {
	char data[KEPT + STEP];
	size_t filled; /* bytes in data */
	size_t stored; /* of these, bytes at the front that the memfd has already */
	size_t total;
	bool past_uuid; /* found, or the metadata has begun: a <uuid> in there is the user's */
} input;

static const char *find(const char *text, size_t length, const char *what)
{
	return memmem(text, length, what, strlen(what));
}

/* The first <uuid> before <metadata>, as libvirt writes it. */
static void find_uuid(const char *text, size_t length, struct event *event)
{
	static const char opens[] = "<uuid>", closes[] = "</uuid>";
	enum { OPENS = sizeof(opens) - 1, UUID = 36, CLOSES = sizeof(closes) - 1 };
	const char *metadata = find(text, length, "<metadata");
	const char *start = find(text, metadata ? (size_t)(metadata - text) : length, opens);

	if (start && (size_t)(text + length - start) < OPENS + UUID + CLOSES && !metadata)
		return; /* the rest comes with the next step, which still has this */
	input.past_uuid = start || metadata;
	if (!start || (size_t)(text + length - start) < OPENS + UUID + CLOSES ||
		memcmp(start + OPENS + UUID, closes, CLOSES) != 0)
		return;
	for (size_t i = 0; i < UUID; i++) {
		char c = start[OPENS + i];

		event->uuid[i] = (char)(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
	}
	event->uuid[UUID] = '\0';
	if (!vp_is_uuid(event->uuid))
		event->uuid[0] = '\0';
}

static void search(struct event *event)
{
	static const char *const signs[] = {
		"urn:virt-parts:1", "<ramdisk", "<preload", "<archive", "<post-rm-rf"};

	if (!input.past_uuid)
		find_uuid(input.data, input.filled, event);
	for (size_t i = 0; !event->directives && i < sizeof(signs) / sizeof(signs[0]); i++)
		event->directives = find(input.data, input.filled, signs[i]) != NULL;
}

static int new_memfd(void)
{
	int fd = memfd_create("virt-parts", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	return fd < 0 ? -errno : fd;
}

static int seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0
		       ? -errno
		       : 0;
}

/* Puts what is not there yet into the memfd, and keeps the end for the next search. */
static int store(struct event *event)
{
	size_t kept = input.filled < KEPT ? input.filled : KEPT;
	int r = 0;

	if (event->xml < 0)
		event->xml = new_memfd();
	if (event->xml < 0)
		return event->xml;
	r = vp_write_all(event->xml, input.data + input.stored, input.filled - input.stored);
	memmove(input.data, input.data + input.filled - kept, kept);
	input.filled = input.stored = kept;
	return r;
}

int input_read(int fd, struct event *event)
{
	int r = 0;

	while (r == 0) {
		ssize_t n = read(fd, input.data + input.filled, sizeof(input.data) - input.filled);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		input.filled += (size_t)n;
		input.total += (size_t)n;
		if (input.total > INPUT_MAX) {
			input_drain(fd);
			return -EFBIG;
		}
		if (input.filled == sizeof(input.data)) {
			search(event);
			r = store(event);
		}
	}
	if (r == 0)
		search(event);
	return r;
}

int input_seal(struct event *event)
{
	int r = store(event);

	return r < 0 ? r : seal(event->xml);
}

int input_from_text(const char *text, size_t length)
{
	int fd = new_memfd(), r = fd < 0 ? fd : vp_write_all(fd, text, length);

	if (r == 0)
		r = seal(fd);
	if (r < 0 && fd >= 0)
		close(fd);
	return r < 0 ? r : fd;
}

void input_drain(int fd)
{
	ssize_t n;

	do
		n = read(fd, input.data, sizeof(input.data));
	while (n > 0 || (n < 0 && errno == EINTR));
}
