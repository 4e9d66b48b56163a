#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# With which reason a run ends, and what is told of one that does not.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # variables of tree_make, hook and event
# shellcheck disable=SC2016,SC2086 # parts expand what is in them
load lib/record.bash

@test "libvirt's own reason counts first, with a hyphen for a space" {
	live
	qemu_log 1 'shutting down, reason=saved'
	reason_is shutdown shutdown
	reason_is from-snapshot 'from snapshot'
	record_is release from-snapshot
}

@test "without a record qemu's log says why a machine has ended just now, and nothing a container" {
	qemu_log 1 'shutting down, reason=saved'
	reason_is saved
	qemu_log -100 'shutting down, reason=crashed'
	rm "$tree/qemu-log/web1.log"
	reason_is unknown
	qemu_log -300 'shutting down, reason=crashed'
	reason_is unknown
	hook lxc web1 release end - || true
	same "$(<"$tree/reason")" unknown
}

@test "a run that stays unfinished is told to the system's log" {
	[[ $EUID -eq 0 ]] || skip 'needs root'
	live
	touch "$tree/fail/20-archive"
	system_log
	event release end shutdown
	[ "$status" -eq 1 ]
	within 60 test -s "$tree/heard"
	has "$(<"$tree/heard")" 'virt-parts['
	has "$(<"$tree/heard")" 'web1: the run stays unfinished, failed: 20-archive'
}

@test "so is what fails when a guest is saved, and an archive among that is owed, whether the save is restored or not" {
	[[ $EUID -eq 0 ]] || skip 'needs root'
	local how
	live
	touch "$tree/fail/20-archive"
	system_log
	event release end saved
	[ "$status" -eq 1 ]
	within 60 test -s "$tree/heard"
	has "$(<"$tree/heard")" 'web1: failed when the guest was saved: 20-archive; an archive among these is made when its run ends'
	around=()
	[ ! -e "$tree/$record/owed" ]
	for how in restored discarded; do
		[[ $how == discarded ]] || event restore begin
		event prepare begin
		[ "$status" -eq 0 ]
		if [[ $how == restored ]]; then record_is owed '1 saved'; else record_is owed $'1 saved\n1 lost'; fi
		event start begin
		event started begin
		event release end saved
	done
	# what was given up is not
	rm "$tree/$record/owed"
	: >"$tree/$record/discarded"
	event restore begin
	event prepare begin
	[ "$status" -eq 0 ]
	is_begin restored
	[ ! -e "$tree/$record/owed" ]
}

@test "so is a teardown that cannot know where the record of its run lies, since parts.conf is not valid" {
	[[ $EUID -eq 0 ]] || skip 'needs root'
	live
	chmod 0666 "$hooks/parts.conf"
	system_log
	event release end shutdown
	[ "$status" -eq 1 ]
	has "$errors" 'the record of the run may lie elsewhere'
	within 60 test -s "$tree/heard"
	has "$(<"$tree/heard")" "web1: the run may stay unfinished, its record is not found: parts.conf is not valid: '$hooks/parts.conf' can be written by others"
	has_record
}

@test "so is a release whose record cannot be opened, of which nobody says that there is no run" {
	[[ $EUID -eq 0 ]] || skip 'needs root'
	live
	mv "$tree/$record" "$tree/aside"
	touch "$tree/$record"
	system_log
	: >"$seen"
	event release end shutdown
	[ "$status" -eq 1 ]
	has "$errors" "nothing shipped runs: cannot open the record of its run in '$tree/state': Not a directory"
	lacks "$(log_of qemu-web1)" 'there is no record'
	within 60 test -s "$tree/heard"
	has "$(<"$tree/heard")" "web1: the run stays unfinished, its record cannot be opened; the guest's next start or 'virt-parts resolve $uuid' finishes it"
	ran
	rm "$tree/$record"
	mv "$tree/aside" "$tree/$record"
	event prepare begin
	ran '20-archive lost []' '60-post-rm-rf lost []' 05-virt-parts
}

@test "so is a release that is refused, and none of a guest that asks for nothing" {
	[[ $EUID -eq 0 ]] || skip 'needs root'
	live
	system_log
	mv "$tree/run" "$tree/aside"
	touch "$tree/run"
	: >"$seen"
	xml=${plain//$uuid/${uuid/%7a11/7a12}} event release end shutdown
	event stopped end
	event release end shutdown
	[ "$status" -eq 1 ]
	ran
	within 60 test -s "$tree/heard"
	has "$(<"$tree/heard")" "web1: the run stays unfinished, its release was refused: cannot lock the guest in '$tree/run': Not a directory"
	has_record
}

@test "so is a release whose XML cannot be read" {
	[[ $EUID -eq 0 ]] || skip 'needs root'
	live
	system_log
	xml+=$(head -c 8388608 /dev/zero | tr '\0' ' ')
	event release end shutdown
	[ "$status" -eq 1 ]
	within 60 test -s "$tree/heard"
	has "$(<"$tree/heard")" 'its release was refused: cannot read its XML: it is longer than 8 MiB'
	has_record
}

@test "no alarm is given for a start that parts.conf refused, which has no run" {
	[[ $EUID -eq 0 ]] || skip 'needs root'
	xml=$asking
	chmod 0666 "$hooks/parts.conf"
	event prepare begin
	[ "$status" -eq 1 ]
	system_log
	event stopped end failed
	lacks "$errors" 'may lie elsewhere'
	event release end failed
	lacks "$errors" 'may lie elsewhere'
	# the one message that is heard is of what does stay unfinished
	chmod 0644 "$hooks/parts.conf"
	live
	touch "$tree/fail/20-archive"
	event release end shutdown
	within 60 test -s "$tree/heard"
	has "$(<"$tree/heard")" 'web1: the run stays unfinished, failed: 20-archive'
}

@test "a release that cannot read what failed before is a failure itself, and leaves the run unfinished" {
	local how
	for how in directory name; do
		shipped
		live
		if [[ $how == directory ]]; then
			mkdir "$tree/$record/failed"
		else
			printf '%0300d\n' 0 >"$tree/$record/failed"
		fi
		: >"$seen"
		event release end shutdown
		[ "$status" -ne 0 ]
		has "$errors" "cannot read '$tree/$record/failed'"
		has "$(log_of qemu-web1)" 'stays unfinished'
		ran '20-archive shutdown [unknown]' '60-post-rm-rf shutdown [unknown]'
		has_record
		rm -r "${tree:?}/$record"
	done
}

@test "a teardown that came no further than stopped is lost: the parts of release that are not shipped have not run" {
	part "$parts/release_end.d/30-backup" 'echo backup >>"$seen"'
	live
	event stopped end shutdown
	record_is release $'shutdown\nstopped'
	: >"$seen"
	event prepare begin
	ran '20-archive lost []' '60-post-rm-rf lost []' 05-virt-parts
	# one that has begun is known
	live
	event stopped end shutdown
	touch "$tree/fail/20-archive"
	event release end shutdown
	record_is release shutdown
	rm "$tree/fail/20-archive"
	: >"$seen"
	event prepare begin
	ran '20-archive shutdown []' '60-post-rm-rf shutdown []' 05-virt-parts
	# one that comes behind a release has that before it
	live
	touch "$tree/fail/20-archive"
	event release end shutdown
	rm "$tree/fail/20-archive"
	event stopped end shutdown
	record_is release shutdown
	event release end shutdown
	# a guest that has migrated lives on, and its own image with it
	live
	event stopped end migrated
	: >"$seen"
	event prepare begin
	ran '20-archive migrated []' '60-post-rm-rf migrated []' 05-virt-parts
	# a start that failed has failed
	event stopped end failed
	: >"$seen"
	event prepare begin
	ran '20-archive failed []' '60-post-rm-rf failed []' 05-virt-parts
}

@test "a run that never started has failed" {
	xml=$asking
	event prepare begin
	qemu_log 1 'shutting down, reason=shutdown'
	reason_is failed
}

@test "a start that failed has failed while the libvirtd that made it goes on, and is lost when that has gone" {
	local by
	xml=$asking
	libvirtd_calls
	printf '%s' "$xml" >"$tree/xml"
	mkfifo "$tree/end"
	# itself, or by a script that goes on when the hook has ended, and is gone a moment later
	for by in '' "sh -c '\"\$@\"; true' sh"; do
		event prepare begin
		rm -f "$tree/called"
		"$tree/libvirtd" -c "$by"' "$0" web1 start begin - <"$1"; : >"$2/called"; read -r _ <"$2/end"' \
			"$hooks/qemu" "$tree/xml" "$tree" 3>&- &
		within 60 test -e "$tree/called"
		reason_is failed
		echo >"$tree/end"
		wait
	done
	event prepare begin
	event start begin
	reason_is lost
	# nor is it to be known after a restart
	around=()
	event prepare begin
	event start begin
	sed -i 's/^boot .*/boot 00000000-0000-0000-0000-000000000000/' "$tree/$record/run"
	reason_is lost
}

@test "a daemon of libvirt is known by its name, also as a wrapper calls it" {
	local program
	xml=$asking
	for program in libvirtd virtqemud virtlxcd .libvirtd-wrapped .virtqemud-wrapped virt-manager virtual sh; do
		cp "$BASH" "$tree/$program"
		around=("$tree/$program" -c '"$0" "$@"; exit $?')
		event prepare begin
		event start begin
		if [[ $program == *d || $program == *d-wrapped ]]; then
			[ -s "$tree/$record/start" ]
		else
			[ ! -s "$tree/$record/start" ]
		fi
		rm "$tree/$program"
		event release end failed
	done
}

@test "a start that somebody else than libvirt has tried, by hand, has failed when it says so" {
	xml=$asking
	event prepare begin
	event start begin
	record_is start ''
	reason_is failed
	# but nobody has said so
	event prepare begin
	event start begin
	: >"$seen"
	event prepare begin
	ran '20-archive lost []' '60-post-rm-rf lost []' 05-virt-parts
}

@test "a run is archived whose libvirtd has gone before it told that the guest has started" {
	xml=$asking
	libvirtd_calls
	event prepare begin
	event start begin
	event stopped end
	record_is release $'lost\nstopped'
	: >"$seen"
	event release end
	ran '20-archive lost []' '60-post-rm-rf lost []'
	not has_record
	# and when no release came
	event prepare begin
	event start begin
	: >"$seen"
	event prepare begin
	ran '20-archive lost []' '60-post-rm-rf lost []' 05-virt-parts
}

@test "a libvirtd that has gone before the start is granted has not started the guest" {
	part "$parts/start_begin.d/10-own" 'kill -KILL "$(ps -o ppid= -p $PPID)"; sleep 0.3'
	xml=$asking
	event prepare begin
	# a shell in the place of libvirtd
	libvirtd_calls
	"$tree/libvirtd" -c 'printf %s "$1" | { "$0" web1 start begin -; true; }' "$hooks/qemu" "$xml" || true
	within 60 grep -q 'start_begin: end' "$tree/log/qemu-web1.log"
	[ ! -e "$tree/$record/start" ]
	reason_is failed
}

@test "a start that a part has refused leaves nothing to archive" {
	part "$parts/start_begin.d/10-own" 'exit 1'
	xml=$asking
	event prepare begin
	event start begin
	[ "$status" -eq 1 ]
	reason_is failed
}

@test "libvirt's word that a guest has failed is doubted when it has started, but of one that came by migration" {
	live
	reason_is lost failed
	xml=$asking
	event migrate begin
	event prepare begin
	event start begin
	event started begin
	is_begin incoming
	reason_is failed failed
}

@test "what is said of a start that was refused is not the end of the run before, also of one that came by migration" {
	xml=$asking
	event migrate begin
	event prepare begin
	event start begin
	event started begin
	touch "$tree/fail/20-archive"
	event release end
	record_is release unknown
	rm "$tree/fail/20-archive"
	# the start was refused before its prepare came to the record
	: >"$seen"
	event release end failed
	[ "$status" -eq 0 ]
	ran '20-archive lost []' '60-post-rm-rf lost []'
	not has_record
}

@test "a restore of which nobody knows whether it succeeded leaves what the save needs" {
	live
	event release end saved
	event restore begin
	event prepare begin
	is_begin restored
	libvirtd_calls
	event start begin
	: >"$seen"
	event stopped end
	event release end
	record_is release saved
	has_record
	ran '20-archive saved []' '60-post-rm-rf saved []'
}

@test "a run of another boot may have started, whatever of it is on disk" {
	xml=$asking
	event prepare begin
	sed -i 's/^boot .*/boot 00000000-0000-0000-0000-000000000000/' "$tree/$record/run"
	: >"$seen"
	event prepare begin
	ran '20-archive lost []' '60-post-rm-rf lost []' 05-virt-parts
	# in this one it has not
	: >"$seen"
	event prepare begin
	ran '20-archive failed []' '60-post-rm-rf failed []' 05-virt-parts
}

@test "qemu's log gives the last reason that is not older than the run" {
	live
	qemu_log -100 'shutting down, reason=crashed'
	reason_is unknown
	rm "$tree/$record/release"
	qemu_log 1 'shutting down, reason=saved'
	qemu_log 1 'shutting down, reason=destroyed'
	qemu_log 1 'starting up libvirt version: 9.0.0'
	echo 'qemu-system-x86_64: terminating on signal 15 from pid 1' >>"$tree/qemu-log/web1.log"
	reason_is destroyed
}

@test "what a guest writes into qemu's log is not believed" {
	live
	qemu_log 1 'shutting down, reason=saved'
	{
		echo 'shutting down, reason=shutdown'
		echo ' 2099-01-01 00:00:00.000+0000: shutting down, reason=shutdown'
		echo 'guest: 2099-01-01 00:00:00.000+0000: shutting down, reason=shutdown'
		echo '2099-01-01 00:00:00.000+0000: x shutting down, reason=shutdown'
		echo '2099-01-01 00:00:00.000+0000: shutting down, reason=shut;down'
		echo '2099-01-01 00:00:00.000+0100: shutting down, reason=shutdown'
		printf 'no end: 2099-01-01 00:00:00.000+0000: shutting down, reason=shutdown'
	} >>"$tree/qemu-log/web1.log"
	reason_is saved
}

@test "at most the last 64 KiB of qemu's log are read, and then the log before it" {
	live
	qemu_log 1 'shutting down, reason=destroyed'
	head -c 60000 /dev/zero | tr '\0' '\n' >>"$tree/qemu-log/web1.log"
	reason_is destroyed
	head -c 6000 /dev/zero | tr '\0' '\n' >>"$tree/qemu-log/web1.log"
	rm "$tree/$record/release"
	reason_is unknown
	rm "$tree/$record/release"
	qemu_log 1 'shutting down, reason=crashed' web1.log.0
	reason_is crashed
}

@test "a container was shut down or destroyed, other drivers do not say" {
	local driver
	xml=$asking
	for driver in lxc libxl; do
		part "$parts/release_end.d/10-own" 'echo "$VIRT_PARTS_REASON" >"$tree/reason"'
		hook $driver web1 prepare begin -
		hook $driver web1 started begin -
		hook $driver web1 release end -
		[[ $(<"$tree/reason") == "$([[ $driver == lxc ]] && echo shutdown-or-destroyed || echo unknown)" ]]
	done
}

@test "a container of which libvirt says that it failed, though it had started, has crashed" {
	local started
	xml=$asking
	part "$parts/release_end.d/10-own" 'echo "$VIRT_PARTS_REASON" >>"$tree/reason"'
	for started in true false; do
		hook lxc web1 prepare begin -
		[[ $started == false ]] || hook lxc web1 started begin -
		hook lxc web1 stopped end -
		hook lxc web1 release end failed
	done
	# what was known of its end is, also where a later start is refused, or libvirtd does not know any more
	hook lxc web1 prepare begin -
	hook lxc web1 started begin -
	touch "$tree/fail/20-archive"
	hook lxc web1 release end destroyed || true
	rm "$tree/fail/20-archive"
	hook lxc web1 stopped end -
	hook lxc web1 release end failed
	same "$(tr '\n' ' ' <"$tree/reason")" 'crashed failed destroyed destroyed '
}

@test "what was known at stopped is known at release" {
	live
	qemu_log 1 'shutting down, reason=saved'
	event stopped end
	record_is release $'saved\nstopped'
	rm "$tree/qemu-log/web1.log"
	reason_is saved
}

@test "a saved guest is still saved when libvirtd was killed in its teardown and does not know of it afterwards" {
	local word
	for word in unknown crashed daemon failed; do
		live
		qemu_log 1 'shutting down, reason=saved'
		event stopped end
		qemu_log 2 "shutting down, reason=$word"
		event stopped end
		record_is release $'saved\nstopped'
		: >"$seen"
		event release end $word
		[ "$status" -eq 0 ]
		ran '20-archive saved []' '60-post-rm-rf saved []'
		event release end
		record_is release saved
		rm "$tree/qemu-log/web1.log"
		rm -r "${tree:?}/$record"
	done
	# of a snapshot the same goes, and what it knows for certain counts
	live
	event release end 'from snapshot'
	event release end crashed
	record_is release from-snapshot
	: >"$seen"
	event release end destroyed
	ran '20-archive destroyed []' '60-post-rm-rf destroyed []'
	not has_record
}

@test "only stopped and release have a reason" {
	local op
	for op in prepare_begin started_begin reconnect_begin; do
		part "$parts/$op.d/10-own" 'echo "[$VIRT_PARTS_REASON]" >>"$seen"'
	done
	live
	event reconnect begin
	ran 05-virt-parts '[]' '[]' '[]'
}
