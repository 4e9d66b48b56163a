/* SPDX-License-Identifier: GPL-2.0-or-later */
/* findings.h: what check and doctor have found, as people and programs are told. */
#ifndef VP_CLI_FINDINGS_H
#define VP_CLI_FINDINGS_H

#include "command.h"

enum finding_level { FINDING_NOTE, FINDING_WARNING, FINDING_ERROR };

struct finding {
	struct finding *next;
	enum finding_level level;
	const char *about;	     /* the guest, or what it is about; "" */
	const char *domain, *driver; /* of the guest; NULL */
	const char *text;
	const char *mend; /* the command, or the change, that mends it; "" */
	bool mended;	  /* by --fix */
	int (*fix)(struct cli *cli,
		const struct finding *finding); /* harmless; NULL: none. 0 or -errno */
	const char *path;			/* for fix */
	const void *data;			/* for fix */
};

struct findings {
	struct cli *cli;
	struct finding *first, **last;
	const char *domain, *driver; /* of the guest that is looked at now; NULL */
};

void findings_init(struct findings *findings, struct cli *cli);

struct finding *findings_add(struct findings *findings, enum finding_level level, const char *about,
	const char *mend, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Prints them, and NOTHING when none is above a note. The exit status: 0 when none is above a note. */
int findings_print(const struct findings *findings, const char *nothing);

#endif
