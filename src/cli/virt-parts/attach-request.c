/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `attach` is asked for: an <iso> of a <preload>, and held to the same rules. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "asked.h"
#include "attach.h"
#include "bind.h"
#include "expand.h"

/* What a virtio disk's serial number can hold (VIRTIO_BLK_ID_BYTES). */
enum { MAX_NAME = 20 };

int attach_check_name(const char *name, const char **ret_why)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._-";

	if (strlen(name) > MAX_NAME)
		*ret_why = "is longer than the 20 characters of a disk's serial number";
	else if (name[strspn(name, bytes)])
		*ret_why = "may hold letters, digits, '.', '_' and '-' only";
	else if (!*name || strchr("._-", *name))
		*ret_why = "begins with neither a letter nor a digit";
	else
		return 0;
	return -EINVAL;
}

static const char *place_of(struct attach *x)
{
	struct cli *cli = x->cli;
	char root[PATH_MAX];
	const struct vp_rule *rule = vp_policy_first(&x->policy, VP_ISO, root);

	if (!rule) {
		cli_error("there is no place for the image: parts.conf has no 'iso' path for '%s'; "
			  "have one added to its [paths]",
			x->guest.name);
		return NULL;
	}
	/* a root that guests share: two of them may use one name */
	if (!strstr(rule->path, "%NAME%") && !strstr(rule->path, "%UUID%"))
		return cli_format(cli, "%s/%s.%s.attached.iso", root, x->guest.uuid, x->name);
	return cli_format(cli, "%s/%s.attached.iso", root, x->name);
}

/* Absolute, and without the slash that a shell's completion leaves at its end. */
static const char *directory(struct cli *cli, const char *path)
{
	char cwd[PATH_MAX];
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	if (path[0] == '/' || !getcwd(cwd, sizeof(cwd)))
		return cli_copy(cli, path, length);
	return cli_format(cli, "%s/%.*s", cwd, (int)length, path);
}

static bool add_file(struct attach *x, struct vp_element *iso, const char *value)
{
	const char *equals = strchr(value, '='), *text;
	struct vp_element *file;

	if (!equals || equals == value || !equals[1]) {
		cli_error("--file '%s' is not PATH=FILE: where it lies in the image, and what to "
			  "put there",
			value);
		return false;
	}
	text = guest_read_text(x->cli, equals + 1);
	if (!text)
		return false;
	file = vp_element_add(&x->source, iso, "file");
	if (!file || vp_element_set(&x->source, file, "path",
			     cli_copy(x->cli, value, (size_t)(equals - value))) < 0) {
		cli_error("%s", strerror(ENOMEM));
		return false;
	}
	file->text = text;
	return true;
}

static bool add_contents(struct attach *x, struct vp_element *iso)
{
	const struct option_value *option = NULL;
	struct vp_element *src;

	while ((option = cli_each_option(x->cli, "--src", option))) {
		src = vp_element_add(&x->source, iso, "src");
		if (!src)
			return false;
		src->text = directory(x->cli, option->value);
	}
	while ((option = cli_each_option(x->cli, "--file", option)))
		if (!add_file(x, iso, option->value))
			return false;
	if (iso->first_child)
		return true;
	cli_error("there is nothing to attach: say what with --src DIR or --file PATH=FILE");
	return false;
}

/* The <preload> with its <iso>; NULL, and told. */
static struct vp_element *make(struct attach *x)
{
	static const char *const attributes[] = {"mode", "uid", "gid"};
	const char *label = cli_option(x->cli, "--label"), *path = place_of(x), *value;
	struct vp_element *preload, *iso;
	int r = 0;

	if (!path)
		return NULL;
	preload = vp_element_add(&x->source, NULL, "preload");
	iso = preload ? vp_element_add(&x->source, preload, "iso") : NULL;
	if (!iso || vp_element_set(&x->source, iso, "path", path) < 0 ||
		vp_element_set(&x->source, iso, "label", label ? label : x->name) < 0)
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		value = cli_option(x->cli, cli_format(x->cli, "--%s", attributes[i]));
		if (value)
			r = vp_element_set(&x->source, iso, attributes[i], value);
	}
	if (r < 0) {
		cli_error("%s", strerror(ENOMEM));
		return NULL;
	}
	return add_contents(x, iso) ? preload : NULL;
}

/* The text of the record is made from what was given, so before it is bound. */
static int record(struct attach *x, const struct vp_element *preload)
{
	struct vp_tokens tokens;
	int r = vp_tokens_of(
		&x->source, preload, false, x->event.domain, x->event.uuid, x->event.time, &tokens);

	return r < 0 ? r : vp_asked_add(&x->source, preload, &tokens, &x->asked, &x->asked_length);
}

static bool check(struct attach *x, struct vp_element *preload)
{
	struct vp_checking checking = {
		.event = &x->event, .policy = &x->policy, .directives = x->source.directives};
	int r = vp_bind(&x->source, preload, vp_preload.spec, &x->event, &checking.where);

	if (r < 0) {
		cli_error("%s", r == -EINVAL ? x->source.why : strerror(-r));
		return false;
	}
	if (vp_directive_check(&checking, &vp_preload, preload) < 0) {
		cli_error("%s", checking.why);
		return false;
	}
	return true;
}

static bool check_sources(struct attach *x, const struct vp_element *iso)
{
	for (const struct vp_element *src = vp_child(iso, "src"); src; src = vp_next(src, "src")) {
		int fd = vp_policy_open_dir(&x->policy, VP_READ, src->text);

		if (fd < 0) {
			cli_error("%s", x->policy.why);
			return false;
		}
		close(fd);
	}
	return true;
}

bool attach_request(struct attach *x)
{
	struct vp_element *preload;
	const struct vp_element *iso;
	int r = vp_policy_load(&x->event, &x->policy);

	if (r < 0) {
		cli_error("%s", x->policy.why);
		return false;
	}
	preload = make(x);
	if (!preload)
		return false;
	r = record(x, preload);
	if (r < 0) {
		cli_error("%s", strerror(-r));
		return false;
	}
	if (!check(x, preload))
		return false;
	iso = vp_child(preload, "iso");
	x->path = vp_attr_text(iso, "path", "");
	return check_sources(x, iso);
}
