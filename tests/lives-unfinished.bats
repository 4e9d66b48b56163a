#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs whose release failed, was interrupted or never came, on a real libvirtd.
# Run as: tests/sandbox bats tests/lives-unfinished.bats

# names that lib/lives.bash sets, none with a blank in it
# shellcheck disable=SC2154,SC2086,SC2016,SC2010,SC2012
load lib/lives.bash

setup_file() { lives_begin lxc; }
teardown_file() { lives_end; }

setup() {
	life_begin
	guest_tree web1 >/dev/null
	mkdir -p /srv/guests/web1/{www,scratch} /srv/seed/www
	echo seed >/srv/seed/www/index.html
	echo 'a line' >/srv/guests/web1/var/log/service.log
	echo worthless >/srv/guests/web1/scratch/big
	guest_define lxc web1 "$full"
}

teardown() {
	[[ ! -e $BATS_FILE_TMPDIR/skip ]] || return 0
	umount /proc/sys/kernel/random/boot_id 2>/dev/null || true
	[[ -z ${holder:-} ]] || kill $holder 2>/dev/null || true
	destination_is_back
	life_end
}

readonly full="
	<ramdisk><dir size='4M' mode='1777'>/srv/guests/%NAME%/tmp</dir></ramdisk>
	<preload><dircopy><src>/srv/seed/www</src><dst>/srv/guests/%NAME%/www</dst></dircopy></preload>
	<archive>
		<dircopy><src>/srv/guests/%NAME%/var/log</src><dst>/srv/archive/%NAME%/log</dst></dircopy>
		<dircopy><src>/srv/guests/%NAME%/www</src><dst>/srv/archive/%NAME%/www</dst></dircopy>
		<dircopy><src>/srv/guests/%NAME%/tmp</src><dst>/srv/archive/%NAME%/tmp</dst></dircopy>
	</archive>
	<post-rm-rf><dir>/srv/guests/%NAME%/scratch</dir></post-rm-rf>"

# What the guest leaves in its ramdisk and in its tree.
guest_works() {
	echo 'changed by the guest' >/srv/guests/web1/www/index.html
	echo 'in memory' >/srv/guests/web1/tmp/data
}

data_is_there() {
	ramdisk_on /srv/guests/web1/tmp
	same_text "$(cat /srv/guests/web1/tmp/data)" 'in memory'
	same_text "$(cat /srv/guests/web1/www/index.html)" 'changed by the guest'
	same_text "$(cat /srv/guests/web1/scratch/big)" worthless
}

# Once, each of the three.
archived_once() {
	same_text "$(ls /srv/archive/web1 | tr '\n' ' ')" 'log tmp www '
	same_text "$(cat /srv/archive/web1/log/service.log)" 'a line'
	same_text "$(cat /srv/archive/web1/www/index.html)" 'changed by the guest'
	same_text "$(cat /srv/archive/web1/tmp/data)" 'in memory'
}

run_is_over() {
	[[ -z $(records) && -z $(ramdisks) ]]
}

destination_is_back() {
	if [[ -n ${fuse:-} ]]; then
		exec {fuse}>&-
		fuse=
	fi
	while findmnt -n -M /srv/archive >/dev/null; do
		umount -l /srv/archive || return
	done
}

# --- libvirtd killed -------------------------------------------------------------------------------------------

# killed_in EVENT: libvirtd is killed while a part of EVENT takes a while, and started again
killed_in() {
	rm -f $seen/go-on
	part $1.d/01-slow <<-END
		echo begin >>$seen/slow
		$until_go_on
		echo end >>$seen/slow
	END
	case $1 in
	stopped_end | release_end)
		on lxc start web1
		guest_works
		on lxc destroy web1 >/dev/null 2>&1 &
		;;
	*) on lxc start web1 >/dev/null 2>&1 & ;;
	esac
	within 10 file_has $seen/slow begin
	libvirt_kill
	go_on
	within 10 file_has $seen/slow end
	rm -rf ${parts:?}/$1.d
	libvirt_again
}

@test "libvirtd killed in prepare and in start: nothing is archived or deleted, and the next life is a whole one" {
	local event
	for event in prepare_begin start_begin; do
		echo "killed in $event" >&2
		rm -f $seen/slow
		killed_in $event
		guest_state_is lxc web1 'shut off'
		fails test -e /srv/archive
		test -e /srv/guests/web1/scratch/big
		on lxc start web1
		fails test -e /srv/archive
		same_text "$(ramdisks)" /srv/guests/web1/tmp
		guest_works
		on lxc destroy web1
		within 5 run_is_over
		archived_once
		fails test -e /srv/guests/web1/scratch
		rm -rf /srv/archive
		mkdir -p /srv/guests/web1/scratch
		echo worthless >/srv/guests/web1/scratch/big
	done
}

@test "libvirtd killed in started: whether the guest runs on or not, its data is archived at its end" {
	killed_in started_begin
	if guest_state_is lxc web1 running; then
		echo 'it runs on' >&2
		guest_works
		data_is_there
		on lxc destroy web1
		within 5 run_is_over
		archived_once
		fails test -e /srv/guests/web1/scratch
	else
		echo 'it does not run' >&2
		test -e /srv/guests/web1/scratch/big
		on lxc start web1
		guest_works
		on lxc destroy web1
		within 5 run_is_over
	fi
}

@test "libvirtd killed in stopped and in release: archived once, deleted if the reason is known, and the next life is a whole one" {
	local event
	for event in stopped_end release_end; do
		echo "killed in $event" >&2
		rm -f $seen/slow
		killed_in $event
		within 10 run_is_over
		archived_once
		# a daemon that tells reasons says of a container that it lost in between that it has failed
		if [[ $event == stopped_end ]] && libvirt_since 10.5; then
			same_text "$(cat /srv/guests/web1/scratch/big)" worthless
		else
			fails test -e /srv/guests/web1/scratch
		fi
		rm -rf /srv/archive
		mkdir -p /srv/guests/web1/scratch
		echo worthless >/srv/guests/web1/scratch/big
		on lxc start web1
		guest_works
		on lxc destroy web1
		within 5 run_is_over
		archived_once
		fails test -e /srv/guests/web1/scratch
		rm -rf /srv/archive
		mkdir -p /srv/guests/web1/scratch
		echo worthless >/srv/guests/web1/scratch/big
	done
}

# In the middle of the next archive, it and every process of the hook are killed; of no other one when it was missed.
killed_in_archive() {
	local pid=''
	until pid=$(pgrep -x 20-archive); do
		[[ ! -e $seen/missed ]] || return 0
	done
	sleep "0.0$((RANDOM % 10))"
	# so that it does not end while the others are looked for
	kill -STOP $pid
	kill -KILL $(pgrep -f '^/etc/libvirt/hooks/lxc web1 release') $pid
	echo >>$seen/killed
} </dev/null >/dev/null 2>&1 3>&- 4>&-

@test "hook and parts killed in the middle of an archive: nothing half-done is seen, and the next start finishes it" {
	local -i round rounds=${VIRT_PARTS_FULL:+20} killed=0
	((rounds)) || rounds=3
	: >$seen/killed
	mkdir /srv/guests/web1/var/log/many
	seq 20000 | split -l 1 -a 4 - /srv/guests/web1/var/log/many/
	# one that was over before it could be killed does not count
	for ((round = 0; killed < rounds && round < 3 * rounds; round++)); do
		on lxc start web1
		guest_works
		killed_in_archive &
		# virsh may well succeed: libvirt's own teardown goes on
		on lxc destroy web1 || true
		touch $seen/missed
		wait $! || true
		rm $seen/missed
		within 5 fails pgrep -x 20-archive >/dev/null 2>&1
		killed=$(wc -l <$seen/killed)
		# libvirt's lxc driver sometimes calls stopped and release once more, and they have done it over again
		if [[ -n $(records) ]]; then
			test -e /srv/guests/web1/scratch/big
			same_text "$(ls /srv/archive/web1 | grep -v '^\.' | grep -c log)" 0
		fi
		on lxc start web1
		same_text "$(cat /srv/archive/web1/www/index.html)" 'changed by the guest'
		diff -r /srv/archive/web1/log /srv/guests/web1/var/log
		same_text "$(cat /srv/archive/web1/tmp/data)" 'in memory'
		same_text "$(cat /srv/guests/web1/www/index.html)" seed
		on lxc destroy web1
		within 5 run_is_over
		same_text "$(find /srv/archive/web1 -mindepth 1 -maxdepth 1 -name '.*')" ''
		rm -rf /srv/archive
		mkdir -p /srv/guests/web1/scratch
		echo worthless >/srv/guests/web1/scratch/big
	done
	((killed == rounds))
}

# --- the host rebooted -----------------------------------------------------------------------------------------

# As after a loss of power: no process, no mount, nothing in /run, another boot id.
host_reboots() {
	local dir
	libvirt_kill
	containers_crash
	for dir in $(ramdisks); do
		umount "$dir"
	done
	rm -rf /run/virt-parts
	cat /proc/sys/kernel/random/uuid >"$BATS_FILE_TMPDIR/boot-id"
	mount --bind "$BATS_FILE_TMPDIR/boot-id" /proc/sys/kernel/random/boot_id
	libvirt_again
}

@test "the host rebooted while the guest ran: its next start archives what is left before it preloads, and deletes nothing" {
	on lxc start web1
	guest_works
	host_reboots
	fails test -e /srv/archive
	on lxc start web1
	same_text "$(cat /srv/archive/web1/log/service.log)" 'a line'
	same_text "$(cat /srv/archive/web1/www/index.html)" 'changed by the guest'
	same_text "$(cat /srv/guests/web1/www/index.html)" seed
	test -e /srv/guests/web1/scratch/big
	file_has $logs/lxc-web1.log 'reason=lost'
	ramdisk_on /srv/guests/web1/tmp
	rm -rf /srv/archive
	guest_works
	on lxc destroy web1
	archived_once
	fails test -e /srv/guests/web1/scratch
	run_is_over
}

@test "the host rebooted after a release that could not archive: archived at the next start, and deleted then" {
	on lxc start web1
	guest_works
	mkdir /srv/archive
	echo x >/srv/archive/web1
	on lxc destroy web1
	data_is_there
	host_reboots
	rm /srv/archive/web1
	on lxc start web1
	same_text "$(cat /srv/archive/web1/www/index.html)" 'changed by the guest'
	same_text "$(cat /srv/guests/web1/www/index.html)" seed
	fails test -e /srv/guests/web1/scratch
}

# --- an archive that cannot be made ----------------------------------------------------------------------------

# archive_fails_until REPAIR BREAK WHY [before|after]: the same for every way in which a destination can fail,
# repaired before the next start, after it, or one and then the other
archive_fails_until() {
	local repair=$1 start starts=${4:-before after}
	[[ -z ${VIRT_PARTS_FULL:-} ]] || starts='before after'
	for start in $starts; do
		echo "the destination is good again $start the next start" >&2
		on lxc start web1
		guest_works
		"$2"
		quickly 60 on lxc destroy web1
		within 15 file_has $logs/lxc-web1.log 'the run stays unfinished, failed: 20-archive'
		file_has $logs/lxc-web1.log "$3"
		data_is_there
		if [[ $start == before ]]; then
			$repair
			on lxc start web1
			# the unfinished run first, then what is new
			archived_once
			fails test -e /srv/guests/web1/scratch
			same_text "$(cat /srv/guests/web1/www/index.html)" seed
			fails test -e /srv/guests/web1/tmp/data
			on lxc destroy web1
		else
			on lxc start web1
			guest_state_is lxc web1 running
			data_is_there
			file_has $logs/lxc-web1.log 'its last run is unfinished and could not be finished'
			$repair
			on lxc destroy web1
			within 10 run_is_over
			archived_once
			fails test -e /srv/guests/web1/scratch
		fi
		within 10 run_is_over
		proof 25c 1 0 1 "$2, good again $start the next start: kept until archived, and deleted then"
		destination_is_back
		rm -rf /srv/archive ${logs:?}/*
		mkdir -p /srv/guests/web1/scratch
		echo worthless >/srv/guests/web1/scratch/big
	done
}

full_disk() {
	mkdir -p /srv/archive
	mount -t tmpfs -o mode=755,nr_inodes=2 full /srv/archive
}

room_again() {
	mount -o remount,nr_inodes=1000 /srv/archive
}

@test "the archive's disk is full: data stays, the guest starts and has it, and all is done when there is room" {
	archive_fails_until room_again full_disk 'No space left'
}

read_only() {
	mkdir -p /srv/archive
	findmnt -n -M /srv/archive >/dev/null || mount -t tmpfs -o mode=755,size=16M disk /srv/archive
	mount -o remount,ro /srv/archive
}

writable_again() {
	mount -o remount,rw /srv/archive
}

@test "the archive's disk is read-only: data stays, the guest starts and has it, and all is done when it can be written" {
	archive_fails_until writable_again read_only 'Read-only file system' before
}

# A server that has gone: nobody answers, or (once its connection is closed) every call fails.
server_hangs() {
	mkdir -p /srv/archive
	exec {fuse}<>/dev/fuse
	mount -i -t fuse -o fd=$fuse,rootmode=40000,user_id=0,group_id=0,allow_other server /srv/archive
}

server_is_dead() {
	server_hangs
	exec {fuse}>&-
	fuse=
}

@test "the archive's server is dead: data stays, the guest starts and has it, and all is done when it is back" {
	archive_fails_until destination_is_back server_is_dead 'endpoint is not connected' after
}

@test "the archive's server does not answer: libvirt is not held up, data stays, and all is done when it is back" {
	conf_set teardown-wait 2s
	conf_set 20-archive 4s
	archive_fails_until destination_is_back server_hangs '20-archive: .*4 s' after
}

@test "a limit refuses the archive of a container that reboots itself: nothing is deleted, and it is there again" {
	local limit
	for limit in 'archive-total = 1K' 'archive-min-free = 100%'; do
		echo "$limit" >&2
		rm -f /srv/guests/web1/{rebooted,started}
		GUEST_INIT="<init>/bin/sh</init><initarg>-c</initarg><initarg>test -e /rebooted &amp;&amp; sleep 3600; echo in memory &gt;/tmp/data; echo changed by the guest &gt;/www/index.html; echo &gt;/rebooted; until test -e /started; do sleep 0.1; done; reboot -f</initarg>" \
			GUEST_UUID=$(guest_uuid lxc web1) guest_define lxc web1 "$full"
		conf_set "${limit% = *}" "${limit#* = }"
		head -c 64k /dev/zero >/srv/guests/web1/var/log/big
		on lxc start web1
		# not before libvirt knows it
		touch /srv/guests/web1/started
		within 15 file_has $logs/lxc-web1.log 'its last run is unfinished and could not be finished'
		within 10 guest_state_is lxc web1 running
		data_is_there
		fails test -e /srv/archive/web1/log
		cp "$BATS_FILE_TMPDIR/parts.conf" $hooks/parts.conf
		on lxc destroy web1
		within 5 run_is_over
		# what was small enough for the limit is archived of both lives
		same_text "$(cat /srv/archive/web1/log/service.log)" 'a line'
		same_text "$(cat /srv/archive/web1/tmp/data)" 'in memory'
		fails test -e /srv/guests/web1/scratch
		rm -rf /srv/archive ${logs:?}/*
		mkdir -p /srv/guests/web1/scratch
		echo worthless >/srv/guests/web1/scratch/big
	done
}

@test "a container that reboots itself again and again is archived and purged each time" {
	local -i rounds=${VIRT_PARTS_FULL:+20}
	((rounds)) || rounds=4
	# each life leaves its number in its log and in a new scratch directory, and does not end before libvirt knows it
	part started_begin.d/90-told <<-END
		touch /srv/guests/web1/started
	END
	GUEST_INIT="<init>/bin/sh</init><initarg>-c</initarg><initarg>read n &lt;/life; n=\$((n + 1)); echo \$n &gt;/life; test -e /scratch &amp;&amp; echo \$n &gt;/leftover; echo \$n &gt;/var/log/service.log; echo \$n &gt;/tmp/data; mkdir -p /scratch; test \$n -gt $rounds &amp;&amp; sleep 3600; until test -e /started; do sleep 0.1; done; rm /started; reboot -f</initarg>" \
		GUEST_UUID=$(guest_uuid lxc web1) guest_define lxc web1 "$full"
	rm -r /srv/guests/web1/scratch
	echo 0 >/srv/guests/web1/life
	on lxc start web1
	within $((rounds * 10)) file_has /srv/guests/web1/life "^$((rounds + 1))\$"
	local -i life
	for ((life = 1; life <= rounds; life++)); do
		local suffix=-$life
		((life > 1)) || suffix=
		same_text "$(cat /srv/archive/web1/log$suffix/service.log)" $life
		same_text "$(cat /srv/archive/web1/tmp$suffix/data)" $life
	done
	fails test -e /srv/guests/web1/leftover
	on lxc destroy web1
	within 5 run_is_over
	same_text "$(ls /srv/archive/web1 | grep -c '^log')" $((rounds + 1))
}

# --- what keeps a ramdisk busy ---------------------------------------------------------------------------------

@test "a process in the ramdisk keeps the run unfinished and is named; when it has gone, the rest is done" {
	on lxc start web1
	guest_works
	(cd /srv/guests/web1/tmp && exec sleep 600) </dev/null >/dev/null 2>&1 3>&- 4>&- &
	holder=$!
	within 5 file_has /proc/$holder/comm sleep
	on lxc destroy web1
	archived_once
	file_has $logs/lxc-web1.log "in use by pid $holder (sleep)"
	data_is_there
	# it is archived already, and not once more
	on lxc start web1
	guest_state_is lxc web1 running
	data_is_there
	archived_once
	kill $holder
	wait $holder || true
	rm -rf /srv/archive
	on lxc destroy web1
	archived_once
	run_is_over
	fails test -e /srv/guests/web1/scratch
}
