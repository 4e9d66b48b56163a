#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# <archive>: directories copied to a safe place when the guest has ended: what, where, when and how much.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # variables of parts_make, guest and call
load lib/archive.bash

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

@test "where all names are taken, that is said, and what to do" {
	archive
	mkdir -p "$archive/web1"
	python3 -c 'import os, sys
for n in range(2, 10001): open(sys.argv[1] + "-" + str(n), "w").close()
os.mkdir(sys.argv[1])' "$archive/web1/log"
	starts
	call release end destroyed
	[ "$status" -ne 0 ]
	has "$errors" "all names from 'log' to 'log-10000' are taken; move some away, or name another place"
	rm "$archive/web1/log-7"
	does prepare begin
	holds "$archive/web1/log-7/messages" logged
	does release end failed
	nothing_left
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

# an archive that is stopped when all is copied: its first unlinkat() is of the directory that hard links are kept in
held_back() {
	by_hand archive release end strace -f -o "$tree/trace" -e trace=unlinkat -e inject=unlinkat:signal=STOP:when=1
	echo "$output" >"$tree/told"
}

@test "what changes behind its copying, before the archive is in place, is a failure, and is archived the next time" {
	command -v strace >/dev/null || skip 'needs strace'
	archive
	starts
	background held_back
	within 60 grep -q 'stopped by SIGSTOP' "$tree/trace"
	compgen -G "$archive/web1/.virt-parts.*/tree/messages"
	compgen -G "$archive/web1/.virt-parts.*/tree/sub/deep"
	printf LATER1 | dd of="$me/log/messages" conv=notrunc status=none
	kill -CONT "$(awk '/stopped by SIGSTOP/ {print $1; exit}' "$tree/trace")"
	wait "${helpers[-1]}"
	has "$(<"$tree/told")" "cannot archive '$me/log' to '$archive/web1/log': something in it changed while it was copied"
	same "$(ls -A "$archive/web1")" ''
	does release end destroyed
	has "$(<"$archive/web1/log/messages")" LATER1
	nothing_left
}

@test "an error of the last look at what was copied is told as that, not as a change" {
	command -v strace >/dev/null || skip 'needs strace'
	archive
	starts
	# a directory is read by two calls each time: the state before, the copy, and the last look
	by_hand archive release end strace -f -o "$tree/trace" -P "$me/log/sub" -e trace=getdents64 -e inject=getdents64:error=EIO:when=5
	[ "$status" -ne 0 ]
	has "$output" 'cannot see whether it changed while it was copied: Input/output error'
	same "$(ls -A "$archive/web1")" ''
	does release end destroyed
	nothing_left
}

# small N: so many files of one byte, each of which takes a block
small() {
	python3 -c 'import os, sys
for n in range(int(sys.argv[2])): os.write(os.open(sys.argv[1] + "/" + str(n), os.O_CREAT | os.O_WRONLY), b"x") and os.closerange(3, 9)' "$me/log" "$1"
}

@test "archive-total counts what small files take, not what they hold" {
	policy '[limits]' 'archive-total = 200K'
	archive
	small 60
	starts
	call release end destroyed
	[ "$status" -ne 0 ]
	has "$errors" 'archive-total of parts.conf would not hold'
	same "$(ls -A "$archive/web1")" ''
	policy '[limits]' 'archive-total = 400K'
	does prepare begin
	does release end failed
	same "$(names_in "$archive/web1")" log
}

@test "archive-min-free holds while an archive of small files is made" {
	policy '[limits]' 'archive-min-free = 50%'
	mount -t tmpfs -o size=16m,mode=755 small "$archive"
	archive
	small 5000
	starts
	call release end destroyed
	[ "$status" -ne 0 ]
	has "$errors" 'archive-min-free of parts.conf would not hold'
	same "$(ls -A "$archive/web1")" ''
	mount -o remount,size=64m "$archive"
	does prepare begin
	does release end failed
	same "$(names_in "$archive/web1")" log
	umount "$archive"
}

@test "archive-min-free as a percentage is one of the inodes, too" {
	policy '[limits]' 'archive-min-free = 50%'
	mount -t tmpfs -o size=64m,nr_inodes=4000,mode=755 small "$archive"
	archive
	small 3000
	starts
	call release end destroyed
	[ "$status" -ne 0 ]
	has "$errors" 'archive-min-free of parts.conf would not hold any more: too few inodes are left'
	same "$(ls -A "$archive/web1")" ''
	mount -o remount,nr_inodes=8000 "$archive"
	does prepare begin
	does release end failed
	same "$(names_in "$archive/web1")" log
	umount "$archive"
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
