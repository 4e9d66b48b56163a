#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What removing a tree removes, and what it must never touch; and the paths and mounts that both ask about.
# shellcheck disable=SC2154,SC2030,SC2031 # set by setup() and run

bats_require_minimum_version 1.5.0
load lib/tree-tool

@test "a tree with one of everything is removed, and what its links point to is not" {
	requires_root
	mkdir -p outside/d
	echo precious >outside/d/f
	small_tree src
	ln -s "$T/outside" src/a/out
	ln -s ../../outside src/a/b/out
	mknod src/null c 1 3
	python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('src/socket')"
	run -0 "$tool" remove . src
	[[ $output == "removed 13, failed 0" ]]
	[[ ! -e src && $(cat outside/d/f) == precious ]]
}

@test "emptying keeps the directory itself" {
	small_tree src
	run -0 "$tool" empty src
	[[ -d src && -z $(ls -A src) ]]
}

@test "what is not there is ENOENT, a file or link is ENOTDIR and left alone" {
	echo x >src/f
	ln -s "$T/dst" src/l
	run -1 "$tool" remove . none
	[[ $output == *"cannot open 'none': No such file or directory (ENOENT)"* ]]
	for name in f l; do
		run -1 "$tool" remove src $name
		[[ $output == *"ENOTDIR"* && -e src/$name ]]
	done
	for name in "" . .. a/b; do
		run -1 "$tool" remove src "$name"
		[[ $output == *"EINVAL"* ]]
	done
}

@test "deletion is by unlinkat on held directories, never by a path" {
	requires strace
	small_tree src
	strace -f -o trace -e trace=unlink,unlinkat,rmdir,rename,renameat,renameat2 "$tool" remove . src
	[[ $(grep -c unlinkat trace) -gt 5 ]]
	run grep -E '(unlink|rmdir)\(|unlinkat\(AT_FDCWD|"[^"]*/' trace
	[[ $status -eq 1 ]]
}

@test "a mount in a doomed tree is an error that names it, and the other side is unchanged" {
	requires_mount
	mkdir -p src/a/m/x other lower upper work
	echo precious >other/f
	mkdir other/d
	echo low >lower/f
	for kind in "--bind other" "-t tmpfs none" "-t overlay -o lowerdir=lower,upperdir=upper,workdir=work none"; do
		mkdir -p src/a/m src/z
		touch src/z/f
		# shellcheck disable=SC2086 # words
		mount $kind src/a/m
		touch src/a/m/mine
		run -1 "$tool" remove . src
		[[ $output == *"'a/m' is a mount point (EXDEV)"* ]]
		[[ -e src/a/m/mine && ! -e src/z ]]
		umount src/a/m
	done
	[[ $(cat other/f) == precious && -d other/d && $(cat lower/f) == low ]]
	run -0 "$tool" remove . src
}

@test "a file that is a mount is an error, and is unchanged" {
	requires_mount
	echo precious >other
	touch src/f
	mount --bind other src/f
	run -1 "$tool" remove . src
	[[ $output == *"'f' is a mount point (EBUSY)"* ]]
	[[ $(cat other) == precious ]]
}

@test "a tree that is a mount itself is not removed, but may be emptied" {
	requires_mount
	mount -t tmpfs none src
	touch src/f
	run -1 "$tool" remove . src
	[[ $output == *"'src' is a mount point (EXDEV)"* && -e src/f ]]
	run -0 "$tool" empty src
	[[ ! -e src/f ]]
}

@test "mounts below a directory are found before anything is deleted" {
	requires_mount
	mkdir -p "src/a b/m" src2
	run -1 "$tool" mounts src
	[[ -z $output ]]
	mount -t tmpfs none src2
	run -1 "$tool" mounts src
	mount -t tmpfs none "src/a b/m"
	run -0 "$tool" mounts src
	[[ $output == "$T/src/a b/m" ]]
	run -0 "$tool" mounts .
	run -1 "$tool" mounts "src/a b/m"
	umount "src/a b/m"
	mount -t tmpfs none src
	run -1 "$tool" mounts src
}

@test "mountinfo is read whatever its names and its length" {
	local long
	long=$(printf 'x%.0s' {1..60000})
	{
		# shellcheck disable=SC2028 # these escapes are for the reader of the file
		echo '36 35 98:0 /mnt1 /a\040b\134c\011d rw,noatime master:1 shared:7 - ext3 /dev/ro\040ot rw'
		echo '37 36 0:5 / / rw - tmpfs  rw'
		echo "38 36 0:6 / /$long rw - overlay o rw,lowerdir=$long"
	} >info
	run -0 "$tool" list-mounts info
	[[ ${lines[0]} == '36 35 [/mnt1] [/a b\c	d] [ext3] [/dev/ro ot]' ]]
	[[ ${lines[1]} == '37 36 [/] [/] [tmpfs] []' ]]
	[[ ${lines[2]} == "38 36 [/] [/$long] [overlay] [o]" ]]
	for bad in '' '36 35' 'x 35 98:0 / / rw - a b c' '36 35 98 / / rw - a b c' '36 35 98:0 / / rw a b c'; do
		echo "$bad" >info
		run -1 "$tool" list-mounts info
		[[ $output == *EBADMSG* ]]
	done
	# what one guest makes long hides no other's, nor what is behind it
	{
		printf '36 35 0:5 / /'
		printf 'a\\012%.0s' {1..300000}
		echo '/b rw shared:7 - tmpfs one rw,size=4k'
		printf '37 35 0:5 / /'
		head -c 5000000 /dev/zero | tr '\0' x
		echo ' rw - tmpfs two rw,size=4k'
		echo '38 35 0:5 / /c rw - tmpfs three rw,size=4k'
	} >info
	"$tool" list-mounts info >listed
	[[ $(wc -c <listed) -gt 4700000 ]]
	[[ $(grep -c '/b\] \[tmpfs\] \[one\]$' listed) -eq 1 ]]
	[[ $(grep -c '^37 .*x\] \[tmpfs\] \[two\] cut$' listed) -eq 1 ]]
	grep -qxF '38 35 [/] [/c] [tmpfs] [three]' listed
	run -0 "$tool" list-mounts /proc/self/mountinfo
	[[ ${#lines[@]} -eq $(wc -l </proc/self/mountinfo) ]]
}

@test "an immutable or append-only file is a clear error, and the rest is removed" {
	requires_root
	requires chattr
	small_tree src
	touch src/a/fixed src/log
	mkdir src/dir
	touch src/dir/f
	chattr +i src/a/fixed 2>/dev/null || skip "requires a filesystem with chattr"
	chattr +a src/log
	chattr +i src/dir
	run -1 "$tool" remove . src
	chattr -R -ia src 2>/dev/null || :
	[[ $output == *"is immutable or append-only (lsattr, chattr); and 2 more (EPERM)"* ]]
	[[ $output == *", failed 3"* ]]
	[[ $(cd src && find . | sort | tr '\n' ' ') == ". ./a ./a/fixed ./dir ./dir/f ./log " ]]
}

@test "a tree 100,000 levels deep is removed in 16 MiB and 16 descriptors" {
	local name
	in_memory
	for name in d "$(printf 'n%.0s' {1..255})"; do
		"$tool" make-deep src 100000 "$name"
		ulimit -n 16
		run -0 "$tool" --usage remove . src
		[[ $output == *"removed 100001, failed 0"* ]]
		rss_below 16384 "$output"
		mkdir src
	done
}

@test "a directory of very many entries is removed in 4 MiB" {
	local count
	count=$(quick 100000 1000000)
	in_memory
	python3 -c "
import os, sys
for i in range($count): os.close(os.open('src/f%d' % i, os.O_CREAT | os.O_WRONLY))
for i in range($count // 50): os.makedirs('src/d%d/a/b/c/d/e' % i)"
	run -0 "$tool" --usage remove . src
	rss_below 4096 "$output"
	[[ ! -e src ]]
}

@test "a wide and deep tree is removed also where directories have to be found again" {
	# on the real filesystem: positions in its directories are hashes
	python3 -c "
import os
for i in range(300): os.makedirs('src/d%d/a/b/c/d/e/f/g' % i)"
	run -0 "$tool" remove . src
	[[ $output == "removed 2401, failed 0" ]]
}

@test "no more than 12 descriptors are open while a tree is removed" {
	requires strace
	mkdir -p src/a/b/c/d/e/f/g/h
	strace -o trace -e trace=openat,openat2 "$tool" remove . src
	[[ $(sed -n 's/.*) = \([0-9]*\)$/\1/p' trace | sort -n | tail -1) -le 14 ]]
}

@test "EIO in any call never makes a tree look removed that is not" {
	requires_root
	requires strace
	local call n runs=0 status
	for call in openat2 openat statx getdents64 unlinkat close lseek $(memory_calls); do
		for ((n = 1; ; n++)); do
			mkdir -p src/1/2/3/4/5/6
			touch src/f src/1/2/f src/1/2/3/4/5/6/f
			status=0
			strace -o trace -e trace="$call" -e inject="$call:error=EIO:when=$n" "$tool" remove . src >out 2>&1 || status=$?
			grep -q INJECTED trace || break
			((++runs))
			if [[ $status -eq 0 && -e src ]]; then
				echo "$call number $n: $(cat out)"
				return 1
			fi
			"$tool" remove . src >/dev/null 2>&1 || :
			[[ ! -e src ]]
		done
	done
	((runs > 30))
}

@test "after SIGKILL at any unlinkat the next removal succeeds" {
	requires strace
	local n
	mkdir outside
	for ((n = 1; n < 100; n++)); do
		small_tree src
		{ strace -o trace -e trace=unlinkat -e inject=unlinkat:signal=KILL:when=$n "$tool" remove . src || :; } >/dev/null 2>&1
		grep -q 'killed by SIGKILL' trace || break
		run -0 "$tool" remove . src
		[[ ! -e src ]]
	done
	((n > 5 && n < 100))
}

# ---- paths below a root ----

@test "a path below a root is opened, links, dots and absolute paths are refused" {
	mkdir -p src/a/b
	echo inside >src/a/b/f
	echo outside >dst/f
	ln -s "$T/dst" src/l
	ln -s f src/a/b/l
	ln -s /proc/self/root src/magic
	run -0 "$tool" open src a/b/f
	[[ $output == inside ]]
	run -0 "$tool" open src ./a//b/./f
	for path in l/f a/b/l magic/etc/passwd; do
		run -1 "$tool" open src $path
		[[ $output == *ELOOP* ]]
	done
	for path in ../dst/f a/../../dst/f a/.. "$T/src/a/b/f" /; do
		run -1 "$tool" open src "$path"
		[[ $output == *EINVAL* ]]
	done
	run -1 "$tool" open src "$(printf 'a/%.0s' {1..3000})"
	[[ $output == *ENAMETOOLONG* ]]
	run -0 "$tool" open src ""
	run -0 "$tool" open src .
}

@test "missing directories are made with their mode, a link among them is refused" {
	umask 077
	chmod 0755 src
	run -0 "$tool" mkdirs src a/b/c 0755
	[[ $(stat -c %a src/a src/a/b/c) == 755$'\n'755 ]]
	chmod 0700 src/a
	run -0 "$tool" mkdirs src a/b//d/ 0711
	[[ $(stat -c %a src/a src/a/b/d) == 700$'\n'711 ]]
	ln -s "$T/dst" src/l
	run -1 "$tool" mkdirs src l/x 0755
	[[ $output == *ENOTDIR* && -z $(ls dst) ]]
	touch src/f
	run -1 "$tool" mkdirs src f/x 0755
	[[ $output == *ENOTDIR* ]]
	run -1 "$tool" mkdirs src ../dst/x 0755
	[[ $output == *EINVAL* && -z $(ls dst) ]]
}

@test "endless EAGAIN ends in a refusal" {
	requires strace
	touch src/f
	local status=0
	strace -o trace -e trace=openat2 -e inject=openat2:error=EAGAIN "$tool" open src f 2>err || status=$?
	[[ $status -eq 1 && $(<err) == *EAGAIN* ]]
	(($(grep -c INJECTED trace) < 1000))
	strace -o trace -e inject=openat2:error=EAGAIN:when=1..5 "$tool" open src f
}
