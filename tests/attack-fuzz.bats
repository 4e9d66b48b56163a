#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What the fuzz targets were given once, and what they found, given to them again (tests/fuzz).

# shellcheck disable=SC2010,SC2012,SC2016,SC2030,SC2031,SC2034,SC2094,SC2119,SC2120,SC2154 # of attack_make, run, call
load lib/attack.bash

setup_file() {
	local top=$BATS_TEST_DIRNAME/..
	export FUZZ=$BATS_FILE_TMPDIR/fuzz
	if [[ -n ${VIRT_PARTS_FULL:-} ]] && type -P clang >/dev/null; then
		"$top/tests/fuzz/build" fuzz "$FUZZ"
	else
		"$top/tests/fuzz/build" replay "$FUZZ" "${VIRT_PARTS_BUILD:-$top/build}"
	fi
}

# again TARGET
again() {
	local -a corpus=("$BATS_TEST_DIRNAME/fuzz/corpus-$1"/*)
	run "$FUZZ/$1" "${corpus[@]}"
	echo "$output" | tail -20
	# shellcheck disable=SC2154
	((status == 0))
	attack_note "${#corpus[@]} files"
	if [[ -n ${VIRT_PARTS_FULL:-} && -d $FUZZ/library ]]; then
		mkdir "$FUZZ/new-$1"
		run "$FUZZ/$1" -max_total_time=300 -max_len=8192 -timeout=10 -print_final_stats=1 -artifact_prefix="$FUZZ/" \
			"$FUZZ/new-$1" "$BATS_TEST_DIRNAME/fuzz/corpus-$1"
		echo "$output" | tail -40
		((status == 0))
		attack_note "$(grep -a number_of_executed_units <<<"$output")"
	fi
}

@test "a guest's XML, read, bound, recorded and read again" {
	again xml
}

@test "a damaged record" {
	again asked
}

@test "parts.conf: nothing is cut, joined or widened" {
	again conf
}

@test "sizes, modes, durations, paths, names and lists of mounts" {
	again text
}
