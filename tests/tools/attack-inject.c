/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a program with all that it starts, and at the N-th system call of them all kills, makes the call fail, or shuts
 * the filesystem down as a power loss would. Like strace -e inject, but it counts over all processes, and is fast.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
	"usage: attack-inject OPTION... -- PROGRAM [ARGUMENT...]\n"
	"  --at N             at the N-th system call (with --error: of those that can fail)\n"
	"  --kill             SIGKILL to who makes it\n"
	"  --kill-all         SIGKILL to all\n"
	"  --error V          it fails with the V-th error that fits it, from 0\n"
	"  --shutdown DIR F   FS_IOC_SHUTDOWN of the filesystem of DIR with flags F, SIGKILL to "
	"all\n"
	"  --no-fsync         every fsync and the like does nothing and succeeds\n"
	"  --no-replace       RENAME_NOREPLACE and the like fail, as on NFS\n"
	"  --no-tmpfile       so does a file without a name\n"
	"  --after TEXT       system calls count from the first on that opens, makes or executes a "
	"path with TEXT\n"
	"  --report FILE      gets `calls N fallible N hit NAME`\n"
	"exit: that of the program; 125: a signal ended it; 124: the call or the error was not "
	"reached\n";

#ifndef FS_IOC_SHUTDOWN
#define FS_IOC_SHUTDOWN _IOR('X', 125, uint32_t)
#endif

enum { MAX_PROCESSES = 512, MAX_ERRORS = 4, SUCCEEDS = -1 };

/* Which calls can fail, and how. */
static const struct fallible {
	long number;
	const char *name;
	int errors[MAX_ERRORS];
} fallible[] = {
	{SYS_openat, "openat", {EIO, EMFILE, ENOMEM}},
#ifdef SYS_open
	{SYS_open, "open", {EIO, EMFILE}},
	{SYS_mkdir, "mkdir", {ENOSPC, EROFS}},
	{SYS_rename, "rename", {ENOSPC, EIO}},
	{SYS_unlink, "unlink", {EROFS, EIO}},
	{SYS_rmdir, "rmdir", {EROFS, EIO}},
	{SYS_readlink, "readlink", {EIO, ENOMEM}},
	{SYS_chmod, "chmod", {EIO, EROFS}},
	{SYS_access, "access", {EIO, ENOMEM}},
	{SYS_pipe, "pipe", {EMFILE}},
	{SYS_fork, "fork", {EAGAIN, ENOMEM}},
	{SYS_vfork, "vfork", {EAGAIN, ENOMEM}},
	{SYS_poll, "poll", {ENOMEM}},
	{SYS_dup2, "dup2", {EMFILE}},
#endif
	{SYS_openat2, "openat2", {EIO, EMFILE, ENOMEM}},
	{SYS_read, "read", {EIO}},
	{SYS_pread64, "pread64", {EIO}},
	{SYS_readv, "readv", {EIO}},
	{SYS_write, "write", {ENOSPC, EIO}},
	{SYS_pwrite64, "pwrite64", {ENOSPC, EIO, EDQUOT}},
	{SYS_writev, "writev", {ENOSPC, EIO}},
	{SYS_copy_file_range, "copy_file_range", {ENOSPC, EIO, EDQUOT}},
	{SYS_sendfile, "sendfile", {EIO}},
	{SYS_fsync, "fsync", {EIO, ENOSPC}},
	{SYS_fdatasync, "fdatasync", {EIO}},
	{SYS_ftruncate, "ftruncate", {ENOSPC, EIO}},
	{SYS_fallocate, "fallocate", {ENOSPC}},
	{SYS_close, "close", {EIO}},
	{SYS_getdents64, "getdents64", {EIO, ENOMEM}},
	{SYS_mkdirat, "mkdirat", {ENOSPC, EROFS, EDQUOT}},
	{SYS_mknodat, "mknodat", {ENOSPC, EROFS}},
	{SYS_linkat, "linkat", {ENOSPC, EMLINK, EIO}},
	{SYS_symlinkat, "symlinkat", {ENOSPC, EIO}},
	{SYS_unlinkat, "unlinkat", {EROFS, EIO}},
	{SYS_renameat, "renameat", {ENOSPC, EROFS, EIO}},
	{SYS_renameat2, "renameat2", {ENOSPC, EROFS, EIO}},
	{SYS_readlinkat, "readlinkat", {EIO, ENOMEM}},
	{SYS_fchmod, "fchmod", {EIO, EROFS}},
	{SYS_fchmodat, "fchmodat", {EIO, EROFS}},
	{SYS_fchown, "fchown", {EIO, EROFS, EDQUOT}},
	{SYS_fchownat, "fchownat", {EIO, EROFS, EDQUOT}},
	{SYS_utimensat, "utimensat", {EIO, EROFS}},
	{SYS_getxattr, "getxattr", {EIO, ENOMEM}},
	{SYS_listxattr, "listxattr", {EIO, ENOMEM}},
	{SYS_setxattr, "setxattr", {ENOSPC, EIO}},
	{SYS_removexattr, "removexattr", {EIO}},
	{SYS_statx, "statx", {EIO, ENOMEM}},
	{SYS_newfstatat, "newfstatat", {EIO, ENOMEM}},
	{SYS_fstat, "fstat", {EIO}},
	{SYS_statfs, "statfs", {EIO}},
	{SYS_fstatfs, "fstatfs", {EIO}},
	{SYS_faccessat, "faccessat", {EIO, ENOMEM}},
	{SYS_faccessat2, "faccessat2", {EIO, ENOMEM}},
	{SYS_lseek, "lseek", {EIO}},
	{SYS_ioctl, "ioctl", {EIO}},
	{SYS_flock, "flock", {ENOLCK, ENOMEM}},
	{SYS_fcntl, "fcntl", {ENOMEM}},
	{SYS_mmap, "mmap", {ENOMEM}},
	{SYS_brk, "brk", {ENOMEM}},
	{SYS_clone, "clone", {EAGAIN, ENOMEM}},
	{SYS_clone3, "clone3", {EAGAIN, ENOMEM}},
	{SYS_pidfd_open, "pidfd_open", {EMFILE, ENOMEM}},
	{SYS_mprotect, "mprotect", {ENOMEM}},
	{SYS_close_range, "close_range", {EMFILE, ENOMEM}},
	{SYS_execve, "execve", {ENOMEM, EIO}},
	{SYS_pipe2, "pipe2", {EMFILE}},
	{SYS_dup3, "dup3", {EMFILE}},
	{SYS_memfd_create, "memfd_create", {EMFILE, ENOMEM}},
	{SYS_getrandom, "getrandom", {EINTR, ENOSYS}},
	{SYS_fchdir, "fchdir", {EIO}},
	{SYS_chdir, "chdir", {EIO}},
	{SYS_umount2, "umount2", {EIO, ENOMEM}},
	{SYS_fsopen, "fsopen", {EMFILE, ENOMEM}},
	{SYS_fsconfig, "fsconfig", {ENOMEM}},
	{SYS_fsmount, "fsmount", {EMFILE, ENOMEM}},
	{SYS_move_mount, "move_mount", {ENOMEM, ENOSPC}},
};

enum action { COUNT, KILL, KILL_ALL, FAIL, SHUTDOWN };

static enum action action;
static long at_call, variant, calls, fallible_calls;
static int shutdown_fd = -1, shutdown_flags;
static bool no_fsync, no_replace, no_tmpfile;
static const char *report_path, *after, *hit = "nothing";

static struct process {
	pid_t id;
	bool begun;
	int result; /* SUCCEEDS, or an error that the call under way is made to give; 0: its own */
} processes[MAX_PROCESSES];

static void die(const char *what)
{
	fprintf(stderr, "attack-inject: %s: %s\n", what, strerror(errno));
	exit(126);
}

static struct process *process_of(pid_t id)
{
	struct process *empty = NULL;

	for (size_t i = 0; i < MAX_PROCESSES; i++) {
		if (processes[i].id == id)
			return &processes[i];
		if (!processes[i].id && !empty)
			empty = &processes[i];
	}
	if (!empty)
		die("too many processes");
	*empty = (struct process){.id = id};
	return empty;
}

static void kill_all(void)
{
	for (size_t i = 0; i < MAX_PROCESSES; i++)
		if (processes[i].id)
			kill(processes[i].id, SIGKILL);
}

#if defined(__x86_64__)
static void set_call(pid_t id, long number)
{
	ptrace(PTRACE_POKEUSER, id, offsetof(struct user_regs_struct, orig_rax), number);
}

static void set_result(pid_t id, long value)
{
	ptrace(PTRACE_POKEUSER, id, offsetof(struct user_regs_struct, rax), value);
}
#elif defined(__aarch64__)
static void set_call(pid_t id, long number)
{
	int value = (int)number;
	struct iovec vector = {&value, sizeof(value)};

	ptrace(PTRACE_SETREGSET, id, NT_ARM_SYSTEM_CALL, &vector);
}

static void set_result(pid_t id, long value)
{
	struct user_regs_struct regs;
	struct iovec vector = {&regs, sizeof(regs)};

	ptrace(PTRACE_GETREGSET, id, NT_PRSTATUS, &vector);
	regs.regs[0] = (unsigned long long)value;
	ptrace(PTRACE_SETREGSET, id, NT_PRSTATUS, &vector);
}
#else
#error "attack-inject does not know the registers of this machine"
#endif

static const struct fallible *fallible_of(long number)
{
	for (size_t i = 0; i < sizeof(fallible) / sizeof(fallible[0]); i++)
		if (fallible[i].number == number)
			return &fallible[i];
	return NULL;
}

static void fail_call(struct process *process, const struct fallible *call)
{
	static char text[64];

	if (variant >= MAX_ERRORS || !call->errors[variant])
		return;
	process->result = call->errors[variant];
	/* a descriptor is closed in any case */
	if (call->number != SYS_close)
		set_call(process->id, -1);
	snprintf(text, sizeof(text), "%s:%s", call->name, strerrorname_np(process->result));
	hit = text;
}

static void act(struct process *process, long number)
{
	const struct fallible *call = fallible_of(number);
	static char text[32];

	if (action == FAIL) {
		if (call && ++fallible_calls == at_call)
			fail_call(process, call);
		return;
	}
	if (action == COUNT) {
		fallible_calls += call != NULL;
		return;
	}
	if (calls != at_call)
		return;
	snprintf(text, sizeof(text), "%ld", number);
	hit = call ? call->name : text;
	if (action == SHUTDOWN && ioctl(shutdown_fd, FS_IOC_SHUTDOWN, &shutdown_flags) < 0)
		die("FS_IOC_SHUTDOWN");
	if (action == KILL)
		kill(process->id, SIGKILL);
	else
		kill_all();
}

/* Whether it opens, makes or executes a path that has the text in it. */
static bool is_begin(pid_t id, const struct __ptrace_syscall_info *info)
{
	char path[4096] = "";
	struct iovec here = {path, sizeof(path) - 1};
	struct iovec there = {NULL, 0};
	/* what follows the path in memory may not be readable */
	const size_t page = 4096;

	if (info->entry.nr == SYS_execve)
		there.iov_base = (void *)(uintptr_t)info->entry.args[0];
	else if (info->entry.nr == SYS_openat || info->entry.nr == SYS_mkdirat)
		there.iov_base = (void *)(uintptr_t)info->entry.args[1];
	else
		return false;
	there.iov_len = page - ((uintptr_t)there.iov_base & (page - 1));
	if (there.iov_len < 512)
		there.iov_len += page;
	if (there.iov_len > here.iov_len)
		there.iov_len = here.iov_len;
	return process_vm_readv(id, &here, 1, &there, 1, 0) > 0 && strstr(path, after);
}

/* The error with which a call of that kind fails on a filesystem that has no such calls; 0: it has it. */
static int error_of_lack(const struct __ptrace_syscall_info *info)
{
	if (no_replace && info->entry.nr == SYS_renameat2 && info->entry.args[4])
		return EINVAL;
	if (no_tmpfile && info->entry.nr == SYS_openat &&
		(info->entry.args[2] & O_TMPFILE) == O_TMPFILE)
		return EOPNOTSUPP;
	return 0;
}

static bool is_sync(long number)
{
	return number == SYS_fsync || number == SYS_fdatasync || number == SYS_syncfs ||
	       number == SYS_sync_file_range;
}

static void on_call(struct process *process)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, process->id, sizeof(info), &info) <= 0)
		return; /* it was killed */
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		long number = (long)info.entry.nr;

		process->result = error_of_lack(&info);
		if (process->result)
			set_call(process->id, -1);
		if (after && is_begin(process->id, &info))
			after = NULL;
		if (!after) {
			calls++;
			act(process, number);
		}
		if (no_fsync && process->result == 0 && is_sync(number)) {
			process->result = SUCCEEDS;
			set_call(process->id, -1);
		}
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && process->result != 0) {
		set_result(process->id, process->result == SUCCEEDS ? 0 : -process->result);
		process->result = 0;
	}
}

/* Until all that the program has started is gone. */
static int trace(pid_t first)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
			     PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	int status, result = 126;
	pid_t id;

	while ((id = waitpid(-1, &status, __WALL)) > 0) {
		struct process *process = process_of(id);
		int signal = 0;

		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (id == first)
				result = WIFEXITED(status) ? WEXITSTATUS(status) : 125;
			process->id = 0;
			continue;
		}
		if (id == first && !process->begun)
			ptrace(PTRACE_SETOPTIONS, id, 0, options);
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			on_call(process);
		else if (status >> 16 == 0 && (process->begun || WSTOPSIG(status) != SIGSTOP) &&
			 WSTOPSIG(status) != SIGTRAP)
			signal = WSTOPSIG(status);
		process->begun = true;
		ptrace(PTRACE_SYSCALL, id, 0, signal);
	}
	return result;
}

static char *next(char ***at)
{
	if (!(*at)[1]) {
		fputs(usage, stderr);
		exit(2);
	}
	return *++*at;
}

static char **read_options(char **at)
{
	for (at++; *at && strcmp(*at, "--") != 0; at++) {
		if (!strcmp(*at, "--at")) {
			at_call = atol(next(&at));
		} else if (!strcmp(*at, "--kill")) {
			action = KILL;
		} else if (!strcmp(*at, "--kill-all")) {
			action = KILL_ALL;
		} else if (!strcmp(*at, "--error")) {
			action = FAIL;
			variant = atol(next(&at));
		} else if (!strcmp(*at, "--shutdown")) {
			action = SHUTDOWN;
			shutdown_fd = open(next(&at), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			if (shutdown_fd < 0)
				die(*at);
			shutdown_flags = atoi(next(&at));
		} else if (!strcmp(*at, "--no-fsync")) {
			no_fsync = true;
		} else if (!strcmp(*at, "--no-replace")) {
			no_replace = true;
		} else if (!strcmp(*at, "--no-tmpfile")) {
			no_tmpfile = true;
		} else if (!strcmp(*at, "--after")) {
			after = next(&at);
		} else if (!strcmp(*at, "--report")) {
			report_path = next(&at);
		} else {
			break;
		}
	}
	if (!*at || strcmp(*at, "--") != 0 || !at[1]) {
		fputs(usage, stderr);
		exit(2);
	}
	return at + 1;
}

int main(int argc, char **argv)
{
	char **program = read_options(argv);
	FILE *report = NULL;
	pid_t first;
	int result;

	(void)argc;
	if (report_path && !(report = fopen(report_path, "we")))
		die(report_path);
	first = fork();
	if (first < 0)
		die("fork");
	if (first == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execvp(program[0], program);
		die(program[0]);
	}
	result = trace(first);
	if (report) {
		fprintf(report, "calls %ld fallible %ld hit %s\n", calls, fallible_calls, hit);
		if (fclose(report) != 0)
			die(report_path);
	}
	return action != COUNT && !strcmp(hit, "nothing") ? 124 : result;
}
