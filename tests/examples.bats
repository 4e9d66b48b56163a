#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The example parts of examples/parts: each is run by the dispatcher, in a world of its own.
#
# The world is a mount and a network namespace: what the parts write to /run, /var/log and /etc/iproute2, and the
# network, are the world's, and /sys is a made-up tree. So the parts run as they are, with their real paths.

# shellcheck source-path=SCRIPTDIR disable=SC2154 # what lib/tree sets
load lib/tree

setup() {
	tree_make
	examples=$checkout/examples/parts
	command -v nsenter >/dev/null || skip 'needs nsenter'
	unshare -m -n true 2>/dev/null || skip 'needs mount and network namespaces'
	mkdir -p "$tree/libexec" "$vendor"/{prepare_begin,release_end}.d "$tree/sys"
	cp "$build"/parts/{virt-parts,ramdisk} "$tree/libexec/"
	ln -s "$tree/libexec/virt-parts" "$vendor/prepare_begin.d/05-virt-parts"
	ln -s "$tree/libexec/ramdisk" "$vendor/release_end.d/40-ramdisk"
	mkdir -p "$tree/iproute2"
	[[ ! -d /etc/iproute2 ]] || cp -a /etc/iproute2/. "$tree/iproute2/"
	# It makes itself: whoever entered it too early would mount over the host's own directories.
	cat >"$tree/world" <<-END
		for dir in /run /var/log /usr/local/bin; do mount -t tmpfs tmpfs \$dir; done
		[ ! -d /etc/iproute2 ] || mount --bind $tree/iproute2 /etc/iproute2
		cp $build/virt-parts-get /usr/local/bin/
		mount --bind $tree/sys /sys
		touch /run/the-world-of-this-test $tree/world-is-there
		exec sleep 1000
	END
	# bats waits for whoever holds its descriptor 3
	unshare -m -n --propagation private sh -eu "$tree/world" </dev/null >/dev/null 2>&1 3>&- &
	world=$!
	within 60 test -e "$tree/world-is-there"
}

teardown() {
	[[ -z ${world:-} ]] || kill "$world" 2>/dev/null || true
	[[ -z ${kernel:-} ]] || kill "$kernel" 2>/dev/null || true
	tree_remove
}

# inside COMMAND...: in the world, and nowhere else
inside() {
	nsenter -t "$world" -m -n -- sh -c '[ -e /run/the-world-of-this-test ] || exit 99; exec "$@"' sh "$@" 3>&-
}

# asks TEXT: the guest's XML with that directive
asks() {
	xml="<domain type='kvm'><name>web1</name><uuid>$uuid</uuid><metadata>
		<virt-parts xmlns='urn:virt-parts:1'>$1</virt-parts></metadata></domain>"
}

# at OP SUBOP [DRIVER]: an event of web1, or of the network web1, in the world
at() {
	status=0
	output=$(printf '%s' "$xml" | inside "$hooks/${3:-qemu}" web1 "$1" "$2" - 2>&1) || status=$?
	printf '%s_%s: exit %s\n%s\n' "$1" "$2" "$status" "$output" >&2
}

succeeds() {
	at "$@"
	[[ $status -eq 0 ]]
}

# put_part FILE NAME EVENT...: installs an example as the part NAME of these events
put_part() {
	local file=$1 name=$2 event
	shift 2
	for event; do
		install -D -m 755 "$examples/$file" "$parts/$event.d/$name"
	done
}

needs() {
	local tool
	for tool; do
		command -v "$tool" >/dev/null || skip "needs $tool"
	done
}

# --- dns-host, in C --------------------------------------------------------------------------------------------

# As somebody else would build: from what `make install` installs.
installed() {
	needs pkg-config cc make
	make -s -C "$checkout" BUILD="$build" DESTDIR="$tree/installed" install >/dev/null
	export PKG_CONFIG_PATH=$tree/installed/usr/share/pkgconfig PKG_CONFIG_SYSROOT_DIR=$tree/installed
}

# In a directory that is not ours.
put_dns_host() {
	installed
	cp -r "$examples/c" "$tree/c"
	make -s -C "$tree/c" CFLAGS='-O2 -Wall -Wextra -Werror' PARTS_DIR="$parts" PROGRAM_DIR="$tree/libexec" install
}

readonly host_file=/run/virt-parts-hosts/${uuid}_192.0.2.10

@test "dns-host, built against the installed library, writes a hosts file at prepare and removes it at release" {
	put_dns_host
	asks '<dns-host address="192.0.2.10">%NAME%.example.net</dns-host><dns-host address="2001:DB8::1">www.example.net</dns-host>'
	succeeds prepare begin
	same "$(inside cat "$host_file")" '192.0.2.10 web1.example.net'
	same "$(inside cat "/run/virt-parts-hosts/${uuid}_2001:db8::1")" '2001:DB8::1 www.example.net'
	same "$(inside ls -A /run/virt-parts-hosts | wc -l)" 2
	succeeds release end
	same "$(inside ls -A /run/virt-parts-hosts)" ''
}

@test "dns-host removes at release what it was asked for at prepare, whatever was edited since" {
	put_dns_host
	asks '<dns-host address="192.0.2.10">%NAME%.example.net</dns-host>'
	succeeds prepare begin
	asks '<dns-host address="192.0.2.99">%NAME%.example.net</dns-host>'
	succeeds release end
	same "$(inside ls -A /run/virt-parts-hosts)" ''
}

@test "the directory of dns-host is made before dnsmasq by the line that its comment and the README give" {
	local line
	line=$(sed -n "s/^echo '\(d .*\)' >.*/\1/p" "$checkout/examples/README.md")
	grep -qxF " *	$line" "$examples/c/dns-host.c"
	same "$line" "d ${host_file%/*} 0755 root root -"
	command -v systemd-tmpfiles >/dev/null || return 0
	mkdir "$tree/root"
	echo "$line" >"$tree/hosts.conf"
	systemd-tmpfiles --create --root="$tree/root" "$tree/hosts.conf"
	same "$(stat -c '%a %u:%g' "$tree/root${host_file%/*}")" '755 0:0'
}

@test "dns-host refuses a start for a text that is no host name, or an address that is none" {
	put_dns_host
	asks '<dns-host address="192.0.2.10">web1 other</dns-host>'
	at prepare begin
	[[ $status -ne 0 ]]
	has "$output" "web1: <dns-host>: 'web1 other' is not a host name"
	asks '<dns-host address="192.0.2">%NAME%</dns-host>'
	succeeds release end
	at prepare begin
	[[ $status -ne 0 ]]
	has "$output" "'192.0.2' is not an IP address"
}

@test "dns-host has its table checked by the frame: an attribute it does not know refuses the start" {
	put_dns_host
	asks '<dns-host adress="192.0.2.10">%NAME%.example.net</dns-host>'
	at prepare begin
	[[ $status -ne 0 ]]
	has "$output" "unknown attribute 'adress', known are: address"
}

# --- hugepages, in shell ---------------------------------------------------------------------------------------

put_hugepages() {
	needs flock
	put_part shell/hugepages 30-hugepages prepare_begin release_end
	pool=$tree/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
	mkdir -p "${pool%/*}"
	echo 10 >"$pool"
}

@test "hugepages adds the guest's pages to the pool at prepare and takes them out at release" {
	put_hugepages
	asks '<hugepages count="512"/>'
	succeeds prepare begin
	same "$(<"$pool")" 522
	succeeds release end
	same "$(<"$pool")" 10
	succeeds release end
	same "$(<"$pool")" 10
}

@test "hugepages reserves once when a prepare comes again without a release" {
	put_hugepages
	asks '<hugepages count="512"/>'
	succeeds prepare begin
	succeeds prepare begin
	same "$(<"$pool")" 522
}

@test "hugepages refuses a start when the kernel has fewer pages, and leaves the pool as it was" {
	put_hugepages
	asks '<hugepages count="512"/>'
	# a pool that stays as it is, as a kernel without free memory
	inside sh -c "mount --bind /dev/null /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
	at prepare begin
	[[ $status -ne 0 ]]
	has "$output" 'hugepages: only 0 of 512 pages of 2048 KiB are free in one piece'
}

@test "hugepages and route-table put no line into the log that a value has made" {
	put_hugepages
	asks '<hugepages count="1&#10;2026-11-21T22:10:25.123Z prepare_begin: end exit 0, 3 ms pid=1"/>'
	at prepare begin
	[[ $status -ne 0 ]]
	has "$output" "must be numbers"
	succeeds release end
	rm "$parts"/*.d/30-hugepages
	needs ip
	put_part routing/route-table 40-route-table prepare_begin release_end
	asks '<route-table name="x" id="202" from="1&#10;2026-11-21T22:10:25.123Z prepare_begin: end exit 0, 3 ms pid=1" via="198.51.100.1" dev="lo"/>'
	at prepare begin
	[[ $status -ne 0 ]]
	has "$output" 'the attribute from is'
	same "$(log_of qemu-web1 | grep -c '^2026-11-21T22:10:25.123Z')" 0
}

@test "hugepages refuses a start for a count that is no number or a size that the host has not" {
	put_hugepages
	# shellcheck disable=SC2016 # for whoever would evaluate it
	asks '<hugepages count="$(id)"/>'
	at prepare begin
	[[ $status -ne 0 ]]
	has "$output" "must be numbers"
	succeeds release end
	asks '<hugepages count="1" size="1048576"/>'
	at prepare begin
	[[ $status -ne 0 ]]
	has "$output" 'this host has no pages of 1048576 KiB'
	same "$(<"$pool")" 10
}

@test "hugepages does nothing for a guest that does not ask" {
	put_hugepages
	xml=$plain
	succeeds prepare begin
	succeeds release end
	same "$(<"$pool")" 10
}

# --- monitor, in Python ----------------------------------------------------------------------------------------

# field NAME: of the last line that the part wrote
field() {
	inside tail -n 1 /var/log/virt-parts-monitor.jsonl | python3 -c '
import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1].split("."):
    value = value[key]
print(value)' "$1"
}

@test "monitor writes a line of JSON with the guest's labels at started, stopped and release" {
	needs python3
	put_part python/monitor 90-monitor started_begin stopped_end release_end
	asks '<monitor team="a &quot;b&quot;" tier="2"/>'
	succeeds prepare begin
	succeeds started begin
	same "$(field domain) $(field op) $(field labels.team) $(field labels.tier)" 'web1 started a "b" 2'
	succeeds stopped end
	succeeds release end
	same "$(field op) $(field driver) $(field uuid)" "release qemu $uuid"
	same "$(inside wc -l </dev/null /var/log/virt-parts-monitor.jsonl)" '3 /var/log/virt-parts-monitor.jsonl'
}

@test "monitor never fails a guest: not even when its log cannot be written" {
	needs python3
	put_part python/monitor 90-monitor started_begin
	inside mkdir /var/log/virt-parts-monitor.jsonl
	xml=$plain
	succeeds started begin
}

# --- net-policy, for a network ---------------------------------------------------------------------------------

put_net_policy() {
	needs python3 nft
	inside nft list tables >/dev/null 2>&1 || skip 'needs nftables in the kernel'
	put_part network/net-policy 50-net-policy network_started_begin network_updated_begin network_stopped_end
}

# network ALLOW...: hookData as libvirt's network driver gives it
network() {
	xml="<hookData><network><name>web1</name><uuid>$uuid</uuid><metadata><v:virt-parts xmlns:v='urn:virt-parts:1'>
		<v:net-policy>$*</v:net-policy></v:virt-parts></metadata><bridge name='virbr5' stp='on'/></network></hookData>"
}

rules() {
	inside nft list ruleset
}

@test "net-policy makes rules for a network's bridge when it has started, and removes them when it stops" {
	put_net_policy
	network '<v:allow to="192.0.2.0/24"/><v:allow to="2001:db8::53" port="53"/>'
	succeeds started begin network
	local table
	table=$(rules)
	has "$table" "table inet virt_parts_${uuid//-/_}"
	has "$table" 'iifname != "virbr5" return'
	has "$table" 'ip daddr 192.0.2.0/24 accept'
	has "$table" 'ip6 daddr 2001:db8::53 meta l4proto { tcp, udp } th dport 53 accept'
	succeeds stopped end network
	same "$(rules)" ''
	succeeds stopped end network
}

@test "net-policy can be tried with a network's file" {
	put_net_policy
	[[ -x $build/virt-parts ]] || skip "$build/virt-parts is not built"
	network '<v:allow to="192.0.2.0/24"/>'
	xml=${xml#<hookData>}
	printf '%s\n' "${xml%</hookData>}" >"$tree/network.xml"
	inside "$build/virt-parts" --hook-dir "$hooks" run "$tree/network.xml" started begin
	has "$(rules)" 'ip daddr 192.0.2.0/24 accept'
	inside "$build/virt-parts" --hook-dir "$hooks" run "$tree/network.xml" stopped end
	same "$(rules)" ''
}

@test "net-policy replaces its rules when the network is updated" {
	put_net_policy
	network '<v:allow to="192.0.2.0/24"/>'
	succeeds started begin network
	network '<v:allow to="198.51.100.0/24"/>'
	succeeds updated begin network
	has "$(rules)" '198.51.100.0/24'
	lacks "$(rules)" '192.0.2.0/24'
}

@test "net-policy refuses what is no address or port, and no rule is made" {
	put_net_policy
	local allow
	for allow in '<v:allow to="192.0.2.0/24 accept; flush ruleset"/>' '<v:allow to="192.0.2.1" port="0"/>' \
		'<v:allow/>'; do
		network "$allow"
		at started begin network
		[[ $status -ne 0 ]]
		has "$output" 'net-policy: <allow>'
	done
	same "$(rules)" ''
}

@test "net-policy leaves a network without a policy alone" {
	put_net_policy
	xml="<hookData><network><name>web1</name><uuid>$uuid</uuid><bridge name='virbr5'/></network></hookData>"
	succeeds started begin network
	same "$(rules)" ''
}

# --- route-table -----------------------------------------------------------------------------------------------

put_route_table() {
	needs ip
	inside ip link add eth1 type dummy 2>/dev/null || inside ip link add eth1 type bridge 2>/dev/null ||
		skip 'needs dummy or bridge devices in the kernel'
	inside ip link set eth1 up
	inside ip address add 198.51.100.2/24 dev eth1
	inside ip rule show table 202 2>/dev/null || skip 'needs policy routing in the kernel'
	put_part routing/route-table 40-route-table prepare_begin release_end
	asks '<route-table name="uplink2" id="202" from="192.0.2.10" via="198.51.100.1" dev="eth1"/>'
}

@test "route-table makes a named table and a rule for the guest's address, once, and undoes both at release" {
	put_route_table
	succeeds prepare begin
	succeeds prepare begin
	same "$(inside ip rule show table uplink2 | wc -l)" 1
	has "$(inside ip rule show)" 'from 192.0.2.10 lookup uplink2'
	has "$(inside ip route show table uplink2)" 'default via 198.51.100.1 dev eth1'
	succeeds release end
	same "$(inside ip rule show table 202)" ''
	same "$(inside ip route show table 202 2>/dev/null)" ''
	inside test ! -e /etc/iproute2/rt_tables.d/uplink2.conf
	succeeds release end
}

@test "route-table keeps a table that another guest's rule still leads to" {
	put_route_table
	succeeds prepare begin
	inside ip rule add from 192.0.2.11 table 202
	succeeds release end
	same "$(inside ip rule show table uplink2 | wc -l)" 1
	has "$(inside ip route show table uplink2)" 'default via'
}

@test "route-table refuses a start when the device is missing, or a value could be an option" {
	put_route_table
	asks '<route-table name="uplink2" id="202" from="192.0.2.10" via="198.51.100.1" dev="eth7"/>'
	at prepare begin
	[[ $status -ne 0 ]]
	has "$output" 'eth7'
	succeeds release end
	local wrong
	for wrong in 'name="-x" id="202"' 'name="../x" id="202"' 'name="x" id="254"' 'name="x" id=""'; do
		asks "<route-table $wrong from='192.0.2.10' via='198.51.100.1' dev='eth1'/>"
		at prepare begin
		[[ $status -ne 0 ]]
		has "$output" 'route-table: the attribute'
		succeeds release end
	done
}

# --- gpu, one guest's own directory ----------------------------------------------------------------------------

# A host with a graphics card on nvidia and its sound on snd_hda_intel, a console and the firmware's frame buffer.
put_gpu() {
	local own=$parts/domains/web1 pci=$tree/sys/bus/pci driver address
	mkdir -p "$own"/{prepare_begin,release_end}.d
	install -m 755 "$examples/gpu/gpu" "$own/gpu"
	install -m 644 "$examples/gpu/gpu.devices" "$own/gpu.devices"
	ln -s ../gpu "$own/prepare_begin.d/30-gpu"
	ln -s ../gpu "$own/release_end.d/30-gpu"
	for driver in nvidia snd_hda_intel vfio-pci; do mkdir -p "$pci/drivers/$driver"; done
	for address in 0000:01:00.0 0000:01:00.1; do
		mkdir -p "$pci/devices/$address"
		echo '(null)' >"$pci/devices/$address/driver_override"
	done
	ln -s ../../drivers/nvidia "$pci/devices/0000:01:00.0/driver"
	ln -s ../../drivers/snd_hda_intel "$pci/devices/0000:01:00.1/driver"
	mkdir -p "$tree"/sys/class/vtconsole/vtcon{0,1} "$tree/sys/bus/platform/drivers/efi-framebuffer/efi-framebuffer.0"
	echo '(S) dummy device' >"$tree/sys/class/vtconsole/vtcon0/name"
	echo '(M) frame buffer device' >"$tree/sys/class/vtconsole/vtcon1/name"
	echo 1 | tee "$tree"/sys/class/vtconsole/vtcon{0,1}/bind >/dev/null
	xml=$plain
	play_kernel
}

# What the kernel does with what is written: FIFOs stand for its files, and a process for it.
play_kernel() {
	local pci=$tree/sys/bus/pci
	mkfifo "$pci/drivers_probe" "$pci"/drivers/{nvidia,snd_hda_intel,vfio-pci}/unbind
	cat >"$tree/kernel" <<-'END'
		import os, select, sys
		pci, steps = sys.argv[1] + "/sys/bus/pci/", open(sys.argv[1] + "/steps", "w", buffering=1)
		usual = {"0000:01:00.0": "nvidia", "0000:01:00.1": "snd_hda_intel"}
		# the order is that in which a part writes them
		names = ["drivers/nvidia/unbind", "drivers/snd_hda_intel/unbind", "drivers/vfio-pci/unbind", "drivers_probe"]
		files = {name: os.open(pci + name, os.O_RDWR) for name in names}
		while True:
		    ready = select.select(files.values(), [], [])[0]
		    for name in [name for name in names if files[name] in ready]:
		        for address in os.read(files[name], 4096).decode().split():
		            print(name, address, file=steps)
		            link = f"{pci}devices/{address}/driver"
		            if name != "drivers_probe":
		                if os.path.lexists(link): os.unlink(link)
		                continue
		            override = open(f"{pci}devices/{address}/driver_override").read().strip("\n")
		            driver = override if override not in ("", "(null)") else usual[address]
		            if os.path.isdir(f"{pci}drivers/{driver}") and not os.path.lexists(link):
		                os.symlink(f"../../drivers/{driver}", link)
	END
	python3 "$tree/kernel" "$tree" </dev/null >/dev/null 2>&1 3>&- &
	kernel=$!
	within 60 test -e "$tree/steps"
}

driver_is() {
	same "$(basename "$(readlink "$tree/sys/bus/pci/devices/$1/driver")")" "$2"
}

@test "gpu gives the listed devices to vfio-pci and takes the console off at prepare, and reverses it at release" {
	needs python3
	put_gpu
	succeeds prepare begin
	driver_is 0000:01:00.0 vfio-pci
	driver_is 0000:01:00.1 vfio-pci
	same "$(cat "$tree"/sys/class/vtconsole/vtcon{0,1}/bind | tr '\n' ' ')" '1 0 '
	same "$(<"$tree/sys/bus/platform/drivers/efi-framebuffer/unbind")" efi-framebuffer.0
	succeeds release end
	driver_is 0000:01:00.0 nvidia
	driver_is 0000:01:00.1 snd_hda_intel
	same "$(<"$tree/sys/bus/pci/devices/0000:01:00.0/driver_override")" ''
	same "$(cat "$tree"/sys/class/vtconsole/vtcon{0,1}/bind | tr '\n' ' ')" '1 1 '
	same "$(<"$tree/sys/bus/platform/drivers/efi-framebuffer/bind")" efi-framebuffer.0
	# the last done is undone first
	same "$(tail -n 2 "$tree/steps")" 'drivers/vfio-pci/unbind 0000:01:00.0
drivers_probe 0000:01:00.0'
	succeeds release end
}

@test "gpu touches nothing when a listed device is missing, and refuses the start" {
	needs python3
	put_gpu
	rm -r "$tree/sys/bus/pci/devices/0000:01:00.1"
	at prepare begin
	[[ $status -ne 0 ]]
	has "$output" 'gpu: device 0000:01:00.1 is not there'
	driver_is 0000:01:00.0 nvidia
	same "$(<"$tree/sys/class/vtconsole/vtcon1/bind")" 1
	succeeds release end
}

@test "gpu gives back the rest at release when a device has gone meanwhile" {
	needs python3
	put_gpu
	succeeds prepare begin
	rm -r "$tree/sys/bus/pci/devices/0000:01:00.1"
	succeeds release end
	driver_is 0000:01:00.0 nvidia
	same "$(<"$tree/sys/class/vtconsole/vtcon1/bind")" 1
}

@test "gpu knows the host's drivers still when a prepare comes again without a release" {
	needs python3
	put_gpu
	succeeds prepare begin
	succeeds prepare begin
	driver_is 0000:01:00.0 vfio-pci
	succeeds release end
	driver_is 0000:01:00.0 nvidia
	driver_is 0000:01:00.1 snd_hda_intel
}

@test "gpu gives the card to its guest again when the host could not take it back, and forgets nothing" {
	needs python3
	put_gpu
	local pci=$tree/sys/bus/pci
	# a frame buffer that cannot be bound, and a driver that is not there for a while
	mkdir "$tree/sys/bus/platform/drivers/efi-framebuffer/bind"
	succeeds prepare begin
	mv "$pci/drivers/nvidia" "$tree/nvidia"
	for _ in 1 2 3; do
		at release end
		[[ $status -ne 0 ]]
		has "$output" 'could not be undone: device 0000:01:00.0 nvidia'
		has "$output" 'framebuffer efi-framebuffer'
		driver_is 0000:01:00.1 snd_hda_intel
		succeeds prepare begin
		driver_is 0000:01:00.0 vfio-pci
		driver_is 0000:01:00.1 vfio-pci
		# the console, the frame buffer, a card with its driver and without, and its sound
		same "$(inside wc -l </dev/null "/run/virt-parts-gpu/qemu-$uuid" | cut -d ' ' -f 1)" 5
	done
	mv "$tree/nvidia" "$pci/drivers/nvidia"
	rmdir "$tree/sys/bus/platform/drivers/efi-framebuffer/bind"
	succeeds release end
	driver_is 0000:01:00.0 nvidia
	driver_is 0000:01:00.1 snd_hda_intel
	inside test ! -e "/run/virt-parts-gpu/qemu-$uuid"
}

@test "gpu is run for its own guest only" {
	needs python3
	put_gpu
	printf '%s' "$xml" | inside "$hooks/qemu" web2 prepare begin -
	driver_is 0000:01:00.0 nvidia
}

# --- the examples of the manual --------------------------------------------------------------------------------

# example LINE: the literal text of virt-parts-writing-parts(7) that begins with that line
example() {
	awk -v first="$1" '$0 == first { on = 1 } on && /^\.Ed/ { exit } on' \
		"$checkout/src/man/virt-parts-writing-parts.7" | sed 's/\\e/\\/g'
}

@test "the manual's part in shell and its part in C both greet" {
	installed
	mkdir -p "$parts/prepare_begin.d"
	example '#!/bin/sh' >"$parts/prepare_begin.d/30-greeting"
	chmod 0755 "$parts/prepare_begin.d/30-greeting"
	example '#include <virt-parts.h>' >"$tree/greeting.c"
	# shellcheck disable=SC2046,SC2086 # words; LDFLAGS: what a checker's library needs
	cc -Wall -Wextra -Werror $(pkg-config --cflags virt-parts) -o "$parts/prepare_begin.d/31-greeting" \
		"$tree/greeting.c" $(pkg-config --libs virt-parts) ${LDFLAGS-}
	asks '<greeting>hello, %UUID%</greeting>'
	succeeds prepare begin
	same "$(log_of qemu-web1 | grep -cE "^web1: (<greeting>: note: )?hello, $uuid\$")" 2
}
