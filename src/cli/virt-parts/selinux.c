/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What SELinux's loaded policy says, in the form of selinuxfs, and the contexts of files and processes. */
#include "selinux.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "io.h"

#define SELINUX "/sys/fs/selinux"

/* of a policy's answer to `access`: the domain that was asked about is permissive */
enum { ANSWER_PERMISSIVE = 1 };

/* The number of a class, or of a permission in it; 0: the policy does not know it. */
static unsigned long number_of(const char *class, const char *name)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), SELINUX "/class/%s/%s", class, name);
	return vp_read_first_line(path, text, sizeof(text)) ? strtoul(text, NULL, 10) : 0;
}

/* One question, and its answer. */
static bool ask(const char *node, const char *question, char *ret, size_t size)
{
	char path[64];
	ssize_t n = -1, length = (ssize_t)strlen(question);
	int fd;

	snprintf(path, sizeof(path), SELINUX "/%s", node);
	fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (write(fd, question, (size_t)length) == length)
		n = read(fd, ret, size - 1);
	close(fd);
	if (n <= 0)
		return false;
	ret[n] = '\0';
	return true;
}

enum selinux selinux_mode(void)
{
	char enforces[8];

	if (!vp_read_first_line(SELINUX "/enforce", enforces, sizeof(enforces)))
		return SELINUX_NONE;
	return enforces[0] == '1' ? SELINUX_ENFORCING : SELINUX_PERMISSIVE;
}

bool selinux_allows(
	const char *source, const char *target, const char *class, const char *permission)
{
	char text[1024], name[64];
	unsigned long class_number = number_of(class, "index"), bit;
	unsigned allowed, flags = 0;
	int n;

	snprintf(name, sizeof(name), "perms/%s", permission);
	bit = number_of(class, name);
	n = snprintf(text, sizeof(text), "%s %s %lu", source, target, class_number);
	if (!class_number || !bit || bit > 32 || n >= (int)sizeof(text) ||
		!ask("access", text, text, sizeof(text)) ||
		sscanf(text, "%x %*x %*x %*x %*u %x", &allowed, &flags) < 1)
		return false;
	return (allowed >> (bit - 1) & 1) || (flags & ANSWER_PERMISSIVE);
}

const char *selinux_domain_of_exec(struct cli *cli, const char *source, const char *target)
{
	char text[1024];
	int n = snprintf(
		text, sizeof(text), "%s %s %lu", source, target, number_of("process", "index"));

	if (n >= (int)sizeof(text) || !ask("create", text, text, sizeof(text)))
		return source;
	return cli_copy(cli, text, strcspn(text, "\n"));
}

const char *selinux_of_process(struct cli *cli, pid_t pid)
{
	char path[64], context[256];

	snprintf(path, sizeof(path), "/proc/%d/attr/current", pid);
	return vp_read_first_line(path, context, sizeof(context))
		       ? cli_copy(cli, context, strlen(context))
		       : NULL;
}

const char *selinux_of_file(struct cli *cli, const char *path)
{
	char context[256];
	ssize_t n = getxattr(path, "security.selinux", context, sizeof(context));

	if (n <= 0)
		return "system_u:object_r:unlabeled_t:s0";
	return cli_copy(cli, context, strnlen(context, (size_t)n));
}

const char *selinux_type(struct cli *cli, const char *context)
{
	for (int i = 0; i < 2; i++) {
		const char *colon = strchr(context, ':');

		if (!colon)
			return context;
		context = colon + 1;
	}
	return cli_copy(cli, context, strcspn(context, ":"));
}
