# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the memory checkers share: a build of their own, the suite over it, and the reports that it left.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# programs write their reports here, whoever they run as
reports=''

# checker_begin NAME: the build directory of this checker, in $out, with no report in it
checker_begin() {
	# shellcheck disable=SC2034 # for those who load this
	out=$top/build/$1
	reports=$top/build/$1/reports
	export VIRT_PARTS_CHECKER=$1 VIRT_PARTS_FILE_LIMIT=${VIRT_PARTS_FILE_LIMIT:-3600}
	rm -rf "$reports"
	mkdir -p "$reports"
	chmod 1777 "$reports"
}

# make_with VARIABLE=VALUE...: what make is told from here on, also by tests that call it
make_with() {
	local word words=''
	for word; do
		words+=" ${word// /\\ }"
	done
	export MAKEFLAGS="-- $words"
}

# The suite over $VIRT_PARTS_BUILD; then what was reported, each place once
checker_run() {
	local status=0 count
	"$top/tests/run-tests" check "$@" || status=1
	find "$reports" -type f -empty -delete
	count=$(find "$reports" -type f | wc -l)
	if ((count > 0)); then
		echo "$VIRT_PARTS_CHECKER: $count reports in $reports, by what they say:"
		find "$reports" -type f -exec cat {} + | summary | sort | uniq -c | sort -rn | head -20
		status=1
	else
		echo "$VIRT_PARTS_CHECKER: no report"
	fi
	return "$status"
}
