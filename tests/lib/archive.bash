# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Loaded by the tests of <archive>: a guest with a log that is to be saved.

# shellcheck source=tests/lib/parts.bash
source "$(dirname "${BASH_SOURCE[0]}")/parts.bash"

# shellcheck disable=SC2154 # from what this loads

setup() {
	parts_make
	mkdir -p "$me/log/sub"
	echo logged >"$me/log/messages"
	echo deep >"$me/log/sub/deep"
}

teardown() {
	parts_remove
}

# archive [ATTRIBUTES [DST [DATESTRS]]]
archive() {
	ask "<archive ${1:-}>${3:-}<dircopy><src>$me/log</src><dst>${2:-$archive/%NAME%/log}</dst></dircopy></archive>"
}

# what is withheld when an archive fails
everything() {
	mkdir -p "$me/scratch/x"
	ask "<ramdisk><dir size='1M'>$me/tmp</dir></ramdisk>
		<preload><iso path='$iso/web1/seed.iso'><file path='a'/></iso></preload>
		<archive><dircopy><src>$me/log</src><dst>$archive/%NAME%/log</dst></dircopy>
			<dircopy><src>$me/tmp</src><dst>$archive/%NAME%/tmp</dst></dircopy></archive>
		<post-rm-rf><dir>$me/scratch</dir></post-rm-rf>"
}
