/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virt-parts-get: prints the values of a directive, a line each, for parts in shell.
 *
 * The XML comes on standard input. PATH is `directive/element/...`, and `@attribute` at its end.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "asked.h"
#include "event.h"
#include "expand.h"
#include "record.h"
#include "text.h"
#include "xml.h"

enum { FOUND = 0, NOT_FOUND = 1, FAILED = 2 };

static const char usage[] =
	"Usage: virt-parts-get [--recorded] [--null] DIRECTIVE[/ELEMENT...][@ATTRIBUTE]\n"
	"\n"
	"Prints the values of a directive of the guest, a line each; the guest's XML is\n"
	"read from standard input. %NAME% and %UUID% are replaced when a hook runs it.\n"
	"\n"
	"  --recorded  what was asked when the guest started (VIRT_PARTS_STATE_DIR), so\n"
	"              that an edit since then changes nothing; reads no standard input\n"
	"  --null      a NUL behind each value instead of a newline, and no escapes\n"
	"  --help      this text\n"
	"\n"
	"A newline in a value is printed as \\n, a backslash as \\\\.\n"
	"Exit status: 0 a value was printed, 1 the guest has none, 2 an error.\n";

/* What is asked for, and how it is printed. */
struct query {
	struct vp_source *source;
	struct vp_tokens tokens;
	const char *attribute; /* NULL: the text */
	bool null;
	bool found;
	int error;
};

static void print_value(struct query *q, const char *raw)
{
	char *value = vp_expand(q->source, raw, &q->tokens);
	size_t size = value ? strlen(value) * 4 + 8 : 0;
	char *escaped = value ? malloc(size) : NULL;

	if (!escaped) {
		q->error = -ENOMEM;
		return;
	}
	if (q->null)
		fputs(value, stdout);
	else
		fputs(vp_escape(value, strlen(value), escaped, size), stdout);
	putchar(q->null ? '\0' : '\n');
	free(escaped);
	q->found = true;
}

/* PATH is what is left to go below the element. */
static void print_below(struct query *q, const struct vp_element *element, const char *path)
{
	size_t length = strcspn(path, "/");
	const char *text;

	if (!*path) {
		text = q->attribute ? vp_attr_text(element, q->attribute, NULL) : element->text;
		if (text)
			print_value(q, text);
		return;
	}
	for (const struct vp_element *child = element->first_child; child; child = child->next)
		if (strlen(child->name) == length && !memcmp(child->name, path, length))
			print_below(q, child, path + length + (path[length] == '/'));
}

static int read_source(bool recorded, const char *name, struct vp_source *ret)
{
	const char *state_dir = getenv("VIRT_PARTS_STATE_DIR");
	struct vp_event event = {.state_dir = state_dir ? state_dir : ""};

	if (recorded)
		return vp_read_record(&event, name, ret);
	/* a part in shell asks more than once, and all of them share one standard input */
	(void)lseek(STDIN_FILENO, 0, SEEK_SET);
	return vp_xml_read_directives(STDIN_FILENO, ret);
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

/* A record has a place for each date, whose value is not known yet: shown is what stands for it. */
static int show_dates(struct query *q, const struct vp_element *archive)
{
	int r = vp_tokens_of(q->source, archive, true, "", "", time(NULL), &q->tokens);

	for (size_t i = 0; r == 0 && i < q->tokens.n; i++)
		q->tokens.token[i].value = q->tokens.token[i].text;
	return r;
}

static int get(bool recorded, bool null, char *path)
{
	const char *name = variable("VIRT_PARTS_DOMAIN"), *uuid = variable("VIRT_PARTS_UUID");
	char *attribute = strrchr(path, '@'), *rest;
	struct vp_source source;
	struct query q = {.source = &source, .null = null};
	int r;

	if (attribute) {
		*attribute++ = '\0';
		q.attribute = attribute;
	}
	rest = strchr(path, '/');
	if (rest)
		*rest++ = '\0';
	r = read_source(recorded, path, &source);
	if (r < 0) {
		fprintf(stderr, "virt-parts-get: %s\n", source.why[0] ? source.why : strerror(-r));
		return FAILED;
	}
	if (*name) {
		q.tokens.n = 2;
		q.tokens.token[0] = (struct vp_token){"%NAME%", name, false};
		q.tokens.token[1] = (struct vp_token){"%UUID%", uuid, false};
	}
	for (const struct vp_element *d = source.directives; d; d = d->next) {
		if (strcmp(d->name, path) != 0)
			continue;
		if (recorded && strcmp(path, "archive") == 0 && (r = show_dates(&q, d)) < 0)
			q.error = r;
		print_below(&q, d, rest ? rest : "");
	}
	vp_source_free(&source);
	if (fflush(stdout) != 0 || q.error) {
		fprintf(stderr, "virt-parts-get: cannot print the values: %s\n",
			strerror(q.error ? -q.error : errno));
		return FAILED;
	}
	return q.found ? FOUND : NOT_FOUND;
}

/* Names between slashes, and perhaps one behind an '@'. Any other text would be taken for what no guest has. */
static bool is_path(const char *text)
{
	char before = '/';

	for (; *text; before = *text++) {
		bool separates = *text == '/' || *text == '@';

		if (separates && (before == '/' || before == '@'))
			return false;
		if (*text == '@' && strpbrk(text + 1, "/@"))
			return false;
	}
	return before != '/' && before != '@';
}

int main(int argc, char **argv)
{
	bool recorded = false, null = false;
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--help")) {
			fputs(usage, stdout);
			return fflush(stdout) == 0 ? 0 : FAILED;
		}
		if (!strcmp(argv[i], "--recorded"))
			recorded = true;
		else if (!strcmp(argv[i], "--null"))
			null = true;
		else
			break;
	}
	if (i + 1 != argc || argv[i][0] == '-') {
		fputs(usage, stderr);
		return FAILED;
	}
	if (!is_path(argv[i])) {
		fprintf(stderr,
			"virt-parts-get: '%s' is not DIRECTIVE[/ELEMENT...][@ATTRIBUTE]\n%s",
			argv[i], usage);
		return FAILED;
	}
	return get(recorded, null, argv[i]);
}
