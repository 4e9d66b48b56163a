#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The commands of README.md, run as they stand there. Run as: tests/sandbox bats tests/lives-readme.bats
# shellcheck disable=SC2154,SC2016

load lib/lives.bash

setup_file() { lives_begin lxc; }
teardown_file() { lives_end; }
setup() { life_begin; }
teardown() { life_end; }

# commands SECTION: the sh blocks of that section
commands() {
	awk -v section="## $1" '
		/^## / { in_section = $0 == section }
		/^```/ { in_block = $0 == "```sh" && in_section; next }
		in_block' "$checkout/README.md"
}

# follow SECTION: runs them, in the checkout, as root already
follow() {
	local script
	script=$(commands "$1")
	[[ -n $script ]] || {
		echo "no commands in the section '$1'" >&2
		return 1
	}
	(
		cd "$BATS_TEST_TMPDIR" || exit
		printf '#!/bin/sh\nexec "%s/install.sh" "$@"\n' "$checkout" >install.sh
		chmod 0755 install.sh
		printf '%s\n' 'sudo() { "$@"; }' "$script" >commands
		bash -e commands
	)
}

@test "the README's install command installs over what is there, and keeps an edited parts.conf" {
	echo '# mine' >>"$hooks/parts.conf"
	follow Install
	file_has "$hooks/parts.conf" '^# mine$'
	[[ -L $hooks/lxc && -x $hooks/lxc ]]
}

@test "the README's commands annotate a guest, and its next life has an archive" {
	local tree
	tree=$(guest_tree web1)
	echo 'a line' >"$tree/var/log/service.log"
	guest_define lxc web1
	run follow 'Annotate a guest'
	[[ $status -eq 0 ]]
	says '<dir size="64M" mode="1777">/srv/guests/%NAME%/tmp</dir>'
	says "archived '/srv/guests/web1/var/log' to '/srv/archive/web1/$(today)'"
	cmp "/srv/archive/web1/$(today)/service.log" "$tree/var/log/service.log"
}

@test "the README's commands explain an event, show a guest's log and what is unfinished" {
	guest_tree web1 >/dev/null
	guest_define lxc web1 "<ramdisk><dir size='1M'>/srv/guests/%NAME%/tmp</dir></ramdisk>"
	on lxc start web1
	run follow 'See what would run, and what has'
	[[ $status -eq 0 ]]
	says 10-ramdisk
	says /srv/guests/web1/tmp
	says 'prepare begin'
}

@test "the README's part runs when a guest has started" {
	guest_tree web1 >/dev/null
	guest_define lxc web1
	follow 'Add a part'
	on lxc start web1
	file_has "$logs/lxc-web1.log" '^web1 has started$'
}

@test "every page that the README names is in the source" {
	local page section
	grep -oE 'man [1-8] [a-z.-]+' "$checkout/README.md" | sort -u | while read -r _ section page; do
		[[ -s $checkout/src/man/$page.$section ]] || {
			echo "no page $page($section)" >&2
			exit 1
		}
	done
	grep -oE '`(docs|examples)/[a-z./]*`' "$checkout/README.md" | tr -d '`' | while read -r page; do
		[[ -e $checkout/$page ]] || {
			echo "no $page" >&2
			exit 1
		}
	done
}
