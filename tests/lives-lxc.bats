#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Containers' lives on a real libvirtd. Run as: tests/sandbox bats tests/lives-lxc.bats

# names that lib/lives.bash sets, none with a blank in it; a guest may be called $(id)
# shellcheck disable=SC2154,SC2086,SC2016
load lib/lives.bash

setup_file() { lives_begin lxc; }
teardown_file() { lives_end; }
setup() { life_begin; }
teardown() { life_end; }

# All four directives, for any name.
readonly full="
	<ramdisk><dir size='4M' mode='1777'>/srv/guests/%NAME%/tmp</dir></ramdisk>
	<preload><dircopy><src>/srv/seed/www</src><dst>/srv/guests/%NAME%/www</dst></dircopy></preload>
	<archive><dircopy><src>/srv/guests/%NAME%/var/log</src><dst>/srv/archive/%NAME%/%DATE%</dst></dircopy></archive>
	<post-rm-rf><dir>/srv/guests/%NAME%/scratch</dir></post-rm-rf>"

# seeded NAME: a tree with something to preload, archive and delete
seeded() {
	local tree
	tree=$(guest_tree "$1")
	mkdir -p /srv/seed/www "$tree/scratch"
	echo "<h1>seed</h1>" >/srv/seed/www/index.html
	echo 'a line' >"$tree/var/log/service.log"
	echo 'worthless' >"$tree/scratch/big"
}

@test "a container's life calls prepare, start, started, stopped and release, in this order" {
	record_events
	guest_define lxc web1
	on lxc start web1
	on lxc destroy web1
	# libvirt's lxc driver sometimes calls stopped and release once more after that
	same_text "$(cut -d ' ' -f 2,3 $seen/events | once | tr '\n' ',')" \
		'prepare begin,start begin,started begin,stopped end,release end,'
}

@test "a container sees its ramdisk and what was preloaded, and leaves its archive and no scratch directory" {
	seeded web1
	GUEST_INIT="<init>/bin/sh</init><initarg>-c</initarg><initarg>mount | grep ' /tmp ' &gt;/var/log/mounts; cp /www/index.html /var/log/read; echo x &gt;/tmp/written; sleep 3600</initarg>" \
		guest_define lxc web1 "$full"
	on lxc start web1
	ramdisk_on /srv/guests/web1/tmp
	within 5 test -s /srv/guests/web1/tmp/written
	file_has /srv/guests/web1/var/log/mounts 'tmpfs'
	file_has /srv/guests/web1/var/log/read seed
	on lxc destroy web1

	same_text "$(ramdisks)" ''
	fails test -e /srv/guests/web1/tmp/written
	cmp /srv/archive/web1/"$(today)"/service.log /srv/guests/web1/var/log/service.log
	fails test -e /srv/guests/web1/scratch
	test -x /srv/guests/web1/bin/busybox
	same_text "$(records)" ''
}

@test "a second life on the same day archives beside the first and overwrites nothing" {
	seeded web1
	guest_define lxc web1 "$full"
	on lxc start web1
	on lxc destroy web1
	echo 'second life' >/srv/guests/web1/var/log/service.log
	on lxc start web1
	on lxc destroy web1
	same_text "$(cat /srv/archive/web1/"$(today)"/service.log)" 'a line'
	same_text "$(cat /srv/archive/web1/"$(today)"-2/service.log)" 'second life'
}

@test "a container that asks for nothing starts where parts.conf is not valid, whatever its metadata looks like" {
	local name
	guest_define lxc empty ' '
	guest_tree other >/dev/null
	guest_xml lxc other ' ' | sed "s|<virt-parts.*</virt-parts>|<x xmlns='urn:other'><ramdisk/></x>|" >$seen/other.xml
	on lxc define $seen/other.xml
	guest_define lxc asking "<ramdisk><dir size='4M'>/srv/guests/%NAME%/tmp</dir></ramdisk>"
	chmod 0666 $hooks/parts.conf
	for name in empty other; do
		on lxc start $name
		ls /run/virt-parts/lxc-*.unasking
		on lxc destroy $name
		fails ls /run/virt-parts/lxc-*.unasking
	done
	fails on lxc start asking
	chmod 0644 $hooks/parts.conf
	same_text "$(records)" ''
}

@test "a container without directives starts and leaves neither record nor archive" {
	guest_define lxc plain
	on lxc start plain
	on lxc destroy plain
	same_text "$(records)" ''
	fails test -e /srv/archive/plain
}

@test "a part that fails in prepare refuses the start, and virsh shows what it said" {
	seeded web1
	part prepare_begin.d/30-quota <<-'END'
		echo 'no quota left for this guest' >&2
		exit 3
	END
	guest_define lxc web1 "$full"
	run on lxc start web1
	[ "$status" -ne 0 ]
	says 'virt-parts: web1: prepare_begin.d/30-quota failed (exit 3)'
	says 'no quota left for this guest'
	guest_state_is lxc web1 'shut off'
}

@test "a part that fails in start or started refuses the start, and nothing of the guest's is deleted" {
	local event
	for event in start started; do
		seeded "$event"
		part "${event}_begin.d/30-no" <<-'END'
			exit 4
		END
		guest_define lxc "$event" "$full"
		run on lxc start "$event"
		[ "$status" -ne 0 ]
		says "${event}_begin.d/30-no failed (exit 4)"
		within 5 guest_state_is lxc "$event" 'shut off'
		rm -r "${parts:?}/${event}_begin.d"
		test -e "/srv/guests/$event/scratch/big"
		fails test -e "/srv/archive/$event"
	done
	same_text "$(ramdisks)" ''
}

@test "a container whose init is missing fails to start; its ramdisk is gone, and nothing is archived or deleted" {
	seeded web1
	GUEST_INIT='<init>/bin/none</init>' guest_define lxc web1 "$full"
	run on lxc start web1
	[ "$status" -ne 0 ]
	says '/bin/none'
	same_text "$(ramdisks)" ''
	fails test -e /srv/archive/web1
	test -e /srv/guests/web1/scratch/big
}

@test "an unknown directive refuses the start, names it, and nothing is half-done" {
	seeded web1
	guest_define lxc web1 "$full<ramdsk><dir size='1M'>/srv/guests/%NAME%/x</dir></ramdsk>"
	run on lxc start web1
	[ "$status" -ne 0 ]
	says web1
	says ramdsk
	same_text "$(ramdisks)" ''
	fails test -e /srv/guests/web1/www
}

@test "a directive outside the policy refuses the start and names the path" {
	seeded web1
	guest_define lxc web1 '<post-rm-rf><dir>/srv/guests/other/scratch</dir></post-rm-rf>'
	run on lxc start web1
	[ "$status" -ne 0 ]
	says '/srv/guests/other/scratch'
}

@test "without a parts.conf a container with directives does not start, and one without does" {
	seeded web1
	guest_define lxc web1 "$full"
	guest_define lxc plain
	rm $hooks/parts.conf
	run on lxc start web1
	[ "$status" -ne 0 ]
	says parts.conf
	on lxc start plain
}

@test "metadata edited while the container runs redirects neither archive nor deletion" {
	seeded web1
	mkdir -p /srv/guests/web1/precious
	echo keep >/srv/guests/web1/precious/file
	guest_define lxc web1 "$full"
	on lxc start web1
	on lxc metadata web1 urn:virt-parts:1 --key vp --live --config --set '<virt-parts>
		<archive><dircopy><src>/srv/guests/web1/var/log</src><dst>/srv/archive/web1/elsewhere</dst></dircopy></archive>
		<post-rm-rf><dir>/srv/guests/web1/precious</dir></post-rm-rf></virt-parts>'
	on lxc destroy web1
	same_text "$(cat /srv/guests/web1/precious/file)" keep
	fails test -e /srv/archive/web1/elsewhere
	test -e /srv/archive/web1/"$(today)"/service.log
	fails test -e /srv/guests/web1/scratch
	# the next life is the edited one
	on lxc start web1
	on lxc destroy web1
	fails test -e /srv/guests/web1/precious
	test -e /srv/archive/web1/elsewhere
	proof 24 1 0 1 lxc
}

@test "containers called '-rf', 'a b' and '\$(id)' live through all directives, each on its own paths" {
	local name
	for name in -rf 'a b' '$(id)'; do
		seeded "$name"
		guest_define lxc "$name" "$full"
		on lxc start --domain "$name"
		ramdisk_on "$(printf '%s' "/srv/guests/$name/tmp" | sed 's/ /\\040/g')"
		test -e "/srv/guests/$name/www/index.html"
		on lxc destroy --domain "$name"
		test -e "/srv/archive/$name/$(today)/service.log"
		fails test -e "/srv/guests/$name/scratch"
		test -x "/srv/guests/$name/bin/busybox"
	done
}

@test "a container called '..' starts without directives and is refused with them" {
	guest_tree dots >/dev/null
	GUEST_TREE=/srv/guests/dots guest_define lxc ..
	on lxc start --domain ..
	on lxc destroy --domain ..
	on lxc undefine --domain ..
	GUEST_TREE=/srv/guests/dots guest_define lxc .. '<post-rm-rf><dir>/srv/guests/%NAME%/seed</dir></post-rm-rf>'
	run on lxc start --domain ..
	[ "$status" -ne 0 ]
	says virt-parts
}

@test "a part that reads none of a 1 MiB domain XML, and one that reads it all, both work" {
	part prepare_begin.d/30-deaf <<-'END'
		exec </dev/null
	END
	part prepare_begin.d/31-counts <<-END
		tee $seen/xml | wc -c >$seen/bytes
	END
	guest_tree big >/dev/null
	guest_xml lxc big >"$BATS_TEST_TMPDIR/big.xml"
	{
		sed "/<name>/q" "$BATS_TEST_TMPDIR/big.xml"
		echo "<description>"
		head -c 1048576 /dev/zero | tr '\0' x
		echo "</description>"
		sed "1,/<name>/d" "$BATS_TEST_TMPDIR/big.xml"
	} >"$BATS_TEST_TMPDIR/bigger.xml"
	on lxc define "$BATS_TEST_TMPDIR/bigger.xml"
	on lxc start big
	[ "$(cat $seen/bytes)" -gt 1048576 ]
	same_text "$(tail -n 1 $seen/xml | tail -c 20)" '</domain>'
}

@test "two containers started and ended at once keep their things apart" {
	local name
	for name in one two; do
		seeded "$name"
		echo "log of $name" >"/srv/guests/$name/var/log/service.log"
		guest_define lxc "$name" "$full"
	done
	on lxc start one &
	on lxc start two
	wait $!
	ramdisk_on /srv/guests/one/tmp
	ramdisk_on /srv/guests/two/tmp
	on lxc destroy one &
	on lxc destroy two
	wait $!
	for name in one two; do
		same_text "$(cat "/srv/archive/$name/$(today)/service.log")" "log of $name"
		fails test -e "/srv/guests/$name/scratch"
	done
}

@test "a container whose paths another one's run has claimed is refused, and told by whom" {
	sed -i "s|^delete = .*|delete = /srv/guests|" $hooks/parts.conf
	seeded one
	seeded two
	guest_define lxc one '<post-rm-rf><dir>/srv/guests/shared/scratch</dir></post-rm-rf>'
	guest_define lxc two '<post-rm-rf><dir>/srv/guests/shared/scratch/below</dir></post-rm-rf>'
	mkdir -p /srv/guests/shared/scratch/below
	on lxc start one
	run on lxc start two
	[ "$status" -ne 0 ]
	says one
	says /srv/guests/shared/scratch
}

@test "a part that leaves a process behind does not hold up the start" {
	part prepare_begin.d/30-leaves <<-END
		sleep 1000 &
		echo \$! >$seen/pid
	END
	guest_define lxc web1
	on lxc start web1
	# it is still there
	kill "$(cat $seen/pid)"
}

@test "a part that hangs is ended after its limit with all its processes, and the start refused" {
	conf_set prepare-timeout 2s
	part prepare_begin.d/30-hangs <<-END
		setsid sleep 4711 &
		(trap '' TERM; sleep 4712) &
		sleep 4713
	END
	guest_define lxc web1
	run on lxc start web1
	[ "$status" -ne 0 ]
	says 30-hangs
	within 5 none_runs 'sleep 471[123]'
	guest_state_is lxc web1 'shut off'
}

@test "when a part of release fails, nothing is deleted or unmounted, and the next life finishes it first" {
	seeded web1
	part release_end.d/15-backup <<-'END'
		exit 1
	END
	guest_define lxc web1 "$full"
	on lxc start web1
	on lxc destroy web1
	test -e /srv/guests/web1/scratch/big
	ramdisk_on /srv/guests/web1/tmp
	rm -r ${parts:?}/release_end.d
	on lxc start web1
	on lxc destroy web1
	fails test -e /srv/guests/web1/scratch
	same_text "$(ramdisks)" ''
	same_text "$(records)" ''
}

@test "when the archive fails, nothing is deleted and the guest's ramdisk stays; then it is done" {
	seeded web1
	guest_define lxc web1 "$full"
	on lxc start web1
	# not a directory where one is needed
	rm -rf /srv/archive/web1
	mkdir -p /srv/archive
	echo x >/srv/archive/web1
	on lxc destroy web1
	test -e /srv/guests/web1/scratch/big
	ramdisk_on /srv/guests/web1/tmp
	file_has $logs/lxc-web1.log 20-archive
	rm /srv/archive/web1
	on lxc start web1
	on lxc destroy web1
	test -e /srv/archive/web1/"$(today)"/service.log
	fails test -e /srv/guests/web1/scratch
	same_text "$(ramdisks)" ''
}

@test "libvirtd killed and started again keeps the guest, and its end archives and deletes once" {
	seeded web1
	record_events
	guest_define lxc web1 "$full"
	on lxc start web1
	libvirt_kill
	libvirt_again
	within 5 file_has $seen/events 'web1 reconnect begin'
	guest_state_is lxc web1 running
	ramdisk_on /srv/guests/web1/tmp
	on lxc destroy web1
	within 10 fails test -e /srv/guests/web1/scratch
	within 5 no_ramdisks
	same_text "$(ls /srv/archive/web1)" "$(today)"
}

@test "libvirtd killed before it tells that a container has started: what the container wrote is archived when it ends" {
	local way
	seeded web1
	GUEST_INIT="<init>/bin/sh</init><initarg>-c</initarg><initarg>echo precious &gt;/tmp/data; sleep 3600</initarg>" \
		guest_define lxc web1 "<ramdisk><dir size='1M'>/srv/guests/%NAME%/tmp</dir></ramdisk>
		<archive><dircopy><src>/srv/guests/%NAME%/tmp</src><dst>/srv/archive/%NAME%/tmp</dst></dircopy></archive>
		<post-rm-rf><dir>/srv/guests/%NAME%/scratch</dir></post-rm-rf>"
	for way in destroyed away; do
		# libvirtd is away by then, and the event of it fails with it
		part started_begin.d/30-kill <<-END
			kill -KILL \$(cat /run/libvirtd.pid)
			exit 1
		END
		fails on lxc start web1
		rm $parts/started_begin.d/30-kill
		within 5 test -s /srv/guests/web1/tmp/data
		# it goes on meanwhile
		[[ $way == destroyed ]] || pkill -KILL -f '/libvirt_lxc --name web1 '
		libvirt_again
		[[ $way == away ]] || on lxc destroy web1
		within 10 no_ramdisks
		within 5 no_records
		same_text "$(cat /srv/archive/web1/tmp/data)" precious
		test -e /srv/guests/web1/scratch/big
		rm -r /srv/archive/web1
	done
}

@test "a part that fails in reconnect does not kill the guest" {
	part reconnect_begin.d/30-no <<-END
		echo called >$seen/reconnect
		exit 1
	END
	guest_define lxc web1
	on lxc start web1
	libvirt_kill
	libvirt_again
	within 5 test -s $seen/reconnect
	guest_state_is lxc web1 running
}

@test "a container's own reboot ends one life and begins the next" {
	seeded web1
	record_events
	GUEST_INIT="<init>/bin/sh</init><initarg>-c</initarg><initarg>test -e /rebooted &amp;&amp; sleep 3600; echo &gt;/rebooted; until test -e /started; do sleep 0.1; done; reboot -f</initarg>" \
		guest_define lxc web1 "$full"
	on lxc start web1
	# not before libvirt knows it
	touch /srv/guests/web1/started
	within 20 test -e "/srv/archive/web1/$(today)/service.log"
	within 10 ramdisk_on /srv/guests/web1/tmp
	within 10 guest_state_is lxc web1 running
	same_text "$(grep -c 'prepare begin' $seen/events)" 2
	fails test -e /srv/guests/web1/scratch
}

@test "while a slow release runs, libvirt answers again within teardown-wait, and the work goes on" {
	conf_set teardown-wait 2s
	seeded web1
	part release_end.d/10-slow <<-END
		$until_go_on
		echo done >$seen/slow
	END
	guest_define lxc web1 "$full"
	on lxc start web1
	# where libvirt calls stopped and release once more, these wait as long
	quickly 20 on lxc destroy web1
	on lxc list
	fails test -e $seen/slow
	test -e /srv/guests/web1/scratch/big
	go_on
	within 10 test -e $seen/slow
	within 10 fails test -e /srv/guests/web1/scratch
}

@test "libvirtd killed while a container's stopped runs: the second stopped waits for the first, and all is done once" {
	seeded web1
	part stopped_end.d/30-slow <<-END
		echo begin >>$seen/order
		$until_go_on
		sleep 3
		echo end >>$seen/order
	END
	guest_define lxc web1 "$full"
	on lxc start web1
	on lxc destroy web1 >/dev/null 2>&1 &
	within 5 file_has $seen/order begin
	libvirt_kill
	go_on
	libvirt_again
	within 20 no_ramdisks
	within 5 no_records
	# a daemon that tells reasons does not know this one
	if libvirt_since 10.5; then
		test -e /srv/guests/web1/scratch/big
	else
		fails test -e /srv/guests/web1/scratch
	fi
	same_text "$(uniq -d $seen/order)" ''
	same_text "$(ls /srv/archive/web1)" "$(today)"
}

@test "libvirtd killed while a container's prepare runs: its next start works, and nothing was archived or deleted for it" {
	seeded web1
	part prepare_begin.d/30-slow <<-END
		echo begin >>$seen/order
		$until_go_on
		echo end >>$seen/order
	END
	guest_define lxc web1 "$full"
	on lxc start web1 >/dev/null 2>&1 &
	within 5 file_has $seen/order begin
	ramdisk_on /srv/guests/web1/tmp
	libvirt_kill
	libvirt_again
	go_on
	within 10 file_has $seen/order end
	on lxc start web1
	fails test -e /srv/archive/web1
	test -e /srv/guests/web1/scratch/big
	same_text "$(ramdisks)" /srv/guests/web1/tmp
	on lxc destroy web1
	fails test -e /srv/guests/web1/scratch
	same_text "$(ramdisks)" ''
	same_text "$(records)" ''
}
