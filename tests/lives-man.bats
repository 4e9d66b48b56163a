#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Every example of the manual pages, run as it stands there on a real libvirtd. Run as:
# tests/sandbox bats tests/lives-man.bats

# names that lib/lives.bash sets, and texts of pages; none with a blank in it
# shellcheck disable=SC2154,SC2086,SC2016
load lib/machine.bash

setup_file() { lives_begin lxc qemu; }
teardown_file() { lives_end; }

setup() {
	life_begin
	export LIBVIRT_DEFAULT_URI=lxc:///system
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() { life_end; }

# example PAGE N: the Nth example of the page, as it is shown
example() {
	awk -v n="$2" '
		/^\.Ed/ { inside = 0 }
		inside && block == n
		/^\.Bd -literal/ { inside = 1; block++ }' "$checkout/src/man/$1" | sed 's/\\e/\\/g' >example
	[[ -s example ]] || {
		echo "$1 has no example $2" >&2
		return 1
	}
	cat example
}

# follow PAGE N: runs it
follow() {
	example "$1" "$2" >commands
	bash -e commands
}

readonly some="
	<ramdisk><dir size='4M'>/srv/guests/%NAME%/tmp</dir></ramdisk>
	<archive><dircopy><src>/srv/guests/%NAME%/var/log</src><dst>/srv/archive/%NAME%/%DATE%</dst></dircopy></archive>"

@test "every example of every page is run here" {
	local page n
	for page in "$checkout"/src/man/*.[1-9]; do
		for ((n = 1; n <= $(grep -c '^\.Bd -literal' "$page"); n++)); do
			echo "${page##*/} $n"
		done
	done | sort >there
	grep -oE '(example|follow) [a-z.-]+\.[1-9] [0-9]+' "$BATS_TEST_FILENAME" | cut -d' ' -f2- | sort -u >run
	diff there run
}

# --- virt-parts(1) ---------------------------------------------------------------------------------------------

@test "virt-parts(1): directives are set in words, explained, and then lived by" {
	guest_define lxc web1
	follow virt-parts.1 1
	same_text "$(virt-parts show web1 | grep -cE '<(dir|dircopy)[ >]')" 2
	run follow virt-parts.1 2
	[ "$status" -eq 0 ]
	says "mounts a tmpfs of 64M on '/srv/guests/web1/tmp'"
	says "to '/srv/archive/web1/$(today)'"
	on lxc start web1
	ramdisk_on /srv/guests/web1/tmp
	on lxc destroy web1
	test -d "/srv/archive/web1/$(today)"
}

@test "virt-parts(1): an unfinished run is looked for, and finished" {
	guest_define lxc web1 "$some"
	on lxc start web1
	rm -r /srv/guests/web1/var/log
	on lxc destroy web1
	ramdisk_on /srv/guests/web1/tmp
	mkdir -p /srv/guests/web1/var/log
	example virt-parts.1 3 >commands
	# the first of them tells by its exit status that there is one
	run bash commands
	[ "$status" -eq 0 ]
	says ')  unfinished'
	same_text "$(ramdisks)" ''
	test -d "/srv/archive/web1/$(today)"
}

@test "virt-parts(1): the names of guests with findings" {
	guest_define lxc web1 "$some"
	guest_define lxc bad "<ramdisk><dir size='x'>/srv/guests/%NAME%/tmp</dir></ramdisk>"
	same_text "$(follow virt-parts.1 5)" bad
}

@test "virt-parts(1): data for a machine that runs, and taken back" {
	if reason=$(machine_missing); then skip "$reason"; fi
	rm -rf /srv/boot ${consoles:?}
	mkdir -p /srv/seed/data /srv/seed/update
	echo 'from the host' >/srv/seed/data/file
	export LIBVIRT_DEFAULT_URI=qemu:///system
	machine_define vm1
	machine_start vm1
	run follow virt-parts.1 4
	[ "$status" -eq 0 ]
	says "attached 'update' to 'vm1'"
	says "detached 'update' from 'vm1'"
	on qemu destroy vm1
}

# --- virt-parts-get(1) -----------------------------------------------------------------------------------------

@test "virt-parts-get(1): the values of a guest's directive, with what is printed" {
	guest_define lxc web1 "$some"
	example virt-parts-get.1 1 >shown
	sed -n 's/^\$ //p' shown >commands
	bash -e commands | diff - <(grep -v '^\$ ' shown)
}


@test "virt-parts-get(1): a value that is recorded, and none" {
	# the directive is one that a part of its name knows
	part started_begin.d/30-hugepages < <(example virt-parts-get.1 2; echo "echo \$count >$seen/count")
	guest_define lxc web1 '<hugepages count="4"/>'
	on lxc start web1
	same_text "$(<$seen/count)" 4
	rm $seen/count
	guest_define lxc web2
	on lxc start web2
	fails test -e $seen/count
}

@test "virt-parts-get(1): values with anything in them, into an array" {
	mkdir -p $parts/started_begin.d
	{
		echo '#!/bin/bash'
		example virt-parts-get.1 3
		echo "printf '%s|' \"\${hosts[@]}\" >$seen/hosts"
	} >$parts/started_begin.d/30-dns-host
	chmod 0755 $parts/started_begin.d/30-dns-host
	guest_define lxc web1 $'<dns-host>one</dns-host><dns-host>two\nlines</dns-host>'
	on lxc start web1
	same_text "$(<$seen/hosts)" $'one|two\nlines|'
}

# --- parts.conf(5) ---------------------------------------------------------------------------------------------

@test "parts.conf(5): the form of the file" {
	example parts.conf.5 1 | sed -e 's/section/paths/' -e 's,key = value,read = /srv/seed,' >$hooks/parts.conf
	same_text "$(virt-parts list 2>&1 >/dev/null)" ''
	example parts.conf.5 1 >$hooks/parts.conf
	virt-parts list 2>&1 >/dev/null | grep -q "section"
}

@test "parts.conf(5): archives on a disk of their own, with limits" {
	mount -t tmpfs -o mode=755 none /mnt
	mkdir /mnt/archive
	example parts.conf.5 2 >$hooks/parts.conf
	same_text "$(virt-parts list 2>&1 >/dev/null)" ''
	guest_define lxc web1 "${some//\/srv\/archive/\/mnt\/archive}"
	part stopped_end.d/90-monitor <<-'END'
		exit 1
	END
	on lxc start web1
	on lxc destroy web1
	# the part of [advisory] withholds nothing
	same_text "$(ramdisks)" ''
	test -d "/mnt/archive/web1/$(today)"
	guest_define lxc web2 "$some"
	run on lxc start web2
	[ "$status" -ne 0 ]
	says "'/srv/archive/web2/$(today)' lies below no 'write' path"
	umount /mnt
}

@test "parts.conf(5): without paths nothing is allowed" {
	example parts.conf.5 3 >$hooks/parts.conf
	guest_define lxc web1 "$some"
	run on lxc start web1
	[ "$status" -ne 0 ]
	says "lies below no 'write' path"
	guest_define lxc web2
	on lxc start web2
}

# --- virt-parts-directives(5) ----------------------------------------------------------------------------------

@test "virt-parts-directives(5): each directive that is named first is one" {
	local name n=0
	for name in $(example virt-parts-directives.5 1 | grep -oE '<[a-z-]+> \.\.\.' | tr -d '<>.'); do
		virt-parts template "$name" | grep -q "<$name>"
		n=$((n + 1))
	done
	same_text $n 4
}

@test "virt-parts-directives(5): a guest with all directives, annotated as the page says" {
	guest_define lxc web1
	mkdir /srv/seed/www
	echo page >/srv/seed/www/index.html
	echo line >/srv/guests/web1/var/log/messages
	mkdir /srv/guests/web1/scratch
	example virt-parts-directives.5 2 >virt-parts.xml
	follow virt-parts-directives.5 5
	on lxc start web1
	ramdisk_on /srv/guests/web1/tmp
	cmp /srv/guests/web1/var/www/index.html /srv/seed/www/index.html
	on lxc destroy web1
	cmp "/srv/archive/web1/$(today)/messages" <(echo line)
	fails test -e /srv/guests/web1/scratch
	# a second life is one, too
	on lxc start web1
	on lxc destroy web1
	test -e "/srv/archive/web1/$(today)-2/messages"
	same_text "$(records)" ''
}

# set_one: gives web1 the directive on stdin
set_one() {
	{
		echo '<virt-parts xmlns="urn:virt-parts:1">'
		cat
		echo '</virt-parts>'
	} | virt-parts set web1 -
}

@test "virt-parts-directives(5): an image for cloud-init" {
	guest_define lxc web1
	mkdir -p /srv/seed/web1
	echo data >/srv/seed/web1/user-data
	example virt-parts-directives.5 3 | set_one
	on lxc start web1
	test -s /var/lib/virt-parts/iso/web1/seed.iso
	on lxc destroy web1
	fails test -e /var/lib/virt-parts/iso/web1/seed.iso
}

@test "virt-parts-directives(5): an archive with a date of its own form" {
	guest_define lxc web1
	example virt-parts-directives.5 4 | set_one
	on lxc start web1
	local before after
	before=$(date +%Y%m%dT%H)
	on lxc destroy web1
	after=$(date +%Y%m%dT%H)
	test -d "/srv/archive/web1/log-$before" || test -d "/srv/archive/web1/log-$after"
	same_text "$(stat -c '%a %g' /srv/archive/web1/log-*)" '750 4'
}

# --- virt-parts-hook(8) ----------------------------------------------------------------------------------------

@test "virt-parts-hook(8): an event by hand" {
	guest_define lxc web1 "$some"
	follow virt-parts-hook.8 1
	ramdisk_on /srv/guests/web1/tmp
	on lxc dumpxml web1 | virt-parts-hook --driver lxc web1 release end failed
	same_text "$(ramdisks)" ''
	# it does not end the run of one that runs
	on lxc start web1
	echo data >/srv/guests/web1/tmp/data
	run follow virt-parts-hook.8 1
	[ "$status" -eq 2 ]
	says "'web1' runs"
	test -e /srv/guests/web1/tmp/data
}

@test "virt-parts-hook(8): an event in a tree to try things in" {
	mkdir -p /root/try/parts.d/started_begin.d
	printf '#!/bin/sh\ntouch %s/tried\n' $seen >/root/try/parts.d/started_begin.d/30-own
	chmod 0755 /root/try/parts.d/started_begin.d/30-own
	guest_xml qemu web1 >web1.xml
	follow virt-parts-hook.8 2
	test -e $seen/tried
	rm -r /root/try
}

@test "virt-parts-hook(8): a shipped part is switched off" {
	guest_define lxc web1 "$some<post-rm-rf><dir>/srv/guests/%NAME%/scratch</dir></post-rm-rf>"
	mkdir -p /srv/guests/web1/scratch
	follow virt-parts-hook.8 3
	on lxc start web1
	on lxc destroy web1
	test -e /srv/archive/web1
	test -e /srv/guests/web1/scratch
}

# --- virt-parts-writing-parts(7) -------------------------------------------------------------------------------

@test "virt-parts-writing-parts(7): a part in shell" {
	mkdir -p $parts/started_begin.d
	example virt-parts-writing-parts.7 2 >$parts/started_begin.d/30-greeting
	chmod 0755 $parts/started_begin.d/30-greeting
	guest_define lxc web1 '<greeting>hello %NAME%</greeting>'
	on lxc start web1
	file_has $logs/lxc-web1.log '^web1: hello web1$'
	guest_define lxc web2
	on lxc start web2
	fails file_has $logs/lxc-web2.log '^web2'
	# that nobody knows is not that it did not ask
	fails env -i PATH=/nowhere /bin/sh $parts/started_begin.d/30-greeting
}

@test "virt-parts-writing-parts(7): a part in C, built as the page says" {
	command -v cc >/dev/null && command -v pkg-config >/dev/null || skip 'needs cc and pkg-config'
	example virt-parts-writing-parts.7 3 >greeting.c
	# shellcheck disable=SC2046,SC2086 # words; LDFLAGS: what a checker's library needs
	cc -Wall -Wextra -Werror -o greeting greeting.c $(follow virt-parts-writing-parts.7 1) ${LDFLAGS-}
	install -D -m 755 greeting $parts/prepare_begin.d/30-greeting
	guest_define lxc web1 '<greeting>hello %NAME%</greeting>'
	on lxc start web1
	file_has $logs/lxc-web1.log '^web1: <greeting>: note: hello web1$'
}

@test "virt-parts-writing-parts(7): a part is tried without starting a guest" {
	part prepare_begin.d/30-greeting <<-'END'
		echo "hello, $(virt-parts-get --recorded greeting)"
	END
	part release_end.d/30-greeting <<-'END'
		echo bye
	END
	guest_define lxc web1 '<greeting>%NAME%</greeting>'
	run follow virt-parts-writing-parts.7 4
	[ "$status" -eq 0 ]
	says 'hello, web1'
	says bye
	same_text "$(records)" ''
	guest_state_is lxc web1 'shut off'
}
