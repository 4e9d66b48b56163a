# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a test has shown of a promise, in numbers: for the table that `make check-full` prints.

# proof ROW ROUNDS BAD CONTROL WHAT...: ROW is a number of the table in SECURITY.md, ROUNDS how often it was tried, BAD how
# often it did not hold, CONTROL how often the same attack succeeded against a naive program, or how often it was
# seen to have been made. The files, one a file of tests, lie in $VIRT_PARTS_PROOFS; without it only the test's log has it.
proof() {
	local row=$1 rounds=$2 bad=$3 control=$4
	shift 4
	[[ $rounds =~ ^[0-9]+$ && $bad =~ ^[0-9]+$ && $control =~ ^[0-9]+$ ]] || {
		echo "a proof of $row with numbers that are none: $rounds, $bad, $control" >&2
		return 1
	}
	echo "proof of $row: $rounds rounds, $bad bad, control $control: $*" >&2
	if [[ -n ${VIRT_PARTS_PROOFS:-} ]]; then
		printf '%s\t%s\t%s\t%s\t%s\n' "$row" "$rounds" "$bad" "$control" "$BATS_TEST_DESCRIPTION${*:+: $*}" \
			>>"$VIRT_PARTS_PROOFS/$(basename "$BATS_TEST_FILENAME" .bats).tsv"
	fi
}
