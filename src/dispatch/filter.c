/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events in which what a part prints replaces the XML. */
#include "filter.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "environment.h"
#include "input.h"
#include "io.h"
#include "spawn.h"
#include "trust.h"

int filter_open(struct filter *filter, int *ret)
{
	filter->output = *ret = memfd_create("virt-parts", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return filter->output < 0 ? -1 : 0;
}

/* As libvirt does: what is only white space is nothing. */
static bool is_blank(int fd)
{
	char buffer[4096];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, buffer, sizeof(buffer), at)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			if (!isspace((unsigned char)buffer[i]))
				return false;
		at += n;
	}
	return true;
}

/* The shipped reader of XML says whether it is XML; the dispatcher itself has none. */
static bool is_well_formed(const struct dispatch *d, int fd, char *why, size_t size)
{
	char path[PATH_MAX];
	char *argv[] = {path, (char *)"--well-formed", NULL};
	struct spawn spawn = {
		.argv = argv,
		.environment = environment_bare,
		.input = fd,
		.output = d->log.fd,
		.error = d->log.fd,
		.seconds = d->conf->prepare_timeout,
	};
	struct spawn_result result;
	int n = snprintf(
		path, sizeof(path), "%s/prepare_begin.d/05-virt-parts", d->conf->vendor_dir);

	if (n < 0 || (size_t)n >= sizeof(path)) {
		snprintf(
			why, size, "what it printed cannot be checked: %s", strerror(ENAMETOOLONG));
		return false;
	}
	if (vp_trust_check(path, NULL, NULL, why, size) < 0)
		return false;
	result = spawn_run(&spawn);
	if (result.end == SPAWN_EXITED && result.value == 0)
		return true;
	n = snprintf(why, size, "%s: ", "what it printed is not well-formed");
	if (n > 0 && (size_t)n < size)
		spawn_text(&spawn, &result, why + n, size - (size_t)n);
	return false;
}

bool filter_take(
	struct filter *filter, const struct dispatch *d, const struct plan_entry *entry, bool good)
{
	int fd = filter->output;
	off_t from = log_position(&d->log);
	char why[512] = "";

	filter->output = -1;
	if (!good || is_blank(fd)) {
		close(fd);
		return true;
	}
	/* what is checked is what the next one reads */
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		snprintf(why, sizeof(why), "what it printed cannot be kept: %s", strerror(errno));
	else if (is_well_formed(d, fd, why, sizeof(why)))
		why[0] = '\0';
	if (why[0]) {
		log_show_failure(&d->log, entry->label, why, from);
		log_line(&d->log, "%s: refused: %s", entry->name, why);
		close(fd);
		return false;
	}
	if (filter->changed)
		close(filter->current);
	filter->current = fd;
	filter->changed = true;
	return true;
}

int filter_finish(struct filter *filter, const struct dispatch *d, int fd)
{
	int r = filter->changed ? vp_copy_file(filter->current, fd) : 0;

	if (r == 0)
		return 0;
	log_error(&d->log, "cannot hand the XML back to libvirt: %s", strerror(-r));
	return 1;
}
