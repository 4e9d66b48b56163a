#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What an archive could not save: what that withholds, and that it is saved before it is deleted, whenever that is.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # variables of parts_make, guest and call
load lib/archive.bash

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

@test "what could not be archived when the guest was saved is when its run ends, before it is deleted, and what was is not again" {
	local how
	for how in restored discarded made; do
		guest web1 qemu
		mkdir -p "$me/log"
		echo logged >"$me/log/messages"
		ask "<archive when='saved'><dircopy><src>$me/log</src><dst>$archive/web1/log</dst></dircopy></archive>
			<post-rm-rf><dir>$me/log</dir></post-rm-rf>"
		starts
		[[ $how == made ]] || touch "$archive/web1"
		call release end saved
		[[ $how == made ]] || {
			[ "$status" -ne 0 ]
			rm "$archive/web1"
		}
		[[ $how == discarded ]] || does restore begin
		starts
		ends destroyed
		same "$(names_in "$archive/web1")" log
		holds "$archive/web1/log/messages" logged
		is_gone "$me/log"
		nothing_left
		rm -r "$archive/web1"
	done
}

@test "what could not be archived is when the release comes again with another word, and is not forgotten with that" {
	ask "<ramdisk><dir size='64K'>$me/r</dir></ramdisk>
		<archive when='destroyed'><dircopy><src>$me/r</src><dst>$archive/web1/r</dst></dircopy></archive>"
	starts
	echo data >"$me/r/data"
	touch "$archive/web1"
	call release end destroyed
	[ "$status" -ne 0 ]
	holds "$me/r/data" data
	# as libvirt calls it for a container: without a word at stopped
	call stopped end
	call release end shutdown
	[ "$status" -ne 0 ]
	holds "$me/r/data" data
	rm "$archive/web1"
	call release end crashed
	holds "$archive/web1/r/data" data
	same "$(names_in "$archive/web1")" r
	nothing_left
}

@test "what is due at the word of a stopped that no release came after is archived, whatever the next one says" {
	guest web1 qemu
	ask "<ramdisk><dir size='64K'>$me/r</dir></ramdisk>
		<archive when='shutdown'><dircopy><src>$me/r</src><dst>$archive/web1/r</dst></dircopy></archive>"
	starts
	echo data >"$me/r/data"
	# libvirtd is killed in it, and knows nothing of it when it is back
	call stopped end shutdown
	call stopped end crashed
	does release end crashed
	holds "$archive/web1/r/data" data
	nothing_left
}

@test "a save whose archive cannot be noted as owed is still known as a save" {
	guest web1 qemu
	ask "<ramdisk><dir size='64K'>$me/r</dir></ramdisk>
		<archive when='saved'><dircopy><src>$me/r</src><dst>$archive/web1/r</dst></dircopy></archive>"
	starts
	echo data >"$me/r/data"
	touch "$archive/web1"
	call release end saved
	[ "$status" -ne 0 ]
	rm "$archive/web1"
	# no room, or a disk that fails
	mkdir "$record/owed"
	call prepare begin
	holds "$me/r/data" data
	same "$(head -1 "$record/release")" saved
	rmdir "$record/owed"
	does prepare begin
	holds "$archive/web1/r/data" data
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

@test "a journal that a full disk has cut within a line is gone on with by the next: one archive more, not one at each try" {
	part "$parts/release_end.d/45-own" 'exit 1'
	archive
	starts
	call release end destroyed
	truncate -s 10 "$record/done/archive"
	call release end destroyed
	same "$(names_in "$archive/web1")" 'log log-2'
	call release end destroyed
	same "$(names_in "$archive/web1")" 'log log-2'
	same "$(wc -l <"$record/done/archive")" 1
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
