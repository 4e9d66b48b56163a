/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virt.h: the guests that libvirt knows. Only virt*.c call libvirt. */
#ifndef VP_CLI_VIRT_H
#define VP_CLI_VIRT_H

#include "command.h"

#define VIRT_NAMESPACE "urn:virt-parts:1"

/* Whose guests a daemon has. */
enum virt_place {
	VIRT_HERE,	/* those of this host's system, which the hook is called for */
	VIRT_OF_USER,	/* a user's own */
	VIRT_ELSEWHERE, /* those of another host, or of a daemon that nothing here is known of */
};

struct virt_guest {
	struct virt_guest *next;
	const char *uri, *driver; /* qemu, lxc, libxl, bhyve */
	enum virt_place place;
	const char *name, *uuid;
	bool active, persistent, saved; /* saved: libvirt keeps a managed save of it */
	const char *xml;		/* as it starts next; of a transient guest, as it runs */
	const char *live;		/* as it runs; NULL when it does not */
};

/* A daemon that was asked. */
struct virt_daemon {
	struct virt_daemon *next;
	const char *uri;
	const char *driver;    /* "" when it did not answer */
	enum virt_place place; /* when it did */
	const char *why;       /* it did not answer; "" when it did */
	bool slow;	       /* it is there, but did not answer in time */
	bool absent;	       /* it is not there, or not installed */
	unsigned long
		version; /* of libvirt: major * 1000000 + minor * 1000 + release; 0: unknown */
};

struct virt_answer {
	struct virt_guest *guests;
	struct virt_daemon *daemons;
	bool answered; /* one of them at least */
};

enum virt_wish {
	VIRT_XML = 1 << 0, /* with the XML of each */
};

/*
 * Asks every daemon for the guest of that name or UUID, NULL: for all. A daemon that does not answer
 * in the time limit is in the list with the reason.
 */
struct virt_answer virt_ask(struct cli *cli, const char *name, unsigned wishes);

/* The URI of the system's daemon of that driver; NULL: it is none of libvirt's. */
const char *virt_uri(const char *driver);
/* Whether one that was asked has the driver's guests, as far as is known: without -c that is qemu's and lxc's. */
bool virt_asked(const struct virt_answer *answer, const char *driver);
/* One that may have the driver's guests, and is there, but has not answered in time; NULL. */
const struct virt_daemon *virt_slow(const struct virt_answer *answer, const char *driver);
/* Whether the driver was asked, and has answered, on this host: runs are of its guests alone. */
bool virt_answered(const struct virt_answer *answer, const char *driver);
/* A daemon that has answered and is not of this host's system; NULL. */
const struct virt_daemon *virt_foreign(const struct virt_answer *answer);
/* "is a guest of ...", of one that is none of this host's system, so that its runs are not here; NULL: it is. */
const char *virt_elsewhere(struct cli *cli, const struct virt_guest *guest);
/* A guest of this host's. */
const struct virt_guest *virt_find(
	const struct virt_answer *answer, const char *driver, const char *uuid);

/* Whether it may have guests that it has not told of. */
bool virt_is_silent(const struct virt_daemon *daemon);

/* Why no daemon has answered, in one text. */
const char *virt_why(struct cli *cli, const struct virt_answer *answer);

/* The one guest of that name or UUID; NULL, and told, when there is none or more than one. */
const struct virt_guest *virt_one(struct cli *cli, const char *name, unsigned wishes);

enum virt_where { VIRT_LIVE = 1 << 0, VIRT_CONFIG = 1 << 1 };

/*
 * The virt-parts element of the guest's metadata; NULL, with why "", when it has none. NULL and why
 * after an error.
 */
const char *virt_metadata(struct cli *cli, const struct virt_guest *guest, enum virt_where where,
	const char **ret_why);
/* Sets it, or removes it (NULL). 0, or -errno and why. */
int virt_set_metadata(struct cli *cli, const struct virt_guest *guest, unsigned where,
	const char *xml, const char **ret_why);

#endif
