#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What events do to the record of a guest's run, from its prepare to its release.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # variables of tree_make, hook and event
# shellcheck disable=SC2016,SC2086 # parts expand what is in them
load lib/record.bash

@test "a release at which nothing fails ends the run" {
	live
	has_record
	[ -e "$tree/$record/started" ]
	event stopped end
	has_record
	event release end shutdown
	[ "$status" -eq 0 ]
	not has_record
	ran 05-virt-parts '20-archive shutdown []' '60-post-rm-rf shutdown []'
}

@test "what failed is told also where standard error is a file that is added to" {
	live
	touch "$tree/fail/20-archive"
	echo 'of a job before' >"$tree/job"
	not hook qemu web1 release end shutdown 2>>"$tree/job"
	has "$(<"$tree/job")" 'of a job before'
	has "$(<"$tree/job")" '20-archive failed (exit 1)'
}

@test "started is written down only when it succeeded" {
	part "$parts/started_begin.d/10-a" 'exit 1'
	xml=$asking
	event prepare begin
	event started begin
	[ "$status" -eq 1 ]
	has_record
	[ ! -e "$tree/$record/started" ]
}

@test "a release at which a part fails leaves the run unfinished, with its reason and what failed" {
	fail_release destroyed
	record_is release destroyed
	record_is failed 20-archive
	has "$(log_of qemu-web1)" 'release_end: warning: the run stays unfinished, failed: 20-archive'
}

@test "what failed at stopped is told to the parts of release, and keeps the run" {
	part "$parts/stopped_end.d/10-own" 'exit 1'
	live
	: >"$seen"
	event stopped end
	[ "$status" -eq 1 ]
	record_is failed 10-own
	event release end shutdown
	ran '20-archive shutdown [10-own]' '60-post-rm-rf shutdown [10-own]'
	has_record
}

@test "a release that comes twice is judged by what its own parts do, and by what no second one repeats" {
	live
	event stopped end
	touch "$tree/fail/20-archive"
	event release end shutdown
	[ "$status" -eq 1 ]
	rm "$tree/fail/20-archive"
	: >"$seen"
	event stopped end
	event release end shutdown
	[ "$status" -eq 0 ]
	ran '20-archive shutdown []' '60-post-rm-rf shutdown []'
	not has_record
	# what failed at stopped has not been done by this
	part "$parts/stopped_end.d/10-own" 'exit 1'
	live
	event stopped end
	rm "$parts/stopped_end.d/10-own"
	touch "$tree/fail/20-archive"
	event release end shutdown
	rm "$tree/fail/20-archive"
	: >"$seen"
	event release end shutdown
	ran '20-archive shutdown [10-own]' '60-post-rm-rf shutdown [10-own]'
	record_is failed 10-own
}

@test "what a part of stopped failed at is not done by a shipped part of release that has its name" {
	part "$parts/stopped_end.d/20-archive" 'exit 1'
	live
	event stopped end
	record_is failed stopped_end.d/20-archive
	: >"$seen"
	event release end shutdown
	ran '20-archive shutdown [stopped_end.d/20-archive]' '60-post-rm-rf shutdown [stopped_end.d/20-archive]'
	record_is failed stopped_end.d/20-archive
}

@test "an advisory part that fails keeps no run" {
	conf '[advisory]' '90-own' '20-archive'
	part "$parts/release_end.d/90-own" 'exit 1'
	live
	event release end shutdown
	[ "$status" -eq 1 ]
	not has_record
	# a shipped part is never advisory
	live
	touch "$tree/fail/20-archive"
	event release end shutdown
	record_is failed 20-archive
}

@test "an admin's part that fails keeps the run" {
	part "$parts/release_end.d/10-own" 'exit 1'
	live
	event release end shutdown
	record_is failed 10-own
}

@test "a directory of parts that cannot be read fails before anything is deleted, and counts until somebody says it is done" {
	local dir name
	for dir in "$parts/release_end.d" "$parts/qemu_release_end.d" "$parts/domains/web1/release_end.d" "$hooks/qemu_release_end_-.d"; do
		name=${dir##*/}
		live
		mkdir -p "${dir%/*}"
		ln -s "$tree/not-mounted" "$dir"
		touch "$tree/fail/20-archive"
		: >"$seen"
		event release end shutdown
		[ "$status" -eq 1 ]
		ran "20-archive shutdown [$name]" "60-post-rm-rf shutdown [$name 20-archive]"
		record_is failed "$name"$'\n''20-archive'
		# it is there again, but what is in it does not run for a run that has ended
		rm "$dir" "$tree/fail/20-archive"
		: >"$seen"
		event prepare begin
		ran "20-archive shutdown [$name]" "60-post-rm-rf shutdown [$name]" 05-virt-parts
		goes_on unfinished
		rm -r "$tree/state"
	done
}

@test "two directories of one name that cannot be read hide neither each other nor a file of that name" {
	local dir
	mkdir -p "$parts/domains/web1" "$hooks/qemu.d/web1"
	for dir in "$parts" "$parts/domains/web1"; do
		ln -s "$tree/not-mounted" "$dir/release_end.d"
	done
	part "$hooks/qemu.d/web1/release/end/release_end.d"
	live
	: >"$seen"
	event release end shutdown
	has "$errors" 'web1: release_end.d failed'
	has "$errors" 'web1: domains/web1/release_end.d failed'
	ran '20-archive shutdown [release_end.d]' '60-post-rm-rf shutdown [release_end.d]' release_end.d
}

@test "what failed in a directory that cannot be read is not forgotten since the shipped one of that name cannot be read either" {
	live
	ln -s "$tree/not-mounted" "$parts/release_end.d"
	event release end shutdown
	[ "$status" -eq 1 ]
	record_is failed release_end.d
	rm "$parts/release_end.d"
	mv "$vendor/release_end.d" "$tree/aside"
	ln -s "$tree/not-mounted" "$vendor/release_end.d"
	event prepare begin
	rm "$vendor/release_end.d"
	mv "$tree/aside" "$vendor/release_end.d"
	: >"$seen"
	event prepare begin
	ran '20-archive shutdown [release_end.d]' '60-post-rm-rf shutdown [release_end.d]' 05-virt-parts
	goes_on unfinished
}

@test "shipped parts of which nobody knows what they are: a release fails and says why, and a prepare refuses" {
	local event
	for event in release_end prepare_begin; do
		live
		: >"$seen"
		mv "$vendor/$event.d" "$tree/aside"
		ln -s "$tree/not-mounted" "$vendor/$event.d"
		event ${event/_/ } shutdown
		[ "$status" -eq 1 ]
		has "$errors" "'$vendor/$event.d' is a link that leads nowhere: No such file or directory"
		lacks "$errors" 'install virt-parts again'
		ran
		has_record
		# a guest without directives is none of their business
		if [[ $event == prepare_begin ]]; then
			rm -r "$tree/state"
			xml=$plain
			event ${event/_/ }
			[ "$status" -eq 0 ]
			event release end destroyed
			[ "$status" -eq 0 ]
		else
			record_is failed shipped/release_end.d
		fi
		rm "$vendor/$event.d"
		mv "$tree/aside" "$vendor/$event.d"
		event prepare begin
		[ "$status" -eq 0 ]
	done
}

@test "without shipped parts for release the run is not over before they are back" {
	live
	rm -r "$vendor/release_end.d"
	event release end shutdown
	[ "$status" -eq 1 ]
	has_record
	has "$errors" "no shipped parts in '$vendor/release_end.d'"
	record_is failed shipped/release_end.d
	# once they are back the next prepare ends it
	shipped
	: >"$seen"
	event prepare begin
	ran '20-archive shutdown []' '60-post-rm-rf shutdown []' 05-virt-parts
	is_begin new
}

@test "a release without a record leaves no record" {
	xml=$asking
	event release end shutdown
	[ "$status" -eq 0 ]
	ran
	[ ! -e "$tree/state/qemu" ]
}

@test "a guest whose directives were removed while it ran is still released by its record" {
	live
	xml=$plain
	event release end shutdown
	[ "$status" -eq 0 ]
	not has_record
	ran 05-virt-parts '20-archive shutdown []' '60-post-rm-rf shutdown []'
}

@test "an event that had to wait sees the record that was made meanwhile" {
	part "$parts/prepare_begin.d/01-slow" 'echo slow >>"$seen"; sleep 0.5'
	part "$parts/release_end.d/30-own"
	xml=$asking
	hook qemu web1 prepare begin - &
	within 60 grep -q slow "$seen"
	xml=$plain
	event release end shutdown
	wait
	ran slow 05-virt-parts '20-archive shutdown []' 30-own '60-post-rm-rf shutdown []'
	not has_record
}
