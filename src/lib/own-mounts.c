/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ramdisks that a run has mounted and that are mounted now. */
#include "own-mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "beneath.h"
#include "mounts.h"
#include "record.h"

/* What the journal says of one tmpfs; the strings lie in the journal's text. */
struct mounted {
	const char *path, *device, *birth; /* device NULL: it was to be mounted, and perhaps is */
	struct vp_own_mount at_path, elsewhere;
	unsigned n_elsewhere;
};

struct finding {
	char source[VP_MOUNT_SOURCE_SIZE];
	struct mounted *mounted;
	size_t n;
	bool last; /* what cannot be looked at now is lost */
};

void vp_mount_source(const char *uuid, char ret[VP_MOUNT_SOURCE_SIZE])
{
	snprintf(ret, VP_MOUNT_SOURCE_SIZE, "virt-parts:%s", uuid);
}

void vp_birth_of(int fd, char ret[VP_BIRTH_SIZE])
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &st) < 0 || !(st.stx_mask & STATX_BTIME))
		strcpy(ret, "-");
	else
		snprintf(ret, VP_BIRTH_SIZE, "%lld.%09u", (long long)st.stx_btime.tv_sec,
			st.stx_btime.tv_nsec);
}

int vp_own_mount_open(const struct vp_own_mount *mount)
{
	int root, fd;
	uint64_t id;

	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	fd = vp_open_long_beneath(root, mount->path + 1, O_PATH | O_DIRECTORY);
	close(root);
	if (fd < 0)
		return fd == -ENAMETOOLONG ? fd : -EAGAIN;
	if (vp_mount_id(fd, &id) < 0 || id != mount->id) {
		close(fd);
		return -EAGAIN;
	}
	return fd;
}

char *vp_own_mount_shown(const struct vp_own_mount *mount, char buffer[VP_MOUNT_SHOWN_SIZE])
{
	size_t length = strlen(mount->path);

	if (length < VP_MOUNT_SHOWN_SIZE)
		return strcpy(buffer, mount->path);
	snprintf(buffer, VP_MOUNT_SHOWN_SIZE, "%.400s... (%s%zu bytes)", mount->path,
		mount->lost ? "more than " : "", length);
	return buffer;
}

/*
 * 1: the root of the mount was born then; 0: it was not; -EAGAIN: the mount could not be looked at,
 * since it has been moved from its place meanwhile or is covered; -ENAMETOOLONG: it lies too deep.
 */
static int has_birth(const struct vp_own_mount *mount, const char *birth)
{
	char born[VP_BIRTH_SIZE];
	int fd;

	if (mount->lost) /* its path is cut */
		return -ENAMETOOLONG;
	if (strcmp(birth, "-") == 0) /* then the device must do */
		return 1;
	fd = vp_own_mount_open(mount);
	if (fd < 0)
		return fd;
	vp_birth_of(fd, born);
	close(fd);
	return strcmp(born, birth) == 0;
}

static int remember(struct vp_own_mount *place, const struct vp_own_mount *mount)
{
	char *path = strdup(mount->path);

	if (!path)
		return -ENOMEM;
	free(place->path);
	*place = *mount;
	place->path = path;
	return 0;
}

/* 1: it is at the path that the journal has; 0: it is not, or -ENOMEM. */
static int take_at_path(struct mounted *m, const struct vp_own_mount *mount)
{
	int r;

	if (strcmp(m->path, mount->path) != 0)
		return 0;
	r = remember(&m->at_path, mount);
	return r < 0 ? r : 1;
}

/* 1: it is this one, somewhere else; 0: it is not, or -errno. */
static int take_elsewhere(struct mounted *m, struct vp_own_mount *mount, bool last)
{
	int r = has_birth(mount, m->birth);

	/* by source and device it is the run's, and nobody can look whether by birth, too */
	mount->lost = r == -ENAMETOOLONG || (r == -EAGAIN && last);
	if (r <= 0 && !mount->lost)
		return r;
	m->n_elsewhere++;
	r = remember(&m->elsewhere, mount);
	return r < 0 ? r : 1;
}

static int find(const struct vp_mount *mount, void *context)
{
	struct finding *finding = context;
	struct vp_own_mount found = {
		.id = mount->id, .path = (char *)mount->mount_point, .lost = mount->cut};
	char device[32];
	int r = 0;

	if (strcmp(mount->fs_type, "tmpfs") != 0 || strcmp(mount->source, finding->source) != 0)
		return 0;
	snprintf(device, sizeof(device), "%u:%u", major(mount->device), minor(mount->device));
	/* the last first: an earlier one may be gone, and its device used again */
	for (size_t i = finding->n; r == 0 && i-- > 0;)
		if (!finding->mounted[i].device || !strcmp(finding->mounted[i].device, device))
			r = take_at_path(&finding->mounted[i], &found);
	for (size_t i = finding->n; r == 0 && i-- > 0;)
		if (finding->mounted[i].device && !strcmp(finding->mounted[i].device, device))
			r = take_elsewhere(&finding->mounted[i], &found, finding->last);
	return r < 0 ? r : 0;
}

/* The one that was to be mounted on PATH and of which no more is known; else a new one. */
static struct mounted *to_be_mounted(struct finding *finding, const char *path)
{
	struct mounted *mounted;

	for (size_t i = 0; i < finding->n; i++)
		if (!finding->mounted[i].device && strcmp(finding->mounted[i].path, path) == 0)
			return &finding->mounted[i];
	mounted = reallocarray(finding->mounted, finding->n + 1, sizeof(*mounted));
	if (!mounted)
		return NULL;
	finding->mounted = mounted;
	mounted[finding->n] = (struct mounted){.path = path};
	return &mounted[finding->n++];
}

/* A line is understood whole or not at all; what follows a cut one is not there. */
static int parse_line(struct finding *finding, char *line)
{
	char *word = strsep(&line, " "), *device = NULL, *birth = NULL;
	bool done = strcmp(word, "mounted") == 0;
	struct mounted *m;

	if (!done && strcmp(word, "mount") != 0)
		return 0;
	if (done) {
		device = strsep(&line, " ");
		birth = strsep(&line, " ");
	}
	if (!line || !*line)
		return 0;
	m = to_be_mounted(finding, line);
	if (!m)
		return -ENOMEM;
	m->device = device;
	m->birth = birth;
	return 0;
}

static int parse_journal(struct finding *finding, char *text)
{
	char *line;
	int r = 0;

	while (r == 0 && strchr(text, '\n')) {
		line = strsep(&text, "\n");
		r = parse_line(finding, line);
	}
	return r;
}

static int add(struct vp_own_mounts *own, struct vp_own_mount *mount)
{
	struct vp_own_mount *mounts = reallocarray(own->mounts, own->n + 1, sizeof(*mounts));

	if (!mounts)
		return -ENOMEM;
	own->mounts = mounts;
	mounts[own->n++] = *mount;
	mount->path = NULL;
	return 0;
}

static int add_moved(struct vp_own_mounts *own, struct mounted *m)
{
	struct vp_own_mount *mount;
	int r = add(own, &m->elsewhere);

	if (r < 0)
		return r;
	mount = &own->mounts[own->n - 1];
	mount->several = m->n_elsewhere > 1;
	mount->lost |= mount->several;
	mount->was = strdup(m->path);
	return mount->was ? 0 : -ENOMEM;
}

/*
 * What is at its path counts, and a bind mount of it is nobody's. When all are elsewhere nobody can tell
 * which of them is the run's: to forget it would lose what is in it.
 */
static int collect(struct finding *finding, struct vp_own_mounts *own)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < finding->n; i++) {
		struct mounted *m = &finding->mounted[i];

		if (m->at_path.path)
			r = add(own, &m->at_path);
		else if (m->n_elsewhere > 0)
			r = add_moved(own, m);
	}
	return r;
}

static int read_once(int run, const char *uuid, bool last, struct vp_own_mounts *ret)
{
	struct finding finding = {.last = last};
	char *journal;
	int r;

	*ret = (struct vp_own_mounts){0};
	r = vp_record_read(run, "done/ramdisk", &journal, NULL);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	vp_mount_source(uuid, finding.source);
	r = parse_journal(&finding, journal);
	if (r == 0)
		r = vp_each_mount(find, &finding);
	if (r == 0)
		r = collect(&finding, ret);
	for (size_t i = 0; i < finding.n; i++) {
		free(finding.mounted[i].at_path.path);
		free(finding.mounted[i].elsewhere.path);
	}
	free(finding.mounted);
	free(journal);
	return r;
}

int vp_own_mounts_read(int run, const char *uuid, struct vp_own_mounts *ret)
{
	enum { TRIES = 50 };
	int r = -EAGAIN;

	/* a living accomplice of the guest may rename what a mount lies below, again and again */
	*ret = (struct vp_own_mounts){0};
	for (int i = 1; r == -EAGAIN && i <= TRIES; i++) {
		vp_own_mounts_free(ret);
		r = read_once(run, uuid, i == TRIES, ret);
	}
	return r;
}

void vp_own_mounts_free(struct vp_own_mounts *own)
{
	for (size_t i = 0; i < own->n; i++) {
		free(own->mounts[i].path);
		free(own->mounts[i].was);
	}
	free(own->mounts);
	*own = (struct vp_own_mounts){0};
}

const struct vp_own_mount *vp_own_mounts_lost(const struct vp_own_mounts *own)
{
	for (size_t i = 0; i < own->n; i++)
		if (own->mounts[i].lost)
			return &own->mounts[i];
	return NULL;
}

static bool has_id(const struct vp_own_mounts *own, uint64_t id)
{
	for (size_t i = 0; i < own->n; i++)
		if (own->mounts[i].id == id)
			return true;
	return false;
}

bool vp_own_mounts_has(int fd, const struct vp_own_mounts *own)
{
	uint64_t id;

	return own->n && vp_is_mount_root(fd) > 0 && vp_mount_id(fd, &id) == 0 && has_id(own, id);
}

bool vp_own_mounts_hold(int fd, const struct vp_own_mounts *own)
{
	uint64_t id;

	return own->n && (vp_mount_id(fd, &id) < 0 || has_id(own, id));
}
