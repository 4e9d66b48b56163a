#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The demonstration, as the README tells a newcomer to run it.

top=$BATS_TEST_DIRNAME/..

@test "the demo shows a container and a machine live through all directives, and says so" {
	[[ $EUID -eq 0 ]] || skip 'needs root'
	cd "$top"
	run ./install.sh --demo
	echo "$output"
	[[ $status -eq 0 ]]
	[[ $output == *ramdisk* && $output == *preload* && $output == *archive* && $output == *post-rm-rf* ]]
}

@test "the demo leaves nothing of itself on the host" {
	[[ $EUID -eq 0 ]] || skip 'needs root'
	cd "$top"
	before=$(ls -d /etc/libvirt/hooks/* /srv/* /var/lib/virt-parts/* 2>/dev/null || true)
	run ./install.sh --demo
	[[ $status -eq 0 ]]
	after=$(ls -d /etc/libvirt/hooks/* /srv/* /var/lib/virt-parts/* 2>/dev/null || true)
	[[ $before == "$after" ]]
}
