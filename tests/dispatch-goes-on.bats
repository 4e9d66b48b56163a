#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs that go on: of guests that were saved, reverted to a snapshot, or come by migration.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # variables of tree_make, hook and event
# shellcheck disable=SC2016,SC2086 # parts expand what is in them
load lib/record.bash

@test "a saved guest that is restored goes on with its run" {
	saved saved
	event restore begin
	[ "$status" -eq 0 ]
	event prepare begin
	[ "$status" -eq 0 ]
	ran 05-virt-parts
	goes_on restored
	event started begin
	event release end shutdown
	not has_record
}

# no_room: none in the record for what is known of the run; room: some again
no_room() { mkdir "$tree/$record/.release.new" "$tree/$record/.run.new"; }
room() { rmdir "$tree/$record/.release.new" "$tree/$record/.run.new"; }

@test "a save that the record could not be told of is told to the system's log, and goes on when it is restored" {
	[[ $EUID -eq 0 ]] || skip 'needs root'
	live
	no_room
	system_log
	event release end saved
	[ "$status" -ne 0 ]
	within 60 test -s "$tree/heard"
	around=()
	has "$(<"$tree/heard")" "web1: the record of the run cannot be told that it ended as 'saved': make room for"
	[ ! -e "$tree/$record/release" ]
	# a start for which there is no room yet is refused, and does not end it
	: >"$seen"
	event restore begin
	event prepare begin
	[ "$status" -eq 1 ]
	has "$errors" 'cannot go on with the run'
	event stopped end failed
	event release end failed
	ran '20-archive saved []' '60-post-rm-rf saved []'
	room
	: >"$seen"
	event restore begin
	event prepare begin
	[ "$status" -eq 0 ]
	ran 05-virt-parts
	goes_on restored
	[ ! -e "$tree/run/qemu-$uuid.paused" ]
}

@test "a pause that the record could not be told of is known until the run goes on, or ends" {
	local why
	for why in saved 'from snapshot'; do
		live
		no_room
		event stopped end "$why"
		event release end "$why"
		: >"$seen"
		rmdir "$tree/$record/.run.new"
		[[ $why != saved ]] || event restore begin
		event prepare begin
		[ "$status" -eq 0 ]
		ran 05-virt-parts
		if [[ $why == saved ]]; then is_begin restored; else is_begin reverted; fi
		rmdir "$tree/$record/.release.new"
		event started begin
		event release end destroyed
		not has_record
	done
	# started without its save, or in another boot
	for why in fresh booted; do
		live
		no_room
		event release end saved
		room
		[[ $why == fresh ]] || { rm "$tree/run/qemu-$uuid.paused" && event restore begin; }
		: >"$seen"
		event prepare begin
		ran '20-archive lost []' '60-post-rm-rf lost []' 05-virt-parts
		[ ! -e "$tree/run/qemu-$uuid.paused" ]
	done
}

@test "a pause that the record could not be told of counts before what stopped knew, and is owed its archive" {
	local way
	for way in restored discarded; do
		live
		event stopped end
		record_is release $'unknown\nstopped'
		no_room
		event release end saved
		[ "$status" -eq 1 ]
		record_is release $'unknown\nstopped'
		room
		: >"$seen"
		if [[ $way == restored ]]; then
			event restore begin
			event prepare begin
			[ "$status" -eq 0 ]
			ran 05-virt-parts
			goes_on restored
			event started begin
			event release end destroyed
			not has_record
		else
			touch "$tree/fail/20-archive"
			event prepare begin
			is_begin unfinished
			grep -qx '1 saved' "$tree/$record/owed"
			rm "$tree/fail/20-archive"
		fi
	done
}

@test "a snapshot that is reverted to goes on with its run, with a restore or without" {
	saved 'from snapshot' || [ "$(<"$tree/$record/release")" = from-snapshot ]
	: >"$seen"
	event prepare begin
	[ "$status" -eq 0 ]
	ran 05-virt-parts
	is_begin reverted
	event started begin
	event release end 'from snapshot'
	: >"$seen"
	event restore begin
	event prepare begin
	is_begin restored
	ran 05-virt-parts
}

@test "a guest that comes by migration does not go on with a run that ended by a snapshot, but where storage is not shared" {
	saved from-snapshot
	# its old run cannot be finished, so that it can be seen how that goes on
	touch "$tree/fail/20-archive"
	event migrate begin
	event prepare begin
	[ "$status" -eq 0 ]
	ran '20-archive lost []' '60-post-rm-rf lost [20-archive]' 05-virt-parts
	goes_on incoming
	rm "$tree/fail/20-archive"
	event started begin
	event release end 'from snapshot'
	conf '[migration]' 'shared-storage = no'
	: >"$seen"
	event migrate begin
	event prepare begin
	ran 05-virt-parts
	goes_on reverted
}

@test "a prepare that cannot read how the run before ended, or what came before it, is refused and tears nothing down" {
	saved saved
	event restore begin
	mv "$tree/$record/release" "$tree/aside"
	mkdir "$tree/$record/release"
	event prepare begin
	[ "$status" -eq 1 ]
	has "$errors" "prepare refused: cannot read '$tree/$record/release', which says how its last run ended: Is a directory"
	ran
	rmdir "$tree/$record/release"
	mv "$tree/aside" "$tree/$record/release"
	if command -v strace >/dev/null; then
		local mark
		for mark in restored incoming refused; do
			around=(strace -o "$tree/strace" -P "$tree/run/qemu-$uuid.$mark" -e 'inject=?lstat,newfstatat:error=EIO')
			event prepare begin
			grep -q INJECTED "$tree/strace"
			[ "$status" -eq 1 ]
			has "$errors" 'prepare_begin refused: cannot tell whether it'
			ran
			event restore begin
		done
		around=()
	fi
	event prepare begin
	[ "$status" -eq 0 ]
	ran 05-virt-parts
	goes_on restored
}

@test "a saved guest is still saved when its release cannot read that it was" {
	live
	qemu_log 1 'shutting down, reason=saved'
	event stopped end
	record_is release $'saved\nstopped'
	rm "$tree/qemu-log/web1.log"
	mv "$tree/$record/release" "$tree/aside"
	mkdir "$tree/$record/release"
	: >"$seen"
	event release end
	[ "$status" -eq 1 ]
	has "$errors" 'cannot read in the record how the run ended: Is a directory; nothing is deleted or unmounted'
	ran '20-archive unknown [unknown]' '60-post-rm-rf unknown [unknown]'
	rmdir "$tree/$record/release"
	mv "$tree/aside" "$tree/$record/release"
	event restore begin
	: >"$seen"
	event prepare begin
	ran 05-virt-parts
	goes_on restored
}

@test "a saved guest that is started without a restore has lost its run, which is finished first" {
	saved saved
	event prepare begin
	[ "$status" -eq 0 ]
	ran '20-archive lost []' '60-post-rm-rf lost []' 05-virt-parts
	is_begin new
}

@test "a restore that failed refuses the prepare, and the saved run is there for the next one" {
	saved saved
	part "$parts/restore_begin.d/10-own" 'exit 1'
	event restore begin
	[ "$status" -eq 0 ]
	event prepare begin
	[ "$status" -eq 1 ]
	ran
	event stopped end
	event release end failed
	[ "$status" -eq 0 ]
	ran '20-archive saved []' '60-post-rm-rf saved []'
	record_is release saved
	rm "$parts/restore_begin.d/10-own"
	: >"$seen"
	event restore begin
	event prepare begin
	[ "$status" -eq 0 ]
	ran 05-virt-parts
	is_begin restored
}

@test "a start that is refused before its run goes on leaves it saved" {
	saved saved
	event restore begin
	mv "$vendor/prepare_begin.d" "$tree/away"
	event prepare begin
	[ "$status" -eq 1 ]
	mv "$tree/away" "$vendor/prepare_begin.d"
	qemu_log 1 'shutting down, reason=failed'
	event stopped end
	event release end failed
	ran '20-archive saved []' '60-post-rm-rf saved []'
	record_is release saved
}

@test "a restore that is five minutes old, or was used up, restores nothing" {
	saved saved
	event restore begin
	older_mark 360 "$tree/run/qemu-$uuid.restored"
	event prepare begin
	ran '20-archive lost []' '60-post-rm-rf lost []' 05-virt-parts
	event restore begin
	event start begin
	[ ! -e "$tree/run/qemu-$uuid.restored" ]
}

@test "a restore and a migrate count whatever the clock is set to since: by how long the host has run" {
	local mark
	xml=$asking
	event restore begin
	event migrate begin
	for mark in restored incoming; do
		(($(stat -c %Y "$tree/run/qemu-$uuid.$mark") <= $(cut -d. -f1 /proc/uptime)))
	done
	saved saved
	event restore begin
	older_mark 290 "$tree/run/qemu-$uuid.restored"
	event prepare begin
	is_begin restored
}

@test "a restore that is of another boot restores nothing" {
	saved saved
	event restore begin
	older_mark -120 "$tree/run/qemu-$uuid.restored"
	event prepare begin
	ran '20-archive lost []' '60-post-rm-rf lost []' 05-virt-parts
}

@test "restore and migrate leave their marks for prepare, and every later event removes them" {
	local op
	for op in start_begin started_begin stopped_end release_end reconnect_begin attach_begin other_begin; do
		xml=$asking
		event restore begin
		event migrate begin
		event prepare begin
		[ -e "$tree/run/qemu-$uuid.restored" ]
		[ -e "$tree/run/qemu-$uuid.incoming" ]
		event ${op%_*} ${op#*_}
		[ ! -e "$tree/run/qemu-$uuid.restored" ]
		[ ! -e "$tree/run/qemu-$uuid.incoming" ]
	done
}

@test "a guest without directives leaves no mark" {
	event restore begin
	event migrate begin
	[ ! -e "$tree/run" ]
}

@test "a restore that failed refuses no prepare of another life, also of a guest that asks for nothing" {
	local op
	part "$parts/restore_begin.d/10-own" 'exit 1'
	for xml in "$plain" "$asking"; do
		for op in stopped release; do
			event restore begin
			[ "$status" -eq 0 ]
			[ -e "$tree/run/qemu-$uuid.refused" ]
			# the guest runs, so that libvirt itself refuses it and calls no prepare
			event "$op" end
			[ ! -e "$tree/run/qemu-$uuid.refused" ]
			event prepare begin
			[ "$status" -eq 0 ]
		done
	done
}

@test "a release that waits while a restore is refused leaves what its prepare is to know" {
	part "$parts/restore_begin.d/10-own" 'exit 1'
	part "$parts/stopped_end.d/10-own" 'until [ -e "$tree/go" ]; do sleep 0.05; done'
	conf '[limits]' 'teardown-wait = 1s'
	live
	event stopped end destroyed
	event release end saved
	event restore begin
	[ -e "$tree/run/qemu-$uuid.restored" ]
	touch "$tree/go"
	event prepare begin
	[ "$status" -eq 1 ]
	has "$errors" 'prepare refused, since its restore was'
	has_record
	is_begin restored
	lacks "$(<"$seen")" 'lost'
}

@test "a restore whose mark cannot be made is cancelled" {
	xml=$asking
	mkdir -p "$tree/run/qemu-$uuid.restored/x"
	event restore begin
	[ "$status" -eq 1 ]
	has "$errors" 'restore_begin refused: cannot remember it'
}

@test "how a guest ended, or that its migration began, is read from qemu's log also when the clock was set back since it began" {
	local hour=3600
	# what is said of the life before counts no more
	qemu_log $hour 'shutting down, reason=destroyed'
	qemu_log $hour 'starting up libvirt version: 9.0.0'
	live
	sed -i "s/^time .*/time $(($(date +%s) + hour))/" "$tree/$record/run"
	qemu_log -1 'shutting down, reason=saved'
	reason_is saved
	# nor that one was migrated then
	rm -r "$tree/state"
	: >"$tree/qemu-log/web1.log"
	qemu_log -$hour 'initiating migration'
	qemu_log $hour 'starting up libvirt version: 9.0.0'
	live
	sed -i "s/^time .*/time $(($(date +%s) + hour))/" "$tree/$record/run"
	event release end destroyed
	is_begin new
	qemu_log -600 'initiating migration'
	event release end destroyed
	is_begin incoming
}

@test "a run of which cannot be written down that its migration began is not over, and nothing of it is taken" {
	live
	qemu_log 1 'initiating migration'
	# none of these can be replaced, as on a full disk
	mkdir "$tree/$record"/.{run,failed,release}.new
	: >"$seen"
	event stopped end
	event release end destroyed
	[ "$status" -eq 1 ]
	has "$errors" 'cannot write to the record of the run that its migration began'
	ran '20-archive destroyed [unknown]' '60-post-rm-rf destroyed [unknown]'
	is_begin new
	record_is failed ''
	# nor does the next start take it
	rmdir "$tree/$record"/.*.new
	: >"$seen"
	event prepare begin
	ran '20-archive lost [unknown]' '60-post-rm-rf lost [unknown]' 05-virt-parts
	goes_on unfinished
	# what can be written is
	event start begin
	event started begin
	qemu_log 2 'initiating migration'
	: >"$seen"
	event release end destroyed
	ran '20-archive destroyed []' '60-post-rm-rf destroyed []'
}
