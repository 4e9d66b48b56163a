#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# virt-parts list, and what all commands have in common: options, help, exit status, JSON, colour.

# shellcheck disable=SC2154 # variables of cli_make and vp
load lib/cli.bash

setup() { cli_make; }
teardown() { parts_remove; }

@test "list shows the shipped parts of every event in the order in which they run" {
	good list
	same "$(grep -v '^ ' <<<"$output" | tr '\n' ',')" \
		'prepare begin of any guest,start begin of any guest,started begin of any guest,stopped end of any guest,release end of any guest,'
	same "$(grep -oE '[0-9]+  [0-9]{2}-[a-z-]+' <<<"$output" | tr -s ' ' | tr '\n' ',')" \
		'1 05-virt-parts,2 10-ramdisk,3 20-preload,1 20-archive,2 40-ramdisk,3 50-preload,4 60-post-rm-rf,'
}

@test "list shows a guest's own parts and a driver's among those that run with them" {
	part "$parts/prepare_begin.d/07-all" true
	part "$parts/qemu_prepare_begin.d/15-qemu" true
	part "$parts/domains/web1/prepare_begin.d/30-mine" true
	part "$parts/network_started_begin.d/10-net" true
	good list --json
	same "$(json '.[] | [.driver // "-", .guest // "-", .op] + [.parts[].name] | join(" ")')" \
		"- - prepare 05-virt-parts 07-all 10-ramdisk 20-preload
qemu - prepare 05-virt-parts 07-all 10-ramdisk 15-qemu 20-preload
- web1 prepare 05-virt-parts 07-all 10-ramdisk 20-preload 30-mine
- - start
- - started
- - stopped
- - release 20-archive 40-ramdisk 50-preload 60-post-rm-rf
network - started 10-net"
}

@test "list of one event shows what is hidden, masked, skipped and refused, and why" {
	part "$parts/prepare_begin.d/10-ramdisk" true
	ln -s /dev/null "$parts/prepare_begin.d/20-preload"
	echo text >"$parts/prepare_begin.d/40-no-program"
	echo text >"$parts/prepare_begin.d/notes.txt"
	part "$parts/prepare_begin.d/50-open" true
	chmod 0777 "$parts/prepare_begin.d/50-open"
	finds list --json lxc prepare begin
	same "$(json '.[0].parts[] | [.name, .state, .source] | join(" ")')" \
		'05-virt-parts run shipped
10-ramdisk run admin
10-ramdisk hidden shipped
20-preload mask admin
20-preload hidden shipped
40-no-program skipped admin
50-open refused admin
notes.txt skipped admin'
	has "$output" "it can be written by others than root (mode 0777)"
	has "$output" "masked by '$parts/prepare_begin.d/20-preload'"
}

@test "list finds the layout of 2014 beside the hook" {
	part "$hooks/qemu_prepare_begin_-.d/05-old" true
	good list qemu prepare begin
	has "$output" 05-old
	has "$output" 'layout of 2014'
	good list --json
	has "$(json '.[] | select(.driver == "qemu") | .parts[].name')" 05-old
}

@test "list refuses a driver and an event that libvirt does not have, and names the one that may be meant" {
	wrong list lcx release end
	has "$errors" "'lcx' is none of qemu, lxc, libxl, bhyve, network, daemon; did you mean 'lxc'?"
	wrong list lxc relaese end
	has "$errors" "'relaese end' is no event of a guest, did you mean 'release end'?"
	wrong list lxc release begin
	has "$errors" "did you mean 'release end'?"
	wrong list network prepare begin
	has "$errors" "'prepare begin' is no event of a network"
	wrong list daemon nonsense begin
	has "$errors" "is no event of the daemon; known are start -, reload begin, shutdown -"
	good list network port-created begin
	good list daemon start -
}

@test "list shows an event that libvirt may have one day where there are parts for it, with a warning" {
	part "$parts/qemu_backup_begin.d/30-own"
	vp list qemu backup begin
	[ "$status" -eq 0 ]
	has "$output" 30-own
	has "$errors" "warning: 'backup begin' is no event of a guest"
	has "$errors" '; it is shown, as there are parts for it'
	wrong list lxc backup begin
}

@test "list says when there is no valid parts.conf, and shows the parts all the same" {
	part "$parts/prepare_begin.d/07-all" true
	echo nonsense >"$hooks/parts.conf"
	vp list
	has "$output" 07-all
	has "$errors" 'no valid parts.conf'
	has "$errors" 'parts.conf:1:'
}

@test "a name of a part and a path are escaped for the terminal" {
	part "$parts/prepare_begin.d/"$'07-\e[31m' true
	good list qemu prepare begin
	lacks "$output" $'\e'
	has "$output" '\x1b'
}

@test "wrong words are refused with exit status 2, and the nearest right one is named" {
	wrong lst
	has "$errors" "did you mean 'list'?"
	wrong nonsense
	wrong list --nonsense
	has "$errors" "'--nonsense' is no option of 'list'"
	wrong list qemu
	wrong list --hook-dir
	wrong --timeout 0 list
	wrong
}

@test "help names every command, and each command has its own" {
	good --help
	local command
	while read -r command; do
		has "$output" "  $command"
		"$build/virt-parts" "$command" --help | grep -q "^usage: virt-parts $command"
	done < <(sed -n 's/^  \([a-z]\{3,\}\) .*/\1/p' <<<"$output")
	good --version
	has "$output" 'virt-parts '
}

@test "every command of the help is described in virt-parts(1)" {
	good --help
	local command
	while read -r command; do
		grep -q "^\.It Cm $command\b" "$checkout/src/man/virt-parts.1" || {
			echo "not in the manual: $command" >&2
			return 1
		}
	done < <(sed -n 's/^  \([a-z]\{3,\}\) .*/\1/p' <<<"$output")
}

@test "there is colour on a terminal, and none elsewhere, with NO_COLOR, on a dumb one or in JSON" {
	command -v script >/dev/null || skip 'needs script'
	on_terminal() {
		env TERM=xterm "$@" script -qec "$build/virt-parts --hook-dir $hooks list" /dev/null </dev/null
	}
	has "$(on_terminal)" $'\e[1m'
	lacks "$(on_terminal NO_COLOR=1)" $'\e['
	lacks "$(on_terminal TERM=dumb)" $'\e['
	lacks "$(env TERM=xterm "$build/virt-parts" --hook-dir "$hooks" list)" $'\e['
}

@test "output that cannot be written is an error" {
	[[ -w /dev/full ]] || skip 'needs /dev/full'
	not "$build/virt-parts" --hook-dir "$hooks" list >/dev/full
}
