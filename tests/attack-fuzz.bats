#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What the fuzz targets were given once, and what they found, given to them again (tests/fuzz).

# shellcheck disable=SC2010,SC2012,SC2016,SC2030,SC2031,SC2034,SC2094,SC2119,SC2120,SC2154 # of attack_make, run, call
load lib/attack.bash

setup_file() {
	local top=$BATS_TEST_DIRNAME/..
	export FUZZ=$BATS_FILE_TMPDIR/fuzz
	fuzz_build=("$top/tests/fuzz/build" replay "$FUZZ" "${VIRT_PARTS_BUILD:-$top/build}")
	if [[ -n ${VIRT_PARTS_FULL:-} ]] && type -P clang >/dev/null; then
		fuzz_build=("$top/tests/fuzz/build" fuzz "$FUZZ" "$FUZZ/library")
	fi
	"${fuzz_build[@]}"
	printf '%s\0' "${fuzz_build[@]}" >"$BATS_FILE_TMPDIR/build"
}

# again TARGET
again() {
	local -a corpus=("$BATS_TEST_DIRNAME/fuzz/corpus-$1"/*)
	run "$FUZZ/$1" "${corpus[@]}"
	echo "$output" | tail -20
	# shellcheck disable=SC2154
	((status == 0))
	proof 26 "${#corpus[@]}" 0 0 'files'
	if [[ -n ${VIRT_PARTS_FULL:-} && -d $FUZZ/library ]]; then
		mkdir "$FUZZ/new-$1"
		run "$FUZZ/$1" -max_total_time=300 -max_len=8192 -timeout=10 -print_final_stats=1 -artifact_prefix="$FUZZ/" \
			"$FUZZ/new-$1" "$BATS_TEST_DIRNAME/fuzz/corpus-$1"
		echo "$output" | tail -40
		((status == 0))
		proof 26 "$(grep -a number_of_executed_units <<<"$output" | tr -dc 0-9)" 0 0 'inputs made'
	fi
}

@test "what does not hold, or reads beyond its end, ends a target with a failure" {
	local -i caught=0
	local -a fuzz_build
	local one
	mapfile -d '' fuzz_build <"$BATS_FILE_TMPDIR/build"
	for one in 'HOLDS(size == 0)' 'HOLDS(data[size] == 1)'; do
		printf '#include "fuzz.h"\nint LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)\n{ %s; return 0; }\n' "$one" >"$FUZZ/broken.c"
		"${fuzz_build[@]}" "$FUZZ/broken.c"
		run "$FUZZ/broken" "$BATS_TEST_DIRNAME/fuzz/corpus-text"/*
		((status != 0))
		caught+=1
	done
	proof 26 0 0 "$caught"
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
