#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Which guest's run may use a path, on a real libvirtd. Run as: tests/sandbox bats tests/lives-claims.bats

# names that lib/lives.bash sets, none with a blank in it
# shellcheck disable=SC2154,SC2086,SC2016
load lib/lives.bash

setup_file() { lives_begin lxc qemu; }
teardown_file() { lives_end; }

setup() {
	life_begin
	# guests may name each other's paths: only claims keep them apart
	sed -i -E 's#^(read|write|delete) = /srv/guests/%NAME%#\1 = /srv/guests#' $hooks/parts.conf
	local name
	for name in one two; do
		guest_tree $name >/dev/null
		echo "log of $name" >/srv/guests/$name/var/log/service.log
	done
	mkdir -p /srv/guests/shared/a/b/c
	echo precious >/srv/guests/shared/a/b/c/file
}

teardown() { life_end; }

# refused_by OWNER DRIVER NAME: it does not start, and is told who has the path
refused_by() {
	run on "$2" start "$3"
	[ "$status" -ne 0 ]
	says "guest '$1' has claimed"
	guest_state_is "$2" "$3" 'shut off'
	same_text "$(cat /srv/guests/shared/a/b/c/file)" precious
}

removes() {
	echo "<post-rm-rf><dir>$1</dir></post-rm-rf>"
}

mounts_on() {
	echo "<ramdisk><dir size='1M'>$1</dir></ramdisk>"
}

@test "a clone with its own name in its paths starts beside the original, and one with the same paths is refused" {
	guest_define lxc one "$(mounts_on /srv/guests/%NAME%/tmp)"
	GUEST_TREE=/srv/guests/one guest_define lxc clone "$(mounts_on /srv/guests/one/tmp)"
	guest_define lxc two "$(mounts_on /srv/guests/%NAME%/tmp)"
	on lxc start one
	on lxc start two
	refused_by one lxc clone
	ramdisk_on /srv/guests/one/tmp
	on lxc destroy one
	# the claim has ended with the run
	on lxc start clone
	refused_by clone lxc one
}

@test "the same path, one above and one below it are refused; a sibling with the same beginning is not" {
	local path
	guest_define lxc one "$(removes /srv/guests/shared/a/b)"
	on lxc start one
	for path in /srv/guests/shared/a/b /srv/guests/shared/a /srv/guests/shared/a/b/c; do
		guest_define lxc two "$(removes $path)"
		refused_by one lxc two
		on lxc undefine two
	done
	guest_define lxc two "$(removes /srv/guests/shared/a/bc)"
	on lxc start two
}

@test "what one guest preloads into, mounts on or builds, no other one may delete, mount on or build" {
	mkdir -p /srv/seed/www
	echo seed >/srv/seed/www/index.html
	sed -i 's|^iso = .*|iso = /var/lib/virt-parts/iso/shared|' $hooks/parts.conf
	local image="<preload><iso path='/var/lib/virt-parts/iso/shared/seed.iso' label='x'><file path='a'>b</file></iso></preload>"
	guest_define lxc one "$(mounts_on /srv/guests/shared/tmp)
		<preload><dircopy><src>/srv/seed/www</src><dst>/srv/guests/shared/www</dst></dircopy>
		<iso path='/var/lib/virt-parts/iso/shared/seed.iso' label='x'><file path='a'>b</file></iso></preload>"
	on lxc start one
	local directives
	for directives in "$(removes /srv/guests/shared/www)" "$(removes /srv/guests/shared)" \
		"$(mounts_on /srv/guests/shared/tmp/x)" "$(mounts_on /srv/guests/shared/www)" "$image" \
		"<preload><dircopy><src>/srv/seed/www</src><dst>/srv/guests/shared/tmp</dst></dircopy></preload>"; do
		guest_define lxc two "$directives"
		refused_by one lxc two
		on lxc undefine two
	done
	test -e /srv/guests/shared/www/index.html
	ramdisk_on /srv/guests/shared/tmp
}

@test "two guests may archive to one place: nothing there is overwritten" {
	sed -i 's|^write = /srv/archive/%NAME%|write = /srv/archive|' $hooks/parts.conf
	local name
	for name in one two; do
		guest_define lxc $name '<archive><dircopy><src>/srv/guests/%NAME%/var/log</src><dst>/srv/archive/all</dst></dircopy></archive>'
		on lxc start $name
	done
	on lxc destroy one
	on lxc destroy two
	same_text "$(cat /srv/archive/all/service.log)" 'log of one'
	same_text "$(cat /srv/archive/all-2/service.log)" 'log of two'
}

@test "a container and a machine of one name and one UUID have claims of their own" {
	local uuid=11111111-2222-4333-8444-555555555555
	GUEST_UUID=$uuid guest_define lxc one "$(mounts_on /srv/guests/shared/tmp)"
	GUEST_UUID=$uuid guest_define qemu one "$(mounts_on /srv/guests/shared/tmp)"
	on lxc start one
	run on qemu start one
	[ "$status" -ne 0 ]
	says "the run of the lxc guest 'one' has claimed"
	ramdisk_on /srv/guests/shared/tmp
	on lxc destroy one
	on qemu start one
	run on lxc start one
	[ "$status" -ne 0 ]
	says "the run of the qemu guest 'one' has claimed"
	same_text "$(ramdisks)" /srv/guests/shared/tmp
}

@test "a guest made anew with another UUID: the run of the old one is finished first, and its paths are free" {
	local directives
	directives="$(mounts_on /srv/guests/one/tmp)
		<archive><dircopy><src>/srv/guests/one/var/log</src><dst>/srv/archive/one/log</dst></dircopy></archive>
		$(removes /srv/guests/shared/a)"
	guest_define lxc one "$directives"
	on lxc start one
	echo data >/srv/guests/one/tmp/data
	# its release never comes
	libvirt_kill
	containers_crash
	rm -f /etc/libvirt/lxc/one.xml
	libvirt_again
	ramdisk_on /srv/guests/one/tmp
	guest_define lxc one "$directives"
	on lxc start one
	same_text "$(cat /srv/archive/one/log/service.log)" 'log of one'
	same_text "$(records | wc -l)" 1
	same_text "$(basename "$(records)")" "$(guest_uuid lxc one)"
	fails test -e /srv/guests/one/tmp/data
	test -e /srv/guests/shared/a/b/c/file
	same_text "$(ramdisks)" /srv/guests/one/tmp
}

@test "a start that is refused or fails leaves no claim" {
	guest_define lxc one "$(removes /srv/guests/shared/a)"
	guest_define lxc two "$(removes /srv/guests/shared/a)"
	local event
	for event in prepare start started; do
		part ${event}_begin.d/30-no <<-END
			exit 1
		END
		run on lxc start one
		[ "$status" -ne 0 ]
		rm -r ${parts:?}/${event}_begin.d
		within 5 guest_state_is lxc one 'shut off'
		on lxc start two
		refused_by two lxc one
		on lxc destroy two
		mkdir -p /srv/guests/shared/a/b/c
		echo precious >/srv/guests/shared/a/b/c/file
	done
}

@test "after a crash the claims of an unfinished run hold, until the next life of its guest has ended" {
	guest_define lxc one "$(mounts_on /srv/guests/shared/a)"
	guest_define lxc two "$(mounts_on /srv/guests/shared/a/b)"
	on lxc start one
	libvirt_kill
	containers_crash
	libvirt_again
	run on lxc start two
	[ "$status" -ne 0 ]
	says "guest 'one' has claimed"
	on lxc start one
	on lxc destroy one
	on lxc start two
}

@test "records that were half made or half removed when the power went hold no claim, and are no obstacle" {
	guest_define lxc one "$(removes /srv/guests/shared/a)"
	guest_define lxc two "$(removes /srv/guests/shared/a)"
	on lxc start one
	local record
	record=$(records)
	cp -a $record $record.copy
	on lxc destroy one
	mkdir -p /srv/guests/shared/a
	cp -a $record.copy $record.new
	mv $record.copy $record.over
	on lxc start two
	on lxc destroy two
	mkdir -p /srv/guests/shared/a
	on lxc start one
	on lxc destroy one
	fails test -e /srv/guests/shared/a
	same_text "$(records)" ''
}

@test "ten guests started at once for one path: one of them gets it" {
	local -i n started=0
	for ((n = 0; n < 10; n++)); do
		GUEST_TREE=/srv/guests/one guest_define lxc g$n "$(mounts_on /srv/guests/shared/tmp)"
	done
	for ((n = 0; n < 10; n++)); do
		on lxc start g$n >"$BATS_TEST_TMPDIR/g$n" 2>&1 &
	done
	wait
	for ((n = 0; n < 10; n++)); do
		if guest_state_is lxc g$n running; then
			started+=1
		else
			file_has "$BATS_TEST_TMPDIR/g$n" 'has claimed'
		fi
	done
	((started == 1))
	same_text "$(ramdisks)" /srv/guests/shared/tmp
	same_text "$(records | wc -l)" 1
}
