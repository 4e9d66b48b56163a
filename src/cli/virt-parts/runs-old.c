/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directives that do not count yet, since an unfinished run goes on with those that it began with. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directives.h"
#include "guest.h"
#include "runs.h"

/* As far as libvirt was asked about the guest, that is all it has to say. */
static const struct run *run_of(struct cli *cli, const struct guest *guest)
{
	struct virt_daemon daemon = {
		.driver = guest->driver,
		.why = "",
		.uri = guest->virt ? guest->virt->uri : "",
		.place = VIRT_HERE,
	};
	struct virt_guest one = {0};
	struct virt_answer answer = {.guests = &one, .daemons = &daemon, .answered = true};

	/* a record of its UUID is that of a life which it had here */
	if (guest->no_uuid || (guest->virt && virt_elsewhere(cli, guest->virt)))
		return NULL;
	if (guest->virt)
		one = *guest->virt;
	one.next = NULL;
	return runs_one(cli, guest->virt ? &answer : NULL, guest->driver, guest->uuid);
}

const char *runs_old_names(struct cli *cli, const struct guest *guest)
{
	struct vp_event event = guest_event(cli, guest, "prepare", "begin", "");
	int run = vp_record_open(cli->conf.state_dir, guest->driver, guest->uuid);
	int fd = guest_xml_fd(guest);
	struct vp_xml xml = {0};
	const char *copy = "";
	char *names = NULL;

	if (run >= 0 && fd >= 0 && vp_xml_read(fd, &xml) == 0 &&
		vp_directives_differ(run, &xml.source, &event, &names) == 0)
		copy = cli_copy(cli, names, strlen(names));
	free(names);
	vp_source_free(&xml.source);
	if (fd >= 0)
		close(fd);
	if (run >= 0)
		close(run);
	return copy;
}

bool runs_old_count(
	struct cli *cli, const struct guest *guest, const char **ret_text, const char **ret_mend)
{
	const struct run *run = run_of(cli, guest);
	const char *names, *resolve;

	if (!run || run->error ||
		(run->state != RUN_UNFINISHED && run->info.begin != VP_BEGIN_UNFINISHED))
		return false;
	names = runs_old_names(cli, guest);
	if (!*names)
		return false;
	resolve = cli_format(cli, "virt-parts resolve %s", run->uuid);
	if (run->state == RUN_UNFINISHED) {
		*ret_text = cli_format(cli,
			"its last run is unfinished: until that is finished or discarded, what "
			"its XML says of %s does not count, but what the run began with; the next "
			"start tries to finish it first",
			names);
		*ret_mend = resolve;
	} else {
		*ret_text = cli_format(cli,
			"its run went on unfinished: until that is finished or discarded, what "
			"its XML says of %s does not count, but what the run began with",
			names);
		*ret_mend = cli_format(cli,
			"end the guest; if 'virt-parts status' shows the run then, '%s'", resolve);
	}
	return true;
}
