#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# How the dispatcher is called: words, options, standard input, users; and what a call costs.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # variables of tree_make, hook and event
# shellcheck disable=SC2016,SC2086 # parts expand what is in them
load lib/tree.bash

setup() { tree_make; }
teardown() { tree_remove; }

as_nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}

@test "for another user than root it reads its input, does nothing and succeeds" {
	part "$parts/prepare_begin.d/10-a" "id -u >>'$seen'"
	chmod 0666 "$seen"
	status=0
	output=$(head -c 20000000 /dev/zero | { as_nobody "$hooks/qemu" web1 prepare begin - 2>&1 || echo "exit $?"; } &&
		echo "pipe: ${PIPESTATUS[*]}") || status=$?
	same "$output" 'pipe: 0 0'
	ran
	command -v strace >/dev/null || skip 'needs strace'
	needs_static
	: >"$tree/trace"
	chmod 0666 "$tree/trace"
	as_nobody strace -f -o "$tree/trace" "$hooks/qemu" web1 prepare begin - </dev/null
	not grep -E '^[0-9]+ (open|openat|connect|mkdir|unlink)' "$tree/trace"
}

@test "an operation or suboperation that is no word is refused, and nothing runs" {
	local word
	part "$parts/../prepare_begin.d/10-a"
	part "$parts/prepare_begin.d/10-a"
	for word in '' ../prepare Prepare -x 'prepare begin' p/q a1 a_b $'a\n' "$(head -c 65 /dev/zero | tr '\0' a)"; do
		event "$word" begin
		[ "$status" -eq 2 ]
		event prepare "$word"
		[ "$status" -eq 2 ]
	done
	ran
}

@test "any other number of words than four is refused" {
	not hook qemu
	not hook qemu web1 prepare begin
	not hook qemu web1 prepare begin - -
}

@test "called by its own name it takes options, and an object may look like one" {
	local program=$tree/sbin/virt-parts-hook
	part "$parts/prepare_begin.d/10-a" 'echo "$VIRT_PARTS_DRIVER $1" >>"$seen"'
	has "$("$program" --help)" 'usage: virt-parts-hook'
	has "$("$program" --version)" 'virt-parts-hook '
	"$program" --driver lxc --hook-dir "$hooks" web1 prepare begin - <<<"$xml"
	"$program" --hook-dir "$hooks" --driver qemu --help prepare begin - <<<"$xml"
	"$program" --hook-dir "$hooks" --driver qemu -- --driver prepare begin - <<<"$xml"
	same "$(<"$seen")" $'lxc web1\nqemu --help\nqemu --driver'
}

@test "called by its own name it says what is wrong with its arguments" {
	complains() { # TEXT ARGUMENT...
		local text=$1 status=0
		shift
		"$tree/sbin/virt-parts-hook" "$@" <<<"$xml" 2>"$tree/err" || status=$?
		same "$status" 2 && has "$(<"$tree/err")" "$text"
	}
	complains 'needs --driver' web1 prepare begin -
	complains 'needs --driver' - start - start
	complains 'needs --driver' --hook-dir "$hooks"
	complains 'SUBOPERATION and EXTRA, got 3 words' --driver qemu web1 prepare begin
	complains 'SUBOPERATION and EXTRA, got 5 words' --driver qemu web1 prepare begin - -
	complains 'SUBOPERATION and EXTRA, got 0 words' --driver qemu
	complains "'--driver' needs a value" --driver
	complains "'--hook-dir' needs a value" --driver qemu --hook-dir ''
	complains "'nonsense' is not a driver" --driver nonsense web1 prepare begin -
	complains "'--nonsense' is not an option" --nonsense
}

@test "called as a hook it takes no options" {
	event_output=$("$hooks/qemu" --help 2>&1 </dev/null) && false
	lacks "$event_output" usage:
}

# --- the UUID --------------------------------------------------------------------------------------------------

# told UUID: what a part is told for $xml
told() {
	part "$parts/prepare_begin.d/10-a" 'echo "[$VIRT_PARTS_UUID]" >"$seen"'
	event prepare begin
	[ "$status" -eq 0 ]
	same "$(<"$seen")" "[$1]"
}

@test "the UUID is the first one before the metadata, in lower case" {
	xml="<domain><uuid>${uuid^^}</uuid><x><uuid>00000000-0000-0000-0000-000000000000</uuid></x></domain>"
	told $uuid
	xml="<domain><metadata><uuid>$uuid</uuid></metadata></domain>"
	told ''
	xml="<domain><metadata/><uuid>$uuid</uuid></domain>"
	told ''
}

@test "a UUID in metadata of many reads is not taken for the guest's" {
	local fill
	fill=$(head -c 70000 /dev/zero | tr '\0' x)
	xml="<domain><metadata>$fill<uuid>$uuid</uuid>"
	told ''
}

@test "what is no UUID is none" {
	for xml in '<uuid>../../../../../etc</uuid>' '<uuid></uuid>' "<uuid>${uuid}x</uuid>" "<uuid>${uuid:1}</uuid>" "<uuid>$uuid" \
		"<uuid>${uuid/-/\/}</uuid>"; do
		told ''
	done
}

@test "a UUID that lies across two reads is found" {
	local fill at
	fill=$(head -c 65700 /dev/zero | tr '\0' x)
	for at in 65530 65560 65580 65595 65600; do
		xml="${fill:0:at}<uuid>$uuid</uuid><metadata>"
		told $uuid
	done
}

# --- standard input --------------------------------------------------------------------------------------------

@test "8 MiB of XML are read, in less than 2 MiB of memory, and one byte more is an error" {
	part "$parts/prepare_begin.d/10-a" 'wc -c >>"$seen"'
	head -c 8388608 /dev/zero | "$hooks/qemu" web1 prepare begin -
	same "$(<"$seen")" 8388608
	status=0
	head -c 8388609 /dev/zero | "$hooks/qemu" web1 prepare begin - 2>"$tree/err" || status=$?
	[ "$status" -eq 1 ]
	has "$(<"$tree/err")" 'cannot read its XML: it is longer than 8 MiB'
	same "$(<"$seen")" 8388608
	needs_static
	part "$parts/prepare_begin.d/10-a" 'grep VmHWM "/proc/$PPID/status" >"$seen"'
	head -c 8388608 /dev/zero | "$hooks/qemu" web1 prepare begin -
	local _ kb
	read -r _ kb _ <"$seen"
	((kb < 2048))
}

@test "XML that comes in many small pieces is one" {
	part "$parts/prepare_begin.d/10-a" 'echo "$VIRT_PARTS_UUID" >>"$seen"; cat >>"$seen"'
	local i
	for ((i = 0; i < ${#plain}; i++)); do
		printf '%s' "${plain:i:1}"
		((i % 10)) || sleep 0.01
	done | "$hooks/qemu" web1 prepare begin -
	same "$(<"$seen")" "$uuid"$'\n'"$plain"
}

# --- cost ------------------------------------------------------------------------------------------------------

@test "a guest without directives costs no process, no file and few system calls" {
	command -v strace >/dev/null || skip 'needs strace'
	needs_static
	mkdir -p "$parts/prepare_begin.d"
	recorder ramdisk
	strace -f -o "$tree/trace" "$hooks/qemu" web1 prepare begin - <<<"$xml"
	not grep -E '(fork|clone|vfork|execve)\(' <(tail -n +2 "$tree/trace")
	not grep -E 'O_CREAT|O_WRONLY|O_RDWR|mkdir|memfd' "$tree/trace"
	(($(wc -l <"$tree/trace") < 70))
}
