/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a copy keeps of its original besides the data: owner, mode, times, and a list of extended
 * attributes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tree-copy-state.h"

#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"

/* XATTR_LIST_MAX and XATTR_SIZE_MAX of the kernel: one half of the buffer for each. */
#define MAX_XATTR ((size_t)64 << 10)
_Static_assert(VP_COPY_BUFFER >= 2 * MAX_XATTR, "the buffer holds the list and a value");

static bool is_acl(const char *attribute)
{
	return strcmp(attribute, ACL_ACCESS) == 0 || strcmp(attribute, ACL_DEFAULT) == 0;
}

/*
 * security.* would carry file capabilities and labels of a guest to the host, trusted.* is
 * overlayfs's.
 */
static bool is_copied(const char *attribute, bool acls)
{
	return strncmp(attribute, "user.", 5) == 0 || (acls && is_acl(attribute));
}

/* The calls by path work on an O_PATH descriptor too, and with this name can't be led elsewhere. */
static void fd_path(int fd, char path[32])
{
	snprintf(path, 32, "/proc/self/fd/%d", fd);
}

struct vp_copy_attributes vp_copy_attributes_of(const struct vp_copy *copy, const struct statx *stx)
{
	const struct vp_copy_options *options = copy->options;
	bool directory = S_ISDIR(stx->stx_mode);
	bool set = directory ? options->set_directory_mode : options->set_file_mode;
	mode_t mode = directory ? options->directory_mode : options->file_mode;

	return (struct vp_copy_attributes){
		.uid = options->uid != (uid_t)-1 ? options->uid : stx->stx_uid,
		.gid = options->gid != (gid_t)-1 ? options->gid : stx->stx_gid,
		/* never setuid or setgid; sticky means nothing on a file */
		.mode = (set ? mode : stx->stx_mode) & (directory ? 01777 : 0777),
		.acls = !set,
	};
}

/*
 * Copies one attribute. *ret_lost says that an access ACL could not be kept: its mask stands in
 * the mode's group bits, which would then give the group more than it had.
 */
static int copy_xattr(struct vp_copy *copy, const char *name, const char *attribute,
	const char *from, const char *to, bool *ret_lost)
{
	char *value = copy->buffer + MAX_XATTR;
	ssize_t length = getxattr(from, attribute, value, MAX_XATTR);

	if (length < 0)
		return errno == ENODATA ? vp_copy_changed(copy, name)
					: vp_copy_fail(copy, -errno, "read an attribute of", name);
	int r = vp_copy_charge(copy, (uint64_t)length);

	if (r < 0)
		return r;
	if (setxattr(to, attribute, value, (size_t)length, 0) == 0)
		return 0;
	if (errno != EOPNOTSUPP)
		return vp_copy_fail(copy, -errno, "write an attribute of", name);
	if (strcmp(attribute, ACL_ACCESS) == 0)
		*ret_lost = true;
	vp_copy_note(copy, name,
		is_acl(attribute) ? "ACL not copied: the destination has none"
				  : "user attribute not copied: the destination has none");
	return 0;
}

static int copy_xattrs(struct vp_copy *copy, const char *name, const char *from, const char *to,
	bool acls, bool *ret_lost)
{
	char *list = copy->buffer;
	ssize_t length = listxattr(from, list, MAX_XATTR);

	if (length < 0)
		return errno == EOPNOTSUPP || errno == ENOSYS
			       ? 0
			       : vp_copy_fail(copy, -errno, "list the attributes of", name);
	for (char *attribute = list; attribute < list + length;
		attribute += strlen(attribute) + 1) {
		int r = is_copied(attribute, acls)
				? copy_xattr(copy, name, attribute, from, to, ret_lost)
				: 0;

		if (r < 0)
			return r;
	}
	return 0;
}

int vp_drop_inherited_acls(int fd)
{
	char path[32];

	fd_path(fd, path);
	if (removexattr(path, ACL_ACCESS) < 0 && errno != ENODATA && errno != EOPNOTSUPP)
		return -errno;
	/* a file has none of these: EACCES, or EOPNOTSUPP */
	if (removexattr(path, ACL_DEFAULT) < 0 && errno != ENODATA && errno != EOPNOTSUPP &&
		errno != EACCES)
		return -errno;
	return 0;
}

int vp_copy_set_attributes(struct vp_copy *copy, const char *name, int in, const struct statx *stx,
	int out, const struct vp_copy_attributes *attributes)
{
	const struct timespec times[2] = {
		{.tv_sec = stx->stx_atime.tv_sec, .tv_nsec = stx->stx_atime.tv_nsec},
		{.tv_sec = stx->stx_mtime.tv_sec, .tv_nsec = stx->stx_mtime.tv_nsec},
	};
	char from[32], to[32];
	bool lost = false;

	fd_path(in, from);
	fd_path(out, to);
	if (fchownat(out, "", attributes->uid, attributes->gid,
		    AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0)
		return vp_copy_fail(copy, -errno, "set the owner of", name);
	if (!S_ISLNK(stx->stx_mode)) {
		int r = copy_xattrs(copy, name, from, to, attributes->acls, &lost);

		if (r < 0)
			return r;
		if (chmod(to, lost ? attributes->mode & ~070U : attributes->mode) < 0)
			return vp_copy_fail(copy, -errno, "set the mode of", name);
	}
	if (utimensat(out, "", times, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0)
		return vp_copy_fail(copy, -errno, "set the times of", name);
	return 0;
}
