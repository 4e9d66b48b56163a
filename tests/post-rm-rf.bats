#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# <post-rm-rf>: what is deleted when the guest has ended, and everything that keeps it from being deleted.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # variables of parts_make, guest and call
load lib/parts.bash

setup() {
	parts_make
	mkdir -p "$me/scratch/deep/er"
	echo x >"$me/scratch/deep/file"
}

teardown() {
	parts_remove
}

# rm [ATTRIBUTES [DEVICES]]
rm_rf() {
	ask "<post-rm-rf ${1:-}><dir>$me/scratch</dir></post-rm-rf>" "${2:-}"
}

@test "a directory is deleted at release, with all that is in it, and what links lead to stays" {
	mkdir "$tree/elsewhere"
	echo theirs >"$tree/elsewhere/file"
	ln -s "$tree/elsewhere" "$me/scratch/link"
	ln -s "$tree/elsewhere/file" "$me/scratch/deep/link"
	ln "$tree/elsewhere/file" "$me/scratch/hard"
	mkfifo "$me/scratch/fifo"
	mknod "$me/scratch/null" c 1 3
	chmod 0 "$me/scratch/deep"
	rm_rf
	starts
	does stopped end
	is_there "$me/scratch/deep/file"
	does release end destroyed
	is_gone "$me/scratch"
	holds "$tree/elsewhere/file" theirs
	is_there "$me"
	nothing_left
}

@test "several directories and several directives are done" {
	mkdir -p "$me/a/b" "$me/c" "$me/d"
	ask "<post-rm-rf><dir>$me/a/b</dir><dir>$me/c</dir></post-rm-rf><post-rm-rf when='crashed'><dir>$me/d</dir></post-rm-rf>"
	lives
	is_gone "$me/a/b" "$me/c"
	is_there "$me/a" "$me/d"
	lives crashed
	is_gone "$me/d"
	nothing_left
}

@test "one that is not there is done, whatever of its way is missing" {
	ask "<post-rm-rf><dir>$me/none</dir><dir>$me/none/deeper</dir><dir>$me/scratch</dir></post-rm-rf>"
	lives
	is_gone "$me/scratch"
	rmdir "$me"
	lives
	nothing_left
}

@test "a file or a link instead of the directory is left alone, and the rest is deleted all the same" {
	mkdir "$tree/elsewhere" "$me/other"
	echo theirs >"$tree/elsewhere/file"
	local one
	for one in file link dangling; do
		mkdir -p "$me/other"
		case $one in
		file) echo x >"$me/a" ;;
		link) ln -s "$tree/elsewhere" "$me/a" ;;
		dangling) ln -s /nowhere "$me/a" ;;
		esac
		ask "<post-rm-rf><dir>$me/a</dir><dir>$me/other</dir></post-rm-rf>"
		starts
		call release end destroyed
		[ "$status" -ne 0 ]
		has "$errors" "<post-rm-rf><dir>: cannot delete '$me/a': it is no directory; it is left alone"
		is_there "$me/a" "$record"
		is_gone "$me/other"
		rm "$me/a"
		does prepare begin
		does release end failed
		nothing_left
	done
	holds "$tree/elsewhere/file" theirs
}

@test "a link on the way is not followed" {
	mkdir -p "$tree/elsewhere/deep"
	ask "<post-rm-rf><dir>$me/scratch/deep</dir></post-rm-rf>"
	starts
	rm -r "$me/scratch"
	ln -s "$tree/elsewhere" "$me/scratch"
	call release end destroyed
	[ "$status" -ne 0 ]
	is_there "$tree/elsewhere/deep"
}

@test "a directory that is a <filesystem> of the guest is emptied, not removed" {
	chmod 0711 "$me/scratch"
	chown 7:8 "$me/scratch"
	local source
	ln -s guests "$tree/link"
	for source in "$me/scratch" "$me//scratch/" "$tree/link/web1/scratch"; do
		mkdir -p "$me/scratch/deep"
		rm_rf '' "<filesystem type='mount'><source dir='$source'/><target dir='/'/></filesystem>
			<filesystem type='mount'><source dir='/other'/><target dir='/x'/></filesystem>"
		lives
		same "$(names_in "$me/scratch")" ''
		same "$(stat -c '%a %u:%g' "$me/scratch")" '711 7:8'
	done
	# one of another guest, or that only begins alike, is removed
	rm_rf '' "<filesystem type='mount'><source dir='$me/scratch2'/><target dir='/'/></filesystem>"
	lives
	is_gone "$me/scratch"
	nothing_left
}

# --- when ------------------------------------------------------------------------------------------------------

# at REASON: whether a life that ends so deletes
at() {
	mkdir -p "$me/scratch"
	# what has started has not failed to
	if [[ $1 == failed ]]; then does prepare begin; else starts; fi
	ends "$1"
	if [[ -e $me/scratch ]]; then echo stays; else echo deleted; fi
	rm -rf "$record"
}

@test "by default only shutdown and destroyed delete" {
	rm_rf
	local reason
	for reason in shutdown destroyed; do
		same "$reason $(at "$reason")" "$reason deleted"
	done
	for reason in crashed daemon saved migrated failed from-snapshot 'from snapshot' lost unknown 'something new'; do
		same "$reason $(at "$reason")" "$reason stays"
	done
}

@test "with when= these reasons delete and no other; a guest that lives on loses nothing whatever it says" {
	local one
	for one in crashed daemon failed unknown; do
		rm_rf "when='$one'"
		same "$one $(at "$one") $(at shutdown)" "$one deleted stays"
	done
	rm_rf "when='shutdown destroyed crashed daemon saved migrated failed from-snapshot lost unknown'"
	for one in saved migrated from-snapshot; do
		same "$one $(at "$one")" "$one stays"
	done
	rm_rf "when='crashed lost'"
	same "$(at crashed) $(at destroyed)" 'deleted stays'
}

@test "without a reason from libvirt: a container's end deletes, a machine's that nobody can tell does not" {
	rm_rf
	same "$(at -)" deleted
	guest web1 qemu
	rm_rf
	same "$(at -)" stays
	echo "$(date -u -d "1 minute" +%F\ %T).000+0000: shutting down, reason=shutdown" >"$tree/qemu-log/web1.log"
	same "$(at -)" deleted
	# the line of an earlier run says nothing of this one
	echo "2001-01-01 00:00:00.000+0000: shutting down, reason=shutdown" >"$tree/qemu-log/web1.log"
	same "$(at -)" stays
}

@test "a start that failed deletes nothing" {
	rm_rf
	part "$parts/start_begin.d/50-no" 'exit 1'
	does prepare begin
	call start begin
	[ "$status" -ne 0 ]
	does stopped end -
	does release end -
	is_there "$me/scratch/deep/file"
	nothing_left
}

# --- what keeps it ---------------------------------------------------------------------------------------------

@test "with a mount inside nothing at all is deleted, and the message names it" {
	local kind
	rm_rf
	for kind in tmpfs bind 'bind of a file' 'on the directory itself'; do
		mkdir -p "$me/scratch/deep/er"
		echo x >"$me/scratch/deep/file"
		starts
		case $kind in
		tmpfs) mount -t tmpfs other "$me/scratch/deep/er" ;;
		bind) mount --bind "$tree/hooks" "$me/scratch/deep/er" ;;
		'bind of a file') mount --bind "$tree/hooks/parts.conf" "$me/scratch/deep/file" ;;
		*) mount -t tmpfs other "$me/scratch" ;;
		esac
		call release end destroyed
		[ "$status" -ne 0 ]
		has "$errors" "'$me/scratch'"
		is_there "$hooks/parts.conf" "$record"
		umount "$(mounts_below "$me")"
		is_there "$me/scratch/deep/file"
		does prepare begin
		is_gone "$me/scratch"
		does release end failed
		nothing_left
	done
}

@test "a guest that bends a link on the way to its <filesystem> gains nothing but that a directory is emptied" {
	mkdir -p "$tree/elsewhere/deep" "$me/data"
	local fs="<filesystem type='mount'><source dir='$me/data/in'/><target dir='/'/></filesystem>"
	# to what is not the guest's, and to what would be deleted
	ln -s "$tree/elsewhere" "$me/data/in"
	rm_rf '' "$fs"
	lives
	is_gone "$me/scratch"
	is_there "$tree/elsewhere/deep"
	mkdir -p "$me/scratch/deep"
	ln -sfn ../scratch "$me/data/in"
	rm_rf '' "$fs"
	starts
	ln -sfn "$tree/elsewhere" "$me/data/in"
	ends
	is_there "$me/scratch" "$tree/elsewhere/deep"
	same "$(names_in "$me/scratch")" ''
	nothing_left
}

@test "a mount point is not emptied either when it is the source of a <filesystem>" {
	mkdir -p "$tree/elsewhere" "$me/scratch"
	rm_rf '' "<filesystem type='mount'><source dir='$me/scratch'/><target dir='/'/></filesystem>"
	local kind
	for kind in bind tmpfs; do
		starts
		if [[ $kind == bind ]]; then
			mount --bind "$tree/elsewhere" "$me/scratch"
		else
			mount -t tmpfs other "$me/scratch"
		fi
		mkdir "$me/scratch/precious"
		call release end destroyed
		[ "$status" -ne 0 ]
		has "$errors" "nothing of '$me/scratch' is deleted: it is itself where something is mounted; unmount it"
		has "$errors" "'virt-parts resolve --discard $id', and name a directory in it"
		is_there "$me/scratch/precious" "$record"
		umount "$me/scratch"
		does prepare begin
		same "$(names_in "$me/scratch")" ''
		does release end failed
		nothing_left
		mkdir "$me/scratch/old"
	done
	is_there "$tree/elsewhere/precious"
}

@test "the guest's own ramdisk inside is unmounted before" {
	ask "<ramdisk><dir size='1M'>$me/scratch/ram</dir></ramdisk><post-rm-rf><dir>$me/scratch</dir></post-rm-rf>"
	lives
	is_gone "$me/scratch"
	nothing_left
	# and one that cannot be unmounted keeps the whole
	starts
	mkdir "$me/scratch/kept"
	cd "$me/scratch/ram"
	background sleep 3600
	cd /
	call release end destroyed
	[ "$status" -ne 0 ]
	is_there "$me/scratch/kept"
	is_mounted "$me/scratch/ram"
	says "'$me/scratch' is not deleted: a part failed before"
}

@test "a part that fails before keeps it, also one in stopped" {
	rm_rf
	part "$parts/stopped_end.d/10-save" 'exit 3'
	starts
	call stopped end
	[ "$status" -ne 0 ]
	call release end destroyed
	is_there "$me/scratch/deep/file" "$record"
	says "'$me/scratch' is not deleted: a part failed before"
}

@test "a part that fails before keeps it, also when the disk of the records is full" {
	local room
	for room in none again; do
		ask "<post-rm-rf><dir>$me/scratch</dir></post-rm-rf>"
		part "$parts/stopped_end.d/10-save" 'exit 1'
		mkdir -p "$me/scratch" "$tree/state"
		mount -t tmpfs -o size=128k,mode=700 full "$tree/state"
		starts
		dd if=/dev/zero of="$tree/state/fill" bs=4k 2>/dev/null || true
		call stopped end
		[ "$status" -ne 0 ]
		[ "$room" = none ] || rm "$tree/state/fill"
		call release end shutdown
		[ "$status" -ne 0 ]
		is_there "$me/scratch"
		rm -f "$tree/state/fill"
		does prepare begin
		has "$errors" 'its last run is unfinished'
		does release end failed || true
		is_there "$me/scratch"
		rm "$parts/stopped_end.d/10-save"
		starts
		ends shutdown
		is_gone "$me/scratch"
		umount "$tree/state"
	done
}

@test "a part of one's own that ends well on a full disk withholds nothing" {
	ask "<post-rm-rf><dir>$me/scratch</dir></post-rm-rf>"
	part "$parts/stopped_end.d/10-save"
	mkdir -p "$me/scratch" "$tree/state"
	mount -t tmpfs -o size=128k,mode=700 full "$tree/state"
	starts
	dd if=/dev/zero of="$tree/state/fill" bs=4k 2>/dev/null || true
	ends shutdown
	is_gone "$me/scratch"
	no_record
	umount "$tree/state"
}

@test "one that would delete the archive is refused, above it and below it" {
	policy "delete = $archive/%NAME%"
	local one
	for one in "$archive/web1/a" "$archive/web1/a/b" "$archive/web1/a/b/c"; do
		ask "<post-rm-rf><dir>$one</dir></post-rm-rf><archive><dircopy><src>$me</src><dst>$archive/web1/a/b</dst></dircopy></archive>"
		refused "<archive><dircopy><dst>: '$archive/web1/a/b'" "'$one', which post-rm-rf deletes; archive to another place"
	done
	ask "<post-rm-rf><dir>$archive/web1/ab</dir></post-rm-rf><archive><dircopy><src>$me</src><dst>$archive/web1/a</dst></dircopy></archive>"
	accepted
}

@test "an archive that came to lie where it is deleted is kept" {
	policy "delete = $archive/%NAME%"
	mkdir -p "$archive/web1/a"
	# -2 is appended at release
	ask "<post-rm-rf><dir>$archive/web1/a-2</dir><dir>$me/scratch</dir></post-rm-rf>
		<archive><dircopy><src>$me/scratch</src><dst>$archive/web1/a</dst></dircopy></archive>"
	starts
	call release end destroyed
	[ "$status" -ne 0 ]
	has "$errors" "'$archive/web1/a-2' is not deleted: it holds, or lies in, the archive '$archive/web1/a-2'"
	is_there "$archive/web1/a-2/deep/file"
	is_gone "$me/scratch"
}

@test "an incoming guest's end deletes nothing, since it may still run at the source" {
	local reason
	rm_rf
	for reason in destroyed shutdown failed -; do
		does migrate begin
		starts
		ends "$reason"
		is_there "$me/scratch"
		nothing_left
	done
	# but the next run's does
	lives
	is_gone "$me/scratch"
	mkdir "$me/scratch"
	policy '[migration]' 'shared-storage = no'
	does migrate begin
	lives
	is_gone "$me/scratch"
}

@test "a migration that was given up before prepare leaves no mark for a later run" {
	rm_rf
	does migrate begin
	does release end failed
	lives
	is_gone "$me/scratch"
	mkdir "$me/scratch"
	does migrate begin
	older_mark 360 "$tree"/run/*.incoming
	lives
	is_gone "$me/scratch"
	nothing_left
}

@test "metadata that is edited while the guest runs does not redirect it" {
	mkdir "$me/precious"
	rm_rf
	starts
	ask "<post-rm-rf><dir>$me/precious</dir></post-rm-rf>"
	ends
	is_there "$me/precious"
	is_gone "$me/scratch"
	# nor does one that was added then begin to delete
	metadata ''
	starts
	ask "<post-rm-rf><dir>$me/precious</dir></post-rm-rf>"
	ends
	is_there "$me/precious"
	nothing_left
}

@test "a release without a record does nothing, and the log says so, nor does a second one" {
	rm_rf
	does stopped end
	does release end destroyed
	is_there "$me/scratch/deep/file"
	says "note: there is no record of its run in '$tree/state'" 'nothing is archived, deleted or unmounted for it'
	lives
	mkdir "$me/scratch"
	does release end destroyed
	does release end shutdown
	is_there "$me/scratch"
	nothing_left
}

@test "today's policy counts: what it does not allow any more stays" {
	rm_rf
	starts
	conf '[paths]' "read = $guests"
	call release end destroyed
	[ "$status" -ne 0 ]
	has "$errors" "<post-rm-rf><dir>: '$me/scratch' lies below no 'delete' path"
	is_there "$me/scratch/deep/file" "$record"
	policy
	does prepare begin
	is_gone "$me/scratch"
	does release end failed
	nothing_left
}

@test "it deletes by descriptor, never by an absolute path" {
	without_valgrind 'it unlinks files of its own'
	command -v strace >/dev/null || skip 'needs strace'
	rm_rf
	starts
	by_hand post-rm-rf release end strace -f -o "$tree/trace" -e trace=unlink,unlinkat,rmdir,rename,renameat,renameat2
	is_gone "$me/scratch"
	has "$(<"$tree/trace")" unlinkat
	same "$(grep -cE '"/|AT_FDCWD|unlink\(|rmdir\(' "$tree/trace")" 0
	does release end failed
	# rm -rf is seen to do otherwise
	mkdir -p "$me/scratch/sub"
	strace -f -o "$tree/naive" -e trace=unlink,unlinkat,rmdir rm -rf "$me/scratch"
	proof 5 "$(grep -c unlinkat "$tree/trace")" 0 "$(grep -cE '"/|AT_FDCWD|unlink\(|rmdir\(' "$tree/naive")"
}

@test "a directory above the source of a <filesystem> is refused at prepare: the next start would fail" {
	mkdir -p "$me/sub/root"
	local devices="<filesystem type='mount'><source dir='$me/sub/root'/><target dir='/'/></filesystem>"
	ask "<post-rm-rf><dir>$me/sub</dir></post-rm-rf>" "$devices"
	refused "holds the <filesystem> source '$me/sub/root'"
	ln -s "$guests" "$tree/link"
	ask "<post-rm-rf><dir>$me/sub</dir></post-rm-rf>" "${devices/"$guests"/"$tree/link"}"
	refused "holds the <filesystem> source '$me/sub/root'"
	ask "<post-rm-rf><dir>$me/sub/root</dir></post-rm-rf>" "$devices"
	starts
	ends destroyed
	[ -d "$me/sub/root" ]
}
