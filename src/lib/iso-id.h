/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names in an image's volume descriptor: its label, and the application id that says whose it is. */
#ifndef VP_ISO_ID_H
#define VP_ISO_ID_H

/* The longest label (ECMA-119 8.4.7), and the longest application id (8.4.20). */
#define ISO_LABEL_MAX 32
#define ISO_APPLICATION_ID_MAX 128

/* An image's application id is this and the UUID of the guest whose it is. */
#define ISO_OWNER_PREFIX "VIRT-PARTS "

/* Whether every reader would show the label as it is. Returns 0, or -EINVAL and the reason. */
int iso_check_label(const char *label, const char **ret_why);

/*
 * Reads the application id of an image, without the blanks at its end. It was stored in capitals:
 * compare it with strcasecmp(). Returns 0, -ENODATA if the file is no ISO 9660 image, or -errno.
 */
int iso_read_application_id(int fd, char ret_id[ISO_APPLICATION_ID_MAX + 1]);

/* The application id of an image of the guest UUID. */
enum { ISO_OWNER_ID_SIZE = 64 };
void iso_owner_id(const char *uuid, char ret[ISO_OWNER_ID_SIZE]);

/* 1: an image with that application id is there; 0: nothing is; -EEXIST: something else; -errno. */
int iso_look_at_place(int parent, const char *leaf, const char *id);

#endif
