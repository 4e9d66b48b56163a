#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# virt-parts doctor: what is wrong with an installation; what it says to do is done, and mends it.

# shellcheck disable=SC2154,SC2016,SC2034 # variables of cli_make and vp
load lib/cli.bash

setup() {
	cli_make
	unshare -m true 2>/dev/null || skip 'needs unshare -m'
	# ramdisks of tests that run beside this one are none of its findings
	prefix=("${apart[@]}")
	asked=(-c "$daemon")
}
teardown() { parts_remove; }

# ill TEXT: doctor finds exactly one thing, which says TEXT
ill() {
	finds "${asked[@]}" doctor --json
	same "$(json '[.[] | select(.level != "note")] | length')" 1
	has "$(json '.[] | select(.level != "note").text')" "$1"
}

# mends: does what the finding says, and then nothing is wrong. The command's programs are this build's.
mends() {
	local command
	command=$(json '.[] | select(.level != "note").mend')
	PATH=$build:$PATH
	command=${command//virt-parts resolve/virt-parts --hook-dir $hooks -c $daemon resolve}
	echo "mends: $command" >&2
	bash -c "$command" </dev/null >&2
	good "${asked[@]}" doctor
}

# all_are_asked: without -c, each daemon that calls a hook of ours
all_are_asked() {
	libvirt_is_both
	rm "$hooks"/{libxl,bhyve}
	asked=()
}

# some_are_asked TEXT: doctor does not say it where a daemon that calls a hook of ours was not asked
some_are_asked() {
	good -c qemu:///system doctor && lacks "$output" "$1" || return
	prefix+=(LIBVIRT_DEFAULT_URI=lxc:///system)
	good doctor && lacks "$output" "$1" || return
	unset 'prefix[-1]'
	ln -s ../sbin/virt-parts-hook "$hooks/libxl"
	good doctor && lacks "$output" "$1" || return
	rm "$hooks/libxl"
	good doctor && has "$output" "$1"
}

@test "nothing is wrong with a sane tree, and doctor changes nothing" {
	changes_nothing good -c "$daemon" doctor
	same "$(tail -n 1 <<<"$output")" 'nothing is wrong'
	same "$(grep -c . <<<"$output")" 2
	lives
	good -c "$daemon" doctor
}

@test "a name in parts.conf that is no part's is found, and a shipped one that is to be advisory" {
	part "$parts/domains/web1/release_end.d/90-monitor"
	known
	policy '[timeout]' '20-archive = 1h' '90-monitor = 5s' '[advisory]' '90-monitor'
	good -c "$daemon" doctor
	policy '[timeout]' 'archive = 1h'
	ill "[timeout]: 'archive' does nothing: no part is called so; did you mean '20-archive'?"
	policy '[advisory]' '90-monitr'
	ill "[advisory]: '90-monitr' does nothing: no part is called so; did you mean '90-monitor'?"
	policy '[advisory]' '20-archive'
	ill "[advisory]: '20-archive' does nothing: it is a shipped part"
	# one of the admin's own in its place may be
	part "$parts/release_end.d/20-archive"
	good -c "$daemon" doctor
}

@test "a parts.conf that others may write is found" {
	chmod 0666 "$hooks/parts.conf"
	vp -c "$daemon" doctor --json
	[ "$status" -eq 1 ]
	has "$(json '.[0].text')" 'no guest with directives starts'
	bash -c "$(json '.[0].mend')"
	good -c "$daemon" doctor
}

@test "a parts.conf that is missing or malformed is found, with its line" {
	sed -i '2i nonsense' "$hooks/parts.conf"
	finds -c "$daemon" doctor
	has "$output" "parts.conf:2"
	rm "$hooks/parts.conf"
	finds -c "$daemon" doctor
	has "$output" "install -m 0644 /usr/share/virt-parts/parts.conf $hooks/parts.conf"
}

@test "an allowed path below a directory that others may write to is found" {
	chmod 0777 "$guests"
	finds -c "$daemon" doctor --json
	has "$(json '.[0].text')" "nothing below '$guests/%NAME%' is used"
	mapfile -t commands < <(json '.[].mend')
	bash -c "${commands[0]}"
	good -c "$daemon" doctor
}

@test "what is not root's alone for a directory above it is mended there" {
	all_four
	lives
	mkdir -p "$tree/deep/er"
	mv "$tree/state" "$tree/log" "$tree/deep/er/"
	sed -i "s|^state = .*|state = $tree/deep/er/state|; s|^log = .*|log = $tree/deep/er/log|" "$hooks/parts.conf"
	chown 1 "$tree/deep"
	finds -c "$daemon" doctor --json
	same "$(json '[.[] | select(.level == "error") | .about] | join(" ")')" 'records logs'
	has "$(json '.[] | select(.level == "error").text')" "'$tree/deep/er/state' is not root's alone: '$tree/deep' belongs to user 1, not to root"
	bash -c "$(json 'map(select(.level == "error"))[0].mend')"
	good -c "$daemon" doctor
	# of what lies elsewhere by a link, what that leads through
	mkdir "$tree/guests.d"
	mv "$guests" "$tree/guests.d/guests"
	ln -s guests.d/guests "$guests"
	chmod 0777 "$tree/guests.d"
	finds -c "$daemon" doctor --json
	bash -c "$(json 'map(select(.level == "error"))[0].mend')"
	good -c "$daemon" doctor
	chmod 0775 "$tree/hooks"
	finds -c "$daemon" doctor --json
	bash -c "$(json 'map(select(.about == "parts.conf"))[0].mend')"
	good -c "$daemon" doctor
	# what is everybody's stays so
	chmod 1777 "$tree/deep"
	finds -c "$daemon" doctor --json
	has "$(json 'map(select(.level == "error"))[0].mend')" "use a place that is not below $tree/deep"
}

@test "a missing hook, one that is not ours, and one installed twice are found" {
	rm "$hooks/qemu"
	ill "there is no hook '$hooks/qemu'"
	has "$(json '.[0].mend')" "ln -s /usr/sbin/virt-parts-hook $hooks/qemu"
	echo '#!/bin/sh' >"$hooks/qemu"
	chmod +x "$hooks/qemu"
	ill "'$hooks/qemu' is not virt-parts, which is not called; it can be beside it"
	mkdir "$hooks/qemu.d"
	ln -s ../../sbin/virt-parts-hook "$hooks/qemu.d/50-virt-parts"
	good -c "$daemon" doctor
	ln -sf ../sbin/virt-parts-hook "$hooks/qemu"
	ill 'every part runs twice'
	mends
}

@test "what doctor says to do where libvirt runs nothing beside a hook leaves a hook as it is that is not ours" {
	libvirt_is QEMU 6004000
	echo '#!/bin/sh' >"$tree/own"
	rm "$hooks/qemu"
	cp "$tree/own" "$hooks/qemu"
	ill "'$hooks/qemu' is not virt-parts, which is not called; this libvirt runs nothing beside it (6.5 does)"
	has "$(json '.[0].mend')" "let '$hooks/qemu' end with 'exec /usr/sbin/virt-parts-hook --driver qemu \"\$@\"'"
	mkdir "$hooks/qemu.d"
	ln -s "$tree/sbin/virt-parts-hook" "$hooks/qemu.d/50-virt-parts"
	ill "'$hooks/qemu.d/50-virt-parts' is never called: this libvirt runs nothing beside a hook (6.5 does)"
	has "$(json '.[] | select(.level == "error").mend')" "let '$hooks/qemu' end with 'exec "
	cmp "$tree/own" "$hooks/qemu"
	# done as it says
	echo "exec $tree/sbin/virt-parts-hook --driver qemu \"\$@\"" >>"$hooks/qemu"
	chmod 0755 "$hooks/qemu"
	ill "'$hooks/qemu.d/50-virt-parts' is never called"
	mends
	has "$output" "'$hooks/qemu' is not virt-parts, but names it"
	rmdir "$hooks/qemu.d"
	mkdir "$hooks/qemu.d"
	ln -s "$tree/sbin/virt-parts-hook" "$hooks/qemu.d/50-virt-parts"
	# nobody's place is ours
	rm "$hooks/qemu"
	ill "'$hooks/qemu.d/50-virt-parts' is never called"
	mends
	# beside it one is called by a newer
	libvirt_is QEMU 6005000
	mv -f "$tree/own" "$hooks/qemu"
	ill "'$hooks/qemu' is not virt-parts, which is not called; it can be beside it"
}

@test "virt-parts beside a hook that is not ours and calls it is found, and taking it away mends that" {
	local call
	rm "$hooks/qemu"
	mkdir "$hooks/qemu.d"
	ln -s "$tree/sbin/virt-parts-hook" "$hooks/qemu.d/50-virt-parts"
	printf '%s\n' '#!/bin/sh' '  # virt-parts-hook is beside this' \
		'echo my-virt-parts-hook virt-parts-hook.log $# ${#name} # virt-parts-hook is, too' \
		'exit 0	#virt-parts-hook' >"$hooks/qemu"
	chmod 0755 "$hooks/qemu"
	good -c "$daemon" doctor
	echo "exec $tree/sbin/virt-parts-hook --driver qemu \"\$@\"" >>"$hooks/qemu"
	# libvirt does not run what cannot be executed
	chmod 0644 "$hooks/qemu"
	good -c "$daemon" doctor
	chmod 0755 "$hooks/qemu"
	ill "'$hooks/qemu' is not virt-parts, but calls it, as it names it in line 5, and virt-parts is there, too, as '$hooks/qemu.d/50-virt-parts': every part runs twice; if that line does not call it, take the name out of it instead"
	mends
	is_gone "$hooks/qemu.d/50-virt-parts"
	has "$output" "'$hooks/qemu' is not virt-parts, but names it in line 5"
	# however that is written
	for call in '[ $# -gt 0 ] && virt-parts-hook "$@"' 'x=$(virt-parts-hook)' '"/usr/sbin/virt-parts-hook" <xml' \
		'hook=virt-parts-hook' 'exec ${hook:-/usr/sbin/virt-parts-hook}'; do
		sed -i "5c $call" "$hooks/qemu"
		good -c "$daemon" doctor
		has "$output" "'$hooks/qemu' is not virt-parts, but names it in line 5"
	done
}

@test "one in the directory beside a hook that calls virt-parts is found, and no other is to be put there" {
	local own=$hooks/qemu.d/30-own
	libvirt_is QEMU 6005000
	mkdir "$hooks/qemu.d"
	part "$own" "exec $tree/sbin/virt-parts-hook --driver qemu \"\$@\""
	ill "'$own' is not virt-parts, but calls it, as it names it in line 3, and virt-parts is there, too, as '$hooks/qemu': every part runs twice"
	mends
	is_gone "$hooks/qemu"
	has "$output" "'$own' is not virt-parts, but names it"
	# beside a hook that is not ours, too
	part "$hooks/qemu"
	good -c "$daemon" doctor
	has "$output" "'$own' is not virt-parts, but names it"
	ln -s "$tree/sbin/virt-parts-hook" "$hooks/qemu.d/50-virt-parts"
	ill "'$own' is not virt-parts, but calls it, as it names it in line 3, and virt-parts is there, too, as '$hooks/qemu.d/50-virt-parts': every part runs twice"
	mends
	# it is not run by an older one, nor what cannot be executed
	libvirt_is QEMU 6004000
	ill "'$hooks/qemu' is not virt-parts, which is not called; this libvirt runs nothing beside it (6.5 does)"
	libvirt_is QEMU 6005000
	chmod 0644 "$own"
	ill "'$hooks/qemu' is not virt-parts, which is not called; it can be beside it"
}

@test "a hook program that cannot be executed, and one that is gone, are found" {
	chmod 0644 "$tree/sbin/virt-parts-hook"
	finds -c "$daemon" doctor --json
	has "$(json '.[0].text')" "'$hooks/qemu' has no right to be executed, so libvirt passes over it"
	bash -c "$(json '.[0].mend')"
	good -c "$daemon" doctor
	rm "$tree/sbin/virt-parts-hook"
	finds -c "$daemon" doctor
	has "$output" 'leads nowhere, so virt-parts is not called'
}

@test "the hook of any driver is looked at that has one, and none is missing that is not usual" {
	rm "$hooks/libxl"
	good -c "$daemon" doctor
	mkdir "$hooks/libxl.d"
	ln -s "$tree/sbin/virt-parts-hook" "$hooks/libxl.d/50-virt-parts"
	ln -s "$tree/away/virt-parts-hook" "$hooks/libxl"
	finds -c "$daemon" doctor
	has "$output" "'$hooks/libxl' leads nowhere, so virt-parts is not called"
	has "$output" "virt-parts is installed twice, as '$hooks/libxl' and as '$hooks/libxl.d/50-virt-parts'"
	rm "$hooks/libxl"
	good -c "$daemon" doctor
	install -m 0644 "$tree/sbin/virt-parts-hook" "$tree/virt-parts-hook"
	ln -sf "$tree/virt-parts-hook" "$hooks/bhyve"
	ill "'$hooks/bhyve' has no right to be executed, so libvirt passes over it"
	mends
	# one of another version, where neither qemu nor lxc has a hook
	rm "$hooks/libxl.d/50-virt-parts" "$hooks"/{qemu,lxc}
	part "$tree/virt-parts-hook" 'echo "virt-parts-hook 0.0.1"'
	finds -c "$daemon" doctor
	has "$output" "says 'virt-parts-hook 0.0.1'"
}

@test "a part that others may write, or that is not executable, is found" {
	part "$parts/prepare_begin.d/30-own" true
	chmod 0775 "$parts/prepare_begin.d/30-own"
	ill "'$parts/prepare_begin.d/30-own' is not run and counts as failed"
	mends
	chmod 0644 "$parts/prepare_begin.d/30-own"
	ill "'$parts/prepare_begin.d/30-own' is passed over: it is not executable"
	mends
	part "$parts/domains/web1/prepare_begin.d/it's mine" true
	mv "$parts/domains/web1/prepare_begin.d/it's mine" "$parts/domains/web1/prepare_begin.d/31-mine"
	chmod 0777 "$parts/domains/web1/prepare_begin.d/31-mine"
	ill "31-mine"
	mends
}

@test "a link that leads nowhere on the way to the parts of a guest, or of all, is found" {
	local link
	for link in "$parts/domains" "$parts/domains/web1" "$hooks/lxc.d" "$hooks/lxc.d/web1" "$hooks/lxc.d/web1/release"; do
		mkdir -p "${link%/*}"
		ln -s nowhere "$link"
		finds -c "$daemon" doctor
		has "$output" "is not run and counts as failed: '$link' is a link that leads nowhere"
		finds list
		has "$output" "'$link' is a link that leads nowhere"
		rm "$link"
		rm -rf "$hooks/lxc.d" "$parts/domains"
		good -c "$daemon" doctor
	done
}

@test "what is refused for another reason than its owner or mode has no command that changes those" {
	mkdir -p "$parts/prepare_begin.d/30-own"
	ill "'$parts/prepare_begin.d/30-own' is not run and counts as failed: it is not a regular file"
	same "$(json '.[] | select(.level == "error").mend')" null
	rmdir "$parts/prepare_begin.d/30-own"
	ln -s nowhere "$parts/prepare_begin.d/30-own"
	ill 'it is a link that leads nowhere'
	same "$(json '.[] | select(.level == "error").mend')" null
	rm "$parts/prepare_begin.d/30-own"
	# the mend is of what is wrong: the directory, what a link leads to
	part "$parts/prepare_begin.d/30-own"
	chmod 0777 "$parts/prepare_begin.d"
	ill "'$parts/prepare_begin.d' can be written by others"
	mends
	part "$tree/programs/own"
	chmod 0775 "$tree/programs/own"
	ln -sf "$tree/programs/own" "$parts/prepare_begin.d/30-own"
	ill "'$tree/programs/own' can be written by others"
	mends
	chmod 4755 "$tree/programs/own"
	ill 'it is setuid or setgid'
	mends
}

@test "a file that is ignored for its name is noted, with one that would be a part's" {
	part "$parts/prepare_begin.d/nodigit.sh"
	echo text >"$parts/prepare_begin.d/notes"
	touch "$parts/prepare_begin.d/30-own~" "$parts/prepare_begin.d/.keep"
	good -c "$daemon" doctor --json
	same "$(json '[.[] | select(.about != "versions")] | length')" 2
	has "$output" "'$parts/prepare_begin.d/notes' is ignored"
	same "$(json '.[] | select(.text | contains("nodigit")) | .text')" \
		"'$parts/prepare_begin.d/nodigit.sh' is ignored: the name of a part begins with a digit and has letters, digits and . _ + - only"
	bash -c "$(json '.[] | select(.text | contains("nodigit")).mend')"
	event prepare begin
	ran 50-nodigit.sh
}

@test "a script of VFIO-Tools' layout that is not executable is found" {
	part "$hooks/qemu.d/web1/release/end/revert.sh"
	chmod 0644 "$hooks/qemu.d/web1/release/end/revert.sh"
	mkdir "$hooks/qemu.d/web1/release/end/lib"
	ill "'$hooks/qemu.d/web1/release/end/revert.sh' is passed over: it is not executable"
	mends
	event release end
	ran revert.sh
}

@test "a part that runs in another order than its number says is found" {
	part "$parts/prepare_begin.d/5-own" true
	ill "'$parts/prepare_begin.d/5-own' runs behind '20-preload'"
	mends
	is_there "$parts/prepare_begin.d/05-own"
}

@test "a shipped part that is missing is found, and one that is masked is noted" {
	ln -s /dev/null "$parts/nothing"
	mkdir "$parts/release_end.d"
	mv "$parts/nothing" "$parts/release_end.d/20-archive"
	good -c "$daemon" doctor
	has "$output" 'keeps every part of its name from being run'
	chmod 0644 "$tree/libexec/preload"
	finds -c "$daemon" doctor --json
	has "$(json '.[0].text')" 'is not run and counts as failed: it is not executable'
	bash -c "$(json '.[0].mend')"
	good -c "$daemon" doctor
	rm "$vendor/release_end.d/60-post-rm-rf"
	ill 'release_end.d/60-post-rm-rf'
}

@test "records and logs that others may read are found, and --fix mends that" {
	all_four
	lives
	chmod 0755 "$tree/state" "$tree/log"
	finds -c "$daemon" doctor
	has "$output" "chmod 0700 $tree/state"
	good -c "$daemon" doctor --fix
	has "$output" 'mended: '
	same "$(stat -c %a "$tree/state" "$tree/log" | tr '\n' ' ')" '700 700 '
	good -c "$daemon" doctor
}

@test "a directory of records that no record can be written to is found" {
	local number=0
	all_four
	lives
	# a link that leads nowhere
	mv "$tree/state" "$tree/away"
	ln -s "$tree/none" "$tree/state"
	ill "cannot read '$tree/state', so no guest with directives starts: No such file"
	wrong -c "$daemon" status
	call prepare begin
	[ "$status" -ne 0 ]
	rm "$tree/state"
	good -c "$daemon" status
	# a filesystem that is read-only
	mkdir -m 0700 "$tree/state"
	mount -t tmpfs -o size=64K,nr_inodes=8,mode=700,ro own "$tree/state"
	ill "'$tree/state' is on a filesystem that is read-only, so no guest with directives starts"
	mends
	# one that is full
	dd if=/dev/zero of="$tree/state/full" bs=64K 2>/dev/null || true
	ill "the filesystem of '$tree/state' has no space left"
	call prepare begin
	[ "$status" -ne 0 ]
	rm "$tree/state/full"
	# or has as many files as it can have
	while touch "$tree/state/file.$((++number))" 2>/dev/null; do :; done
	ill "the filesystem of '$tree/state' has no files left"
	call prepare begin
	[ "$status" -ne 0 ]
	umount "$tree/state"
	rmdir "$tree/state"
	mv "$tree/away" "$tree/state"
	good -c "$daemon" doctor
}

@test "a part that the kernel cannot run is found" {
	local own=$parts/prepare_begin.d/30-own
	part "$own"
	good -c "$daemon" doctor
	printf '#!/bin/sh\r\nexit 0\r\n' >"$own"
	ill "'$own' cannot be run, and counts as failed: its interpreter '/bin/sh' is not there"
	: >"$own"
	ill "'$own' cannot be run, and counts as failed: it is no program"
	# as VFIO-Tools has it, that is one
	rm "$own"
	mkdir -p "$hooks/qemu.d/web1/prepare/begin"
	install -m 0755 /dev/null "$hooks/qemu.d/web1/prepare/begin/start.sh"
	vp -c "$daemon" doctor
	lacks "$output" 'cannot be run'
}

@test "room that a filesystem keeps for root counts as room for records" {
	local disk=$tree/disk
	command -v mkfs.ext4 >/dev/null || skip 'needs mkfs.ext4'
	all_four
	lives
	truncate -s 8M "$disk"
	mkfs.ext4 -q -F -m 50 "$disk"
	mount -o loop "$disk" "$tree/state" || skip 'needs loop devices'
	chmod 0700 "$tree/state"
	rmdir "$tree/state/lost+found"
	head -c 4M /dev/zero >"$tree/state/full"
	[ "$(stat -f -c %a "$tree/state")" -eq 0 ]
	[ "$(stat -f -c %f "$tree/state")" -gt 0 ]
	does prepare begin
	does release end failed
	good -c "$daemon" doctor
}

@test "doctor --fix leaves a directory as it is in which others keep things, too" {
	all_four
	lives
	local dir
	for dir in state log; do
		mkdir -p "$tree/$dir/others"
		chmod 0755 "$tree/$dir"
	done
	vp -c "$daemon" doctor --fix
	has "$output" "'$tree/state' can be read by others than root (mode 0755), and they keep things there, too"
	has "$output" "'$tree/log' can be read by others than root (mode 0755), and they keep things there, too"
	same "$(stat -c %a "$tree/state" "$tree/log")" $'755\n755'
	# what is a guest's log or record is no other's
	rmdir "$tree"/{state,log}/others
	vp -c "$daemon" doctor --fix
	same "$(stat -c %a "$tree/state" "$tree/log")" $'700\n700'
}

@test "--fix does nothing that could harm" {
	part "$parts/prepare_begin.d/30-own" true
	chmod 0777 "$parts/prepare_begin.d/30-own"
	rm "$hooks/lxc"
	changes_nothing finds -c "$daemon" doctor --fix
}

@test "an unfinished run is found, and resolving it mends that" {
	all_four
	starts
	rm -r "$me/var/log"
	call release end destroyed
	mkdir -p "$me/var/log"
	ill 'its last run is unfinished, failed: 20-archive'
	mends
	nothing_left
}

@test "a record that cannot be read is found, and only one that is damaged is to be discarded" {
	all_four
	starts
	sed -i 's/^version 1/version 99/' "$record/run"
	ill 'the record of its run cannot be read, and it does not start: written by a newer virt-parts'
	same "$(json '.[] | select(.level != "note").mend')" 'install the newer virt-parts again'
	mv "$record/run" "$record/whole"
	ln -s whole "$record/run"
	ill 'it does not start: Too many levels of symbolic links'
	same "$(json '.[] | select(.level != "note").mend')" null
	rm "$record/run"
	ill 'the record of its run cannot be read'
	same "$(json '.[] | select(.level != "note").mend')" "virt-parts resolve --discard $id"
}

@test "a ramdisk of no run is found, and unmounting it mends that" {
	mkdir "$me/old"
	mount -t tmpfs -o size=64K virt-parts:00000000-0000-0000-0000-00000000dead "$me/old"
	all_are_asked
	# a run's own is none
	all_four
	known
	starts
	ill "'$me/old' is a ramdisk of no run that is known (virt-parts:00000000-0000-0000-0000-00000000dead); what is in it goes with it"
	mends
	not_mounted "$me/old"
	ends
}

@test "a ramdisk of no run is not to be unmounted while its guest runs, is saved, or may run" {
	local no_run="'$me/tmp' is a ramdisk of no run that is known (virt-parts:$id)"
	all_four
	known
	starts
	all_are_asked
	# the records are elsewhere
	sed -i "s|^state = .*|state = $tree/elsewhere|" "$hooks/parts.conf"
	ill "$no_run, but its guest 'web1' runs"
	lacks "$output" umount
	has "$(json '.[] | select(.level != "note").mend')" 'see whether [dirs] state in parts.conf has changed'
	sed -i "s|<domain|& xmlns:test='http://libvirt.org/schemas/domain/test/1.0'|
		s|</os>|&<test:runstate>5</test:runstate><test:hasmanagedsave/>|" "$tree/node.xml"
	ill "$no_run, but its guest 'web1' is saved"
	lacks "$output" umount
	# nobody has told of it
	echo '<node></node>' >"$tree/node.xml"
	asked=(-c "$daemon")
	ill "$no_run, but its guest may run"
	lacks "$output" umount
	asked=()
	ill "$no_run; what is in it goes with it"
	same "$(json '.[] | select(.level != "note").mend')" "umount $me/tmp"
	sed -i "s|^state = .*|state = $tree/state|" "$hooks/parts.conf"
	known
	good doctor
	ends
}

@test "a ramdisk of no run is to be unmounted only where its record is not elsewhere" {
	local no_run="'$me/old' is a ramdisk of no run that is known (virt-parts:00000000-0000-0000-0000-00000000dead)"
	mkdir "$me/old"
	mount -t tmpfs -o size=64K virt-parts:00000000-0000-0000-0000-00000000dead "$me/old"
	all_are_asked
	ill "$no_run; what is in it goes with it, so unmount it only if [dirs] state in parts.conf has not changed since"
	sed -i 's|^state = |sate = |' "$hooks/parts.conf"
	finds doctor --json
	has "$(json '.[] | select(.about == "ramdisks").text')" "$no_run, but parts.conf is not valid"
	has "$(json '.[] | select(.about == "ramdisks").mend')" 'make parts.conf valid, leave it mounted until then'
	lacks "$output" "umount $me/old"
	sed -i 's|^sate = |state = |' "$hooks/parts.conf"
	ill "$no_run; what is in it goes with it"
	mends
}

@test "what a copy has left that was killed is noted, and not said to be dead: it may be another host's" {
	local dead=$archive/web1/.virt-parts.log.aB3dE5
	local said="'$dead' is a copy that was not completed, or that another host is making"
	mkdir -p "$dead/deep" "$archive/web1/.virt-parts.log" "$archive/web1/.virt-parts.log.aB3dE6"
	chmod 0700 "$dead" "$archive/web1/.virt-parts.log"
	good -c "$daemon" doctor
	has "$output" "$said"
	lacks "$output" 'rm -rf'
	same "$(grep -c 'was not completed' <<<"$output")" 1
	background bash -c 'exec 9<"$1"; flock 9; exec sleep 3600' _ "$dead"
	within 60 not flock -n "$dead" true
	good -c "$daemon" doctor
	lacks "$output" 'was not completed'
	kill "${helpers[-1]}"
	within 60 flock -n "$dead" true
	good -c "$daemon" doctor
	has "$output" "$said"
}

@test "an image of a guest that nobody here knows is noted, one of a guest that is known is not" {
	all_four
	starts
	vp -c "$daemon" doctor
	lacks "$output" "is the image of a guest"
	cp "$iso/web1/seed.iso" "$tree/seed.iso"
	echo 'no image' >"$iso/web1/other.iso"
	ends
	cp "$tree/seed.iso" "$iso/web1/seed.iso"
	all_are_asked
	good doctor
	has "$output" "'$iso/web1/seed.iso' is the image of a guest that is not known here ($id)"
	lacks "$output" other.iso
	some_are_asked 'is the image of a guest'
	# libvirt knows it
	sed -i "s|</node>|<domain type='test'><name>web1</name><uuid>$id</uuid><memory>1024</memory><os><type>hvm</type></os></domain></node>|" "${daemon#test://}"
	good doctor
	lacks "$output" 'is the image of a guest'
	# nobody can say
	rm "${daemon#test://}"
	vp doctor
	[ "$status" -eq 0 ]
	lacks "$output" 'is the image of a guest'
}

@test "a hook of another version is found, and one that others may write is not run to ask it" {
	part "$tree/sbin/virt-parts-hook" 'touch "$tree/ran"' 'echo "virt-parts-hook 0.0.1"'
	ill "says 'virt-parts-hook 0.0.1'"
	is_there "$tree/ran"
	rm "$tree/ran"
	chmod 0777 "$tree/sbin/virt-parts-hook"
	vp -c "$daemon" doctor
	is_gone "$tree/ran"
	chmod 0755 "$tree/sbin/virt-parts-hook"
	cp "$build/virt-parts-hook" "$tree/sbin/"
	good -c "$daemon" doctor
}

@test "a hook program that cannot be run is found, with what that means and why" {
	echo garbage >"$tree/sbin/virt-parts-hook"
	ill "'$tree/sbin/virt-parts-hook' cannot be run, so libvirt refuses every start of a guest: Exec format error"
	printf '#!/nowhere\n' >"$tree/sbin/virt-parts-hook"
	ill 'refuses every start of a guest: No such file or directory'
}

@test "versions of the command, of libvirt and of the kernel are told" {
	good -c "$daemon" doctor
	has "$output" "versions: note: $("$build/virt-parts" --version), libvirt $(virsh --version) ($daemon), Linux $(uname -r)"
}

@test "a daemon that does not answer is told, and is no fault of the installation" {
	good -c "qemu+unix:///system?socket=$tree/none" doctor
	has "$output" "qemu+unix:///system?socket=$tree/none: note: "
	has "$output" 'nothing is wrong'
}

@test "a directory of parts that is spelt as no event is found, and moving it mends that" {
	part "$parts/relaese_end.d/30-gpu"
	ill "'$parts/relaese_end.d' is no directory of an event, so nothing in it is run; did you mean 'release_end.d'?"
	mends
	is_there "$parts/release_end.d/30-gpu"
	# one that is there already takes the files
	part "$parts/release_begin.d/31-gpu"
	ill "did you mean 'release_end.d'?"
	mends || true
	is_there "$parts/release_end.d/31-gpu"
}

@test "doctor names the event that was meant, whatever is wrong with a directory's name" {
	local name meant
	while read -r name meant; do
		part "$parts/$name/30-own"
		ill "did you mean '$meant'?"
		rm -r "${parts:?}/$name"
	done <<-END
		prepare_end.d prepare_begin.d
		stopped_begin.d stopped_end.d
		prepare.d prepare_begin.d
		started_begin started_begin.d
		prepare-begin.d prepare_begin.d
		lxd_started_begin.d lxc_started_begin.d
		qemu_prepare.d qemu_prepare_begin.d
		qemu_prepare_begin_-.d qemu_prepare_begin.d
		network_stopped_begin.d network_stopped_end.d
		network_prepare_begin.d network_start_begin.d
		updated_begin.d network_updated_begin.d
		daemon_start_begin.d daemon_start_-.d
		domain domains
		domains/web1/relaese_end.d release_end.d
		domains/web1/lxc_release_end.d release_end.d
	END
	# a guess is only made where there is something near, and never turns a guest's parts into those of all
	for name in nonsense.d vm1_prepare_begin.d; do
		part "$parts/$name/30-own"
		ill "'$parts/$name' is no directory of an event"
		lacks "$output" 'did you mean'
		rm -r "${parts:?}/$name"
	done
}

@test "every event that libvirt has may have its directory" {
	local name
	for name in {migrate,restore,prepare,start,started,attach,reconnect}_begin {stopped,release}_end; do
		mkdir -p "$parts/$name.d" "$parts/qemu_$name.d" "$parts/domains/web1/$name.d"
	done
	for name in network_{start,started,port-created,updated,port-deleted}_begin network_stopped_end \
		daemon_{start,shutdown}_- daemon_reload_begin; do
		mkdir "$parts/$name.d"
	done
	touch "$parts/domains/web1/gpu.devices" "$parts/prepare_begin.d~" "$parts/.keep"
	good -c "$daemon" doctor
	lacks "$output" 'directory of an event'
	lacks "$output" gpu.devices
}

@test "a part beside the directories of events is found, and a directory's name that is a file's" {
	part "$parts/30-gpu"
	ill "'$parts/30-gpu' is not run: parts lie in the directory of an event, such as '$parts/prepare_begin.d'"
	rm "$parts/30-gpu"
	part "$parts/domains/web1/30-gpu"
	ill "'$parts/domains/web1/30-gpu' is not run"
	rm "$parts/domains/web1/30-gpu"
	part "$parts/domains/30-gpu"
	ill "'$parts/domains/30-gpu' is not run"
	rm -r "$parts/domains"
	echo text >"$parts/started_begin.d"
	ill "'$parts/started_begin.d' is not run"
	rm "$parts/started_begin.d"
	# what is no program may be there, and a program that parts are links to, of one guest or of several
	cp "$checkout/hooks/parts.d/README" "$parts/"
	part "$parts/domains/web1/gpu"
	part "$parts/console"
	mkdir -p "$parts/domains/web1/"{prepare_begin,release_end}.d
	ln -s ../gpu "$parts/domains/web1/prepare_begin.d/30-gpu"
	ln -s ../gpu "$parts/domains/web1/release_end.d/30-gpu"
	ln -s ../../../console "$parts/domains/web1/release_end.d/20-console"
	good -c "$daemon" doctor
	lacks "$output" README
}

@test "a directory of parts for a guest that libvirt does not know is noted, with the guest that may be meant" {
	known
	part "$parts/domains/wbe1/prepare_begin.d/30-own"
	all_are_asked
	good doctor
	has "$output" "libvirt knows no guest 'wbe1', so nothing in '$parts/domains/wbe1' is run; did you mean 'web1'?"
	some_are_asked 'knows no guest'
	mv "$parts/domains/wbe1" "$parts/domains/web1"
	good doctor
	lacks "$output" 'knows no guest'
	# it is not known who is there where libvirt does not answer
	mv "$parts/domains/web1" "$parts/domains/other"
	rm "${daemon#test://}"
	vp doctor
	[ "$status" -eq 0 ]
	lacks "$output" 'knows no guest'
}

@test "a guest is known however long its name is" {
	name=$(printf 'w%.0s' {1..100})
	known
	part "$parts/domains/$name/prepare_begin.d/30-own"
	all_are_asked
	good doctor
	lacks "$output" 'knows no guest'
	part "$parts/domains/${name}w/prepare_begin.d/30-own"
	good doctor
	same "$(grep -c 'knows no guest' <<<"$output")" 1
}

@test "an event that libvirt does not have is found in the layouts of 2014 and of VFIO-Tools, too" {
	part "$hooks/qemu_relaese_end_-.d/30-own"
	ill "nothing in '$hooks/qemu_relaese_end_-.d' is run: 'relaese end' is no event of a guest, did you mean 'release end'?"
	rm -r "$hooks/qemu_relaese_end_-.d"
	part "$hooks/qemu.d/web1/release/begin/revert.sh"
	ill "nothing in '$hooks/qemu.d/web1/release/begin' is run: 'release begin' is no event"
}

@test "parts in the layout of 2014 are told, and what doctor says moves them" {
	part "$hooks/qemu_prepare_begin_-.d/30-old"
	good -c "$daemon" doctor --json
	has "$(json '.[0].text')" "what is in '$hooks/qemu_prepare_begin_-.d' is run, which is the layout of 2014"
	bash -c "$(json '.[0].mend')"
	is_gone "$hooks/qemu_prepare_begin_-.d"
	is_there "$parts/qemu_prepare_begin.d/30-old"
	event prepare begin
	ran 30-old
	# where the new directory is there already, its files are moved
	part "$hooks/qemu_prepare_begin_-.d/31-old"
	good -c "$daemon" doctor --json
	bash -c "$(json '.[0].mend')"
	event prepare begin
	ran 30-old 30-old 31-old
}

# beside_other: another program is the hook of qemu's events, and virt-parts lies beside it
beside_other() {
	rm "$hooks/qemu"
	echo '#!/bin/sh' >"$hooks/qemu"
	chmod 0755 "$hooks/qemu"
	mkdir -p "$hooks/qemu.d"
	ln -s ../../sbin/virt-parts-hook "$hooks/qemu.d/50-virt-parts"
}

@test "parts in the layouts of 2014 and of VFIO-Tools are left to another hook that virt-parts is beside, and so is told" {
	part "$hooks/qemu.d/web1/prepare/begin/start.sh"
	part "$hooks/qemu_prepare_begin_-.d/30-old"
	guest web1 qemu
	ask_file ''
	good -c "$daemon" doctor
	has "$output" "what is in '$hooks/qemu.d/web1' is run, which is the layout of VFIO-Tools"
	good list --json
	same "$(json '.[] | select(.guest == "web1") | [.driver, .op, .parts[-1].name] | join(" ")')" 'qemu prepare start.sh'
	good explain "$file" prepare begin
	has "$output" start.sh
	beside_other
	good -c "$daemon" doctor
	has "$output" "'$hooks/qemu.d/web1' is in the layout of VFIO-Tools: virt-parts does not run it; that is left to the other hook '$hooks/qemu'"
	has "$output" "'$hooks/qemu_prepare_begin_-.d' is in the layout of 2014: virt-parts does not run it; that is left to"
	printf '%s' "$plain" | "$hooks/qemu.d/50-virt-parts" web1 prepare begin -
	ran
	for words in "list qemu prepare begin" list "explain $file prepare begin" "run --dry-run $file prepare begin"; do
		# shellcheck disable=SC2086 # words
		good $words
		lacks "$output" start.sh
		lacks "$output" 30-old
	done
	# what nobody runs is a fault
	rm "$hooks/qemu"
	finds -c "$daemon" doctor
	has "$output" "'$hooks/qemu.d/web1', the layout of VFIO-Tools, is not run"
}

@test "what virt-parts leaves to another hook is none of doctor's parts" {
	part "$hooks/qemu.d/web1/relase/end/30-own"
	echo text >"$hooks/qemu.d/web1/relase/end/start.sh"
	chmod 0777 "$hooks/qemu.d/web1/relase/end/30-own"
	beside_other
	good -c "$daemon" doctor
}
