#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Data given to running guests, on a real libvirtd. Most machines here are without a system, since libvirt plugs a disk
# into those too; one that boots reads it. Run as: tests/sandbox bats tests/lives-attach.bats

# names that lib/lives.bash sets, none with a blank in it
# shellcheck disable=SC2154,SC2086
load lib/machine.bash

setup_file() { lives_begin qemu lxc; }
teardown_file() { lives_end; }
setup() {
	life_begin
	rm -rf /srv/boot ${consoles:?}
	mkdir -p /srv/seed/data
	echo 'from the host' >/srv/seed/data/file
}
teardown() {
	life_end
}

vp() {
	timeout -k 5 120 virt-parts -c qemu:///system "$@"
}

image_of() {
	echo "/var/lib/virt-parts/iso/$1/$2.attached.iso"
}

# bare NAME [DIRECTIVES [DEVICES]]: a machine without a system. It can be given a disk, and never lets go of it.
bare() {
	guest_xml qemu "$@" | sed 's|</os>|</os><features><acpi/></features>|' >"$BATS_TEST_TMPDIR/bare.xml"
	on qemu define "$BATS_TEST_TMPDIR/bare.xml"
}

# images: all that there are, and what a killed builder leaves
images() {
	find /var/lib/virt-parts/iso -type f
}

nothing_is_left() {
	# what was not begun is removed by the next that is, what was ended by the next end: record.h
	same_text "$(images)" '' && same_text "$(records | grep -v -e '\.new$' -e '\.over$')" ''
}

# disk_of NAME DISK: its target in the running machine's XML, by its serial number
disk_of() {
	on qemu dumpxml "$1" | xmllint --xpath "string(//disk[serial='$2']/target/@dev)" -
}

readonly archived="<archive><dircopy><src>/srv/guests/%NAME%/log</src><dst>/srv/archive/%NAME%/%DATE%</dst></dircopy></archive>"

# --- a life with a disk -----------------------------------------------------------------------------------------

@test "a running machine finds the disk by its name, reads what is on it, and gives it back" {
	if reason=$(machine_missing); then skip "$reason"; fi
	machine_define vm1
	machine_start vm1
	echo 'instance-id: %NAME%' >/tmp/meta
	run vp attach vm1 seed --src /srv/seed/data --file conf/meta=/tmp/meta
	[ "$status" -eq 0 ]
	says "attached 'seed' to 'vm1' as vda: $(image_of vm1 seed)"
	machine_tells vm1 'seed: read'
	same_text "$(machine_said vm1 | grep '^seed')" $'seed: conf/meta: instance-id: vm1\nseed: file: from the host\nseed: read'
	same_text "$(disk_of vm1 seed)" vda
	on qemu dumpxml vm1 | xmllint --xpath "//disk[serial='seed']/readonly" -

	vp attach vm1 hold-it --src /srv/seed/data/ --label HELD
	machine_tells vm1 'hold-it: read'
	same_text "$(disk_of vm1 hold-it)" vdb
	run xorriso -indev "$(image_of vm1 hold-it)" -pvd_info
	says HELD
	run vp attached vm1 --json
	same_text "$(jq -r '.[] | [.name, .device, .image] | join(" ")' <<<"$output")" \
		"hold-it vdb $(image_of vm1 hold-it)
seed vda $(image_of vm1 seed)"
	same_text "$(jq -r '.[1].size' <<<"$output")" "$(stat -c %s "$(image_of vm1 seed)")"

	# whoever has it open, it is not taken away
	exec 7<"$(image_of vm1 seed)"
	run vp detach vm1 seed --wait 60 7<&-
	[ "$status" -eq 2 ]
	says "somebody still has '$(image_of vm1 seed)' open"
	test -e "$(image_of vm1 seed)"
	machine_tells vm1 'seed: gone'
	exec 7<&-
	run vp detach vm1 seed --wait 60 7<&-
	[ "$status" -eq 0 ]
	says "detached 'seed' from 'vm1'"
	same_text "$(images)" "$(image_of vm1 hold-it)"
	# Linux lets go of a disk that is mounted, too
	vp detach vm1 hold-it --wait 60
	machine_tells vm1 'hold-it: gone'
	nothing_is_left
	run vp attached vm1
	says "nothing is attached to 'vm1'"
	# a name that is free again
	vp attach vm1 seed --src /srv/seed/data
	same_text "$(disk_of vm1 seed)" vda
	guest_state_is qemu vm1 running
	on qemu destroy vm1
	nothing_is_left
}

@test "the image is the same byte for byte, qemu's alone, and says whose it is" {
	bare vm1
	on qemu start vm1
	vp attach vm1 one --src /srv/seed/data --label X
	same_text "$(stat -c '%a %U' "$(image_of vm1 one)")" '600 libvirt-qemu'
	run xorriso -indev "$(image_of vm1 one)" -pvd_info
	says "VIRT-PARTS $(guest_uuid qemu vm1 | tr "[:lower:]" "[:upper:]")"
	sha256sum <"$(image_of vm1 one)" >/tmp/before
	on qemu destroy vm1
	on qemu start vm1
	vp attach vm1 one --src /srv/seed/data --label X
	sha256sum <"$(image_of vm1 one)" | diff /tmp/before -
}

@test "the release removes what was attached, and does what the directives ask as ever" {
	mkdir -p /srv/guests/vm1/log
	echo 'a line' >/srv/guests/vm1/log/messages
	bare vm1 "$archived<preload><iso path='/var/lib/virt-parts/iso/%NAME%/seed.iso'><src>/srv/seed/data</src></iso></preload>" \
		"$(cdrom_xml /var/lib/virt-parts/iso/vm1/seed.iso)"
	on qemu start vm1
	vp attach vm1 one --src /srv/seed/data
	vp attach vm1 two --src /srv/seed/data
	same_text "$(images | wc -l)" 3
	on qemu destroy vm1
	nothing_is_left
	same_text "$(cat "/srv/archive/vm1/$(today)/messages")" 'a line'
}

@test "a saved machine keeps its disk, and finds it byte for byte when it comes back" {
	bare vm1
	on qemu start vm1
	vp attach vm1 one --src /srv/seed/data
	stat -c %i "$(image_of vm1 one)" >/tmp/before
	on qemu managedsave vm1
	stat -c %i "$(image_of vm1 one)" | diff /tmp/before -
	run vp detach vm1 one
	[ "$status" -eq 2 ]
	says "'vm1' does not run"
	run vp attached vm1
	says "$(image_of vm1 one)"
	run vp explain vm1 prepare begin
	says "leaves the image '$(image_of vm1 one)' as it is: it was attached"
	# it is not built anew, and what it was built from may be gone
	rm -r /srv/seed/data
	on qemu start vm1
	stat -c %i "$(image_of vm1 one)" | diff /tmp/before -
	same_text "$(vp attached vm1 --json | jq -r '.[0] | .name + " " + .device')" 'one vda'
	on qemu destroy vm1
	nothing_is_left
}

@test "an unfinished run keeps the image until it is finished" {
	bare vm1 "$archived"
	mkdir -p /srv/guests/vm1/log
	on qemu start vm1
	vp attach vm1 one --src /srv/seed/data
	rmdir /srv/guests/vm1/log
	on qemu destroy vm1
	same_text "$(images)" "$(image_of vm1 one)"
	run vp check vm1
	fails says 'does not count'
	# it goes on, without the disk
	rm -r /srv/seed/data
	on qemu start vm1
	run cat /var/log/virt-parts/qemu-vm1.log
	says 'the run goes on with the directives that it began with'
	fails says 'does not count'
	same_text "$(vp attached vm1 --json | jq -r '.[0] | .name + " " + (.device // "none")')" 'one none'
	mkdir /srv/guests/vm1/log
	on qemu destroy vm1
	nothing_is_left
}

@test "libvirtd killed and started again knows the disk, and the release removes it" {
	bare vm1
	on qemu start vm1
	vp attach vm1 one --src /srv/seed/data
	libvirt_kill
	run vp detach vm1 one
	[ "$status" -eq 2 ]
	test -e "$(image_of vm1 one)"
	libvirt_again
	same_text "$(vp attached vm1 --json | jq -r '.[0].device')" vda
	on qemu destroy vm1
	nothing_is_left
}

# --- what fails -------------------------------------------------------------------------------------------------

@test "a machine that does not let go keeps its disk and the image, and detach says so in time" {
	bare vm1
	on qemu start vm1
	vp attach vm1 one --src /srv/seed/data
	run quickly 30 vp detach vm1 one --wait 1
	[ "$status" -eq 2 ]
	says "'vm1' has not let go of 'one' (vda) within 1 s"
	test -e "$(image_of vm1 one)"
	run vp detach vm1 one --wait 0
	[ "$status" -eq 2 ]
	says 'has not let go'
	same_text "$(vp attached vm1 --json | jq -r '.[0].device')" vda
	on qemu destroy vm1
	nothing_is_left
}

@test "what libvirt refuses leaves nothing behind, and its reason is told" {
	guest_xml qemu vm1 '' | sed "s/machine='pc'/machine='q35'/" >/tmp/q35.xml
	on qemu define /tmp/q35.xml
	on qemu start vm1
	run vp attach vm1 one --src /srv/seed/data
	[ "$status" -eq 2 ]
	says 'nothing was attached: libvirt refuses the disk: '
	says 'No more available PCI slots'
	nothing_is_left
}

@test "a machine that does not run, one that nobody knows and a container are refused with what to do" {
	bare vm1
	guest_define lxc web1
	on lxc start web1
	run vp attach vm1 one --src /srv/seed/data
	[ "$status" -eq 2 ]
	says "'vm1' does not run"
	run vp attach vm2 one --src /srv/seed/data
	[ "$status" -eq 2 ]
	says "libvirt knows no guest 'vm2'"
	run virt-parts -c lxc:///system attach web1 one --src /srv/seed/data
	[ "$status" -eq 2 ]
	says 'copy the data below'
	run vp detach vm1 one
	[ "$status" -eq 2 ]
	says "virt-parts has attached no 'one' to 'vm1'"
	nothing_is_left
}

@test "what the policy or the rules of an image do not allow is refused before anything is made" {
	bare vm1 "<preload><iso path='/var/lib/virt-parts/iso/%NAME%/own.attached.iso'><src>/srv/seed/data</src></iso></preload>"
	on qemu start vm1
	find /var/lib/virt-parts | sort >/tmp/before
	refused() {
		run vp attach vm1 "${@:2}"
		[ "$status" -eq 2 ] && says "$1" && find /var/lib/virt-parts | sort | diff /tmp/before -
	}
	refused "'/etc' lies below no 'read' path" one --src /etc
	refused 'cannot open' one --src /srv/seed/none
	refused 'is longer than 32 characters' one --src /srv/seed/data --label 'a label of more characters than fit'
	refused 'is not PATH=FILE' one --file /srv/seed/data/file
	refused "path '../x'" one --file ../x=/srv/seed/data/file
	refused 'there is nothing to attach' one
	refused 'choose another name' own --src /srv/seed/data
	refused 'is not an octal mode' one --src /srv/seed/data --mode 4755
	head -c 100 /dev/zero >/tmp/zero
	refused 'there is a NUL in it' one --file zero=/tmp/zero
	# one path from two places is met by the builder
	run vp attach vm1 one --src /srv/seed/data --file file=/tmp/before
	[ "$status" -eq 2 ]
	says "nothing was attached: the image of 'one' cannot be built"
	find /var/lib/virt-parts | sort | diff /tmp/before -
	sed -i '/^iso = /d' $hooks/parts.conf
	refused "parts.conf has no 'iso' path" one --src /srv/seed/data
}

@test "an image is not put where the machine could exchange it" {
	local share
	mkdir -p /srv/share/iso
	sed -i 's|^iso = .*|iso = /srv/share/iso|' $hooks/parts.conf
	ln -s /srv/share /srv/link
	for share in /srv/share /srv/share/iso /srv/link; do
		bare vm1 '' "<filesystem type='mount' accessmode='passthrough'><source dir='$share'/><target dir='share'/></filesystem>"
		on qemu start vm1
		run vp attach vm1 one --src /srv/seed/data
		[ "$status" -eq 2 ]
		says "which 'vm1' shares with this host"
		same_text "$(find /srv/share -type f)" ''
		on qemu destroy vm1
		on qemu undefine vm1
	done
	nothing_is_left
	# beside it is another thing
	mkdir /srv/shared
	bare vm1 '' "<filesystem type='mount' accessmode='passthrough'><source dir='/srv/shared'/><target dir='share'/></filesystem>"
	on qemu start vm1
	vp attach vm1 one --src /srv/seed/data
	on qemu destroy vm1
	same_text "$(find /srv/share -type f)" ''
}

@test "a file in the image's place that is not this guest's stays, and a second disk of one name is refused" {
	bare vm1
	on qemu start vm1
	mkdir -p /var/lib/virt-parts/iso/vm1
	echo precious >"$(image_of vm1 one)"
	run vp attach vm1 one --src /srv/seed/data
	[ "$status" -eq 2 ]
	says "which is not this guest's image"
	same_text "$(cat "$(image_of vm1 one)")" precious
	same_text "$(records)" ''
	rm "$(image_of vm1 one)"
	vp attach vm1 one --src /srv/seed/data
	run vp attach vm1 one --src /srv/seed/data
	[ "$status" -eq 2 ]
	says "'one' is attached to 'vm1' already"
	same_text "$(vp attached vm1 --json | jq length)" 1
}

@test "a serial number that a disk of the machine has already is no name for another" {
	truncate -s 1M /srv/own.img
	bare vm1 '' "<disk type='file' device='disk'><source file='/srv/own.img'/><target dev='vda' bus='virtio'/><serial>own</serial></disk>"
	on qemu start vm1
	run vp attach vm1 own --src /srv/seed/data
	[ "$status" -eq 2 ]
	says "a disk of 'vm1' (vda) has the serial number 'own' already"
	vp attach vm1 other --src /srv/seed/data --mode 0640 --gid 7
	same_text "$(disk_of vm1 other)" vdb
	same_text "$(stat -c %a "$(image_of vm1 other)")" 640
}

@test "attach waits for an event of the guest" {
	part started_begin.d/50-slow <<-END
		touch $seen/begun
		sleep 1
		touch $seen/done
	END
	bare vm1
	on qemu start vm1
	rm $seen/begun $seen/done
	vp run --force vm1 started begin 3>&- &
	within 5 test -e $seen/begun
	vp attach vm1 one --src /srv/seed/data
	test -e $seen/done
	wait $!
}

@test "where guests share one place for images, two of them may use one name" {
	sed -i 's|^iso = .*|iso = /var/lib/virt-parts/iso|' $hooks/parts.conf
	bare vm1
	bare vm2
	on qemu start vm1
	on qemu start vm2
	vp attach vm1 one --src /srv/seed/data
	vp attach vm2 one --src /srv/seed/data
	same_text "$(images | wc -l)" 2
	on qemu destroy vm1
	same_text "$(images)" "/var/lib/virt-parts/iso/$(guest_uuid qemu vm2).one.attached.iso"
	on qemu destroy vm2
	nothing_is_left
}

# --- at once, and cut short -------------------------------------------------------------------------------------

@test "of six attached at once with three names each name is there once" {
	bare vm1
	on qemu start vm1
	local i pids=()
	for i in 1 2 3 1 2 3; do
		vp attach vm1 disk$i --src /srv/seed/data 3>&- &
		pids+=($!)
	done
	local good=0
	for i in "${pids[@]}"; do
		if wait "$i"; then good=$((good + 1)); fi
	done
	same_text $good 3
	same_text "$(vp attached vm1 --json | jq -r '.[] | .name + .device' | sort | cut -c1-7 | tr '\n' ' ')" 'disk1vd disk2vd disk3vd '
	same_text "$(images | wc -l)" 3
	on qemu destroy vm1
	nothing_is_left
}

@test "a machine destroyed while it is given a disk leaves nothing" {
	bare vm1
	local delay
	for delay in 0 0.02 0.05 0.1 0.2; do
		on qemu start vm1
		vp attach vm1 one --src /srv/seed/data 3>&- &
		sleep $delay
		on qemu destroy vm1
		wait $! || true
		within 5 nothing_is_left
	done
}

# inject COMMAND OPTION...: with what attack-inject does to it and to what it starts
inject() {
	local command=$1
	shift
	local -a words=(virt-parts -c qemu:///system "$command" vm1 one)
	[[ $command == detach ]] || words+=(--src /srv/seed/data)
	"${VIRT_PARTS_BUILD:-$checkout/build}/tools/attack-inject" --after attach-qemu --report /tmp/report "$@" -- "${words[@]}" >/tmp/output 2>&1
}

# points NUMBER: so many system calls of the last inject, or with the full counts 20 times as many
points() {
	local -i calls step
	calls=$(sed -n 's/.*calls \([0-9]*\).*/\1/p' /tmp/report)
	step=$((calls / ${VIRT_PARTS_FULL:+20 *}$1 + 1))
	seq 1 $step $calls
}

is_cleared() {
	within 5 nothing_is_left || {
		cat /tmp/report /tmp/output >&2
		return 1
	}
}

@test "attach killed at any point is cleared up by the machine's end" {
	bare vm1
	on qemu start vm1
	inject attach
	on qemu destroy vm1
	nothing_is_left
	local n
	for n in $(points 6); do
		on qemu start vm1
		inject attach --at $n --kill-all || true
		on qemu destroy vm1
		is_cleared
	done
}

# killed COMMAND NUMBER: at so many points, to who makes the call and to all in turn; then detach clears up
killed() {
	local n who=--kill
	for n in $(points $2); do
		if [[ $1 == detach ]]; then vp attach vm1 one --src /srv/seed/data; fi
		inject $1 --at $n $who || true
		if [[ $(vp attached vm1 --json | jq length) == 1 ]]; then
			vp detach vm1 one --wait 60
		fi
		is_cleared
		if [[ $who == --kill ]]; then who=--kill-all; else who=--kill; fi
	done
}

@test "attach and detach killed at any point are cleared up by detach, and the disk can be attached again" {
	if reason=$(machine_missing); then skip "$reason"; fi
	machine_define vm1
	machine_start vm1
	inject attach
	killed attach 6
	vp attach vm1 one --src /srv/seed/data
	inject detach
	nothing_is_left
	killed detach 5
	vp attach vm1 one --src /srv/seed/data
	same_text "$(disk_of vm1 one)" vda
}
