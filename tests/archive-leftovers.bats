#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Archives that were cut short, by a kill or the power, and others that archive to the same place meanwhile.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # variables of parts_make, guest and call
load lib/archive.bash

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

@test "a ramdisk in what was archived may go, and a new one come: that is no change; what is written there is one" {
	ask "<ramdisk><dir size='64K'>$me/log/r</dir><dir size='64K'>$me/log/other</dir></ramdisk>
		<archive><dircopy><src>$me/log</src><dst>$archive/web1/log</dst></dircopy></archive>"
	part "$parts/release_end.d/45-own" 'exit 1'
	starts
	echo data >"$me/log/r/data"
	echo data >"$me/log/other/data"
	call release end shutdown
	[ "$status" -ne 0 ]
	is_gone "$me/log/r/data"
	# the next start's own archiving finds none, its release new ones
	does prepare begin
	mountpoint -q "$me/log/r"
	call release end failed
	same "$(names_in "$archive/web1")" log
	same "$(grep -c "'$me/log' is archived already" "$tree/log/lxc-web1.log")" 2
	does prepare begin
	same "$(names_in "$archive/web1")" log
	echo more >"$me/log/other/more"
	call release end failed
	has "$(<"$tree/log/lxc-web1.log")" "'$me/log' has changed since it was archived"
	holds "$archive/web1/log-2/other/more" more
	# and where they were
	umount "$me/log/r"
	echo late >"$me/log/r/late"
	does prepare begin
	holds "$archive/web1/log-3/r/late" late
	holds "$archive/web1/log/other/data" data
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

@test "a line that there is no room for is not begun in a journal, where the next would go on with it" {
	archive
	starts
	by_hand archive release end env --ignore-signal=XFSZ prlimit --fsize=20
	[ "$status" -ne 0 ]
	has "$output" "cannot write to the run's record"
	same "$(cat "$record/done/archive-staging")" ''
	by_hand archive release end
	[ "$status" -eq 0 ]
	same "$(wc -l <"$record/done/archive-staging")" 1
	has "$(cat "$record/done/archive-staging")" " $archive/web1/log"
	does release end destroyed
	nothing_left
}

@test "an archive that could not be noted when it is made is not begun, and not made again at each try" {
	archive
	starts
	mkdir -p "$record/done"
	mount -t tmpfs -o size=4k full "$record/done"
	local i
	for i in 1 2; do
		by_hand archive release end
		[ "$status" -ne 0 ]
		has "$output" "cannot write to the run's record in '$record': No space left on device; nothing of it is deleted"
	done
	is_gone "$archive/web1/log"
	umount "$record/done"
	does release end destroyed
	same "$(names_in "$archive/web1")" log
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
		# it stands still in the middle of its copy
		by_hand archive release end strace -f -o "$tree/trace-1" -e trace=utimensat -e inject=utimensat:signal=STOP:when=50
		echo "$status" >"$tree/first"
	} 3>&- 4>&- &
	within 60 grep -qs 'stopped by SIGSTOP' "$tree/trace-1"
	compgen -G "$tree/shared/.virt-parts.*/tree/*" >/dev/null
	guest web2 lxc 2
	by_hand archive release end strace -f -o "$tree/trace-2" -e trace=flock -e inject=flock:retval=0
	[ "$status" -eq 0 ]
	meanwhile "$tree/trace-1" true
	within 60 test -s "$tree/first"
	same "$(<"$tree/first")" 0
	same "$(names_in "$tree/shared")" 'web1 web2'
	for one in 1 2; do
		same "$(names_in "$tree/shared/web$one")" "$(names_in "$guests/web$one/log")"
		guest "web$one" lxc "$one"
		does release end failed
	done
	nothing_left
}
