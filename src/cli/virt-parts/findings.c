/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What check and doctor have found. */
#include "findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "style.h"

void findings_init(struct findings *findings, struct cli *cli)
{
	*findings = (struct findings){.cli = cli};
	findings->last = &findings->first;
}

struct finding *findings_add(struct findings *findings, enum finding_level level, const char *about,
	const char *mend, const char *format, ...)
{
	struct finding *finding = cli_alloc(findings->cli, sizeof(*finding));
	char text[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	finding->level = level;
	finding->about = cli_copy(findings->cli, about, strlen(about));
	finding->domain = findings->domain;
	finding->driver = findings->driver;
	finding->mend = cli_copy(findings->cli, mend, strlen(mend));
	finding->text = cli_copy(findings->cli, text, strlen(text));
	*findings->last = finding;
	findings->last = &finding->next;
	return finding;
}

static const char *level_text(enum finding_level level)
{
	static const char *const texts[] = {
		[FINDING_NOTE] = "note",
		[FINDING_WARNING] = "warning",
		[FINDING_ERROR] = "error",
	};

	return texts[level];
}

static void print_one(struct cli *cli, const struct finding *f)
{
	static const enum style styles[] = {
		[FINDING_NOTE] = STYLE_FAINT,
		[FINDING_WARNING] = STYLE_WARNING,
		[FINDING_ERROR] = STYLE_BAD,
	};

	printf("%s%s", cli_shown(cli, f->about), *f->about ? ": " : "");
	style_print(styles[f->level], level_text(f->level), 0);
	printf(": %s\n", cli_shown(cli, f->text));
	if (f->mended)
		printf("  %smended:%s %s\n", style(STYLE_GOOD), style(STYLE_PLAIN),
			cli_shown_command(cli, f->mend));
	else if (*f->mend)
		printf("  mend: %s\n", cli_shown_command(cli, f->mend));
}

static void print_json(const struct findings *findings)
{
	struct json json = {0};

	json_array(&json, NULL);
	for (const struct finding *f = findings->first; f; f = f->next) {
		json_object(&json, NULL);
		json_text(&json, "level", level_text(f->level));
		json_text(&json, "about", *f->about ? f->about : NULL);
		json_text(&json, "domain", f->domain);
		json_text(&json, "driver", f->driver);
		json_text(&json, "text", f->text);
		json_text(&json, "mend", *f->mend ? f->mend : NULL);
		json_bool(&json, "mended", f->mended);
		json_end(&json);
	}
	json_end(&json);
}

int findings_print(const struct findings *findings, const char *nothing)
{
	int status = CLI_GOOD;
	bool quiet = true; /* there is none above a note */

	if (findings->cli->json)
		print_json(findings);
	for (const struct finding *f = findings->first; f; f = f->next) {
		if (!findings->cli->json)
			print_one(findings->cli, f);
		if (f->level > FINDING_NOTE && !f->mended)
			status = CLI_FOUND;
		quiet = quiet && f->level == FINDING_NOTE;
	}
	if (quiet && !findings->cli->json)
		printf("%s\n", nothing);
	return status;
}
