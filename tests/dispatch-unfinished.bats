#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs that were not finished: what the next prepare, and what follows it, does with them.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # variables of tree_make, hook and event
# shellcheck disable=SC2016,SC2086 # parts expand what is in them
load lib/record.bash

@test "the next prepare finishes an unfinished run with its reason, and begins a new one" {
	fail_release destroyed
	event prepare begin
	[ "$status" -eq 0 ]
	ran '20-archive destroyed []' '60-post-rm-rf destroyed []' 05-virt-parts
	is_begin new
	[ ! -e "$tree/$record/release" ]
	has "$(log_of qemu-web1)" 'release_end: note: finishes the unfinished run'
}

@test "an unfinished run is over when its record has gone, also when not all of that could be removed" {
	fail_release destroyed
	mkdir -p "$tree/$record/more/deeper"
	event prepare begin
	[ "$status" -eq 0 ]
	has "$errors" 'cannot remove the record of the run'
	lacks "$errors" 'it goes on'
	is_begin new
	[ -e "$tree/$record/asked/archive" ]
	event start begin
	event started begin
	[ -e "$tree/$record/started" ]
}

@test "an unfinished run is finished with what its own record holds, under its own name" {
	part "$vendor/release_end.d/20-archive" \
		'echo "$1 $2 $3 $4 $VIRT_PARTS_DOMAIN $VIRT_PARTS_OP $VIRT_PARTS_SUBOP $VIRT_PARTS_STATE_DIR" >>"$seen"; cat >>"$seen"'
	live
	xml="<domain><name>renamed</name><uuid>$uuid</uuid><x xmlns='urn:virt-parts:1'/></domain>"
	: >"$seen"
	hook qemu renamed prepare begin -
	same "$(head -n 2 "$seen")" "web1 release end - web1 release end $tree/$record
${asking}60-post-rm-rf lost []"
	grep -qx 'name renamed' "$tree/$record/run"
	has "$(log_of qemu-web1)" 'finishes the unfinished run'
}

@test "a run that never started has failed, one whose release never came is lost" {
	xml=$asking
	event prepare begin
	: >"$seen"
	event prepare begin
	ran '20-archive failed []' '60-post-rm-rf failed []' 05-virt-parts
	event started begin
	: >"$seen"
	event prepare begin
	ran '20-archive lost []' '60-post-rm-rf lost []' 05-virt-parts
}

@test "the admin's own parts do not run again for an unfinished run, nor what they mask" {
	part "$parts/release_end.d/10-own"
	part "$parts/release_end.d/60-post-rm-rf"
	fail_release
	event prepare begin
	[ "$status" -eq 0 ]
	ran '20-archive shutdown []' 05-virt-parts
}

@test "when an unfinished run cannot be finished the guest starts with a warning, and the run goes on" {
	fail_release
	touch "$tree/fail/20-archive"
	event prepare begin
	[ "$status" -eq 0 ]
	ran '20-archive shutdown []' '60-post-rm-rf shutdown [20-archive]' 05-virt-parts
	has "$(log_of qemu-web1)" 'its last run is unfinished and could not be finished'
	goes_on unfinished
	rm "$tree/fail/20-archive"
	event started begin
	: >"$seen"
	event release end shutdown
	[ "$status" -eq 0 ]
	ran '20-archive shutdown []' '60-post-rm-rf shutdown []'
	not has_record
}

@test "a prepare waits for the unfinished run also when it gets no descriptor to wait with, or cannot poll it" {
	command -v strace >/dev/null || skip 'needs strace'
	local call
	part "$vendor/release_end.d/20-archive" 'sleep 0.5; echo 20-archive >>"$seen"'
	for call in pidfd_open:error=EMFILE poll:error=ENOMEM; do
		live
		: >"$seen"
		# of the hook alone, not of the supervisor that it forks
		strace -o "$tree/strace" -e inject="$call:when=1" \
			"$hooks/qemu" web1 prepare begin - <<<"$xml" 2>"$tree/stderr"
		grep -q INJECTED "$tree/strace"
		ran 20-archive '60-post-rm-rf lost []' 05-virt-parts
		is_begin new
		not grep -q 'could not be finished' "$tree/stderr"
	done
}

@test "what an admin's own part failed to save is not deleted when the run is finished later" {
	part "$parts/release_end.d/10-own" 'exit 1'
	live
	event release end shutdown
	: >"$seen"
	event prepare begin
	[ "$status" -eq 0 ]
	ran '20-archive shutdown [10-own]' '60-post-rm-rf shutdown [10-own]' 05-virt-parts
	goes_on unfinished
}

@test "what an admin's own part fails at withholds nothing in a run that never started" {
	part "$parts/release_end.d/10-own" 'exit 1'
	xml=$asking
	event prepare begin
	: >"$seen"
	event release end failed
	[ "$status" -eq 1 ]
	ran '20-archive failed []' '60-post-rm-rf failed []'
	not has_record
	# but a shipped part does, and libvirt's word is not taken for a guest that has started
	touch "$tree/fail/20-archive"
	event prepare begin
	: >"$seen"
	event release end failed
	ran '20-archive failed []' '60-post-rm-rf failed [20-archive]'
	has_record
	rm -r "${tree:?}/$record" "$tree/fail/20-archive"
	live
	: >"$seen"
	event release end failed
	ran '20-archive lost [10-own]' '60-post-rm-rf lost [10-own]'
	has_record
}

@test "a run that never started ends also when its release was interrupted in an admin's own part" {
	xml=$asking
	event prepare begin
	echo failed >"$tree/$record/release"
	echo 10-own >"$tree/$record/failed"
	: >"$seen"
	event prepare begin
	[ "$status" -eq 0 ]
	ran '20-archive failed []' '60-post-rm-rf failed []' 05-virt-parts
	grep -qx 'turn 1' "$tree/$record/run"
}

@test "a run that never started stays where nobody knows what failed, since nothing of it was undone" {
	local how
	xml=$asking
	for how in release failed; do
		event prepare begin
		# how it ended cannot be read; or a list of what failed that there was no room for
		if [[ $how == release ]]; then mkdir "$tree/$record/release"; else : >"$tree/$record/failed"; fi
		: >"$seen"
		event release end failed
		[ "$status" -eq 1 ]
		ran '20-archive failed [unknown]' '60-post-rm-rf failed [unknown]'
		has_record
		has "$(log_of qemu-web1)" 'the run stays unfinished, failed: unknown'
		rm -r "${tree:?}/$record" "$tree/log/qemu-web1.log"
	done
}

# goes_on_and_fails: an unfinished run goes on, in a turn whose guest never starts
goes_on_and_fails() {
	fail_release "$1"
	touch "$tree/fail/20-archive"
	event prepare begin
	goes_on unfinished
	: >"$seen"
}

@test "a run that was unfinished is so still when the next start fails, with the reason that it had" {
	goes_on_and_fails destroyed
	event release end failed
	ran '20-archive destroyed []' '60-post-rm-rf destroyed [20-archive]'
	record_is release destroyed
	: >"$seen"
	event prepare begin
	: >"$seen"
	rm "$tree/fail/20-archive"
	event release end failed
	[ "$status" -eq 0 ]
	ran '20-archive destroyed []' '60-post-rm-rf destroyed []'
	not has_record
}

@test "a run that was unfinished is so still when no release follows the next prepare, with what had failed" {
	part "$parts/release_end.d/10-own" 'exit 1'
	goes_on_and_fails destroyed
	event prepare begin
	[ "$status" -eq 0 ]
	ran '20-archive destroyed [10-own]' '60-post-rm-rf destroyed [10-own 20-archive]' 05-virt-parts
	# nor is it saved by a release that comes when the start fails
	rm "$tree/fail/20-archive"
	part "$parts/release_end.d/10-own"
	event stopped end
	: >"$seen"
	event release end failed
	ran '10-own' '20-archive destroyed [10-own]' '60-post-rm-rf destroyed [10-own]'
	: >"$seen"
	event prepare begin
	ran '20-archive destroyed [10-own]' '60-post-rm-rf destroyed [10-own]' 05-virt-parts
	# once the guest has started it is another teardown
	event started begin
	rm "$parts/release_end.d/10-own"
	: >"$seen"
	event release end shutdown
	[ "$status" -eq 0 ]
	ran '20-archive shutdown []' '60-post-rm-rf shutdown []'
	not has_record
}

@test "a run of which cannot be read whether it has started, or what it was when it went on, is lost" {
	xml=$asking
	event prepare begin
	mkdir "$tree/$record/start"
	reason_is lost
	rm -r "${tree:?}/$record" "$parts/release_end.d"
	goes_on_and_fails destroyed
	rm "$tree/$record/before"
	mkdir "$tree/$record/before"
	event prepare begin
	ran '20-archive lost [unknown]' '60-post-rm-rf lost [unknown 20-archive]'
}

@test "a run that went on unfinished, in another boot, may have started since: it is lost" {
	goes_on_and_fails destroyed
	sed -i 's/^boot .*/boot 00000000-0000-0000-0000-000000000000/' "$tree/$record/run"
	rm "$tree/fail/20-archive"
	event prepare begin
	ran '20-archive lost []' '60-post-rm-rf lost []' 05-virt-parts
}

@test "a run that was unfinished is so still when the prepare that goes on with it is killed" {
	command -v strace >/dev/null || skip 'needs strace'
	local -i call
	part "$parts/release_end.d/10-own" 'exit 1'
	fail_release destroyed
	for call in 1 2 3; do
		event started begin
		rm -f "$tree/$record/release"
		printf '%s\n' 10-own 20-archive >"$tree/$record/failed"
		echo destroyed >"$tree/$record/release"
		touch "$tree/fail/20-archive"
		strace -f -o "$tree/strace" -e inject=unlinkat:signal=KILL:when=$call \
			"$hooks/qemu" web1 prepare begin - <<<"$xml" 2>/dev/null || true
		grep -q 'unlinkat.*INJECTED\|killed by SIGKILL' "$tree/strace"
		rm "$tree/fail/20-archive"
		: >"$seen"
		event prepare begin
		ran '20-archive destroyed [10-own]' '60-post-rm-rf destroyed [10-own]' 05-virt-parts
	done
}

@test "a saved guest whose restore was cut short goes on with its run when it is restored again" {
	local again
	saved saved
	for again in 1 2; do
		event restore begin
		: >"$seen"
		event prepare begin
		[ "$status" -eq 0 ]
		ran 05-virt-parts
		is_begin restored
	done
	# the save was discarded
	rm "$tree"/run/*.restored
	: >"$seen"
	event prepare begin
	ran '20-archive lost []' '60-post-rm-rf lost []' 05-virt-parts
	is_begin new
}

@test "a saved guest is still saved when the prepare that goes on with its run is killed" {
	command -v strace >/dev/null || skip 'needs strace'
	local -i call
	for call in 1 2 3 4 5; do
		saved saved
		event restore begin
		strace -f -o "$tree/strace" -e inject=unlinkat:signal=KILL:when=$call \
			"$hooks/qemu" web1 prepare begin - <<<"$xml" 2>/dev/null || true
		grep -q 'killed by SIGKILL' "$tree/strace"
		event restore begin
		: >"$seen"
		event prepare begin
		[ "$status" -eq 0 ]
		ran 05-virt-parts
		is_begin restored
		event started begin
		event release end shutdown
		not has_record
	done
}

@test "an admin's own part that was interrupted counts as failed when the run is finished later" {
	part "$parts/release_end.d/10-own" 'echo "$PPID $$" >"$tree/supervisor"; exec sleep 71'
	live
	: >"$seen"
	hook qemu web1 release end shutdown 2>/dev/null &
	within 60 test -s "$tree/supervisor"
	read -r supervisor part <"$tree/supervisor"
	kill -KILL "$supervisor"
	wait
	kill "$part"
	event prepare begin
	ran '20-archive shutdown [10-own]' '60-post-rm-rf shutdown [10-own]' 05-virt-parts
	goes_on unfinished
}

@test "an admin's own part that is refused counts as failed, too, when the release was interrupted before its turn" {
	part "$parts/release_end.d/30-own"
	part "$vendor/release_end.d/20-archive" 'echo "$PPID $$" >"$tree/supervisor"; exec sleep 73'
	chmod 0777 "$parts/release_end.d/30-own"
	live
	: >"$seen"
	hook qemu web1 release end shutdown 2>/dev/null &
	within 60 test -s "$tree/supervisor"
	read -r supervisor part <"$tree/supervisor"
	kill -KILL "$supervisor"
	wait
	within 60 gone "$part"
	record_is failed 30-own
	shipped
	event prepare begin
	ran '20-archive shutdown [30-own]' '60-post-rm-rf shutdown [30-own]' 05-virt-parts
	goes_on unfinished
}

@test "a release that was interrupted in a shipped part is finished at the next prepare" {
	live
	part "$vendor/release_end.d/20-archive" 'echo "$PPID $$" >"$tree/supervisor"; exec sleep 72'
	hook qemu web1 release end shutdown 2>/dev/null &
	within 60 test -s "$tree/supervisor"
	read -r supervisor part <"$tree/supervisor"
	kill -KILL "$supervisor"
	wait
	within 60 gone "$part"
	part "$vendor/release_end.d/20-archive"
	: >"$seen"
	event prepare begin
	[ "$status" -eq 0 ]
	ran 20-archive '60-post-rm-rf shutdown []' 05-virt-parts
	is_begin new
}

@test "a guest that lost its directives still has its unfinished run finished, and then no record" {
	fail_release
	xml=$plain
	event prepare begin
	[ "$status" -eq 0 ]
	ran '20-archive shutdown []' '60-post-rm-rf shutdown []'
	not has_record
}

@test "a run that went on under another name, and again under its own, is not that of the next guest with the other" {
	local name
	fail_release
	touch "$tree/fail/20-archive"
	for name in renamed web1; do
		hook qemu "$name" prepare begin -
		hook qemu "$name" start begin -
		hook qemu "$name" started begin -
		[[ $name == web1 ]] || hook qemu "$name" release end shutdown || true
	done
	rm "$tree/fail/20-archive"
	: >"$seen"
	xml=${asking//$uuid/${uuid/%7a11/7a12}}
	hook qemu renamed prepare begin -
	ran 05-virt-parts
	has_record
}

@test "a run that went on under another name is not that of the next guest that gets the old one" {
	fail_release
	touch "$tree/fail/20-archive"
	hook qemu renamed prepare begin -
	rm "$tree/fail/20-archive"
	hook qemu renamed start begin -
	hook qemu renamed started begin -
	: >"$seen"
	xml=${asking//$uuid/${uuid/%7a11/7a12}}
	event prepare begin
	[ "$status" -eq 0 ]
	ran 05-virt-parts
	has_record
	record_is called renamed
	xml=$asking
	hook qemu renamed release end destroyed
	not has_record
}

@test "the run of a guest that is gone, of the same name with another UUID, is finished first" {
	local other=${uuid/%7a11/7a12}
	live
	xml=${asking//$uuid/$other}
	: >"$seen"
	event prepare begin
	[ "$status" -eq 0 ]
	ran '20-archive lost []' '60-post-rm-rf lost []' 05-virt-parts
	not has_record
	grep -qx 'begin new' "$tree/state/qemu/$other/run"
	# of another name, or another driver, it is another guest
	xml=$asking
	: >"$seen"
	hook qemu web2 prepare begin -
	hook lxc web1 prepare begin -
	ran 05-virt-parts 05-virt-parts
}

@test "the run of a guest that is gone does not keep another from starting when it cannot be finished" {
	local other=${uuid/%7a11/7a12}
	fail_release
	touch "$tree/fail/20-archive"
	xml=${asking//$uuid/$other}
	event prepare begin
	[ "$status" -eq 0 ]
	has "$errors" "the run of a guest that is gone, of the same name and with UUID $uuid, could not be finished"
	has_record
	record_is failed 20-archive
}

@test "a record that is damaged or of a newer version refuses prepare, and says so" {
	live
	sed -i 's/^version 1/version 99/' "$tree/$record/run"
	event prepare begin
	[ "$status" -eq 1 ]
	has "$errors" "prepare refused: the record of its last run, '$tree/$record', was written by a newer virt-parts"
	echo nonsense >"$tree/$record/run"
	event prepare begin
	[ "$status" -eq 1 ]
	has "$errors" 'is damaged'
	: >"$seen"
	rm "$tree/$record/run"
	event prepare begin
	[ "$status" -eq 1 ]
	ran
}
