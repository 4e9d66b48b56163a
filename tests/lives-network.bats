#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The other drivers: networks and the daemon itself on a real libvirtd, libxl and bhyve by calls as libvirt makes them.
# Run as: tests/sandbox bats tests/lives-network.bats

# names that lib/lives.bash sets, none with a blank in it
# shellcheck disable=SC2154,SC2086,SC2016
load lib/lives.bash

setup_file() {
	if ! command -v dnsmasq >/dev/null; then
		echo 'needs dnsmasq-base' >"$BATS_FILE_TMPDIR/skip"
		return
	fi
	lives_begin lxc
}

teardown_file() { lives_end; }
setup() { life_begin; }

teardown() {
	[[ ! -e $BATS_FILE_TMPDIR/skip ]] || return 0
	libvirt_running || libvirt_again
	on_network net-destroy lan1 >/dev/null 2>&1 || true
	on_network net-undefine lan1 >/dev/null 2>&1 || true
	for driver in libxl bhyve; do
		rm -f $hooks/$driver
	done
	life_end
}

on_network() {
	timeout -k 5 "$VIRSH_LIMIT" virsh -q -c network:///system "$@"
}

# A bridge with dnsmasq behind it, in the sandbox's own network. `open` needs no firewall.
network_define() {
	cat >"$BATS_TEST_TMPDIR/lan1.xml" <<-END
		<network>
		  <name>lan1</name>
		  <forward mode='open'/>
		  <bridge name='vpbr0' stp='off' delay='0'/>
		  <ip address='192.168.77.1' netmask='255.255.255.0'>
		    <dhcp><range start='192.168.77.2' end='192.168.77.9'/></dhcp>
		  </ip>
		</network>
	END
	on_network net-define "$BATS_TEST_TMPDIR/lan1.xml"
}

record_network_events() {
	local event
	for event in start_begin started_begin stopped_end port-created_begin port-deleted_begin updated_begin; do
		part network_$event.d/50-record <<-END
			echo "\$VIRT_PARTS_DRIVER \$VIRT_PARTS_DOMAIN \$VIRT_PARTS_OP \$VIRT_PARTS_SUBOP \$VIRT_PARTS_EXTRA" >>$seen/events
			cat >"$seen/\$VIRT_PARTS_OP.xml"
		END
	done
}

@test "a network's life: start, started, a port for each guest, updated, stopped, with the XML that libvirt gives" {
	record_network_events
	# what guests' events share a name with is not run for networks
	part started_begin.d/50-guests <<-END
		echo "guest \$VIRT_PARTS_DOMAIN" >>$seen/guests
	END
	network_define
	on_network net-start lan1
	ip link show vpbr0
	on_network net-update lan1 add ip-dhcp-host "<host mac='52:54:00:00:00:01' ip='192.168.77.5'/>" --live
	guest_define lxc web1 '' "<interface type='network'><source network='lan1'/></interface>"
	on lxc start web1
	on lxc destroy web1
	within 5 file_has $seen/events port-deleted
	on_network net-destroy lan1
	fails ip link show vpbr0 2>/dev/null
	same_text "$(once $seen/events)" "$(printf 'network lan1 %s -\n' 'start begin' 'started begin' 'updated begin' \
		'port-created begin' 'port-deleted begin' 'stopped end')"
	file_has $seen/port-created.xml '<networkport>'
	file_has $seen/port-created.xml '<name>web1</name>'
	file_has $seen/updated.xml '192.168.77.5'
	same_text "$(cat $seen/guests)" 'guest web1'
	same_text "$(records)" ''
}

@test "a part that fails in a network's start refuses it, and virsh shows what it said" {
	local event
	for event in start started; do
		part network_${event}_begin.d/50-no <<-'END'
			echo 'the uplink is down' >&2
			exit 1
		END
		network_define
		run on_network net-start lan1
		[ "$status" -ne 0 ]
		says "virt-parts: lan1: network_${event}_begin.d/50-no failed (exit 1)"
		says 'the uplink is down'
		fails file_has <(on_network net-list --name) lan1
		rm -r ${parts:?}/network_${event}_begin.d
		on_network net-undefine lan1
		if libvirt_since 11.3; then
			fails ip link show vpbr0 2>/dev/null
		fi
		# what libvirt 9.0 leaves behind when `started` fails
		pkill -x dnsmasq || true
		ip link del vpbr0 2>/dev/null || true
	done
}

@test "a part that fails when a port is made refuses the guest; one that fails when a network stops does not keep it up" {
	part network_port-created_begin.d/50-no <<-'END'
		echo 'no address left' >&2
		exit 1
	END
	part network_stopped_end.d/50-no <<-'END'
		exit 1
	END
	network_define
	on_network net-start lan1
	guest_define lxc web1 "<ramdisk><dir size='1M'>/srv/guests/%NAME%/tmp</dir></ramdisk>" \
		"<interface type='network'><source network='lan1'/></interface>"
	run on lxc start web1
	[ "$status" -ne 0 ]
	says 'no address left'
	# the guest's own teardown is as after any failed start
	within 5 fails ramdisk_on /srv/guests/web1/tmp 2>/dev/null
	same_text "$(records)" ''
	on_network net-destroy lan1
	fails ip link show vpbr0 2>/dev/null
}

@test "libvirtd killed and started again keeps the network, and calls no start for it" {
	record_network_events
	network_define
	on_network net-start lan1
	rm $seen/events
	libvirt_kill
	libvirt_again
	on_network net-list --name | grep -qx lan1
	ip link show vpbr0
	fails grep -E ' (start|started|stopped) ' $seen/events
}

@test "the daemon's life: start, reload, shutdown; start before the reconnect of guests that run" {
	local event
	for event in start_- start_begin start_start shutdown_- shutdown_begin shutdown_shutdown reload_begin; do
		part daemon_$event.d/50-record <<-END
			echo "\$VIRT_PARTS_DRIVER \$VIRT_PARTS_DOMAIN \$VIRT_PARTS_OP \$VIRT_PARTS_SUBOP \$VIRT_PARTS_EXTRA" >>$seen/events
		END
	done
	part reconnect_begin.d/50-record <<-END
		echo "reconnect \$VIRT_PARTS_DOMAIN" >>$seen/events
	END
	guest_define lxc web1
	on lxc start web1
	libvirt_reload
	local pid
	pid=$(libvirtd_pid)
	kill -TERM "$pid"
	within 15 process_gone "$pid"
	libvirt_again
	within 5 file_has $seen/events reconnect
	same_text "$(cat $seen/events)" 'daemon - reload begin SIGHUP
daemon - shutdown - shutdown
daemon - start - start
reconnect web1'
}

@test "a part that fails at the daemon's start does not keep it from starting" {
	part daemon_start_-.d/50-no <<-END
		exit 1
	END
	libvirt_kill
	libvirt_again
	on lxc list
	file_has $logs/daemon.log '50-no: exit 1'
}

# --- drivers that are not here ---------------------------------------------------------------------------------

@test "guests of libxl and bhyve live through all directives, by calls as libvirt makes them" {
	local driver
	for driver in libxl bhyve; do
		ln -s /usr/sbin/virt-parts-hook $hooks/$driver
		guest_tree web1 >/dev/null
		mkdir -p /srv/seed/www /srv/guests/web1/scratch
		echo seed >/srv/seed/www/index.html
		echo 'a line' >/srv/guests/web1/var/log/service.log
		GUEST_UUID=11111111-2222-4333-8444-555555555555 guest_xml lxc web1 "
			<ramdisk><dir size='1M'>/srv/guests/%NAME%/tmp</dir></ramdisk>
			<preload><iso path='/var/lib/virt-parts/iso/%NAME%/seed.iso' label='CIDATA'><src>/srv/seed/www</src></iso>
			<dircopy><src>/srv/seed/www</src><dst>/srv/guests/%NAME%/www</dst></dircopy></preload>
			<archive><dircopy><src>/srv/guests/%NAME%/var/log</src><dst>/srv/archive/%NAME%/log</dst></dircopy></archive>
			<post-rm-rf><dir>/srv/guests/%NAME%/scratch</dir></post-rm-rf>" >"$BATS_TEST_TMPDIR/web1.xml"
		local event
		for event in 'prepare begin -' 'start begin -' 'started begin -'; do
			$hooks/$driver web1 $event <"$BATS_TEST_TMPDIR/web1.xml"
		done
		ramdisk_on /srv/guests/web1/tmp
		test -e /var/lib/virt-parts/iso/web1/seed.iso
		test -e /srv/guests/web1/www/index.html
		# libvirtd restarted
		$hooks/$driver web1 reconnect begin - <"$BATS_TEST_TMPDIR/web1.xml"
		for event in 'stopped end -' 'release end -'; do
			$hooks/$driver web1 $event <"$BATS_TEST_TMPDIR/web1.xml"
		done
		same_text "$(ramdisks)" ''
		same_text "$(records)" ''
		fails test -e /var/lib/virt-parts/iso/web1/seed.iso
		test -e /srv/archive/web1/log/service.log
		# without a reason from libvirt none is known, and nothing is deleted
		test -e /srv/guests/web1/scratch
		for event in 'prepare begin -' 'start begin -' 'started begin -' 'stopped end destroyed' 'release end destroyed'; do
			$hooks/$driver web1 $event <"$BATS_TEST_TMPDIR/web1.xml"
		done
		fails test -e /srv/guests/web1/scratch
		test -e /srv/archive/web1/log-2/service.log
		test -e $logs/$driver-web1.log
		rm -rf /srv/guests /srv/archive
	done
}

@test "libxl's migration and save, by calls as libvirt makes them: what came by migration deletes nothing" {
	ln -s /usr/sbin/virt-parts-hook $hooks/libxl
	mkdir -p /srv/guests/web1/scratch
	echo worthless >/srv/guests/web1/scratch/big
	GUEST_UUID=11111111-2222-4333-8444-555555555555 guest_xml lxc web1 "
		<ramdisk><dir size='1M'>/srv/guests/%NAME%/tmp</dir></ramdisk>
		<post-rm-rf><dir>/srv/guests/%NAME%/scratch</dir></post-rm-rf>" >"$BATS_TEST_TMPDIR/web1.xml"
	local event
	for event in 'migrate begin -' 'prepare begin -' 'start begin -' 'started begin -' 'stopped end destroyed' 'release end destroyed'; do
		$hooks/libxl web1 $event <"$BATS_TEST_TMPDIR/web1.xml"
	done
	test -e /srv/guests/web1/scratch/big
	same_text "$(records)" ''

	for event in 'prepare begin -' 'start begin -' 'started begin -' 'stopped end saved' 'release end saved'; do
		$hooks/libxl web1 $event <"$BATS_TEST_TMPDIR/web1.xml"
	done
	ramdisk_on /srv/guests/web1/tmp
	echo kept >/srv/guests/web1/tmp/data
	for event in 'restore begin -' 'prepare begin -' 'start begin -' 'started begin -'; do
		$hooks/libxl web1 $event <"$BATS_TEST_TMPDIR/web1.xml"
	done
	same_text "$(cat /srv/guests/web1/tmp/data)" kept
	for event in 'stopped end shutdown' 'release end shutdown'; do
		$hooks/libxl web1 $event <"$BATS_TEST_TMPDIR/web1.xml"
	done
	fails test -e /srv/guests/web1/scratch
	same_text "$(ramdisks)" ''
}
