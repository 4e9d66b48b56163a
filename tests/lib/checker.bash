# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Whether the programs run under a memory checker (tests/checkers): then their memory, time and system calls are its own.

under_checker() {
	[[ -n ${VIRT_PARTS_CHECKER:-} ]]
}

# without_checker WHY: skips a test that measures what a checker changes
without_checker() {
	! under_checker || skip "not under $VIRT_PARTS_CHECKER: $1"
}

# without_valgrind WHY: skips a test that takes a thousand starts of a program, or counts on how fast they are
without_valgrind() {
	[[ ${VIRT_PARTS_CHECKER:-} != valgrind ]] || skip "not under valgrind: $1"
}
