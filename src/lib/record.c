/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record of a guest's run: a directory of small text files, each replaced as a whole. */
#include "record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"
#include "record-path.h"
#include "text.h"

enum { MAX_RECORD_FILE = 64 << 20 };

int vp_record_path(char path[PATH_MAX], const char *state_dir, const char *driver, const char *uuid,
	const char *suffix)
{
	/* both are names that were checked, so that nothing here leads out of the state directory */
	if (!vp_is_file_name(driver) || !vp_is_uuid(uuid))
		return -EINVAL;
	if (snprintf(path, PATH_MAX, "%s/%s/%s%s", state_dir, driver, uuid, suffix) >= PATH_MAX)
		return -ENAMETOOLONG;
	return 0;
}

static int open_dir(int at, const char *path)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int vp_record_open(const char *state_dir, const char *driver, const char *uuid)
{
	char path[PATH_MAX];
	int r = vp_record_path(path, state_dir, driver, uuid, "");

	return r < 0 ? r : open_dir(AT_FDCWD, path);
}

bool vp_record_has(int run, const char *name)
{
	/* what can't be looked at may be there: then reading it fails, instead of it being passed over */
	return faccessat(run, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

int vp_record_read(int run, const char *name, char **ret_text, size_t *ret_length)
{
	int fd = openat(run, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	size_t used = 0;
	char *text = NULL;
	struct stat st;
	int r = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (st.st_size > MAX_RECORD_FILE)
		r = -EFBIG;
	else if (!(text = malloc((size_t)st.st_size + 1)))
		r = -ENOMEM;
	while (r == 0 && used < (size_t)st.st_size) {
		ssize_t n = read(fd, text + used, (size_t)st.st_size - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			r = n < 0 ? -errno : -EIO;
		else
			used += (size_t)n;
	}
	close(fd);
	if (r < 0) {
		free(text);
		return r;
	}
	text[used] = '\0';
	*ret_text = text;
	if (ret_length)
		*ret_length = used;
	return 0;
}

/* Writes, syncs if it shall be on disk, and closes; the error of each counts. */
static int finish_file(int fd, const void *data, size_t length, bool durable)
{
	int r = vp_write_all(fd, data, length);

	if (r == 0 && durable && fsync(fd) < 0)
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

/* The directory of a record that NAME lies in, which it is made if need be. */
static int open_place(int run, const char *name, const char **ret_leaf)
{
	const char *slash = strchr(name, '/');
	char dir[NAME_MAX + 1];

	*ret_leaf = slash ? slash + 1 : name;
	if (!vp_is_file_name(*ret_leaf))
		return -EINVAL;
	if (!slash)
		return open_dir(run, ".");
	if ((size_t)(slash - name) >= sizeof(dir))
		return -ENAMETOOLONG;
	memcpy(dir, name, (size_t)(slash - name));
	dir[slash - name] = '\0';
	if (mkdirat(run, dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	return open_dir(run, dir);
}

static int replace(int run, const char *name, const void *data, size_t length, bool durable)
{
	char temporary[NAME_MAX + 1];
	const char *leaf;
	int place = open_place(run, name, &leaf), fd, r;

	if (place < 0)
		return place;
	if ((size_t)snprintf(temporary, sizeof(temporary), ".%s.new", leaf) >= sizeof(temporary)) {
		close(place);
		return -ENAMETOOLONG;
	}
	fd = openat(place, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = fd < 0 ? -errno : finish_file(fd, data, length, durable);
	if (r == 0 && renameat(place, temporary, place, leaf) < 0)
		r = -errno;
	if (r < 0 && fd >= 0)
		unlinkat(place, temporary, 0);
	if (r == 0 && durable && fsync(place) < 0)
		r = -errno;
	close(place);
	return r;
}

int vp_record_write(int run, const char *name, const void *data, size_t length)
{
	return replace(run, name, data, length, true);
}

int vp_record_note(int run, const char *name, const void *data, size_t length)
{
	return replace(run, name, data, length, false);
}

int vp_record_fill(int new_run, const char *name, const void *data, size_t length)
{
	const char *leaf;
	int place = open_place(new_run, name, &leaf), fd, r;

	if (place < 0)
		return place;
	fd = openat(place, leaf, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = fd < 0 ? -errno : vp_write_all(fd, data, length);
	/* on its way to the disk, all of them at once: vp_record_begin waits for it */
	if (r == 0)
		sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	if (fd >= 0 && close(fd) < 0 && r == 0)
		r = -errno;
	close(place);
	return r;
}

/* The length of the whole lines in a file of SIZE: behind them may be one that a full disk or a power loss has cut. */
static off_t whole_lines(int fd, off_t size)
{
	char last;

	while (size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n')
		size--;
	return size;
}

/* Behind the last line, whole or not at all: the next line would go on where this one was cut. */
static int append_whole(int fd, const char *text, size_t length)
{
	struct stat st;
	off_t end;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	end = whole_lines(fd, st.st_size);
	if (end < st.st_size && ftruncate(fd, end) < 0)
		return -errno;
	r = vp_write_all(fd, text, length);
	if (r < 0 && ftruncate(fd, end) < 0)
		r = -errno;
	return r;
}

int vp_record_append(int run, const char *name, const char *line)
{
	const char *leaf;
	size_t length = strlen(line);
	char *text;
	int place, fd, r;

	if (memchr(line, '\n', length))
		return -EINVAL;
	place = open_place(run, name, &leaf);
	if (place < 0)
		return place;
	text = malloc(length + 2);
	if (!text) {
		close(place);
		return -ENOMEM;
	}
	memcpy(text, line, length);
	text[length] = '\n';
	fd = openat(place, leaf, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = fd < 0 ? -errno : append_whole(fd, text, length + 1);
	if (fd >= 0 && close(fd) < 0 && r == 0)
		r = -errno;
	free(text);
	close(place);
	return r;
}

int vp_record_reserve(int run, const char *name, size_t length)
{
	const char *leaf;
	int place = open_place(run, name, &leaf), fd, r;
	struct stat st;

	if (place < 0)
		return place;
	fd = openat(place, leaf, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;
	if (r == 0 && fallocate(fd, FALLOC_FL_KEEP_SIZE, st.st_size, (off_t)length) < 0 &&
		errno != EOPNOTSUPP)
		r = -errno;
	if (fd >= 0)
		close(fd);
	close(place);
	return r;
}

int vp_record_has_line(int run, const char *name, const char *line)
{
	size_t length = strlen(line);
	int found = 0, r;
	char *text;

	r = vp_record_read(run, name, &text, NULL);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (const char *at = text; *at && !found;
		at += strcspn(at, "\n") + (strchr(at, '\n') != NULL))
		found = strncmp(at, line, length) == 0 && at[length] == '\n';
	free(text);
	return found;
}

int vp_record_remove(int run, const char *name)
{
	return unlinkat(run, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* Two levels: a record has files, and directories of files. What can't go stays, and is reported. */
static int remove_record(int parent, const char *name, unsigned depth)
{
	int fd = open_dir(parent, name), r = 0;
	struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	dir = fdopendir(fd);
	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno != EISDIR || depth == 0)
			r = -errno;
		else if (remove_record(dirfd(dir), entry->d_name, depth - 1) < 0)
			r = -ENOTEMPTY;
	}
	closedir(dir);
	if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT && r == 0)
		r = -errno;
	return r;
}

int vp_record_new(const char *state_dir, const char *driver, const char *uuid)
{
	char path[PATH_MAX];
	int r = vp_record_path(path, state_dir, driver, uuid, ".new");

	if (r < 0)
		return r;
	*strrchr(path, '/') = '\0';
	r = vp_make_private_dir(path);
	if (r == 0) {
		path[strlen(path)] = '/';
		r = remove_record(AT_FDCWD, path, 1);
	}
	if (r == 0 && mkdir(path, 0700) < 0)
		r = -errno;
	return r < 0 ? r : open_dir(AT_FDCWD, path);
}

/* The names in the directory that PATH lies in, which is cut to that. */
static int sync_names(char *path)
{
	int fd, r;

	*strrchr(path, '/') = '\0';
	fd = open_dir(AT_FDCWD, path);
	if (fd < 0)
		return fd;
	r = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return r;
}

int vp_record_end(const char *state_dir, const char *driver, const char *uuid)
{
	char from[PATH_MAX], to[PATH_MAX];
	int r = vp_record_path(from, state_dir, driver, uuid, "");

	if (r < 0)
		return r;
	r = vp_record_path(to, state_dir, driver, uuid, ".over");
	if (r < 0)
		return r;
	r = remove_record(AT_FDCWD, to, 1);
	if (r < 0)
		return r;
	if (rename(from, to) < 0)
		return errno == ENOENT ? 0 : -errno;
	/* a record that came back would have what the guest writes from now on taken for what its run has left */
	r = sync_names(from);
	return r < 0 ? r : remove_record(AT_FDCWD, to, 1);
}

int vp_make_private_dir(const char *dir)
{
	char path[PATH_MAX];
	size_t length = strlen(dir);

	if (mkdir(dir, 0700) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT || length >= sizeof(path))
		return -errno;
	memcpy(path, dir, length + 1);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}
