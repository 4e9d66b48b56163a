# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Loaded by the tests of what the dispatcher writes down of a run: lives of a guest whose shipped parts are small
# scripts, 05-virt-parts that makes a record, and others that note what they are told.

# shellcheck source=tests/lib/tree.bash
source "$(dirname "${BASH_SOURCE[0]}")/tree.bash"

# shellcheck disable=SC2034,SC2154 # for those who load this, and from what this loads

setup() {
	tree_make
	shipped
}

teardown() { tree_remove; }

# fail_release: a whole life whose archive fails, so that the run is unfinished
fail_release() {
	live
	touch "$tree/fail/20-archive"
	event release end "${1:-shutdown}"
	[ "$status" -eq 1 ]
	rm "$tree/fail/20-archive"
	: >"$seen"
}

is_begin() {
	grep -qx "begin $1" "$tree/$record/run" || {
		cat "$tree/$record/run" >&2
		return 1
	}
}

# reason_is WORD [EXTRA]: what the parts of release are told
reason_is() {
	# shellcheck disable=SC2016 # the part expands it
	part "$parts/release_end.d/10-own" 'echo "$VIRT_PARTS_REASON" >"$tree/reason"; exit 1'
	event release end "${2:--}"
	same "$(<"$tree/reason")" "$1"
}

# qemu_log SECONDS LINE: a line of libvirt's own, that many seconds from now
qemu_log() {
	echo "$(date -u -d "@$(($(date +%s) + $1))" '+%Y-%m-%d %H:%M:%S').123+0000: $2" >>"$tree/qemu-log/${3:-web1.log}"
}

# saved REASON: a life that ends with it, whose run stays
saved() {
	live
	event stopped end
	event release end "$1"
	[ "$status" -eq 0 ]
	record_is release "$1"
	sed -i 's/^time .*/time 1000/' "$tree/$record/run"
	: >"$seen"
}

# goes_on BEGIN: the run of before does, as if it had just been prepared
goes_on() {
	is_begin "$1"
	not grep -qx 'time 1000' "$tree/$record/run"
	grep -qx "boot $(</proc/sys/kernel/random/boot_id)" "$tree/$record/run"
	[ ! -e "$tree/$record/started" ]
	[ ! -e "$tree/$record/release" ]
	[ ! -e "$tree/$record/failed" ]
}

# system_log: what is told to the system's log from now on comes to be in $tree/heard; the host's own logs are hidden
system_log() {
	mkdir "$tree/dev"
	mknod -m 666 "$tree/dev/null" c 1 3
	timeout 300 python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1] + "/dev/log")
open(sys.argv[1] + "/heard", "wb").write(s.recv(4096))' "$tree" 3>&- &
	within 60 test -S "$tree/dev/log"
	# shellcheck disable=SC2016 # sh expands it
	around=(unshare -m --propagation private sh -c 'mount --bind "$0/dev" /dev && mount -t tmpfs none /run &&
		mount -t tmpfs none /var/log && exec "$@"' "$tree")
}
