#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What the root of a guest can put into its tree before it ends: the shipped parts archive and delete it within 64 MiB
# and 64 descriptors, and let nothing through that would be dangerous on the host.

# shellcheck disable=SC2010,SC2012,SC2016,SC2030,SC2031,SC2034,SC2094,SC2119,SC2120,SC2154 # of attack_make, run, call
load lib/attack.bash

setup() {
	attack_make
	mkdir -p "$me/log"
	ask "<archive><dircopy mode='0755'><src>$me/log</src><dst>$archive/web1/log</dst></dircopy></archive>
		<post-rm-rf><dir>$me/log</dir></post-rm-rf>"
}

teardown() {
	parts_remove
}

@test "a program that takes more than 64 MiB or 64 descriptors is seen to" {
	[[ -x /usr/bin/time ]] || skip 'needs time'
	local rss
	rss=$(/usr/bin/time -f %M perl -e '$x = "x" x 80e6' 2>&1)
	((rss > 65536))
	not bash -c 'ulimit -n 64; exec perl -e "for (1 .. 64) { open(\$f[\$_], q(<), q(/dev/null)) || exit 1 }"'
	proof 10 0 0 2
}

# both: archived and deleted, within limits
both() {
	[[ -x /usr/bin/time ]] || skip 'needs time'
	does prepare begin
	within_limits archive release end && [[ $status -eq 0 ]]
	within_limits post-rm-rf release end && [[ $status -eq 0 ]]
	is_gone "$me/log"
	is_there "$archive/web1/log"
}

@test "setuid, setgid, capabilities, device nodes, attributes of the system: none is in an archive for all to see" {
	cp /bin/true "$me/log/setuid"
	chmod 6755 "$me/log/setuid"
	cp /bin/true "$me/log/capable"
	setcap cap_setuid,cap_net_raw+ep "$me/log/capable" 2>/dev/null ||
		setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 "$me/log/capable" || true
	mkdir -m 3777 "$me/log/setgid"
	mknod "$me/log/disk" b 7 0
	mknod "$me/log/null" c 1 3
	chmod 0666 "$me/log/"{disk,null}
	setfattr -n trusted.overlay.opaque -v y "$me/log/setgid" || true
	setfattr -n security.planted -v y "$me/log/capable" || true
	mknod "$me/log/whiteout" c 0 0
	# what a naive copy lets through
	cp -a "$me/log" "$tree/naive"
	local dangerous attributes
	dangerous=$(find "$tree/naive" \( -perm /6000 -o -type b -o -type c \) -print | wc -l)
	attributes=$(getfattr -R -h -d -m '^(security|trusted)' "$me/log" 2>/dev/null | grep -c =)
	lives
	# as somebody who is not root sees it
	run setpriv --reuid 65534 --regid 65534 --clear-groups find "$archive/web1/log" \( -perm /6000 -o -type b -o -type c \)
	same "$output" ''
	same "$(getcap -r "$archive/web1/log" 2>/dev/null)" ''
	same "$(getfattr -R -h -d -m '^(security|trusted)' "$archive/web1/log" 2>/dev/null | grep -v -e '^#' -e '^$' -e security.selinux)" ''
	is_there "$archive/web1/log/"{setuid,capable,setgid}
	is_gone "$archive/web1/log/"{disk,null,whiteout}
	proof 8 6 0 "$dangerous" 'planted; a naive copy holds'
	proof 9 3 0 "$attributes" 'planted; a naive copy holds'
}

@test "the same in what is preloaded" {
	mkdir -p "$seed/x/sub"
	cp /bin/true "$seed/x/sub/setuid"
	chmod 6755 "$seed/x/sub/setuid"
	mknod "$seed/x/disk" b 7 0
	ask "<preload><dircopy><src>$seed/x</src><dst>$me/x</dst></dircopy>
		<iso path='$iso/web1/seed.iso'><src>$seed/x</src></iso></preload>"
	starts
	same "$(find "$me/x" \( -perm /6000 -o -type b -o -type c \))" ''
	is_there "$me/x/sub/setuid"
	not grep -q disk <(in_image "$iso/web1/seed.iso")
	proof 8 2 0 "$(find "$seed/x" \( -perm /6000 -o -type b \) | wc -l)" 'preloaded; in the source'
	ends
}

@test "sockets and FIFOs: nothing waits, a FIFO is one again, a socket is left out and said" {
	mkfifo "$me/log/fifo"
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind("socket")' 2>/dev/null || true
	(cd "$me/log" && perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => "socket", Listen => 1)')
	lives
	[[ -p $archive/web1/log/fifo ]]
	is_gone "$archive/web1/log/socket" "$me/log"
	says "socket"
}

@test "names with newlines, escapes and bytes that are no text: kept as they are, and none reaches the log" {
	local one
	for one in $'new\nline' $'esc\e[31mred' $'\xff\xfe' $'cr\rx' ' ' '-rf' '%DATE%' '$(id)' "$(printf 'n%.0s' {1..255})"; do
		mkdir "$me/log/$one"
		echo "$one" >"$me/log/$one/$one"
		mknod "$me/log/$one/device" c 1 3
	done
	lives
	same "$(find "$archive/web1/log" -mindepth 2 -type f -printf x)" xxxxxxxxx
	is_there "$archive/web1/log/"$'new\nline/new\nline' "$archive/web1/log/"$'\xff\xfe/\xff\xfe'
	not grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$tree/log/lxc-web1.log"
	# one line each, that begins as lines do
	not grep -qvE '^(20[0-9-]+T|web1: )' "$tree/log/lxc-web1.log"
	is_gone "$me/log"
}

@test "ten thousand hard links of one file are one file in the archive" {
	local count
	count=$(full 60000 10000)
	head -c 100000 /dev/zero >"$me/log/1"
	mkdir "$me/log/d"
	perl -e 'link("$ARGV[0]/1", "$ARGV[0]/d/$_") || die for 2 .. $ARGV[1]' "$me/log" "$count"
	both
	same "$(stat -c %h "$archive/web1/log/1")" "$count"
}

@test "a tree of a hundred thousand levels is archived and deleted" {
	local levels
	levels=$(full 100000 10000)
	"$build/tools/tree-tool" make-deep "$me/log" "$levels" "$(printf 'n%.0s' {1..50})"
	both
	"$build/tools/tree-tool" remove "$archive/web1" log
}

@test "a million files are archived and deleted" {
	local count
	count=$(full 1000000 20000)
	# few with anything in them: each of those takes a page of the memory that they are in
	perl -e 'for (1 .. $ARGV[1]) { open(F, ">", "$ARGV[0]/" . "$_" x 3) || die; print F $_ unless $_ % 100 }' "$me/log" "$count"
	both
	same "$(find "$archive/web1/log" -mindepth 1 | wc -l)" "$count"
}

@test "a deep and wide tree with a sparse file of eight EiB is preloaded within the same limits" {
	[[ -x /usr/bin/time ]] || skip 'needs time'
	local count
	count=$(full 100000 2000)
	ask "<preload><dircopy><src>$me/log</src><dst>$me/copy</dst></dircopy></preload>"
	"$build/tools/tree-tool" make-deep "$me/log" "$count" "$(printf 'n%.0s' {1..50})"
	perl -e 'for (1 .. $ARGV[1]) { open(F, ">", "$ARGV[0]/$_") || die; print F $_ }' "$me/log" "$count"
	truncate -s 9223372036854775807 "$me/log/sparse"
	by_hand virt-parts prepare begin
	within_limits preload prepare begin && [[ $status -eq 0 ]]
	same "$(find "$me/copy" -mindepth 1 -maxdepth 1 -type f | wc -l)" $((count + 1))
	same "$(stat -c %s "$me/copy/sparse")" 9223372036854775807
	does release end failed
	"$build/tools/tree-tool" remove "$me" copy
	"$build/tools/tree-tool" remove "$me" log
}

@test "a sparse file of eight EiB takes no time and no room" {
	truncate -s 9223372036854775807 "$me/log/sparse" || truncate -s 8E "$me/log/sparse" || truncate -s 15T "$me/log/sparse"
	echo end | dd of="$me/log/sparse" bs=1 seek=1T conv=notrunc 2>/dev/null
	both
	(($(stat -c %b "$archive/web1/log/sparse") < 100))
	same "$(stat -c %s "$archive/web1/log/sparse")" 9223372036854775807
}

@test "more than the limits allow is refused, and nothing of it is deleted or left over" {
	local limit
	for limit in 'archive-entries = 100' 'archive-bytes = 1M'; do
		policy '[limits]' "$limit"
		rm -rf "$me/log"
		mkdir -p "$me/log/d"
		touch "$me/log/d/"{1..200}
		head -c 2M /dev/zero >"$me/log/big"
		starts
		call release end destroyed
		[[ $status -ne 0 ]]
		has "$errors" "${limit%% *} of parts.conf"
		is_there "$me/log/d/200" "$me/log/big"
		same "$(ls -A "$archive/web1")" ''
		policy
		# the next start finishes it
		does prepare begin
		is_gone "$me/log"
		is_there "$archive/web1/log/d/200"
		mkdir "$me/log"
		does release end destroyed
		rm -r "$archive/web1/"*
	done
}

larger_than() {
	(($(stat -c %s "$2") > $1))
}

@test "a file that grows for ever ends the archive with an error, and is not deleted" {
	echo >"$me/log/growing"
	does prepare begin
	does started begin
	# not for ever here: it would fill the memory
	perl -e 'open(F, ">>", $ARGV[0]); while (tell(F) < 2e9) { print F "x" x 100 } sleep' "$me/log/growing" &
	helpers+=($!)
	policy '[limits]' 'archive-bytes = 100M' 'teardown-wait = 10min'
	# with one processor it may stand still while it is copied: it is too large by then
	within 200 larger_than 100000000 "$me/log/growing"
	call release end destroyed
	kill "${helpers[0]}"
	[[ $status -ne 0 ]]
	proof 10 1 0 0 'a file that grows'
	is_there "$me/log/growing"
	same "$(ls -A "$archive/web1")" ''
}

@test "who makes files for ever in what is deleted does not keep it busy for ever" {
	policy '[limits]' 'part-timeout = 20s' 'teardown-wait = 10min'
	ask "<post-rm-rf><dir>$me/log</dir></post-rm-rf>"
	starts
	# not for ever here: on a busy machine nobody would keep up, and they would fill the memory
	perl -e '$i = 0; while ($i < 2e6) { mkdir $ARGV[0]; open(F, ">", "$ARGV[0]/" . $i++) }' "$me/log" &
	helpers+=($!)
	within 60 test -e "$me/log/100"
	call release end destroyed
	kill "${helpers[0]}" || :
	# either it was quicker, or it says so, or it was ended in time
	((status == 0)) || says 'somebody still makes files' || says 'timed out'
}

@test "many and large attributes of files are no way to fill memory" {
	local i
	for i in {1..50}; do
		setfattr -n "user.a$i" -v "$(head -c 1000 /dev/zero | tr '\0' x)" "$me/log" 2>/dev/null || break
	done
	both
}
