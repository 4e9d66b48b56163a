#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# <ramdisk>: a tmpfs for as long as the guest runs, with its limits, and what happens when it is busy.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # variables of parts_make, guest and call
load lib/parts.bash

setup() {
	parts_make
}

teardown() {
	parts_remove
}

# ramdisk [ATTRIBUTES [PATH]]
ramdisk() {
	ask "<ramdisk><dir size='1M' ${1:-}>${2:-$me/tmp}</dir></ramdisk>" "${3:-}"
}

# a process that has a file of the ramdisk open; its id is ${helpers[0]}
hold() {
	background sleep 3600
	kill "${helpers[0]}"
	wait "${helpers[0]}" || true
	helpers=()
	exec 9>"$1/held"
	background sleep 3600
	exec 9>&-
}

@test "a ramdisk is there from prepare to release, nosuid, nodev and noexec" {
	ramdisk
	does prepare begin
	same "$(mount_of "$me/tmp" FSTYPE)" tmpfs
	same "$(mount_of "$me/tmp" SOURCE)" "virt-parts:$id"
	has "$(mount_of "$me/tmp" OPTIONS)" 'rw,nosuid,nodev,noexec'
	same "$(findmnt -n -b -o SIZE --mountpoint "$me/tmp" | tr -d ' ')" 1048576
	does start begin
	does started begin
	does stopped end
	is_mounted "$me/tmp"
	does release end destroyed
	not_mounted "$me/tmp"
	is_there "$me/tmp"
	nothing_left
}

@test "what is not said of mode and owner is as the directory that it covers has it" {
	mkdir "$me/tmp"
	chown 1234:4321 "$me/tmp"
	chmod 3751 "$me/tmp"
	echo below >"$me/tmp/file"
	ramdisk
	starts
	# setgid is never set
	same "$(stat -c '%a %u:%g' "$me/tmp")" '1751 1234:4321'
	is_gone "$me/tmp/file"
	ends
	same "$(stat -c '%a %u:%g' "$me/tmp")" '3751 1234:4321'
	holds "$me/tmp/file" below
}

@test "mode, uid, gid and inodes are as they are asked for" {
	ramdisk "mode='1770' uid='12' gid='34' inodes='10'"
	starts
	same "$(stat -c '%a %u:%g' "$me/tmp")" '1770 12:34'
	same "$(stat -f -c %c "$me/tmp")" 10
	ends
	ramdisk "mode='0'"
	starts
	same "$(stat -c '%a %u:%g' "$me/tmp")" '0 0:0'
	ends
	nothing_left
}

@test "how many files it holds goes by its size: 1024 and one for each 4 KiB, at most for each KiB" {
	ramdisk
	starts
	same "$(stat -f -c %c "$me/tmp")" 1280
	ends
	ask "<ramdisk><dir size='4K'>$me/tmp</dir></ramdisk>"
	starts
	same "$(stat -f -c %c "$me/tmp")" 1025
	ends
	ramdisk "inodes='2048'"
	starts
	same "$(stat -f -c %c "$me/tmp")" 2048
	ends
	ramdisk "inodes='2049'"
	refused "<ramdisk><dir>: inodes '2049' is more than size '1M' allows" ', 2048; ask for less or for a larger size'
}

@test "options relax what is set: exec, noatime" {
	ramdisk "options='noatime exec'"
	starts
	has "$(mount_of "$me/tmp" OPTIONS)" 'rw,nosuid,nodev,noatime'
	lacks "$(mount_of "$me/tmp" OPTIONS)" noexec
	ends
	nothing_left
}

@test "a ramdisk holds no more than its size" {
	ramdisk
	starts
	run dd if=/dev/zero of="$me/tmp/file" bs=64k count=32
	[ "$status" -ne 0 ]
	has "$output" 'No space left'
	ends
}

@test "missing directories are made, root's and 0755" {
	ramdisk '' "$me/a/b/c"
	starts
	is_mounted "$me/a/b/c"
	ends
	same "$(listing "$me")" $'a 755 0:0\na/b 755 0:0\na/b/c 755 0:0'
}

@test "a missing root of the policy is made, for root alone" {
	rmdir "$me"
	ramdisk
	starts
	ends
	same "$(stat -c '%a %u:%g' "$me")" '700 0:0'
}

@test "prepare twice gives one mount, with what is in it" {
	ramdisk
	does prepare begin
	echo kept >"$me/tmp/file"
	by_hand ramdisk prepare begin
	[ "$status" -eq 0 ]
	has "$output" 'is mounted already'
	same "$(mounts_below "$me" | wc -l)" 1
	holds "$me/tmp/file" kept
	does release end destroyed
	nothing_left
}

@test "several directories, one in the other, are mounted in order and unmounted in the opposite one" {
	ask "<ramdisk><dir size='1M'>$me/a</dir><dir size='2M'>$me/a/b</dir></ramdisk><ramdisk><dir size='4M'>$me/c</dir></ramdisk>"
	starts
	same "$(mounts_below "$me" | sort)" "$me/a
$me/a/b
$me/c"
	ends
	nothing_left
}

@test "a directory that holds one named before it is refused, since it would cover that, also from another <ramdisk>" {
	local between
	for between in '' '</ramdisk><ramdisk>'; do
		ask "<ramdisk><dir size='1M'>$guests/%NAME%/a/b</dir>$between<dir size='2M'>$me/a</dir></ramdisk>"
		refused "<ramdisk><dir>: '$me/a' holds '$me/a/b', which it would cover; name the outer one first"
		ask "<ramdisk><dir size='1M'>$me/ab</dir>$between<dir size='2M'>$me/a</dir></ramdisk>"
		accepted
	done
}

@test "a directory that something else is mounted on is refused" {
	mkdir "$me/tmp"
	mount -t tmpfs other "$me/tmp"
	ramdisk
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" "something else is mounted on '$me/tmp'; unmount it or name another directory"
	does release end failed
	no_record
	same "$(mount_of "$me/tmp" SOURCE)" other
}

@test "another guest's ramdisk, and one that an admin mounted under our name, stay" {
	ramdisk
	starts
	mkdir "$me/other"
	mount -t tmpfs "virt-parts:$id" "$me/other"
	mkdir "$me/unrelated"
	mount -t tmpfs virt-parts:x "$me/unrelated"
	ends
	same "$(mounts_below "$me")" "$me/other
$me/unrelated"
}

@test "a link or a file in the way is refused and left alone" {
	mkdir "$tree/elsewhere"
	ln -s "$tree/elsewhere" "$me/link"
	: >"$me/file"
	local one
	for one in link link/deeper file file/deeper; do
		ramdisk '' "$me/$one"
		call prepare begin
		[ "$status" -ne 0 ]
		has "$errors" "'$me/$one"
		does release end failed
		nothing_left
	done
	same "$(find "$tree/elsewhere" | wc -l)" 1
	is_there "$me/link" "$me/file"
}

# --- limits ----------------------------------------------------------------------------------------------------

@test "ramdisk-size is the most that one may ask for" {
	policy '[limits]' 'ramdisk-size = 2M'
	ask "<ramdisk><dir size='2M'>$me/tmp</dir></ramdisk>"
	accepted
	ask "<ramdisk><dir size='2097153'>$me/tmp</dir></ramdisk>"
	refused "<ramdisk><dir>: size '2097153' is more than ramdisk-size in parts.conf allows, 2097152 bytes" 'ask for less or raise it'
	policy '[limits]' 'ramdisk-size = 0%'
	ask "<ramdisk><dir size='4096'>$me/tmp</dir></ramdisk>"
	refused 'ramdisk-size'
	policy '[limits]' 'ramdisk-size = unlimited' 'ramdisk-total = unlimited'
	ask "<ramdisk><dir size='1T'>$me/tmp</dir></ramdisk>"
	accepted
}

@test "the default of ramdisk-size is 1 GiB" {
	policy '[limits]' 'ramdisk-total = unlimited'
	ask "<ramdisk><dir size='1G'>$me/tmp</dir></ramdisk>"
	accepted
	ask "<ramdisk><dir size='1025M'>$me/tmp</dir></ramdisk>"
	refused ramdisk-size
}

@test "ramdisk-total counts those of all guests" {
	local one
	isolate
	policy '[limits]' 'ramdisk-total = 5M'
	for one in 1 2; do
		guest "web$one" lxc "$one"
		ask "<ramdisk><dir size='2M'>$guests/%NAME%/tmp</dir></ramdisk>"
		starts
	done
	guest web3 lxc 3
	ask "<ramdisk><dir size='2M'>$guests/%NAME%/tmp</dir></ramdisk>"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" 'web3: <ramdisk><dir>: 2097152 bytes more than the '
	has "$errors" 'would pass ramdisk-total in parts.conf'
	has "$errors" 'ask for less, stop a guest or raise it'
	does release end failed
	guest web1 lxc 1
	ends
	guest web3 lxc 3
	lives
	guest web2 lxc 2
	ends
	nothing_left
}

# show_twice: hooks are called where all below $guests is below $tree/view, too, mounts included
show_twice() {
	isolate
	inside=(nsenter --mount="/proc/$namespace/ns/mnt")
	mkdir "$tree/view"
	"${inside[@]}" mount --bind "$guests" "$guests"
	"${inside[@]}" mount --make-shared "$guests"
	"${inside[@]}" mount --bind "$guests" "$tree/view"
}

@test "ramdisk-total counts one once that a shared mount of the guests' tree shows in two places" {
	local one
	show_twice
	policy '[limits]' 'ramdisk-total = 3M'
	for one in 1 2; do
		guest "web$one" lxc "$one"
		ask "<ramdisk><dir size='${one}M'>$guests/%NAME%/tmp</dir></ramdisk>"
		starts
	done
	same "$(mounts_below "$tree/view" | wc -l)" 3
	guest web3 lxc 3
	ask "<ramdisk><dir size='1M'>$guests/%NAME%/tmp</dir></ramdisk>"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" '1048576 bytes more than the 3145728 that the ramdisks of all guests have already'
	does release end failed
	for one in 1 2; do
		guest "web$one" lxc "$one"
		ends
	done
	"${inside[@]}" umount "$tree/view" "$guests"
	nothing_left
}

@test "of guests that start at once no more are let in than ramdisk-total allows" {
	local one pids=()
	isolate
	policy '[limits]' 'ramdisk-total = 4M'
	for one in {1..10}; do
		guest "web$one" lxc "$one"
		ask "<ramdisk><dir size='1M'>$guests/%NAME%/tmp</dir></ramdisk>"
		hook lxc "web$one" prepare begin - >/dev/null 2>&1 &
		pids+=($!)
	done
	wait "${pids[@]}" || true
	same "$(mounts_below "$guests" | wc -l)" 4
	for one in {1..10}; do
		guest "web$one" lxc "$one"
		does release end failed
		no_record
	done
	nothing_left
}

@test "who adds up the ramdisks waits for one that is about to be mounted" {
	command -v strace >/dev/null || skip 'needs strace'
	policy '[limits]' 'ramdisk-total = 3M'
	local one
	for one in 1 2; do
		guest "web$one" lxc "$one"
		ask "<ramdisk><dir size='2M'>$guests/%NAME%/tmp</dir></ramdisk>"
		by_hand virt-parts prepare begin
	done
	isolate
	local -a inside=(nsenter --mount="/proc/$namespace/ns/mnt")
	guest web1
	by_hand ramdisk prepare begin "${inside[@]}" strace -o "$tree/trace" -e trace=move_mount -e inject=move_mount:delay_enter=700000 &
	within 60 grep -qs '^mount ' "$record/done/ramdisk"
	sleep 0.2
	guest web2 lxc 2
	by_hand ramdisk prepare begin "${inside[@]}"
	[ "$status" -eq 1 ]
	has "$output" ramdisk-total
	wait $! || true
	same "$(mounts_below "$guests")" "$guests/web1/tmp"
}

# --- containers ------------------------------------------------------------------------------------------------

@test "below an lxc <filesystem> that is not the root it is refused, since the guest would not see it" {
	local fs="<filesystem type='mount'><source dir='$me'/><target dir='/'/></filesystem>
		<filesystem type='mount'><source dir='$me/data'/><target dir='/srv'/></filesystem>"
	ramdisk '' "$me/data/cache" "$fs"
	refused "<ramdisk><dir>: '$me/data/cache' lies below the <filesystem> source '$me/data', where the guest would not see it" \
		"mount on that source itself, or below the root's"
	# libvirt keeps what it is given
	ramdisk '' "$me/data/cache" "${fs//"$me/data"/"$me//data/"}"
	refused 'where the guest would not see it'
	ramdisk '' "$me/data" "$fs"
	accepted
	ramdisk '' "$me/tmp" "$fs"
	accepted
	ramdisk '' "$me/database" "$fs"
	accepted
	guest web1 qemu
	ramdisk '' "$me/data/cache" "$fs"
	accepted
}

@test "a <filesystem> whose source leads through a link is the one that it leads to, also where it is yet to be made" {
	local fs="<filesystem type='mount'><source dir='$tree/link/web1'/><target dir='/'/></filesystem>
		<filesystem type='mount'><source dir='$tree/link/web1/data'/><target dir='/srv'/></filesystem>" made
	ln -s guests "$tree/link"
	for made in '' "$me/data"; do
		[[ -z $made ]] || mkdir "$made"
		ramdisk '' "$me/data/cache" "$fs"
		refused "'$me/data/cache' lies below the <filesystem> source '$me/data', where the guest would not see it"
	done
	ramdisk '' "$me/data" "$fs"
	accepted
	ramdisk '' "$me/tmp" "$fs"
	accepted
}

# --- the end ---------------------------------------------------------------------------------------------------

@test "a busy ramdisk stays mounted, the message names who holds it, and the next start unmounts it first" {
	ramdisk
	starts
	hold "$me/tmp"
	call release end destroyed
	[ "$status" -ne 0 ]
	has "$errors" "<ramdisk>: cannot unmount '$me/tmp': it is in use by pid ${helpers[0]} (sleep)"
	has "$errors" 'the next start of the guest then unmounts it first'
	is_mounted "$me/tmp"
	is_there "$record"
	kill "${helpers[0]}"
	wait "${helpers[0]}" || true
	does prepare begin
	is_mounted "$me/tmp"
	is_gone "$me/tmp/held"
	does release end destroyed
	nothing_left
}

@test "a ramdisk that is held for a moment is unmounted all the same" {
	ramdisk
	starts
	exec 9>"$me/tmp/held"
	background sleep 0.3
	exec 9>&-
	ends
	nothing_left
}

@test "one that is busy does not keep the others mounted" {
	ask "<ramdisk><dir size='1M'>$me/a</dir><dir size='1M'>$me/b</dir><dir size='1M'>$me/c</dir></ramdisk>"
	starts
	hold "$me/b"
	call release end destroyed
	[ "$status" -ne 0 ]
	same "$(mounts_below "$me")" "$me/b"
}

@test "one that was unmounted by hand is done" {
	ramdisk
	starts
	umount "$me/tmp"
	ends
	nothing_left
	starts
	umount "$me/tmp"
	rmdir "$me/tmp"
	ends
	nothing_left
}

@test "what is mounted over it is not taken for it" {
	ramdisk
	starts
	mount -t tmpfs other "$me/tmp"
	echo theirs >"$me/tmp/file"
	call release end destroyed
	[ "$status" -ne 0 ]
	has "$errors" "cannot unmount '$me/tmp': something else is mounted over it"
	holds "$me/tmp/file" theirs
	umount "$me/tmp"
	does prepare begin
	does release end destroyed
	nothing_left
}

@test "at saved and from-snapshot it stays, with what is in it; at every other reason it goes" {
	local reason
	for reason in saved from-snapshot 'from snapshot'; do
		ramdisk
		starts
		echo kept >"$me/tmp/file"
		ends "$reason"
		holds "$me/tmp/file" kept
		does restore begin
		starts
		holds "$me/tmp/file" kept
		ends shutdown
		nothing_left
	done
	for reason in shutdown destroyed crashed migrated daemon failed unknown 'something new'; do
		starts
		ends "$reason"
		nothing_left
	done
}

@test "a ramdisk of a saved guest that is gone when it comes back is mounted empty, with a warning" {
	ramdisk
	starts
	ends saved
	umount "$me/tmp"
	does restore begin
	starts
	is_mounted "$me/tmp"
	says "warning: '$me/tmp' is empty, the guest had files in it when it was saved"
	ends
	nothing_left
}

@test "a part that fails in the teardown keeps it mounted" {
	part "$parts/release_end.d/30-save" 'exit 1'
	ramdisk
	starts
	call release end destroyed
	[ "$status" -ne 0 ]
	is_mounted "$me/tmp"
	says "'$me/tmp' stays mounted: a part failed before"
}

@test "a failed start unmounts it" {
	part "$parts/start_begin.d/30-no" 'exit 1'
	ramdisk
	does prepare begin
	call start begin
	[ "$status" -ne 0 ]
	does stopped end failed
	does release end failed
	nothing_left
}

@test "a failed start unmounts it, and removes the image, also when an admin's own part fails at its end" {
	local event
	for event in stopped_end release_end; do
		part "$parts/$event.d/05-own" 'exit 1'
		ask "<ramdisk><dir size='1M'>$me/tmp</dir></ramdisk>
			<preload><iso path='$iso/web1/seed.iso'><file path='a'>x</file></iso></preload>"
		does prepare begin
		call stopped end failed
		call release end failed
		nothing_left
		is_gone "$iso/web1/seed.iso"
		rm "$parts/$event.d/05-own"
	done
}

@test "a failed prepare unmounts what it had mounted when release comes" {
	ask "<ramdisk><dir size='1M'>$me/a</dir><dir size='1M'>$me/file</dir></ramdisk>"
	: >"$me/file"
	call prepare begin
	[ "$status" -ne 0 ]
	is_mounted "$me/a"
	does stopped end -
	does release end -
	nothing_left
}

@test "release needs no policy: what was mounted is unmounted" {
	ramdisk
	starts
	echo nonsense >>"$hooks/parts.conf"
	# the dispatcher would do it in the directories of the host: without parts.conf it knows no other
	by_hand ramdisk release end
	[ "$status" -eq 0 ]
	not_mounted "$me/tmp"
}

@test "lives without end leave no mount" {
	ramdisk
	local -i i n mounted=0
	n=$(full 1000 30)
	for ((i = 0; i < n; i++)); do
		does prepare begin
		does prepare begin
		mounted+=$(mounts_below "$tree" | wc -l)
		does release end destroyed
	done
	nothing_left
	((mounted == n))
	proof 22 "$n" 0 "$mounted" 'lives, mounts in all'
}

@test "a tmpfs of another driver's guest with the same UUID is not taken for it, whatever its device" {
	ask "<ramdisk><dir size='1M'>$me/a</dir></ramdisk>"
	starts
	umount "$me/a"
	# the next tmpfs gets the device number that this one had
	mkdir "$me/b"
	mount -t tmpfs "virt-parts:$uuid" "$me/b"
	ends destroyed
	mountpoint -q "$me/b"
	umount "$me/b"
}

@test "a ramdisk whose parent the guest has renamed is unmounted where it is now; a bind mount of it stays" {
	ask "<ramdisk><dir size='1M'>$me/p/a</dir></ramdisk>"
	starts
	mv "$me/p" "$me/q"
	mountpoint -q "$me/q/a"
	ends destroyed
	not mountpoint -q "$me/q/a"
	starts
	mkdir "$me/bound"
	mount --bind "$me/p/a" "$me/bound"
	ends destroyed
	not mountpoint -q "$me/p/a"
	mountpoint -q "$me/bound"
	umount "$me/bound"
}

@test "a ramdisk that the guest has moved with its directory is not forgotten for a new one: the start is refused until it is back" {
	ask "<ramdisk><dir size='1M'>$me/other</dir><dir size='1M'>$me/a/tmp</dir></ramdisk>
		<archive><dircopy><src>$me/a/tmp</src><dst>$archive/web1/tmp</dst></dircopy></archive>"
	starts
	echo saved >"$me/a/tmp/data"
	mv "$me/a" "$me/a.old"
	local -i round
	for round in 1 2; do
		call release end destroyed
		[ "$status" -ne 0 ]
		has "$errors" "cannot archive '$me/a/tmp': the ramdisk of '$me/a/tmp' is now at '$me/a.old/tmp', where a renamed directory has taken it"
		call prepare begin
		[ "$status" -ne 0 ]
		has "$errors" "the ramdisk of '$me/a/tmp' is now at '$me/a.old/tmp'"
		has "$errors" "move that directory back and start the guest; or give up the run, with what is in it, by 'virt-parts resolve --discard $id'"
		same "$(mounts_below "$tree" | paste -sd' ')" "$me/other $me/a.old/tmp"
		# nor is what the guest has put in its place archived for it
		is_gone "$me/a" "$archive/web1/tmp"
		mkdir -p "$me/a/tmp"
		call release end destroyed
		[ "$status" -ne 0 ]
		is_gone "$archive/web1/tmp"
		rm -r "$me/a"
	done
	mv "$me/a.old" "$me/a"
	does prepare begin
	holds "$archive/web1/tmp/data" saved
	is_gone "$me/a/tmp/data"
	does release end failed
	nothing_left
}

@test "a ramdisk that has been moved and is seen in two places is not forgotten: nothing is done until it is back" {
	show_twice
	ask "<ramdisk><dir size='1M'>$me/a/tmp</dir></ramdisk>
		<archive><dircopy><src>$me/a/tmp</src><dst>$archive/web1/tmp</dst></dircopy></archive>"
	starts
	"${inside[@]}" sh -c "echo saved >'$me/a/tmp/data'"
	mv "$me/a" "$me/a.old"
	call release end destroyed
	[ "$status" -ne 0 ]
	has "$errors" "is in several places, where a renamed directory has taken it; move that directory back, and start the guest"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" "the ramdisk of '$me/a/tmp' is now at '"
	has "$errors" "a.old/tmp' and in other places, where a renamed directory has taken it: move that directory back and start the guest"
	mv "$me/a.old" "$me/a"
	does prepare begin
	holds "$archive/web1/tmp/data" saved
	does release end failed
	"${inside[@]}" umount "$tree/view" "$guests"
	nothing_left
}

@test "a ramdisk that has been moved within what is archived is in the archive" {
	ask "<ramdisk><dir size='1M'>$me/top/a/tmp</dir></ramdisk>
		<archive><dircopy><src>$me/top</src><dst>$archive/web1/top</dst></dircopy></archive>"
	starts
	echo saved >"$me/top/a/tmp/data"
	mv "$me/top/a" "$me/top/b"
	ends
	holds "$archive/web1/top/b/tmp/data" saved
	nothing_left
}

@test "two that the journal has on one path are both unmounted" {
	ask "<ramdisk><dir size='1M'>$me/a/tmp</dir></ramdisk>"
	starts
	local before
	before=$(grep '^mount' "$record/done/ramdisk")
	mv "$me/a" "$me/a.old"
	mv "$record/done/ramdisk" "$tree/journal"
	by_hand ramdisk prepare begin
	[ "$status" -eq 0 ]
	printf '%s\n%s\n' "$before" "$(<"$record/done/ramdisk")" >"$tree/journal"
	cat "$tree/journal" >"$record/done/ramdisk"
	same "$(mounts_below "$tree" | sort | paste -sd' ')" "$me/a.old/tmp $me/a/tmp"
	ends
	nothing_left
}

@test "a ramdisk that the guest has buried counts, is in no other guest's way, and is unmounted where it is" {
	local one
	isolate
	policy '[limits]' 'ramdisk-total = 3M'
	for one in '17 a' $'1100 \n'; do
		guest web1
		ask "<ramdisk><dir size='2M'>$me/p/a</dir></ramdisk>"
		starts
		bury "$me/p" "${one% *}" "${one#* }"
		guest web2 lxc 2
		ask "<ramdisk><dir size='2M'>$guests/web2/a</dir></ramdisk>"
		call prepare begin
		[ "$status" -ne 0 ]
		has "$errors" 'would pass ramdisk-total'
		does release end failed
		mkdir -p "$guests/web2/out"
		ask "<ramdisk><dir size='1M'>$guests/web2/a</dir></ramdisk><post-rm-rf><dir>$guests/web2/out</dir></post-rm-rf>"
		lives
		is_gone "$guests/web2/out"
		guest web1
		ends
		nothing_left
		lives
		rm -rf "${me:?}"/*
	done
}

@test "one that is buried too deep is kept, and what the message asks for helps" {
	isolate
	mkdir -p "$me/log"
	ask "<ramdisk><dir size='1M'>$me/p/a</dir></ramdisk>
		<archive><dircopy><src>$me/log</src><dst>$archive/web1/log</dst></dircopy></archive>"
	starts
	bury "$me/p" 4200 $'\n'
	call release end destroyed
	[ "$status" -ne 0 ]
	# it may be below what is to be archived
	has "$errors" 'nothing is archived, deleted or unmounted: the ramdisk '
	is_gone "$archive/web1/log"
	has "$errors" 'move a directory above it up in the tree, or unmount what covers it, and start the guest'
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" 'is out of reach'
	python3 -c '
import os, sys
top = at = os.open(sys.argv[1], os.O_RDONLY)
for level in range(300):
    at = os.open("\n" * 255, os.O_RDONLY, dir_fd=at)
os.rename("\n" * 255, "up", src_dir_fd=at, dst_dir_fd=top)' "$me"
	does prepare begin
	is_there "$archive/web1/log"
	same "$(mounts_below "$tree")" "$me/p/a"
	does release end failed
	nothing_left
}

@test "one that covers another is unmounted, then the other, also where the guest has renamed what both lie in" {
	local -a covering
	isolate
	covering=(nsenter --mount="/proc/$namespace/ns/mnt")
	ask "<ramdisk><dir size='1M'>$me/p/y/1/2</dir><dir size='1M'>$me/p/z</dir></ramdisk>"
	# as the record of an earlier version may ask for it
	by_hand virt-parts prepare begin
	sed -i "s,$me/p/z,$me/p/y," "$record/asked/ramdisk"
	by_hand ramdisk prepare begin "${covering[@]}"
	[ "$status" -eq 0 ]
	does started begin
	mv "$me/p" "$me/q"
	ends
	nothing_left
	# and by a mount that is not the run's, until that is gone
	starts
	mv "$me/p" "$me/r"
	"${covering[@]}" mount -t tmpfs other "$me/r"
	call release end destroyed
	[ "$status" -ne 0 ]
	has "$errors" "is out of reach, too deep or covered, at '$me/r/y"
	"${covering[@]}" umount "$me/r"
	does prepare begin
	same "$(mounts_below "$tree" | paste -sd' ')" "$me/p/y/1/2 $me/p/z"
	does release end failed
	nothing_left
}

@test "mounts that come and go meanwhile, and get the number of one that is gone, are taken neither for it nor for what lies below them" {
	local -i n rounds=${VIRT_PARTS_FULL:+300}
	((rounds)) || rounds=60
	ask "<ramdisk><dir size='1M'>$me/r</dir></ramdisk>"
	isolate
	for n in 1 100; do
		mkdir "$tree/other$n"
		nsenter --mount="/proc/$namespace/ns/mnt" python3 -c '
import ctypes, sys
c = ctypes.CDLL(None)
point = sys.argv[1].encode()
while True:
    for i in range(int(sys.argv[2])):
        c.mount(b"virt-parts:another", point, b"tmpfs", 0, b"size=4k")
    for i in range(int(sys.argv[2])):
        c.umount2(point, 2)
' "$tree/other$n" "$n" >/dev/null 2>&1 3>&- &
		helpers+=($!)
	done
	for ((n = 0; n < rounds; n++)); do
		starts
		ends
	done
}
