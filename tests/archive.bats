#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# <archive>: directories copied to a safe place when the guest has ended, and what a failure withholds.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # variables of parts_make, guest and call
load lib/parts.bash

setup() {
	parts_make
	mkdir -p "$me/log/sub"
	echo logged >"$me/log/messages"
	echo deep >"$me/log/sub/deep"
}

teardown() {
	parts_remove
}

# archive [ATTRIBUTES [DST [DATESTRS]]]
archive() {
	ask "<archive ${1:-}>${3:-}<dircopy><src>$me/log</src><dst>${2:-$archive/%NAME%/log}</dst></dircopy></archive>"
}

# what is withheld when an archive fails
everything() {
	mkdir -p "$me/scratch/x"
	ask "<ramdisk><dir size='1M'>$me/tmp</dir></ramdisk>
		<preload><iso path='$iso/web1/seed.iso'><file path='a'/></iso></preload>
		<archive><dircopy><src>$me/log</src><dst>$archive/%NAME%/log</dst></dircopy>
			<dircopy><src>$me/tmp</src><dst>$archive/%NAME%/tmp</dst></dircopy></archive>
		<post-rm-rf><dir>$me/scratch</dir></post-rm-rf>"
}

@test "a copy is made at release, owned by root and for root alone, with all that is in it" {
	chown -R 12:34 "$me/log"
	chmod 0640 "$me/log/messages"
	ln -s messages "$me/log/link"
	archive
	starts
	does stopped end
	is_gone "$archive/web1/log"
	does release end destroyed
	same "$(stat -c '%a %u:%g' "$archive/web1/log")" '700 0:0'
	same "$(listing "$archive/web1/log")" 'link 777 0:0
messages 640 12:34
sub 755 12:34
sub/deep 644 12:34'
	same "$(listing "$me/log")" "$(listing "$archive/web1/log")"
	nothing_left
}

@test "mode, uid and gid are those of the archive's top" {
	ask "<archive><dircopy mode='0751' uid='5' gid='6'><src>$me/log</src><dst>$archive/web1/log</dst></dircopy></archive>"
	lives
	same "$(stat -c '%a %u:%g' "$archive/web1/log")" '751 5:6'
	same "$(stat -c '%a %u:%g' "$archive/web1/log/sub")" '755 0:0'
}

@test "setuid, setgid and device nodes do not get into an archive" {
	cp /bin/true "$me/log/tool"
	chmod 6755 "$me/log/tool"
	mknod "$me/log/device" c 1 3
	chmod 2777 "$me/log/sub"
	archive
	lives
	same "$(find "$archive/web1/log" -perm /6000)" ''
	is_gone "$archive/web1/log/device"
	same "$(stat -c %a "$archive/web1/log/tool")" 755
	says "'device'"
}

@test "a missing way to the destination is made, for root alone" {
	rmdir "$archive"
	archive '' "$archive/%NAME%/a/b/log"
	lives
	same "$(stat -c %a "$archive" "$archive/web1" "$archive/web1/a" "$archive/web1/a/b" | paste -sd' ')" '700 700 700 700'
}

@test "an archive that is there is never touched: -2, -3 and so on are appended" {
	archive
	local i
	for i in 1 2 3; do
		echo "$i" >"$me/log/messages"
		lives
	done
	holds "$archive/web1/log/messages" 1
	holds "$archive/web1/log-2/messages" 2
	holds "$archive/web1/log-3/messages" 3
	rm -r "$archive/web1/log-2"
	: >"$archive/web1/log-2"
	lives
	holds "$archive/web1/log-4/messages" 3
	same "$(stat -c %s "$archive/web1/log-2")" 0
	rm -r "$archive/web1/log"
	ln -s /nowhere "$archive/web1/log"
	lives
	is_there "$archive/web1/log-5/messages"
	same "$(readlink "$archive/web1/log")" /nowhere
}

@test "several archives, each with several copies, are made" {
	mkdir "$me/data"
	ask "<archive><dircopy><src>$me/log</src><dst>$archive/web1/one</dst></dircopy><dircopy><src>$me/data</src><dst>$archive/web1/two</dst></dircopy></archive>
		<archive><dircopy><src>$me/log/sub</src><dst>$archive/web1/three</dst></dircopy></archive>"
	lives
	same "$(names_in "$archive/web1")" 'one three two'
	is_there "$archive/web1/three/deep"
	nothing_left
}

# --- dates -----------------------------------------------------------------------------------------------------

@test "%DATE% is today, also without a <datestr>" {
	archive '' "$archive/%NAME%/%DATE%"
	local before after
	before=$(date +%F)
	lives
	after=$(date +%F)
	has "$before $after" "$(names_in "$archive/web1")"
}

@test "a <datestr> replaces whatever text it names, by whatever format" {
	archive '' "$archive/%NAME%/YY-_w/%DATE%.(*)" '<datestr><format>%Y</format><replace>YY</replace></datestr>
		<datestr><format>%G-W%V</format><replace>_w</replace></datestr>
		<datestr><format>%Y%m</format><replace>%DATE%</replace></datestr>
		<datestr><format>%%x</format><replace>(*)</replace></datestr>'
	lives
	is_there "$archive/web1/$(date +%Y-%G-W%V/%Y%m.%%x)"
}

@test "what was put in for one text is not looked at again, nor is the guest's name" {
	guest '%DATE%'
	mkdir -p "$guests/%DATE%/log"
	ask "<archive><datestr><format>!</format><replace>(1)</replace></datestr><datestr><format>?</format><replace>!</replace></datestr>
		<datestr><format>%%NAME%%</format><replace>(3)</replace></datestr><datestr><format>(1)</format><replace>=)</replace></datestr>
		<dircopy><src>$guests/%NAME%/log</src><dst>$archive/%NAME%/(1)!(3)=)%UUID%</dst></dircopy></archive>"
	lives
	same "$(names_in "$archive")" '%DATE%'
	same "$(names_in "$archive/%DATE%")" "!?%NAME%(1)$id"
	nothing_left
}

@test "the longest text wins where two begin alike" {
	archive '' "$archive/%NAME%/!!!" '<datestr><format>1</format><replace>!</replace></datestr><datestr><format>2</format><replace>!!</replace></datestr>'
	lives
	is_there "$archive/web1/21"
}

@test "dates that are none, texts that are empty or given twice are refused" {
	local one
	for one in '%' '%Q' '%Y-%' '%E' '%5Y' '%+' '' '%n/..'; do
		archive '' "$archive/web1/x" "<datestr><format>$one</format><replace>D</replace></datestr>"
		[[ $one != *n* ]] || archive '' "$archive/web1/D" "<datestr><format>$one</format><replace>D</replace></datestr>"
		refused '<archive>'
	done
	archive '' "$archive/web1/x" '<datestr><format>%Y</format><replace></replace></datestr>'
	refused '<archive>: <replace> is empty: say which text stands for the date'
	archive '' "$archive/web1/x" '<datestr><format>%Y</format><replace>D</replace></datestr><datestr><format>%m</format><replace>D</replace></datestr>'
	refused "<archive>: two <datestr> replace 'D'"
	archive '' "$archive/web1/x" "$(for i in {1..17}; do echo "<datestr><format>%Y</format><replace>D$i!</replace></datestr>"; done)"
	refused 'more than 16 <datestr>'
	archive '' "$archive/web1/x" '<datestr><format>%Y</format></datestr>'
	refused '<archive>'
}

@test "a date that leads elsewhere is refused" {
	archive '' "$archive/web1/D!/x" '<datestr><format>..</format><replace>D!</replace></datestr>'
	refused "has a component '.' or '..'"
	archive '' "$archive/D!/x" '<datestr><format>web2</format><replace>D!</replace></datestr>'
	refused 'lies below no'
	archive '' "D!/x" '<datestr><format>/etc</format><replace>D!</replace></datestr>'
	refused 'lies below no'
}

@test "a slash in a date makes directories" {
	archive '' "$archive/web1/D!" '<datestr><format>%Y/%m</format><replace>D!</replace></datestr>'
	lives
	is_there "$archive/web1/$(date +%Y/%m)/messages"
}

@test "the day is that of the release, not of the start" {
	archive '' "$archive/%NAME%/%DATE%"
	does prepare begin
	environment=(VIRT_PARTS_EVENT_TIME=86400)
	by_hand archive release end
	[ "$status" -eq 0 ]
	is_there "$archive/web1/$(date -d @86400 +%F)/messages"
	does release end failed
}

# --- when ------------------------------------------------------------------------------------------------------

readonly reasons='shutdown destroyed crashed daemon saved migrated failed from-snapshot lost unknown'

# at REASON: 1 when a life that ends so is archived
at() {
	# what has started has not failed to
	if [[ $1 == failed ]]; then does prepare begin; else starts; fi
	ends "$1"
	if [[ -e $archive/web1 ]]; then
		echo 1
		rm -r "$archive/web1"
	else
		echo 0
	fi
	if [[ -e $record ]]; then
		does restore begin
		starts
		ends failed
		rm -rf "$archive/web1"
	fi
	no_record
}

@test "by default it archives at every reason but saved, migrated, failed and from-snapshot" {
	archive
	local reason want
	for reason in $reasons 'from snapshot' 'something new'; do
		want=1
		[[ ! $reason =~ saved|migrated|failed|from.snapshot ]] || want=0
		same "$reason $(at "$reason")" "$reason $want"
	done
}

@test "with when= it archives at these reasons and at no other" {
	local one reason want
	for one in $reasons; do
		archive "when='$one'"
		for reason in "$one" shutdown migrated; do
			want=0
			[[ $reason != "$one" ]] || want=1
			[[ $one != failed || $reason == failed ]] || continue
			same "$one at $reason: $(at "$reason")" "$one at $reason: $want"
		done
	done
	archive "when=' saved
		shutdown '"
	same "$(at saved) $(at shutdown) $(at destroyed)" '1 1 0'
}

@test "two archives with their own when= go to two places" {
	ask "<archive when='shutdown'><dircopy><src>$me/log</src><dst>$archive/web1/good</dst></dircopy></archive>
		<archive when='crashed destroyed'><dircopy><src>$me/log</src><dst>$archive/web1/bad</dst></dircopy></archive>"
	lives shutdown
	same "$(names_in "$archive/web1")" good
	lives crashed
	same "$(names_in "$archive/web1")" 'bad good'
}

@test "without a reason from libvirt a container's end is either of shutdown and destroyed" {
	archive "when='shutdown'"
	starts
	does stopped end -
	does release end -
	is_there "$archive/web1/log"
	archive "when='destroyed'"
	starts
	does release end -
	is_there "$archive/web1/log-2"
	# one that never started has failed
	does prepare begin
	does release end -
	is_gone "$archive/web1/log-3"
	nothing_left
}

@test "without a reason from libvirt a machine's end is what its log says" {
	guest web1 qemu
	archive
	starts
	echo "$(date -u +%F\ %T).999+0000: shutting down, reason=migrated" >"$tree/qemu-log/web1.log"
	does stopped end -
	does release end -
	is_gone "$archive/web1"
	starts
	echo "$(date -u +%F\ %T).999+0000: shutting down, reason=crashed" >>"$tree/qemu-log/web1.log"
	does release end -
	is_there "$archive/web1/log"
	nothing_left
}

# --- mounts ----------------------------------------------------------------------------------------------------

@test "the guest's own ramdisks below the source are archived, also when one is the source" {
	ask "<ramdisk><dir size='1M' mode='0751'>$me/log/ram</dir><dir size='1M'>$me/log/ram/deeper</dir></ramdisk>
		<archive><dircopy><src>$me/log</src><dst>$archive/web1/all</dst></dircopy>
			<dircopy><src>$me/log/ram</src><dst>$archive/web1/ram</dst></dircopy></archive>"
	starts
	echo volatile >"$me/log/ram/file"
	echo deeper >"$me/log/ram/deeper/file"
	ends
	holds "$archive/web1/all/ram/file" volatile
	holds "$archive/web1/all/ram/deeper/file" deeper
	holds "$archive/web1/all/messages" logged
	holds "$archive/web1/ram/file" volatile
	same "$(stat -c %a "$archive/web1/all/ram")" 751
	nothing_left
}

@test "any other mount in the source is a failure, and nothing of it is copied" {
	local kind
	archive
	for kind in tmpfs bind; do
		starts
		case $kind in
		tmpfs) mount -t tmpfs other "$me/log/sub" ;;
		bind) mount --bind "$tree/hooks" "$me/log/sub" ;;
		esac
		call release end destroyed
		[ "$status" -ne 0 ]
		has "$errors" "cannot archive '$me/log' to '$archive/web1/log'"
		is_gone "$archive/web1/log"
		umount "$me/log/sub"
		does prepare begin
		does release end failed
		is_there "$archive/web1/log"
		rm -r "$archive/web1/log"
		nothing_left
	done
}

@test "the destination may lie on another filesystem" {
	mount -t tmpfs -o mode=755 other "$archive"
	archive
	lives
	holds "$archive/web1/log/messages" logged
}

@test "an archive in the guest's own ramdisk is refused: it would be gone with it" {
	ask "<ramdisk><dir size='1M'>$archive/web1/ram</dir></ramdisk>
		<archive><dircopy><src>$me/log</src><dst>$archive/web1/ram/log</dst></dircopy></archive>
		<post-rm-rf><dir>$me/log</dir></post-rm-rf>"
	refused '<archive><dircopy><dst>' "lies in '$archive/web1/ram'"
	# one that only today's date leads there
	ask "<ramdisk><dir size='1M'>$archive/web1/$(date -d @86400 +%F)</dir></ramdisk>
		<archive><dircopy><src>$me/log</src><dst>$archive/web1/%DATE%/log</dst></dircopy></archive>"
	does prepare begin
	environment=(VIRT_PARTS_EVENT_TIME=86400)
	by_hand archive release end
	[ "$status" -eq 1 ]
	has "$output" 'ramdisk'
	does release end failed
}

# --- limits ----------------------------------------------------------------------------------------------------

limited() {
	policy '[limits]' "$1"
	starts
	call release end destroyed
	[ "$status" -ne 0 ]
	has "$errors" "<archive><dircopy>: cannot archive '$me/log' to '$archive/web1/log': "
	has "$errors" "${2:-${1%% *}}"
	same "$(names_in "$archive/web1")" ''
	is_there "$record"
	policy
	does prepare begin
	is_there "$archive/web1/log"
	does release end failed
	nothing_left
	rm -r "$archive/web1"
}

@test "archive-bytes, archive-entries, archive-total and archive-min-free refuse an archive before a disk is full" {
	archive
	head -c 10000 /dev/zero >"$me/log/large"
	limited 'archive-bytes = 9999'
	limited 'archive-bytes = 0'
	limited 'archive-entries = 3' 'entries'
	limited 'archive-total = 4096'
	limited 'archive-min-free = 100%'
}

@test "sockets count among the entries, and no more than twenty are told" {
	archive
	python3 -c 'import os, stat, sys
for n in range(200): os.mknod(sys.argv[1] + "/" + str(n), stat.S_IFSOCK | 0o600)' "$me/log"
	policy '[limits]' 'archive-entries = 100'
	starts
	call release end destroyed
	[ "$status" -ne 0 ]
	has "$errors" entries
	policy
	: >"$tree/log/lxc-web1.log"
	does prepare begin
	same "$(grep -c 'socket not copied' "$tree/log/lxc-web1.log")" 20
	says 'and more, of which no more is told' 'sockets and device nodes are left out'
	does release end failed
}

@test "archive-total counts what all archives below the root take" {
	policy '[limits]' 'archive-total = 200K'
	archive
	head -c 50000 /dev/zero >"$me/log/large"
	lives
	lives
	starts
	head -c 150000 /dev/zero >"$me/log/larger"
	call release end destroyed
	[ "$status" -ne 0 ]
	has "$errors" archive-total
	same "$(names_in "$archive/web1")" 'log log-2'
}

@test "archive-total counts what lies on the destination's own filesystem, and a file with two links once" {
	policy '[limits]' 'archive-total = 200K'
	mkdir -p "$archive/web1/disk" "$archive/web1/other"
	mount -t tmpfs disk "$archive/web1/disk"
	mount -t tmpfs other "$archive/web1/other"
	head -c 300000 /dev/zero >"$archive/web1/other/file"
	archive '' "$archive/%NAME%/disk/log"
	head -c 50000 /dev/zero >"$me/log/large"
	ln "$me/log/large" "$me/log/again"
	lives
	lives
	starts
	head -c 100000 /dev/zero >"$me/log/larger"
	call release end destroyed
	[ "$status" -ne 0 ]
	has "$errors" archive-total
	same "$(names_in "$archive/web1/disk")" 'log log-2'
}

@test "a full archive disk: nothing is unmounted or deleted, and what was withheld follows when there is room" {
	everything
	mount -t tmpfs -o size=64k,mode=755 small "$archive"
	head -c 100000 /dev/zero >"$me/log/large"
	policy '[limits]' 'archive-min-free = 0'
	starts
	echo volatile >"$me/tmp/file"
	call release end shutdown
	[ "$status" -ne 0 ]
	has "$errors" "cannot archive '$me/log' to '$archive/web1/log'"
	has "$errors" 'nothing of it is deleted or unmounted'
	is_there "$me/scratch/x" "$me/tmp/file" "$record"
	is_gone "$archive/web1/log"
	same "$(find "$archive" -name '.*')" ''
	same "$(<"$record/failed")" 20-archive
	# it fails again: the guest starts with a warning, and nothing of it is touched
	does prepare begin
	says 'its last run is unfinished and could not be finished'
	holds "$me/tmp/file" volatile
	does start begin
	does started begin
	echo more >"$me/tmp/more"
	call release end shutdown
	[ "$status" -ne 0 ]
	holds "$me/tmp/file" volatile
	mount -o remount,size=10m "$archive"
	does prepare begin
	is_gone "$me/scratch" "$me/tmp/file"
	holds "$archive/web1/tmp/file" volatile
	holds "$archive/web1/tmp-2/more" more
	is_there "$archive/web1/log/large"
	does release end failed
	umount "$archive"
	nothing_left
}

# --- failures --------------------------------------------------------------------------------------------------

@test "a missing source is a failure at release, and withholds the rest" {
	everything
	rm -r "$me/log"
	starts
	call release end destroyed
	[ "$status" -ne 0 ]
	has "$errors" "<archive><dircopy>: cannot archive: cannot open '$me/log': No such file or directory; nothing is deleted or unmounted"
	is_mounted "$me/tmp"
	is_there "$me/scratch" "$record"
	# the other one is archived all the same, and only once
	is_there "$archive/web1/tmp"
	mkdir "$me/log"
	does prepare begin
	is_there "$archive/web1/log"
	same "$(names_in "$archive/web1")" 'log tmp'
	is_gone "$me/scratch"
	does release end failed
	nothing_left
}

@test "what an archive failed to save is not lost when the next start fails" {
	ask "<ramdisk><dir size='1M'>$me/tmp</dir></ramdisk>
		<archive when='shutdown'><dircopy><src>$me/tmp</src><dst>$archive/web1/tmp</dst></dircopy></archive>"
	starts
	echo precious >"$me/tmp/file"
	does stopped end
	: >"$archive/web1"
	call release end shutdown
	[ "$status" -ne 0 ]
	# the start is refused by another part, then it is cut short
	does prepare begin
	does stopped end failed
	call release end failed
	[ "$status" -ne 0 ]
	holds "$me/tmp/file" precious
	does prepare begin
	holds "$me/tmp/file" precious
	rm "$archive/web1"
	does prepare begin
	is_gone "$me/tmp/file"
	holds "$archive/web1/tmp/file" precious
	does stopped end failed
	does release end failed
	nothing_left
}

@test "an admin's part that fails withholds the rest, until the admin's data is safe, except when it is advisory" {
	mkdir "$me/scratch"
	part "$parts/release_end.d/10-save" "exit 1"
	archive
	xml=${xml/<\/virt-parts>/"<post-rm-rf><dir>$me/scratch</dir></post-rm-rf></virt-parts>"}
	starts
	call release end destroyed
	[ "$status" -ne 0 ]
	is_there "$me/scratch" "$archive/web1/log"
	policy '[advisory]' '10-save'
	part "$parts/release_end.d/10-save"
	does prepare begin
	is_there "$me/scratch"
}

@test "where the link of a shipped part is missing the guest does not start, and nothing is deleted unarchived" {
	everything
	mv "$vendor/prepare_begin.d/10-ramdisk" "$tree/away"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" "prepare refused: there is no part for <ramdisk> in '$vendor/prepare_begin.d'"
	does stopped end
	does release end failed
	no_record
	# nor does one whose directives nobody reads
	mv "$vendor/prepare_begin.d/05-virt-parts" "$tree/reader"
	refused "no shipped parts in '$vendor/prepare_begin.d' that could honour its directives"
	mv "$tree/reader" "$vendor/prepare_begin.d/05-virt-parts"
	# one that is masked is meant not to run
	mkdir -p "$parts/prepare_begin.d"
	ln -s /dev/null "$parts/prepare_begin.d/10-ramdisk"
	does prepare begin
	does release end failed
	rm "$parts/prepare_begin.d/10-ramdisk"
	mv "$tree/away" "$vendor/prepare_begin.d/10-ramdisk"
	starts
	mv "$vendor/release_end.d/20-archive" "$tree/away"
	call release end shutdown
	[ "$status" -ne 0 ]
	has "$errors" "there is no part for <archive> in '$vendor/release_end.d': the run stays unfinished"
	is_there "$me/scratch" "$record"
	is_mounted "$me/tmp"
	mv "$tree/away" "$vendor/release_end.d/20-archive"
	does prepare begin
	is_there "$archive/web1/log"
	is_gone "$me/scratch"
	does release end failed
	nothing_left
}

@test "an advisory part that fails withholds nothing" {
	mkdir "$me/scratch"
	part "$parts/release_end.d/10-save" "exit 1"
	policy '[advisory]' '10-save'
	ask "<post-rm-rf><dir>$me/scratch</dir></post-rm-rf>"
	starts
	call release end destroyed
	[ "$status" -ne 0 ]
	is_gone "$me/scratch"
	nothing_left
}

@test "a source that is a link, or is behind one, is refused" {
	mkdir "$tree/elsewhere"
	echo theirs >"$tree/elsewhere/file"
	local one
	for one in log log/way; do
		ask "<archive><dircopy><src>$me/$one</src><dst>$archive/web1/x</dst></dircopy></archive>"
		mkdir -p "$me/$one"
		starts
		rm -r "${me:?}/log"
		ln -s "$tree/elsewhere" "$me/log"
		mkdir -p "$tree/elsewhere/way"
		call release end destroyed
		[ "$status" -ne 0 ]
		same "$(names_in "$archive/web1")" ''
		rm "$me/log"
		mkdir -p "$me/$one"
		does prepare begin
		does release end failed
		rm -r "$archive/web1"
	done
}

@test "what is archived already is known by its place among all, also when an archive before it could not begin" {
	mkdir -p "$me/one" "$me/two"
	echo precious >"$me/one/file"
	echo other >"$me/two/file"
	ask "<archive><dircopy><src>$me/one</src><dst>$archive/web1/one</dst></dircopy></archive>
		<archive><dircopy><src>$me/two</src><dst>$archive/web1/two</dst></dircopy></archive>
		<post-rm-rf><dir>$me/one</dir><dir>$me/two</dir></post-rm-rf>"
	starts
	# its first look at parts.conf fails, the second does not
	mv "$tree/libexec/archive" "$tree/libexec/archive.real"
	cat >"$tree/libexec/archive" <<-END
		#!/bin/sh
		exec strace -qq -o /dev/null -e trace=openat -P $hooks/parts.conf -e inject=openat:error=EIO:when=1 \
			$tree/libexec/archive.real "\$@"
	END
	chmod 0755 "$tree/libexec/archive"
	call release end destroyed
	[ "$status" -ne 0 ]
	is_gone "$archive/web1/one"
	holds "$archive/web1/two/file" other
	mv "$tree/libexec/archive.real" "$tree/libexec/archive"
	does prepare begin
	holds "$archive/web1/one/file" precious
	same "$(names_in "$archive/web1")" 'one two'
	is_gone "$me/one" "$me/two"
	does release end failed
}

@test "what is archived already is not archived again by starts that fail, and is when the guest has started" {
	local number
	mkdir "$me/one"
	echo 1 >"$me/one/file"
	ask "<archive><dircopy><src>$me/one</src><dst>$archive/web1/one</dst></dircopy><dircopy><src>$me/two</src><dst>$archive/web1/two</dst></dircopy></archive>
		<post-rm-rf><dir>$me/one</dir></post-rm-rf>"
	starts
	call release end shutdown
	[ "$status" -ne 0 ]
	for number in 1 2 3; do
		does prepare begin
		does stopped end
		call release end failed
		[ "$status" -ne 0 ]
	done
	same "$(names_in "$archive/web1")" one
	starts
	echo 2 >"$me/one/file"
	does stopped end
	mkdir "$me/two"
	does release end shutdown
	same "$(names_in "$archive/web1")" 'one one-2 two'
	holds "$archive/web1/one/file" 1
	holds "$archive/web1/one-2/file" 2
	is_gone "$me/one"
	nothing_left
}

@test "what a guest writes is archived anew, also when libvirt is gone before it tells that it has started" {
	mkdir "$me/one"
	echo 1 >"$me/one/file"
	ask "<archive><dircopy><src>$me/one</src><dst>$archive/web1/one</dst></dircopy><dircopy><src>$me/two</src><dst>$archive/web1/two</dst></dircopy></archive>"
	starts
	call release end shutdown
	[ "$status" -ne 0 ]
	does prepare begin
	does start begin
	echo 2 >"$me/one/file"
	mkdir "$me/two"
	does prepare begin
	holds "$archive/web1/one-2/file" 2
	does release end failed
	nothing_left
}

@test "what somebody writes to an archived directory of an unfinished run is archived before it is deleted" {
	mkdir "$me/one"
	echo 1 >"$me/one/file"
	ask "<archive><dircopy><src>$me/one</src><dst>$archive/web1/one</dst></dircopy><dircopy><src>$me/two</src><dst>$archive/web1/two</dst></dircopy></archive>
		<post-rm-rf><dir>$me/one</dir></post-rm-rf>"
	starts
	call release end shutdown
	[ "$status" -ne 0 ]
	# as long, and with its old time
	touch -r "$me/one/file" "$tree/time"
	echo 2 >"$me/one/file"
	touch -r "$tree/time" "$me/one/file"
	mkdir "$me/two"
	does prepare begin
	has "$(<"$tree/log/lxc-web1.log")" "'$me/one' has changed since it was archived, and is archived again"
	same "$(names_in "$archive/web1")" 'one one-2 two'
	holds "$archive/web1/one/file" 1
	holds "$archive/web1/one-2/file" 2
	is_gone "$me/one"
	does release end failed
	nothing_left
}

@test "so is what is written while a deletion is withheld, be it by a mount or by the policy" {
	local how
	ask "<archive><dircopy><src>$me/own/log</src><dst>$archive/web1/log</dst></dircopy></archive>
		<post-rm-rf><dir>$me/gone</dir><dir>$me/own/log/old</dir><dir>$me/own</dir></post-rm-rf>"
	for how in mount policy; do
		mkdir -p "$me/own/log/old" "$me/own/data" "$me/gone"
		echo 1 >"$me/own/log/one"
		starts
		case $how in
		mount) mount -t tmpfs other "$me/own/data" ;;
		policy) sed -i.kept "s,^delete = .*,delete = $me/gone," "$hooks/parts.conf" ;;
		esac
		call release end shutdown
		[ "$status" -ne 0 ]
		# another one's deletion is not this one's
		[[ $how == policy ]] || is_gone "$me/gone" "$me/own/log/old"
		same "$(names_in "$archive/web1")" log
		case $how in
		mount) umount "$me/own/data" ;;
		policy) mv "$hooks/parts.conf.kept" "$hooks/parts.conf" ;;
		esac
		echo 2 >"$me/own/log/two"
		does prepare begin
		holds "$archive/web1/log-2/two" 2
		is_gone "$me/own"
		does release end failed
		nothing_left
		rm -r "$archive/web1"
		mkdir "$archive/web1"
	done
}

@test "what an end owes is archived at the next end, whatever that is for, before anything of it goes" {
	local how when
	for how in migrated aborted 'other reason' saved; do
		guest web1 qemu
		when=
		[[ $how == migrated || $how == aborted ]] || when='when="shutdown"'
		mkdir -p "$me/log" "$me/scratch"
		echo logged >"$me/log/messages"
		ask "<ramdisk><dir size='64K'>$me/r</dir></ramdisk><post-rm-rf><dir>$me/log</dir></post-rm-rf>
			<archive $when><dircopy><src>$me/r</src><dst>$archive/web1/r</dst></dircopy><dircopy><src>$me/log</src><dst>$archive/web1/log</dst></dircopy></archive>
			<archive when='crashed'><dircopy><src>$me/scratch</src><dst>$archive/web1/none</dst></dircopy></archive>"
		starts
		echo data >"$me/r/data"
		touch "$archive/web1"
		call release end shutdown
		[ "$status" -ne 0 ]
		[[ $how != aborted ]] || does migrate begin
		does prepare begin
		has "$errors" 'it goes on, and nothing of it is touched'
		does start begin
		does started begin
		rm "$archive/web1"
		if [[ $how == saved ]]; then
			ends saved
			is_gone "$archive/web1"
			does restore begin
			starts
		fi
		printf '%s' "$xml" >"$tree/guest.xml"
		"$build/virt-parts" --hook-dir "$hooks" explain "$tree/guest.xml" release end saved >"$tree/explained" || true
		lacks "$(<"$tree/explained")" "copies '$me/r'"
		"$build/virt-parts" --hook-dir "$hooks" explain "$tree/guest.xml" release end migrated >"$tree/explained" || true
		has "$(<"$tree/explained")" "copies '$me/r'"
		case $how in
		migrated) ends migrated ;;
		aborted) ends failed ;;
		*) ends destroyed ;;
		esac
		holds "$archive/web1/r/data" data
		holds "$archive/web1/log/messages" logged
		same "$(names_in "$archive/web1")" 'log r'
		nothing_left
		rm -r "$archive/web1"
	done
}

@test "nothing is owed that was archived at its end, however the run goes on" {
	guest web1 qemu
	part "$parts/release_end.d/45-own" 'exit 1'
	archive 'when="shutdown"'
	starts
	call release end shutdown
	[ "$status" -ne 0 ]
	does prepare begin
	starts
	rm "$parts/release_end.d/45-own"
	does stopped end
	call release end destroyed
	says "nothing to archive when the guest ends with 'destroyed'"
	same "$(names_in "$archive/web1")" log
}

@test "a guest that was renamed while its run was unfinished goes on with what its old name is allowed" {
	ask "<ramdisk><dir size='64K'>$me/r</dir></ramdisk>
		<archive><dircopy><src>$me/r</src><dst>$archive/web1/r</dst></dircopy></archive><post-rm-rf><dir>$me/log</dir></post-rm-rf>"
	starts
	echo data >"$me/r/data"
	touch "$archive/web1"
	call release end shutdown
	[ "$status" -ne 0 ]
	name=web2
	does prepare begin
	does start begin
	does started begin
	holds "$me/r/data" data
	rm "$archive/web1"
	mkdir "$archive/web1"
	does stopped end
	does release end shutdown
	holds "$archive/web1/r/data" data
	is_gone "$me/log"
	nothing_left
}

# host_reboots: no mount of the guest, and another boot; power lost: nor its journals
host_reboots() {
	local target
	while read -r target; do
		umount "$target"
	done < <(mounts_below "$tree" | tac)
	[[ ${1:-} != power ]] || rm -rf "$record/done"
	sed -i 's/^boot .*/boot 00000000-0000-0000-0000-000000000000/' "$record/run"
}

@test "what a ramdisk held when the host went down is not in the archive, and that is said" {
	local how gone="ended with the host's last boot; what it held is not in this archive"
	ask "<ramdisk><dir size='64K'>$me/log/r</dir><dir size='64K'>$me/other</dir></ramdisk>
		<archive><dircopy><src>$me/log</src><dst>$archive/web1/log</dst></dircopy>
			<dircopy><src>$me/log/r/below</src><dst>$archive/web1/below</dst></dircopy>
			<dircopy><src>$me/log/sub</src><dst>$archive/web1/sub</dst></dircopy></archive>"
	for how in reboot power; do
		starts
		mkdir "$me/log/r/below"
		host_reboots "$how"
		# what the guest has made of it there
		mkdir "$me/log/r/below"
		rm "$tree/log/lxc-web1.log"
		does prepare begin
		same "$(grep -c "<archive><dircopy>: note: warning: the ramdisk '$me/log/r' $gone" "$tree/log/lxc-web1.log")" 2
		same "$(grep -c "$gone" "$tree/log/lxc-web1.log")" 2
		is_there "$archive/web1/log/messages" "$archive/web1/sub/deep"
		does start begin
		does started begin
		mkdir "$me/log/r/below"
		rm "$tree/log/lxc-web1.log"
		ends
		lacks "$(<"$tree/log/lxc-web1.log")" 'warning'
		rmdir "$me/log/r/below"
	done
	nothing_left
}

@test "where a ramdisk was is not archived after it" {
	mkdir "$me/r"
	ask "<ramdisk><dir size='64K'>$me/r</dir></ramdisk>
		<archive><dircopy><src>$me/r</src><dst>$archive/web1/r</dst></dircopy></archive>"
	part "$parts/release_end.d/45-own" 'exit 1'
	starts
	echo data >"$me/r/data"
	call release end shutdown
	[ "$status" -ne 0 ]
	is_gone "$me/r/data"
	does prepare begin
	has "$(<"$tree/log/lxc-web1.log")" "'$me/r' is archived already"
	same "$(names_in "$archive/web1")" r
	holds "$archive/web1/r/data" data
}

@test "what is left of a deletion that was cut short is not archived again" {
	mkdir -p "$me/one/kept"
	echo 1 >"$me/one/file"
	ask "<archive><dircopy><src>$me/one</src><dst>$archive/web1/one</dst></dircopy></archive>
		<post-rm-rf><dir>$me/one</dir></post-rm-rf>"
	starts
	chattr +i "$me/one/kept" 2>/dev/null || skip 'requires a filesystem with chattr'
	call release end shutdown
	chattr -i "$me/one/kept"
	[ "$status" -ne 0 ]
	is_gone "$me/one/file"
	does prepare begin
	does release end failed
	same "$(names_in "$archive/web1")" one
	is_gone "$me/one"
	nothing_left
}

# killed: archive's release by hand, killed when the copy is about to be put in place
killed() {
	by_hand archive release end strace -f -o "$tree/trace" -e trace=renameat2 -e inject=renameat2:signal=KILL
	[ "$status" -ne 0 ]
	has "$(find "$archive/web1" -name messages)" /.virt-parts.
}

@test "what an archive that was killed has left goes with the next try, also where that has another day" {
	command -v strace >/dev/null || skip 'needs strace'
	archive '' "$archive/%NAME%/%DATE%/log"
	starts
	environment=(VIRT_PARTS_EVENT_TIME=86400)
	killed
	environment=(VIRT_PARTS_EVENT_TIME=172800)
	killed
	killed
	same "$(wc -l <"$record/done/archive-staging")" 2
	environment=()
	ends
	same "$(find "$archive" -name '.virt-parts*')" ''
	same "$(find "$archive" -name log)" "$archive/web1/$today/log"
	nothing_left
}

@test "where no rename can spare what is there, an archive that was killed leaves no empty one; who has one there keeps it" {
	command -v strace >/dev/null || skip 'needs strace'
	local call n
	archive
	starts
	mkdir -p "$archive/web1/log"
	for call in mkdirat renameat fsync unlinkat; do
		for ((n = 1; ; n++)); do
			((n < 100))
			by_hand archive release end strace -f -o "$tree/trace" -e "trace=renameat2,$call" \
				-e inject=renameat2:error=EINVAL -e "inject=$call:signal=KILL:when=$n"
			[ "$status" -ne 0 ] || break
		done
		holds "$archive/web1/log-2/messages" logged
		same "$(find "$archive/web1" -mindepth 1 -maxdepth 1 \( -empty -o -name '.*' \))" "$archive/web1/log"
		rm -r "$archive/web1/"log-* "$record/done/archive"
	done
}

@test "an archive of nothing, which was put in place by its name, is not taken for what a killed one left" {
	command -v strace >/dev/null || skip 'needs strace'
	rm -r "$me/log/"*
	archive
	starts
	by_hand archive release end strace -f -o "$tree/trace" -e inject=renameat2:error=EINVAL
	[ "$status" -eq 0 ]
	holds "$record/done/archive-claim" "log $archive/web1/log"
	by_hand archive release end
	[ "$status" -eq 0 ]
	is_there "$archive/web1/log"
	same "$(names_in "$archive/web1")" log
}

@test "what was left when the power failed, and the journal is lost, is known by its name, whatever the day" {
	command -v strace >/dev/null || skip 'needs strace'
	archive '' "$archive/web1/%DATE%"
	starts
	environment=(VIRT_PARTS_EVENT_TIME=86400)
	killed
	environment=()
	rm -r "$record/done"
	ends
	same "$(names_in "$archive/web1")" "$(date +%F)"
	nothing_left
}

@test "what has the name of such a leftover, and may be another host's or a guest's, is left alone" {
	command -v strace >/dev/null || skip 'needs strace'
	local left others=$archive/web1/.virt-parts.archive.Xy12Zq
	mkdir -p "$others/tree" "$archive/web1/.virt-parts.2001-02-03.AbCd12/tree"
	chmod 0700 "$others"
	archive
	starts
	killed
	left=$(find "$archive/web1" -name '.virt-parts.archive.*' ! -path "$others")
	# in its place is what somebody else may have put there
	rm -r "$left"
	mkdir "$left"
	chmod 0755 "$left"
	ends
	same "$(names_in "$archive/web1")" "$(printf '%s\n' .virt-parts.2001-02-03.AbCd12 "${others##*/}" "${left##*/}" log | LC_ALL=C sort | paste -sd' ')"
	is_there "$others/tree"
}

@test "an archive that cannot be noted in the record is not begun" {
	archive
	starts
	mkdir -p "$record/done/archive-staging"
	call release end shutdown
	[ "$status" -ne 0 ]
	has "$errors" "cannot write to the run's record in '$record': Is a directory; nothing of it is deleted or unmounted"
	same "$(names_in "$archive/web1")" ''
	rmdir "$record/done/archive-staging"
	does prepare begin
	is_there "$archive/web1/log"
	does release end failed
	nothing_left
}

@test "a full state filesystem is told as that, and not as a full archive" {
	archive
	starts
	mkdir -p "$record/done"
	mount -t tmpfs -o nr_inodes=1 full "$record/done"
	call release end destroyed
	[ "$status" -ne 0 ]
	has "$errors" "to '$archive/web1/log': cannot write to the run's record in '$record': No space left on device; nothing of it is deleted"
	lacks "$errors" 'staging'
	is_gone "$archive/web1/log"
	umount "$record/done"
	does prepare begin
	is_there "$archive/web1/log/messages"
}

@test "two guests that archive to one place at the same time both do" {
	policy "write = $tree/shared" "read = $guests"
	local one
	for one in {1..8}; do
		mkdir -p "$guests/web$one/log"
		guest "web$one" lxc "$one"
		ask "<archive><dircopy><src>$guests/%NAME%/log</src><dst>$tree/shared/log</dst></dircopy></archive>"
		echo "$one" >"$guests/web$one/log/who"
		does prepare begin
		does started begin
	done
	for one in {1..8}; do
		guest "web$one" lxc "$one"
		hook lxc "web$one" release end destroyed >/dev/null 2>&1 &
	done
	wait
	same "$(cat "$tree"/shared/*/who | sort | paste -sd' ')" '1 2 3 4 5 6 7 8'
	same "$(names_in "$tree/shared")" 'log log-2 log-3 log-4 log-5 log-6 log-7 log-8'
	nothing_left
}

@test "two hosts that archive to one place, where neither sees the other's locks, both do" {
	command -v strace >/dev/null || skip 'needs strace'
	policy "write = $tree/shared" "read = $guests"
	local one
	for one in 1 2; do
		mkdir -p "$guests/web$one/log"
		touch "$guests/web$one/log"/{1..100}
		guest "web$one" lxc "$one"
		ask "<archive><dircopy><src>$guests/%NAME%/log</src><dst>$tree/shared/%NAME%</dst></dircopy></archive>"
		does prepare begin
		does started begin
	done
	guest web1 lxc 1
	{
		by_hand archive release end strace -f -o "$tree/trace-1" -e trace=renameat2 -e inject=renameat2:delay_enter=2000000
		echo "$status" >"$tree/first"
	} &
	within 10 compgen -G "$tree/shared/.virt-parts.*/tree/1" >/dev/null
	guest web2 lxc 2
	by_hand archive release end strace -f -o "$tree/trace-2" -e trace=flock -e inject=flock:retval=0
	[ "$status" -eq 0 ]
	wait
	same "$(<"$tree/first")" 0
	same "$(names_in "$tree/shared")" 'web1 web2'
	for one in 1 2; do
		same "$(names_in "$tree/shared/web$one")" "$(names_in "$guests/web$one/log")"
		guest "web$one" lxc "$one"
		does release end failed
	done
	nothing_left
}

@test "metadata that is edited while the guest runs does not redirect the archive" {
	archive
	starts
	archive '' "$archive/web1/other"
	ends
	same "$(names_in "$archive/web1")" log
	nothing_left
}

@test "today's policy counts: what it does not allow any more is not archived, and nothing is deleted" {
	everything
	starts
	conf '[paths]' "read = $guests/%NAME%" "delete = $guests/%NAME%"
	call release end destroyed
	[ "$status" -ne 0 ]
	has "$errors" "'$archive/web1/log' lies below no 'write' path"
	is_there "$me/scratch" "$record"
	is_mounted "$me/tmp"
	policy
	does prepare begin
	is_there "$archive/web1/log"
	is_gone "$me/scratch"
	does release end failed
	nothing_left
}
