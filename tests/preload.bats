#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# <preload>: an image that is built for the guest, and files that are copied into its tree.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # variables of parts_make, guest and call
load lib/parts.bash

setup() {
	parts_make
	image=$iso/web1/seed.iso
}

teardown() {
	parts_remove
}

needs() {
	local tool
	for tool; do
		command -v "$tool" >/dev/null || skip "needs $tool"
	done
}

# image ATTRIBUTES CONTENT
image() {
	ask "<preload><iso path='$iso/%NAME%/seed.iso' $1>$2</iso></preload>"
}

# dircopy ATTRIBUTES SRC DST
dircopy() {
	ask "<preload><dircopy $1><src>$2</src><dst>$3</dst></dircopy></preload>"
}

application_id() {
	dd if="$1" bs=1 skip=$((32768 + 574)) count=128 2>/dev/null | sed 's/ *$//'
}

label_of() {
	dd if="$1" bs=1 skip=$((32768 + 40)) count=32 2>/dev/null | sed 's/ *$//'
}

# --- iso -------------------------------------------------------------------------------------------------------

@test "an image is there while the guest runs, root's alone" {
	image '' "<file path='a'>text</file>"
	does prepare begin
	same "$(stat -c '%a %u:%g %h' "$image")" '600 0:0 1'
	does start begin
	does started begin
	does stopped end
	is_there "$image"
	does release end destroyed
	is_gone "$image"
	nothing_left
}

@test "the image's directories are made 0711, so that qemu's user gets at an image that it is given" {
	image "mode='0440' uid='64055' gid='64055'" "<file path='a'>text</file>"
	starts
	same "$(stat -c '%a %u:%g' "$image")" '440 64055:64055'
	same "$(stat -c '%a %u:%g' "$iso/web1" "$iso")" $'711 0:0\n711 0:0'
	ends
}

@test "contents of several sources, and files given in the metadata, meet at the image's root" {
	needs isoinfo xorriso
	mkdir -p "$seed/one/sub" "$seed/two/sub"
	echo 1 >"$seed/one/sub/a"
	echo 2 >"$seed/two/sub/b"
	echo 3 >"$seed/two/c"
	ln -s sub/b "$seed/two/link"
	image '' "<src>$seed/one</src><file path='sub/%NAME%.txt'>I am %NAME%, %UUID%
 &amp; %DATE%</file><src>$seed/two</src><file path='/deep/er/e'/>"
	starts
	same "$(in_image "$image")" "/
/c
/deep
/deep/er
/deep/er/e
/link
/sub
/sub/a
/sub/b
/sub/web1.txt"
	same "$(image_file "$image" sub/a)" 1
	same "$(image_file "$image" sub/b)" 2
	same "$(image_file "$image" sub/web1.txt)" "I am web1, $id
 & %DATE%"
	ends
	nothing_left
}

@test "the label is as asked for, with the guest's name, and says by default who made it" {
	local one
	image "label='CIDATA'" "<file path='a'/>"
	starts
	same "$(label_of "$image")" CIDATA
	same "$(application_id "$image")" "VIRT-PARTS ${id^^}"
	ends
	image "label='of %NAME%'" "<file path='a'/>"
	starts
	same "$(label_of "$image")" 'of web1'
	ends
	image '' "<file path='a'/>"
	starts
	same "$(label_of "$image")" VIRT-PARTS
	ends
	for one in '' "$(printf 'x%.0s' {1..33})" 'ä' 'a&#10;b'; do
		image "label='$one'" "<file path='a'/>"
		refused '<preload><iso>: label '
	done
	image "label='$(printf 'x%.0s' {1..32})'" "<file path='a'/>"
	accepted
}

@test "the same sources give the same image, byte for byte" {
	local first
	mkdir "$seed/d"
	echo same >"$seed/d/file"
	image '' "<src>$seed/d</src><file path='x'>y</file>"
	starts
	first=$(sha256sum <"$image")
	ends
	sleep 1.1
	starts
	same "$(sha256sum <"$image")" "$first"
	ends
}

@test "a file path that leads out of the image, or that names none, is refused" {
	local one
	for one in ../x a/../../x / '' a//b a/ ./a . .. 'a&#10;b'; do
		image '' "<file path='$one'>x</file>"
		refused '<preload><iso><file>: path '
	done
}

# many N ELEMENT: so often, each # of it replaced by its number
many() {
	local -i i
	for ((i = 1; i <= $1; i++)); do
		printf '%s' "${2//'#'/$i}"
	done
}

@test "an image has 64 sources and 1024 files at most; one more is refused before anything is done, with what there are" {
	local src="<src>$seed/d#</src>" file="<file path='f#'/>"
	mkdir "$seed"/d{1..65}
	image '' "$(many 64 "$src")$(many 1024 "$file")"
	accepted
	image '' "$(many 65 "$src")"
	refused '<preload><iso>: has 65 <src>, may have 64'
	image '' "$(many 1025 "$file")"
	refused '<preload><iso>: has 1025 <file>, may have 1024'
}

@test "one path from two places is refused, and no image is left" {
	mkdir -p "$seed/one" "$seed/two"
	echo 1 >"$seed/one/a"
	echo 2 >"$seed/two/a"
	local one
	for one in "<src>$seed/one</src><src>$seed/two</src>" "<src>$seed/one</src><file path='a'>x</file>" "<file path='a'/><file path='a'/>" "<file path='a'/><file path='a/b'/>"; do
		image '' "$one"
		call prepare begin
		[ "$status" -ne 0 ]
		has "$errors" "web1: <preload><iso>: cannot build '$image': "
		does release end failed
		is_gone "$image"
		nothing_left
	done
}

@test "a file that is not this guest's image is refused, whatever it is, and left alone" {
	image '' "<file path='a'/>"
	mkdir -p "$iso/web1" "$tree/elsewhere"
	local one
	for one in text other-guest directory link dangling fifo empty; do
		rm -rf "$image"
		case $one in
		text) echo mine >"$image" ;;
		empty) : >"$image" ;;
		other-guest)
			guest web2 lxc 2
			ask "<preload><iso path='$iso/web2/seed.iso' keep='yes'><file path='a'/></iso></preload>"
			lives
			guest web1
			mv "$iso/web2/seed.iso" "$image"
			;;
		directory) mkdir "$image" ;;
		link)
			echo theirs >"$tree/elsewhere/file"
			ln -s "$tree/elsewhere/file" "$image"
			;;
		dangling) ln -s "$tree/elsewhere/none" "$image" ;;
		fifo) mkfifo "$image" ;;
		esac
		call prepare begin
		[ "$status" -ne 0 ]
		has "$errors" "web1: <preload><iso>: cannot build '$image': there is a file which is not this guest's image; move it away or name another path"
		does release end failed
		is_there "$image"
	done
	holds "$tree/elsewhere/file" theirs
	is_gone "$tree/elsewhere/none"
}

@test "an image of this guest, kept from an earlier run, is built anew" {
	needs isoinfo
	image "keep='yes'" "<file path='a'>old</file>"
	lives
	is_there "$image"
	image "keep='no'" "<file path='a'>new</file>"
	starts
	same "$(image_file "$image" a)" new
	ends
	nothing_left
	is_gone "$image"
}

@test "an image of another name of the same UUID is this guest's" {
	image "keep='yes'" "<file path='a'>old</file>"
	lives
	xml=${xml/${id}/${id^^}}
	lives
	nothing_left
}

@test "what was put in the image's place while the guest ran is not removed" {
	image '' "<file path='a'/>"
	starts
	echo mine >"$image"
	call release end destroyed
	[ "$status" -ne 0 ]
	has "$errors" "cannot remove '$image': it is not this guest's image any more; it is left alone"
	holds "$image" mine
	rm "$image"
	does prepare begin
	does release end destroyed
	nothing_left
	starts
	rm "$image"
	ends
	nothing_left
}

# on_b COMMAND...: events come to another host, which has the files in common with this one, and no record
on_b() {
	local hooks=$tree/hooks-b
	[[ -e $hooks ]] || {
		cp -a "$tree/hooks" "$hooks"
		sed -i -E "s,^((state|run) = $tree/)(state|run)$,\\1\\3-b," "$hooks/parts.conf"
	}
	"$@"
}

@test "the image that another host has built meanwhile, or builds, is not removed at the end of the run here" {
	image '' "<file path='a'/>"
	starts
	on_b starts
	is_there "$tree/state-b"
	# as one is called where files without a name are not known
	touch "$iso/web1/.seed.iso.virt-parts"
	ends
	is_there "$image" "$iso/web1/.seed.iso.virt-parts"
	says "'$image' stays: it is not the image that this run built"
	no_record
	rm "$iso/web1/.seed.iso.virt-parts"
	on_b ends
	is_gone "$image"
}

@test "an image that an older virt-parts built, which has not noted which file that is, is removed; one of an unknown time of birth, too" {
	image '' "<file path='a'/>"
	local change
	for change in '/^built/d' 's/^(built [0-9]+) [^ ]+/\1 -/'; do
		starts
		sed -i -E "$change" "$record/done/preload"
		ends
		is_gone "$image"
	done
	starts
	sed -i -E 's/^built [0-9]+/built 1/' "$record/done/preload"
	ends
	is_there "$image"
}

@test "when the image stays: saved, from-snapshot, migrated" {
	local reason
	image '' "<file path='a'/>"
	for reason in saved from-snapshot migrated; do
		starts
		ends "$reason"
		is_there "$image"
		[[ $reason != saved ]] || does restore begin
		starts
		ends shutdown
		is_gone "$image"
	done
	for reason in shutdown destroyed crashed daemon failed unknown; do
		starts
		ends "$reason"
		is_gone "$image"
	done
	nothing_left
}

@test "a part that fails in the teardown keeps the image; the next start uses it as it is, and its end removes it" {
	local inode
	part "$parts/release_end.d/30-save" "[ -e '$tree/room' ]"
	image '' "<file path='a'/>"
	starts
	inode=$(stat -c '%i %z' "$image")
	call release end destroyed
	[ "$status" -ne 0 ]
	says "'$image' stays: a part failed before"
	starts
	same "$(stat -c '%i %z' "$image")" "$inode"
	says "'$image' is used as it is"
	touch "$tree/room"
	ends
	is_gone "$image"
	nothing_left
}

@test "a guest that comes back from a save has the very image that it had" {
	local inode
	mkdir "$seed/d"
	echo old >"$seed/d/a"
	image '' "<src>$seed/d</src>"
	starts
	inode=$(stat -c '%i %z' "$image")
	ends saved
	echo new >"$seed/d/a"
	does restore begin
	starts
	same "$(stat -c '%i %z' "$image")" "$inode"
	ends from-snapshot
	starts
	same "$(stat -c '%i %z' "$image")" "$inode"
	ends shutdown
	nothing_left
}

@test "an image that was moved with its disk while the guest was saved is the run's still, and goes at its end" {
	image '' "<file path='a'/>"
	starts
	ends saved
	# the new one is there before the old one goes, and has another number
	cp -a "$iso/web1" "$iso/moved"
	rm -r "$iso/web1"
	mv "$iso/moved" "$iso/web1"
	does restore begin
	starts
	ends shutdown
	is_gone "$image"
	nothing_left
}

@test "a saved guest that is started afresh gets a new image, and its ramdisk is new" {
	needs isoinfo
	mkdir "$seed/d"
	echo old >"$seed/d/a"
	ask "<ramdisk><dir size='1M'>$me/tmp</dir></ramdisk><preload><iso path='$image'><src>$seed/d</src></iso></preload>"
	starts
	echo x >"$me/tmp/file"
	ends saved
	echo new >"$seed/d/a"
	starts
	same "$(image_file "$image" a)" new
	is_gone "$me/tmp/file"
	ends
	nothing_left
}

@test "a source that is full of links, sockets and devices makes an image, with what it can hold" {
	needs xorriso
	mkdir "$seed/d"
	ln -s /etc/shadow "$seed/d/link"
	mkfifo "$seed/d/fifo"
	mknod "$seed/d/null" c 1 3
	echo x >"$seed/d/file"
	image '' "<src>$seed/d</src>"
	call prepare begin
	[ "$status" -eq 0 ] || has "$errors" "$seed/d/"
	does release end failed
	nothing_left
}

@test "of what an image leaves out no more than twenty are told" {
	mkdir "$seed/d"
	echo x >"$seed/d/file"
	python3 -c 'import os, sys
for n in range(100): os.mkfifo(sys.argv[1] + "/" + str(n))' "$seed/d"
	image '' "<src>$seed/d</src>"
	starts
	same "$(grep -c 'is not in the image: a FIFO' "$tree/log/lxc-web1.log")" 20
	same "$(grep -c 'and more, of which no more is told' "$tree/log/lxc-web1.log")" 1
	ends
	nothing_left
}

@test "a full disk refuses the start, and leaves neither image nor part of one" {
	mkdir -p "$iso"
	mount -t tmpfs -o size=256k,mode=711 full "$iso"
	mkdir "$seed/d"
	head -c 1000000 /dev/urandom >"$seed/d/large"
	image '' "<src>$seed/d</src>"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" "web1: <preload><iso>: cannot build '$image': "
	has "$errors" 'No space left on device'
	does release end failed
	same "$(find "$iso" -type f)" ''
	no_record
}

@test "a part that is killed when it has written the image leaves nothing in the images' directory" {
	needs strace
	mkdir "$seed/d"
	head -c 100000 /dev/zero >"$seed/d/file"
	image '' "<src>$seed/d</src>"
	ln -sf /dev/null "$vendor/prepare_begin.d/20-preload"
	does prepare begin
	by_hand preload prepare begin strace -f -o "$tree/trace" -e trace=fsync -e inject=fsync:signal=KILL:when=1
	[ "$status" -ne 0 ]
	has "$(<"$tree/trace")" 'killed by SIGKILL'
	same "$(names_in "$iso/web1")" ''
	does release end failed
	nothing_left
}

@test "what a part has left that was killed while it built goes at release, also where the image stays or was never placed" {
	local left=$iso/web1/.seed.iso.virt-parts one
	for one in "keep='no'" "keep='yes'"; do
		image "$one" "<file path='a'/>"
		starts
		echo partial >"$left"
		echo "built $(stat -c %i "$left") - $image" >>"$record/done/preload"
		ends saved
		is_there "$image"
		is_gone "$left"
		echo partial >"$left"
		sed -i '/^iso /d' "$record/done/preload"
		echo "built $(stat -c %i "$left") - $image" >>"$record/done/preload"
		ends shutdown
		is_gone "$left"
		rm "$image"
	done
	# one that is noted by no line is of another host, unless nothing was put into it
	ln -sf /dev/null "$vendor/prepare_begin.d/20-preload"
	does prepare begin
	echo partial >"$left"
	does release end failed
	is_there "$left"
	does prepare begin
	: >"$left"
	does release end failed
	is_gone "$left"
	nothing_left
}

# as_on_nfs [SIGNAL]: preload's prepare, where RENAME_NOREPLACE is not known; with a signal when it is told so
as_on_nfs() {
	ln -sf /dev/null "$vendor/prepare_begin.d/20-preload"
	does prepare begin
	by_hand preload prepare begin strace -f -o "$tree/trace" -e trace=renameat2 -e inject=renameat2:error=EINVAL${1:+:signal=$1}
	has "$(<"$tree/trace")" '(INJECTED'
}

@test "where no rename can spare what is there, as on NFS, an image is put in place, and removed, all the same" {
	needs strace
	image '' "<file path='a'/>"
	as_on_nfs
	[ "$status" -eq 0 ]
	same "$(names_in "$iso/web1")" seed.iso
	same "$(stat -c '%a %u:%g %h' "$image")" '600 0:0 1'
	does release end failed
	is_gone "$image"
	nothing_left
}

@test "where no rename can spare what is there, as on NFS, what appears while an image is built is not overwritten" {
	needs strace
	image '' "<file path='a'/>"
	# shellcheck disable=SC2016 # that shell expands it
	meanwhile "$tree/trace" sh -c 'echo mine >"$0/seed.iso"' "$iso/web1"
	as_on_nfs STOP
	[ "$status" -ne 0 ]
	has "$output" "cannot build '$image': File exists"
	holds "$image" mine
	same "$(names_in "$iso/web1")" seed.iso
}

# --- dircopy ---------------------------------------------------------------------------------------------------

a_tree() {
	mkdir -p "$1/sub/empty"
	echo page >"$1/index.html"
	echo deep >"$1/sub/file"
	ln -s sub/file "$1/link"
	chmod 0640 "$1/index.html"
	chmod 0750 "$1/sub"
	chown 12:34 "$1/index.html" "$1/sub"
}

@test "a directory is merged over what is there: what has no counterpart stays" {
	a_tree "$seed/www"
	mkdir -p "$me/www/sub"
	echo own >"$me/www/own"
	echo own >"$me/www/sub/own"
	echo old >"$me/www/index.html"
	dircopy '' "$seed/www" "$me/www"
	starts
	same "$(listing "$me/www")" 'index.html 640 12:34
link 777 0:0
own 644 0:0
sub 750 12:34
sub/empty 755 0:0
sub/file 644 0:0
sub/own 644 0:0'
	holds "$me/www/index.html" page
	holds "$me/www/link" deep
	ends
	# what was copied is the guest's
	is_there "$me/www/index.html"
	nothing_left
}

@test "a missing destination is made with its parents, as the source is" {
	a_tree "$seed/www"
	chmod 0711 "$seed/www"
	dircopy '' "$seed/www" "$me/a/b/www"
	starts
	same "$(stat -c %a "$me/a" "$me/a/b" "$me/a/b/www" | paste -sd' ')" '755 755 711'
	ends
}

@test "the destination itself stays as it is when it is there" {
	a_tree "$seed/www"
	mkdir "$me/www"
	chown 5:6 "$me/www"
	chmod 0701 "$me/www"
	dircopy '' "$seed/www" "$me/www"
	lives
	same "$(stat -c '%a %u:%g' "$me/www")" '701 5:6'
}

@test "uid, gid and mode are as they are asked for; who may read may search" {
	a_tree "$seed/www"
	dircopy "uid='100' gid='200' mode='0640'" "$seed/www" "$me/www"
	lives
	same "$(listing "$me/www")" 'index.html 640 100:200
link 777 100:200
sub 750 100:200
sub/empty 750 100:200
sub/file 640 100:200'
}

@test "setuid, setgid and capabilities do not come along" {
	mkdir "$seed/bin"
	cp /bin/true "$seed/bin/tool"
	setcap cap_net_raw+ep "$seed/bin/tool" 2>/dev/null || true
	chmod 6755 "$seed/bin/tool"
	dircopy '' "$seed/bin" "$me/bin"
	lives
	same "$(stat -c %a "$me/bin/tool")" 755
	same "$(getfattr -d -m - "$me/bin/tool" 2>/dev/null)" ''
}

@test "a link in the way is replaced, never followed; one as the destination is refused" {
	mkdir -p "$tree/elsewhere" "$me/www"
	a_tree "$seed/www"
	echo theirs >"$tree/elsewhere/index.html"
	ln -s "$tree/elsewhere" "$me/www/sub"
	ln -s "$tree/elsewhere/index.html" "$me/www/index.html"
	dircopy '' "$seed/www" "$me/www"
	lives
	holds "$tree/elsewhere/index.html" theirs
	same "$(find "$tree/elsewhere" -mindepth 1)" "$tree/elsewhere/index.html"
	holds "$me/www/sub/file" deep
	ln -s "$tree/elsewhere" "$me/way"
	local one
	for one in way way/deeper; do
		dircopy '' "$seed/www" "$me/$one"
		call prepare begin
		[ "$status" -ne 0 ]
		has "$errors" 'symbolic link'
		has "$errors" 'is never followed'
		does release end failed
	done
	same "$(find "$tree/elsewhere" -mindepth 1)" "$tree/elsewhere/index.html"
}

@test "several copies are made in their order, also into a ramdisk of the guest" {
	mkdir -p "$seed/one" "$seed/two"
	echo 1 | tee "$seed/one/a" >"$seed/one/b"
	echo 2 >"$seed/two/a"
	ask "<preload><dircopy><src>$seed/one</src><dst>$me/tmp/x</dst></dircopy></preload>
		<ramdisk><dir size='1M'>$me/tmp</dir></ramdisk>
		<preload><dircopy><src>$seed/two</src><dst>$me/tmp/x</dst></dircopy></preload>"
	starts
	holds "$me/tmp/x/a" 2
	holds "$me/tmp/x/b" 1
	ends
	is_gone "$me/tmp/x"
	nothing_left
}

@test "another mount in the destination or the source is not gone into" {
	mkdir -p "$seed/www/sub" "$me/www/sub"
	echo x >"$seed/www/sub/file"
	mount -t tmpfs other "$me/www/sub"
	dircopy '' "$seed/www" "$me/www"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" "cannot copy '$seed/www' to '$me/www'"
	is_gone "$me/www/sub/file"
	does release end failed
	umount "$me/www/sub"
	mount --bind "$tree/hooks" "$seed/www/sub"
	call prepare begin
	[ "$status" -ne 0 ]
	is_gone "$me/www/sub/parts.conf"
	does release end failed
}

@test "a full destination refuses the start, and no part of a file is left under its name" {
	mkdir "$seed/www" "$me/www"
	head -c 1000000 /dev/zero >"$seed/www/large"
	ask "<ramdisk><dir size='256K'>$me/www</dir></ramdisk><preload><dircopy><src>$seed/www</src><dst>$me/www/x</dst></dircopy></preload>"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" "web1: <preload><dircopy>: cannot copy '$seed/www' to '$me/www/x': "
	has "$errors" 'No space left on device'
	is_gone "$me/www/x/large"
	does release end failed
	nothing_left
}

@test "an unfinished run whose files were never all there does not go on without them" {
	mkdir "$seed/www"
	head -c 1000000 /dev/zero >"$seed/www/large"
	ask "<ramdisk><dir size='256K'>$me/tmp</dir></ramdisk><preload><dircopy><src>$seed/www</src><dst>$me/tmp/x</dst></dircopy></preload>"
	call prepare begin
	[ "$status" -ne 0 ]
	# the end of that start cannot finish it
	sits "$me/tmp"
	call release end failed
	[ "$status" -ne 0 ]
	printf '%s' "$xml" >"$tree/guest.xml"
	"$build/virt-parts" --hook-dir "$hooks" explain "$tree/guest.xml" prepare begin >"$tree/explained" || true
	has "$(<"$tree/explained")" 'If the unfinished run cannot be finished, nothing of it is touched, and the guest is refused.'
	# mended, and started again
	echo small >"$seed/www/large"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" "web1: <preload>: the guest's unfinished run began without all that it is to find"
	has "$errors" "'virt-parts resolve $id'"
	call release end failed
	kill "${helpers[@]}"
	wait "${helpers[@]}" || true
	helpers=()
	starts
	holds "$me/tmp/x/large" small
	# one that had them goes on
	sits "$me/tmp"
	call release end shutdown
	[ "$status" -ne 0 ]
	starts
	says 'nothing is copied: the guest comes back to its files'
	kill "${helpers[@]}"
	ends
	nothing_left
}

@test "a guest that comes back from a save keeps its files; one that was reverted or saved and started afresh gets them again" {
	mkdir "$seed/www"
	echo 1 >"$seed/www/a"
	dircopy '' "$seed/www" "$me/www"
	starts
	echo changed >"$me/www/a"
	ends saved
	does restore begin
	starts
	holds "$me/www/a" changed
	says 'nothing is copied: the guest comes back to its files'
	ends saved
	starts
	holds "$me/www/a" 1
	echo changed >"$me/www/a"
	ends from-snapshot
	starts
	holds "$me/www/a" 1
	echo changed >"$me/www/a"
	ends shutdown
	starts
	holds "$me/www/a" 1
	ends migrated
	echo changed >"$me/www/a"
	starts
	holds "$me/www/a" 1
	ends
	nothing_left
}

# --- migration -------------------------------------------------------------------------------------------------

incoming() {
	mkdir -p "$seed/www"
	echo seed >"$seed/www/a"
	ask "<preload><iso path='$image'><src>$seed/www</src></iso><dircopy><src>$seed/www</src><dst>$me/www</dst></dircopy></preload>
		<ramdisk><dir size='1M'>$me/tmp</dir></ramdisk>"
}

@test "an incoming run builds an image that is missing, copies nothing, and leaves the image" {
	incoming
	does migrate begin
	does prepare begin
	same "$(sed -n 's/^begin //p' "$record/run")" incoming
	says 'nothing is copied: the guest comes by migration and may still run elsewhere'
	is_there "$image"
	is_gone "$me/www/a"
	is_mounted "$me/tmp"
	does start begin
	does started begin
	ends shutdown
	is_there "$image"
	nothing_left
}

@test "an incoming run uses an image that is there as it is" {
	local inode
	incoming
	starts
	ends migrated
	inode=$(stat -c '%i %z' "$image")
	echo changed >"$me/www/a"
	does migrate begin
	starts
	same "$(stat -c '%i %z' "$image")" "$inode"
	holds "$me/www/a" changed
	ends
	same "$(stat -c '%i %z' "$image")" "$inode"
	# the next run is its own
	starts
	holds "$me/www/a" seed
	ends
	is_gone "$image"
}

@test "without shared storage an incoming run is a run like any other" {
	policy '[migration]' 'shared-storage = no'
	incoming
	does migrate begin
	starts
	holds "$me/www/a" seed
	ends shutdown
	is_gone "$image"
	nothing_left
}

@test "archive-bytes and archive-entries bound what is copied and what an image holds" {
	policy_limit() { policy '[limits]' "$1"; }
	head -c 8192 /dev/zero >"$seed/big"
	ask "<preload><dircopy><src>$seed</src><dst>$me/www</dst></dircopy></preload>"
	policy_limit 'archive-bytes = 4K'
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" 'more than 4096 bytes'
	does release end failed
	ask "<preload><iso path='$iso/web1/seed.iso'><src>$seed</src></iso></preload>"
	call prepare begin
	[ "$status" -ne 0 ]
	does release end failed
	local nothing
	for nothing in 'archive-bytes = 0' 'archive-bytes = 0%' 'archive-entries = 0'; do
		policy_limit "$nothing"
		call prepare begin
		[ "$status" -ne 0 ]
		has "$errors" 'more than 0 '
		does release end failed
	done
	policy_limit 'archive-bytes = 1M'
	does prepare begin
	does release end failed
}
