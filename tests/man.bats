#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The manual pages as they are shown; lives-man.bats runs their examples.

checkout=$(cd "$BATS_TEST_DIRNAME/.." && pwd)

@test "no cell of a table is wider than its column, where man would print it into the next one" {
	run awk '
		/^\.Bl -column/ { columns = split($0, part, "\"") / 2; for (i = 1; i <= columns; i++) width[i] = length(part[2 * i]) }
		/^\.El/ { columns = 0 }
		columns && /^\.It / {
			tables++
			sub(/^\.It /, "")
			n = split($0, cell, / Ta /)
			for (i = 1; i < n; i++) {
				sub(/^(Sy|Em|Li) /, "", cell[i])
				if (length(cell[i]) > width[i])
					print FILENAME ": " cell[i]
			}
		}
		END { if (!tables) print "there is no table" }' "$checkout"/src/man/*.[1-9]
	echo "$output"
	[ -z "$output" ]
}
