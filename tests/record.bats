#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The record of a run, as the shipped parts write it and act by it over whole lives, also interrupted ones.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # variables of parts_make, guest and call
load lib/parts.bash

setup() {
	parts_make
	mkdir -p "$me/log" "$me/scratch" "$seed/www"
	echo logged >"$me/log/messages"
}

teardown() {
	parts_remove
}

everything() {
	ask "<ramdisk><dir size='1M'>$guests/%NAME%/tmp</dir></ramdisk>
		<preload><iso path='$iso/%NAME%/seed.iso'><file path='a'>line
two \\ %NAME%</file></iso><dircopy><src>$seed/www</src><dst>$me/www</dst></dircopy></preload>
		<archive><dircopy><src>$me/log</src><dst>$archive/%NAME%/%DATE%</dst></dircopy></archive>
		<post-rm-rf><dir>$me/scratch</dir></post-rm-rf>" \
		"<filesystem type='mount'><source dir='$me'/><target dir='/'/></filesystem>"
}

@test "it holds what was asked, expanded, what is claimed and the XML, for root alone" {
	everything
	does prepare begin
	same "$(cd "$record" && find . -printf '%P %y %m\n' | LC_ALL=C sort)" ' d 700
asked d 700
asked/archive f 600
asked/post-rm-rf f 600
asked/preload f 600
asked/ramdisk f 600
claims f 600
domain.xml f 600
done d 700
done/preload f 600
done/ramdisk f 600
filesystems f 600
run f 600'
	same "$(stat -c %a "$tree/state" "$tree/state/lxc" | paste -sd' ')" '700 700'
	holds "$record/domain.xml" "$xml"
	holds "$record/claims" "$me/tmp
$iso/web1/seed.iso
$me/www
$me/scratch"
	holds "$record/asked/ramdisk" "ramdisk
	dir
		@size 1M
		=$me/tmp"
	has "$(<"$record/asked/preload")" '			=line\ntwo \\ web1'
	has "$(<"$record/asked/archive")" "			=$archive/web1/\\d2;"
	holds "$record/filesystems" "$me"
	same "$(sed '/^time/d' "$record/run")" "version 1
name web1
begin new
turn 1
boot $(</proc/sys/kernel/random/boot_id)"
	same "$(sed -E 's/^built [0-9]+ ([0-9]+\.[0-9]{9}|-) /built /' "$record/done/preload")" "built $iso/web1/seed.iso
iso $iso/web1/seed.iso"
	same "$(cut -d' ' -f1 "$record/done/ramdisk" | paste -sd' ')" 'mount mounted'
	is_gone "$record/started"
	does started begin
	is_there "$record/started"
	does stopped end
	ends
	nothing_left
}

@test "a guest called %DATE% with any text stays what it is, from prepare to release" {
	guest '%DATE%'
	mkdir -p "$guests/%DATE%/\\d2;"
	ask "<archive><datestr><format>%%NAME%%</format><replace>(x)</replace></datestr>
		<dircopy><src>$guests/%NAME%/\\d2;</src><dst>$archive/%NAME%/\\d1;(x)\\n</dst></dircopy></archive>"
	lives
	same "$(names_in "$archive/%DATE%")" '\d1;%NAME%\n'
	nothing_left
}

@test "a prepare that is refused, or whose record cannot be written, leaves no record" {
	everything
	mkdir -p "$tree/state/lxc"
	mount -t tmpfs -o size=16k,mode=700 full "$tree/state/lxc"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" "cannot write the run's record: No space left on device"
	no_record
	not_mounted "$me/tmp"
	is_gone "$me/tmp" "$iso"
	umount "$tree/state/lxc"
	lives
	nothing_left
}

@test "a record that was begun and not finished, by a power cut, is made anew" {
	everything
	mkdir -p "$record.new/asked" "$record.over/done"
	echo 'nonsense' >"$record.new/asked/ramdisk"
	lives
	nothing_left
}

@test "where no rename can spare what is there, as on NFS, a record is begun all the same, and never put over another" {
	command -v strace >/dev/null || skip 'needs strace'
	local -a as_on_nfs=(strace -f -o "$tree/trace" -e trace=renameat2 -e)
	everything
	by_hand virt-parts prepare begin "${as_on_nfs[@]}" inject=renameat2:error=EINVAL
	[ "$status" -eq 0 ]
	has "$(<"$tree/trace")" '(INJECTED'
	same "$(names_in "${record%/*}")" "$id"
	lives
	nothing_left
	rm "$tree/trace"
	# shellcheck disable=SC2016 # that shell expands it
	meanwhile "$tree/trace" sh -c 'mkdir "$0" && echo mine >"$0/run"' "$record"
	by_hand virt-parts prepare begin "${as_on_nfs[@]}" inject=renameat2:error=EINVAL:signal=STOP
	[ "$status" -ne 0 ]
	has "$output" "cannot write the run's record: File exists"
	holds "$record/run" mine
}

@test "a damaged record refuses the start and names what to do, and deletes nothing at release" {
	everything
	starts
	echo nonsense >"$record/run"
	call release end destroyed
	[ "$status" -ne 0 ]
	is_there "$me/scratch" "$record"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" "is damaged; see 'virt-parts resolve'"
	is_there "$me/scratch"
	printf 'version 2\n' >"$record/run"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" 'was written by a newer virt-parts'
}

@test "a damaged directive in a record is refused, not guessed at" {
	everything
	starts
	local one
	for one in $'\tdir' 'post-rm-rf' $'post-rm-rf\n\tdir\n\t\t\t=/x' $'post-rm-rf\n\tdir\n\t\t@size' $'post-rm-rf\n\tdir\n\t\t=relative' $'post-rm-rf\n\tfile\n\t\t=/x' $'post-rm-rf\n\tdir\n\t\t=/etc'; do
		printf '%s\n' "$one" >"$record/asked/post-rm-rf"
		by_hand post-rm-rf release end
		[ "$status" -eq 1 ]
	done
	printf 'post-rm-rf\n\tdir\n\t\t=%s' "$me/scratch" >"$record/asked/post-rm-rf"
	by_hand post-rm-rf release end
	[ "$status" -eq 1 ]
	is_there "$me/scratch"
}

# --- runs that do not end as they should -----------------------------------------------------------------------

@test "a run whose release never came is finished by the next prepare as lost: archived, nothing deleted" {
	everything
	starts
	echo volatile >"$me/tmp/file"
	does prepare begin
	is_there "$archive/web1/$(date +%F)/messages" "$me/scratch"
	is_gone "$me/tmp/file"
	is_mounted "$me/tmp"
	is_gone "$record/started"
	does release end failed
	nothing_left
}

@test "a run whose release never came is lost, also when the start that finds it is refused and ends without a reason" {
	everything
	starts
	mv "$vendor" "$tree/away"
	call prepare begin
	[ "$status" -ne 0 ]
	mv "$tree/away" "$vendor"
	mv "$me/log" "$me/log.away"
	does stopped end
	call release end
	[ "$status" -ne 0 ]
	mv "$me/log.away" "$me/log"
	does prepare begin
	is_there "$archive/web1/$(date +%F)/messages" "$me/scratch"
	does release end failed
	nothing_left
}

@test "a run that was interrupted in prepare is finished as failed: nothing archived, nothing deleted" {
	everything
	does prepare begin
	does prepare begin
	is_gone "$archive/web1"
	is_there "$me/scratch"
	does release end failed
	nothing_left
}

@test "a release that was interrupted is finished with the reason that it had" {
	everything
	starts
	does stopped end
	# killed while archive ran: the reason is known, the run is there
	printf 'shutdown\n' >"$record/release"
	does prepare begin
	is_there "$archive/web1/$(date +%F)"
	is_gone "$me/scratch"
	does release end failed
	nothing_left
}

@test "a saved guest that is started without restore was discarded: archived as lost, nothing deleted" {
	everything
	starts
	echo volatile >"$me/tmp/file"
	ends saved
	is_mounted "$me/tmp"
	is_there "$iso/web1/seed.iso" "$me/scratch" "$record"
	is_gone "$archive/web1"
	does prepare begin
	is_there "$archive/web1/$(date +%F)" "$me/scratch"
	is_gone "$me/tmp/file"
	does release end failed
	nothing_left
}

@test "a saved guest that comes back goes on with its run and its own directives" {
	everything
	starts
	ends saved
	ask "<post-rm-rf><dir>$me/log</dir></post-rm-rf>"
	does restore begin
	starts
	same "$(sed -n 's/^begin //p' "$record/run")" restored
	ends shutdown
	is_there "$me/log" "$archive/web1/$(date +%F)"
	is_gone "$me/scratch"
	nothing_left
}

@test "a guest that is reverted to a snapshot goes on with its run" {
	everything
	starts
	echo volatile >"$me/tmp/file"
	ends 'from snapshot'
	starts
	same "$(sed -n 's/^begin //p' "$record/run")" reverted
	holds "$me/tmp/file" volatile
	ends shutdown
	is_gone "$me/scratch"
	nothing_left
}

@test "a restore that failed leaves no mark: the next start is afresh" {
	part "$parts/restore_begin.d/10-no" 'exit 1'
	everything
	starts
	ends saved
	does restore begin
	call prepare begin
	[ "$status" -ne 0 ]
	does stopped end
	does release end failed
	does prepare begin
	same "$(sed -n 's/^begin //p' "$record/run")" new
	does release end failed
	nothing_left
}

@test "a mark counts for the next event and for five minutes" {
	everything
	starts
	ends saved
	does restore begin
	older_mark 360 "$tree"/run/*.restored
	does prepare begin
	same "$(sed -n 's/^begin //p' "$record/run")" new
	does release end failed
	does restore begin
	does stopped end
	same "$(find "$tree/run" -name '*.restored')" ''
}

@test "after a reboot of the host the run is finished without its mounts" {
	everything
	starts
	umount "$me/tmp"
	sed -i 's/^boot .*/boot 00000000-0000-0000-0000-000000000000/' "$record/run"
	does prepare begin
	is_mounted "$me/tmp"
	same "$(sed -n 's/^boot //p' "$record/run")" "$(</proc/sys/kernel/random/boot_id)"
	does release end failed
	nothing_left
}

@test "a guest that was undefined and defined anew, with another UUID, first has its old run finished" {
	local old=$record
	everything
	starts
	guest web1
	guest other lxc 2
	name=web1
	everything
	does prepare begin
	is_gone "$old"
	is_there "$archive/web1/$(date +%F)" "$me/scratch"
	does release end failed
	nothing_left
}

@test "what an unfinished archive has saved is not taken for what the next run leaves" {
	ask "<ramdisk><dir size='1M'>$me/tmp</dir></ramdisk>
		<archive><dircopy><src>$me/tmp</src><dst>$archive/web1/tmp</dst></dircopy><dircopy><src>$me/gone</src><dst>$archive/web1/gone</dst></dircopy></archive>"
	# all of it within one second
	until (($(date +%-N) < 200000000)); do sleep 0.02; done
	starts
	echo 1 >"$me/tmp/file"
	call release end shutdown
	[ "$status" -ne 0 ]
	does prepare begin
	does started begin
	echo 2 >"$me/tmp/file"
	mkdir "$me/gone"
	ends shutdown
	same "$(cat "$archive"/web1/tmp*/file | sort | paste -sd' ')" '1 2'
	nothing_left
}

# --- killed at any point -----------------------------------------------------------------------------------------

@test "a release part that is killed at any write is done again, with nothing lost and nothing left" {
	command -v strace >/dev/null || skip 'needs strace'
	local n part killed=0
	for part in archive ramdisk preload; do
		for n in 1 2 3 4 6 9; do
			everything
			starts
			echo volatile >"$me/tmp/file"
			by_hand "$part" release end strace -f -o "$tree/trace" -e trace=fsync,renameat2,umount2,unlinkat,mkdirat \
				-e inject=fsync,renameat2,umount2,unlinkat,mkdirat:signal=KILL:when="$n"
			((status == 0)) || killed+=1
			ends shutdown
			has "$(find "$archive/web1" -name messages)" messages
			is_gone "$me/scratch" "$me/tmp/file" "$iso/web1/seed.iso"
			nothing_left
			same "$(find "$archive" -name '.virt-parts*')" ''
			rm -r "$archive/web1"
			mkdir "$me/scratch"
		done
	done
	((${#killed} > 5))
}

@test "prepare that is killed at any write is done again or undone, with nothing left" {
	command -v strace >/dev/null || skip 'needs strace'
	local n
	everything
	for n in 1 2 5 8 11 14 17; do
		by_hand virt-parts prepare begin strace -f -o "$tree/trace" -e trace=fsync,renameat2,mkdir,mkdirat \
			-e inject=fsync,renameat2,mkdir,mkdirat:signal=KILL:when="$n"
		lives
		rm -r "$archive"
		mkdir -p "$me/scratch"
		nothing_left
	done
}
