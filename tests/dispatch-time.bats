#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Time: the limits of parts, teardown that goes on in the background, and the 30 s that prepare waits.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # variables of tree_make, hook and event
# shellcheck disable=SC2016,SC2086 # parts expand what is in them
load lib/tree.bash

# of a part: it ends when there is a file "go", or when nobody makes one
readonly until_go='i=0; until [ -e "$tree/go" ] || [ $((i += 1)) -gt 6000 ]; do sleep 0.02; done'

# The 30 s run while the other tests do.
setup_file() {
	[[ $EUID -eq 0 && -x $build/virt-parts-hook ]] || return 0
	local what
	for what in slow_release slow_finish; do
		$what >"$BATS_FILE_TMPDIR/$what" 3>&- 4>&- &
		echo $! >"$BATS_FILE_TMPDIR/$what.pid"
	done
}

teardown_file() {
	local what
	for what in slow_release slow_finish; do
		[[ -e $BATS_FILE_TMPDIR/$what.pid ]] || continue
		tree=$(head -n 1 "$BATS_FILE_TMPDIR/$what")
		remove_tree "$tree"
	done
}

# slow NAME: waits for it, and prints its tree
slow() {
	within 300 gone "$(<"$BATS_FILE_TMPDIR/$1.pid")"
	head -n 1 "$BATS_FILE_TMPDIR/$1"
}

setup() {
	tree_make
	conf '[limits]' 'teardown-wait = 1s'
}

teardown() { tree_remove; }

# Two guests whose release goes on until both have tried it, and what happens to a prepare of each
slow_release() {
	tree_make
	echo "$tree"
	conf '[limits]' 'teardown-wait = 1s'
	part "$parts/release_end.d/10-slow" "$until_go"
	part "$parts/prepare_begin.d/10-own" 'echo "ran for $1" >>"$tree/ran"'
	mkdir "$tree/results"
	slow_prepare bound "${asking/web1/bound}" &
	slow_prepare plain "${plain//0d6c9b1a7a11/0d6c9b1a7a12}" &
	wait
	touch "$tree/go"
	within 60 grep -q 'release_end: end exit' "$tree/log/qemu-bound.log"
	within 60 grep -q 'release_end: end exit' "$tree/log/qemu-plain.log"
}

slow_prepare() {
	local status=0 from
	xml=$2
	hook qemu "$1" release end -
	from=$(milliseconds)
	hook qemu "$1" prepare begin - 2>"$tree/results/$1.err" || status=$?
	echo "$status $(($(milliseconds) - from))" >"$tree/results/$1.status"
}

# A run whose finishing takes 40 s, and what happens to two prepares of its guest
slow_finish() {
	tree_make
	echo "$tree"
	shipped
	live
	part "$vendor/release_end.d/20-archive" 'sleep 40; echo "archived $VIRT_PARTS_REASON" >>"$seen"'
	: >"$seen"
	event prepare begin
	printf '%s\n' "$errors" >"$tree/refusal"
	event prepare begin
	echo "$status" >>"$tree/refusal"
}

# --- time limits -----------------------------------------------------------------------------------------------

@test "a part that takes too long is ended, and its event fails" {
	conf '[limits]' 'prepare-timeout = 1s'
	part "$parts/prepare_begin.d/10-a" 'echo waiting; exec sleep 120'
	part "$parts/prepare_begin.d/20-b"
	local from to
	from=$(milliseconds)
	event prepare begin
	to=$(milliseconds)
	[ "$status" -eq 1 ]
	((to - from >= 1000 && to - from < 60000))
	has "$errors" 'prepare_begin.d/10-a failed (timed out after 1 s): waiting'
	ran
}

@test "the limit is prepare-timeout in prepare, start and started, else part-timeout, and a part's own first" {
	conf '[limits]' 'prepare-timeout = 1s' 'part-timeout = 2s' '[timeout]' '30-own = 3s'
	local op n=0
	for op in prepare_begin start_begin started_begin attach_begin release_end; do
		part "$parts/$op.d/10-slow" 'exec sleep 120'
	done
	part "$parts/stopped_end.d/30-own" 'exec sleep 120'
	for op in prepare start started attach release stopped; do
		# guests of their own, or one waits for the other
		xml="<uuid>6e3ad1c0-5a1b-4d0c-9a57-00000000000$((++n))</uuid>"
		hook qemu $op $op "$([[ $op == release || $op == stopped ]] && echo end || echo begin)" - 2>"$tree/$op" &
	done
	wait
	grep -q 'timed out after 1 s' "$tree/prepare"
	grep -q 'timed out after 1 s' "$tree/start"
	grep -q 'timed out after 1 s' "$tree/started"
	grep -q 'timed out after 2 s' "$tree/attach"
	grep -q 'timed out after 2 s' "$tree/release"
	grep -q 'timed out after 3 s' "$tree/stopped"
}

# all_gone FILE: of the processes whose numbers are in it none is left
all_gone() {
	local pid left=0
	while read -r pid; do
		if kill -0 "$pid" 2>/dev/null; then
			echo "lives: $(tr '\0' ' ' <"/proc/$pid/cmdline")" >&2
			kill -9 "$pid"
			left=1
		fi
	done <"$1"
	return $left
}

@test "on time out the whole tree goes, also what left its parent, group and session or ignores TERM" {
	conf '[limits]' 'prepare-timeout = 4s'
	part "$parts/prepare_begin.d/10-a" \
		'note() { sh -c "echo \$PPID" >>"$seen"; }' \
		'sleep 61 & echo $! >>"$seen"' \
		'(setsid sh -c "sh -c \"echo \\\$\\\$ >>$seen; exec sleep 62\" &" &)' \
		'(setsid sh -c "trap \"\" TERM HUP; echo \$\$ >>$seen; while :; do sleep 0.1; done" &)' \
		'(sh -c "kill -STOP \$\$" & echo $! >>"$seen")' \
		'sleep 0.3; trap "" TERM; while :; do sleep 0.1; done'
	local from to
	from=$(milliseconds)
	event prepare begin
	to=$(milliseconds)
	[ "$status" -eq 1 ]
	same "$(wc -l <"$seen")" 4
	all_gone "$seen"
	((to - from >= 6000)) # one of them does not go at TERM
	has "$errors" 'timed out after 4 s)'
	lacks "$errors" 'still there'
}

@test "on time out a process that is stopped still gets the chance to end well" {
	conf '[limits]' 'prepare-timeout = 4s'
	part "$parts/prepare_begin.d/10-a" 'sh -c "trap \"echo ended well >>$seen; exit\" TERM; kill -STOP \$\$; sleep 1" & exec sleep 120'
	event prepare begin
	[ "$status" -eq 1 ]
	same "$(<"$seen")" 'ended well'
}

@test "on time out nothing is left, over and over, of guests side by side" {
	conf '[limits]' 'prepare-timeout = 4s'
	part "$parts/prepare_begin.d/10-a" '(setsid sh -c "sleep 73 & echo \$! \$\$ >>$seen; wait" &)' \
		'(setsid sh -c "setsid sleep 73 & echo \$! >>$seen" &)' 'sleep 0.5; exec sleep 73'
	local rounds i
	rounds=$(full 200 10)
	for ((i = 0; i < rounds; i++)); do
		xml="<uuid>$(printf '6e3ad1c0-5a1b-4d0c-9a57-%012d' $i)</uuid>"
		not hook qemu "web$i" prepare begin - 2>/dev/null &
		((i % 10 != 9)) || wait
	done
	wait
	tr ' ' '\n' <"$seen" >"$tree/pids"
	same "$(wc -l <"$tree/pids")" $((3 * rounds))
	all_gone "$tree/pids"
	# of three, two survive who ends a group only
	: >"$seen"
	fails_in_time timeout -k 1 4 "$parts/prepare_begin.d/10-a"
	tr ' ' '\n' <"$seen" >"$tree/naive"
	local survivors
	survivors=$(xargs -n 1 sh -c 'kill -KILL "$0" && echo' <"$tree/naive" 2>/dev/null | wc -l)
	proof 19 "$rounds" 0 "$survivors" 'survivors of timeout(1)'
}

fails_in_time() {
	if "$@"; then return 1; fi
}

@test "on time out a tree that forks as fast as it can goes, too" {
	conf '[limits]' 'prepare-timeout = 1s'
	part "$parts/prepare_begin.d/10-a" 'trap "" TERM' \
		'for i in 1 2 3; do (setsid sh -c "exec >/dev/null; trap \"\" TERM; while :; do sh -c \"sleep 77; :\" $tree/forked & sleep 0.02; done" &); done' \
		'exec sleep 120'
	event prepare begin
	[ "$status" -eq 1 ]
	not pgrep -f "$tree/forked"
}

@test "on time out what earlier parts have left in the background is not touched" {
	conf '[limits]' 'prepare-timeout = 4s'
	part "$parts/prepare_begin.d/10-a" 'setsid sh -c "echo \$\$ >$tree/spared; sleep 63 & echo \$! >>$tree/spared; wait" & sleep 0.2' \
		'sleep 64 & echo $! >>"$tree/spared"'
	part "$parts/prepare_begin.d/20-b" '(setsid sleep 65 & echo $! >>"$seen"); echo $$ >>"$seen"; exec sleep 66'
	event prepare begin
	[ "$status" -eq 1 ]
	has "$errors" '20-b failed (timed out'
	same "$(wc -l <"$tree/spared")" 3
	local pid
	while read -r pid; do
		kill "$pid"
	done <"$tree/spared"
	same "$(wc -l <"$seen")" 2
	all_gone "$seen"
}

# --- teardown --------------------------------------------------------------------------------------------------

@test "a release that is done in time gives its own status and errors" {
	part "$parts/release_end.d/10-a" 'echo why; exit 5'
	event release end
	[ "$status" -eq 1 ]
	same "$errors" 'virt-parts: web1: release_end.d/10-a failed (exit 5): why'
}

@test "a release that is not done in time lets libvirt go on, and goes on itself, in order, with its log" {
	part "$parts/release_end.d/10-a" "$until_go" 'echo 10-a >>"$seen"'
	part "$parts/release_end.d/20-b" 'echo "20-b $VIRT_PARTS_EVENT_TIME" >>"$seen"; exit 3'
	part "$parts/release_end.d/30-c" 'echo "30-c [$VIRT_PARTS_FAILED]" >>"$seen"; cat >>"$seen"'
	local from took
	from=$(milliseconds)
	status=0
	# as libvirt: reads both pipes to their end
	hook qemu web1 release end - 2> >(cat >/dev/null) | cat || status=$?
	took=$(($(milliseconds) - from))
	[ "$status" -eq 0 ]
	((took >= 1000 && took < 60000))
	ran
	touch "$tree/go"
	has "$(log_of qemu-web1)" 'release_end: note: goes on in the background, pid='
	within 60 grep -q 'end exit' "$tree/log/qemu-web1.log"
	same "$(sed 's/20-b .*/20-b/' "$seen")" $'10-a\n20-b\n30-c [20-b]\n'"$plain"
	has "$(log_of qemu-web1)" 'release_end: 20-b: exit 3'
	has "$(log_of qemu-web1)" 'release_end: end exit 1'
}

@test "the time that stopped and release take has the wait for the lock in it" {
	part "$parts/start_begin.d/10-a" 'echo start >>"$seen"' "$until_go"
	part "$parts/stopped_end.d/10-a" 'echo stopped >>"$seen"'
	part "$parts/release_end.d/10-a" 'echo release >>"$seen"'
	hook qemu web1 start begin - &
	within 60 test -s "$seen"
	local from took
	from=$(milliseconds)
	event stopped end
	took=$(($(milliseconds) - from))
	[ "$status" -eq 0 ]
	((took >= 1000 && took < 60000))
	event release end
	[ "$status" -eq 0 ]
	# neither has waited for it
	ran start
	touch "$tree/go"
	wait
	within 60 grep -q 'release_end: end exit' "$tree/log/qemu-web1.log"
	ran start stopped release
}

@test "a prepare waits for the release that goes on in the background" {
	part "$parts/release_end.d/10-a" "$until_go" 'echo release >>"$seen"'
	part "$parts/prepare_begin.d/10-a" 'echo prepare >>"$seen"'
	event release end
	[ "$status" -eq 0 ]
	ran
	(sleep 1 && touch "$tree/go") 3>&- &
	event prepare begin
	[ "$status" -eq 0 ]
	ran release prepare
}

@test "a time limit holds in the background, too" {
	conf '[limits]' 'teardown-wait = 1s' 'part-timeout = 6s'
	part "$parts/release_end.d/10-a" '(setsid sleep 69 & echo $! >>"$tree/pids"); echo $$ >>"$tree/pids"; exec sleep 120'
	part "$parts/release_end.d/20-b"
	event release end
	[ "$status" -eq 0 ]
	within 60 grep -q 'end exit 1' "$tree/log/qemu-web1.log"
	has "$(log_of qemu-web1)" '10-a: timed out after 6 s'
	ran 20-b
	same "$(wc -l <"$tree/pids")" 2
	all_gone "$tree/pids"
}

# --- after 30 s ------------------------------------------------------------------------------------------------

@test "a prepare that has waited for 30 s is refused and names what it waits for; a guest without directives goes on" {
	local slow result took
	slow=$(slow slow_release)
	read -r result took <"$slow/results/bound.status"
	same "$result" 1
	((took >= 30000 && took < 60000))
	grep -qxE 'virt-parts: bound: prepare_begin refused after 30 s: waits for release end \(pid [0-9]+\) since [345][0-9] s' "$slow/results/bound.err"
	read -r result took <"$slow/results/plain.status"
	same "$result" 0
	((took >= 30000 && took < 60000))
	same "$(<"$slow/ran")" 'ran for plain'
	grep -q 'prepare_begin: warning: goes on beside release end (pid ' "$slow/log/qemu-plain.log"
}

@test "a prepare that has waited 30 s for an unfinished run is refused; that goes on, and the next one starts" {
	local slow
	slow=$(slow slow_finish)
	same "$(<"$slow/refusal")" 'virt-parts: web1: prepare refused after 30 s: its last run is unfinished, and being finished in the background
0'
	same "$(<"$slow/seen")" $'archived lost\n60-post-rm-rf lost []\n05-virt-parts'
}
