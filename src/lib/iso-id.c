/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names in an image's volume descriptor: what they can hold, and reading one back. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beneath.h"
#include "iso-id.h"

int iso_check_label(const char *label, const char **ret_why)
{
	size_t length = strlen(label);
	const char *why = NULL;

	for (const unsigned char *c = (const unsigned char *)label; *c; c++)
		if (*c < ' ' || *c > '~')
			why = "holds a byte that is not printable ASCII";
	if (length == 0)
		why = "is empty";
	else if (length > ISO_LABEL_MAX)
		why = "is longer than 32 characters";
	else if (!why && (label[0] == ' ' || label[length - 1] == ' '))
		why = "begins or ends with a blank"; /* the field is padded with blanks */
	if (!why)
		return 0;
	if (ret_why)
		*ret_why = why;
	return -EINVAL;
}

/* ECMA-119 8.4: the primary volume descriptor, always the first. */
#define PVD_OFFSET (16 * 2048)
#define PVD_SIZE 2048
#define PVD_APPLICATION_ID 574

int iso_read_application_id(int fd, char ret_id[ISO_APPLICATION_ID_MAX + 1])
{
	char pvd[PVD_SIZE];
	size_t done = 0, length = ISO_APPLICATION_ID_MAX;

	while (done < sizeof pvd) {
		ssize_t got = pread(fd, pvd + done, sizeof pvd - done, (off_t)(PVD_OFFSET + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return -ENODATA;
		done += (size_t)got;
	}
	if (memcmp(pvd, "\1CD001\1", 7))
		return -ENODATA;
	while (length > 0 && (pvd[PVD_APPLICATION_ID + length - 1] == ' ' ||
				     pvd[PVD_APPLICATION_ID + length - 1] == '\0'))
		length--;
	memcpy(ret_id, pvd + PVD_APPLICATION_ID, length);
	ret_id[length] = '\0';
	return 0;
}

void iso_owner_id(const char *uuid, char ret[ISO_OWNER_ID_SIZE])
{
	snprintf(ret, ISO_OWNER_ID_SIZE, ISO_OWNER_PREFIX "%s", uuid);
}

int iso_look_at_place(int parent, const char *leaf, const char *id)
{
	char there[ISO_APPLICATION_ID_MAX + 1];
	int fd = vp_open_beneath(parent, leaf, O_PATH), r;
	struct stat st;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	r = fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -EEXIST;
	close(fd);
	if (r < 0)
		return r;
	fd = vp_open_beneath(parent, leaf, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return fd;
	r = iso_read_application_id(fd, there);
	close(fd);
	if (r < 0)
		return r == -ENODATA ? -EEXIST : r;
	return strcasecmp(there, id) == 0 ? 1 : -EEXIST;
}
