#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Machines that are saved, restored, reverted to a snapshot, or whose save is discarded, on a real libvirtd.
# Run as: tests/sandbox bats tests/lives-saved.bats

# names that lib/lives.bash sets, none with a blank in it
# shellcheck disable=SC2154,SC2086,SC2016,SC2010,SC2012
load lib/lives.bash

setup_file() { lives_begin qemu; }
teardown_file() { lives_end; }

setup() {
	life_begin
	part release_end.d/05-why <<-END
		echo "\$VIRT_PARTS_REASON" >>$seen/why
	END
	mkdir -p /srv/guests/vm1/{log,scratch,www} /srv/seed/{vm,www}
	echo 'first life' >/srv/guests/vm1/log/service.log
	echo 'worthless' >/srv/guests/vm1/scratch/big
	echo '#cloud-config' >/srv/seed/vm/user-data
	echo seed >/srv/seed/www/index.html
}

teardown() {
	[[ ! -e $BATS_FILE_TMPDIR/skip ]] || return 0
	on qemu snapshot-delete vm1 s1 --metadata >/dev/null 2>&1 || true
	boot_is_over
	rm -f /var/lib/virt-parts/state/filler
	life_end
	! mountpoint -q /var/lib/virt-parts/state || umount /var/lib/virt-parts/state
	rm -f /srv/vm1.save
}

readonly full="
	<ramdisk><dir size='4M'>/srv/guests/%NAME%/fast</dir></ramdisk>
	<preload>
		<iso path='/var/lib/virt-parts/iso/%NAME%/seed.iso' label='CIDATA'>
			<src>/srv/seed/vm</src><file path='meta-data'>instance-id: %NAME%</file></iso>
		<dircopy><src>/srv/seed/www</src><dst>/srv/guests/%NAME%/www</dst></dircopy>
	</preload>
	<archive>
		<dircopy><src>/srv/guests/%NAME%/log</src><dst>/srv/archive/%NAME%/%DATE%</dst></dircopy>
		<dircopy><src>/srv/guests/%NAME%/fast</src><dst>/srv/archive/%NAME%/fast</dst></dircopy>
	</archive>
	<post-rm-rf><dir>/srv/guests/%NAME%/scratch</dir></post-rm-rf>"
readonly image=/var/lib/virt-parts/iso/vm1/seed.iso
readonly fast=/srv/guests/vm1/fast

machine_runs() {
	guest_define qemu vm1 "$full" "$(cdrom_xml $image)${1:-}"
	on qemu start vm1
	guest_works
}

# What it changes while it runs; and outside, a seed that would make another image.
guest_works() {
	head -c 65536 /dev/urandom >$fast/data
	echo 'changed by the guest' >/srv/guests/vm1/www/index.html
	echo 'changed outside' >/srv/seed/vm/user-data
	belongings >"$BATS_TEST_TMPDIR/before"
}

# All that the memory of the guest knows: which files, on which filesystem, with what in them.
belongings() {
	stat -c '%n %d:%i %s' $image $fast $fast/data
	sha256sum $image $fast/data
	findmnt -n -o SOURCE,MAJ:MIN $fast
}

nothing_changed() {
	belongings_are_there
	same_text "$(cat /srv/guests/vm1/www/index.html)" 'changed by the guest'
}

belongings_are_there() {
	belongings | diff "$BATS_TEST_TMPDIR/before" -
	same_text "$(cat /srv/guests/vm1/scratch/big)" worthless
	fails test -e /srv/archive
}

# Its own end, at last: once archived, and all that is to go has gone.
ends_as_ever() {
	rm -rf /srv/archive
	on qemu destroy vm1
	same_text "$(ls /srv/archive/vm1 | tr '\n' ' ')" "$(today) fast "
	cmp "$BATS_TEST_TMPDIR/data" /srv/archive/vm1/fast/data
	fails test -e $image
	fails test -e /srv/guests/vm1/scratch
	same_text "$(ramdisks)" ''
	same_text "$(records)" ''
}

# A life that came to nothing: its data is archived, before anything of the next one is there.
archived_as_lost() {
	same_text "$(cat "/srv/archive/vm1/$(today)/service.log")" 'first life'
	cmp "$BATS_TEST_TMPDIR/data" /srv/archive/vm1/fast/data
	same_text "$(cat /srv/guests/vm1/scratch/big)" worthless
}

# and the next life has everything new
everything_is_new() {
	same_text "$(cat /srv/guests/vm1/www/index.html)" seed
	ramdisk_on $fast
	fails test -e $fast/data
	xorriso -osirrox on -indev $image -extract /user-data "$BATS_TEST_TMPDIR/user-data" 2>/dev/null
	same_text "$(cat "$BATS_TEST_TMPDIR/user-data")" 'changed outside'
}

keep_data() {
	cp $fast/data "$BATS_TEST_TMPDIR/data"
}

run_is_over() {
	[[ -z $(records) && -z $(ramdisks) ]]
}

why() {
	tr '\n' ' ' <$seen/why
}

# As after a reboot of the host: another boot id, no mounts of guests, a new daemon.
host_reboots() {
	local dir
	libvirt_kill
	for dir in $(ramdisks); do
		umount "$dir"
	done
	cat /proc/sys/kernel/random/uuid >"$BATS_FILE_TMPDIR/boot-id"
	mount --bind "$BATS_FILE_TMPDIR/boot-id" /proc/sys/kernel/random/boot_id
	libvirt_again
}

boot_is_over() {
	umount /proc/sys/kernel/random/boot_id 2>/dev/null || true
}

# --- saved and restored ----------------------------------------------------------------------------------------

@test "managedsave and start, three times: image, ramdisk and tree are the same files with the same bytes" {
	machine_runs
	keep_data
	for _ in 1 2 3; do
		on qemu managedsave vm1
		nothing_changed
		on qemu start vm1
		nothing_changed
	done
	same_text "$(why)" 'saved saved saved '
	ends_as_ever
}

@test "save to a file and restore from it: image, ramdisk and tree are the same files with the same bytes" {
	machine_runs
	keep_data
	on qemu save vm1 /srv/vm1.save
	nothing_changed
	on qemu restore /srv/vm1.save
	guest_state_is qemu vm1 running
	nothing_changed
	ends_as_ever
}

@test "saved, libvirtd restarted, restored: the same" {
	machine_runs
	keep_data
	on qemu managedsave vm1
	libvirt_kill
	libvirt_again
	on qemu start vm1
	nothing_changed
	ends_as_ever
}

@test "saved, libvirtd killed in the hook of that, which it calls once more, restored: the same" {
	machine_runs
	keep_data
	part stopped_end.d/90-slow <<-END
		echo >>$seen/stopped
		$until_go_on
	END
	on qemu managedsave vm1 >/dev/null 2>&1 3>&- &
	within 20 test -s $seen/stopped
	libvirt_kill
	go_on
	libvirt_again
	within 20 file_has $logs/qemu-vm1.log 'release_end: end exit 0'
	same_text "$(wc -l <$seen/stopped)" 2
	same_text "$(why)" 'saved '
	nothing_changed
	on qemu start vm1
	nothing_changed
	ends_as_ever
}

@test "saved while there is no room to write that down: no start before there is some ends it, and the next one restores" {
	local state=/var/lib/virt-parts/state
	mkdir -p $state
	mount -t tmpfs -o size=512k,mode=700 state $state
	machine_runs
	head -c 1M /dev/zero >$state/filler || true
	on qemu managedsave vm1
	belongings_are_there
	run virt-parts status
	[[ $output == *'vm1 (qemu, '*')  saved'* ]]
	# libvirt ends what it has refused to start, and keeps its save
	fails on qemu start vm1
	belongings_are_there
	on qemu dominfo --domain vm1 | grep -q 'Managed save: *yes'
	rm $state/filler
	on qemu start vm1
	nothing_changed
	on qemu destroy vm1
	within 10 run_is_over
}

@test "saved, host rebooted, restored: the image is the same, the ramdisk is there, empty, and the log warns of it" {
	machine_runs
	on qemu managedsave vm1
	sha256sum $image >"$BATS_TEST_TMPDIR/image"
	host_reboots
	on qemu start vm1
	sha256sum -c --quiet "$BATS_TEST_TMPDIR/image"
	ramdisk_on $fast
	fails test -e $fast/data
	file_has $logs/qemu-vm1.log "warning: '$fast' is empty"
	same_text "$(cat /srv/guests/vm1/www/index.html)" 'changed by the guest'
	fails test -e /srv/archive
	on qemu destroy vm1
	same_text "$(ramdisks)" ''
	same_text "$(records)" ''
}

@test "a part that fails in restore cancels it; the next start restores, and nothing was lost" {
	machine_runs
	keep_data
	on qemu managedsave vm1
	part restore_begin.d/30-no <<-END
		exit 1
	END
	run on qemu start vm1
	[ "$status" -ne 0 ]
	says 'its restore was: restore_begin.d/30-no failed (exit 1)'
	file_has <(on qemu dominfo vm1) 'Managed save: *yes'
	nothing_changed
	rm -r $parts/restore_begin.d
	on qemu start vm1
	nothing_changed
	ends_as_ever
}

@test "a part that fails in the restore from a file: the file and all that it needs are still there" {
	machine_runs
	keep_data
	on qemu save vm1 /srv/vm1.save
	part restore_begin.d/30-no <<-END
		exit 1
	END
	run on qemu restore /srv/vm1.save
	[ "$status" -ne 0 ]
	says 'its restore was: restore_begin.d/30-no failed (exit 1)'
	nothing_changed
	rm -r $parts/restore_begin.d
	on qemu restore /srv/vm1.save
	nothing_changed
	ends_as_ever
}

@test "a part that fails in the prepare of a restore: the save is still there, and so is all that it needs" {
	local event
	machine_runs
	keep_data
	on qemu managedsave vm1
	for event in prepare start started; do
		part ${event}_begin.d/30-no <<-END
			exit 1
		END
		run on qemu start vm1
		[ "$status" -ne 0 ]
		rm -r ${parts:?}/${event}_begin.d
		nothing_changed
		file_has <(on qemu dominfo vm1) 'Managed save: *yes'
	done
	on qemu start vm1
	nothing_changed
	ends_as_ever
}

# --- saved and discarded ---------------------------------------------------------------------------------------

@test "managedsave-remove: the next start archives what was left first, deletes nothing, and begins anew" {
	machine_runs
	keep_data
	on qemu managedsave vm1
	on qemu managedsave-remove vm1
	nothing_changed
	on qemu start vm1
	archived_as_lost
	everything_is_new
	rm -rf /srv/archive
	on qemu destroy vm1
	fails test -e /srv/guests/vm1/scratch
	same_text "$(records)" ''
}

@test "start --force-boot: the save is discarded, and what was left is archived first" {
	machine_runs
	keep_data
	on qemu managedsave vm1
	on qemu start --force-boot vm1
	archived_as_lost
	everything_is_new
}

@test "undefine --managed-save, and defined again: what was left is archived at its first start" {
	machine_runs
	keep_data
	on qemu managedsave vm1
	on qemu dumpxml vm1 >"$BATS_TEST_TMPDIR/vm1.xml"
	on qemu undefine --managed-save vm1
	nothing_changed
	on qemu define "$BATS_TEST_TMPDIR/vm1.xml"
	on qemu start vm1
	archived_as_lost
	everything_is_new
}

@test "undefine --managed-save, and made anew with another UUID: what was left is archived, and the new one starts" {
	machine_runs
	keep_data
	on qemu managedsave vm1
	on qemu undefine --managed-save vm1
	guest_define qemu vm1 "$full" "$(cdrom_xml $image)"
	on qemu start vm1
	archived_as_lost
	everything_is_new
	same_text "$(records | wc -l)" 1
}

@test "saved and discarded while the archive cannot be made: the guest starts with all that it had, and it is archived later" {
	machine_runs
	keep_data
	on qemu managedsave vm1
	on qemu managedsave-remove vm1
	mkdir -p /srv/archive
	echo x >/srv/archive/vm1
	on qemu start vm1
	# the image is no data of the guest's, and is built anew
	cmp "$BATS_TEST_TMPDIR/data" $fast/data
	same_text "$(cat /srv/guests/vm1/www/index.html)" 'changed by the guest'
	file_has $logs/qemu-vm1.log 'its last run is unfinished and could not be finished'
	rm /srv/archive/vm1
	on qemu destroy vm1
	same_text "$(cat "/srv/archive/vm1/$(today)/service.log")" 'first life'
	cmp "$BATS_TEST_TMPDIR/data" /srv/archive/vm1/fast/data
	same_text "$(records)" ''
}

# --- snapshots -------------------------------------------------------------------------------------------------

with_disk() {
	qemu-img create -q -f qcow2 /srv/guests/vm1/disk.qcow2 8M
	chmod 0666 /srv/guests/vm1/disk.qcow2
	machine_runs "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/srv/guests/vm1/disk.qcow2'/><target dev='hdb' bus='ide'/></disk>"
	on qemu snapshot-create-as vm1 s1
}

@test "revert of a running machine to a running snapshot: image and ramdisk are the same files, and the tree is seeded anew" {
	with_disk
	record_events
	keep_data
	on qemu snapshot-revert vm1 s1
	guest_state_is qemu vm1 running
	same_text "$(cut -d ' ' -f 2 $seen/events | tr '\n' ' ')" 'stopped release prepare start started '
	same_text "$(why)" 'from-snapshot '
	belongings_are_there
	same_text "$(cat /srv/guests/vm1/www/index.html)" seed
	on qemu snapshot-revert vm1 s1 --force
	belongings_are_there
	ends_as_ever
}

@test "revert of a machine that is off to a running snapshot: a new life, with its image and its ramdisk" {
	with_disk
	on qemu destroy vm1
	fails test -e $image
	record_events
	on qemu snapshot-revert vm1 s1
	guest_state_is qemu vm1 running
	same_text "$(cut -d ' ' -f 2 $seen/events | tr '\n' ' ')" 'prepare start started '
	test -e $image
	ramdisk_on $fast
	on qemu destroy vm1
	fails test -e $image
	same_text "$(ramdisks)" ''
	same_text "$(records)" ''
}

@test "revert of a running machine to a snapshot that is off ends its life, and deletes nothing" {
	with_disk
	keep_data
	on qemu destroy vm1
	on qemu snapshot-delete vm1 s1
	mkdir -p /srv/guests/vm1/scratch
	echo worthless >/srv/guests/vm1/scratch/big
	on qemu snapshot-create-as vm1 s1
	rm -rf /srv/archive
	on qemu start vm1
	guest_works
	keep_data
	on qemu snapshot-revert vm1 s1
	guest_state_is qemu vm1 'shut off'
	cat $seen/why >&2
	same_text "$(cat /srv/guests/vm1/scratch/big)" worthless
	# as if it was saved: what it had is there until its next start, which archives it
	cmp "$BATS_TEST_TMPDIR/data" $fast/data || cmp "$BATS_TEST_TMPDIR/data" /srv/archive/vm1/fast/data
	on qemu start vm1
	on qemu destroy vm1
	same_text "$(ramdisks)" ''
	same_text "$(records)" ''
}

# --- reasons ---------------------------------------------------------------------------------------------------

@test "reasons of a machine's end, each with what it archives and deletes, by default and by when" {
	local directives="<archive><dircopy><src>/srv/guests/%NAME%/log</src><dst>/srv/archive/%NAME%/default</dst></dircopy></archive>
		<archive when='crashed'><dircopy><src>/srv/guests/%NAME%/log</src><dst>/srv/archive/%NAME%/crashed</dst></dircopy></archive>
		<post-rm-rf><dir>/srv/guests/%NAME%/scratch</dir></post-rm-rf>
		<post-rm-rf when='crashed'><dir>/srv/guests/%NAME%/core</dir></post-rm-rf>" end
	guest_define qemu vm1 "$directives"
	for end in destroyed crashed shutdown; do
		rm -rf /srv/archive $seen/why
		mkdir -p /srv/guests/vm1/{scratch,core}
		on qemu start vm1
		case $end in
		destroyed) on qemu destroy vm1 ;;
		crashed) pkill -KILL -f 'guest=vm1,' ;;
		shutdown) pkill -TERM -f 'guest=vm1,' ;;
		esac
		within 10 file_has $seen/why "^$end\$"
		within 10 run_is_over
		test -e /srv/archive/vm1/default/service.log
		if [[ $end == crashed ]]; then
			test -e /srv/archive/vm1/crashed/service.log
			test -e /srv/guests/vm1/scratch
			fails test -e /srv/guests/vm1/core
		else
			fails test -e /srv/archive/vm1/crashed
			fails test -e /srv/guests/vm1/scratch
			test -e /srv/guests/vm1/core
		fi
	done
}
