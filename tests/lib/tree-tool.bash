# shellcheck shell=bash disable=SC2034 # what is set here is used in the tests
# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of file trees share: the tools, a directory on a real filesystem, comparing, cleaning up.
#
# VP_TOOLS is the directory of tree-tool and swapper, else tools in VIRT_PARTS_BUILD, else in build.
# VIRT_PARTS_FULL=1 runs the full counts.

# shellcheck source=tests/lib/remove.bash
source "$(dirname "${BASH_SOURCE[0]}")/remove.bash"
# shellcheck source=tests/lib/checker.bash
source "$(dirname "${BASH_SOURCE[0]}")/checker.bash"
# shellcheck source=tests/lib/proof.bash
source "$(dirname "${BASH_SOURCE[0]}")/proof.bash"

setup_file() {
	local tools=${VP_TOOLS:-${VIRT_PARTS_BUILD:-$BATS_TEST_DIRNAME/../build}/tools}
	[[ -x $tools/tree-tool && -x $tools/swapper ]] || {
		echo "no tree-tool and swapper in $tools: 'make tools' builds them" >&2
		return 1
	}
	ln -s "$(realpath "$tools/tree-tool")" "$(realpath "$tools/swapper")" "$BATS_FILE_TMPDIR/"
}

setup() {
	tool=$BATS_FILE_TMPDIR/tree-tool
	swapper=$BATS_FILE_TMPDIR/swapper
	T=$(mktemp -d "${VP_TREE_DIR:-/var/tmp}/virt-parts-test.XXXXXX")
	cd "$T" || return 1
	mkdir src dst
}

# May run twice, and after a test that left mounts, processes and immutable files behind.
teardown() {
	local mount pid
	cd / || return 1
	[[ -n ${T:-} && -d $T ]] || return 0
	for pid in $(jobs -p) ${stopped:-}; do
		kill -KILL "$pid" 2>/dev/null || :
	done
	while mount=$(awk -v t="$T/" 'index($5, t) == 1 { last = $5 } END { print last }' /proc/self/mountinfo) && [[ -n $mount ]]; do
		umount -l "$(printf '%b' "$mount")" || break
	done
	chattr -R -ia "$T" 2>/dev/null || :
	# rm is no match for a very deep tree
	"$tool" remove "${T%/*}" "${T##*/}" >/dev/null 2>&1 || remove_tree "$T"
}

requires_root() {
	[[ $EUID -eq 0 ]] || skip "requires root"
}

requires() {
	local program
	for program; do
		type -P "$program" >/dev/null || skip "requires $program"
	done
}

requires_mount() {
	requires_root
	mkdir -p "$T/probe"
	mount -t tmpfs none "$T/probe" 2>/dev/null || skip "requires mount(2), which is not allowed here"
	umount "$T/probe"
	rmdir "$T/probe"
}

# Goes to a directory in memory, where a large test takes seconds, if that can be had.
in_memory() {
	mkdir "$T/memory"
	mount -t tmpfs -o nr_inodes=0 none "$T/memory" 2>/dev/null || :
	cd "$T/memory" || return 1
	mkdir src dst
}

# quick N FULL: the count for this run
quick() {
	if [[ ${VIRT_PARTS_FULL:-} == 1 ]]; then echo "$2"; else echo "$1"; fi
}

# What a tree is, an entry a line: type, mode, owner, mtime in ns, links, target, size. Not its top.
tree_listing() {
	(cd "$1" && find . -mindepth 1 -printf '%p %y %m %U %G %T@ %n %l ' \( -type f -printf '%s' -o -true \) -printf '\0' |
		sort -z | tr '\0\n' '\n?')
}

# same_tree A B: nothing differs, data neither
same_tree() {
	diff <(tree_listing "$1") <(tree_listing "$2") &&
		diff <(cd "$1" && getfattr -R -h -d -m '^user' . 2>&1) <(cd "$2" && getfattr -R -h -d -m '^user' . 2>&1) &&
		diff <(cd "$1" && find . -type f -exec md5sum {} + | sort) <(cd "$2" && find . -type f -exec md5sum {} + | sort)
}

# stop_at CALL N COMMAND...: COMMAND, which stands still when it has made so many of these calls, until go_on
stop_at() {
	local call=$1 number=$2
	local -i try
	shift 2
	rm -f trace
	stopped=
	strace -f -o trace -e trace="$call" -e inject="$call:signal=STOP:when=$number" "$@" >said 2>&1 3>&- &
	traced=$!
	for ((try = 0; try < 6000; try++)); do
		stopped=$(awk '/stopped by SIGSTOP/ { print $1; exit }' trace 2>/dev/null) || :
		[[ -z $stopped ]] || return 0
		kill -0 "$traced" 2>/dev/null || break
		sleep 0.02
	done
	echo "did not come to call $number of $call:"
	cat said trace
	return 1
}

# go_on: waits for what stop_at has run; status and output are kept
go_on() {
	kill -CONT "$stopped"
	stopped=
	status=0
	wait "$traced" || status=$?
	output=$(<said)
}

# no_leftovers DIR: no staging directory and no temporary name in it
no_leftovers() {
	local left
	left=$(find "$1" -name '.virt-parts.*')
	[[ -z $left ]] || {
		echo "left behind: $left"
		return 1
	}
}

# A small tree with one of everything.
small_tree() {
	mkdir -p "$1/a/b"
	echo one >"$1/a/one"
	ln "$1/a/one" "$1/a/b/again"
	echo two >"$1/a/b/two"
	truncate -s 1M "$1/sparse"
	ln -s /nowhere "$1/link"
	mkfifo "$1/fifo"
	setfattr -n user.note -v text "$1/a/one" 2>/dev/null || :
	find "$1" -exec touch -h -d '2020-01-02 03:04:05.678901234' {} +
}

# A checker's own memory is not what is measured and what is made to fail.
memory_calls() {
	under_checker || echo mmap brk
}

# rss_below KIB OUTPUT: that the tool, run with --usage, needed less
rss_below() {
	[[ $2 =~ rss_kib=([0-9]+) ]]
	under_checker || ((BASH_REMATCH[1] < $1))
}
