#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Many containers: started by autostart, all destroyed at once, and again. Prints how long it took.
# Run as: tests/sandbox bats tests/lives-many.bats; VIRT_PARTS_FULL=1 makes it a hundred.

# names that lib/lives.bash sets, none with a blank in it
# shellcheck disable=SC2154,SC2086,SC2016,SC2010,SC2012
load lib/lives.bash

setup_file() { lives_begin lxc; }
teardown_file() { lives_end; }
setup() { life_begin; }

teardown() {
	[[ ! -e $BATS_FILE_TMPDIR/skip ]] || return 0
	# faster than one by one
	local uuid
	libvirt_running || libvirt_again
	for uuid in $(guest_uuids lxc); do
		on lxc destroy "$uuid" >/dev/null 2>&1 &
	done
	wait
	rm -rf /etc/libvirt/lxc/autostart/*
	life_end
}

readonly full="
	<ramdisk><dir size='1M' mode='1777'>/srv/guests/%NAME%/tmp</dir></ramdisk>
	<preload>
		<iso path='/var/lib/virt-parts/iso/%NAME%/seed.iso' label='CIDATA'><src>/srv/seed/www</src></iso>
		<dircopy><src>/srv/seed/www</src><dst>/srv/guests/%NAME%/www</dst></dircopy>
	</preload>
	<archive><dircopy><src>/srv/guests/%NAME%/var/log</src><dst>/srv/archive/%NAME%/log</dst></dircopy></archive>
	<post-rm-rf><dir>/srv/guests/%NAME%/scratch</dir></post-rm-rf>"

define_all() {
	local -i n
	local tree
	mkdir -p /srv/seed/www
	echo seed >/srv/seed/www/index.html
	# one tree with links to the same busybox, and what differs
	tree=$(guest_tree g0)
	for ((n = 0; n < count; n++)); do
		((n == 0)) || cp -al $tree /srv/guests/g$n
		mkdir -p /srv/guests/g$n/scratch
		echo "log of g$n" >"$BATS_TEST_TMPDIR/log"
		rm -f /srv/guests/g$n/var/log/service.log
		cp "$BATS_TEST_TMPDIR/log" /srv/guests/g$n/var/log/service.log
		GUEST_TREE=/srv/guests/g$n guest_define lxc g$n "$full" >/dev/null
		on lxc autostart g$n >/dev/null
	done
}

seconds_of() {
	local begin=$EPOCHREALTIME
	"$@" >&2
	printf '%d.%03d' $(((${EPOCHREALTIME/./} - ${begin/./}) / 1000000)) $(((${EPOCHREALTIME/./} - ${begin/./}) / 1000 % 1000))
}

daemon_stops() {
	local pid
	pid=$(libvirtd_pid)
	kill -TERM "$pid"
	within 20 process_gone "$pid"
}

all_run() {
	(($(on lxc list --name | grep -c '^g') == count))
}

daemon_starts_all() {
	VIRSH_LIMIT=300 libvirt_again
	within 300 all_run
}

destroy_all() {
	local -i n
	for ((n = 0; n < count; n++)); do
		VIRSH_LIMIT=200 on lxc destroy g$n >/dev/null 2>&1 &
	done
	wait
}

all_over() {
	[[ -z $(records) && -z $(ramdisks) ]]
}

@test "many containers, by autostart and destroyed at once, twice: each has its own, and nothing is left" {
	local -i count=20 round n
	[[ -z ${VIRT_PARTS_FULL:-} ]] || count=100
	define_all
	for round in 1 2; do
		daemon_stops
		rm -rf /run/libvirt/lxc
		echo "# $count containers, round $round: autostart $(seconds_of daemon_starts_all) s" >&3
		same_text "$(ramdisks | wc -l)" $count
		same_text "$(records | wc -l)" $count
		echo "# $count containers, round $round: records $(du -s --apparent-size -B1 /var/lib/virt-parts/state | cut -f 1) bytes, log $(du -s --apparent-size -B1 $logs | cut -f 1) bytes" >&3
		echo "# $count containers, round $round: all destroyed at once $(seconds_of destroy_all) s" >&3
		within 60 all_over
		for ((n = 0; n < count; n++)); do
			local suffix=
			((round == 1)) || suffix=-2
			same_text "$(cat /srv/archive/g$n/log$suffix/service.log)" "log of g$n"
			fails test -e /srv/guests/g$n/scratch
			fails test -e /var/lib/virt-parts/iso/g$n/seed.iso
			mkdir /srv/guests/g$n/scratch
		done
		same_text "$(ls /srv/archive | wc -l)" $count
	done
	same_text "$(find /run/virt-parts -name '*.lock' | wc -l)" $((count + 1))
}
