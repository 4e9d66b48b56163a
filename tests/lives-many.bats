#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Many containers: started by autostart, all destroyed at once, and again. Prints how long it took.
# Run as: tests/sandbox bats tests/lives-many.bats; VIRT_PARTS_FULL=1 makes it a hundred.

# names that lib/lives.bash sets, none with a blank in it
# shellcheck disable=SC2154,SC2086,SC2016,SC2010,SC2012
load lib/lives.bash

setup_file() { lives_begin lxc; }
teardown_file() { lives_end; }

setup() {
	life_begin
	living=()
}

teardown() {
	[[ ! -e $BATS_FILE_TMPDIR/skip ]] || return 0
	# faster than one by one
	local uuid
	libvirt_running || libvirt_again
	kill "${living[@]}" 2>/dev/null || true
	for uuid in $(guest_uuids lxc); do
		on lxc destroy "$uuid" >/dev/null 2>&1 &
	done
	wait
	rm -rf /etc/libvirt/lxc/autostart/*
	life_end
}

readonly full="
	<ramdisk><dir size='1M' mode='1777'>/srv/guests/%NAME%/tmp</dir></ramdisk>
	<preload>
		<iso path='/var/lib/virt-parts/iso/%NAME%/seed.iso' label='CIDATA'><src>/srv/seed/www</src></iso>
		<dircopy><src>/srv/seed/www</src><dst>/srv/guests/%NAME%/www</dst></dircopy>
	</preload>
	<archive><dircopy><src>/srv/guests/%NAME%/var/log</src><dst>/srv/archive/%NAME%/log</dst></dircopy></archive>
	<post-rm-rf><dir>/srv/guests/%NAME%/scratch</dir></post-rm-rf>"

define_all() {
	local -i n
	local tree
	mkdir -p /srv/seed/www
	echo seed >/srv/seed/www/index.html
	# one tree with links to the same busybox, and what differs
	tree=$(guest_tree g0)
	for ((n = 0; n < count; n++)); do
		((n == 0)) || cp -al $tree /srv/guests/g$n
		mkdir -p /srv/guests/g$n/scratch
		echo "log of g$n" >"$BATS_TEST_TMPDIR/log"
		rm -f /srv/guests/g$n/var/log/service.log
		cp "$BATS_TEST_TMPDIR/log" /srv/guests/g$n/var/log/service.log
		GUEST_TREE=/srv/guests/g$n guest_define lxc g$n "$full" >/dev/null
		on lxc autostart g$n >/dev/null
	done
}

seconds_of() {
	local begin=$EPOCHREALTIME
	"$@" >&2
	printf '%d.%03d' $(((${EPOCHREALTIME/./} - ${begin/./}) / 1000000)) $(((${EPOCHREALTIME/./} - ${begin/./}) / 1000 % 1000))
}

daemon_stops() {
	local pid
	pid=$(libvirtd_pid)
	kill -TERM "$pid"
	try_for 20 process_gone "$pid"
}

all_run() {
	(($(on lxc list --name | grep -c '^g') == count))
}

daemon_starts_all() {
	VIRSH_LIMIT=300 libvirt_again
	within 300 all_run
}

destroy_all() {
	local -i n
	for ((n = 0; n < count; n++)); do
		VIRSH_LIMIT=200 on lxc destroy g$n >/dev/null 2>&1 &
	done
	wait
}

all_over() {
	[[ -z $(records) && -z $(ramdisks) ]]
}

@test "many containers, by autostart and destroyed at once, twice: each has its own, and nothing is left" {
	local -i count=20 round n
	[[ -z ${VIRT_PARTS_FULL:-} ]] || count=100
	define_all
	for round in 1 2; do
		daemon_stops
		rm -rf /run/libvirt/lxc
		echo "# $count containers, round $round: autostart $(seconds_of daemon_starts_all) s" >&3
		same_text "$(ramdisks | wc -l)" $count
		same_text "$(records | wc -l)" $count
		echo "# $count containers, round $round: records $(du -s --apparent-size -B1 /var/lib/virt-parts/state | cut -f 1) bytes, log $(du -s --apparent-size -B1 $logs | cut -f 1) bytes" >&3
		echo "# $count containers, round $round: all destroyed at once $(seconds_of destroy_all) s" >&3
		within 60 all_over
		for ((n = 0; n < count; n++)); do
			local suffix=
			((round == 1)) || suffix=-2
			same_text "$(cat /srv/archive/g$n/log$suffix/service.log)" "log of g$n"
			fails test -e /srv/guests/g$n/scratch
			fails test -e /var/lib/virt-parts/iso/g$n/seed.iso
			mkdir /srv/guests/g$n/scratch
		done
		same_text "$(ls /srv/archive | wc -l)" $count
	done
	same_text "$(find /run/virt-parts -name '*.lock' | wc -l)" $((count + 1))
}

# --- lives that are cut short ----------------------------------------------------------------------------------

readonly lasting="
	<ramdisk><dir size='1M' mode='1777'>/srv/guests/%NAME%/tmp</dir></ramdisk>
	<preload>
		<iso path='/var/lib/virt-parts/iso/%NAME%/seed.iso' label='CIDATA'><src>/srv/seed/www</src></iso>
		<dircopy><src>/srv/seed/www</src><dst>/srv/guests/%NAME%/www</dst></dircopy>
	</preload>
	<archive>
		<dircopy><src>/srv/guests/%NAME%/var/log</src><dst>/srv/archive/%NAME%/log</dst></dircopy>
		<dircopy><src>/srv/guests/%NAME%/tmp</src><dst>/srv/archive/%NAME%/tmp</dst></dircopy>
	</archive>
	<post-rm-rf><dir>/srv/guests/%NAME%/scratch</dir></post-rm-rf>"

# Each life writes its number, into ten files of its log, and when these are there into its ramdisk.
define_counting() {
	local init='read n &lt;/life; n=$((n + 1)); echo $n &gt;/life; mkdir -p /scratch; echo $n &gt;/scratch/junk; for f in 0 1 2 3 4 5 6 7 8 9; do echo $n &gt;/var/log/$f; done; echo $n &gt;/tmp/data; sleep 3600'
	local -i n
	mkdir -p /srv/seed/www
	echo seed >/srv/seed/www/index.html
	guest_tree g0 >/dev/null
	for ((n = 0; n < guests; n++)); do
		((n == 0)) || cp -al /srv/guests/g0 /srv/guests/g$n
	done
	for ((n = 0; n < guests; n++)); do
		echo 0 >/srv/guests/g$n/life
		GUEST_INIT="<init>/bin/sh</init><initarg>-c</initarg><initarg>$init</initarg>" \
			GUEST_TREE=/srv/guests/g$n guest_define lxc g$n "$lasting" >/dev/null
	done
}

# lives_of NAME: one after the other, as libvirtd lets it; the number of each that wrote all is told in a file
lives_of() {
	local name=$1 pid
	local -i life deadline=$((SECONDS + limit))
	for ((life = 0; life < lives; life++)); do
		# libvirtd may be away, or have gone when it had started it
		until on lxc start $name || guest_state_is lxc $name running; do
			((SECONDS < deadline)) || return
			sleep 0.3
		done
		if try_for 20 test -s /srv/guests/$name/tmp/data; then
			cat /srv/guests/$name/life >>"$told/$name"
		fi
		case $((RANDOM % 3)) in
		0) # its init, its controller
			pid=$(pgrep -f "/libvirt_lxc --name $name ") && pkill -KILL -P $pid && echo >>"$told/killed"
			;;
		1)
			pid=$(pgrep -f "/libvirt_lxc --name $name ") && kill -KILL $pid && echo >>"$told/killed"
			;;
		esac
		until guest_state_is lxc $name 'shut off'; do
			((SECONDS < deadline)) || return
			on lxc destroy $name || sleep 0.3
		done
	done
	echo $name >>"$told/through"
} >/dev/null 2>&1 3>&-

# libvirtd is killed or stopped, and started again, until all guests are through; where that takes long it is left
# alone for the last quarter of the time, so that they get through
libvirtd_comes_and_goes() {
	local -i deadline=$((SECONDS + limit * 3 / 4))
	while (($(wc -l <"$told/through") < guests && SECONDS < deadline)); do
		sleep $pause
		# one that is asked to end and is in the middle of much may take long
		((RANDOM % 2)) || daemon_stops || true
		! libvirt_running || libvirt_kill
		echo >>"$told/stops"
		sleep "0.$((RANDOM % 10))"
		# with many guests in the middle of something it takes a while until it answers
		libvirtd_launch
	done
	libvirt_answers lxc:///system || libvirt_again
}

# whole ARCHIVE: what life it is of, when it holds all of it
whole() {
	local all count life
	all=$(cat "$1"/[0-9] 2>/dev/null | sort | uniq -c)
	read -r count life <<<"$all" && ((count == 10)) && [[ $life != *$'\n'* ]] && echo "$life"
}

# lost: prints each life that was told of and is not archived whole, from its log and from its ramdisk
lost() {
	local name archive life
	while read -r name; do
		for archive in "/srv/archive/$name/log"*; do
			whole $archive || true
		done | sort >"$told/found-log"
		cat /srv/archive/$name/tmp*/data 2>/dev/null | sort >"$told/found-tmp"
		while read -r life; do
			grep -qx $life "$told/found-log" || echo "$name: the log of life $life"
			grep -qx $life "$told/found-tmp" || echo "$name: the ramdisk of life $life"
		done <"$told/$name"
	done < <(sort "$told/through")
}

# left: what no life should leave behind
left() {
	ramdisks
	records
	find /srv/archive /srv/guests /var/lib/virt-parts \( -name '.virt-parts*' -o -name '*.new' -o -name '*.over' -o -name seed.iso \) -print 2>/dev/null
	find /srv/guests -mindepth 2 -maxdepth 2 -name scratch
}

@test "many guests live again and again, some killed, with libvirtd killed and stopped in between: nothing is lost or left" {
	local -i guests=4 lives=2 pause=2 limit=240 n all=0
	if [[ -n ${VIRT_PARTS_FULL:-} ]]; then
		guests=50 lives=20 pause=20 limit=5400
	fi
	local told=$BATS_TEST_TMPDIR/told
	mkdir "$told"
	: >"$told/through"
	: >"$told/killed"
	define_counting
	for ((n = 0; n < guests; n++)); do
		lives_of g$n &
		living+=($!)
	done
	libvirtd_comes_and_goes
	wait
	same_text "$(wc -l <"$told/through")" $guests
	# a run whose release libvirtd did not live to call is finished by the next life
	for ((n = 0; n < guests; n++)); do
		on lxc start g$n
		within 20 test -s /srv/guests/g$n/tmp/data
		cat /srv/guests/g$n/life >>"$told/g$n"
		on lxc destroy g$n
	done
	within 60 all_over
	all=$(cat "$told"/g* | wc -l)
	lost >"$told/lost"
	left >"$told/left"
	cat "$told/lost" "$told/left" >&2
	proof 25 $all "$(cat "$told/lost" "$told/left" | wc -l)" "$(cat "$told/killed" "$told/stops" | wc -l)" \
		"lives of $guests guests; $(wc -l <"$told/killed") guests killed, libvirtd stopped or killed $(wc -l <"$told/stops") times"
	[[ ! -s $told/lost && ! -s $told/left ]]
	((all >= guests * lives))
	# what is missing would be seen; a life that libvirtd lost sight of can be archived once more by the next one
	local archive life
	read -r life <"$told/g1"
	for archive in /srv/archive/g1/log*; do
		[[ $(whole "$archive") != "$life" ]] || rm "$archive/3"
	done
	same_text "$(lost | uniq)" "g1: the log of life $life"
}
