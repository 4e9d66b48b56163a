#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Why a guest ended: what libvirt gives to the hook, which depends on its version, and what parts are told.
# Run as: tests/sandbox bats tests/lives-reasons.bats

# names that lib/lives.bash sets, none with a blank in it
# shellcheck disable=SC2154,SC2086,SC2016
load lib/lives.bash

setup_file() { lives_begin qemu lxc; }
teardown_file() { lives_end; }

setup() {
	life_begin
	local event
	for event in stopped release; do
		part ${event}_end.d/05-why <<-END
			echo "\$VIRT_PARTS_OP \$VIRT_PARTS_EXTRA, \$VIRT_PARTS_REASON" >>$seen/why
		END
	done
}

teardown() {
	[[ ! -e $BATS_FILE_TMPDIR/skip ]] || return 0
	on qemu snapshot-delete vm1 s1 --metadata >/dev/null 2>&1 || true
	life_end
	rm -f /srv/vm1.save
}

readonly asks="<ramdisk><dir size='1M'>/srv/guests/%NAME%/tmp</dir></ramdisk>
	<archive><dircopy><src>/srv/guests/%NAME%/tmp</src><dst>/srv/archive/%NAME%/tmp</dst></dircopy></archive>"

# told EXTRA REASON [AT-STOPPED]: of the end just now; without reasons of libvirt's EXTRA is `-`
told() {
	local extra=-
	! libvirt_since 10.5 || extra=$1
	within 10 file_has $seen/why '^release'
	# lxc may call both once more, and does it before it answers
	on lxc list >/dev/null
	# the first of each
	same_text "$(awk '!told[$1]++' $seen/why)" "stopped -, ${3:-$2}
release $extra, $2"
	rm $seen/why
}

@test "a machine's ends: libvirt tells each to release, an old one to its log alone, and parts are told the same" {
	local event
	mkdir -p /srv/guests/vm1
	qemu-img create -q -f qcow2 /srv/guests/vm1/disk.qcow2 8M
	chmod 0666 /srv/guests/vm1/disk.qcow2
	guest_define qemu vm1 "$asks" "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
		<source file='/srv/guests/vm1/disk.qcow2'/><target dev='hda' bus='ide'/></disk>"
	on qemu start vm1
	on qemu destroy vm1
	told destroyed destroyed
	on qemu start vm1
	pkill -TERM -f 'guest=vm1,'
	told shutdown shutdown
	on qemu start vm1
	pkill -KILL -f 'guest=vm1,'
	told crashed crashed
	on qemu start vm1
	libvirt_kill
	pkill -TERM -f 'guest=vm1,'
	within 5 none_runs 'guest=vm1,'
	libvirt_again
	told crashed crashed
	for event in prepare start started; do
		part ${event}_begin.d/30-no <<<'exit 1'
		fails on qemu start vm1
		rm -r ${parts:?}/${event}_begin.d
		told failed failed
	done
	on qemu start vm1
	on qemu snapshot-create-as vm1 s1
	on qemu snapshot-revert vm1 s1
	told 'from snapshot' from-snapshot
	on qemu managedsave vm1
	told saved saved
	# of a restore that fails libvirt says what it says of any start; the guest is as saved as it was
	part started_begin.d/30-no <<<'exit 1'
	fails on qemu start vm1
	rm -r ${parts:?}/started_begin.d
	told failed saved
	on qemu start vm1
	on qemu destroy vm1
	told destroyed destroyed
}

# The start may be over before it is the program that the XML names.
init_is_killed() {
	within 5 pkill -KILL -f 'busybox sleep 3600'
}

@test "a container's ends: libvirt tells each to release, an old one nothing" {
	local event known=shutdown-or-destroyed
	guest_define lxc web1 "$asks"
	on lxc start web1
	on lxc destroy web1
	told destroyed "$(libvirt_since 10.5 && echo destroyed || echo $known)" $known
	on lxc start web1
	init_is_killed
	told shutdown "$(libvirt_since 10.5 && echo shutdown || echo $known)" $known
	for event in prepare start started; do
		part ${event}_begin.d/30-no <<<'exit 1'
		fails on lxc start web1
		rm -r ${parts:?}/${event}_begin.d
		told failed failed
	done
}

@test "a container that ended while libvirtd was away is archived, whatever libvirt says of it" {
	local known=shutdown-or-destroyed
	guest_define lxc web1 "$asks"
	on lxc start web1
	echo 'in memory' >/srv/guests/web1/tmp/data
	libvirt_kill
	init_is_killed
	within 5 containers_are_gone
	libvirt_again
	told failed "$(libvirt_since 10.5 && echo crashed || echo $known)" $known
	within 5 no_records
	same_text "$(cat /srv/archive/web1/tmp/data)" 'in memory'
	same_text "$(ramdisks)" ''
}
