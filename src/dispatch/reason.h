/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reason.h: why a guest ends, as far as libvirt tells. */
#ifndef VP_DISPATCH_REASON_H
#define VP_DISPATCH_REASON_H

#include <stdbool.h>
#include <time.h>

enum { REASON_SIZE = 64 };

/* From libvirt's EXTRA, which is not `-`: "from snapshot" is from-snapshot. */
void reason_from_extra(const char *extra, char ret[REASON_SIZE]);

/*
 * From the log of the qemu guest NAME: the last `shutting down, reason=` that is not older than
 * SINCE. False when there is none.
 */
bool reason_from_qemu_log(
	const char *log_dir, const char *name, time_t since, char ret[REASON_SIZE]);

/*
 * Whether the log of the qemu guest NAME says that it was being migrated away, since SINCE. How that
 * ended the log says only when it succeeded.
 */
bool reason_migration_began(const char *log_dir, const char *name, time_t since);

#endif
