#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# One event of a guest at a time, in the order in which they came; and guests that are never refused for that.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # variables of tree_make, hook and event
# shellcheck disable=SC2016,SC2086 # parts expand what is in them
load lib/tree.bash

setup() { tree_make; }
teardown() { tree_remove; }

# --- order -----------------------------------------------------------------------------------------------------

# tickets N: so many events of web1 have taken their place in the queue
tickets() {
	[ "$(od -An -t u8 -N 8 "$tree/run/qemu-$uuid.lock" 2>/dev/null)" -eq "$1" ]
}

@test "20 events of a guest at once run one at a time, in the order in which they came" {
	part "$parts/prod_begin.d/10-a" 'echo "begin $4" >>"$seen"; [ "$4" != 0 ] || sleep 1; echo "end $4" >>"$seen"'
	local i expected=
	for ((i = 0; i < 20; i++)); do
		hook qemu web1 prod begin $i &
		within 60 tickets $((i + 1))
		expected+="begin $i"$'\n'"end $i"$'\n'
	done
	wait
	same "$(<"$seen")"$'\n' "$expected"
}

@test "events of different guests do not wait for each other" {
	part "$parts/prod_begin.d/10-a" 'echo "$4" >>"$seen"; [ "$4" != 0 ] || until [ -e "$tree/go" ]; do sleep 0.02; done; echo "$4" >>"$seen"'
	hook qemu web1 prod begin 0 &
	within 60 grep -q 0 "$seen"
	xml=${plain/7a11/7a12}
	hook qemu web2 prod begin 1
	hook lxc web1 prod begin 2 # another driver's guest of the same UUID
	touch "$tree/go"
	wait
	ran 0 1 1 2 2 0
}

@test "a prepare does not overtake a release that waits" {
	part "$parts/started_begin.d/10-a" 'echo started >>"$seen"; sleep 0.6'
	part "$parts/release_end.d/10-a" 'echo release >>"$seen"; sleep 0.2'
	part "$parts/prepare_begin.d/10-a" 'echo prepare >>"$seen"'
	hook qemu web1 started begin - &
	within 60 grep -q started "$seen"
	hook qemu web1 release end - &
	within 60 tickets 2
	hook qemu web1 prepare begin - &
	wait
	ran started release prepare
}

@test "nobody waits for an event whose process was killed" {
	part "$parts/start_begin.d/10-a" 'echo "$PPID $$" >>"$seen"; exec sleep 67'
	part "$parts/prepare_begin.d/10-a" 'echo prepare >>"$seen"'
	hook qemu web1 start begin - 2>/dev/null &
	within 60 test -s "$seen"
	local from hook part
	read -r hook part <"$seen"
	kill -KILL "$hook"
	from=$(milliseconds)
	event prepare begin
	[ "$status" -eq 0 ]
	# after 30 s it would go on all the same
	(($(milliseconds) - from < 25000))
	kill "$part"
}

@test "a shipped part ends with the process that runs it, one of the admin's own goes on" {
	local signal pid part
	part "$vendor/release_end.d/20-archive" 'echo "$PPID $$" >"$tree/20-archive"; exec sleep 300'
	part "$parts/release_end.d/10-own" '[ ! -e "$tree/own" ] || { echo "$PPID $$" >"$tree/10-own"; exec sleep 300; }'
	recorder archive
	xml=$asking
	conf '[limits]' 'teardown-wait = 1s'
	for signal in TERM KILL; do
		event prepare begin
		event started begin
		event release end shutdown
		[ "$status" -eq 0 ]
		within 60 test -s "$tree/20-archive"
		read -r pid part <"$tree/20-archive"
		has "$(log_of qemu-web1)" "goes on in the background, pid=$pid"
		kill "-$signal" "$pid"
		within 60 gone "$part"
		rm -r "$tree/20-archive" "$tree/state"
	done
	touch "$tree/own"
	event release end shutdown
	within 60 test -s "$tree/10-own"
	read -r pid part <"$tree/10-own"
	kill -KILL "$pid"
	within 60 gone "$pid"
	sleep 0.2
	kill "$part"
}

@test "a background process of a part holds no lock" {
	part "$parts/start_begin.d/10-a" 'setsid sleep 68 & echo $! >"$tree/left"'
	part "$parts/prepare_begin.d/10-a"
	event start begin
	local from
	from=$(milliseconds)
	event prepare begin
	(($(milliseconds) - from < 25000))
	ran 10-a
	kill "$(<"$tree/left")"
}

@test "a network's events run side by side" {
	part "$parts/network_started_begin.d/10-a" 'echo "$1" >>"$seen"; touch "$tree/$4"; i=0; while [ ! -e "$tree/a" ] || [ ! -e "$tree/b" ]; do i=$((i + 1)); [ $i -lt 1000 ] || exit 1; sleep 0.05; done'
	hook network default started begin a &
	hook network default started begin b
	wait $!
	ran default default
}

@test "reconnect never waits: while another event runs it does nothing and succeeds" {
	part "$parts/start_begin.d/10-a" 'echo start >>"$seen"; until [ -e "$tree/go" ]; do sleep 0.02; done'
	part "$parts/reconnect_begin.d/10-a"
	hook qemu web1 start begin - &
	within 60 test -s "$seen"
	event reconnect begin
	[ "$status" -eq 0 ]
	ran start
	touch "$tree/go"
	wait
	ran start
	has "$(log_of qemu-web1)" 'reconnect_begin: error: reconnect_begin does nothing: start begin (pid '
	event reconnect begin
	ran start 10-a
}

# --- guests that must not be refused ---------------------------------------------------------------------------

@test "a guest without directives is not refused when lock, log and state are broken" {
	part "$parts/prepare_begin.d/10-a"
	part "$parts/release_end.d/10-a"
	local file
	for file in run state log; do
		echo >"$tree/$file"
	done
	event prepare begin
	[ "$status" -eq 0 ]
	event release end
	[ "$status" -eq 0 ]
	ran 10-a 10-a
}

@test "a guest with directives is refused when its record or its lock cannot be had" {
	part "$parts/prepare_begin.d/10-a"
	xml=$asking
	echo >"$tree/run"
	event prepare begin
	[ "$status" -eq 1 ]
	has "$errors" "prepare_begin refused: cannot lock the guest in '$tree/run': Not a directory"
	rm "$tree/run"
	echo >"$tree/state"
	event prepare begin
	[ "$status" -eq 1 ]
	has "$errors" "refused: cannot open the record of its run in '$tree/state': Not a directory"
	ran
}

@test "a guest whose XML has no UUID needs no lock, with or without directives" {
	part "$parts/prepare_begin.d/10-a"
	echo >"$tree/run"
	echo >"$tree/state"
	for xml in '<domain/>' '<domain><x xmlns="urn:virt-parts:1"/></domain>' ''; do
		event prepare begin
		[ "$status" -eq 0 ]
	done
	ran 10-a 10-a 10-a
}

@test "an invalid parts.conf is said in the log, the built-in values count, and nothing is refused for it" {
	part "$parts/prepare_begin.d/10-a"
	conf '[dirs]' nonsense
	# the built-in directories are the host's own: hidden while this runs
	hide_host
	around[4]="${around[4]/exec/} ; cat /var/log/virt-parts/qemu-web1.log; ls /run/virt-parts"
	hook qemu web1 prepare begin - >"$tree/out"
	ran 10-a
	grep -q "prepare_begin: warning: no valid parts.conf: $hooks/parts.conf:[0-9]*: 'nonsense'" "$tree/out"
	grep -q "^qemu-$uuid.lock" "$tree/out"
}

@test "an invalid parts.conf is the reason where the shipped parts are not where they would be without one" {
	[[ ! -e /usr/lib/virt-parts ]] || skip 'virt-parts is installed here'
	hide_host
	xml=$asking
	mkdir -p "$vendor/prepare_begin.d"
	part "$vendor/prepare_begin.d/05-virt-parts"
	event prepare begin
	[ "$status" -eq 0 ]
	printf '%s\n' '[dirs]' nonsense >>"$hooks/parts.conf"
	event prepare begin
	[ "$status" -eq 1 ]
	has "$errors" 'there are no shipped parts in'
	has "$errors" "parts.conf is not valid, which 'virt-parts doctor' explains"
	lacks "$errors" 'install virt-parts again'
}

@test "a release whose record cannot be opened runs the admin's own parts, and fails" {
	part "$parts/release_end.d/10-own" 'echo "[$VIRT_PARTS_FAILED]" >>"$seen"'
	part "$vendor/release_end.d/20-archive"
	xml=$asking
	echo >"$tree/state"
	event release end
	[ "$status" -eq 1 ]
	has "$errors" "nothing shipped runs: cannot open the record of its run in '$tree/state'"
	ran '[record]'
}
