#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# A start that waits as long as it may for the teardown before it. Half a minute: in check-full only.
# Run as: tests/sandbox bats tests/full-lives-wait.bats

# names that lib/lives.bash sets
# shellcheck disable=SC2154
load lib/lives.bash

setup_file() { lives_begin lxc; }
teardown_file() { lives_end; }

setup() {
	life_begin
	guest_tree web1 >/dev/null
	guest_define lxc web1 "<archive><dircopy>
		<src>/srv/guests/%NAME%/var/log</src><dst>/srv/archive/%NAME%/log</dst></dircopy></archive>"
	conf_set teardown-wait 1s
}

teardown() {
	[[ ! -e $BATS_FILE_TMPDIR/skip ]] || return 0
	pkill -KILL -f release_end.d/15-slow || true
	life_end
}

@test "a start that waits 30 s for a release in the background is refused, told for what, and works when that has ended" {
	# once: the refused start has a release too
	part release_end.d/15-slow <<-END
		mkdir $seen/slow || exit 0
		$until_go_on
	END
	echo 'a line' >/srv/guests/web1/var/log/service.log
	on lxc start web1
	quickly 20 on lxc destroy web1
	local began=$SECONDS
	run on lxc start web1
	((status != 0))
	((SECONDS - began >= 29 && SECONDS - began <= 60))
	[[ $output == *'prepare_begin refused after 30 s: waits for release end (pid '* ]]
	guest_state_is lxc web1 'shut off'
	go_on
	within 30 test -e /srv/archive/web1/log/service.log
	within 10 file_has "$logs/lxc-web1.log" 'release_end: end exit 0'
	on lxc start web1
	guest_state_is lxc web1 running
	on lxc destroy web1
}
