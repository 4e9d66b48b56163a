#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The table of what was tried of each promise: when it fails.

# shellcheck disable=SC2154 # output and status are run's
setup() {
	top=$BATS_TEST_DIRNAME/..
	# enough of every row of SECURITY.md
	sed -nE 's/^\| ([0-9]+[a-z]?) \| .*/\1\t5000000\t0\t1000\ta test/p' "$top/SECURITY.md" >"$BATS_TEST_TMPDIR/a.tsv"
}

table() {
	run "$top/tests/attack-table" "$@" "$BATS_TEST_TMPDIR"
	echo "$output"
}

@test "with enough of each promise it prints a line for each, and succeeds" {
	table
	((status == 0))
	(($(grep -c '^| [0-9].* | 5,000,000 | 0 | 1,000 |$' <<<"$output") == $(wc -l <"$BATS_TEST_TMPDIR/a.tsv")))
	grep -q '^| 25c |' <<<"$output"
}

@test "one that no test has told of, that did not hold, or that nobody promised makes it fail" {
	sed -i '/^7\t/d' "$BATS_TEST_TMPDIR/a.tsv"
	table
	((status == 1))
	[[ $output == *'7: no test has told of it'* ]]
	printf '7\t5000000\t1\t1000\ta test that failed\n' >"$BATS_TEST_TMPDIR/b.tsv"
	table
	((status == 1))
	[[ $output == *'7: 1 bad: a test that failed'* ]]
	printf '7\t5000000\t0\t1000\ta test\n99\t1\t0\t1\tanother\n' >"$BATS_TEST_TMPDIR/b.tsv"
	table
	((status == 1))
	[[ $output == *'99: no such promise in SECURITY.md: another'* ]]
}

@test "too few rounds, and a control that was caught too seldom, make it fail, except for a quick run" {
	sed -i 's/^2\t5000000\t/2\t1000\t/' "$BATS_TEST_TMPDIR/a.tsv"
	table
	((status == 1))
	[[ $output == *'2: 1000 rounds, less than '* ]]
	table --quick
	((status == 0))
	printf '2\t5000000\t0\t999\ta test\n' >"$BATS_TEST_TMPDIR/b.tsv"
	table
	((status == 1))
	[[ $output == *'2: invalid, the control was caught 999 times: a test'* ]]
	sed -i 's/\t1000\ta test/\t0\ta test/' "$BATS_TEST_TMPDIR"/*.tsv
	rm "$BATS_TEST_TMPDIR/b.tsv"
	table --quick
	((status == 1))
	[[ $output == *'2: no control'* ]]
}

@test "what was bad in a first run stays in the table, and what attacks is not run again" {
	local root=$BATS_TEST_TMPDIR/root name
	mkdir -p "$root/tests"
	cp "$top/tests/run-tests" "$root/tests"
	for name in demo attack-x; do
		# not at the begin of a line, where bats would take it for one of this file
		sed 's/^TEST/@test/' >"$root/tests/$name.bats" <<-END
			TEST "fails once" {
				printf '2\t10\t%d\t1000\tfails once\n' "\$([[ -e $root/$name ]]; echo \$?)" >>"\$VIRT_PARTS_PROOFS/$name.tsv"
				[[ -e $root/$name ]] || { touch $root/$name && false; }
			}
		END
	done
	# as from a shell: a test has bats' own directory in its path
	run env -i "PATH=$(tr : '\n' <<<"$PATH" | grep -v bats-core | paste -sd:)" "HOME=$root" "$root/tests/run-tests" check tests/demo.bats tests/attack-x.bats
	echo "$output"
	((status == 1))
	[[ $output == *'# demo: failed, is run once more, alone'* && $output != *'# attack-x: failed, is run'* ]]
	[[ $output == *'1 passed, 1 failed, 0 skipped' ]]
	cp "$root"/build/proofs/*.tsv "$BATS_TEST_TMPDIR"
	table
	((status == 1))
	(($(grep -c '2: 1 bad: fails once' <<<"$output") == 2))
}
