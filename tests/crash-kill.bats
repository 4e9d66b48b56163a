#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# SIGKILL at every system call of an event: to the process that makes it, and to all of the event at once. Then the
# guest's next life succeeds, nothing is lost, and nothing is left over.

# shellcheck disable=SC2010,SC2012,SC2016,SC2030,SC2031,SC2034,SC2094,SC2119,SC2120,SC2154 # of attack_make, run, call
load lib/attack.bash

setup() {
	attack_make
	everything_make
}

teardown() {
	parts_remove
}

# sweep CHECK KILL [OPTION...]: CHECK after each such kill in $event, which is told the options, too; at the calls from
# $after on if that is set, and in make check at $quick of them
sweep() {
	local check=$1 kill=$2 n
	local -a options=(${after:+--after "$after"} "${@:3}")
	tried=0
	put_back
	injected "${options[@]}"
	[[ $status -eq 0 ]]
	for n in $(points "$calls" "${quick:-20}"); do
		put_back
		injected "${options[@]}" --at "$n" "$kill"
		# one that ended before that call was not tried
		[[ $hit == nothing ]] || tried=$((tried + 1))
		"$check" 2>"$tree/why" || {
			tail -n 5 "$tree/why" >&2
			echo "killed at system call $n ($hit)" >&2
			tail -n 20 "$tree"/log/*.log >&2
			return 1
		}
	done
	of=$calls
}

after_release() {
	nothing_lost && lives_on
}

@test "release killed at any call: the next start finishes it, and nothing is lost" {
	running
	event=(release end destroyed)
	sweep after_release --kill
	local lost
	# how a naive program fares
	lost=$(naive_losses calls --kill)
	((lost > 0))
	proof 13 "$tried" 0 "$lost" "--kill: of $of calls"
}

@test "release and all of it killed at any call: the next start finishes it, and nothing is lost" {
	running
	event=(release end destroyed)
	sweep after_release --kill-all
	proof 13 "$tried" 0 0 "--kill-all: of $of calls"
}

after_claim() {
	lives_on
}

@test "release killed at any call where no rename can spare what is there: no empty archive is left" {
	running
	event=(release end destroyed)
	sweep after_claim --kill --no-replace
	proof 13 "$tried" 0 0 "--kill --no-replace: of $of calls"
}

after_prepare() {
	nothing_partial && does prepare begin && does started begin &&
		same "$(grep -c " $me/r " /proc/self/mountinfo)" 1 &&
		holds "$me/www/index" page && holds "$me/www/sub/page" page &&
		cmp "$iso/web1/seed.iso" "$tree/image" &&
		does release end destroyed && is_archived log && is_gone "$me/log" "$me/scratch" && swept
}

# what the image should be: the same bytes at every start
image() {
	does prepare begin
	cp -p "$iso/web1/seed.iso" "$tree/image"
	does release end failed
}

@test "prepare killed at any call: the next start succeeds, with one mount and a whole image" {
	image
	keep
	event=(prepare begin -)
	sweep after_prepare --kill
	proof 13 "$tried" 0 0 "--kill: of $of calls"
}

@test "prepare and all of it killed at any call: the next start succeeds" {
	image
	keep
	event=(prepare begin -)
	sweep after_prepare --kill-all
	proof 13 "$tried" 0 0 "--kill-all: of $of calls"
}

@test "prepare killed at any call where no rename can spare what is there: the next start succeeds" {
	image
	keep
	event=(prepare begin -)
	[[ -n ${VIRT_PARTS_FULL:-} ]] || after=asked/preload quick=8
	sweep after_prepare --kill --no-replace
	proof 13 "$tried" 0 0 "--kill --no-replace: of $of calls"
}

after_end() {
	does release end failed && same "$(names_in "$iso/web1")" '' && no_record
}

@test "prepare killed at any call where files always have a name: its release leaves nothing of an image" {
	event=(prepare begin -)
	[[ -n ${VIRT_PARTS_FULL:-} ]] || after=asked/preload quick=25
	keep
	sweep after_end --kill --no-tmpfile --no-replace
	proof 13 "$tried" 0 0 "--kill --no-tmpfile --no-replace: of $of calls"
}

# discard_sweep OPTION: resolve --discard of a run whose archive has failed is killed at the calls where the record is
# changed, and at some others behind what it has to say; what it said is not deleted is there then, or is archived
discard_sweep() {
	local n after=archive-staging
	tried=0
	put_back
	injected --after $after
	[[ $status -eq 0 ]]
	for n in $({ seq 30 44; points "$calls" 6; } | sort -nu); do
		put_back
		injected --after $after --at "$n" "$1"
		[[ $hit == nothing ]] || tried=$((tried + 1))
		{ does prepare begin && does started begin && nothing_lost && mkdir -p "$me/log" && does release end destroyed && swept; } 2>"$tree/why" || {
			tail -n 5 "$tree/why" >&2
			echo "killed at system call $n ($hit): $output" >&2
			tail -n 20 "$tree"/log/*.log >&2
			return 1
		}
	done
	of=$calls
}

@test "resolve --discard killed at any call: what it said is not deleted stays, or is archived first" {
	[[ -x $build/virt-parts ]] || skip "$build/virt-parts is not built"
	printf '<node></node>\n' >"$tree/node.xml"
	running
	mv "$me/log" "$me/log.away"
	call release end destroyed
	[[ $status -ne 0 ]]
	mv "$me/log.away" "$me/log"
	is_archived r
	keep
	local -a program=("$build/virt-parts" --hook-dir "$hooks" -c "test:///$tree/node.xml" resolve --discard --yes "$id")
	discard_sweep --kill
	proof 13 "$tried" 0 0 "resolve --discard --kill: of $of calls"
	discard_sweep --kill-all
	proof 13 "$tried" 0 0 "resolve --discard --kill-all: of $of calls"
}
