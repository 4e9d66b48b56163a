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

# sweep CHECK: CHECK after each failure in $event
sweep() {
	local check=$1 n variant tried=0 refused=0 wrong=0 total
	put_back
	# not before parts.conf is read: a hook that can't read it looks for records in the host's own directories
	injected --after "$tree/log"
	[[ $status -eq 0 ]]
	total=$fallible
	((total > 500))
	for n in $(points "$total" 60); do
		for variant in 0 1 2; do
			put_back
			injected --after "$tree/log" --at "$n" --error "$variant"
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
	sweep after_release
}

@test "release, without libvirt's reason: the same" {
	running
	event=(release end -)
	sweep after_release
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
	sweep after_prepare
}
