#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Events of one guest that come while another one runs, and teardown that goes on in the background.
# Run as: tests/sandbox bats tests/lives-overlap.bats

# names that lib/lives.bash sets, none with a blank in it
# shellcheck disable=SC2154,SC2086,SC2016,SC2010,SC2012
load lib/lives.bash

setup_file() { lives_begin lxc; }
teardown_file() { lives_end; }

setup() {
	life_begin
	guest_tree web1 >/dev/null
	mkdir -p /srv/guests/web1/{www,scratch} /srv/seed/www
	echo seed >/srv/seed/www/index.html
	echo 'a line' >/srv/guests/web1/var/log/service.log
	echo worthless >/srv/guests/web1/scratch/big
	guest_define lxc web1 "$full"
	conf_set teardown-wait 1s
}

teardown() {
	[[ ! -e $BATS_FILE_TMPDIR/skip ]] || return 0
	archives_go_on
	life_end
}

readonly full="
	<ramdisk><dir size='4M' mode='1777'>/srv/guests/%NAME%/tmp</dir></ramdisk>
	<preload><dircopy><src>/srv/seed/www</src><dst>/srv/guests/%NAME%/www</dst></dircopy></preload>
	<archive><dircopy><src>/srv/guests/%NAME%/var/log</src><dst>/srv/archive/%NAME%/log</dst></dircopy></archive>
	<post-rm-rf><dir>/srv/guests/%NAME%/scratch</dir></post-rm-rf>"

run_is_over() {
	[[ -z $(records) && -z $(ramdisks) ]]
}

# --- direct calls ----------------------------------------------------------------------------------------------

# call OP SUBOP [EXTRA]: as libvirt does
call() {
	local xml
	# each has its own: they are made at once
	xml=$(mktemp)
	on lxc dumpxml web1 >"$xml"
	$hooks/lxc web1 "$1" "$2" "${3:--}" <"$xml" 3>&-
}

# Each event of $1 notes that it begins and ends, and takes a while.
slow_events() {
	local event
	for event; do
		part $event.d/30-order <<-END
			echo "begin \$VIRT_PARTS_OP \$VIRT_PARTS_EXTRA" >>$seen/order
			sleep 0.15
			echo "end \$VIRT_PARTS_OP \$VIRT_PARTS_EXTRA" >>$seen/order
		END
	done
}

@test "20 events of one guest at once run one at a time, in the order in which they came, each once" {
	local -i n rounds=${VIRT_PARTS_FULL:+10} round tickets
	((rounds)) || rounds=1
	slow_events prepare_begin start_begin started_begin stopped_end release_end
	on lxc dumpxml web1 >"$BATS_TEST_TMPDIR/web1.xml"
	local -a ops=('prepare begin' 'start begin' 'started begin' 'stopped end' 'release end')
	for ((round = 0; round < rounds; round++)); do
		rm -f $seen/order "$BATS_TEST_TMPDIR/wanted"
		tickets=$(given)
		for ((n = 0; n < 20; n++)); do
			$hooks/lxc web1 ${ops[n % 5]} $n <"$BATS_TEST_TMPDIR/web1.xml" >/dev/null 2>&1 3>&- &
			printf 'begin %s %d\nend %s %d\n' "${ops[n % 5]% *}" $n "${ops[n % 5]% *}" $n >>"$BATS_TEST_TMPDIR/wanted"
			# they come one after the other, and all of them while the first one runs
			within 5 queued $((tickets + n + 1))
		done
		within 30 file_has $seen/order 'end release 19'
		diff "$BATS_TEST_TMPDIR/wanted" $seen/order
		within 5 run_is_over
		# four whole lives: each archived once
		same_text "$(ls /srv/archive/web1 | sort -V | tr '\n' ' ')" 'log log-2 log-3 log-4 '
		rm -rf /srv/archive
	done
}

# given: how many tickets were given to this guest
given() {
	local file
	file=$(echo /run/virt-parts/lxc-*.lock)
	[[ ! -s $file ]] || od -An -tu8 -N8 "$file"
}

queued() {
	(($(given) + 0 >= $1))
}

@test "20 events of one guest from everywhere, in no order: never two at a time, none lost, none twice" {
	local -i n
	slow_events stopped_end
	on lxc dumpxml web1 >"$BATS_TEST_TMPDIR/web1.xml"
	for ((n = 0; n < 20; n++)); do
		$hooks/lxc web1 stopped end $n <"$BATS_TEST_TMPDIR/web1.xml" >/dev/null 2>&1 3>&- &
	done
	within 30 lines_are $seen/order 40
	# begin and end of one event always lie together
	same_text "$(paste -d ' ' - - <$seen/order | awk '$3 != $6')" ''
	same_text "$(awk '/begin/ {print $3}' $seen/order | sort -n | uniq | wc -l)" 20
}

lines_are() {
	[[ -e $1 ]] && (($(wc -l <"$1") == $2))
}

@test "stopped called twice at once: the second waits for the first, and all is done once" {
	call prepare begin
	call started begin
	slow_events stopped_end release_end
	call stopped end 1 &
	call stopped end 2 &
	wait
	call release end 3 &
	call release end 4 &
	wait
	within 5 run_is_over
	same_text "$(paste -d ' ' - - <$seen/order | awk '$3 != $6')" ''
	same_text "$(ls /srv/archive/web1)" log
}

@test "a prepare that comes while a release runs waits for it" {
	call prepare begin
	call started begin
	part release_end.d/30-slow <<-END
		sleep 4
	END
	call release end &
	within 5 pgrep -f release_end.d/30-slow
	quickly 25 call prepare begin
	file_has /srv/archive/web1/log/service.log 'a line'
	ramdisk_on /srv/guests/web1/tmp
	wait
	call release end
	within 10 run_is_over
}

# --- a slow archive --------------------------------------------------------------------------------------------

# archive_is_slow: each archive takes until archives_go_on; it has 20000 files to copy
archive_is_slow() {
	if [[ ! -d /srv/guests/web1/var/log/many ]]; then
		mkdir -p /srv/guests/web1/var/log/many
		seq 20000 | split -l 1 -a 4 - /srv/guests/web1/var/log/many/
	fi
	rm -f $seen/go-on
	stop_archives </dev/null >/dev/null 2>&1 3>&- 4>&- &
}

stop_archives() {
	until [[ -e $seen/go-on ]]; do
		pkill -STOP -x 20-archive || true
		sleep 0.02
	done
	pkill -CONT -x 20-archive || true
}

archives_go_on() {
	go_on
	within 20 fails pgrep -x 20-archive >/dev/null 2>&1 || pkill -KILL -x 20-archive
}

# while something waits for them
archives_go_on_soon() {
	(sleep 2 && go_on) </dev/null >/dev/null 2>&1 3>&- 4>&- &
}

still_archiving() {
	pgrep -x 20-archive >/dev/null
	fails test -e /srv/archive/web1/log
	test -e /srv/guests/web1/scratch/big
	ramdisk_on /srv/guests/web1/tmp
}

archived_whole() {
	[[ $(ls /srv/archive/web1 2>/dev/null) == log ]] || return 1
	(($(ls /srv/archive/web1/log/many | wc -l) == 20000))
}

@test "while a slow archive goes on, destroy and list return in time; its end is in the log; the next start waits for it" {
	on lxc start web1
	archive_is_slow
	# where libvirt calls stopped and release once more, these wait as long
	quickly 20 on lxc destroy web1
	still_archiving
	on lxc list --all
	file_has $logs/lxc-web1.log 'release_end: note: goes on in the background, pid='
	still_archiving
	archives_go_on_soon
	on lxc start web1
	archived_whole
	fails test -e /srv/guests/web1/scratch
	ramdisk_on /srv/guests/web1/tmp
	same_text "$(cat /srv/guests/web1/www/index.html)" seed
	# the end of the release, before the prepare that waited for it
	grep -A 50 'goes on in the background' $logs/lxc-web1.log | grep -m 1 -E 'release_end: end|prepare_begin: begin' >"$BATS_TEST_TMPDIR/first"
	file_has "$BATS_TEST_TMPDIR/first" 'release_end: end exit 0'
}

@test "libvirtd killed, and stopped, and started again while a slow archive goes on: that does not end it" {
	local how
	for how in kill restart; do
		echo "libvirtd: $how" >&2
		rm -rf /srv/archive
		mkdir -p /srv/guests/web1/scratch
		echo worthless >/srv/guests/web1/scratch/big
		on lxc start web1
		archive_is_slow
		quickly 20 on lxc destroy web1
		local archive
		archive=$(pgrep -x 20-archive)
		case $how in
		kill) libvirt_kill ;;
		*)
			local pid
			pid=$(libvirtd_pid)
			kill -TERM "$pid"
			within 10 process_gone "$pid"
			;;
		esac
		libvirt_again
		same_text "$(pgrep -x 20-archive)" "$archive"
		still_archiving
		go_on
		within 20 archived_whole
		within 5 run_is_over
		fails test -e /srv/guests/web1/scratch
	done
}

@test "virt-parts installed anew while a slow archive goes on: that does not end it, and the next start waits for it" {
	on lxc start web1
	archive_is_slow
	quickly 20 on lxc destroy web1
	"$checkout/install.sh" --no-deps >/dev/null
	still_archiving
	archives_go_on_soon
	on lxc start web1
	archived_whole
	fails test -e /srv/guests/web1/scratch
	ramdisk_on /srv/guests/web1/tmp
}

@test "a slow archive that fails in the background is an unfinished run: in the log, nothing deleted, and done at the next start" {
	conf_set 20-archive 4s
	on lxc start web1
	archive_is_slow
	quickly 20 on lxc destroy web1
	within 10 file_has $logs/lxc-web1.log 'the run stays unfinished, failed: 20-archive'
	# also where libvirt calls release once more
	within 20 none_runs '^/etc/libvirt/hooks/lxc web1 '
	go_on
	file_has $logs/lxc-web1.log 'release_end: end exit 1'
	test -e /srv/guests/web1/scratch/big
	ramdisk_on /srv/guests/web1/tmp
	fails test -e /srv/archive/web1/log
	conf_set 20-archive 1h
	on lxc start web1
	archived_whole
	fails test -e /srv/guests/web1/scratch
}

@test "an unfinished run that takes longer than a prepare waits: refused and told why; when it is done the guest starts" {
	# the wait is 30 s
	on lxc start web1
	mkdir /srv/archive
	echo x >/srv/archive/web1
	on lxc destroy web1
	rm /srv/archive/web1
	archive_is_slow
	run on lxc start web1
	[ "$status" -ne 0 ]
	says 'prepare refused after 30 s: its last run is unfinished, and being finished in the background'
	guest_state_is lxc web1 'shut off'
	archives_go_on
	within 10 archived_whole
	within 5 run_is_over
	on lxc start web1
	guest_state_is lxc web1 running
	same_text "$(ls /srv/archive/web1)" log
}
