#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What lies in examples/ is not only text: each guest there is defined, started and ended.
# Run as: tests/sandbox bats tests/lives-examples.bats

# names that lib/lives.bash sets, none with a blank in it; a guest may be called $(id)
# shellcheck disable=SC2154,SC2086,SC2016
load lib/lives.bash

setup_file() { lives_begin lxc qemu; }
teardown_file() { lives_end; }
setup() { life_begin; }
teardown() { life_end; }

# lives DRIVER FILE: as its comment says, with its tree and seeds in place; its parts all succeed
lives() {
	local driver=$1 file=$checkout/examples/$2 name
	name=$(sed -n 's/^ *<name>\(.*\)<.name>$/\1/p' "$file")
	mkdir -p /srv/seed/{www,config} "/srv/seed/$name" "/srv/guests/$name/$3"
	echo "#cloud-config" >"/srv/seed/$name/user-data"
	echo page >/srv/seed/www/index.html
	if [[ $driver == lxc ]]; then
		guest_tree "$name" >/dev/null
	fi
	on "$driver" define "$file"
	# all of it survives libvirt's own reading and writing
	[ "$(directives <"$file" | wc -c)" -gt 40 ]
	same_text "$(directives <"$file")" "$(on "$driver" dumpxml "$name" --inactive | directives)"
	on "$driver" start "$name"
	${4:-true}
	on "$driver" destroy "$name"
	same_text "$(records)" ''
	fails grep -E 'error:|warning:|exit [1-9]' "$logs/$driver-$name.log"
}

directives() {
	xmllint --xpath '//*[local-name()="virt-parts"]' - | xmllint --noblanks --c14n - | sed '/<!--/d' |
		xmllint --xpath '//*[not(*)]/text() | //@*' - | tr -s ' \n' ' '
}

mounted_three() {
	same_text "$(ramdisks | wc -l)" 3
	[[ $(findmnt -n -o OPTIONS /srv/guests/build1/build) != *noexec* ]]
	[[ $(findmnt -n -o OPTIONS /srv/guests/build1/tmp) == *noexec* ]]
}

@test "examples/lxc-ramdisk.xml has its three ramdisks, and only one of them allows programs" {
	lives lxc lxc-ramdisk.xml build mounted_three
	same_text "$(ramdisks)" ''
}

@test "examples/lxc-preload-dircopy.xml has both directories in its tree" {
	mkdir -p /srv/seed/config
	echo 'port=80' >/srv/seed/config/service.conf
	lives lxc lxc-preload-dircopy.xml ''
	same_text "$(cat /srv/guests/web2/var/www/index.html)" page
	same_text "$(cat /srv/guests/web2/etc/service/service.conf)" 'port=80'
}

@test "examples/lxc-archive.xml has its archives under the month and the day" {
	mkdir -p /srv/guests/db1/{data,trace,var/log}
	echo rows >/srv/guests/db1/data/table
	lives lxc lxc-archive.xml data
	same_text "$(cat "/srv/archive/db1/$(date +%Y/%m)/data-$(today)/table")" rows
	same_text "$(stat -c %a "/srv/archive/db1/$(date +%Y/%m)/data-$(today)")" 750
	test -d "/srv/archive/db1/$(date +%Y/%m)/log-$(today)"
	test -d "/srv/archive/db1/trace-$(today)"
}

@test "examples/lxc-post-rm-rf.xml keeps the results in the archive and has neither them nor the workspace" {
	mkdir -p /srv/guests/ci1/{results,workspace/deep}
	echo passed >/srv/guests/ci1/results/report
	lives lxc lxc-post-rm-rf.xml ''
	same_text "$(cat "/srv/archive/ci1/$(today)/report")" passed
	fails test -e /srv/guests/ci1/results
	fails test -e /srv/guests/ci1/workspace
	test -x /srv/guests/ci1/bin/busybox
}

holds_both() {
	mkdir -p /var/tmp/out
	xorriso -osirrox on -indev /var/lib/virt-parts/iso/vm2/seed.iso -extract / /var/tmp/out 2>/dev/null
	same_text "$(cat /var/tmp/out/extra/motd)" 'welcome to vm2'
	file_has /var/tmp/out/meta-data 'local-hostname: vm2'
	file_has /var/tmp/out/user-data cloud-config
}

@test "examples/qemu-preload-iso.xml has an image with the seed and both inline files" {
	lives qemu qemu-preload-iso.xml '' holds_both
	fails test -e /var/lib/virt-parts/iso/vm2/seed.iso
}
