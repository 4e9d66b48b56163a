/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * set: gives a guest the directives of a file, or adds one that is written in words:
 *
 *	set DOMAIN ramdisk DIR size=64M
 *	set DOMAIN archive SRC DST when=shutdown
 *
 * A path that is there already, of the same directive, is changed as far as the words name something.
 */
#include <stdio.h>
#include <string.h>

#include "guest.h"
#include "metadata.h"
#include "suggest.h"

/* One row a way of writing a directive in words. */
static const struct form {
	const char *name;      /* what is written */
	const char *directive; /* what it becomes */
	const char *element;   /* in the directive */
	const char *paths[2];  /* child elements that the words are; NULL: the element's own text */
	const char *key;       /* the attribute that the first word is; NULL: none */
	const char *list;      /* the child that each word beyond is; NULL: there may be none */
	const char *usage;
	const char *outer; /* the attribute of the directive itself */
} forms[] = {
	{"ramdisk", "ramdisk", "dir", {NULL}, NULL, NULL, "DIR size=SIZE [ATTRIBUTE=VALUE]...", ""},
	{"post-rm-rf", "post-rm-rf", "dir", {NULL}, NULL, NULL, "DIR [when=WORDS]", "when"},
	{"archive", "archive", "dircopy", {"src", "dst"}, NULL, NULL,
		"SRC DST [when=WORDS] [ATTRIBUTE=VALUE]...", "when"},
	{"preload", "preload", "dircopy", {"src", "dst"}, NULL, NULL,
		"SRC DST [ATTRIBUTE=VALUE]...", ""},
	{"iso", "preload", "iso", {NULL}, "path", "src", "IMAGE [SRC]... [ATTRIBUTE=VALUE]...", ""},
};

enum { N_FORMS = sizeof(forms) / sizeof(forms[0]) };

static const struct form *find_form(const char *name)
{
	const char *names[N_FORMS], *near;

	for (size_t i = 0; i < N_FORMS; i++) {
		if (strcmp(forms[i].name, name) == 0)
			return &forms[i];
		names[i] = forms[i].name;
	}
	near = suggest(name, names, N_FORMS);
	cli_error("'%.64s' is neither a file nor one of ramdisk, preload, iso, archive, "
		  "post-rm-rf%s%s%s",
		name, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	return NULL;
}

static const char *node_name(xmlNodePtr node)
{
	return node->type == XML_ELEMENT_NODE ? (const char *)node->name : "";
}

static bool has_text(xmlNodePtr node, const char *text)
{
	xmlChar *own = xmlNodeGetContent(node);
	const char *from = own ? (const char *)own + strspn((const char *)own, " \t\r\n") : "";
	bool same = strncmp(from, text, strlen(text)) == 0 &&
		    !from[strlen(text) + strspn(from + strlen(text), " \t\r\n")];

	xmlFree(own);
	return same;
}

static bool has_attribute(xmlNodePtr node, const char *name, const char *value)
{
	xmlChar *own = xmlGetNoNsProp(node, BAD_CAST name);
	bool same = own ? strcmp((const char *)own, value) == 0 : *value == '\0';

	xmlFree(own);
	return same;
}

/* Whether the element is what the words stand for: of the same place. */
static bool is_same(const struct form *form, xmlNodePtr node, const char *place)
{
	if (strcmp(node_name(node), form->element) != 0)
		return false;
	if (form->key)
		return has_attribute(node, form->key, place);
	if (!form->paths[0])
		return has_text(node, place);
	for (xmlNodePtr child = node->children; child; child = child->next)
		if (!strcmp(node_name(child), form->paths[1]))
			return has_text(child, place);
	return false;
}

/* The element of the same place, in any directive of the name; how many there are. */
static unsigned find_same(
	xmlNodePtr root, const struct form *form, const char *place, xmlNodePtr *ret)
{
	unsigned n = 0;

	for (xmlNodePtr directive = root->children; directive; directive = directive->next) {
		if (strcmp(node_name(directive), form->directive) != 0)
			continue;
		for (xmlNodePtr node = directive->children; node; node = node->next)
			if (is_same(form, node, place) && !n++)
				*ret = node;
	}
	return n;
}

/* How many children it has that are the form's elements; with others, such as <datestr>, how many are not. */
static unsigned count(const struct form *form, xmlNodePtr directive, bool others)
{
	unsigned n = 0;

	for (xmlNodePtr node = directive->children; node; node = node->next)
		n += node->type == XML_ELEMENT_NODE &&
		     (strcmp(node_name(node), form->element) != 0) == others;
	return n;
}

static void set_outer(const struct form *form, xmlNodePtr directive, const char *outer)
{
	if (*outer)
		xmlSetProp(directive, BAD_CAST form->outer, BAD_CAST outer);
	else if (*form->outer)
		xmlUnsetProp(directive, BAD_CAST form->outer);
}

/* The first with that attribute, PLAIN: which has nothing but elements of the form; else a new one. */
static xmlNodePtr find_directive(
	xmlNodePtr root, const struct form *form, const char *outer, bool plain)
{
	xmlNodePtr node = root->children;

	for (; node; node = node->next)
		if (!strcmp(node_name(node), form->directive) &&
			(!*form->outer || has_attribute(node, form->outer, outer)) &&
			(!plain || count(form, node, true) == 0))
			return node;
	node = xmlNewChild(root, NULL, BAD_CAST form->directive, NULL);
	set_outer(form, node, outer);
	return node;
}

/* A directive behind that one, with all that it has but the form's elements. */
static xmlNodePtr make_like(const struct form *form, xmlNodePtr directive)
{
	xmlNodePtr made = xmlDocCopyNode(directive, directive->doc, 2);

	for (xmlNodePtr node = directive->children; node; node = node->next)
		if (node->type == XML_ELEMENT_NODE && strcmp(node_name(node), form->element) != 0)
			xmlAddChild(made, xmlDocCopyNode(node, directive->doc, 1));
	return xmlAddNextSibling(directive, made);
}

/* The text behind NAME= when the word is that of an attribute. */
static const char *value_of(const char *word, size_t *ret_length)
{
	size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyz-");

	*ret_length = length;
	return length && word[length] == '=' ? word + length + 1 : NULL;
}

/* What the words say. */
struct words {
	const struct form *form;
	const char **paths, *outer; /* outer: NULL when no word is that attribute */
	int n_paths, n_attributes;
	struct attribute {
		const char *name, *value;
	} * attributes;
};

static struct words read_words(struct cli *cli, const struct form *form, int argc, char **argv)
{
	struct words words = {.form = form,
		.paths = cli_alloc(cli, (size_t)argc * sizeof(*words.paths)),
		.attributes = cli_alloc(cli, (size_t)argc * sizeof(*words.attributes))};

	for (int i = 0; i < argc; i++) {
		size_t length;
		const char *value = value_of(argv[i], &length);
		const char *name = cli_copy(cli, argv[i], length);

		if (!value)
			words.paths[words.n_paths++] = argv[i];
		else if (*form->outer && !strcmp(name, form->outer))
			words.outer = value;
		else
			words.attributes[words.n_attributes++] = (struct attribute){name, value};
	}
	return words;
}

/* An element of the form, in no directive yet. */
static xmlNodePtr make_node(const struct words *words)
{
	const struct form *form = words->form;
	xmlNodePtr node = xmlNewNode(NULL, BAD_CAST form->element);

	if (form->key)
		xmlNewProp(node, BAD_CAST form->key, BAD_CAST words->paths[0]);
	else if (!form->paths[0])
		xmlNodeAddContent(node, BAD_CAST words->paths[0]);
	for (int i = 0; form->paths[0] && i < 2; i++)
		xmlNewTextChild(node, NULL, BAD_CAST form->paths[i], BAD_CAST words->paths[i]);
	return node;
}

static void change_source(xmlNodePtr node, const char *name, const char *text)
{
	for (xmlNodePtr child = node->children; child; child = child->next) {
		if (strcmp(node_name(child), name) != 0)
			continue;
		xmlNodeSetContent(child, NULL);
		xmlNodeAddContent(child, BAD_CAST text);
	}
}

/* The words' children of that name instead of those that there are, in their place. */
static void change_list(xmlNodePtr node, const struct words *words)
{
	xmlNodePtr child = node->children, next;

	for (; child; child = next) {
		next = child->next;
		if (strcmp(node_name(child), words->form->list) != 0)
			continue;
		xmlUnlinkNode(child);
		xmlFreeNode(child);
	}
	next = node->children;
	for (int i = 1; i < words->n_paths; i++) {
		child = xmlNewDocNode(node->doc, NULL, BAD_CAST words->form->list, NULL);
		xmlNodeAddContent(child, BAD_CAST words->paths[i]);
		if (next)
			xmlAddPrevSibling(next, child);
		else
			xmlAddChild(node, child);
	}
}

/* An empty value takes the attribute away. */
static void change_attributes(xmlNodePtr node, const struct words *words)
{
	for (int i = 0; i < words->n_attributes; i++) {
		const struct attribute *a = &words->attributes[i];

		if (*a->value)
			xmlSetProp(node, BAD_CAST a->name, BAD_CAST a->value);
		else
			xmlUnsetProp(node, BAD_CAST a->name);
	}
}

/* Puts it where the words say; what else its directive has, it has there, too. */
static void move(xmlNodePtr root, xmlNodePtr node, const struct words *words)
{
	const struct form *form = words->form;
	const char *outer = words->outer ? words->outer : "";
	xmlNodePtr from = node->parent, to;

	if (!from) {
		xmlAddChild(find_directive(root, form, outer, false), node);
		return;
	}
	if (!words->outer || has_attribute(from, form->outer, outer))
		return;
	to = from;
	if (count(form, from, false) > 1) {
		to = count(form, from, true) ? make_like(form, from)
					     : find_directive(root, form, outer, true);
		xmlUnlinkNode(node);
		xmlAddChild(to, node);
	}
	set_outer(form, to, outer);
}

/* Adds what the words say, or changes what is there of the same place. */
static int apply_words(
	struct cli *cli, xmlDocPtr doc, const struct form *form, int argc, char **argv)
{
	struct words words = read_words(cli, form, argc, argv);
	int wanted = form->paths[0] ? 2 : 1;
	xmlNodePtr root = xmlDocGetRootElement(doc), node = NULL;
	unsigned n;

	if (words.n_paths < wanted || (words.n_paths > wanted && !form->list))
		return cli_error("usage: virt-parts set DOMAIN %s %s", form->name, form->usage);
	n = find_same(root, form, words.paths[wanted - 1], &node);
	if (n > 1)
		return cli_error("cannot tell which <%s> of '%s' is meant, as there are %u: use "
				 "'virt-parts edit'",
			form->element, words.paths[wanted - 1], n);
	if (!node)
		node = make_node(&words);
	else if (form->paths[0])
		change_source(node, form->paths[0], words.paths[0]);
	if (form->list && words.n_paths > 1)
		change_list(node, &words);
	change_attributes(node, &words);
	move(root, node, &words);
	return CLI_GOOD;
}

static xmlDocPtr read_file(struct cli *cli, const char *path)
{
	const char *text = guest_read_text(cli, path);

	return text ? metadata_parse(cli, cli_format(cli, "'%s'", path), text) : NULL;
}

int set_command(struct cli *cli, int argc, char **argv)
{
	bool file = guest_is_file(argv[1]), none;
	const struct form *form = file ? NULL : find_form(argv[1]);
	const struct virt_guest *guest;
	int status = CLI_GOOD;
	xmlDocPtr doc = NULL;
	unsigned where;

	if (!file && !form)
		return CLI_ERROR;
	if (file && argc > 2)
		return cli_error("a file stands alone");
	guest = virt_one(cli, argv[0], VIRT_XML);
	if (!guest || !metadata_where(cli, guest, &where))
		return CLI_ERROR;
	if (file)
		doc = read_file(cli, argv[1]);
	else if (!metadata_get(cli, guest, where, &doc, &none))
		return CLI_ERROR;
	if (!doc)
		return CLI_ERROR;
	if (form)
		status = apply_words(cli, doc, form, argc - 2, argv + 2);
	if (status == CLI_GOOD)
		status = metadata_set(cli, guest, where, doc);
	xmlFreeDoc(doc);
	return status;
}
