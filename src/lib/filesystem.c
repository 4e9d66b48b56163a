/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The <filesystem>s of a guest by the paths that directives may have for them. */
#include "filesystem.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *vp_filesystem_path(struct vp_source *source, const char *path)
{
	char *copy = vp_source_copy(source, path, strlen(path)), *out = copy;

	if (!copy)
		return NULL;
	for (; *path; path++)
		if (*path != '/' || (path[1] && path[1] != '/'))
			*out++ = *path;
	if (out == copy && *copy == '/') /* it was the root directory */
		out++;
	*out = '\0';
	return copy;
}

/* Where a path leads, as far as it is there: the rest may be made by this prepare. False: nobody can tell. */
static bool resolve(const char *path, char ret[2 * PATH_MAX])
{
	char head[PATH_MAX], real[PATH_MAX];
	size_t length = strlen(path);

	if (*path != '/' || length >= sizeof(head))
		return false;
	memcpy(head, path, length + 1);
	while (!realpath(head, real)) {
		char *slash = strrchr(head, '/');

		if (errno != ENOENT || slash == head)
			return false;
		*slash = '\0';
	}
	snprintf(ret, 2 * PATH_MAX, "%s%s", real, path + strlen(head));
	return true;
}

int vp_filesystems_resolve(struct vp_source *source, struct vp_filesystem *filesystems)
{
	char real[2 * PATH_MAX], *path;

	for (struct vp_filesystem *fs = filesystems, *second; fs; fs = fs->next) {
		if (!resolve(fs->source, real))
			continue;
		path = vp_filesystem_path(source, real);
		if (path && !strcmp(path, fs->source))
			continue;
		second = path ? vp_source_alloc(source, sizeof(*second)) : NULL;
		if (!second)
			return -ENOMEM;
		*second = (struct vp_filesystem){fs->next, path, fs->target};
		fs = fs->next = second;
	}
	return 0;
}
