#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Every system call of an event that can fail is made to fail, in turn, with the errors that fit it: EIO, ENOSPC, EMFILE,
# ENOMEM, EROFS, EDQUOT. Never is the exit status 0 with work undone, nor anything deleted that was not saved.

# shellcheck disable=SC2010,SC2012,SC2016,SC2030,SC2031,SC2034,SC2094,SC2119,SC2120,SC2154 # of attack_make, run, call
load lib/attack.bash

setup() {
	without_checker 'its own calls would be made to fail'
	attack_make
	everything_make
}

teardown() {
	parts_remove
}

# An event that cannot read parts.conf looks for the record and logs in the host's own directories: these are hidden
# where the mounts are not the host's. Else calls fail not before that, from $after on.
hide_own() {
	after=(--after "$tree/log")
	[[ $(readlink /proc/self/ns/mnt) != $(readlink /proc/1/ns/mnt) ]] || return 0
	after=()
	[[ ! -e /run/hidden ]] || return 0
	mount -t tmpfs -o size=1M none /var/log
	mount -t tmpfs -o size=1M none /run
	touch /run/hidden
}

# sweep LEAST CHECK [BEFORE]: CHECK after each failure of a call in $event, of which there are so many at least; BEFORE
# is done once more before each
sweep() {
	local check=$2 before=${3:-:} n variant tried=0 refused=0 wrong=0 total after
	hide_own
	put_back
	$before
	injected "${after[@]}"
	[[ $status -eq 0 ]]
	total=$fallible
	((total > $1))
	for n in $(points "$total" 60); do
		for variant in 0 1 2; do
			put_back
			$before
			injected "${after[@]}" --at "$n" --error "$variant"
			[[ $hit != nothing ]] || break
			tried=$((tried + 1))
			((status == 0)) || refused=$((refused + 1))
			"$check" 2>"$tree/why" || {
				tail -n 5 "$tree/why" >&2
				echo "call $n failed ($hit): exit $status $output" >&2
				tail -n 8 "$tree"/log/*.log >&2
				# all of them are told, unless there are many
				((++wrong < 20)) || break 2
			}
			[[ -n ${VIRT_PARTS_FULL:-} ]] || break
		done
	done
	proof 14 "$tried" "$wrong" "${naive:-0}" "failures of $total calls, $refused refused"
	((wrong == 0))
}

after_release() {
	nothing_lost || return
	((status != 0)) || all_done || return
	lives_on
}

@test "release, any call of which fails: never done when it says so and is not, never lost, and finished later" {
	running
	event=(release end destroyed)
	naive=$(naive_losses fallible --error 0)
	((naive > 0))
	sweep 500 after_release
}

@test "release, without libvirt's reason: the same" {
	running
	event=(release end -)
	sweep 500 after_release
}

whole_start() {
	is_mounted "$me/r" && holds "$me/www/index" page && holds "$me/www/sub/page" page &&
		cmp "$iso/web1/seed.iso" "$tree/image" && is_there "$record/run"
}

after_prepare() {
	((status != 0)) || whole_start || return
	does prepare begin && does started begin && whole_start &&
		does release end destroyed && is_archived log && is_gone "$me/log" "$me/scratch" && swept
}

@test "prepare, any call of which fails: what succeeds is complete, and the next start succeeds" {
	does prepare begin
	cp -p "$iso/web1/seed.iso" "$tree/image"
	does release end failed
	keep
	event=(prepare begin -)
	sweep 500 after_prepare
}

has_what_it_needs() {
	is_mounted "$me/r" && same "$(grep -c " $me/r " /proc/self/mountinfo)" 1 && holds "$me/r/file" 'in memory' &&
		cmp "$iso/web1/seed.iso" "$kept/iso/web1/seed.iso" && equal "$me/log" "$(kept_of log)"
}

is_as_saved() {
	has_what_it_needs && is_gone "$archive/web1/log" "$archive/web1/r"
}

after_restore() {
	is_as_saved || return
	if ((status != 0)); then
		call stopped end failed
		call release end failed
		is_as_saved && does restore begin && does prepare begin && is_as_saved || return
	fi
	does start begin && does started begin && does release end destroyed && is_archived log && is_archived r && swept
}

@test "prepare of a guest that is restored, any call of which fails: what the save needs is there, and the next restore succeeds" {
	running
	does stopped end
	does release end saved
	keep
	event=(prepare begin -)
	sweep 100 after_restore 'does restore begin'
}

# libvirt knows of a save no more: it is not the end of the guest; an archive too many does no harm
after_second() {
	call release end crashed
	has_what_it_needs && does restore begin && does prepare begin && has_what_it_needs && does start begin &&
		does started begin && does release end destroyed && is_archived log && is_archived r && swept
}

@test "release of a guest that was saved, by a libvirtd that does not know it, any call of which fails: what the save needs is there" {
	running
	does release end saved
	keep
	event=(release end crashed)
	sweep 30 after_second
}

after_finish() {
	nothing_lost || return
	((status != 0)) || is_mounted "$me/r" || return
	lives_on
}

@test "prepare of a guest whose last run is unfinished, any call of which fails: nothing is lost, and it is finished later" {
	running
	mv "$archive/web1" "$archive/aside"
	touch "$archive/web1"
	call release end destroyed
	[ "$status" -ne 0 ]
	rm "$archive/web1"
	mv "$archive/aside" "$archive/web1"
	keep
	event=(prepare begin -)
	sweep 500 after_finish
}

# what libvirt does of a start that was refused
after_start() {
	if ((status == 0)); then
		is_there "$record/${event[0]}" || return
		[[ ${event[0]} == started ]] || does started begin || return
		does stopped end && does release end - && is_archived log && is_archived r && not_mounted "$me/r"
	else
		call stopped end failed
		does release end failed && equal "$me/log" "$(kept_of log)" && not_mounted "$me/r"
	fi
	swept
}

@test "start and started, any call of which fails: a guest that runs is known to run" {
	local at
	does prepare begin
	echo "in memory" >"$me/r/file"
	for at in start started; do
		[[ $at == start ]] || does start begin
		keep
		event=("$at" begin -)
		sweep 30 after_start
		put_back
	done
}

# parts of the admin's own that could not be read count as failed until somebody says that they are done
after_stopped() {
	local stopped=$status
	equal "$me/log" "$(kept_of log)" && is_mounted "$me/r" || return
	call release end destroyed
	nothing_lost && is_archived log && is_archived r || return
	all_done 2>/dev/null || { is_there "$record/failed" && ((stopped != 0 || status != 0)); }
}

@test "stopped, any call of which fails: the release knows and does all of it" {
	running
	event=(stopped end destroyed)
	sweep 30 after_stopped
}
