#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Somebody who is not root, and what he swaps in every place that he can write: no part of his ever runs.

# shellcheck disable=SC2010,SC2012,SC2016,SC2030,SC2031,SC2034,SC2094,SC2119,SC2120,SC2154 # of attack_make, run, call
load lib/attack.bash

setup() {
	attack_make
	theirs=65534
	declare -g swapping=
	tree_of_theirs=$tree/theirs
	mkdir -m 0755 "$tree_of_theirs"
	for one in root theirs; do
		part "$tree_of_theirs/$one" "echo $one \$(id -u) >>\"\$seen\""
	done
	chown "$theirs" "$tree_of_theirs/theirs"
}

teardown() {
	[[ -z $swapping ]] || kill "$swapping" 2>/dev/null || true
	parts_remove
}

# swapped A B [PATH]: exchanged without end, by somebody who is not root; PATH is the part's, if it is not A
swapped() {
	setpriv --reuid "$theirs" --regid "$theirs" --clear-groups "$build/tools/swapper" swap "$1" "$2" >"$tree/swaps" 2>&1 3>&- 4>&- &
	swapping=$!
	# a naive program looks who owns it, and then runs it
	local good wanted
	good=$(stat -c %i "$tree_of_theirs/root")
	wanted=1000
	control=$("$build/tools/swapper" victim "${3:-$1}" "$good" "$wanted" 200)
	control=${control##*=}
	((control >= wanted)) || {
		echo 'invalid: the naive program was not caught often enough' >&2
		return 1
	}
}

# nothing_runs: in events without end
nothing_runs() {
	local -i i n
	n=$(full 20000 60)
	for ((i = 0; i < n; i++)); do
		hook lxc web1 prepare begin - >/dev/null 2>&1 || true
	done
	kill "$swapping"
	wait "$swapping" || true
	((i = $(tr -dc 0-9 <"$tree/swaps")))
	((i >= $(full 100000 1000)))
	# not even the one that root has made: who found it there could not know
	proof 17 "$i" "$(wc -l <"$seen")" "$control" "exchanges in $n events"
	same "$(<"$seen")" ''
}

@test "a directory of parts that is somebody else's: nothing in it runs" {
	mkdir -p "$parts/prepare_begin.d"
	mv "$tree_of_theirs/root" "$parts/prepare_begin.d/10-part"
	mv "$tree_of_theirs/theirs" "$parts/prepare_begin.d/other"
	tree_of_theirs=$parts/prepare_begin.d
	cp "$parts/prepare_begin.d/10-part" "$tree/root"
	chown "$theirs" "$parts/prepare_begin.d"
	ln "$parts/prepare_begin.d/10-part" "$parts/prepare_begin.d/root"
	swapped "$parts/prepare_begin.d/10-part" "$parts/prepare_begin.d/other"
	nothing_runs
}

@test "a directory that anybody may write, sticky or not: nothing in it runs" {
	mkdir -p "$parts/prepare_begin.d"
	chown "$theirs" "$tree_of_theirs"
	chmod 1777 "$tree_of_theirs"
	ln -s "$tree_of_theirs/part" "$parts/prepare_begin.d/10-part"
	ln "$tree_of_theirs/root" "$tree_of_theirs/part"
	swapped "$tree_of_theirs/part" "$tree_of_theirs/theirs"
	nothing_runs
	chmod 0777 "$tree_of_theirs"
	swapped "$tree_of_theirs/part" "$tree_of_theirs/theirs"
	nothing_runs
}

@test "a link on the way to a part that somebody else can exchange: nothing behind it runs" {
	mkdir -p "$parts/prepare_begin.d" "$tree_of_theirs/good" "$tree_of_theirs/bad"
	cp -p "$tree_of_theirs/root" "$tree_of_theirs/good/part"
	cp "$tree_of_theirs/theirs" "$tree_of_theirs/bad/part"
	chown "$theirs" "$tree_of_theirs" "$tree_of_theirs/bad" "$tree_of_theirs/bad/part"
	ln -s "$tree_of_theirs/good/part" "$parts/prepare_begin.d/10-part"
	rm "$tree_of_theirs/root"
	ln "$tree_of_theirs/good/part" "$tree_of_theirs/root"
	swapped "$tree_of_theirs/good" "$tree_of_theirs/bad" "$tree_of_theirs/good/part"
	nothing_runs
}
