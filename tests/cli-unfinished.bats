#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What is said of directives and paths while a run is unfinished: which count, and what is in whose way.

# shellcheck disable=SC2154,SC2030,SC2031 # variables of cli_make and vp
load lib/cli.bash

setup() { cli_make; }
teardown() { parts_remove; }

# unfinished: the run of a guest with a ramdisk and an archive, which cannot be finished
unfinished() {
	ask_file "$tmp$log"
	mkdir -p "$me/var/log"
	starts
	mv "$me/var/log" "$me/var/log.away"
	call release end destroyed
	[[ $status -ne 0 ]]
}

tmp="<ramdisk><dir size='1M'>@/tmp</dir></ramdisk>" log=''

# paths: $tmp and $log of this tree
paths() {
	tmp=${tmp//@/$guests/%NAME%}
	log="<archive><dircopy><src>$guests/%NAME%/var/log</src><dst>$archive/%NAME%/%DATE%</dst></dircopy></archive>"
}

# known: libvirt's test driver knows the guest, with the XML as it is in $file, and the record is of its guest
known() {
	known_as_asked
	mkdir -p "$tree/state/other"
	cp -a "$record" "$tree/state/other/"
}

@test "a prepare that goes on with an unfinished run says which directives do not count, and which still do" {
	paths
	unfinished
	ask "$tmp<post-rm-rf><dir>$me/x</dir></post-rm-rf>"
	does prepare begin
	says "warning: what the guest's XML says now of <post-rm-rf>, <archive> does not count until its unfinished run is finished"
	does release end failed || true
	# and nothing when they are as they were
	rm "$tree/log/lxc-web1.log"
	ask "$tmp$log"
	does prepare begin
	says 'the run goes on with the directives that it began with'
	lacks "$(<"$tree/log/lxc-web1.log")" 'does not count'
}

@test "a prepare that goes on with an unfinished run says so, too, when the guest's directives are all cleared" {
	paths
	unfinished
	metadata ''
	does prepare begin
	says "warning: what the guest's XML says now of <archive>, <ramdisk> does not count until its unfinished run is finished"
	is_mounted "$me/tmp"
	call release end failed
	# a guest without directives is not refused for what is wrong with the part that says so
	chmod 0777 "$tree/libexec/virt-parts"
	does prepare begin
	call release end failed
	chmod 0755 "$tree/libexec/virt-parts"
	mv "$me/var/log.away" "$me/var/log"
	does prepare begin
	no_record
}

@test "check and explain say which directives do not count until an unfinished run is finished" {
	paths
	unfinished
	vp check "$file"
	lacks "$output" 'does not count'
	vp explain "$file" prepare begin
	lacks "$output" 'does not count'
	ask_file "$tmp${log/<dircopy>/<dircopy mode=\'0750\'>}"
	finds check "$file"
	has "$output" 'warning: its last run is unfinished: until that is finished or discarded, what its XML says of <archive> does not count'
	has "$output" "mend: virt-parts resolve $id"
	vp explain "$file" prepare begin
	has "$output" "should that fail, what the XML says of <archive> does not count, but what the run began with: 'virt-parts resolve $id'"
	has "$output" "If the unfinished run cannot be finished, nothing of it is touched, and the guest starts with what it left, by the directives that it began with"
	has "$output" 'then, prepare begin'
	# what it says is true: when that is done they count
	mv "$me/var/log.away" "$me/var/log"
	good -c "$daemon" resolve web1
	good check "$file"
}

@test "a command that mends works as it is shown, whatever the guest is called" {
	guest "-o'neil 1" lxc $$
	local me=$guests/$name
	paths
	unfinished
	ask_file "$tmp"
	finds check --json "$file"
	local mend
	mend=$(json '.[] | select(.text | contains("does not count")).mend')
	finds check "$file"
	has "$output" "mend: $mend"
	vp explain "$file" prepare begin
	has "$output" "'$mend' finishes or discards it"
	known
	good -c "$daemon" set --no-check -- "$name" post-rm-rf "$me/x"
	has "$output" "mend: $mend"
	rm -r "${tree:?}/state/other"
	mv "$me/var/log.away" "$me/var/log"
	[[ $mend == 'virt-parts '* ]]
	bash -c "$build/virt-parts --hook-dir $hooks -c $daemon ${mend#* }"
	no_record
}

@test "a disk that was attached makes no directive one that does not count" {
	paths
	local image=$iso/web1/disk.attached.iso
	log+="<preload><iso path='$iso/%NAME%/seed.iso'><file path='a'>b</file></iso></preload>"
	unfinished
	# as attach does
	printf 'preload\n\tiso\n\t\t@path %s\n' "$image" >>"$record/asked/preload"
	vp check "$file"
	lacks "$output" 'does not count'
	does prepare begin
	lacks "$(<"$tree/log/lxc-web1.log")" 'does not count'
	call release end failed
	# what differs besides is told
	ask_file "${tmp}${log/>b</>c<}"
	finds check "$file"
	has "$output" 'what its XML says of <preload> does not count'
	# nor does one that a guest without any has
	ask_file "${tmp}${log%<preload>*}"
	printf 'preload\n\tiso\n\t\t@path %s\n' "$image"{,.2} >"$record/asked/preload"
	vp check "$file"
	lacks "$output" 'does not count'
	printf '\t\t@label x\n' >>"$record/asked/preload"
	finds check "$file"
	has "$output" 'what its XML says of <preload> does not count'
}

@test "check says so, too, of a guest that runs on in a run that went on unfinished; and status, which directives count" {
	paths
	unfinished
	starts
	ask_file "$tmp"
	finds check "$file"
	has "$output" 'its run went on unfinished: until that is finished or discarded, what its XML says of <archive> does not count'
	has "$output" 'mend: end the guest'
	known
	sed -i 's/^begin .*/begin unfinished/' "$tree/state/other/$id/run"
	vp -c "$daemon" status --json
	same "$(json '.[] | select(.driver == "other").state')" open
	vp -c "$daemon" status
	has "$output" 'until then the directives that it began with count'
}

@test "set and clear say that what is stored does not count until an unfinished run is finished" {
	paths
	unfinished
	known
	good -c "$daemon" set --no-check web1 post-rm-rf "$me/x"
	has "$output" "stored for 'web1'"
	lacks "$output" 'it counts from its next start'
	has "$output" 'what its XML says of <post-rm-rf> does not count, but what the run began with'
	has "$output" "mend: virt-parts resolve $id"
	good -c "$daemon" clear web1
	has "$output" 'what its XML says of <archive>, <ramdisk> does not count'
	rm -r "${tree:?}/state/other"
	good -c "$daemon" set --no-check web1 post-rm-rf "$me/x"
	has "$output" 'it counts from its next start'
	lacks "$output" 'does not count'
}

@test "the claims of a run whose guest was defined anew are no refusal: its start finishes that first" {
	policy "write = $tree/shared"
	mkdir "$tree/shared"
	local directives="<ramdisk><dir size='1M'>$tree/shared/tmp</dir></ramdisk>" old=$id
	ask_file "$directives"
	starts
	guest web1 lxc 2
	ask_file "$directives"
	finds check --json "$file"
	same "$(json '[.[].level] | unique | join(" ")')" warning
	has "$output" "a guest of this name that is gone has left a run that claims the same paths: the start finishes that first, or is refused; see 'virt-parts status $old'"
	good explain "$file" prepare begin
	has "$output" "the run of a guest of this name with the UUID $old, which is gone, is finished first"
	lacks "$output" 'in the way'
	starts
	is_gone "$tree/state/lxc/$old"
	local second=$id
	# another guest's are in the way, and how they get out of it is told
	guest web2 lxc 3
	ask_file "$directives"
	finds check "$file"
	has "$output" "which the run of the lxc guest 'web1' has claimed"
	has "$output" "finish its run, if it has ended, with 'virt-parts resolve $second'"
}

@test "of a guest that another host has by now, what it left here is not said to be its run" {
	local far="$daemon?socket=/tmp/other/libvirt-sock" elsewhere
	elsewhere="is a guest of '$far', which is not the libvirt of this host's system"
	paths
	unfinished
	ask_file "$tmp"
	known
	finds -c "$daemon" check web1
	has "$output" 'its last run is unfinished'
	finds -c "$far" check --json web1
	same "$(json '.[] | [.level, .text, .mend] | join("; ")')" \
		"warning; its paths, limits and parts are not checked, since it $elsewhere; check it on its own host"
	good -c "$far" set web1 post-rm-rf "$me/x"
	has "$output" "stored for 'web1'"
	lacks "$output" 'unfinished'
	wrong -c "$far" explain web1 prepare begin
	has "$errors" "'web1' $elsewhere; ask on its own host"
	same "$output" ''
}
