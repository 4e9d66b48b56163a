#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Filesystems that are really full, read-only or over quota, and sources that change while they are copied.

# shellcheck disable=SC2010,SC2012,SC2016,SC2030,SC2031,SC2034,SC2094,SC2119,SC2120,SC2154 # of attack_make, run, call
load lib/attack.bash

setup() {
	tree=
}

teardown() {
	parts_remove
	[[ -z ${disk:-} ]] || rm -f "$disk"
}

# on_disk SIZE MKFS...: the archive lies on a filesystem of its own, in a file
on_disk() {
	attack_make
	command -v "$2" >/dev/null || skip "needs $2"
	disk=$(mktemp /var/cache/virt-parts-disk.XXXXXX)
	truncate -s "$1" "$disk"
	shift
	"$@" "$disk" >/dev/null 2>&1
	mount -o "loop${options:+,$options}" "$disk" "$archive" 2>"$tree/why" || {
		[[ ${options:-} == *quota* ]] || return 1
		skip 'the kernel has no quotas'
	}
	mkdir -p "$me/log" "$archive/web1"
	chmod 0755 "$archive" "$archive/web1"
	policy '[limits]' 'archive-min-free = 0'
	head -c 3M /dev/urandom >"$me/log/big"
	cp -a "$me/log" "$tree/kept"
	ask "<ramdisk><dir size='1M'>$me/r</dir></ramdisk>
		<archive><dircopy><src>$me/log</src><dst>$archive/web1/log</dst></dircopy></archive>
		<post-rm-rf><dir>$me/log</dir></post-rm-rf>"
	starts
	echo "in memory" >"$me/r/file"
}

# withheld TEXT: the release fails, says so, and leaves the source, the ramdisk and no part of an archive
withheld() {
	call release end destroyed
	[[ $status -ne 0 ]]
	has "$errors" "$1"
	equal "$me/log" "$tree/kept"
	holds "$me/r/file" "in memory"
	same "$(ls -A "$archive/web1" | grep -v -e filler -e lost+found)" ''
}

finished_later() {
	does prepare begin
	equal "$archive/web1/log" "$tree/kept"
	is_gone "$me/log"
	mkdir "$me/log"
	does release end destroyed
}

@test "a full filesystem: nothing of what was not saved is deleted or unmounted, and it is finished later" {
	local kind
	for kind in mkfs.ext4 mkfs.xfs mkfs.btrfs; do
		command -v "$kind" >/dev/null || continue
		case $kind in
		mkfs.ext4) on_disk 24M mkfs.ext4 -q -F ;;
		mkfs.xfs) on_disk 300M mkfs.xfs -q -f ;;
		*) on_disk 128M mkfs.btrfs -q -f ;;
		esac
		cat /dev/zero >"$archive/web1/filler" 2>/dev/null || true
		sync -f "$archive"
		cat /dev/zero >"$archive/web1/filler-2" 2>/dev/null || true
		withheld ''
		rm "$archive/web1/filler"*
		sync -f "$archive"
		finished_later
		proof 14 1 0 1 "$kind: full: withheld, then finished"
		parts_remove
		rm -f "$disk"
	done
}

@test "the last inode is taken: withheld, and finished later" {
	on_disk 24M mkfs.ext4 -q -F -N 64
	mkdir "$archive/web1/filler"
	local i=0
	while touch "$archive/web1/filler/$((i += 1))" 2>/dev/null; do :; done
	withheld ''
	rm -r "$archive/web1/filler"
	finished_later
}

@test "a filesystem that became read-only: withheld, and finished later" {
	on_disk 24M mkfs.ext4 -q -F
	mount -o remount,ro "$archive"
	withheld 'Read-only file system'
	mount -o remount,rw "$archive"
	finished_later
}

@test "an immutable mount point, as long as nothing is mounted on it: withheld, and finished once there is" {
	on_disk 24M mkfs.ext4 -q -F
	chattr +i "$archive/web1"
	withheld 'Operation not permitted'
	mount -t tmpfs -o mode=755 other "$archive/web1"
	finished_later
	umount "$archive/web1"
	same "$(ls -A "$archive/web1")" ''
}

@test "over quota: withheld, and finished later" {
	command -v setquota >/dev/null || skip 'needs setquota'
	options=usrquota
	on_disk 24M mkfs.ext4 -q -F -O quota
	# root is held to no quota where the filesystem lets it pass: then this says nothing
	setquota -u 0 0 2048 0 0 "$archive" && quotaon "$archive" 2>/dev/null
	! head -c 4M /dev/zero >"$archive/web1/filler" 2>/dev/null || skip "the kernel's quotas do not bind root"
	rm "$archive/web1/filler"
	withheld ''
	setquota -u 0 0 0 0 0 "$archive"
	finished_later
}

# changing PERL: runs it with the source for as long as the archive is made
changing() {
	on_disk 64M mkfs.ext4 -q -F
	local -i i good=0 n
	n=$(full 200 8)
	for ((i = 0; i < n; i++)); do
		perl -e "$1" "$me/log" &
		helpers=($!)
		: >"$tree/race.log"
		by_hand archive release end
		kill "${helpers[0]}"
		wait "${helpers[0]}" || true
		helpers=()
		if ((status == 0)); then
			good+=1
			whole "$archive/web1/log"*
		fi
		rm -rf "$record/done/archive" "$archive/web1/log"*
		rm -rf "$me/log"
		cp -a "$tree/kept" "$me/log"
	done
	proof 14 "$n" 0 "$((n - good))" "archives of a changing source, those refused are the control"
}

@test "a source that grows and shrinks while it is copied: an error, or a whole archive" {
	whole() {
		# as it was at first, or one letter: each of these was the file at some time
		equal "$1" "$tree/kept" || same "$(tr -s ab <"$1/big" | head -c 10)$(stat -c %s "$1/big")" a100000 ||
			same "$(tr -s ab <"$1/big" | head -c 10)$(stat -c %s "$1/big")" b3000000
	}
	changing 'while (1) { for (["a", 100000], ["b", 3000000]) { open(F, ">", "$ARGV[0]/big.new"); print F $_->[0] x $_->[1]; close(F); open(F, "+<", "$ARGV[0]/big"); rename("$ARGV[0]/big.new", "$ARGV[0]/big"); } }'
}

@test "a file that is cut and written again while it is copied: an error, or a whole archive" {
	whole() {
		# as it was at first, or cut to ten bytes with some of what was written behind them
		equal "$1" "$tree/kept" || {
			same "$(head -c 10 "$1/big" | md5sum)" "$(head -c 10 "$tree/kept/big" | md5sum)" &&
				same "$(tail -c +11 "$1/big" | tr -d x | wc -c)" 0
		}
	}
	changing 'while (1) { truncate("$ARGV[0]/big", 10); open(F, "+<", "$ARGV[0]/big"); seek(F, 10, 0); print F "x" x 1000000; close F }'
}
