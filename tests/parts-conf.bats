#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# parts.conf: what makes it invalid as a whole, what no valid policy means, and which paths its rules allow.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034,SC2016 # variables of parts_make, guest and call; parts expand what is in them
load lib/parts.bash

setup() {
	parts_make
	ask "<preload><dircopy><src>$seed/www</src><dst>$me/www</dst></dircopy></preload>"
	mkdir "$seed/www"
}

teardown() {
	parts_remove
}

# The part is run by hand: the dispatcher runs no part of the tree where [dirs] do not count.

# invalid TEXT...: nothing is allowed, and the message has each TEXT
invalid() {
	local text
	by_hand virt-parts prepare begin
	[[ $status -eq 1 ]] || return
	has "$output" 'web1: virt-parts: no valid policy, so nothing is allowed: ' && has "$output" '; mend it and try again' || return
	for text; do
		has "$output" "$text" || return
	done
	no_record && is_gone "$tree/state" "$me/www" && proof 1 1 0 0 invalid
}

valid() {
	by_hand virt-parts prepare begin
	[[ $status -eq 0 ]] || return
	proof 1 0 0 1 valid
	rm -r "$tree/state"
}

# line_is_wrong LINE WHY [SECTION]: a line after good ones
line_is_wrong() {
	policy "[${3:-paths}]"
	# which conf gives already
	sed -i '/^teardown-wait = /d' "$hooks/parts.conf"
	printf '%s\n' "$1" >>"$hooks/parts.conf"
	local number
	number=$(wc -l <"$hooks/parts.conf")
	invalid "$hooks/parts.conf:$number: '" "$2"
}

@test "the installed file is valid, and its values are those that are built in" {
	sed "s,^state = .*,state = $tree/state,; s,^run = .*,run = $tree/run,
		s,^read = /srv/seed,read = $seed,; s,^write = /srv/guests,write = $guests," "$checkout/hooks/parts.conf" >"$hooks/parts.conf"
	valid
	# whatever of it is left out, the paths of the guest excepted
	printf '%s\n' '[dirs]' "state = $tree/state" '[paths]' "read = $seed" "write = $guests/%NAME%" >"$hooks/parts.conf"
	valid
}

@test "without a file, and with one that somebody else may have written, nothing is allowed" {
	rm "$hooks/parts.conf"
	invalid "'$hooks/parts.conf': No such file or directory"
	policy
	chmod 0664 "$hooks/parts.conf"
	invalid "'$hooks/parts.conf' can be written by others than root (mode 0664)"
	chmod 0646 "$hooks/parts.conf"
	invalid 'can be written by others'
	chmod 0644 "$hooks/parts.conf"
	chown 12 "$hooks/parts.conf"
	invalid "'$hooks/parts.conf' belongs to user 12, not to root"
	chown 0:12 "$hooks/parts.conf"
	valid
	chmod 0775 "$hooks"
	invalid "'$hooks' can be written by others than root"
	chmod 0755 "$hooks"
	chown 12 "$hooks"
	invalid "'$hooks' belongs to user 12"
	chown 0 "$hooks"
	if setfacl -m u:12:rw "$hooks/parts.conf" 2>/dev/null; then
		invalid 'can be written by others'
		setfacl -b "$hooks/parts.conf"
		chmod 0644 "$hooks/parts.conf"
	fi
	valid
}

@test "a link to the file counts as what it leads to" {
	mkdir "$tree/etc"
	mv "$hooks/parts.conf" "$tree/etc/parts.conf"
	ln -s "$tree/etc/parts.conf" "$hooks/parts.conf"
	valid
	chmod 0777 "$tree/etc"
	invalid "'$tree/etc' can be written by others"
	chmod 0755 "$tree/etc"
	chown -h 12 "$hooks/parts.conf"
	invalid "'$hooks/parts.conf' belongs to user 12"
	rm "$hooks/parts.conf"
	ln -s nowhere "$hooks/parts.conf"
	invalid 'No such file or directory'
	ln -sf parts.conf "$hooks/parts.conf"
	invalid 'Too many levels of symbolic links'
}

@test "what is no regular file of at most 1 MiB is invalid, and never waited for" {
	rm "$hooks/parts.conf"
	mkfifo -m 0644 "$hooks/parts.conf"
	invalid 'is not a regular file of at most 1 MiB'
	rm "$hooks/parts.conf"
	mkdir "$hooks/parts.conf"
	invalid 'is not a regular file'
	rmdir "$hooks/parts.conf"
	ln -s /dev/null "$hooks/parts.conf"
	invalid ''
	rm "$hooks/parts.conf"
	policy
	yes '# a comment that is as long as a comment may be' | head -c 1100000 >>"$hooks/parts.conf"
	invalid 'of at most 1 MiB'
}

@test "an unknown section or key, or one in the wrong section, makes the whole file invalid" {
	line_is_wrong '[path]' "'[path]' is not a section of this file"
	line_is_wrong '[Paths]' 'is not a section'
	line_is_wrong '[]' 'is not a section'
	line_is_wrong '[paths' "is not of the form 'key = value'"
	line_is_wrong '[paths] # mine' "is not of the form 'key = value'"
	line_is_wrong 'reed = /srv' "is not a key of this section"
	line_is_wrong 'READ = /srv' 'is not a key'
	line_is_wrong 'read = /srv' 'is not a key' limits
	line_is_wrong 'ramdisk-size = 1M' 'is not a key' paths
	line_is_wrong 'state = /srv' 'is not a key' migration
	printf '%s\n' "read = $seed" >"$hooks/parts.conf"
	invalid "parts.conf:1: 'read = $seed' stands before the first section"
}

@test "a blank at the beginning or end of a line, or none around the equals sign, makes it invalid" {
	line_is_wrong ' read = /srv' 'begins with a blank'
	line_is_wrong $'\tread = /srv' 'begins with a blank'
	line_is_wrong ' # comment' 'begins with a blank'
	line_is_wrong ' ' 'begins with a blank'
	line_is_wrong 'read = /srv ' 'ends with a blank'
	line_is_wrong $'read = /srv\t' 'ends with a blank'
	line_is_wrong $'read = /srv\r' 'ends with a blank'
	line_is_wrong 'read=/srv' "is not of the form 'key = value'"
	line_is_wrong 'read= /srv' "is not of the form"
	line_is_wrong 'read : /srv' "is not of the form"
	line_is_wrong 'read  = /srv' 'is not a key'
	line_is_wrong 'read =  /srv' 'is not absolute'
	line_is_wrong 'read = ' 'ends with a blank'
	line_is_wrong 'read' "is not of the form"
	printf '\xef\xbb\xbf[paths]\n' >"$hooks/parts.conf"
	invalid 'stands before the first section'
	policy
	sed -i 's/$/\r/' "$hooks/parts.conf"
	invalid "parts.conf:1: "
}

@test "a value is never cut, joined or widened: comments in a line, quotes and escapes are part of it" {
	mkdir "$tree/a"
	policy "read = $tree/a ;b" "read = $tree/c # d" "read = \"$tree/e\"" 2>/dev/null
	invalid 'is not absolute'
	policy "read = $tree/a ;b" "read = $tree/c # d" "read = $tree/e\\"
	ask "<preload><dircopy><src>$tree/a/x</src><dst>$me/www</dst></dircopy></preload>"
	by_hand virt-parts prepare begin
	[ "$status" -eq 1 ]
	has "$output" "'$tree/a/x' lies below no 'read' path"
	mkdir -p "$tree/a ;b/x"
	ask "<preload><dircopy><src>$tree/a ;b/x</src><dst>$me/www</dst></dircopy></preload>"
	valid
	policy "write = $tree/x = y"
	mkdir "$tree/x = y"
	ask "<preload><dircopy><src>$seed/www</src><dst>$tree/x = y/z</dst></dircopy></preload>"
	valid
}

@test "a repeated single-valued key makes it invalid, in two sections of one name, too; rules may be repeated" {
	policy '[limits]' 'ramdisk-size = 1M' 'ramdisk-size = 1M'
	invalid "'ramdisk-size = 1M' is given twice"
	policy '[limits]' 'ramdisk-size = 1M' '[migration]' '[limits]' 'ramdisk-size = 2M'
	invalid 'is given twice'
	policy '[dirs]' "state = $tree/state"
	invalid 'is given twice'
	policy '[timeout]' '20-archive = 1h' '20-archive = 2h'
	invalid 'is given twice'
	policy '[advisory]' '10-a' '10-a'
	invalid 'is given twice'
	policy "read = $seed" "read = $seed" '[limits]' '[limits]' 'ramdisk-size = 1M'
	valid
}

@test "a line of more than 4 KiB, and a NUL byte, make it invalid" {
	policy "# $(printf 'x%.0s' {1..4094})"
	valid
	policy "# $(printf 'x%.0s' {1..4095})"
	invalid '... is longer than 4096 bytes'
	policy
	printf 'read = /a\0b\n' >>"$hooks/parts.conf"
	invalid '... holds a NUL byte'
	policy
	printf '\0' >>"$hooks/parts.conf"
	invalid '... holds a NUL byte'
}

@test "comments, empty lines and a last line without its end are fine" {
	policy '' '# read = /' '#' '[limits]' ''
	printf 'ramdisk-size = 1M' >>"$hooks/parts.conf"
	valid
	# and it counts
	ask "<ramdisk><dir size='2M'>$me/tmp</dir></ramdisk>"
	by_hand virt-parts prepare begin
	[ "$status" -eq 1 ]
}

@test "a value that does not parse makes it invalid" {
	local -a table=(
		paths 'read = srv' 'is not absolute'
		paths 'read = /srv/' 'has an empty component'
		paths 'read = //srv' 'has an empty component'
		paths 'write = /srv/../etc' "has a component '.' or '..'"
		paths 'iso = /srv/./x' "has a component '.' or '..'"
		paths $'delete = /srv\x01' 'holds a control character'
		limits 'prepare-timeout = 60' 'is not a duration'
		limits 'prepare-timeout = 0s' 'is not a duration'
		limits 'part-timeout = 10m' 'is not a duration'
		limits 'part-timeout = -1s' 'is not a duration'
		limits 'teardown-wait = 9999999h' 'is not a duration'
		limits 'ramdisk-size = 1g' 'is not a size'
		limits 'ramdisk-size = 1GB' 'is not a size'
		limits 'ramdisk-size = -1' 'is not a size'
		limits 'ramdisk-total = 101%' 'is not a percentage'
		limits 'ramdisk-total = 2.5%' 'is not a percentage'
		limits 'ramdisk-total = %' 'is not a size'
		limits 'archive-bytes = 9223372036854775808' 'is not a size'
		limits 'archive-entries = 1K' 'is not a number'
		limits 'archive-entries = 5%' 'is not a number'
		limits 'archive-total = UNLIMITED' 'is not a size'
		limits 'archive-min-free = 5 %' 'is not a percentage'
		timeout '20-archive = soon' 'is not a duration'
		timeout 'a/b = 1h' 'is not the file name'
		timeout '.. = 1h' 'is not the file name'
		advisory 'a/b' 'is not the file name'
		migration 'shared-storage = maybe' 'is neither yes nor no'
		migration 'shared-storage = Yes' 'is neither yes nor no'
	)
	for ((i = 0; i < ${#table[@]}; i += 3)); do
		line_is_wrong "${table[i + 1]}" "${table[i + 2]}" "${table[i]}"
	done
	printf '%s\n' '[dirs]' 'state = var' >"$hooks/parts.conf"
	invalid 'is not absolute'
}

@test "every key takes what it must" {
	policy '[limits]' 'prepare-timeout = 1s' 'part-timeout = 90min' 'teardown-wait = 2h' 'ramdisk-size = 100%' 'ramdisk-total = unlimited' \
		'archive-bytes = 1T' 'archive-entries = unlimited' 'archive-total = 50%' 'archive-min-free = 0' \
		'[timeout]' '20-archive = 1h' '99-my.part_x = 5s' '[advisory]' '10-a' 'x = y' '[migration]' 'shared-storage = no'
	valid
}

@test "no valid policy: a release undoes what is recorded, and archives and deletes nothing" {
	mkdir -p "$me/log" "$me/scratch"
	ask "<ramdisk><dir size='1M'>$me/tmp</dir></ramdisk><preload><iso path='$iso/web1/a.iso'><file path='a'/></iso></preload>
		<archive><dircopy><src>$me/log</src><dst>$archive/web1/log</dst></dircopy></archive>
		<post-rm-rf><dir>$me/scratch</dir></post-rm-rf>"
	starts
	echo nonsense >>"$hooks/parts.conf"
	local part
	for part in archive post-rm-rf; do
		by_hand "$part" release end
		[ "$status" -eq 1 ]
		has "$output" 'no valid policy, so nothing is allowed'
	done
	is_gone "$archive/web1"
	is_there "$me/scratch"
	for part in ramdisk preload; do
		by_hand "$part" release end
		[ "$status" -eq 0 ]
	done
	not_mounted "$me/tmp"
	is_gone "$iso/web1/a.iso"
}

@test "no valid policy: nothing is mounted or copied even when a record is there" {
	does prepare begin
	rm -r "$me/www"
	echo nonsense >>"$hooks/parts.conf"
	by_hand preload prepare begin
	[ "$status" -eq 1 ]
	is_gone "$me/www"
	policy
	does release end failed
}

@test "what is wrong in another section leaves [dirs] as they are: a release has its record and log, and what it withheld follows" {
	local wrong
	ask "<ramdisk><dir size='1M'>$me/tmp</dir></ramdisk>
		<archive><dircopy><src>$me/tmp</src><dst>$archive/web1/tmp</dst></dircopy></archive>"
	isolate
	local -a inside=(nsenter --mount="/proc/$namespace/ns/mnt")
	# should it look in the host's directories all the same
	"${inside[@]}" mount -t tmpfs none /run
	"${inside[@]}" mount -t tmpfs none /var/log
	for wrong in 1 '$'; do
		policy '[limits]'
		starts
		"${inside[@]}" sh -c "echo saved >'$me/tmp/data'"
		sed -i "${wrong}i archive-bytes = 64GB" "$hooks/parts.conf"
		call release end destroyed
		[ "$status" -ne 0 ]
		has "$errors" 'no valid policy, so nothing is allowed'
		same "$(mounts_below "$tree")" "$me/tmp"
		says "release_end: warning: no valid parts.conf: $hooks/parts.conf:" 'the run stays unfinished, failed: 20-archive'
		policy
		does prepare begin
		holds "$archive/web1/tmp/data" saved
		does release end failed
		nothing_left
		rm -r "${archive:?}/web1" "$tree/log"
	done
}

# kept: a release that finds no record looks in the tree's directories, and says no more than that
kept() {
	rm -rf "$tree/log"
	call release end destroyed
	[[ $status -eq 0 ]] && says 'no valid parts.conf: ' "note: there is no record of its run in '$tree/state'"
}

# not_kept [EVENT]: the same cannot know that there is none, runs the admin's own parts, and fails
not_kept() {
	: >"$seen"
	call "${1:-release}" end destroyed
	[[ $status -ne 0 ]] || return
	has "$errors" "web1: parts.conf is not valid: " && has "$errors" "; the record of the run may lie elsewhere, and nothing is archived" &&
		has "$errors" "mend it, and the guest's next start or 'virt-parts resolve $id' finishes the run" && same "$(<"$seen")" '[record]'
}

@test "a guest does not start where its record cannot be told of it" {
	local event how
	hide_host
	mkdir -p "$me/tmp"
	ask "<ramdisk><dir size='64K'>$me/tmp</dir></ramdisk>"
	for event in start started; do
		for how in gone writable broken; do
			does prepare begin
			[[ $event == start ]] || does start begin
			case $how in
			gone) rm "$hooks/parts.conf" ;;
			writable) chmod 0666 "$hooks/parts.conf" ;;
			broken) echo '[dirs' >>"$hooks/parts.conf" ;;
			esac
			call "$event" begin
			[ "$status" -ne 0 ]
			has "$errors" "${event}_begin refused: parts.conf is not valid: "
			has "$errors" 'the record of the run may lie elsewhere'
			rm -f "$hooks/parts.conf"
			policy
			does stopped end
			does release end failed
			nothing_left
			# one without directives has no record
			chmod 0666 "$hooks/parts.conf"
			xml=$plain does "$event" begin
			policy
			chmod 0644 "$hooks/parts.conf"
		done
	done
}

@test "a file that is not valid has its [dirs] when nothing is wrong there; else a teardown whose record is not found fails" {
	local line
	hide_host
	for line in release stopped; do
		part "$parts/${line}_end.d/10-own" 'echo "[$VIRT_PARTS_FAILED]" >>"$seen"'
	done
	for line in 'reed = /srv' '[path]' '[limits ]' ' read = /srv' 'state = /srv' 'ramdisk-size = 1GB' $'read = /srv\r' "$(printf 'x%.0s' {1..5000})"; do
		policy
		printf '%s\n' "$line" >>"$hooks/parts.conf"
		kept
	done
	for line in nonsense "state = $tree/other" 'read = /srv'; do
		policy
		sed -i "1i $line" "$hooks/parts.conf"
		kept
	done
	policy '[limits]'
	printf 'ramdisk-size = 1M\0\n' >>"$hooks/parts.conf"
	kept
	# not all of what it says can be known
	for line in 'state = var' "state = $tree/state" 'stade = /srv' ' log = /srv' 'log = /srv ' nonsense '[paths' "$(printf 'x%.0s' {1..5000})"; do
		policy
		sed -i "2i $line" "$hooks/parts.conf"
		not_kept
	done
	policy
	sed -i 's/$/\r/' "$hooks/parts.conf"
	not_kept
	for line in '[Dirs]' '[dir]' '[dirs' '[dirs] ' ' [dirs]'; do
		policy
		sed -i "1s/.*/$line/" "$hooks/parts.conf"
		not_kept
	done
	policy '[limits]' ' [dirs]'
	not_kept
	not_kept stopped
	policy nonsense
	chmod 0664 "$hooks/parts.conf"
	not_kept
	rm "$hooks/parts.conf"
	not_kept
	# who asks for nothing is not concerned
	metadata ''
	does release end destroyed
}

# --- rules -----------------------------------------------------------------------------------------------------

@test "%NAME% and %UUID% scope a rule to the guest" {
	conf '[paths]' "read = $seed" "write = $tree/x-%NAME%-%UUID%/y"
	ask "<preload><dircopy><src>$seed/www</src><dst>$tree/x-web1-$id/y/z</dst></dircopy></preload>"
	valid
	ask "<preload><dircopy><src>$seed/www</src><dst>$tree/x-web2-$id/y/z</dst></dircopy></preload>"
	by_hand virt-parts prepare begin
	[ "$status" -eq 1 ]
	# a guest cannot call itself into another's place
	guest '%UUID%'
	conf '[paths]' "read = $seed" "write = $tree/%NAME%"
	ask "<preload><dircopy><src>$seed/www</src><dst>$tree/%UUID%/z</dst></dircopy></preload>"
	by_hand virt-parts prepare begin
	[ "$status" -eq 1 ]
	ask "<preload><dircopy><src>$seed/www</src><dst>$tree/%NAME%/z</dst></dircopy></preload>"
	valid
}

@test "each kind of rule allows its own and nothing else" {
	local kind form
	for kind in read write delete iso; do
		conf '[paths]' "read = $seed" "write = $me" "$kind = $tree/only"
		mkdir -p "$tree/only/x"
		for form in "<post-rm-rf><dir>@</dir></post-rm-rf>delete" "<ramdisk><dir size='1M'>@</dir></ramdisk>write" \
			"<preload><iso path='@'><file path='a'/></iso></preload>iso" "<preload><dircopy><src>@</src><dst>$me/a</dst></dircopy></preload>read"; do
			ask "${form%>*}>"
			xml=${xml//@/"$tree/only/x"}
			by_hand virt-parts prepare begin
			if [[ ${form##*>} == "$kind" ]]; then
				[ "$status" -eq 0 ]
				rm -r "$record"
			else
				[ "$status" -eq 1 ]
				has "$output" "lies below no '${form##*>}' path"
			fi
		done
	done
}

@test "what lies above an allowed path must be root's alone and no link" {
	local base=$tree/base
	mkdir -p "$base/root"
	conf '[paths]' "read = $seed" "write = $base/root"
	ask "<preload><dircopy><src>$seed/www</src><dst>$base/root/x</dst></dircopy></preload>"
	lives
	chmod 0777 "$base"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" "cannot open the allowed path '$base/root': '$base' can be written by others than root"
	does release end failed
	chmod 1777 "$base"
	call prepare begin
	[ "$status" -ne 0 ]
	does release end failed
	chmod 0755 "$base"
	chown 12 "$base"
	call prepare begin
	[ "$status" -ne 0 ]
	does release end failed
	chown 0 "$base"
	# the root itself may be anybody's
	chown 12 "$base/root"
	chmod 0777 "$base/root"
	lives
	mv "$base" "$tree/moved"
	ln -s moved "$base"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" "is a symbolic link: write the path that it leads to in parts.conf"
	does release end failed
	rm "$base"
	mkdir "$base"
	ln -s "$tree/moved/root" "$base/root"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" 'is a symbolic link'
	does release end failed
	nothing_left
}

@test "the same holds for paths that are read: a source that others may have led elsewhere is refused" {
	policy "read = $tree/open/seed"
	mkdir -p "$tree/open/seed/x"
	chmod 1777 "$tree/open"
	ask "<preload><dircopy><src>$tree/open/seed/x</src><dst>$me/www</dst></dircopy></preload>"
	refused "<preload><dircopy><src>: cannot open the allowed path '$tree/open/seed': '$tree/open' can be written by others than root"
}

@test "a missing read or delete root is not made" {
	conf '[paths]' "read = $tree/none" "delete = $tree/nowhere" "write = $me"
	ask "<preload><dircopy><src>$tree/none/x</src><dst>$me/x</dst></dircopy></preload>"
	refused "cannot open the allowed path '$tree/none'"
	ask "<post-rm-rf><dir>$tree/nowhere/x</dir></post-rm-rf>"
	lives
	is_gone "$tree/none" "$tree/nowhere"
	nothing_left
}
