/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the parts of a guest may act, by the path rules of parts.conf. */
#include "policy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "beneath.h"
#include "root-dir.h"
#include "text.h"

/* One table: what a kind of access is called in parts.conf, and how a missing root is made. */
static const struct {
	const char *key;
	unsigned make_mode;
	bool root_itself;
} kinds[] = {
	[VP_READ] = {"read", 0, true},
	[VP_WRITE] = {"write", 0700, false},
	[VP_DELETE] = {"delete", 0, false},
	[VP_ISO] = {"iso", 0711, false},
};

__attribute__((format(printf, 3, 4))) static int refuse(
	struct vp_policy *policy, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(policy->why, sizeof(policy->why), format, args);
	va_end(args);
	return error;
}

int vp_policy_load(const struct vp_event *event, struct vp_policy *ret)
{
	char path[PATH_MAX], why[768] = "";
	int r;

	*ret = (struct vp_policy){.event = event};
	if (snprintf(path, sizeof(path), "%s/parts.conf", event->hook_dir) >= (int)sizeof(path))
		return refuse(ret, -ENAMETOOLONG, "the hook directory's path is too long");
	r = vp_conf_read(path, &ret->conf, why, sizeof(why));
	if (r < 0)
		return refuse(ret, r,
			"no valid policy, so nothing is allowed: %s; mend it and try again", why);
	return 0;
}

void vp_policy_free(struct vp_policy *policy)
{
	vp_conf_free(&policy->conf);
}

/* A rule's path for this guest. -EINVAL when it is none then; such a rule allows nothing. */
static int rule_root(
	const struct vp_policy *policy, const struct vp_rule *rule, char root[PATH_MAX])
{
	const char *const tokens[][2] = {
		{"%NAME%", policy->event->domain}, {"%UUID%", policy->event->uuid}};
	const char *at = rule->path, *why;
	size_t used = 0;

	while (*at) {
		const char *insert = at;
		size_t length = 1, skip = 1;

		for (size_t i = 0; i < 2; i++) {
			if (strncmp(at, tokens[i][0], strlen(tokens[i][0])) != 0)
				continue;
			insert = tokens[i][1];
			length = strlen(insert);
			skip = strlen(tokens[i][0]);
			/* one component at most, or it would scope the rule elsewhere */
			if (!vp_is_file_name(insert))
				return -EINVAL;
		}
		if (used + length >= PATH_MAX)
			return -EINVAL;
		memcpy(root + used, insert, length);
		used += length;
		at += skip;
	}
	root[used] = '\0';
	return vp_check_path(root, &why);
}

/* A root, or above one, must not be written over, mounted on or deleted. */
static int check_roots(struct vp_policy *policy, enum vp_access access, const char *path)
{
	char root[PATH_MAX];

	if (kinds[access].root_itself)
		return 0;
	for (const struct vp_rule *rule = policy->conf.rules; rule; rule = rule->next) {
		if (rule_root(policy, rule, root) < 0 || !vp_path_within(root, path))
			continue;
		return refuse(policy, -EPERM,
			"'%s' is, or lies above, the root '%s' of a rule in parts.conf (line %u); "
			"name a directory below it",
			path, root, rule->line);
	}
	return 0;
}

const struct vp_rule *vp_policy_rule(
	const struct vp_policy *policy, enum vp_access access, const char *path, char *ret_root)
{
	const struct vp_rule *best = NULL;
	char root[PATH_MAX];

	*ret_root = '\0';
	for (const struct vp_rule *rule = policy->conf.rules; rule; rule = rule->next) {
		if (rule->access != access || rule_root(policy, rule, root) < 0)
			continue;
		if (vp_path_within(path, root) && strlen(root) > strlen(ret_root)) {
			strcpy(ret_root, root);
			best = rule;
		}
	}
	return best;
}

const struct vp_rule *vp_policy_first(
	const struct vp_policy *policy, enum vp_access access, char *ret_root)
{
	const struct vp_rule *rule = policy->conf.rules;

	while (rule && (rule->access != access || rule_root(policy, rule, ret_root) < 0))
		rule = rule->next;
	return rule;
}

const char *vp_access_text(enum vp_access access)
{
	return access == VP_ANYWHERE ? "" : kinds[access].key;
}

int vp_policy_allows(
	struct vp_policy *policy, enum vp_access access, const char *path, char *ret_root)
{
	char best[PATH_MAX];
	const char *why;

	if (vp_check_path(path, &why) < 0)
		return refuse(policy, -EINVAL, "'%s' %s", path, why);
	if (!policy->conf.valid)
		return -EPERM;
	if (!vp_policy_rule(policy, access, path, best))
		return refuse(policy, -EPERM,
			"'%s' lies below no '%s' path of parts.conf; use an allowed path or have "
			"one added to its [paths]",
			path, kinds[access].key);
	if (ret_root)
		strcpy(ret_root, best);
	return check_roots(policy, access, path);
}

int vp_policy_open_root(struct vp_policy *policy, enum vp_access access, const char *path,
	const char **ret_relative)
{
	char root[PATH_MAX], why[768] = "";
	int r = vp_policy_allows(policy, access, path, root);
	size_t length;

	if (r < 0)
		return r;
	length = strlen(root) == 1 ? 0 : strlen(root);
	r = vp_open_root_dir(root, kinds[access].make_mode, why, sizeof(why));
	if (r < 0)
		return refuse(policy, r, "cannot open the allowed path '%s': %s", root, why);
	*ret_relative = path + length + (path[length] == '/');
	return r;
}

static int refuse_path(struct vp_policy *policy, int error, const char *verb, const char *path)
{
	if (error == -ELOOP)
		return refuse(policy, error,
			"cannot %s '%s': a symbolic link is on the way, which is never followed",
			verb, path);
	if (error == -ENOTDIR)
		return refuse(policy, error,
			"cannot %s '%s': %s, or a symbolic link, which is never followed", verb,
			path, strerror(ENOTDIR));
	return refuse(policy, error, "cannot %s '%s': %s", verb, path, strerror(-error));
}

int vp_policy_open_dir(struct vp_policy *policy, enum vp_access access, const char *path)
{
	const char *relative;
	int root = vp_policy_open_root(policy, access, path, &relative), fd;

	if (root < 0)
		return root;
	fd = vp_open_beneath(root, relative, O_RDONLY | O_DIRECTORY);
	close(root);
	return fd < 0 ? refuse_path(policy, fd, "open", path) : fd;
}

int vp_policy_open_parent(struct vp_policy *policy, enum vp_access access, const char *path,
	unsigned make_mode, const char **ret_leaf)
{
	char parent[PATH_MAX];
	const char *relative, *slash;
	int root = vp_policy_open_root(policy, access, path, &relative), fd;

	if (root < 0)
		return root;
	slash = strrchr(relative, '/');
	*ret_leaf = slash ? slash + 1 : relative;
	memcpy(parent, relative, slash ? (size_t)(slash - relative) : 0);
	parent[slash ? slash - relative : 0] = '\0';
	fd = make_mode ? vp_mkdirs_beneath(root, parent, make_mode)
		       : vp_open_beneath(root, parent, O_RDONLY | O_DIRECTORY);
	close(root);
	if (fd < 0)
		return refuse_path(policy, fd,
			make_mode ? "make the directory of" : "open the directory of", path);
	return fd;
}
