/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: what makes a path one that only root can have put there. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "doctor.h"
#include "trust.h"

/* Of the components of an absolute path the first that others than root could have put there. */
static const char *find_untrusted(struct cli *cli, const char *path, struct stat *ret_stat)
{
	for (size_t length = 1; path[length - 1]; length++) {
		const char *part = cli_copy(cli, path, length);

		if ((!path[length] || path[length] == '/') && lstat(part, ret_stat) == 0 &&
			vp_trust_mode(ret_stat) < 0)
			return part;
	}
	return NULL;
}

const char *doctor_trust_mend(struct cli *cli, const char *path, const char *mode)
{
	char real[PATH_MAX];
	struct stat st;
	const char *untrusted = find_untrusted(cli, path, &st);

	if (!untrusted && realpath(path, real))
		untrusted = find_untrusted(cli, real, &st);
	if (!untrusted)
		return "";
	untrusted = cli_quoted(cli, untrusted);
	/* such as /tmp, which others need as it is */
	if (S_ISDIR(st.st_mode) && (st.st_mode & (S_ISVTX | S_IWOTH)) == (S_ISVTX | S_IWOTH))
		return cli_format(cli, "use a place that is not below %s, where anybody may write",
			untrusted);
	return cli_format(cli, "chown -h root:root %s && chmod %s %s", untrusted, mode, untrusted);
}
