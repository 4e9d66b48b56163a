#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What a copy of a tree is, where it stops, and what is there after a failure.
# shellcheck disable=SC2154,SC2030,SC2031 # set by setup() and run

bats_require_minimum_version 1.5.0
load lib/tree-tool

@test "a copy has the same data, owners, modes, times, links and FIFOs" {
	requires_root
	small_tree src
	chown 1234:4321 src/a/b src/a/one
	chmod 0751 src/a/b
	chmod 1777 src/a
	touch -d '2019-01-01 00:00:00.000000001' src/a/b src/a
	run -0 "$tool" --durable copy src dst copy
	[[ $output == copy ]]
	same_tree src dst/copy
	no_leftovers dst
}

@test "the top of a copy belongs to root and is closed to others" {
	requires_root
	chmod 0777 src
	chown 1234 src
	run -0 "$tool" copy src dst copy
	[[ $(stat -c '%a %u' dst/copy) == "700 0" ]]
	run -0 "$tool" --top-mode 0750 copy src dst other
	[[ $(stat -c %a dst/other) == 750 ]]
}

@test "hard links of files, links and FIFOs stay hard links" {
	small_tree src
	ln src/link src/a/link
	ln src/fifo src/a/fifo
	run -0 "$tool" copy src dst copy
	[[ dst/copy/a/one -ef dst/copy/a/b/again ]]
	[[ $(stat -c %i dst/copy/link) == "$(stat -c %i dst/copy/a/link)" ]]
	[[ dst/copy/fifo -ef dst/copy/a/fifo ]]
	[[ $(stat -c %h dst/copy/a/one) == 2 ]]
}

@test "10,000 hard links cost no memory" {
	python3 -c "
import os
open('src/f', 'w').write('x')
for i in range(9999): os.link('src/f', 'src/l%d' % i)"
	run -0 "$tool" --usage copy src dst copy
	[[ $(stat -c %h dst/copy/f) == 10000 ]]
	[[ $output == *bytes=1\ * ]]
	rss_below 16384 "$output"
}

@test "more hard links than the destination can have become several files" {
	requires_mount
	[[ $(stat -f -c %T dst) == ext2/ext3 ]] || skip "requires a destination on ext4"
	mount -t tmpfs none src
	python3 -c "
import os
open('src/f', 'w').write('x')
for i in range(70000): os.link('src/f', 'src/l%d' % i)"
	run -0 "$tool" copy src dst copy
	[[ $(find dst/copy -type f | wc -l) == 70001 ]]
	[[ $(find dst/copy -type f -printf '%i\n' | sort -u | wc -l) == 2 ]]
	[[ $(cat dst/copy/l69999) == x ]]
}

@test "setuid, setgid and file capabilities are not copied" {
	requires_root
	touch src/suid src/sgid src/cap src/sticky
	mkdir src/dir
	chmod 4755 src/suid
	chmod 2755 src/sgid
	chmod 3777 src/dir
	chmod 1644 src/sticky
	setcap cap_net_raw+ep src/cap 2>/dev/null || setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 src/cap
	mkdir dst/sgid
	chmod 2777 dst/sgid
	for command in "copy src dst/sgid copy" "merge src dst/sgid"; do
		# shellcheck disable=SC2086 # words
		run -0 "$tool" $command
	done
	[[ -z $(find dst/sgid -mindepth 1 -perm /6000) ]]
	[[ $(stat -c %a dst/sgid/copy/dir) == 1777 ]]
	[[ $(stat -c %a dst/sgid/copy/sticky) == 644 ]]
	run getfattr -h -R -d -m - dst
	[[ $output != *security.capability* ]]
}

@test "user attributes and ACLs are copied, trusted and security attributes are not" {
	requires_root
	requires setfattr setfacl
	echo x >src/f
	mkdir src/d
	setfattr -n user.one -v 1 src/f
	setfattr -n user.dir -v 2 src/d
	setfattr -n trusted.secret -v 3 src/f
	setfattr -n security.mine -v 4 src/f
	setfacl -m u:1234:rw,g::- src/f
	setfacl -d -m u:1234:rwx src/d
	run -0 "$tool" copy src dst copy
	[[ $(getfattr --only-values -n user.one dst/copy/f) == 1 ]]
	[[ $(getfattr --only-values -n user.dir dst/copy/d) == 2 ]]
	diff <(cd src && getfacl -R f d) <(cd dst/copy && getfacl -R f d)
	run getfattr -d -m - dst/copy/f
	[[ $output != *trusted* && $output != *security.mine* ]]
}

@test "a default ACL of the destination's directory lets nobody into the copy" {
	requires_root
	requires setfacl
	setfacl -d -m u:1234:rwx dst
	setfacl -d -m u:1234:rwx dst
	mkdir src/d
	echo x >src/d/f
	run -0 "$tool" copy src dst copy
	run -0 "$tool" merge src dst
	run getfacl -R dst/copy dst/d
	[[ $output != *1234* ]]
}

@test "a filesystem without ACLs gets no wider access than the ACL gave" {
	requires_mount
	requires setfacl
	mount -t ramfs none dst
	echo x >src/f
	setfacl -m u:1234:rw,g::- src/f
	[[ $(stat -c %a src/f) == 664 ]]
	run -0 "$tool" copy src dst copy
	[[ $output == *"'f': ACL not copied"* ]]
	[[ $(stat -c %a dst/copy/f) == 604 ]]
}

@test "sockets and device nodes are left out with a note, and not opened" {
	requires_root
	mknod src/null c 1 3
	mknod src/disk b 7 99
	python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('src/socket')"
	echo x >src/f
	run -0 "$tool" --usage copy src dst copy
	[[ $output == *"note: 'null': device node not copied"* ]]
	[[ $output == *"note: 'socket': socket not copied"* ]]
	[[ $output == *skipped=3* ]]
	[[ $(ls dst/copy) == f ]]
}

@test "names with newlines, quotes and control characters, and of 255 bytes, are copied" {
	local long
	long=$(printf 'n%.0s' {1..255})
	echo 1 >"src/a"$'\n'"b"
	echo 2 >"src/"$'\e[31m'
	echo 3 >"src/ '\" \\"
	echo 4 >"src/$long"
	echo 5 >src/$'\xff\xfe'
	ln -s "x"$'\n'"y" "src/l"$'\n'"m"
	run -0 "$tool" copy src dst copy
	same_tree src dst/copy
}

@test "holes stay holes: a sparse file of 8 EiB takes no room" {
	requires_mount
	mount -t tmpfs none src
	mkdir src/s src/d
	truncate -s 9223372036854775807 src/s/huge
	printf x | dd of=src/s/huge bs=1 seek=4611686018427387904 conv=notrunc status=none
	run -0 timeout 300 "$tool" --usage copy src/s src/d copy
	[[ $output == *bytes=4096\ * ]]
	[[ $(stat -c %s src/d/copy/huge) == 9223372036854775807 ]]
	(($(stat -c %b src/d/copy/huge) <= 16))
	[[ $(dd if=src/d/copy/huge bs=1 skip=4611686018427387904 count=1 status=none) == x ]]
}

@test "data and holes are the same in sparse files of any shape" {
	python3 -c "
import os, random
random.seed(1)
for n in range(20):
    with open('src/f%d' % n, 'wb') as f:
        for i in range(random.randrange(20)):
            f.seek(random.randrange(4 << 20))
            f.write(os.urandom(random.randrange(100000)))
        f.truncate(random.randrange(8 << 20))"
	run -0 "$tool" copy src dst copy
	same_tree src dst/copy
	(($(du -s dst | cut -f1) <= $(du -s src | cut -f1) + 200))
}

@test "a file of more data than the limit ends the copy" {
	truncate -s 1G src/sparse
	head -c 100000 /dev/zero >src/data
	run -0 "$tool" --bytes 200000 copy src dst copy
	run -1 "$tool" --bytes 90000 copy src dst other
	[[ $output == "more than 90000 bytes of data (E2BIG)" ]]
	[[ ! -e dst/other ]]
	no_leftovers dst
}

@test "more entries than the limit end the copy" {
	touch src/{1,2,3,4}
	run -0 "$tool" --entries 4 copy src dst copy
	run -1 "$tool" --entries 3 copy src dst other
	[[ $output == "more than 3 entries (E2BIG)" ]]
	[[ ! -e dst/other ]]
}

@test "a deeper tree than the limit ends the copy" {
	mkdir -p src/a/b/c
	run -0 "$tool" --depth 3 copy src dst copy
	run -1 "$tool" --depth 2 copy src dst other
	[[ $output == "'a/b/c' is deeper than 2 levels (E2BIG)" ]]
}

@test "a tree 100,000 levels deep is copied and merged in 16 MiB and 36 descriptors" {
	local name
	in_memory
	for name in d "$(printf 'n%.0s' {1..255})"; do
		"$tool" make-deep src 100000 "$name"
		ulimit -n 36
		run -0 "$tool" --usage copy src dst copy
		[[ $output == *entries=100000\ * ]]
		rss_below 16384 "$output"
		mkdir merged
		run -0 "$tool" --usage merge src merged
		rss_below 16384 "$output"
		"$tool" empty src
		"$tool" remove dst copy
		"$tool" remove . merged
	done
}

@test "a message about a very deep place is short" {
	requires_root
	"$tool" make-deep src 2000 "$(printf 'n%.0s' {1..100})"
	run -1 "$tool" --depth 1999 copy src dst copy
	[[ $output == "'nnnnn"*"/.../nnnnn"*"' is deeper than 1999 levels (E2BIG)" ]]
	((${#output} < 1500))
}

@test "a file that grows while it is copied is an error" {
	requires strace
	head -c 3M /dev/zero >src/big
	touch -d '2020-01-02' src/big src
	# the next call that it makes has what was written meanwhile
	stop_at copy_file_range 1 "$tool" copy src dst copy
	echo more >>src/big
	go_on
	[[ $status -eq 1 ]]
	[[ $output == "'big' changed while it was copied (ESTALE)" ]]
	[[ ! -e dst/copy ]]
	no_leftovers dst
}

@test "a directory that gets a file while it is copied is an error" {
	requires strace
	local i
	for i in {1..30}; do echo "$i" >"src/$i"; done
	touch -d '2020-01-02' src
	stop_at copy_file_range 10 "$tool" copy src dst copy
	: >src/new
	rm src/new
	go_on
	[[ $status -eq 1 ]]
	[[ $output == *"changed while it was copied (ESTALE)" ]]
	[[ ! -e dst/copy ]]
}

@test "where times are whole seconds a copy of what has just changed waits for the next, that a change is seen" {
	local i second
	requires mkfs.ext4
	requires_mount
	truncate -s 16M disk
	mkfs.ext4 -q -F -I 128 disk
	mount -o loop disk src || skip 'requires loop devices'
	for ((i = 0; i < $(quick 2 5); i++)); do
		second=$(date +%s)
		while (($(date +%s) == second)); do :; done
		echo "$i" >src/file
		second=$(stat -c %Z src/file)
		"$tool" copy src dst "copy$i"
		(($(date +%s) > second))
	done
}

@test "a tree that was written a moment ago is copied" {
	local i
	for i in {1..20}; do
		echo "$i" >"src/f$i"
		run -0 "$tool" copy src dst "copy$i"
	done
}

@test "a mount in the source is an error that names it, also a bind mount of the same filesystem" {
	requires_mount
	mkdir -p src/a/m other
	echo secret >other/f
	for kind in "-t tmpfs none" "--bind other"; do
		# shellcheck disable=SC2086 # words
		mount $kind src/a/m
		run -1 "$tool" copy src dst copy
		[[ $output == "'a/m' is a mount point (EXDEV)" ]]
		run -1 "$tool" merge src dst
		[[ $output == "'a/m' is a mount point (EXDEV)" ]]
		umount src/a/m
	done
	touch src/f
	mount --bind other/f src/f
	run -1 "$tool" copy src dst copy
	[[ $output == "'f' is a mount point (EXDEV)" ]]
}

@test "a mount that the caller allows is copied, with what is on it" {
	requires_mount
	mkdir -p src/a/m/
	mount -t tmpfs none src/a/m
	mkdir -p src/a/m/d/e/f/g/h/i
	echo x >src/a/m/d/e/f/g/h/i/f
	echo y >src/a/z
	run -0 "$tool" --mounts copy src dst copy
	[[ $(cat dst/copy/a/m/d/e/f/g/h/i/f) == x ]]
	[[ $(cat dst/copy/a/z) == y ]]
}

@test "a copy into its own source is refused" {
	mkdir src/d
	run -1 "$tool" --ignore-changes copy src src/d copy
	[[ $output == *"is where the copy is being made (EINVAL)" ]]
	run -1 "$tool" merge src src/d
	[[ $output == "'d' is where the copy is being made (EINVAL)" ]]
}

@test "an existing name is never overwritten: -2, -3 are appended" {
	echo new >src/f
	mkdir dst/copy
	echo old >dst/copy-2
	run -0 "$tool" copy src dst copy
	[[ $output == copy-3 ]]
	[[ $(cat dst/copy-2) == old && -z $(ls dst/copy) && $(cat dst/copy-3/f) == new ]]
}

@test "copies to one name at the same time are all kept" {
	local i rounds
	rounds=$(quick 50 1000)
	echo data >src/f
	for ((i = 0; i < rounds; i++)); do
		"$tool" copy src dst copy &
		(((i + 1) % 10)) || wait
	done
	wait
	# tree-tool tries 100 names; beyond that a refusal is right
	[[ $(find dst -name f | wc -l) == "$((rounds < 100 ? rounds : 100))" ]]
	no_leftovers dst
}

# dead_copy KEY: the staging directory that a copy of this maker leaves which is killed
dead_copy() {
	"$tool" --key "$1" --hold 60 copy src dst copy &
	local copy=$! dead=''
	until dead=$(find dst -maxdepth 1 -name '.virt-parts.*') && [[ -e $dead/tree/fifo ]]; do sleep 0.1; done
	kill -KILL "$copy"
	wait "$copy" || :
	echo "$dead"
}

@test "what a dead copy has left is removed by the next of the same maker, and by no other" {
	local dead
	small_tree src
	dead=$(dead_copy one)
	run -0 "$tool" --key two copy src dst copy
	run -0 "$tool" copy src dst copy
	[[ -e $dead/tree/a/one ]]
	run -0 "$tool" --key one copy src dst copy
	[[ $output == copy-3 ]]
	no_leftovers dst
}

@test "the staging directory of a live copy is left alone, also by its own maker" {
	small_tree src
	requires strace
	stop_at symlinkat 1 "$tool" --key one copy src dst copy
	run -0 "$tool" --key one copy src dst copy
	[[ $output == copy ]]
	go_on
	[[ $status -eq 0 && $output == copy-2 && -e dst/copy-2/a/one ]]
	no_leftovers dst
}

@test "a directory in a dead copy's place that is somebody else's, or open to others, is left alone" {
	requires_root
	local dead
	small_tree src
	dead=$(dead_copy one)
	chown 1234 "$dead"
	run -0 "$tool" --key one copy src dst copy
	chown 0 "$dead"
	chmod 0755 "$dead"
	run -0 "$tool" --key one copy src dst copy
	mv "$dead" dst/away
	ln -s away "$dead"
	run -0 "$tool" --key one copy src dst copy
	[[ $output == copy-3 && -L $dead && -e dst/away/tree/a/one ]]
}

@test "every file and directory, then the name, then the directories above are written to disk" {
	requires strace
	local line begun=0 finished=0 before='' after='' renamed=''
	mkdir src/d
	echo x >src/d/f
	strace -f -y -e trace=fsync,renameat2 -o trace "$tool" --durable copy src dst copy
	# several at a time: an fsync may begin on one line and end on another
	while read -r line; do
		if [[ $line == *renameat2* ]]; then
			[[ $line == *RENAME_NOREPLACE*' = 0' && $finished -eq $begun ]]
			renamed=yes
		elif [[ $line =~ fsync\([0-9]+\<([^\>]*) ]]; then
			begun=$((begun + 1))
			[[ -n $renamed ]] && after+="${BASH_REMATCH[1]};" || before+="${BASH_REMATCH[1]};"
		fi
		[[ $line != *fsync*' = 0' ]] || finished=$((finished + 1))
	done < <(sed -E "s,$T,,; s,.virt-parts.copy.[A-Za-z0-9]{6},S," trace)
	[[ $begun -eq $finished && $before$after == *\;*\;*\;*\;*\;* ]]
	for line in /dst/S/tree/d/f /dst/S/tree/d /dst/S/tree; do
		[[ ";$before" == *";$line;"* ]]
	done
	for line in /dst/S /dst ''; do
		[[ ";$after" == *";$line;"* ]]
	done
}

@test "files are written to disk also where no thread can be had" {
	requires strace
	echo x >src/f
	strace -f -o trace -e trace=clone,clone3,fsync -e inject=clone,clone3:error=EAGAIN "$tool" --durable copy src dst copy
	[[ $(cat dst/copy/f) == x ]]
	[[ $(grep -c 'fsync(.* = 0' trace) -ge 5 ]]
}

@test "without RENAME_NOREPLACE nothing is overwritten either" {
	requires strace
	echo new >src/f
	mkdir dst/copy
	strace -o /dev/null -e inject=renameat2:error=EINVAL "$tool" copy src dst copy
	[[ $(cat dst/copy-2/f) == new && -z $(ls dst/copy) ]]
	no_leftovers dst
}

# ---- merging ----

@test "a merge keeps what is there, replaces files whole and leaves no temporary names" {
	requires_root
	small_tree src
	mkdir -p dst/a/keep
	echo old >dst/a/one
	ln dst/a/one old-inode
	echo mine >dst/a/mine
	run -0 "$tool" merge src dst
	[[ $(cat dst/a/one) == one && $(cat old-inode) == old ]]
	[[ $(cat dst/a/mine) == mine && -d dst/a/keep && -p dst/fifo && -L dst/link ]]
	no_leftovers dst
}

@test "a merge sets mode and owner of existing directories as the source's, or as it is told" {
	requires_root
	mkdir -p src/d dst/d
	touch src/d/f
	chmod 0711 src/d
	chown 1234:4321 src/d
	run -0 "$tool" merge src dst
	[[ $(stat -c '%a %u %g' dst/d) == "711 1234 4321" ]]
	run -0 "$tool" --uid 7 --gid 8 --file-mode 6640 --dir-mode 6750 --keep-top merge src dst
	[[ $(stat -c '%a %u %g' dst/d dst/d/f) == "750 7 8"$'\n'"640 7 8" ]]
	[[ $(stat -c '%u' dst) == 0 ]]
}

@test "a link in the way of a directory is replaced, what it points to is untouched" {
	mkdir -p src/d/e outside/e
	echo new >src/d/e/f
	ln -s "$T/outside" dst/d
	run -0 "$tool" merge src dst
	[[ ! -L dst/d && $(cat dst/d/e/f) == new ]]
	[[ -z $(find outside -type f) ]]
}

@test "a link in the way of a file is replaced, what it points to is untouched" {
	echo new >src/f
	echo precious >outside
	ln -s "$T/outside" dst/f
	run -0 "$tool" merge src dst
	[[ ! -L dst/f && $(cat dst/f) == new && $(cat outside) == precious ]]
}

@test "a file or FIFO in the way of a directory is replaced" {
	mkdir src/d src/e
	echo x >dst/d
	mkfifo dst/e
	run -0 timeout 300 "$tool" merge src dst
	[[ -d dst/d && -d dst/e ]]
}

@test "a directory in the way of a file or link is an error" {
	echo x >src/f
	mkdir dst/f
	run -1 "$tool" merge src dst
	[[ $output == "cannot put 'f' in place: it is a directory in the destination (EISDIR)" ]]
	no_leftovers dst
	rm src/f
	ln -s x src/f
	run -1 "$tool" merge src dst
	[[ $output == *EISDIR* ]]
	no_leftovers dst
}

@test "a mount in the destination is not entered unless it is allowed" {
	requires_mount
	mkdir -p src/m dst/m other
	echo x >src/m/f
	mount --bind other dst/m
	run -1 "$tool" merge src dst
	[[ $output == "'m' is a mount point in the destination (EXDEV)" ]]
	[[ -z $(ls other) ]]
	run -0 "$tool" --mounts merge src dst
	[[ $(cat other/f) == x ]]
	umount dst/m
	echo x >src/f
	touch dst/f other/g
	mount --bind other/g dst/f
	run -1 "$tool" merge src dst
	[[ $output == *"mount point"* ]]
	[[ ! -s other/g ]]
	no_leftovers dst
}

@test "temporary names that a killed merge left are removed, other names are not" {
	mkdir -p src/d dst/d dst/.virt-parts.DIRECT
	touch dst/.virt-parts.AAAAAA dst/d/.virt-parts.BBBBBB dst/.virt-parts.toolong dst/.virt-parts.a-b-cd
	ln -s x dst/.virt-parts.CCCCCC
	run -0 "$tool" merge src dst
	[[ $(cd dst && find . -name '.virt*' | sort | tr '\n' ' ') == "./.virt-parts.DIRECT ./.virt-parts.a-b-cd ./.virt-parts.toolong " ]]
}

# ---- failures of every call ----

# inject_all COMMAND...: runs it with the N-th call of each kind failing, for every N; check() judges each run.
fallible="openat2 openat statx mkdirat getdents64 copy_file_range pread64 pwrite64 lseek ioctl fsync fchownat listxattr getxattr
	setxattr removexattr chmod fchmod utimensat linkat symlinkat readlinkat mknodat renameat renameat2 unlinkat flock ftruncate close
	getrandom"

inject_all() {
	local error call n runs=0
	for call in $fallible $(memory_calls); do
		for error in EIO ENOSPC; do
			for ((n = 1; ; n++)); do
				prepare
				status=0
				strace -f -o trace -e trace="$call" -e inject="$call:error=$error:when=$n" "$@" >out 2>&1 || status=$?
				grep -q INJECTED trace || break
				((++runs))
				check || {
					echo "$call number $n with $error: exit $status, $(cat out)"
					return 1
				}
			done
		done
	done
	echo "$runs runs"
	((runs > 100))
}

@test "EIO or ENOSPC in any call never makes an incomplete copy look complete" {
	requires_root
	requires strace
	small_tree src
	prepare() {
		"$tool" empty dst >/dev/null
	}
	check() {
		local name complete=0
		for name in dst/*; do
			[[ -e $name ]] || continue
			same_tree src "$name" || return 1
			complete=1
		done
		[[ $status -ne 0 || $complete -eq 1 ]]
	}
	inject_all "$tool" --durable copy src dst copy
}

@test "EIO or ENOSPC in any call never makes an incomplete merge look complete" {
	requires_root
	requires strace
	small_tree src
	rm src/a/b/again # a merge keeps no hard links
	touch -d '2020-01-02 03:04:05.678901234' src/a/b
	prepare() {
		"$tool" empty dst >/dev/null
		mkdir -p dst/a
		ln -s /nowhere dst/a/b
	}
	check() {
		[[ $status -ne 0 ]] || same_tree src dst
	}
	inject_all "$tool" --durable merge src dst
}

@test "copy_file_range that is missing, refuses or returns 0 does no harm" {
	requires strace
	head -c 300000 /dev/urandom >src/f
	for how in error=EXDEV error=ENOSYS error=EOPNOTSUPP retval=0; do
		strace -o /dev/null -e inject=copy_file_range:$how "$tool" copy src dst "copy-$how"
		cmp src/f "dst/copy-$how/f"
	done
}

# kill_all COMMAND...: SIGKILL at the N-th call of each kind, for every N (every seventh in a quick run), then check()
kill_all() {
	local call count n turn=0 step kills=0
	step=$(quick 7 1)
	prepare
	strace -o trace "$@" >out
	sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' trace | sort | uniq -c >calls
	while read -r count call <&3; do
		for ((n = 1; n <= count; n++)); do
			((turn++ % step == 0)) || continue
			prepare
			# the shell's word on the killed child goes with strace's own output
			{ strace -o trace -e trace="$call" -e inject="$call:signal=KILL:when=$n" "$@" || :; } >out 2>&1
			grep -q 'killed by SIGKILL' trace || continue
			((++kills))
			check || {
				echo "killed at $call number $n"
				return 1
			}
		done
	done 3<calls
	echo "$kills kills"
	((kills > 20))
}

@test "after SIGKILL at any call nothing partial has the final name, and the next copy succeeds and cleans up" {
	requires_root
	requires strace
	small_tree src
	prepare() {
		"$tool" empty dst >/dev/null
	}
	check() {
		local name
		for name in dst/*; do
			[[ ! -e $name ]] || same_tree src "$name" || return 1
		done
		"$tool" --key one copy src dst copy >name && same_tree src "dst/$(<name)" && no_leftovers dst
	}
	kill_all "$tool" --key one copy src dst copy
}

@test "after SIGKILL at any call every file of a merge is the old or the new one, and the next merge succeeds and cleans up" {
	requires_root
	requires strace
	small_tree src
	rm src/a/b/again
	touch -d '2020-01-02 03:04:05.678901234' src/a/b
	prepare() {
		"$tool" empty dst >/dev/null
		mkdir -p dst/a
		echo old >dst/a/one
	}
	check() {
		[[ $(cat dst/a/one) == @(old|one) ]] && "$tool" merge src dst && same_tree src dst && no_leftovers dst
	}
	kill_all "$tool" merge src dst
}
