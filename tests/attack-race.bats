#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The shipped programs while the root of the guest exchanges what is on their way for links to the outside.
#
# Every run has its control: a naive program (lstat, then open by name), attacked in the same way at the same time,
# must be caught 1,000 times, or the run is invalid. A round is a directive that was tried; a part of prepare, which
# stops at its first failure, counts as one.

# shellcheck disable=SC2010,SC2012,SC2016,SC2030,SC2031,SC2034,SC2094,SC2119,SC2120,SC2154 # of attack_make, run, call
load lib/attack.bash

setup() {
	attack_make
}

teardown() {
	parts_remove
}

# --- archive ---------------------------------------------------------------------------------------------------

# Each <dircopy> was tried, and ended as an archive or as a refusal; which, is up to the swapper's speed.
all_told() {
	local -i told
	told=$(grep -cE "archived '|cannot archive" "$tree/race.log")
	((told >= 200))
}

# archivers SRC: what follows race's options for 16 archives at once, each of 20 copies of SRC. One alone would mostly
# wait for the clock to go on, as a source that has just changed makes it do.
archivers() {
	local -i i
	ask "<archive>$(repeat 20 "<dircopy><src>$1</src><dst>$archive/web1/a</dst></dircopy>")</archive>"
	does prepare begin
	environment_of release end
	at_once=(--each 320)
	for ((i = 0; i < 16; i++)); do
		cp -a "$record" "$tree/record-$i"
		at_once+=(--forget "$tree/record-$i/done/archive" --forget "$tree/record-$i/done/archive-staging")
	done
	at_once+=(--sweep "$archive/web1")
	for ((i = 0; i < 16; i++)); do
		at_once+=("$( ((i)) && echo --with || echo --)" env "VIRT_PARTS_STATE_DIR=$tree/record-$i" "$tree/libexec/archive" web1 release end -)
	done
}

archive_src() {
	outside_make
	inside_make "$me"
	archivers "$me/mid/leaf"
	race "$1" "$me" "$(full 400000 4000)" "${at_once[@]}"
	all_told
	[[ $1 == mount ]] || has "$(<"$tree/race.log")" 'symbolic link'
}

@test "archive: the source exchanged for a link: nothing of the outside is archived" {
	archive_src leaf
}

@test "archive: a directory above the source exchanged for a link" {
	archive_src mid
}

@test "archive: the root of the guest's tree exchanged for a link" {
	archive_src root
}

# archive_inner PLACE [ROUNDS]: so many in check-full
archive_inner() {
	outside_make
	mkdir -p "$me/src"
	inside_make "$me/src"
	archivers "$me/src"
	race "$1" "$me/src" "$(full "${2:-20000}" 960)" "${at_once[@]}"
}

@test "archive: a directory in the source exchanged for a link" {
	archive_inner mid
	rm -rf "$tree"/record-*
	does release end failed
	archive_inner leaf
}

@test "archive: a file in the source exchanged for a FIFO: nothing waits for it" {
	archive_inner fifo
}

@test "archive: what is mounted in the source while it is copied is not archived" {
	archive_inner mount 100000
}

archive_dst() {
	outside_make
	inside_make "$me"
	mkdir -p "$archive/web1"
	inside_make "$archive/web1"
	ask "<archive>$(repeat 200 "<dircopy><src>$me/mid/leaf</src><dst>$archive/web1/mid/leaf/a</dst></dircopy>")</archive>"
	does prepare begin
	environment_of release end
	# what is made there in between stays, and gets -2, -3 ...: until it is taken away
	race "$1" "$archive/web1" "$(full 400000 2000)" --each 200 --forget "$record/done/archive" --forget "$record/done/archive-staging" \
		-- "$tree/libexec/archive" web1 release end - \
		--clean sh -c 'rm -rf "$0"/a*' "$archive/web1/mid/leaf"
	all_told
}

@test "archive: the directory of the destination exchanged for a link: nothing is written outside" {
	archive_dst leaf
}

@test "archive: a directory above the destination's exchanged for a link" {
	archive_dst mid
}

@test "archive: the root of the destination exchanged for a link" {
	archive_dst root
}

# --- preload ---------------------------------------------------------------------------------------------------

# preload_dst PLACE BASE DST
preload_dst() {
	outside_make
	inside_make "$2"
	mkdir -p "$seed/www/"{mid/leaf/r,sub}
	echo new | tee "$seed/www/"{f,mid/f,mid/leaf/f,mid/leaf/r/f,sub/g} >/dev/null
	ask "<preload>$(repeat 20 "<dircopy><src>$seed/www</src><dst>$3</dst></dircopy>")</preload>"
	does prepare begin
	environment_of prepare begin
	race "$1" "$2" "$(full 20000 100)" -- "$tree/libexec/preload" web1 prepare begin -
	# what lies under $seed does not say so; grep -r follows no link
	not grep -rqs CANARY "$me"
}

@test "preload: the destination exchanged for a link: nothing is written outside" {
	preload_dst leaf "$me" "$me/mid/leaf"
}

@test "preload: a directory above the destination exchanged for a link" {
	preload_dst mid "$me" "$me/mid/leaf"
}

@test "preload: the root of the guest's tree exchanged for a link" {
	preload_dst root "$me" "$me/mid/leaf"
}

@test "preload: a directory in the destination exchanged for a link while it is filled" {
	preload_dst mid "$me/www" "$me/www"
	preload_dst leaf "$me/www" "$me/www"
}

@test "preload: what is mounted in the destination while it is filled is not written to" {
	preload_dst mount "$me/www" "$me/www"
}

preload_src() {
	outside_make
	inside_make "$me"
	ask "<preload>$(repeat 20 "<dircopy><src>$me/mid/leaf</src><dst>$archive/web1/d</dst></dircopy>")</preload>"
	does prepare begin
	environment_of prepare begin
	race "$1" "$me" "$(full 20000 100)" --sweep "$archive/web1" -- "$tree/libexec/preload" web1 prepare begin -
	has "$(<"$tree/race.log")" 'symbolic link'
}

@test "preload: the source exchanged for a link: nothing of the outside is copied" {
	preload_src leaf
}

@test "preload: a directory above the source exchanged for a link" {
	preload_src mid
}

@test "preload: the root of the source exchanged for a link" {
	preload_src root
}

@test "preload: a file in the source exchanged for a FIFO: nothing waits for it" {
	outside_make
	inside_make "$seed/www"
	ask "<preload>$(repeat 20 "<dircopy><src>$seed/www</src><dst>$me/www</dst></dircopy>")</preload>"
	does prepare begin
	environment_of prepare begin
	race fifo "$seed/www" "$(full 2000 20)" -- "$tree/libexec/preload" web1 prepare begin -
}

iso_path() {
	outside_make
	inside_make "$iso/web1"
	ask "<preload>$(repeat 20 "<iso path='$iso/web1/mid/leaf/seed#.iso'><file path='a'>text</file></iso>")</preload>"
	does prepare begin
	environment_of prepare begin
	# a run has not that many lines in its journal
	race "$1" "$iso/web1" "$(full 10000 100)" --forget "$record/done/preload" -- "$tree/libexec/preload" web1 prepare begin - \
		-- env VIRT_PARTS_OP=release VIRT_PARTS_SUBOP=end "$tree/libexec/preload" web1 release end -
}

@test "preload: the directory of an image exchanged for a link: no image is built or removed outside" {
	iso_path leaf
}

@test "preload: a directory above the image's exchanged for a link" {
	iso_path mid
}

@test "preload: the root of the images exchanged for a link" {
	iso_path root
}

# iso_src PLACE SRC
iso_src() {
	outside_make
	inside_make "$me"
	ask "<preload><iso path='$iso/web1/seed.iso'><src>$2</src></iso></preload>"
	does prepare begin
	environment_of prepare begin
	row=23
	race "$1" "$me" "$(full 5000 300)" --sweep "$iso/web1" -- "$tree/libexec/preload" web1 prepare begin - \
		--clean sh -c '! grep -aqs CANARY "$0" || echo CANARY >"${0%/*}/leak"' "$iso/web1/seed.iso"
}

@test "preload: a directory in the source of an image exchanged for a link: nothing of the outside is in the image" {
	iso_src mid "$me"
	iso_src leaf "$me"
}

@test "preload: the source of an image, and what is above it, exchanged for a link" {
	local place
	for place in leaf mid root; do
		iso_src "$place" "$me/mid/leaf"
		has "$(<"$tree/race.log")" 'symbolic link'
		does release end failed
	done
}

@test "preload: a file in the source of an image exchanged for a FIFO: nothing waits for it" {
	iso_src fifo "$me"
}

# --- ramdisk ---------------------------------------------------------------------------------------------------

ramdisk_dir() {
	outside_make
	# a mount there would not fail for want of a directory
	mkdir "$outside/mid/leaf/r"{1..20}
	inside_make "$me"
	ask "<ramdisk>$(repeat 20 "<dir size='64K'>$me/mid/leaf/r#</dir>")</ramdisk>"
	does prepare begin
	by_hand ramdisk release end
	same "$(mounts_below "$fs" | grep -v -x "$fs")" ''
	environment_of release end
	race "$1" "$me" "$(full 5000 100)" -- \
		env VIRT_PARTS_OP=prepare VIRT_PARTS_SUBOP=begin "$tree/libexec/ramdisk" web1 prepare begin - \
		--clean sh -c 'grep -c " - tmpfs $0 " /proc/self/mountinfo; ! grep " $1/" /proc/self/mountinfo' "virt-parts:$id" "$outside" \
		-- sh -c 'journal=$1; shift; "$@" || exit; ! grep " - tmpfs $0 " /proc/self/mountinfo && rm -f "$journal"' \
		"virt-parts:$id" "$record/done/ramdisk" "$tree/libexec/ramdisk" web1 release end -
	# ramdisks were there; none of them outside, or left by a release that succeeded
	grep -qx '[1-9][0-9]*' "$tree/race.log"
	not grep ' - tmpfs ' "$tree/race.log"
	# at rest what is left goes
	by_hand ramdisk release end
	[[ $status -eq 0 ]]
	same "$(mounts_below "$fs" | grep -v -x "$fs")" ''
}

@test "ramdisk: the directory above it exchanged for a link: nothing is mounted or unmounted outside" {
	ramdisk_dir leaf
}

@test "ramdisk: a directory further up exchanged for a link" {
	ramdisk_dir mid
}

@test "ramdisk: the root of the guest's tree exchanged for a link" {
	ramdisk_dir root
}

@test "ramdisk: a release that took away another mount, which the guest put in the place of its own, does not succeed" {
	local -i round wrong=0 silent=0
	mkdir "$me/r" "$me/data"
	ask "<ramdisk><dir size='64K'>$me/r</dir></ramdisk>"
	does prepare begin
	environment_of release end
	for ((round = 0; round < $(full 2000 60); round++)); do
		mountpoint -q "$me/data" || mount -t tmpfs -o size=64k admins "$me/data"
		mountpoint -q "$me/r" || "${environment[@]}" env VIRT_PARTS_OP=prepare VIRT_PARTS_SUBOP=begin \
			"$tree/libexec/ramdisk" web1 prepare begin - 2>/dev/null
		run "${environment[@]}" "$build/tools/attack-race" --stdin "$tree/stdin" --log "$tree/race.log" --caught 0 \
			--swap "$me/r" "$me/data" --unmounted --rounds 1 -- "$tree/libexec/ramdisk" web1 release end -
		# there is no way to unmount by descriptor: what can be asked for is that it is not called a success
		grep -q "virt-parts:$id" /proc/self/mountinfo || continue
		wrong+=1
		[[ $output != *succeeded=1* ]] || silent+=1
	done
	proof 22 "$round" "$silent" "$wrong" 'the wrong mount went, and that was called a success'
	((silent == 0))
}

# --- post-rm-rf ------------------------------------------------------------------------------------------------

rm_dirs() {
	outside_make 300
	inside_make "$me"
	ask "<post-rm-rf>$(repeat 300 "<dir>$me/mid/leaf/d#</dir>")</post-rm-rf>"
	does prepare begin
	environment_of release end
	race "$1" "$me" "$(full 400000 6000)" --each 300 -- "$tree/libexec/post-rm-rf" web1 release end - \
		--clean mkdir -p "$me/mid/leaf/"d{1..300}
}

@test "post-rm-rf: the directory above exchanged for a link: nothing is deleted outside" {
	rm_dirs leaf
}

@test "post-rm-rf: a directory further up exchanged for a link" {
	rm_dirs mid
}

@test "post-rm-rf: the root of the guest's tree exchanged for a link" {
	rm_dirs root
}

rm_under_mounts() {
	outside_make 20
	inside_make "$me/doomed"
	mkdir "$me/trash"
	ask "<post-rm-rf><dir>$me/doomed</dir></post-rm-rf>"
	does prepare begin
	environment_of release end
	cp -a "$me/doomed" "$me/template"
	# what is mounted in what was left is not ours to delete, either: it is only moved away
	race mount "$me/doomed" "$(full 20000 200)" -- "$tree/libexec/post-rm-rf" web1 release end - \
		--clean sh -c 'mv -T "$0/doomed" "$0/trash/$$" 2>/dev/null; rm -rf "$0/fresh"; cp -a "$0/template" "$0/fresh"
			mv -T "$0/fresh" "$0/doomed"; while umount "$0/trash/$$/mid/leaf" 2>/dev/null; do :; done' "$me"
}

@test "post-rm-rf: what is mounted in the doomed directory while it is emptied is not deleted" {
	rm_under_mounts
}

rm_inner() {
	outside_make 20
	inside_make "$me/doomed"
	ask "<post-rm-rf><dir>$me/doomed</dir></post-rm-rf>"
	does prepare begin
	environment_of release end
	cp -a "$me/doomed" "$me/template"
	race "$1" "$me/doomed" "$(full 20000 300)" -- "$tree/libexec/post-rm-rf" web1 release end - \
		--clean sh -c 'rm -rf "$0/doomed" "$0/fresh"; cp -a "$0/template" "$0/fresh"; mv -T "$0/fresh" "$0/doomed"' "$me"
}

@test "post-rm-rf: a directory in the doomed one exchanged for a link while it is emptied" {
	rm_inner mid
	rm_inner leaf
}

# --- whole lives -----------------------------------------------------------------------------------------------

lives_under() {
	outside_make 5
	inside_make "$me"
	mkdir -p "$seed/www/mid/leaf"
	echo new >"$seed/www/mid/leaf/f"
	ask "<ramdisk><dir size='64K'>$me/mid/leaf/r</dir></ramdisk>
		<preload><iso path='$iso/web1/seed.iso'><file path='a'/></iso>
			<dircopy><src>$seed/www</src><dst>$me/mid</dst></dircopy></preload>
		<archive><dircopy><src>$me/mid/leaf</src><dst>$archive/web1/a</dst></dircopy></archive>
		<post-rm-rf>$(repeat 5 "<dir>$me/mid/leaf/d#</dir>")</post-rm-rf>"
	environment_of prepare begin
	environment=(env -i "PATH=$PATH")
	race "$1" "$me" "$(full 500 15)" --sweep "$archive/web1" -- "$hooks/lxc" web1 prepare begin - \
		-- "$hooks/lxc" web1 started begin - -- "$hooks/lxc" web1 release end destroyed
	same "$(mounts_below "$outside")" ''
}

@test "whole lives by the dispatcher, with the guest's tree exchanged for a link all the time" {
	lives_under leaf
	lives_under mid
	lives_under root
}

@test "a whole life deletes and renames by held directories only, whatever it does in the guest's trees" {
	command -v strace >/dev/null || skip 'needs strace'
	without_checker 'it makes calls of its own'
	local calls=unlink,unlinkat,rmdir,rename,renameat,renameat2 by_path="AT_FDCWD, \"[^/]|\"($guests|$archive|$iso)/" event
	everything_make
	printf '%s' "$xml" >"$tree/stdin"
	for event in 'prepare begin -' 'started begin -' 'release end destroyed'; do
		# shellcheck disable=SC2086 # three words
		strace -f -qq -e trace="$calls" -o "$tree/trace" "$hooks/lxc" web1 $event <"$tree/stdin"
		cat "$tree/trace" >>"$tree/traces"
	done
	is_gone "$me/log" "$me/scratch" "$iso/web1/seed.iso"
	is_there "$archive/web1/log" "$me/www/sub/page"
	not grep -E "$by_path" "$tree/traces"
	# rm -rf and mv are seen to do otherwise
	strace -f -o "$tree/trace" -e trace="$calls" sh -c 'mv "$0" "$0.x"; rm -rf "$0.x"' "$me/www"
	proof 5 "$(grep -cE 'unlinkat|rename' "$tree/traces")" 0 "$(grep -cE "$by_path" "$tree/trace")"
}
