#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What events do to the record of a guest's run: its reasons, its end, and runs that were not finished.
# The shipped parts are small scripts here: 05-virt-parts makes a record, others note what they are told.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # variables of tree_make, hook and event
# shellcheck disable=SC2016,SC2086 # parts expand what is in them
load lib/tree.bash

setup() {
	tree_make
	shipped
}

teardown() { tree_remove; }

# fail_release: a whole life whose archive fails, so that the run is unfinished
fail_release() {
	live
	touch "$tree/fail/20-archive"
	event release end "${1:-shutdown}"
	[ "$status" -eq 1 ]
	rm "$tree/fail/20-archive"
	: >"$seen"
}

is_begin() {
	grep -qx "begin $1" "$tree/$record/run" || {
		cat "$tree/$record/run" >&2
		return 1
	}
}

# --- a run's normal life ---------------------------------------------------------------------------------------

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
	within 5 grep -q slow "$seen"
	xml=$plain
	event release end shutdown
	wait
	ran slow 05-virt-parts '20-archive shutdown []' 30-own '60-post-rm-rf shutdown []'
	not has_record
}

# --- reasons ---------------------------------------------------------------------------------------------------

# reason_is WORD [EXTRA]: what the parts of release are told
reason_is() {
	part "$parts/release_end.d/10-own" 'echo "$VIRT_PARTS_REASON" >"$tree/reason"; exit 1'
	event release end "${2:--}"
	same "$(<"$tree/reason")" "$1"
}

# qemu_log SECONDS LINE: a line of libvirt's own, that many seconds from now
qemu_log() {
	echo "$(date -u -d "@$(($(date +%s) + $1))" '+%Y-%m-%d %H:%M:%S').123+0000: $2" >>"$tree/qemu-log/${3:-web1.log}"
}

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

# system_log: what is told to the system's log from now on comes to be in $tree/heard; the host's own logs are hidden
system_log() {
	mkdir "$tree/dev"
	mknod -m 666 "$tree/dev/null" c 1 3
	timeout 20 python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1] + "/dev/log")
open(sys.argv[1] + "/heard", "wb").write(s.recv(4096))' "$tree" 3>&- &
	within 5 test -S "$tree/dev/log"
	around=(unshare -m --propagation private sh -c 'mount --bind "$0/dev" /dev && mount -t tmpfs none /run &&
		mount -t tmpfs none /var/log && exec "$@"' "$tree")
}

@test "a run that stays unfinished is told to the system's log" {
	[[ $EUID -eq 0 ]] || skip 'needs root'
	live
	touch "$tree/fail/20-archive"
	system_log
	event release end shutdown
	[ "$status" -eq 1 ]
	within 5 test -s "$tree/heard"
	has "$(<"$tree/heard")" 'virt-parts['
	has "$(<"$tree/heard")" 'web1: the run stays unfinished, failed: 20-archive'
}

@test "so is a teardown that cannot know where the record of its run lies, since parts.conf is not valid" {
	[[ $EUID -eq 0 ]] || skip 'needs root'
	live
	chmod 0666 "$hooks/parts.conf"
	system_log
	event release end shutdown
	[ "$status" -eq 1 ]
	has "$errors" 'the record of the run may lie elsewhere'
	within 5 test -s "$tree/heard"
	has "$(<"$tree/heard")" "web1: the run may stay unfinished, its record is not found: parts.conf is not valid: '$hooks/parts.conf' can be written by others"
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
	within 5 test -s "$tree/heard"
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

# Called as it is, and not by `event`, a hook has the test's own process for its libvirtd, which goes on.
@test "a start that failed has failed while the libvirtd that made it goes on, and is lost when that has gone" {
	xml=$asking
	event prepare begin
	hook qemu web1 start begin -
	reason_is failed
	event prepare begin
	event start begin
	reason_is lost
	# nor is it to be known after a restart
	event prepare begin
	hook qemu web1 start begin -
	sed -i 's/^boot .*/boot 00000000-0000-0000-0000-000000000000/' "$tree/$record/run"
	reason_is lost
}

@test "a run is archived whose libvirtd has gone before it told that the guest has started" {
	xml=$asking
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
	bash -c 'printf %s "$1" | { "$0" web1 start begin -; true; }' "$hooks/qemu" "$xml" || true
	within 5 grep -q 'start_begin: end' "$tree/log/qemu-web1.log"
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

@test "a restore of which nobody knows whether it succeeded leaves what the save needs" {
	live
	event release end saved
	event restore begin
	event prepare begin
	is_begin restored
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

# --- runs that go on -------------------------------------------------------------------------------------------

# saved REASON: a life that ends with it, whose run stays
saved() {
	live
	event stopped end
	event release end "$1"
	[ "$status" -eq 0 ]
	record_is release "$1"
	sed -i 's/^time .*/time 1000/' "$tree/$record/run"
	: >"$seen"
}

# goes_on BEGIN: the run of before does, as if it had just been prepared
goes_on() {
	is_begin "$1"
	not grep -qx 'time 1000' "$tree/$record/run"
	grep -qx "boot $(</proc/sys/kernel/random/boot_id)" "$tree/$record/run"
	[ ! -e "$tree/$record/started" ]
	[ ! -e "$tree/$record/release" ]
	[ ! -e "$tree/$record/failed" ]
}

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
	touch -d '6 minutes ago' "$tree/run/qemu-$uuid.restored"
	event prepare begin
	ran '20-archive lost []' '60-post-rm-rf lost []' 05-virt-parts
	event restore begin
	event start begin
	[ ! -e "$tree/run/qemu-$uuid.restored" ]
}

@test "a restore counts also when the clock was set back since" {
	saved saved
	event restore begin
	touch -d '2 minutes' "$tree/run/qemu-$uuid.restored"
	event prepare begin
	is_begin restored
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

# --- runs that were not finished -------------------------------------------------------------------------------

@test "the next prepare finishes an unfinished run with its reason, and begins a new one" {
	fail_release destroyed
	event prepare begin
	[ "$status" -eq 0 ]
	ran '20-archive destroyed []' '60-post-rm-rf destroyed []' 05-virt-parts
	is_begin new
	[ ! -e "$tree/$record/release" ]
	has "$(log_of qemu-web1)" 'release_end: note: finishes the unfinished run'
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
	within 5 test -s "$tree/supervisor"
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
	within 5 test -s "$tree/supervisor"
	read -r supervisor part <"$tree/supervisor"
	kill -KILL "$supervisor"
	wait
	within 5 gone "$part"
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
	within 5 test -s "$tree/supervisor"
	read -r supervisor part <"$tree/supervisor"
	kill -KILL "$supervisor"
	wait
	within 5 gone "$part"
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
