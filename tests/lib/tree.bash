# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A tree of hooks to try the dispatcher in, without libvirt: $tree/hooks/{qemu,lxc,...} are links to a copy
# of it, and [dirs] of $tree/hooks/parts.conf lead into the tree. It lies in /var/cache, since what is below
# /tmp is trusted by nobody.
#
# A file says `setup() { tree_make; }` and `teardown() { tree_remove; }`.

# shellcheck disable=SC2034,SC2119,SC2120 # variables and arguments are for the tests
# shellcheck disable=SC2016 # parts expand what is in them

# shellcheck source=tests/lib/checker.bash
source "$(dirname "${BASH_SOURCE[0]}")/checker.bash"
# shellcheck source=tests/lib/remove.bash
source "$(dirname "${BASH_SOURCE[0]}")/remove.bash"
# shellcheck source=tests/lib/proof.bash
source "$(dirname "${BASH_SOURCE[0]}")/proof.bash"

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly build=${VIRT_PARTS_BUILD:-$checkout/build}
readonly uuid=6e3ad1c0-5a1b-4d0c-9a57-0d6c9b1a7a11
# what libvirt gives for a guest, and for one with directives
readonly plain="<domain type='kvm'><name>web1</name><uuid>$uuid</uuid></domain>"
readonly asking="<domain type='kvm'><name>web1</name><uuid>$uuid</uuid><metadata><v:virt-parts xmlns:v='urn:virt-parts:1'/></metadata></domain>"

tree_make() {
	[[ $EUID -eq 0 ]] || skip 'needs root'
	[[ -x $build/virt-parts-hook ]] || skip "$build/virt-parts-hook is not built"
	umask 022
	tree=$(mktemp -d /var/cache/virt-parts-test.XXXXXX)
	chmod 0755 "$tree"
	mkdir -p "$tree"/{sbin,hooks/parts.d,vendor,qemu-log}
	hooks=$tree/hooks parts=$tree/hooks/parts.d vendor=$tree/vendor seen=$tree/seen
	cp "$build/virt-parts-hook" "$tree/sbin/"
	local driver
	for driver in qemu lxc libxl bhyve network daemon; do
		ln -s ../sbin/virt-parts-hook "$hooks/$driver"
	done
	conf
	xml=$plain
	around=()
	: >"$seen"
}

# full N QUICK: N in check-full, else QUICK
full() {
	if [[ -n ${VIRT_PARTS_FULL:-} ]]; then
		echo "$1"
	else
		echo "$2"
	fi
}

# Memory and system calls are those of the program as it is installed, not of one for a checker.
needs_static() {
	without_checker 'memory and system calls are its own'
	! ldd "$build/virt-parts-hook" 2>&1 | grep -q '=>' || skip 'the program is not linked statically'
}

# From here on hooks run where the host's own logs and locks are hidden: where parts.conf of the tree does
# not count, they use the built-in directories.
hide_host() {
	unshare -m true 2>/dev/null || skip 'needs unshare -m'
	around=(unshare -m sh -ec 'mount -t tmpfs none /var/log; mount -t tmpfs none /run; exec "$0" "$@"')
}

# Processes that a test left behind are known by the tree in their arguments or names of open files.
tree_remove() {
	[[ -n ${tree:-} ]] || return 0
	if [[ -z ${BATS_TEST_COMPLETED:-} ]]; then
		tail -n 30 "$tree"/log/*.log >&2 2>/dev/null || true
	fi
	remove_tree "$tree"
}

# libvirtd_calls: from here on hooks are called by a process with that name, as by a libvirtd that goes then
libvirtd_calls() {
	cp "$BASH" "$tree/libvirtd"
	around=("$tree/libvirtd" -c '"$0" "$@"; exit $?')
}

# conf [LINE...]: parts.conf with the tree's directories, then these lines
conf() {
	# on a busy machine no release is to go on in the background
	[[ $* == *teardown-wait* ]] || set -- '[limits]' 'teardown-wait = 10min' "$@"
	printf '%s\n' '[dirs]' "state = $tree/state" "run = $tree/run" "log = $tree/log" \
		"vendor = $tree/vendor" "qemu-log = $tree/qemu-log" "$@" >"$hooks/parts.conf"
}

# part FILE [LINE...]: an executable of these lines of sh; without any it notes that it ran. Its
# directory is made, too. In the lines $seen is the file to note things in.
part() {
	local file=$1
	shift
	(($#)) || set -- 'echo "${0##*/}" >>"$seen"'
	mkdir -p "$(dirname "$file")"
	printf '%s\n' '#!/bin/sh' "seen=$seen tree=$tree" "$@" >"$file"
	chmod 0755 "$file"
}

# hook DRIVER OBJECT OP SUBOP EXTRA: one event with $xml, as libvirt calls it
hook() {
	local driver=$1
	shift
	printf '%s' "$xml" | "${around[@]}" "$hooks/$driver" "$@"
}

# event OP SUBOP [EXTRA]: an event of the qemu guest web1, run with its status, output and errors kept
event() {
	local err=$tree/stderr
	status=0
	output=$(hook qemu web1 "$1" "$2" "${3:--}" 2>"$err") || status=$?
	errors=$(<"$err")
	printf '%s_%s: exit %s\n%s\n%s\n' "$1" "$2" "$status" "$output" "$errors" >&2
}

# ran NAME...: exactly these have noted that they ran, in this order
ran() {
	same "$(tr '\n' ' ' <"$seen")" "${*:+$* }"
}

same() {
	[[ $1 == "$2" ]] || {
		printf 'is:        %q\nshould be: %q\n' "$1" "$2" >&2
		return 1
	}
}

# not COMMAND...: it fails. (`! COMMAND` does not fail a test.)
not() {
	if "$@"; then
		echo "succeeded: $*" >&2
		return 1
	fi
}

has() {
	[[ $1 == *"$2"* ]] || {
		printf 'in:    %q\nlacks: %q\n' "$1" "$2" >&2
		return 1
	}
}

lacks() {
	[[ $1 != *"$2"* ]] || {
		printf 'in:           %q\nshould lack: %q\n' "$1" "$2" >&2
		return 1
	}
}

# older_mark SECONDS FILE: a mark of the run directory, as that much older; less than 0: younger
older_mark() {
	touch -d "@$(($(stat -c %Y "$2") - $1))" "$2"
}

log_of() {
	cat "$tree/log/$1.log"
}

# within SECONDS COMMAND...: repeats COMMAND until it succeeds, or fails after that time
within() {
	local -i limit=$(($1 * 50)) try
	shift
	for ((try = 0; try < limit; try++)); do
		"$@" && return 0
		sleep 0.02
	done
	echo "not in time: $*" >&2
	return 1
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

# processor_ms VARIABLE: the milliseconds that this shell's commands have taken of a processor so far: of a busy machine,
# too, it says what they cost
processor_ms() {
	local -a fields
	read -ra fields <"/proc/$BASHPID/stat"
	printf -v "$1" %s "$(((fields[15] + fields[16]) * 10))"
}

milliseconds() {
	echo $((${EPOCHREALTIME/./} / 1000))
}

# --- records ---------------------------------------------------------------------------------------------------

# recorder DIRECTIVE...: a shipped 05-virt-parts that makes a record of these, as the real one does
recorder() {
	part "$vendor/prepare_begin.d/05-virt-parts" \
		'if [ "$1" = --well-formed ]; then grep -qx "<.*>" && exit 0 || exit 1; fi' \
		'echo 05-virt-parts >>"$seen"' \
		'record=$tree/state/$VIRT_PARTS_DRIVER/$VIRT_PARTS_UUID' \
		'[ ! -d "$record" ] || exit 0' \
		'mkdir -p "$record/asked"' \
		"for name in $*; do touch \"\$record/asked/\$name\"; done" \
		'cat >"$record/domain.xml"' \
		'printf "version 1\nname %s\nbegin new\nturn 1\ntime %s\nboot %s\n" "$VIRT_PARTS_DOMAIN" "$VIRT_PARTS_EVENT_TIME" "$(cat /proc/sys/kernel/random/boot_id)" >"$record/run"'
}

# Two shipped parts of release that note the reason and the failed, and fail while there is a file fail/NAME
shipped() {
	recorder archive post-rm-rf custom
	mkdir -p "$tree/fail"
	local name
	for name in 20-archive 60-post-rm-rf; do
		part "$vendor/release_end.d/$name" 'echo "${0##*/} $VIRT_PARTS_REASON [$VIRT_PARTS_FAILED]" >>"$seen"' \
			'[ ! -e "$tree/fail/${0##*/}" ]'
	done
}

record=state/qemu/$uuid

# live: the events of a guest with directives up to its release, which all must succeed
live() {
	xml=$asking
	event prepare begin && [ "$status" -eq 0 ] &&
		event start begin && [ "$status" -eq 0 ] &&
		event started begin && [ "$status" -eq 0 ]
}

# record_is FILE TEXT: of web1's record
record_is() {
	same "$(cat "$tree/$record/$1")" "$2"
}

has_record() {
	[[ -d $tree/$record ]]
}
