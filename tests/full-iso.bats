#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The ISO image builder: with more data than make check has time for.

# VIRT_PARTS_FULL=1: ten times as many rounds. ISO_BUILD: the program, if not build/tools/iso-build.
# shellcheck disable=SC2030,SC2031 # bats runs each test in a subshell of its own
# shellcheck disable=SC2154,SC2034 # of lib/iso.bash
# shellcheck disable=SC2317 # check_generation is called by race

bats_require_minimum_version 1.5.0
load lib/iso.bash

@test "a file of more than 4 GiB is in the image whole" {
	needs xorriso isoinfo
	[[ $(df --output=avail -k . | tail -1) -gt 11000000 ]] || skip 'needs 11 GiB of space'
	truncate -s $((4096 * 1024 * 1024 + 5)) src/large
	printf tail! | dd of=src/large bs=1 seek=$((4096 * 1024 * 1024)) conv=notrunc status=none
	build src
	unpack
	cmp src/large out/large
}
