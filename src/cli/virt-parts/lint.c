/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong, or may be, with a guest's XML. */
#include "lint.h"

#include <ctype.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bind.h"
#include "examine.h"
#include "expand.h"
#include "lint-host.h"
#include "metadata-lint.h"
#include "report.h"
#include "suggest.h"

struct linting {
	struct findings *findings;
	struct guest *guest;
	const char *about;
	xmlDocPtr doc;
};

/* --- secrets -------------------------------------------------------------------------------------------------- */

/* A word that a secret follows, with a colon or an equals sign. */
static const char *const secret_words[] = {"password", "passwd", "passphrase", "chpasswd", "secret",
	"token", "api_key", "apikey", "api-key", "private_key", "hashed_passwd", NULL};

static bool is_followed_by_value(const char *text)
{
	text += strspn(text, "\"' \t");
	if (*text != ':' && *text != '=')
		return false;
	text++;
	text += strspn(text, " \t");
	/* a list or a flag below it is no secret */
	return *text && *text != '\n' && strncasecmp(text, "false", 5) != 0 &&
	       strncasecmp(text, "true", 4) != 0;
}

static const char *find_secret(const char *text)
{
	const char *at = strstr(text, "PRIVATE KEY-----");

	if (at)
		return "PRIVATE KEY";
	for (const char *const *word = secret_words; *word; word++)
		for (at = text; (at = strcasestr(at, *word)); at++)
			if (is_followed_by_value(at + strlen(*word)))
				return *word;
	return NULL;
}

static void lint_file(struct linting *l, const struct vp_element *file)
{
	const char *word = find_secret(file->text);

	if (word)
		findings_add(l->findings, FINDING_WARNING, l->about,
			"keep it in a file that only root can read, in a <src> of the <iso>",
			"<preload><iso><file>: '%s' holds what looks like a secret ('%s'): every "
			"read-only connection can read it",
			vp_attr_text(file, "path", ""), word);
}

/* --- images and names ----------------------------------------------------------------------------------------- */

static void lint_isos(struct linting *l, const struct vp_element *preload)
{
	for (const struct vp_element *iso = vp_child(preload, "iso"); iso;
		iso = vp_next(iso, "iso")) {
		const char *path = vp_attr_text(iso, "path", "");

		for (const struct vp_element *file = vp_child(iso, "file"); file;
			file = vp_next(file, "file"))
			lint_file(l, file);
		if (!lint_is_source(l->doc, path))
			findings_add(l->findings, FINDING_WARNING, l->about,
				cli_format(l->findings->cli,
					"add a <disk device='cdrom'> with <source file='%s'/>",
					path),
				"<preload><iso>: no <disk> of the guest uses the image '%s'", path);
		else if (lint_is_writable(l->doc, path))
			findings_add(l->findings, FINDING_WARNING, l->about,
				"make it <disk device='cdrom'>, or put <readonly/> into it",
				"<preload><iso>: the <disk> of '%s' is not read-only: what the "
				"guest "
				"writes into the image is lost",
				path);
	}
}

/* The guest's name as a component of the path, where a clone would need its own. */
static bool names_guest(const char *path, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = path; length && (at = strchr(at, '/')); at++)
		if (strncmp(at + 1, name, length) == 0 && strchr("/", at[length + 1]))
			return true;
	return false;
}

/* Texts as they were written, so before they are bound. */
static void lint_names(struct linting *l, const struct vp_element *element)
{
	char where[256];

	for (size_t i = 0; i <= element->n_attrs; i++) {
		const char *text = i < element->n_attrs ? element->attrs[i].text : element->text;
		const char *path = text + strspn(text, " \t\r\n");

		if (*path == '/' && names_guest(path, l->guest->name))
			findings_add(l->findings, FINDING_WARNING, l->about,
				"write %NAME% for the guest's name",
				"%s: '%s' is this guest's alone, but a clone copies its metadata",
				vp_element_path(element, where, sizeof(where)), path);
	}
	for (const struct vp_element *child = element->first_child; child; child = child->next)
		lint_names(l, child);
}

static const char *upper_case(struct cli *cli, const char *text)
{
	char *copy = (char *)cli_copy(cli, text, strlen(text));

	for (char *at = copy; *at; at++)
		*at = (char)toupper((unsigned char)*at);
	return copy;
}

/* A %WORD% of a path that stands for nothing: TOKENS are what does. */
static void lint_word(struct linting *l, const struct vp_element *element,
	const struct vp_tokens *tokens, const char *word)
{
	const char *names[VP_MAX_TOKENS], *near, *known = "";
	bool closed = word[strlen(word) - 1] == '%', date = false;
	const char *whole = closed ? word : cli_format(l->findings->cli, "%s%%", word);
	char where[256];

	for (size_t i = 0; i < tokens->n; i++) {
		names[i] = tokens->token[i].text;
		date = date || !strcmp(names[i], "%DATE%");
		known = cli_format(
			l->findings->cli, "%s%s%s", known, *known ? ", " : "known are ", names[i]);
	}
	near = suggest(whole, names, tokens->n);
	if (!near)
		near = suggest(upper_case(l->findings->cli, whole), names, tokens->n);
	/* an unclosed one may be anything, but for a token's name */
	if (!closed && (!near || strcmp(near, whole) != 0))
		return;
	findings_add(l->findings, FINDING_NOTE, l->about,
		!date && !strcmp(whole, "%DATE%")
			? "a date is replaced in an <archive> alone"
			: (near ? cli_format(l->findings->cli, "did you mean %s?", near) : known),
		"%s: '%s' stands for nothing, and stays as it is",
		vp_element_path(element, where, sizeof(where)), word);
}

/* Of what the TOKENS leave of a path. */
static void lint_path(struct linting *l, const struct vp_element *element,
	const struct vp_tokens *tokens, const char *path)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	while ((path = strchr(path, '%'))) {
		size_t length = 1 + strspn(path + 1, letters);

		if (isalpha((unsigned char)path[1])) {
			length += path[length] == '%';
			lint_word(l, element, tokens, cli_copy(l->findings->cli, path, length));
		}
		path += length;
	}
}

static void lint_tokens(struct linting *l, struct vp_source *source,
	const struct vp_element *element, const struct vp_tokens *tokens)
{
	struct vp_tokens gone = *tokens;

	/* what a token stands for is not looked at */
	for (size_t i = 0; i < gone.n; i++)
		gone.token[i].value = "/";
	for (size_t i = 0; i <= element->n_attrs; i++) {
		const char *text = i < element->n_attrs ? element->attrs[i].text : element->text;

		text += strspn(text, " \t\r\n");
		if (*text == '/' && strcmp(element->name, "file") != 0 &&
			(text = vp_expand(source, text, &gone)))
			lint_path(l, element, tokens, text);
	}
	for (const struct vp_element *child = element->first_child; child; child = child->next)
		if (strcmp(child->name, "datestr") != 0)
			lint_tokens(l, source, child, tokens);
}

static void lint_texts(
	struct linting *l, struct vp_source *source, const struct vp_element *directive)
{
	const struct vp_directive *known = vp_directive_find(directive->name);
	struct vp_tokens tokens;

	if (!known)
		return;
	lint_names(l, directive);
	/* what is wrong with a date is told as prepare tells it */
	if (vp_tokens_of(source, directive, vp_spec_has_dates(known->spec), l->guest->name,
		    l->guest->uuid, time(NULL), &tokens) == 0)
		lint_tokens(l, source, directive, &tokens);
}

static void lint_raw(struct linting *l)
{
	int fd = guest_xml_fd(l->guest);
	struct vp_xml xml = {0};

	if (fd >= 0 && vp_xml_read(fd, &xml) == 0)
		for (const struct vp_element *d = xml.source.directives; d; d = d->next)
			lint_texts(l, &xml.source, d);
	if (fd >= 0)
		close(fd);
	vp_source_free(&xml.source);
}

/* --- all of it ------------------------------------------------------------------------------------------------ */

static void lint_directives(struct linting *l)
{
	struct cli *cli = l->findings->cli;
	struct vp_event event = guest_event(cli, l->guest, "prepare", "begin", "");
	const struct virt_guest *virt = l->guest->virt;
	struct examined examined;
	bool known = true;

	examine(cli, l->guest, event, &examined);
	if (virt && virt->place == VIRT_OF_USER && examined.xml.source.directives)
		findings_add(l->findings, FINDING_WARNING, l->about,
			"define the guest for the system, as with 'virsh -c qemu:///system'",
			"directives count for the system's guests alone: for this one, of '%s', "
			"nothing is done",
			virt->uri);
	if (guest_is_elsewhere(l->guest) && examined.xml.source.directives)
		findings_add(l->findings, FINDING_WARNING, l->about, "check it on its own host",
			"its paths, limits and parts are not checked, since it %s",
			virt_elsewhere(cli, virt));
	for (const struct problem *p = examined.problems; p; p = p->next)
		findings_add(l->findings, p->only_warns ? FINDING_WARNING : FINDING_ERROR, l->about,
			"", "%s%s%s", p->where, *p->where ? ": " : "", p->text);
	for (const struct vp_element *d = examined.xml.source.directives; d; d = d->next) {
		known = known && d->spec;
		if (d->spec && !strcmp(d->name, "preload") && examine_is_good(&examined, d))
			lint_isos(l, d);
	}
	lint_host(l->findings, l->about, &examined, l->doc);
	/* it says no more than the tables, and says it worse */
	if (known && !examine_refuses(&examined) && examined.xml.source.directives)
		lint_schema(l->findings, l->about, l->doc);
	examine_free(&examined);
}

void lint(struct findings *findings, struct guest *guest)
{
	struct linting l = {.findings = findings,
		.guest = guest,
		.about =
			guest->file
				? cli_format(findings->cli, "%s (%s)", guest->name, guest->file)
				: cli_format(findings->cli, "%s (%s)", guest->name, guest->driver)};

	l.doc = xmlReadMemory(guest->xml, (int)guest->length, NULL, NULL,
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (!l.doc) {
		findings_add(findings, FINDING_ERROR, l.about, "", "not well-formed XML");
		return;
	}
	/* what libvirt itself shows has been through it */
	if (guest->file)
		lint_dropped(findings, l.about, l.doc);
	lint_raw(&l);
	lint_directives(&l);
	xmlFreeDoc(l.doc);
}
