/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is left to do of a run that has ended: what was to be archived, deleted, and done by parts of the admin's own. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "asked.h"
#include "directives.h"
#include "dispatch/failed.h"
#include "dispatch/names.h"
#include "runs.h"

/* A path of the record's DIRECTIVE: the guest's name is in it, a date, which is not known, as it was written. */
static const char *path_of(struct vp_source *asked, const struct vp_element *directive,
	const struct vp_element *element)
{
	struct vp_tokens tokens;
	const char *path;

	if (!element || !element->text)
		return "";
	(void)vp_tokens_of(asked, directive, true, "", "", 0, &tokens);
	for (size_t i = 0; i < tokens.n; i++)
		if (tokens.token[i].date)
			tokens.token[i].value = tokens.token[i].text;
	path = vp_expand(asked, element->text, &tokens);
	return path ? path : element->text;
}

/* archive's journal, behind a newline: `TURN N STATE PATH`. */
const char *runs_archived(struct cli *cli, int record)
{
	const char *journal = "";
	char *text;

	if (record >= 0 && vp_record_read(record, "done/archive", &text, NULL) == 0) {
		journal = cli_format(cli, "\n%s", text);
		free(text);
	}
	return journal;
}

bool runs_is_archived(const char *archived, unsigned turn, unsigned number)
{
	char key[64];

	snprintf(key, sizeof(key), "\n%u %u ", turn, number);
	return strstr(archived, key) != NULL;
}

const char *runs_unsaved(struct cli *cli, int record, unsigned turn, const char *reason)
{
	struct vp_source asked = {0};
	const char *lines = "", *archived = runs_archived(cli, record);
	unsigned number = 0;

	if (vp_asked_read(record, "archive", &asked) < 0)
		return "";
	for (const struct vp_element *one = asked.directives; one; one = one->next)
		for (const struct vp_element *copy = vp_child(one, "dircopy"); copy;
			copy = vp_next(copy, "dircopy"))
			if (!runs_is_archived(archived, turn, ++number) &&
				(!*reason ||
					vp_archive_is_due(record, vp_attr_text(one, "when", NULL),
						reason, number) > 0))
				lines = cli_format(cli, "%s%s\n", lines,
					path_of(&asked, one, vp_child(copy, "src")));
	vp_source_free(&asked);
	return lines;
}

const char *runs_undeleted(struct cli *cli, int record, const char *reason)
{
	struct vp_source asked = {0};
	const char *lines = "";

	if (vp_asked_read(record, "post-rm-rf", &asked) < 0)
		return "";
	for (const struct vp_element *one = asked.directives; one; one = one->next)
		for (const struct vp_element *dir = vp_child(one, "dir"); dir;
			dir = vp_next(dir, "dir")) {
			const char *path = path_of(&asked, one, dir);

			if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
				(!*reason || vp_reason_matches(vp_attr_text(one, "when", NULL),
						     VP_POST_RM_RF_WHEN, reason)))
				lines = cli_format(cli, "%s%s\n", lines, path);
		}
	vp_source_free(&asked);
	return lines;
}

/* A directory that could not be read is one of these, and so is any file in the layout of VFIO-Tools. */
static bool is_own(const char *failed)
{
	if (!strcmp(failed, FAILED_SHIPPED) || !strcmp(failed, FAILED_UNKNOWN))
		return false;
	return !name_is_part(failed) || !vp_directive_find(name_of_directive(failed));
}

const char *runs_failed_own(struct cli *cli, const char *failed)
{
	const struct names names = {(char *)failed};
	const char *at = NULL, *own = "";
	char name[NAME_MAX + 1];

	while (names_next(&names, &at, name))
		if (is_own(name))
			own = cli_format(cli, "%s%s%s", own, *own ? " " : "", name);
	return own;
}

const char *runs_own_advice(struct cli *cli, const struct run *run)
{
	return cli_format(cli,
		"do by hand what %s %s to do, then 'virt-parts resolve --own-parts-done %s'",
		run->own, strchr(run->own, ' ') ? "were" : "was", run->uuid);
}
