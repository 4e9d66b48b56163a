#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# install.sh over an installed one, and its removal, while guests run. Run as: tests/sandbox bats tests/lives-upgrade.bats

# names that lib/lives.bash sets, none with a blank in it
# shellcheck disable=SC2154,SC2086,SC2016,SC2010,SC2012
load lib/lives.bash

setup_file() { lives_begin lxc qemu; }
teardown_file() { lives_end; }

setup() {
	life_begin
	"$checkout/install.sh" --no-deps >/dev/null
	mkdir -p /srv/guests/web1 /srv/guests/vm1/{log,scratch} /srv/seed/vm
	guest_tree web1 >/dev/null
	mkdir -p /srv/guests/web1/{log,scratch}
	local name
	for name in web1 vm1; do
		echo 'a line' >/srv/guests/$name/log/service.log
		echo worthless >/srv/guests/$name/scratch/big
	done
	echo '#cloud-config' >/srv/seed/vm/user-data
	guest_define lxc web1 "$full"
	guest_define qemu vm1 "$full" "$(cdrom_xml /var/lib/virt-parts/iso/vm1/seed.iso)"
}

teardown() { life_end; }

readonly full="
	<ramdisk><dir size='4M' mode='1777'>/srv/guests/%NAME%/tmp</dir></ramdisk>
	<preload><iso path='/var/lib/virt-parts/iso/%NAME%/seed.iso' label='CIDATA'><src>/srv/seed/vm</src></iso></preload>
	<archive>
		<dircopy><src>/srv/guests/%NAME%/log</src><dst>/srv/archive/%NAME%/log</dst></dircopy>
		<dircopy><src>/srv/guests/%NAME%/tmp</src><dst>/srv/archive/%NAME%/tmp</dst></dircopy>
	</archive>
	<post-rm-rf><dir>/srv/guests/%NAME%/scratch</dir></post-rm-rf>"

both_run() {
	on lxc start web1
	on qemu start vm1
	echo 'in memory of web1' >/srv/guests/web1/tmp/data
	echo 'in memory of vm1' >/srv/guests/vm1/tmp/data
}

both_end() {
	on lxc destroy web1
	on qemu destroy vm1
	local name
	for name in web1 vm1; do
		same_text "$(cat /srv/archive/$name/log/service.log)" 'a line'
		same_text "$(cat /srv/archive/$name/tmp/data)" "in memory of $name"
		same_text "$(ls /srv/archive/$name | tr '\n' ' ')" 'log tmp '
		fails test -e /srv/guests/$name/scratch
		fails test -e /var/lib/virt-parts/iso/$name/seed.iso
	done
	same_text "$(ramdisks)" ''
	same_text "$(records)" ''
}

installer() {
	run "$checkout/install.sh" --no-deps "$@"
	echo "$output" >&2
	[ "$status" -eq 0 ]
}

@test "an upgrade while guests run changes nothing for them, and their ends do all that was recorded" {
	both_run
	ramdisks >"$BATS_TEST_TMPDIR/ramdisks"
	installer
	guest_state_is lxc web1 running
	guest_state_is qemu vm1 running
	ramdisks | diff "$BATS_TEST_TMPDIR/ramdisks" -
	both_end
}

hook_is_replaced() {
	[[ $(stat -c %i /usr/sbin/virt-parts-hook) != "$hook" ]]
}

@test "an upgrade while a part of a guest's release runs: that goes on to its end" {
	local hook installing
	part release_end.d/15-slow <<-END
		echo begin >>$seen/slow
		$until_go_on
		echo end >>$seen/slow
	END
	both_run
	on lxc destroy web1 &
	within 10 file_has $seen/slow begin
	hook=$(stat -c %i /usr/sbin/virt-parts-hook)
	# it may wait for the part itself: a reload can come behind the end of a container
	installer &
	installing=$!
	within 60 hook_is_replaced
	fails file_has $seen/slow end
	go_on
	wait $installing
	wait
	file_has $seen/slow end
	same_text "$(cat /srv/archive/web1/tmp/data)" 'in memory of web1'
	fails test -e /srv/guests/web1/scratch
	rm -r $parts/release_end.d
	on qemu destroy vm1
	same_text "$(records)" ''
}

@test "at every moment of an upgrade the hook is there and works: 20 lives meanwhile, none refused" {
	local -i n rounds=${VIRT_PARTS_FULL:+200}
	((rounds)) || rounds=20
	guest_xml lxc web1 "<ramdisk><dir size='1M'>/srv/guests/%NAME%/tmp</dir></ramdisk>" >"$BATS_TEST_TMPDIR/web1.xml"
	sed -i "s|</name>|</name><uuid>11111111-2222-4333-8444-555555555555</uuid>|" "$BATS_TEST_TMPDIR/web1.xml"
	(
		while [[ ! -e $seen/enough ]]; do
			"$checkout/install.sh" --no-deps --no-reload || exit
		done
	) </dev/null >/dev/null 2>&1 3>&- 4>&- &
	local event failures=0
	for ((n = 0; n < rounds; n++)); do
		for event in 'prepare begin' 'start begin' 'started begin' 'stopped end' 'release end'; do
			$hooks/lxc web1 $event - <"$BATS_TEST_TMPDIR/web1.xml" || {
				echo "life $n: $event failed" >&2
				failures=$((failures + 1))
			}
			[[ $event != prepare* ]] || ramdisk_on /srv/guests/web1/tmp || failures=$((failures + 1))
		done
		run_is_over || failures=$((failures + 1))
	done
	touch $seen/enough
	wait
	((failures == 0))
}

run_is_over() {
	[[ -z $(records) && -z $(ramdisks) ]]
}

@test "uninstalled while guests run: they run on, the open runs and what they leave are listed, nothing of theirs is touched" {
	both_run
	installer --uninstall
	local name
	for name in web1 vm1; do
		says $name
		says /srv/guests/$name/tmp
	done
	guest_state_is lxc web1 running
	guest_state_is qemu vm1 running
	same_text "$(cat /srv/guests/web1/tmp/data)" 'in memory of web1'
	on lxc destroy web1
	on qemu destroy vm1
	# nobody was there to do it: it is all still there
	same_text "$(cat /srv/guests/web1/tmp/data)" 'in memory of web1'
	test -e /srv/guests/vm1/scratch/big
	test -e /var/lib/virt-parts/iso/vm1/seed.iso
	installer
	# the next life finishes them first
	on lxc start web1
	on qemu start vm1
	same_text "$(cat /srv/archive/web1/tmp/data)" 'in memory of web1'
	same_text "$(cat /srv/archive/vm1/tmp/data)" 'in memory of vm1'
	fails test -e /srv/guests/web1/tmp/data
	test -e /srv/guests/web1/scratch/big
}

@test "uninstalled and installed again while guests run: the runs that were recorded go on, and end as any other" {
	both_run
	installer --uninstall
	installer
	guest_state_is lxc web1 running
	guest_state_is qemu vm1 running
	both_end
}

@test "a guest that ran before the first install has no run: its end does nothing" {
	installer --uninstall
	on lxc start web1
	on qemu start vm1 || true # its image is not there
	installer
	on lxc destroy web1
	fails test -e /srv/archive
	test -e /srv/guests/web1/scratch/big
	same_text "$(records)" ''
}

@test "a record of a newer version is not touched: the guest is refused and told so; one of an unknown file goes on" {
	both_run
	local run
	run=/var/lib/virt-parts/state/lxc/$(guest_uuid lxc web1)
	# an older version's record may hold less, a newer one's more than this one knows
	echo x >$run/of-the-future
	on lxc destroy web1
	fails test -e $run
	mkdir -p /srv/guests/web1/scratch
	on lxc start web1
	sed -i 's/^version .*/version 999/' $run/run
	on lxc destroy web1
	test -e /srv/guests/web1/scratch
	test -e $run/run
	run on lxc start web1
	[ "$status" -ne 0 ]
	says 'newer virt-parts'
	# and put right again it is finished
	sed -i 's/^version .*/version 1/' /var/lib/virt-parts/state/lxc/*/run
	on lxc start web1
	on lxc destroy web1
	within 5 fails ramdisk_on /srv/guests/web1/tmp 2>/dev/null
}
