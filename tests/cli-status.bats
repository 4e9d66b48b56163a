#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# virt-parts status and resolve: runs that are open or unfinished, and their end.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # variables of cli_make and vp
load lib/cli.bash

setup() { cli_make; }
teardown() { parts_remove; }

# The guest has ended as far as its record says; libvirt, which is not there, is not needed then.
unfinished() {
	all_four
	starts
	echo precious >"$me/tmp/in-memory"
	# what the archive trips over
	mv "$me/var/log" "$me/var/log.away"
	call release end destroyed
	[ "$status" -ne 0 ]
	is_mounted "$me/tmp"
}

mended() {
	mv "$me/var/log.away" "$me/var/log"
}

@test "without records there is nothing to see" {
	good status
	same "$output" 'no run is open or unfinished'
	good status --json
	same "$(json length)" 0
}

@test "status shows an unfinished run: since when, why, what is kept, built and claimed" {
	unfinished
	finds -c "$daemon" status
	has "$output" "web1 (lxc, $id)  unfinished"
	has "$output" 'ended as  destroyed'
	has "$output" 'failed    20-archive'
	has "$output" "kept      $me/tmp"
	has "$output" "claimed   $me/tmp"
	has "$output" "to save   $me/var/log"
	has "$output" "to delete $me/scratch"
	has "$output" "virt-parts resolve $id"
	finds -c "$daemon" status --json
	same "$(json '.[0] | [.name, .driver, .state, .reason, .failed, .mounted[0], .guest] | join(" ")')" \
		"web1 lxc unfinished destroyed 20-archive $me/tmp unknown"
	has "$(json '.[0].since')" "$(date -u +%Y-)"
	same "$(json '.[0] | [.unsaved, .undeleted] | flatten | join(" ")')" "$me/var/log $me/scratch"
	finds -c "$daemon" status web1
	finds -c "$daemon" status "$id"
}

@test "status tells what is archived already from what is not, and leaves out what the reason does not ask for" {
	all_four
	ask "<archive><dircopy><src>$me/var/log</src><dst>$archive/web1/a</dst></dircopy>
		<dircopy><src>$me/var/www</src><dst>$archive/web1/b/c</dst></dircopy></archive>
		<archive when='crashed'><dircopy><src>$me/scratch</src><dst>$archive/web1/d</dst></dircopy></archive>
		<post-rm-rf when='crashed'><dir>$me/var/www</dir></post-rm-rf>"
	starts
	mkdir -p "$me/var/www" "$archive/web1"
	touch "$archive/web1/b"
	call release end destroyed
	[ "$status" -ne 0 ]
	finds -c "$daemon" status
	has "$output" "to save   $me/var/www"
	lacks "$output" "to save   $me/var/log"
	lacks "$output" "$me/scratch
"
	lacks "$output" 'to delete'
	rm "$archive/web1/b"
	good -c "$daemon" resolve "$id"
	no_record
}

@test "status and resolve --discard name paths as they are called, and a date as it was written" {
	guest 'a\b' lxc $$
	local me=$guests/$name
	all_four
	ask "<archive><dircopy><src>$me/var/log/%DATE%</src><dst>$archive/%NAME%/a</dst></dircopy></archive>
		<post-rm-rf><dir>$me/scratch</dir></post-rm-rf>"
	starts
	call release end destroyed
	finds -c "$daemon" status --json
	same "$(json '.[0] | [.unsaved, .undeleted] | flatten | join(" ")')" "$me/var/log/%DATE% $me/scratch"
	vp -c "$daemon" resolve --discard "$name"
	has "$output" 'is not deleted'
	has "$output" '%DATE%'
}

@test "status changes nothing, and makes no lock file" {
	unfinished
	rm -r "$tree/run"
	changes_nothing vp -c "$daemon" status
}

@test "a run whose guest libvirt does not know of by now is unknown until libvirt has answered" {
	all_four
	starts
	vp -c "test:///$tree/none.xml" status
	[ "$status" -eq 0 ]
	has "$output" "web1 (lxc, $id)  unknown"
	has "$output" "next      start libvirt's daemon and look again"
	has "$errors" 'cannot ask libvirt which guests run'
	ends
}

@test "a run whose daemon was not asked is unknown, and it is said how that is asked, not to start one" {
	all_four
	starts
	libvirt_is_both
	vp -c qemu:///system status
	[ "$status" -eq 0 ]
	has "$output" "web1 (lxc, $id)  unknown"
	has "$output" "next      ask its daemon with '-c lxc:///system', as 'qemu:///system' is another, and look again"
	wrong -c qemu:///system resolve web1
	has "$errors" "libvirt does not say whether the guest runs; ask its daemon with '-c lxc:///system', as 'qemu:///system' is another, and try again"
	prefix+=(LIBVIRT_DEFAULT_URI=qemu:///system)
	vp status
	has "$output" "ask its daemon with '-c lxc:///system'"
	finds -c lxc:///system status
	has "$output" 'guest     gone'
	unset 'prefix[-1]'
	# neither is asked without -c
	guest web1 libxl
	ask_file '<ramdisk><dir size="1M">'"$me/fast"'</dir></ramdisk>'
	starts
	vp status
	has "$output" "next      ask its daemon with '-c xen:///system' and look again"
	# nor does it matter then that the other does not answer
	rm "${daemon#test://}"
	vp -c qemu:///system status
	has "$output" "next      ask its daemon with '-c lxc:///system', as"
	vp status
	has "$output" "next      ask its daemon with '-c xen:///system' and look again"
	has "$output" "next      start libvirt's daemon and look again"
	ends
	prefix=()
	guest web1 lxc $$
	ends
}

@test "a daemon that does not answer holds status up for no longer than the time limit" {
	all_four
	starts
	background python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(5)
time.sleep(1000)' "$tree/deaf"
	within 60 test -S "$tree/deaf"
	local begin
	begin=$(milliseconds)
	vp --timeout 1 -c "qemu+unix:///system?socket=$tree/deaf" status
	(($(milliseconds) - begin < 60000))
	has "$output" "web1 (lxc, $id)  unknown"
	has "$errors" 'does not answer within 1 s'
	lacks "$output" 'start libvirt'
	ends
}

@test "a daemon that runs and does not answer is to be waited for, not started, and it is said why, also where the other answers" {
	local why="does not answer within 4 s; a hook that runs holds it up"
	all_four
	starts
	libvirt_is_both lxc:///system
	vp --timeout 4 status
	[ "$status" -eq 0 ]
	has "$output" "web1 (lxc, $id)  unknown"
	has "$output" "next      wait until libvirt's daemon at 'lxc:///system' answers (it $why, "
	has "$errors" "cannot ask libvirt which guests run: lxc:///system: it $why"
	lacks "$errors" qemu
	wrong --timeout 4 resolve web1
	has "$errors" "libvirt does not say whether the guest runs; wait until libvirt's daemon at 'lxc:///system' answers (it $why, "
	has "$errors" 'cannot ask libvirt which guests run: lxc:///system: '
	# the run of a guest of the other is known, and that this one does not answer is no matter to it
	unset 'prefix[-1]' 'prefix[-1]'
	libvirt_is_both qemu:///system
	finds --timeout 4 status
	has "$output" 'guest     gone'
	has "$errors" 'cannot ask libvirt which guests run: qemu:///system: '
	ends
}

@test "status shows a run that is being finished right now, and by whom" {
	part "$vendor/release_end.d/15-slow" 'exec sleep 600'
	part "$parts/release_end.d/30-own" true
	conf '[limits]' 'teardown-wait = 1s' '[paths]' "read = $guests/%NAME%" "write = $guests/%NAME%" \
		"delete = $guests/%NAME%"
	ask_file "<slow/><post-rm-rf><dir>$guests/%NAME%/scratch</dir></post-rm-rf>"
	mkdir -p "$me/scratch"
	starts
	does release end destroyed
	vp -c "$daemon" status
	[ "$status" -eq 0 ]
	has "$output" "web1 (lxc, $id)  busy"
	has "$output" 'busy with release end (pid '
	has "$output" 'running   30-own'
	lacks "$output" 'failed '
	vp -c "$daemon" status --json
	same "$(json '.[0] | .running, .failed')" '30-own
null'
	wrong -c "$daemon" resolve web1
	has "$errors" 'is at it'
	local pid
	pid=$(grep -oE 'pid=[0-9]+' "$tree/log/lxc-web1.log" | tail -1)
	kill "${pid#pid=}"
	pkill -P "${pid#pid=}" || true
}

@test "status shows a saved run as saved, and resolve leaves it alone unless the save is gone" {
	all_four
	starts
	ends saved
	good -c "$daemon" status
	has "$output" "web1 (lxc, $id)  saved"
	wrong -c "$daemon" resolve web1
	has "$errors" 'add --save-discarded'
	is_mounted "$me/tmp"
	# the saved state of this guest is nowhere, so libvirt must say that it does not run
	wrong -c "$daemon" resolve --save-discarded web1
	has "$errors" 'libvirt does not say whether the guest runs'
	lacks "$output" 'next '
	# where it says that there is no such guest
	mkdir "$tree/state/other"
	cp -a "$record" "$tree/state/other/"
	vp -c "$daemon" status
	has "$output" "next      libvirt has no saved state of it; unless it is restored from a file, or reverted to a snapshot, 'virt-parts resolve --save-discarded $id' finishes it"
}

@test "status and resolve know a save that the record could not be told of" {
	all_four
	starts
	mkdir "$record/.release.new"
	call release end saved
	rmdir "$record/.release.new"
	[ ! -e "$record/release" ]
	libvirt_is LXC
	vp -c "$daemon" status
	has "$output" "web1 (lxc, $id)  saved"
	has "$output" 'ended as  saved'
	wrong -c "$daemon" resolve web1
	has "$errors" 'it was saved, and a restore needs what is left of it'
	is_mounted "$me/tmp"
	good -c "$daemon" resolve --save-discarded web1
	not_mounted "$me/tmp"
	nothing_left
}

# Saved, and its record is whole but for that: $why is what is said of it.
saved_unread() {
	all_four
	starts
	ends saved
	mv "$record/release" "$tree/aside"
	mkdir "$record/release"
	why="'$record/release', which says how it ended: Is a directory"
}

@test "status and doctor say of a run of which cannot be read how it ended that it is damaged, and advise no discard" {
	saved_unread
	finds -c "$daemon" status
	has "$output" "web1 (lxc, $id)  damaged"
	has "$output" "error     $why"
	has "$output" 'since '
	has "$output" 'next      the guest does not start until its record can be read'
	finds -c "$daemon" status --json
	same "$(json '.[0] | [.state, .reason, .begin] | join(" ")')" 'damaged  new'
	vp -c "$daemon" doctor --json
	same "$(json '.[] | select(.about == "web1") | [.level, .text, .mend] | join("; ")')" \
		"error; the record of its run cannot be read, and it does not start: $why; "
	# mended it is what it was
	rmdir "$record/release"
	mv "$tree/aside" "$record/release"
	vp -c "$daemon" status
	has "$output" "web1 (lxc, $id)  saved"
}

@test "explain says, as the hook does, that a start is refused where the record does not say how the last run ended" {
	saved_unread
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" "cannot read '$record/release', which says how its last run ended"
	finds explain "$file" prepare begin
	has "$output" "the start is refused before any part runs, as the record of its last run cannot be read: $why"
	lacks "$output" 'its last run is unfinished'
	vp explain --json "$file" prepare begin
	same "$(json .refused)" true
}

@test "explain says, as the hook does it, that an end takes nothing away where the record does not say how the run ended" {
	local op
	saved_unread
	for op in 'stopped end' 'release end'; do
		# shellcheck disable=SC2086 # words
		finds explain "$file" $op
		has "$output" "note: nothing is unmounted, removed or deleted, as the record of its run cannot be read: $why; see 'virt-parts status'"
	done
	has "$output" "copies '$me/var/log'"
	has "$output" "leaves '$me/tmp' mounted: a part failed before"
	has "$output" "leaves the image '$iso/web1/seed.iso': a part failed before"
	has "$output" "does not delete '$me/scratch': a part failed before"
	call release end destroyed
	[ "$status" -ne 0 ]
	has "$errors" "cannot read in the record how the run ended: Is a directory; nothing is deleted or unmounted"
	is_mounted "$me/tmp"
	is_there "$me/scratch" "$iso/web1/seed.iso" "$archive/web1/$today/messages"
	# other events have nothing to do with it
	vp explain "$file" started begin
	lacks "$output" 'cannot be read'
}

@test "resolve ends a run of which cannot be read how it ended only where it is told that no save of it is left" {
	saved_unread
	libvirt_is LXC
	local options
	for options in --discard --save-discarded ''; do
		# shellcheck disable=SC2086 # several words, or none
		wrong -c "$daemon" resolve --yes $options web1
		has "$errors" "its record cannot be read: $why; mend that"
		has "$errors" 'add --discard --save-discarded'
		is_mounted "$me/tmp"
		[ ! -e "$record/discarded" ]
	done
	good -c "$daemon" resolve --discard --yes --save-discarded web1
	not_mounted "$me/tmp"
	[ ! -e "$record" ]
	# neither archived nor deleted
	[ -d "$me/scratch" ]
	[ ! -e "$archive/web1" ]
	starts
	ends
}

@test "resolve finishes an unfinished run: archived first, then unmounted and deleted" {
	unfinished
	mended
	good -c "$daemon" resolve web1
	has "$output" "finished the run of 'web1'"
	holds "$archive/web1/$today/messages" logged
	is_gone "$me/scratch" "$iso/web1/seed.iso"
	nothing_left
	good status
	known
	good -c "$daemon" resolve web1
	has "$output" "'web1' has no run that is open or unfinished"
}

@test "a guest that neither a record nor libvirt knows is an error; one that libvirt knows has no run" {
	all_four
	starts
	wrong -c "$daemon" status web2
	has "$errors" "libvirt knows no guest 'web2'"
	same "$output" ''
	wrong -c "$daemon" status --json web2
	same "$output" ''
	wrong -c "$daemon" resolve web2
	has "$errors" "libvirt knows no guest 'web2'"
	# what cannot be asked is not told to be unknown
	vp -c "test:///$tree/none.xml" status web2
	[ "$status" -eq 0 ]
	ends
	known
	good -c "$daemon" status web1
	same "$output" "'web1' has no run that is open or unfinished"
	good -c "$daemon" status --json web1
	same "$(json length)" 0
}

@test "resolve that fails again says what failed and what can be done, and keeps everything" {
	unfinished
	finds -c "$daemon" resolve "$id"
	has "$errors" '20-archive failed'
	has "$errors" "the run of 'web1' is still unfinished, failed: 20-archive"
	has "$errors" '--discard'
	is_there "$me/tmp/in-memory" "$me/scratch" "$record"
	mended
	good -c "$daemon" resolve "$id"
	nothing_left
}

@test "resolve --discard says of an image that another host may use that it stays, and leaves it" {
	all_four
	does migrate begin
	starts
	mv "$me/var/log" "$me/var/log.away"
	call release end destroyed
	good -c "$daemon" resolve --discard --yes web1
	has "$output" "stays: the image '$iso/web1/seed.iso': another host may use it"
	lacks "$output" 'is removed'
	is_there "$iso/web1/seed.iso"
}

@test "an image that is not the one that the run built is not listed with it, and resolve --discard says of none that it goes" {
	unfinished
	finds -c "$daemon" status
	has "$output" "built     $iso/web1/seed.iso"
	finds -c "$daemon" resolve --discard web1
	has "$output" "is removed, unless keep=\"yes\": the image '$iso/web1/seed.iso'"
	# as another host has put it there, which shares the directory
	cp -p "$iso/web1/seed.iso" "$iso/web1/new"
	mv "$iso/web1/new" "$iso/web1/seed.iso"
	finds -c "$daemon" status
	lacks "$output" 'built '
	finds -c "$daemon" status --json
	same "$(json '.[0].built | length')" 0
	good -c "$daemon" resolve --discard --yes web1
	lacks "$output" 'is removed'
	is_there "$iso/web1/seed.iso"
}

@test "resolve --discard shows first what that loses, and does nothing until it is told to" {
	unfinished
	finds -c "$daemon" resolve --discard web1
	has "$output" "is lost: the ramdisk '$me/tmp'"
	has "$output" "is not archived: $me/var/log"
	has "$errors" 'nothing was done; add --yes to do it'
	is_there "$me/tmp/in-memory" "$record"

	good -c "$daemon" resolve --discard --yes web1
	has "$output" "discarded the run of 'web1'"
	not_mounted "$me/tmp"
	is_gone "$iso/web1/seed.iso" "$archive/web1"
	is_there "$me/scratch" "$me/var/log.away/messages"
	nothing_left
	# and the guest starts as if nothing had been
	mended
	lives
}

@test "resolve --discard that does not come to its end gives up the old life, and nothing of the next one" {
	ask_file "<ramdisk><dir size='1M'>$me/tmp</dir></ramdisk>
		<archive><dircopy><src>$me/tmp</src><dst>$archive/web1/tmp</dst></dircopy></archive>
		<post-rm-rf><dir>$me/scratch</dir></post-rm-rf>"
	mkdir "$me/scratch"
	starts
	echo old >"$me/tmp/in-memory"
	sits "$me/tmp"
	call release end destroyed
	[ "$status" -ne 0 ]
	rm -r "$archive/web1"
	finds -c "$daemon" resolve --discard --yes web1
	has "$errors" "the run of 'web1' is still unfinished, failed: 40-ramdisk"
	lacks "$errors" 'end it with --discard'
	finds -c "$daemon" status web1
	has "$output" 'it was discarded, and nothing of it is archived or deleted'
	lacks "$output" 'to save'
	lacks "$output" 'to delete'
	same "$(vp -c "$daemon" status --json 2>/dev/null && json '.[0].discarded')" true
	vp explain "$file" prepare begin
	has "$output" 'the run was discarded'
	lacks "$output" 'copies'
	lacks "$output" "deletes '"
	# its guest comes back to it, and nothing of the old life was saved or deleted, nor is it owed
	echo '1 destroyed' >"$record/owed"
	starts
	is_gone "$record/owed"
	is_gone "$archive/web1"
	is_there "$me/scratch"
	echo new >"$me/tmp/in-memory"
	good -c "$daemon" status --json
	same "$(json '.[0].discarded')" false
	kill -KILL "${helpers[-1]}"
	wait "${helpers[-1]}" || true
	ends shutdown
	holds "$archive/web1/tmp/in-memory" new
	is_gone "$me/scratch"
	nothing_left
}

@test "resolve --discard that failed is carried on by the guest's next start, which saves and deletes nothing" {
	unfinished
	mended
	sits "$me/tmp"
	finds -c "$daemon" resolve --discard --yes web1
	kill -KILL "${helpers[-1]}"
	wait "${helpers[-1]}" || true
	does prepare begin
	is_gone "$archive/web1" "$me/tmp/in-memory"
	is_there "$me/scratch" "$me/var/log/messages"
	is_gone "$record/discarded"
	does release end failed
	nothing_left
}

@test "resolve --discard that failed, and a start that fails after it: what it said is not deleted stays" {
	unfinished
	mended
	sits "$me/tmp"
	finds -c "$daemon" resolve --discard --yes web1
	has "$output" "is not deleted: $me/scratch"
	does prepare begin
	does release end failed || true
	kill -KILL "${helpers[-1]}"
	wait "${helpers[-1]}" || true
	does prepare begin
	is_there "$me/scratch"
	does release end failed
	nothing_left
}

@test "resolve --discard names what is left of an archive that was killed, once, and leaves it" {
	command -v strace >/dev/null || skip 'needs strace'
	local left empty n
	unfinished
	mv "$me/var/log.away" "$me/var/log"
	for n in 1 2; do
		by_hand archive release end strace -f -o "$tree/trace" -e trace=renameat2 -e inject=renameat2:signal=KILL
		[ "$status" -ne 0 ]
	done
	# and its name, where that is taken before
	by_hand archive release end strace -f -o "$tree/trace" -e trace=renameat2,renameat \
		-e inject=renameat2:error=EINVAL -e inject=renameat:signal=KILL
	[ "$status" -ne 0 ]
	left=$(find "$archive" -name '.virt-parts.*')
	empty=$(find "$archive/web1" -mindepth 1 -empty)
	is_there "$left" "$empty"
	good -c "$daemon" resolve --discard --yes web1
	same "$(grep -c 'not completed' <<<"$output")" 2
	has "$output" "stays: '$left', part of an archive that was not completed; remove it then"
	has "$output" "stays: '$empty', part of an archive that was not completed; remove it then"
	is_there "$left" "$empty"
}

@test "a ramdisk that the guest has buried too deep keeps the run; resolve --discard ends it and leaves the mount" {
	isolate
	prefix=(nsenter --mount="/proc/$namespace/ns/mnt")
	ask_file "<ramdisk><dir size='1M'>$me/p/tmp</dir></ramdisk>"
	starts
	bury "$me/p" 4200 $'\n'
	call release end destroyed
	[ "$status" -ne 0 ]
	has "$errors" 'a ramdisk of the run is out of reach, too deep or covered, at '
	has "$errors" "give it up with 'virt-parts resolve --discard $id'"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" 'is out of reach'
	call release end failed
	finds -c "$daemon" resolve web1
	finds -c "$daemon" status
	(($(wc -l <<<"$output") < 20))
	good -c "$daemon" resolve --discard --yes web1
	has "$output" "stays mounted, if it stays out of reach: the ramdisk '"
	has "$output" "discarded the run of 'web1'"
	no_record
	(($(grep -c "virt-parts:$id" "/proc/$namespace/mountinfo") == 1))
	# each daemon is asked that calls a hook of ours
	libvirt_is_both
	rm "$hooks"/{libxl,bhyve}
	vp doctor
	has "$output" 'move a directory above it up in its tree, and unmount it there'
	# and the guest starts again
	lives
}

@test "a ramdisk that the guest has moved with its directory: resolve says where it is; moved back it is finished, or it is discarded there" {
	local how
	ask_file "<ramdisk><dir size='1M'>$me/a/tmp</dir></ramdisk>
		<archive><dircopy><src>$me/a/tmp</src><dst>$archive/web1/tmp</dst></dircopy></archive>"
	for how in back discard; do
		starts
		echo saved >"$me/a/tmp/data"
		mv "$me/a" "$me/a.old"
		call release end destroyed
		finds check "$file"
		has "$output" "the ramdisk of '$me/a/tmp' is now at '$me/a.old/tmp': an archive of it fails, and so does the next start"
		vp explain "$file" prepare begin
		has "$output" "the ramdisk of '$me/a/tmp' is now at '$me/a.old/tmp', where a renamed directory has taken it"
		has "$output" 'nothing of it is touched, and the guest is refused.'
		finds -c "$daemon" resolve web1
		has "$errors" "the ramdisk of '$me/a/tmp' is now at '$me/a.old/tmp', where a renamed directory has taken it"
		has "$errors" 'move that directory back'
		if [[ $how == back ]]; then
			mv "$me/a.old" "$me/a"
			good -c "$daemon" resolve web1
			holds "$archive/web1/tmp/data" saved
		else
			good -c "$daemon" resolve --discard --yes web1
			has "$output" "is lost: the ramdisk '$me/a.old/tmp'"
		fi
		nothing_left
	done
}

@test "parts of the admin's own that failed are not run again: they are said to be done" {
	part "$parts/release_end.d/30-own" 'exit 1'
	all_four
	starts
	call release end destroyed
	rm -r "$parts/release_end.d"
	is_there "$me/scratch"
	finds -c "$daemon" status web1
	has "$output" "next      do by hand what 30-own was to do, then 'virt-parts resolve --own-parts-done $id'"
	lacks "$output" 'next start finishes it'
	vp -c "$daemon" doctor
	has "$output" "mend: do by hand what 30-own was to do, then 'virt-parts resolve --own-parts-done $id'"
	finds -c "$daemon" resolve web1
	has "$errors" 'failed: 30-own'
	has "$errors" 'do by hand what they were to do, then add --own-parts-done'
	is_there "$me/scratch"
	good -c "$daemon" resolve --own-parts-done web1
	is_gone "$me/scratch"
	nothing_left
}

@test "parts of the admin's own that failed are told, and can be said to be done, also when the next start failed" {
	part "$parts/release_end.d/30-own" 'exit 1'
	all_four
	starts
	call release end destroyed
	does prepare begin
	vp -c "$daemon" status web1
	has "$output" 'failed    30-own'
	vp explain "$file" prepare begin
	has "$output" "does not delete '$me/scratch': a part failed before"
	rm -r "$parts/release_end.d"
	does stopped end failed
	call release end failed
	finds -c "$daemon" resolve web1
	has "$errors" 'failed: 30-own'
	is_there "$me/scratch"
	good -c "$daemon" resolve --own-parts-done web1
	is_gone "$me/scratch"
	nothing_left
}

@test "what prepare says of a damaged record is true: resolve ends it, and the guest starts" {
	all_four
	starts
	echo nonsense >"$record/run"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" "see 'virt-parts resolve'"
	finds -c "$daemon" status
	has "$output" "web1 (lxc, $id)  damaged"
	has "$output" "virt-parts resolve --discard $id"
	# libvirt must say that the guest does not run
	wrong -c "$daemon" resolve --discard --yes web1
	has "$errors" 'libvirt does not say whether the guest runs'
	is_mounted "$me/tmp"
}

@test "discarding is told as the mend of a record that is damaged, and of no other that cannot be read" {
	unfinished
	sed -i 's/^version 1/version 99/' "$record/run"
	finds -c "$daemon" status
	has "$output" 'error     written by a newer virt-parts'
	has "$output" 'next      the guest does not start with this one: install the newer virt-parts again'
	lacks "$output" '--discard'
	# what keeps it from being read is no damage
	mv "$record/run" "$record/whole"
	ln -s whole "$record/run"
	finds -c "$daemon" status
	has "$output" 'next      the guest does not start until its record can be read'
	lacks "$output" '--discard'
	libvirt_is LXC
	wrong -c "$daemon" resolve web1
	has "$errors" 'its record cannot be read: Too many levels of symbolic links; mend that, or add --discard'
	rm "$record/run"
	finds -c "$daemon" status
	has "$output" "its record is damaged, and the guest does not start; 'virt-parts resolve --discard $id' ends it"
}

@test "a damaged record of a guest that was saved is discarded only where its save is said to be gone" {
	all_four
	starts
	ends saved
	echo nonsense >"$record/run"
	libvirt_is LXC
	finds -c "$daemon" status
	has "$output" "its record is damaged, and the guest, which was saved, does not start; 'virt-parts resolve --discard --save-discarded $id' ends it"
	wrong -c "$daemon" resolve --discard --yes web1
	has "$errors" 'it was saved, and a restore needs what is left of it; if that cannot happen any more, add --save-discarded'
	is_mounted "$me/tmp"
	[ ! -e "$record/discarded" ]
	wrong -c "$daemon" resolve --save-discarded web1
	has "$errors" '--discard ends it'
	good -c "$daemon" resolve --discard --yes --save-discarded web1
	not_mounted "$me/tmp"
	[ ! -e "$record" ]
	[ -d "$me/scratch" ]
}

@test "what prepare says of a run that could not be finished is true: status shows it, resolve mends it" {
	unfinished
	does prepare begin
	has "$errors" "see 'virt-parts status'"
	vp -c "$daemon" status
	has "$output" "web1 (lxc, $id)"
	has "$output" 'went on unfinished'
	does started begin
	call release end destroyed
	mended
	good -c "$daemon" resolve web1
	nothing_left
}

@test "two guests of one name are told apart by their UUIDs" {
	unfinished
	mended
	guest web1 qemu 77
	all_four
	policy "read = $guests" "write = $guests/qemu"
	ask_file "<archive><dircopy><src>$guests/web1/no</src><dst>$archive/%NAME%/x</dst></dircopy></archive>"
	starts
	call release end destroyed
	wrong -c "$daemon" resolve web1
	has "$errors" 'name it by its UUID'
	mkdir "$me/no"
	good -c "$daemon" resolve "$id"
	[[ ! -e $record ]]
	policy
	good -c "$daemon" resolve web1
	nothing_left
}

@test "of two runs of one UUID -c says which is resolved; one that is alone needs no daemon that answers" {
	unfinished
	local machine container=$record
	guest web1 qemu $$
	ask_file "<archive><dircopy><src>$me/no</src><dst>$archive/%NAME%/x</dst></dircopy></archive>"
	machine=$record
	starts
	call release end destroyed
	mkdir "$me/no"
	# a third driver's
	wrong -c "$daemon" resolve "$id"
	has "$errors" "'$id' may be the lxc guest $id or the qemu guest $id: say which with -c"
	libvirt_is QEMU
	good -c "$daemon" resolve "$id"
	is_gone "$machine"
	is_there "$container" "$archive/web1/x"
	mended
	good -c "$daemon" resolve "$id"
	nothing_left
}

@test "a resolve that is interrupted goes on in the background" {
	unfinished
	mended
	# shellcheck disable=SC2016 # the part expands it
	part "$vendor/release_end.d/15-archive" 'until [ -e "$tree/go" ]; do sleep 0.05; done'
	"$build/virt-parts" --hook-dir "$hooks" -c "$daemon" resolve web1 >/dev/null 2>&1 3>&- 4>&- &
	local pid=$!
	within 60 grep -q 'finishes the unfinished run' "$tree/log/lxc-web1.log"
	kill "$pid"
	within 60 gone "$pid"
	is_there "$me/tmp/in-memory"
	touch "$tree/go"
	within 60 no_record
	holds "$archive/web1/$today/messages" logged
	within 60 grep -q 'release_end: end exit 0' "$tree/log/lxc-web1.log"
	nothing_left
}

@test "resolve needs an argument, and root" {
	wrong resolve
	wrong resolve a b
}

@test "the run of a guest that was renamed since is found by its new name" {
	unfinished
	libvirt_is LXC
	name=web2 known
	finds -c "$daemon" status web2
	has "$output" "web1 (lxc, $id)  unfinished"
	has "$output" 'renamed   web2'
	finds -c "$daemon" status --json web2
	same "$(json '.[0] | [.name, .called] | join(" ")')" 'web1 web2'
	# when a start went on with its run the record knows it, too
	prefix=()
	name=web2 call prepare begin
	vp -c "$daemon" status web2
	has "$output" 'renamed   web2'
	name=web2 call release end destroyed
	# it is no guest's that is called as it was
	guest web1 lxc $(($$ + 1))
	all_four
	vp explain "$file" prepare begin
	lacks "$output" 'is finished first'
	guest web1 lxc $$
	mended
	good -c "$daemon" resolve web2
	no_record
}
