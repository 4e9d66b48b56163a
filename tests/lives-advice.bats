#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What messages say to do is done, and works: those that are about guests of a real libvirtd.
# Run as: tests/sandbox bats tests/lives-advice.bats

# names that lib/lives.bash sets, none with a blank in it
# shellcheck disable=SC2154,SC2086
load lib/lives.bash

setup_file() { lives_begin lxc qemu; }
teardown_file() { lives_end; }
setup() { life_begin; }
teardown() {
	rm -f $lxc_socket
	life_end
}

readonly lxc_socket=/run/libvirt/virtlxcd-sock-ro

readonly some="
	<ramdisk><dir size='4M'>/srv/guests/%NAME%/fast</dir></ramdisk>
	<archive><dircopy><src>/srv/guests/%NAME%/log</src><dst>/srv/archive/%NAME%/%DATE%</dst></dircopy></archive>"

# advice PATTERN: the command that the last `run` said to use, which matches the pattern
advice() {
	grep -oE "$1" <<<"$output" | head -n 1
}

machine() {
	mkdir -p "/srv/guests/$1/log"
	echo line >"/srv/guests/$1/log/messages"
	guest_define qemu "$1" "$some"
}

@test "a saved machine: the save is discarded with the command that resolve names, and then its run is finished" {
	machine vm1
	on qemu start vm1
	on qemu managedsave vm1
	run virt-parts resolve vm1
	[ "$status" -eq 2 ]
	says 'libvirt keeps its saved state; start the guest, or discard that'
	ramdisk_on /srv/guests/vm1/fast
	local command
	command=$(advice "virsh managedsave-remove [^']*")
	LIBVIRT_DEFAULT_URI=qemu:///system $command
	run virt-parts resolve vm1
	[ "$status" -eq 2 ]
	says 'add --save-discarded'
	ramdisk_on /srv/guests/vm1/fast
	virt-parts resolve vm1 --save-discarded
	same_text "$(ramdisks)" ''
	same_text "$(records)" ''
	cmp "/srv/archive/vm1/$(today)/messages" <(echo line)
}

@test "a saved machine: it is started, and its run goes on" {
	machine vm1
	on qemu start vm1
	touch /srv/guests/vm1/fast/kept
	on qemu managedsave vm1
	run virt-parts resolve vm1
	says 'start the guest'
	on qemu start vm1
	test -e /srv/guests/vm1/fast/kept
	on qemu destroy vm1
	same_text "$(records)" ''
}

@test "run leaves a guest that runs alone, unless --force is added" {
	guest_define lxc web1 "${some//log/var\/log}"
	on lxc start web1
	local op
	for op in 'prepare begin' 'stopped end' 'release end'; do
		run virt-parts run web1 $op
		[ "$status" -eq 2 ]
		says "'web1' runs; add --force to run it all the same"
	done
	ramdisk_on /srv/guests/web1/fast
	virt-parts run web1 release end --force
	same_text "$(ramdisks)" ''
	test -d "/srv/archive/web1/$(today)"
	on lxc destroy web1
}

# silent_daemon: one of LXC alone, which accepts and says nothing; its pid in $silent
silent_daemon() {
	python3 -c 'import os, socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1] + ".new")
s.listen(9)
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(1000)' $lxc_socket 3>&- &
	silent=$!
	within 5 test -S $lxc_socket
}

@test "a guest may be that of a daemon which does not answer: -c says which, and check says what it has not seen" {
	local silent
	command -v python3 >/dev/null || skip 'needs python3'
	machine web1
	silent_daemon
	run virt-parts --timeout 3 clear web1
	[ "$status" -eq 2 ]
	says "'web1' is a guest of qemu:///system, and may be one of lxc:///system, too (it does not answer within 3 s"
	says 'say which with -c'
	run virt-parts --timeout 3 check
	[ "$status" -eq 1 ]
	says 'lxc:///system: warning: its guests were not checked: it does not answer within 3 s'
	kill $silent
	wait $silent || true
	# it is there, and takes nobody
	run virt-parts clear web1
	[ "$status" -eq 2 ]
	says 'may be one of lxc:///system, too ('
	run virt-parts check --all
	[ "$status" -eq 1 ]
	says 'lxc:///system: warning: its guests were not checked: '
	virt-parts -c qemu:///system show web1 | grep -q ramdisk
	rm $lxc_socket
	virt-parts clear web1
	fails virt-parts show web1
}

@test "a guest that two drivers have: -c says which, and a log is told apart by its name" {
	guest_define lxc web1 "${some//log/var\/log}"
	machine web1
	run virt-parts show web1
	[ "$status" -eq 2 ]
	says "'web1' is a guest of qemu:///system and of lxc:///system: say which with -c"
	virt-parts -c lxc:///system show web1 | grep -q '/var/log'
	virt-parts -c qemu:///system show web1 | grep -q 'NAME%/log'
	part started_begin.d/30-own <<-'END'
		echo "started by $VIRT_PARTS_DRIVER"
	END
	on lxc start web1
	on lxc destroy web1
	on qemu start web1
	on qemu destroy web1
	run virt-parts log web1 --follow
	[ "$status" -eq 2 ]
	says "there is more than one log of 'web1': say which, such as '"
	local log
	log=$(advice "'[a-z]*-web1'" | tr -d "'")
	virt-parts log "$log" --follow >"$BATS_TEST_TMPDIR/log" 3>&- &
	within 5 file_has "$BATS_TEST_TMPDIR/log" "started by ${log%%-*}"
	kill $!
}


@test "a machine whose name ends with a blank: it is renamed, and starts" {
	mkdir -p /srv/guests/vm1/log
	guest_define qemu 'vm1 ' "$some"
	run on qemu start 'vm1 '
	[ "$status" -ne 0 ]
	says "could be another guest's; rename it"
	on qemu domrename 'vm1 ' vm1
	on qemu start vm1
	ramdisk_on /srv/guests/vm1/fast
	on qemu destroy vm1
}

# The archive could not be made.
unfinished() {
	guest_define lxc web1 "${some//log/var\/log}"
	on lxc start web1
	rm -r /srv/guests/web1/var/log
	on lxc destroy web1
	ramdisk_on /srv/guests/web1/fast
}

@test "an unfinished run: what is told is mended, and resolve finishes it" {
	unfinished
	run virt-parts resolve web1
	[ "$status" -eq 1 ]
	says 'mend what is told above and try again; or end it with --discard'
	ramdisk_on /srv/guests/web1/fast
	mkdir /srv/guests/web1/var/log
	virt-parts resolve web1
	same_text "$(ramdisks)$(records)" ''
}

@test "a daemon that is away: it is started, and resolve finishes the run" {
	guest_define lxc web1 "${some//log/var\/log}"
	on lxc start web1
	libvirt_kill
	containers_crash
	run virt-parts resolve web1
	[ "$status" -eq 2 ]
	says "start libvirt's daemon and try again"
	ramdisk_on /srv/guests/web1/fast
	libvirt_again
	virt-parts resolve web1
	same_text "$(ramdisks)$(records)" ''
}

@test "a record of a newer virt-parts: --discard ends its run, after a word, and --yes without one" {
	unfinished
	sed -i 's/^version 1/version 99/' "$(records)/run"
	run virt-parts resolve web1
	[ "$status" -eq 2 ]
	says 'a newer virt-parts wrote its record: use that, or add --discard'
	run virt-parts resolve web1 --discard
	[ "$status" -eq 1 ]
	says 'nothing was done; add --yes to do it'
	ramdisk_on /srv/guests/web1/fast
	virt-parts resolve web1 --discard --yes
	same_text "$(ramdisks)$(records)" ''
}
