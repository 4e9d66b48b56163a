#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Virtual machines' lives on a real libvirtd, emulated and without a system: only events matter here.
# Run as: tests/sandbox bats tests/lives-qemu.bats

# names that lib/lives.bash sets, none with a blank in it; a guest may be called $(id)
# shellcheck disable=SC2154,SC2086,SC2016
load lib/lives.bash

setup_file() { lives_begin qemu lxc; }
teardown_file() { lives_end; }
setup() { life_begin; }
teardown() { life_end; }

readonly full="
	<ramdisk><dir size='4M'>/srv/guests/%NAME%/fast</dir></ramdisk>
	<preload><iso path='/var/lib/virt-parts/iso/%NAME%/seed.iso' label='CIDATA'>
		<src>/srv/seed/vm</src><file path='meta-data'>instance-id: %NAME%</file></iso></preload>
	<archive><dircopy><src>/srv/guests/%NAME%/log</src><dst>/srv/archive/%NAME%/%DATE%</dst></dircopy></archive>
	<post-rm-rf><dir>/srv/guests/%NAME%/scratch</dir></post-rm-rf>"

image_of() {
	echo "/var/lib/virt-parts/iso/$1/seed.iso"
}

# machine NAME: defined with all directives, the image as its cdrom, and something to archive and delete
machine() {
	mkdir -p "/srv/guests/$1"/{log,scratch} /srv/seed/vm
	echo 'a line' >"/srv/guests/$1/log/service.log"
	echo 'worthless' >"/srv/guests/$1/scratch/big"
	echo '#cloud-config' >/srv/seed/vm/user-data
	guest_define qemu "$1" "$full" "$(cdrom_xml "$(image_of "$1")")${2:-}"
}

# inode and content: what an open file of a saved guest needs to find again
identity_of() {
	stat -c %i "$1"
	sha256sum <"$1"
}

@test "the image is there before the machine looks for it, holds what was asked, and is gone at the end" {
	machine vm1
	on qemu start vm1
	run xorriso -osirrox on -indev "$(image_of vm1)" -find / -type f -exec lsdl
	says user-data
	says meta-data
	run xorriso -indev "$(image_of vm1)" -pvd_info
	says CIDATA
	ramdisk_on /srv/guests/vm1/fast
	on qemu destroy vm1
	fails test -e "$(image_of vm1)"
	same_text "$(cat "/srv/archive/vm1/$(today)/service.log")" 'a line'
	fails test -e /srv/guests/vm1/scratch
	same_text "$(ramdisks)" ''
	same_text "$(records)" ''
}

@test "qemu, which is not root, is given the image, and nobody else" {
	machine vm1
	on qemu start vm1
	same_text "$(stat -c '%a %U' "$(image_of vm1)")" '600 libvirt-qemu'
}

@test "a machine whose disk is missing fails to start; its image is gone, nothing is archived or deleted" {
	machine vm1 "<disk type='file' device='disk'><source file='/srv/none.img'/><target dev='hdb' bus='ide'/></disk>"
	run on qemu start vm1
	[ "$status" -ne 0 ]
	says /srv/none.img
	fails test -e "$(image_of vm1)"
	fails test -e /srv/archive/vm1
	test -e /srv/guests/vm1/scratch/big
	same_text "$(ramdisks)" ''
}

@test "a part that fails in prepare refuses the start, and virsh shows what it said" {
	part prepare_begin.d/30-gpu <<-'END'
		echo 'the card is in use by another guest' >&2
		exit 7
	END
	machine vm1
	run on qemu start vm1
	[ "$status" -ne 0 ]
	says 'virt-parts: vm1: prepare_begin.d/30-gpu failed (exit 7)'
	says 'the card is in use by another guest'
	fails test -e "$(image_of vm1)"
}

@test "a saved and restored machine finds its image byte for byte, and nothing is archived or deleted" {
	machine vm1
	on qemu start vm1
	identity_of "$(image_of vm1)" >"$BATS_TEST_TMPDIR/before"
	echo held >/srv/guests/vm1/fast/file
	on qemu managedsave vm1
	identity_of "$(image_of vm1)" | diff "$BATS_TEST_TMPDIR/before" -
	test -e /srv/guests/vm1/scratch/big
	fails test -e /srv/archive/vm1
	same_text "$(cat /srv/guests/vm1/fast/file)" held

	# what would make another image
	echo changed >/srv/seed/vm/user-data
	on qemu start vm1
	guest_state_is qemu vm1 running
	identity_of "$(image_of vm1)" | diff "$BATS_TEST_TMPDIR/before" -
	test -e /srv/guests/vm1/scratch/big

	on qemu destroy vm1
	fails test -e "$(image_of vm1)"
	fails test -e /srv/guests/vm1/scratch
	test -e "/srv/archive/vm1/$(today)/service.log"
	same_text "$(ramdisks)" ''
}

@test "a saved machine whose save was discarded is archived at its next start, and nothing is deleted for that" {
	machine vm1
	on qemu start vm1
	on qemu managedsave vm1
	on qemu managedsave-remove vm1
	on qemu start vm1
	test -e "/srv/archive/vm1/$(today)/service.log"
	test -e /srv/guests/vm1/scratch/big
	on qemu destroy vm1
	fails test -e /srv/guests/vm1/scratch
}

@test "parts are told why a run ended" {
	part release_end.d/05-why <<-END
		echo "\$VIRT_PARTS_REASON" >>$seen/why
	END
	machine vm1
	on qemu start vm1
	on qemu managedsave vm1
	on qemu start vm1
	on qemu destroy vm1
	same_text "$(tr '\n' ' ' <$seen/why)" 'saved destroyed '
}

@test "a file at the image's path that is not this machine's image refuses the start and stays" {
	machine vm1
	mkdir -p "$(dirname "$(image_of vm1)")"
	echo precious >"$(image_of vm1)"
	run on qemu start vm1
	[ "$status" -ne 0 ]
	says "$(image_of vm1)"
	same_text "$(cat "$(image_of vm1)")" precious
}

@test "metadata edited while the machine runs redirects neither archive nor deletion" {
	machine vm1
	mkdir -p /srv/guests/vm1/precious
	on qemu start vm1
	on qemu metadata vm1 urn:virt-parts:1 --key vp --live --config --set '<virt-parts>
		<archive><dircopy><src>/srv/guests/vm1/log</src><dst>/srv/archive/vm1/elsewhere</dst></dircopy></archive>
		<post-rm-rf><dir>/srv/guests/vm1/precious</dir></post-rm-rf></virt-parts>'
	on qemu destroy vm1
	test -d /srv/guests/vm1/precious
	fails test -e /srv/archive/vm1/elsewhere
	test -e "/srv/archive/vm1/$(today)/service.log"
	# the next life is the edited one, which builds no image any more
	head -c 64K /dev/zero >/var/lib/virt-parts/iso/vm1/seed.iso
	on qemu start vm1
	on qemu destroy vm1
	fails test -e /srv/guests/vm1/precious
	test -e /srv/archive/vm1/elsewhere
	proof 24 1 0 1 qemu
}

@test "machines called '-rf', 'a b' and '\$(id)' live through all directives, each on its own paths" {
	local name
	for name in -rf 'a b' '$(id)'; do
		machine "$name"
		on qemu start --domain "$name"
		test -e "$(image_of "$name")"
		on qemu destroy --domain "$name"
		fails test -e "$(image_of "$name")"
		test -e "/srv/archive/$name/$(today)/service.log"
		fails test -e "/srv/guests/$name/scratch"
	done
}

@test "a machine with 1 MiB of domain XML lives through all directives" {
	machine vm1
	on qemu dumpxml vm1 --inactive >"$BATS_TEST_TMPDIR/small.xml"
	{
		sed '/<name>/q' "$BATS_TEST_TMPDIR/small.xml"
		echo '<description>'
		head -c 1048576 /dev/zero | tr '\0' x
		echo '</description>'
		sed '1,/<name>/d' "$BATS_TEST_TMPDIR/small.xml"
	} >"$BATS_TEST_TMPDIR/big.xml"
	on qemu define "$BATS_TEST_TMPDIR/big.xml"
	on qemu start vm1
	on qemu destroy vm1
	fails test -e /srv/guests/vm1/scratch
	test -e "/srv/archive/vm1/$(today)/service.log"
}

@test "two machines started and ended at once keep their things apart" {
	machine one
	machine two
	echo 'log of two' >/srv/guests/two/log/service.log
	on qemu start one &
	on qemu start two
	wait $!
	test -e "$(image_of one)"
	test -e "$(image_of two)"
	on qemu destroy one &
	on qemu destroy two
	wait $!
	same_text "$(cat "/srv/archive/one/$(today)/service.log")" 'a line'
	same_text "$(cat "/srv/archive/two/$(today)/service.log")" 'log of two'
}

@test "a container and a machine of one name and one UUID are two guests" {
	part release_end.d/05-which <<-END
		echo "\$VIRT_PARTS_DRIVER" >>$seen/which
	END
	GUEST_UUID=11111111-2222-4333-8444-555555555555 guest_define lxc twin "<ramdisk><dir size='1M'>/srv/guests/%NAME%/tmp</dir></ramdisk>"
	GUEST_UUID=11111111-2222-4333-8444-555555555555 guest_define qemu twin "<ramdisk><dir size='1M'>/srv/guests/%NAME%/fast</dir></ramdisk>"
	on lxc start twin
	on qemu start twin
	on qemu destroy twin
	ramdisk_on /srv/guests/twin/tmp
	fails ramdisk_on /srv/guests/twin/fast
	on lxc destroy twin
	same_text "$(ramdisks)" ''
	same_text "$(once $seen/which | tr '\n' ' ')" 'qemu lxc '
}

@test "a part that hangs is ended after its limit, and the start refused" {
	conf_set prepare-timeout 2s
	part prepare_begin.d/30-hangs <<-END
		setsid sleep 4721 &
		sleep 4722
	END
	machine vm1
	run on qemu start vm1
	[ "$status" -ne 0 ]
	says 30-hangs
	within 5 none_runs 'sleep 472[12]'
	fails test -e "$(image_of vm1)"
}

@test "libvirtd killed and started again keeps the machine, its image and its ramdisk" {
	machine vm1
	on qemu start vm1
	identity_of "$(image_of vm1)" >"$BATS_TEST_TMPDIR/before"
	libvirt_kill
	libvirt_again
	guest_state_is qemu vm1 running
	identity_of "$(image_of vm1)" | diff "$BATS_TEST_TMPDIR/before" -
	ramdisk_on /srv/guests/vm1/fast
	on qemu destroy vm1
	within 5 fails test -e /srv/guests/vm1/scratch
	same_text "$(ls /srv/archive/vm1)" "$(today)"
}

@test "a machine that ended while libvirtd was away is archived when that comes back" {
	machine vm1
	on qemu start vm1
	libvirt_kill
	pkill -KILL -f 'guest=vm1,'
	within 5 none_runs 'guest=vm1,'
	libvirt_again
	within 10 test -e "/srv/archive/vm1/$(today)/service.log"
	within 5 fails test -e "$(image_of vm1)"
	within 5 no_ramdisks
}
