#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What a part gets, what becomes of what it prints, and what follows when it fails.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # variables of tree_make, hook and event
# shellcheck disable=SC2016,SC2086 # parts expand what is in them
load lib/tree.bash

setup() { tree_make; }
teardown() { tree_remove; }

# --- what a part gets ------------------------------------------------------------------------------------------

@test "a part gets libvirt's four arguments, and its own path as its name" {
	part "$parts/release_end.d/10-a" 'printf "%s|" "$0" "$@" >>"$seen"'
	event release end 'from snapshot'
	same "$(<"$seen")" "$parts/release_end.d/10-a|web1|release|end|from snapshot|"
}

@test "a part's environment holds what is promised and nothing else" {
	part "$parts/release_end.d/10-a" 'cat /proc/$$/environ | tr "\0" "\n" | sort >>"$seen"'
	local before after
	before=$(date +%s)
	FOO=bar LD_PRELOAD_X=1 HOME=/x event release end shutdown
	after=$(date +%s)
	local time
	time=$(sed -n 's/^VIRT_PARTS_EVENT_TIME=//p' "$seen")
	((time >= before && time <= after))
	same "$(grep -v EVENT_TIME "$seen")" "LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
VIRT_PARTS_DOMAIN=web1
VIRT_PARTS_DRIVER=qemu
VIRT_PARTS_EXTRA=shutdown
VIRT_PARTS_FAILED=
VIRT_PARTS_HOOK_DIR=$hooks
VIRT_PARTS_OP=release
VIRT_PARTS_REASON=shutdown
VIRT_PARTS_STATE_DIR=
VIRT_PARTS_SUBOP=end
VIRT_PARTS_UUID=$uuid"
}

@test "parts find the programs of an install in another place" {
	without_checker 'it needs a build of its own'
	command -v make >/dev/null && command -v "${CC:-cc}" >/dev/null || skip 'needs make and a compiler'
	# path_of PREFIX: the PATH that an install there gives to parts
	path_of() {
		MAKEFLAGS='' make -s -C "$checkout" BUILD="$tree/build" PREFIX="$1" "$tree/build/dispatch/environment.o"
		grep -ao 'PATH=[^[:cntrl:]]*' "$tree/build/dispatch/environment.o"
	}
	local usual=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	same "$(path_of /usr)" $usual
	same "$(path_of /usr/local)" $usual
	same "$(path_of /opt/virt-parts)" $usual:/opt/virt-parts/bin
}

@test "all parts of an event are told the same time" {
	part "$parts/prepare_begin.d/10-a" 'echo "$VIRT_PARTS_EVENT_TIME" >>"$seen"; sleep 1.1'
	part "$parts/prepare_begin.d/20-b" 'echo "$VIRT_PARTS_EVENT_TIME" >>"$seen"'
	event prepare begin
	same "$(sort -u "$seen" | wc -l)" 1
	same "$(wc -l <"$seen")" 2
}

@test "every part reads the whole XML from its beginning, and can seek in it" {
	part "$parts/prepare_begin.d/10-a" 'head -c 3 >/dev/null'
	part "$parts/prepare_begin.d/20-b" 'exec 0<&-'
	part "$parts/prepare_begin.d/30-c" 'cat >>"$seen"; echo >>"$seen"; cat </proc/self/fd/0 >>"$seen"'
	event prepare begin
	[ "$status" -eq 0 ]
	same "$(<"$seen")" "$plain"$'\n'"$plain"
}

@test "no part can change the XML that the next one reads" {
	part "$parts/prepare_begin.d/10-a" '(echo evil >/proc/self/fd/0); (: >/proc/self/fd/0); truncate -s 0 /proc/self/fd/0; true'
	part "$parts/prepare_begin.d/20-b" 'cat >"$seen"'
	event prepare begin
	same "$(<"$seen")" "$plain"
}

@test "a part has no descriptors but 0-2, default signals, a group of its own, the directory / and umask 022" {
	part "$parts/prepare_begin.d/10-a" 'grep -E "^Sig(Blk|Ign)" /proc/self/status >>"$seen"' \
		'read -r _ _ _ parent group _ </proc/$$/stat; [ "$group" = $$ ] && echo own group >>"$seen"' \
		'pwd >>"$seen"; umask >>"$seen"' 'exec ls -x /proc/self/fd'
	event prepare begin
	same "$(<"$seen")" $'SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nown group\n/\n0022'
	log_of qemu-web1 | grep -qxE '0 +1 +2 +3' # 3 is the directory that ls reads
}

@test "a poisoned caller reaches no part: descriptors, signals, environment, umask, directory" {
	local poison=$build/tools/dispatch-poison
	[[ -x $poison ]] || skip "$poison is not built"
	part "$parts/prepare_begin.d/10-a" 'grep -E "^Sig(Blk|Ign)" /proc/self/status >>"$seen"' \
		'pwd >>"$seen"; umask >>"$seen"' \
		'cat /proc/$$/environ | tr "\0" "\n" | grep -cE "LD_|BASH_ENV|20-archive" >>"$seen"' 'ls -x /proc/self/fd; exit 3'
	status=0
	"$poison" "$hooks/qemu" web1 prepare begin - <<<"$xml" || status=$?
	[ "$status" -eq 1 ]
	same "$(<"$seen")" $'SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n/\n0022\n0'
	log_of qemu-web1 | grep -qxE '0 +1 +2 +3'
	same "$(stat -c %a "$tree/log/qemu-web1.log")" 600
	# what reaches a program that is called without it: signals, environment, umask, directory
	run "$poison" /bin/sh -c 'grep -vE "\s0+$" /proc/self/status | grep -E "^Sig(Blk|Ign)"; env | grep -E "LD_|BASH_ENV|20-archive"; umask | grep -x 0000; pwd | grep proc'
	proof 18 1 0 "${#lines[@]}"
}

@test "closed descriptors 0-2 hit no file that is opened later" {
	local poison=$build/tools/dispatch-poison
	[[ -x $poison ]] || skip "$poison is not built"
	part "$parts/prepare_begin.d/10-a" 'ls -l /proc/$$/fd >>"$seen"; echo out; echo err >&2; exit 3'
	status=0
	"$poison" --closed "$hooks/qemu" web1 prepare begin - || status=$?
	[ "$status" -eq 1 ]
	same "$(log_of qemu-web1 | grep -cxE 'out|err')" 2
	lacks "$(log_of qemu-web1)" 'virt-parts: '
	same "$(head -n 1 "$hooks/parts.conf")" '[dirs]'
}

# --- what a part prints ----------------------------------------------------------------------------------------

@test "what parts print goes to the guest's log, and libvirt sees nothing of it" {
	part "$parts/prepare_begin.d/10-a" 'echo to stdout; echo to stderr >&2'
	event prepare begin
	[ "$status" -eq 0 ]
	same "$output$errors" ''
	has "$(log_of qemu-web1)" $'to stdout\nto stderr\n'
	same "$(stat -c %a "$tree/log" "$tree/log/qemu-web1.log")" $'700\n600'
}

@test "the log says when an event and each part began and ended, in a form that can be searched" {
	part "$parts/prepare_begin.d/10-a"
	part "$parts/prepare_begin.d/20-b" 'exit 3'
	event prepare begin
	local time='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z prepare_begin:'
	log_of qemu-web1 | grep -qxE "$time begin extra=- pid=[0-9]+"
	log_of qemu-web1 | grep -qxE "$time 10-a: exit 0, [0-9]+ ms"
	log_of qemu-web1 | grep -qxE "$time 20-b: exit 3, [0-9]+ ms"
	log_of qemu-web1 | grep -qxE "$time end exit 1, [0-9]+ ms pid=[0-9]+"
	same "$(log_of qemu-web1 | wc -l)" 4
}

@test "a part that fails is told of with the end of what it printed, control characters escaped" {
	part "$parts/prepare_begin.d/10-a" 'echo from another part'
	part "$parts/prepare_begin.d/20-b" 'printf "first\nred \033[31m\001\n" >&2; exit 3'
	event prepare begin
	[ "$status" -eq 1 ]
	same "$errors" 'virt-parts: web1: prepare_begin.d/20-b failed (exit 3): first
red \x1b[31m\x01'
}

@test "a part that is killed by a signal is told of with the signal" {
	part "$parts/prepare_begin.d/20-b" 'kill -SEGV $$'
	event prepare begin
	[ "$status" -eq 1 ]
	same "$errors" 'virt-parts: web1: prepare_begin.d/20-b failed (killed by signal 11)'
}

@test "a part that cannot be executed is told of" {
	without_valgrind 'it executes what the kernel cannot, and fails itself'
	mkdir -p "$parts/prepare_begin.d"
	printf 'no program\n' >"$parts/prepare_begin.d/10-a"
	printf '#!/nonexistent/interpreter\n' >"$parts/prepare_begin.d/20-b"
	chmod 0755 "$parts"/prepare_begin.d/*
	event prepare begin
	[ "$status" -eq 1 ]
	has "$errors" '10-a failed (cannot be run: it is no program'
	rm "$parts/prepare_begin.d/10-a"
	event prepare begin
	has "$errors" "20-b failed (cannot be run: its interpreter '/nonexistent/interpreter' is not there)"
}

@test "a part that prints much costs no memory, and at most 4 KiB are told" {
	local length rss
	needs_static
	length=$(full 1073741824 314572800)
	part "$parts/prepare_begin.d/10-a" 'head -c '"$length"' /dev/zero | tr "\0" "\001"; exit 1'
	printf '%s' "$xml" >"$tree/xml"
	status=0
	bash -c 'ulimit -v 65536; exec "$0" web1 prepare begin - <"$1" 2>"$2"' "$hooks/qemu" "$tree/xml" "$tree/err" || status=$?
	[ "$status" -eq 1 ]
	rss=$(stat -c %s "$tree/err")
	((rss > 3000 && rss <= 4096))
	has "$(<"$tree/err")" '\x01\x01'
	((length <= $(stat -c %s "$tree/log/qemu-web1.log")))
	proof 20 1 0 "$((length - rss))" "bytes printed that were not told; 64 MiB"
}

@test "a guest is not refused for a log that cannot be opened, and libvirt is told" {
	part "$parts/prepare_begin.d/10-a" 'echo lost; echo "${0##*/}" >>"$seen"'
	mkdir -p "$tree/log/qemu-web1.log"
	event prepare begin
	[ "$status" -eq 0 ]
	has "$errors" "cannot open the log '$tree/log/qemu-web1.log'"
	ran 10-a
}

@test "a log that is a link is not followed" {
	part "$parts/prepare_begin.d/10-a"
	mkdir -p "$tree/log"
	echo precious >"$tree/precious"
	ln -s "$tree/precious" "$tree/log/qemu-web1.log"
	event prepare begin
	[ "$status" -eq 0 ]
	has "$errors" 'cannot open the log'
	same "$(<"$tree/precious")" precious
}

@test "a background process of a part holds nobody up, and lives on" {
	part "$parts/prepare_begin.d/10-a" 'sleep 120 & echo $! >"$seen"'
	part "$parts/release_end.d/10-a" 'setsid sleep 120 & echo $! >"$seen"'
	local from to event
	for event in 'prepare begin' 'release end'; do
		from=$(milliseconds)
		# as libvirt: reads both pipes to their end
		hook qemu web1 $event - 2> >(cat >/dev/null) | cat
		to=$(milliseconds)
		((to - from < 60000))
		kill "$(<"$seen")"
	done
}

# --- failures --------------------------------------------------------------------------------------------------

# four DIRECTORY: 10 succeeds, 20 fails, 30 succeeds, 40 fails; 30 and 40 note what they are told of failures
four() {
	part "$parts/$1.d/10-a"
	part "$parts/$1.d/20-b" 'echo 20-b >>"$seen"; exit 7'
	part "$parts/$1.d/30-c" 'echo "30-c[$VIRT_PARTS_FAILED]" >>"$seen"'
	part "$parts/$1.d/40-d" 'echo "40-d[$VIRT_PARTS_FAILED]" >>"$seen"; exit 8'
	: >"$seen"
}

@test "prepare, start, started, attach, migrate and unknown events stop at the first failure" {
	local op
	for op in prepare start started attach migrate some-thing; do
		four ${op}_begin
		event $op begin
		[ "$status" -eq 1 ]
		ran 10-a 20-b
	done
}

# Some libvirts remove a managed save whose restore hook fails, and say that the guest has started.
@test "a restore stops at the first failure, succeeds, and refuses the prepare that follows, once, with what was said" {
	four restore_begin
	event restore begin
	[ "$status" -eq 0 ]
	same "$output" ''
	ran 10-a 20-b
	: >"$seen"
	# also where prepare has nothing to run
	event prepare begin
	[ "$status" -eq 1 ]
	has "$errors" 'virt-parts: web1: prepare refused, since its restore was: restore_begin.d/20-b failed (exit 7)'
	part "$parts/prepare_begin.d/10-a"
	event restore begin
	: >"$seen"
	event prepare begin
	[ "$status" -eq 1 ]
	ran
	event prepare begin
	[ "$status" -eq 0 ]
	ran 10-a
}

@test "a prepare is not refused for a restore that failed when another one has succeeded, or five minutes have passed" {
	four restore_begin
	event restore begin
	rm "$parts/restore_begin.d/20-b" "$parts/restore_begin.d/40-d"
	event restore begin
	event prepare begin
	[ "$status" -eq 0 ]
	four restore_begin
	event restore begin
	older_mark 360 "$tree/run/qemu-$uuid.refused"
	event prepare begin
	[ "$status" -eq 0 ]
}

@test "a restore that fails and cannot be remembered fails" {
	four restore_begin
	mkdir -p "$tree/run/qemu-$uuid.refused/x"
	event restore begin
	[ "$status" -eq 1 ]
	has "$errors" 'restore_begin refused: cannot remember'
	xml="<domain type='kvm'><name>web1</name></domain>"
	event restore begin
	[ "$status" -eq 1 ]
}

@test "stopped and release run the rest, tell it what failed, and fail at the end" {
	local op
	for op in stopped release; do
		four ${op}_end
		event $op end
		[ "$status" -eq 1 ]
		ran 10-a 20-b '30-c[20-b]' '40-d[20-b]'
		has "$errors" "${op}_end.d/20-b failed (exit 7)"
		has "$errors" "${op}_end.d/40-d failed (exit 8)"
	done
}

@test "reconnect runs the rest and succeeds whatever fails" {
	four reconnect_begin
	event reconnect begin
	[ "$status" -eq 0 ]
	ran 10-a 20-b '30-c[20-b]' '40-d[20-b]'
	has "$(log_of qemu-web1)" 'reconnect_begin: 20-b: exit 7'
	chmod 0777 "$parts"
	event reconnect begin
	[ "$status" -eq 0 ]
	chmod 0755 "$parts"
	xml=$(head -c 8388609 /dev/zero | tr '\0' x)
	event reconnect begin
	[ "$status" -eq 0 ]
	has "$(log_of qemu-web1)" 'reconnect_begin: error: '
	xml=$asking
	rm -r "$tree/run"
	echo >"$tree/run"
	event reconnect begin
	[ "$status" -eq 0 ]
	status=0
	"$hooks/qemu" web1 reconnect BEGIN - </dev/null || status=$?
	[ "$status" -eq 0 ]
}

@test "a network's start and started stop, stopped, port-deleted and updated run the rest" {
	local op
	for op in start started port-created plugged; do
		four network_${op}_begin
		not hook network default $op begin - 2>/dev/null
		ran 10-a 20-b
	done
	for op in stopped port-deleted updated; do
		four network_${op}_begin
		not hook network default $op begin - 2>/dev/null
		ran 10-a 20-b '30-c[20-b]' '40-d[20-b]'
	done
}

@test "the daemon's shutdown and reload run the rest, its start stops" {
	four daemon_start_-
	not hook daemon - start - start 2>/dev/null
	ran 10-a 20-b
	local op
	for op in shutdown reload; do
		four daemon_${op}_-
		not hook daemon - $op - x 2>/dev/null
		ran 10-a 20-b '30-c[20-b]' '40-d[20-b]'
	done
}

@test "a refused part in release counts as failed, and the rest runs" {
	four release_end
	chmod 0777 "$parts/release_end.d/10-a"
	event release end
	[ "$status" -eq 1 ]
	ran 20-b '30-c[10-a 20-b]' '40-d[10-a 20-b]'
}

@test "advisory parts fail without being named as failed" {
	conf '[advisory]' '20-b'
	four release_end
	event release end
	[ "$status" -eq 1 ]
	ran 10-a 20-b '30-c[]' '40-d[]'
}

@test "a part that the kernel cannot run is said to be what it is" {
	without_valgrind 'it executes what the kernel cannot, and fails itself'
	local file=$parts/prepare_begin.d/30-own
	part "$file"
	printf '#!/bin/sh\r\nexit 0\r\n' >"$file"
	event prepare begin
	[ "$status" -eq 1 ]
	has "$errors" "30-own failed (cannot be run: its interpreter '/bin/sh' is not there: its lines end in CR LF, and must in LF)"
	printf '#! /usr/bin/none -x\n' >"$file"
	event prepare begin
	has "$errors" "30-own failed (cannot be run: its interpreter '/usr/bin/none' is not there)"
	echo 'exit 0' >"$file"
	event prepare begin
	has "$errors" '30-own failed (cannot be run: it is no program: its first line does not begin with #!)'
}

# --- filters ---------------------------------------------------------------------------------------------------

@test "in migrate and restore what a part prints is what the next one reads, and what libvirt gets" {
	recorder
	local op
	for op in migrate restore; do
		part "$parts/${op}_begin.d/10-a" 'sed s/web1/web2/'
		part "$parts/${op}_begin.d/20-silent" 'cat >>"$seen"'
		part "$parts/${op}_begin.d/30-c" 'sed s/kvm/qemu/; echo noise >&2'
		: >"$seen"
		event $op begin
		[ "$status" -eq 0 ]
		same "$(<"$seen")" "${plain/web1/web2}"
		same "$output" "<domain type='qemu'><name>web2</name><uuid>$uuid</uuid></domain>"
		lacks "$errors" noise
		# a file that is added to takes it as well
		: >"$tree/printed"
		hook qemu web1 $op begin - >>"$tree/printed"
		same "$(<"$tree/printed")" "$output"
	done
}

@test "in migrate and restore libvirt gets nothing when no part prints, or only white space" {
	part "$parts/restore_begin.d/10-a" 'echo; printf "  \n\t"'
	event restore begin
	[ "$status" -eq 0 ]
	same "$output$errors" ''
}

@test "in migrate and restore what is not well-formed is a failure, and nothing is handed on" {
	recorder
	part "$parts/restore_begin.d/10-a" 'cat'
	part "$parts/restore_begin.d/20-b" 'echo oops'
	part "$parts/restore_begin.d/30-c"
	event restore begin
	[ "$status" -eq 0 ]
	same "$output" ''
	has "$errors" 'restore_begin.d/20-b failed (what it printed is not well-formed'
	ran
	event prepare begin
	[ "$status" -eq 1 ]
	has "$errors" "its restore was: restore_begin.d/20-b failed (what it printed is not well-formed"
}

@test "what a part prints is not believed when it cannot be checked" {
	part "$parts/migrate_begin.d/10-a" 'cat'
	event migrate begin
	[ "$status" -eq 1 ]
	same "$output" ''
	recorder
	chmod 0777 "$vendor/prepare_begin.d"
	event migrate begin
	[ "$status" -eq 1 ]
	same "$output" ''
}

@test "the checker is run as no part: the variables of an event are not set" {
	part "$vendor/prepare_begin.d/05-virt-parts" 'env >>"$seen"; echo "$*" >>"$seen"; cat >>"$seen"'
	part "$parts/restore_begin.d/10-a" 'echo "<ok/>"'
	event restore begin
	[ "$status" -eq 0 ]
	lacks "$(<"$seen")" VIRT_PARTS
	has "$(<"$seen")" $'--well-formed\n<ok/>'
}

@test "a filter that fails hands nothing on, and one that prints more than 8 MiB fails" {
	recorder
	part "$parts/migrate_begin.d/10-a" 'cat; exit 1'
	event migrate begin
	[ "$status" -eq 1 ]
	same "$output" ''
	part "$parts/migrate_begin.d/10-a" 'head -c 8388609 /dev/zero | tr "\0" x'
	event migrate begin
	[ "$status" -eq 1 ]
	has "$errors" 'more than 8 MiB'
	# one that would print for ever is ended at once
	part "$parts/migrate_begin.d/10-a" 'echo $$ >"$seen"; exec cat /dev/zero'
	event migrate begin
	[ "$status" -eq 1 ]
	has "$errors" '10-a failed (printed more than 8 MiB)'
	gone "$(<"$seen")"
}

@test "a filter may open its output by name, and what it leaves in the background neither holds libvirt up nor adds to it" {
	recorder
	part "$parts/restore_begin.d/10-a" 'cat >/dev/null; echo "<one/>" >/dev/stdout; (sleep 120; echo junk) & echo $! >"$seen"'
	SECONDS=0
	event restore begin
	[ "$status" -eq 0 ]
	((SECONDS < 60))
	same "$output" '<one/>'
	kill "$(<"$seen")"
}

@test "a filter that prints for ever gets no further, however busy the host is" {
	local hook written
	part "$parts/migrate_begin.d/10-a" 'echo $$ >"$seen"; while [ ! -e "$seen.go" ]; do sleep 0.01; done; exec cat /dev/zero'
	"$hooks/qemu" web1 migrate begin - <<<"$xml" >/dev/null 2>&1 3>&- &
	hook=$!
	within 60 test -s "$seen"
	# the dispatcher gets no time
	kill -STOP "$hook"
	touch "$seen.go"
	sleep 0.5
	written=$(sed -n 's/^wchar: //p' "/proc/$(<"$seen")/io")
	kill -CONT "$hook"
	wait "$hook" && return 1
	((written < 16 * 1024 * 1024))
	gone "$(<"$seen")"
}

@test "no other event writes to standard output" {
	local op
	for op in prepare_begin start_begin started_begin stopped_end release_end reconnect_begin attach_begin; do
		part "$parts/$op.d/10-a" 'cat; echo output'
		event ${op%_*} ${op#*_}
		[ "$status" -eq 0 ]
		same "$output" ''
	done
}
