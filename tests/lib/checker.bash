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
