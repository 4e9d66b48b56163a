#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Live migration between two libvirtds that take each other for other hosts, on shared storage.
# "here" is the source, "there" the destination. Run as: tests/sandbox bats tests/lives-migration.bats

# names that lib/lives.bash sets, none with a blank in it
# shellcheck disable=SC2154,SC2086,SC2016,SC2010,SC2012
load lib/lives.bash

setup_file() {
	lives_begin qemu
	[[ -e $BATS_FILE_TMPDIR/skip ]] || other_host_begin
}

teardown_file() {
	lives_end
	other_host_end
}

setup() {
	life_begin
	record_events_of here
	record_events_of there
}

teardown() {
	[[ ! -e $BATS_FILE_TMPDIR/skip ]] || return 0
	on_there qemu destroy vm1 >/dev/null 2>&1 || true
	on_there qemu undefine vm1 >/dev/null 2>&1 || true
	if [[ -z ${BATS_TEST_COMPLETED:-} ]]; then
		there tail -n 40 $logs/qemu-vm1.log | sed 's/^/there: /' >&2 || true
		cat /srv/events >&2 || true
	fi
	there sh -c "rm -rf $parts/*.d $logs/*; find /var/lib/virt-parts/state -mindepth 1 -delete; cp $BATS_FILE_TMPDIR/parts.conf $hooks/parts.conf"
	there awk '/ - tmpfs virt-parts:/ {print $5}' /proc/self/mountinfo | while read -r dir; do
		there umount "$dir"
	done
	life_end
	rm -f /srv/events /srv/moment
}

readonly full="
	<ramdisk><dir size='4M'>/srv/guests/%NAME%/fast</dir></ramdisk>
	<preload>
		<iso path='/var/lib/virt-parts/iso/%NAME%/seed.iso' label='CIDATA'>
			<src>/srv/seed/vm</src><file path='meta-data'>instance-id: %NAME%</file></iso>
		<dircopy><src>/srv/seed/www</src><dst>/srv/guests/%NAME%/www</dst></dircopy>
	</preload>
	<archive><dircopy><src>/srv/guests/%NAME%/log</src><dst>/srv/archive/%NAME%/%DATE%</dst></dircopy></archive>
	<post-rm-rf><dir>/srv/guests/%NAME%/scratch</dir></post-rm-rf>"
readonly image=/var/lib/virt-parts/iso/vm1/seed.iso
readonly uri="qemu+unix:///system?socket=$other_socket_dir/libvirt-sock"

# part_of HOST DIR/NN-NAME: as `part`, here or there
part_of() {
	if [[ $1 == here ]]; then
		part "$2"
	else
		# shellcheck disable=SC2016 # $1 is that of the inner shell
		{ echo '#!/bin/sh'; cat; } | there sh -c 'mkdir -p "${1%/*}"; cat >"$1.new"; chmod 0755 "$1.new"; mv "$1.new" "$1"' sh "$parts/$2"
	fi
}

record_events_of() {
	local event
	for event in prepare_begin start_begin started_begin stopped_end release_end migrate_begin; do
		part_of "$1" "$event.d/05-record" <<-END
			echo "$1 \$VIRT_PARTS_OP" >>/srv/events
		END
	done
}

# machine_runs [DEVICE]: 10 MiB of memory that is not zero, at 1 MiB/s: a migration takes 10 s, if nobody makes it faster
machine_runs() {
	mkdir -p /srv/guests/vm1/{log,scratch} /srv/seed/vm /srv/seed/www
	echo 'a line' >/srv/guests/vm1/log/service.log
	echo 'worthless' >/srv/guests/vm1/scratch/big
	echo '#cloud-config' >/srv/seed/vm/user-data
	echo seed >/srv/seed/www/index.html
	[[ -e /tmp/memory ]] || head -c 10M /dev/urandom >/tmp/memory
	chmod 0644 /tmp/memory
	GUEST_UUID=5f0e1d2c-3b4a-4958-8776-655443322110 guest_xml qemu vm1 "$full" "$(cdrom_xml $image)${1:-}" | sed \
		-e "s|<domain |&xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0' |" \
		-e "s|</domain>|<qemu:commandline><qemu:arg value='-device'/><qemu:arg value='loader,file=/tmp/memory,addr=0x400000,force-raw=on'/></qemu:commandline>&|" \
		>"$BATS_TEST_TMPDIR/vm1.xml"
	on qemu define "$BATS_TEST_TMPDIR/vm1.xml"
	on qemu start vm1
	echo 'changed by the guest' >/srv/guests/vm1/www/index.html
	: >/srv/events
	image_identity >"$BATS_TEST_TMPDIR/image"
}

image_identity() {
	stat -c %i $image
	sha256sum <$image
}

migrate() {
	timeout -k 5 "$VIRSH_LIMIT" virsh -q -c qemu:///system migrate --live --unsafe --migrateuri tcp:127.0.0.1 vm1 "$uri"
}

# in the background, its pid in $client
migrate_begins() {
	# exec: so that it is the client that is killed, not a shell that waits for it
	(exec virsh -q -c qemu:///system migrate --live --unsafe --bandwidth 1 --migrateuri tcp:127.0.0.1 vm1 "$uri" "$@") \
		</dev/null >"$BATS_TEST_TMPDIR/client" 2>&1 3>&- &
	client=$!
}

transfer_began() {
	file_has /srv/events 'there started' && file_has /var/log/libvirt/qemu/vm1.log 'initiating migration'
}

# transfer_goes_fast: from now on
transfer_goes_fast() {
	on qemu migrate-setspeed vm1 1000
}

# hooks_are_over_there: none of the second host's runs, nor goes on in the background
hooks_are_over_there() {
	local pid
	for pid in $(pgrep -f '^/etc/libvirt/hooks/qemu vm1 '); do
		[[ $(readlink "/proc/$pid/ns/uts") != $(there readlink /proc/self/ns/uts) ]] || return 1
	done
}

ramdisk_on_there() {
	there awk '/ - tmpfs virt-parts:/ {print $5}' /proc/self/mountinfo | grep -qxF -- "$1"
}

records_there() {
	there find /var/lib/virt-parts/state -mindepth 2 -maxdepth 2 -type d
}

state_there() {
	on_there qemu domstate vm1 2>/dev/null | tr -d '\n' || true
}

state_here() {
	on qemu domstate vm1 2>/dev/null | tr -d '\n' || true
}

runs_there() {
	[[ $(state_there) == running ]]
}

gone_there() {
	[[ -z $(state_there) || $(state_there) == 'shut off' ]]
}

# the run on the side that the guest does not live on is over
lives_here() {
	[[ $(state_here) == running && $(state_there) == '' && -z $(records_there) ]]
}

lives_there() {
	[[ $(state_here) == 'shut off' && $(state_there) == running && -z $(records) ]]
}

# What the guest that lives on must still have, wherever that is.
nothing_lost() {
	image_identity | diff "$BATS_TEST_TMPDIR/image" -
	same_text "$(cat /srv/guests/vm1/scratch/big)" worthless
	same_text "$(cat /srv/guests/vm1/log/service.log)" 'a line'
	same_text "$(cat /srv/guests/vm1/www/index.html)" 'changed by the guest'
	if lives_here; then
		ramdisk_on /srv/guests/vm1/fast
		fails ramdisk_on_there /srv/guests/vm1/fast
	else
		ramdisk_on_there /srv/guests/vm1/fast
		fails ramdisk_on /srv/guests/vm1/fast
	fi
}

# The end of a guest that came by migration: archived; nothing that it found is deleted.
ends_there() {
	rm -rf /srv/archive
	on_there qemu destroy vm1
	same_text "$(ls /srv/archive/vm1)" "$(today)"
	same_text "$(records_there)" ''
	fails ramdisk_on_there /srv/guests/vm1/fast
	test -e /srv/guests/vm1/scratch/big
	image_identity | diff "$BATS_TEST_TMPDIR/image" -
}

# The end of a guest that stayed: as if no migration had been tried.
ends_here() {
	rm -rf /srv/archive
	on qemu destroy vm1
	same_text "$(ls /srv/archive/vm1)" "$(today)"
	same_text "$(records)" ''
	same_text "$(ramdisks)" ''
}

@test "a completed migration: the guest has everything there, and here only the ramdisk is gone" {
	machine_runs
	migrate
	same_text "$(tr '\n' ',' </srv/events)" \
		'there migrate,there prepare,there start,there started,here stopped,here release,'
	within 5 lives_there
	nothing_lost
	fails test -e /srv/archive
	ends_there
}

@test "after a completed migration a new life here begins with everything new, and its end deletes" {
	machine_runs
	migrate
	ends_there
	on qemu start vm1
	same_text "$(cat /srv/guests/vm1/www/index.html)" seed
	ends_here
	fails test -e /srv/guests/vm1/scratch
	fails test -e $image
}

@test "there and back again: nothing is lost, and the guest that came back deletes nothing" {
	machine_runs
	migrate
	within 5 lives_there
	timeout -k 5 "$VIRSH_LIMIT" virsh -q -c "$uri" migrate --live --unsafe --migrateuri tcp:127.0.0.1 vm1 qemu:///system
	within 10 lives_here
	nothing_lost
	ends_here
	test -e /srv/guests/vm1/scratch/big
	image_identity | diff "$BATS_TEST_TMPDIR/image" -
}

@test "an offline migration: a start there at once counts as one that came by migration, the next one does not" {
	machine_runs
	on qemu destroy vm1
	mkdir -p /srv/guests/vm1/scratch
	echo 'changed by the guest' >/srv/guests/vm1/www/index.html
	timeout -k 5 "$VIRSH_LIMIT" virsh -q -c qemu:///system migrate --offline --persistent --unsafe vm1 "$uri"
	same_text "$(grep there /srv/events)" 'there migrate'
	on_there qemu start vm1
	same_text "$(cat /srv/guests/vm1/www/index.html)" 'changed by the guest'
	there grep -q 'nothing is copied: the guest comes by migration and may still run elsewhere' $logs/qemu-vm1.log
	on_there qemu destroy vm1
	test -e /srv/guests/vm1/scratch
	test -e $image
	on_there qemu start vm1
	same_text "$(cat /srv/guests/vm1/www/index.html)" seed
	on_there qemu destroy vm1
	fails test -e /srv/guests/vm1/scratch
	fails test -e $image
}

@test "a migration aborted by domjobabort: the guest lives on here, and what came there is gone" {
	machine_runs
	migrate_begins
	within 10 transfer_began
	sleep 0.5
	within 5 on qemu domjobabort vm1
	within 15 process_gone $client
	within 10 lives_here
	nothing_lost
	file_has /srv/events 'there release'
	ends_here
}

@test "a part that fails there in migrate cancels it, and the guest lives on here" {
	part_of there migrate_begin.d/30-no <<-END
		echo 'no room on this host' >&2
		exit 1
	END
	machine_runs
	run migrate
	[ "$status" -ne 0 ]
	says 'no room on this host'
	within 10 lives_here
	nothing_lost
	ends_here
	fails test -e /srv/guests/vm1/scratch
}

@test "a part that fails there in prepare cancels it, and the guest lives on here" {
	part_of there prepare_begin.d/30-no <<-END
		exit 1
	END
	machine_runs
	run migrate
	[ "$status" -ne 0 ]
	within 10 lives_here
	nothing_lost
}

# moment_is HOST/EVENT: a part there that says when it is called, and takes until the client is killed
moment_is() {
	part_of "${1%/*}" "${1#*/}.d/90-moment" <<-END
		echo >/srv/moment
		$until_go_on
	END
}

# what_the_admin_decides: when the client was lost in the last phase, the guest is paused here, and runs there or is gone
what_the_admin_decides() {
	[[ $(state_here) == paused ]] || return 0
	echo 'paused here' >&2
	if runs_there; then
		on qemu destroy vm1
	elif gone_there; then
		on qemu resume vm1
	fi
}

# is_settled: the guest lives on one side, and the other has done what is to be done
is_settled() {
	what_the_admin_decides
	{ lives_there || { lives_here && file_has /srv/events 'there release'; }; } && hooks_are_over_there
}

@test "a migration whose client is killed at ten moments: the guest that lives on loses nothing" {
	local moment round rounds=${VIRT_PARTS_FULL:+5}
	for ((round = 0; round < ${rounds:-1}; round++)); do
		for moment in there/migrate_begin there/prepare_begin there/start_begin there/started_begin \
			transfer/0 transfer/2 transfer/6 transfer/9.6 here/stopped_end here/release_end; do
			echo "client killed at $moment" >&2
			rm -rf /srv/moment $seen/go-on ${parts:?}/*.d/90-moment
			there sh -c "rm -f $parts/*.d/90-moment"
			[[ $moment == transfer/* ]] || moment_is $moment
			machine_runs
			migrate_begins
			if [[ $moment == transfer/* ]]; then
				within 10 transfer_began
				sleep ${moment#*/}
			else
				[[ $moment != here/* ]] || within 20 transfer_goes_fast
				within 15 test -e /srv/moment
			fi
			kill -KILL $client 2>/dev/null || true
			wait $client || true
			go_on
			within 15 is_settled
			nothing_lost
			proof 25b 1 0 0 "client killed at $moment"
			echo "lives on: $(lives_here && echo here || echo there)" >&2
			if lives_here; then
				ends_here
			else
				ends_there
			fi
			rm -rf /srv/guests /srv/archive
			rm -f $image
		done
	done
}

@test "from daemon to daemon (p2p) a killed client ends nothing, and nothing is lost" {
	machine_runs
	migrate_begins --p2p
	within 10 transfer_began
	kill -KILL $client
	within 10 transfer_goes_fast
	within 20 lives_there
	nothing_lost
	ends_there
}

@test "the source's libvirtd killed while it migrates: the guest lives on here and loses nothing" {
	machine_runs
	migrate_begins --p2p
	within 10 transfer_began
	sleep 1
	libvirt_kill
	libvirt_again
	within 20 lives_here
	nothing_lost
	ends_here
}

@test "the destination's libvirtd killed while it migrates: the guest lives on here and loses nothing" {
	machine_runs
	migrate_begins --p2p
	within 10 transfer_began
	sleep 1
	there sh -c 'kill -KILL "$(cat /run/libvirtd.pid)"; rm /run/libvirtd.pid'
	within 15 process_gone $client
	there libvirtd -d --pid-file /run/libvirtd.pid </dev/null >/dev/null 2>&1 3>&- 4>&-
	within 20 other_host_answers
	within 20 lives_here
	nothing_lost
	ends_here
}

@test "a client lost in the last phase leaves a paused guest here: ended, it takes nothing from the one there" {
	machine_runs
	migrate_begins
	within 10 transfer_began
	# the destination hears of the transfer's end only when the client is gone
	local daemon
	daemon=$(there cat /run/libvirtd.pid)
	kill -STOP "$daemon"
	within 10 transfer_goes_fast
	within 10 file_has /run/libvirt/qemu/vm1.xml "phase='perform3_done'"
	kill -KILL $client
	kill -CONT "$daemon"
	within 15 runs_there
	same_text "$(state_here)" paused
	on qemu destroy vm1
	within 5 lives_there
	nothing_lost
}

@test "an unfinished run there: a guest that comes there loses nothing by its being finished, nor when that fails and it goes back" {
	machine_runs
	migrate
	# its end there cannot be archived
	echo x >/srv/archive
	on_there qemu destroy vm1
	[[ -n $(records_there) ]]
	# once more: the old run cannot be finished, once more: it can
	local end
	for end in fails works; do
		echo "finishing $end" >&2
		[[ $end == fails ]] || rm -f /srv/archive
		mkdir -p /srv/guests/vm1/scratch
		machine_runs
		migrate_begins
		within 10 transfer_began
		rm -f /srv/archive
		# which looks there as if the guest was destroyed
		kill -KILL $client
		within 10 gone_there
		within 10 hooks_are_over_there
		image_identity | diff "$BATS_TEST_TMPDIR/image" -
		same_text "$(cat /srv/guests/vm1/scratch/big)" worthless
		on qemu destroy vm1
		rm -rf /srv/archive
	done
}

@test "a run there that ended by a snapshot: a guest that comes there loses nothing, nor when it goes back" {
	local disk="<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/srv/guests/vm1/disk.qcow2'/><target dev='hdb' bus='ide'/></disk>"
	mkdir -p /srv/guests/vm1
	qemu-img create -q -f qcow2 /srv/guests/vm1/disk.qcow2 8M
	chmod 0666 /srv/guests/vm1/disk.qcow2
	machine_runs "$disk"
	on qemu destroy vm1
	on_there qemu define "$BATS_TEST_TMPDIR/vm1.xml"
	on_there qemu start vm1
	on_there qemu snapshot-create-as vm1 s1 --halt
	same_text "$(there sh -c 'cat /var/lib/virt-parts/state/qemu/*/release')" from-snapshot
	on_there qemu snapshot-delete vm1 s1 --metadata
	machine_runs "$disk"
	migrate_begins
	within 10 transfer_began
	same_text "$(cat /srv/guests/vm1/www/index.html)" 'changed by the guest'
	kill -KILL $client
	within 10 gone_there
	within 10 hooks_are_over_there
	on_there qemu undefine vm1
	within 5 lives_here
	nothing_lost
	ends_here
}

@test "with shared-storage = no a run that came by migration ends as any other" {
	there sed -i 's/^shared-storage = .*/shared-storage = no/' $hooks/parts.conf
	machine_runs
	migrate
	within 5 lives_there
	on_there qemu destroy vm1
	fails test -e /srv/guests/vm1/scratch
	fails test -e $image
	same_text "$(ls /srv/archive/vm1)" "$(today)"
	proof 25b 0 0 1 'what may be deleted is'
}

@test "a disk that was attached here goes along, its image stays, and there others can be attached" {
	mkdir -p /srv/seed/data
	echo 'from here' >/srv/seed/data/file
	guest_xml qemu vm1 | sed 's|</os>|</os><features><acpi/></features>|' >"$BATS_TEST_TMPDIR/vm1.xml"
	on qemu define "$BATS_TEST_TMPDIR/vm1.xml"
	on qemu start vm1
	virt-parts -c qemu:///system attach vm1 one --src /srv/seed/data
	migrate
	test -e /var/lib/virt-parts/iso/vm1/one.attached.iso
	same_text "$(records)" ''
	on_there qemu dumpxml vm1 | grep -q '<serial>one</serial>'
	local command
	for command in 'attach vm1 two --src /srv/seed/data' 'detach vm1 one'; do
		run virt-parts -c "$uri" $command
		[ "$status" -eq 2 ]
		says "'vm1' is a guest of '$uri', which is not the libvirt of this host's system"
	done
	same_text "$(records)" ''
	run there virt-parts -c qemu:///system detach vm1 one
	[ "$status" -eq 2 ]
	says "virt-parts has attached no 'one' to 'vm1'"
	run there virt-parts -c qemu:///system attach vm1 one --src /srv/seed/data
	[ "$status" -eq 2 ]
	says "'one' is attached to 'vm1' already, as vda"
	there virt-parts -c qemu:///system attach vm1 two --src /srv/seed/data
	on_there qemu destroy vm1
	same_text "$(ls /var/lib/virt-parts/iso/vm1)" one.attached.iso
}

# asks ARGUMENT...: the command with a time limit
asks() {
	run timeout -k 5 60 virt-parts "$@"
}

@test "what another host's libvirt says of guests is not said of the runs here" {
	local record file=$BATS_TEST_TMPDIR/vm1.xml
	machine_runs
	record=$(records)
	asks -c "$uri" status
	[ "$status" -eq 0 ]
	says ')  unknown'
	says "leave out -c and LIBVIRT_DEFAULT_URI, as '$uri' is not the libvirt of this host's system"
	LIBVIRT_DEFAULT_URI=$uri asks resolve vm1
	[ "$status" -eq 2 ]
	says 'libvirt does not say whether the guest runs; leave out -c'
	asks -c "$uri" resolve --discard --yes vm1
	[ "$status" -eq 2 ]
	asks -c "$uri" run "$file" release end
	[ "$status" -eq 2 ]
	says 'libvirt does not say whether it is alive'
	asks -c "$uri" doctor
	fails grep -q 'unfinished' <<<"$output"
	# one that shuts off there may run here
	on_there qemu define "$file"
	asks -c "$uri" run vm1 release end
	[ "$status" -eq 2 ]
	says "is a guest of '$uri', which is not the libvirt of this host's system"
	asks -c "$uri" resolve vm1
	[ "$status" -eq 2 ]
	on_there qemu undefine vm1
	same_text "$(records)" "$record"
	ramdisk_on /srv/guests/vm1/fast
	# libvirt takes the name in any case, and escaped
	asks -c "${uri/socket=/SOCK%65T=}" status
	says ')  unknown'
	# the system's own socket is that of this host, whatever it is called, and so is root's session
	asks -c qemu:///session status
	says ')  open'
	asks -c qemu:///session set vm1 ramdisk /srv/guests/%NAME%/fast size=4M
	fails says "count for the system's guests alone"
	asks -c 'qemu+unix:///system?socket=/var/run/libvirt/libvirt-sock' status
	says ')  open'
	on qemu destroy vm1
}
