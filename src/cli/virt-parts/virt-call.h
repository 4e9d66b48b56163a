/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virt-call.h: how a child that calls libvirt is asked, and answers. For virt*.c alone. */
#ifndef VP_CLI_VIRT_CALL_H
#define VP_CLI_VIRT_CALL_H

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "child.h"
#include "virt.h"

struct virt_request {
	const char *uri, *name; /* name NULL: all guests */
	unsigned wishes, where;
	const char *metadata; /* NULL: remove it */
	const char *device;   /* its XML */
};

/* The fields of an answer, one after the other; "" behind the last. */
struct virt_fields {
	struct cli *cli;
	const char *at, *end;
};

const char *virt_next_field(struct virt_fields *f);

/* In the child: a field of the answer; libvirt's last error as the answer, and 1. */
void virt_put(FILE *answer, const char *text);
int virt_fail(FILE *answer);
/* libvirt prints every error otherwise. */
void virt_say_nothing(void *data, virErrorPtr error);

/*
 * Has a child do WORK, which answers with one field. 0 and the field; -EIO: libvirt refused, and
 * the text is its reason; -ETIMEDOUT or another -errno: it may still do it, and the text says so.
 */
int virt_call(
	struct cli *cli, child_work *work, struct virt_request *request, const char **ret_text);

/* An enum virt_place, of the URI that a connection has in the end: aliases are replaced. */
enum virt_place virt_place_of(const char *uri);

/* Why a call failed: by what child_run returned, or what the child told. */
const char *virt_why_of(struct cli *cli, int r, const char *text);

#endif
