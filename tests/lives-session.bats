#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# An ordinary user's qemu:///session, which runs the same hook as that user, is not disturbed.
# Run as: tests/sandbox bats tests/lives-session.bats

# names that lib/lives.bash sets, none with a blank in it; a guest may be called $(id)
# shellcheck disable=SC2154,SC2086,SC2016
load lib/lives.bash

readonly tester=4242

setup_file() {
	lives_begin qemu
	[[ ! -e $BATS_FILE_TMPDIR/skip ]] || return 0
	install -d -m 0700 -o $tester -g $tester /home/tester /run/user/$tester
	echo "tester:x:$tester:$tester::/home/tester:/bin/sh" >>/etc/passwd
	echo "tester:x:$tester:" >>/etc/group
}
teardown_file() { lives_end; }
setup() { life_begin; }

teardown() {
	[[ ! -e $BATS_FILE_TMPDIR/skip ]] || return 0
	as_user destroy mine >/dev/null 2>&1 || true
	as_user undefine mine >/dev/null 2>&1 || true
	# the session's own daemon, which virsh started
	pkill -u $tester libvirtd || true
	# the next one is not to meet it while it ends
	within 5 fails pgrep -u $tester libvirtd >/dev/null 2>&1
	life_end
}

as_user() {
	user_runs virsh -q -c qemu:///session "$@"
}

user_runs() {
	(
		cd /home/tester || exit
		timeout -k 5 "$VIRSH_LIMIT" setpriv --reuid $tester --regid $tester --clear-groups \
			env -i HOME=/home/tester USER=tester PATH=/usr/sbin:/usr/bin:/sbin:/bin XDG_RUNTIME_DIR=/run/user/$tester \
			"$@" 3>&- 4>&-
	)
}

define_mine() {
	guest_xml qemu mine "$1" >/home/tester/mine.xml
	chmod 0644 /home/tester/mine.xml
	as_user define mine.xml
}

@test "a user's own guest starts and ends, and no part of the host's runs for it" {
	part prepare_begin.d/30-no <<-END
		touch $seen/ran
		exit 1
	END
	chmod 0777 $seen
	define_mine ''
	as_user start mine
	same_text "$(as_user domstate mine)" running
	as_user destroy mine
	fails test -e $seen/ran
}

@test "directives in a user's own guest do nothing, and nothing is logged or recorded for it" {
	mkdir -p /srv/guests/mine/scratch
	define_mine '<post-rm-rf><dir>/srv/guests/%NAME%/scratch</dir></post-rm-rf>'
	as_user start mine
	as_user destroy mine
	test -d /srv/guests/mine/scratch
	fails test -e $logs/qemu-mine.log
	same_text "$(records)" ''
}

@test "set and check of a user's own guest say that directives do nothing there" {
	local warning="warning: directives count for the system's guests alone: for this one, of 'qemu:///session', nothing is done"
	define_mine ''
	run user_runs virt-parts -c qemu:///session set mine ramdisk /srv/guests/%NAME%/tmp size=1M
	[ "$status" -eq 0 ]
	says "$warning"
	says "stored for 'mine'"
	run user_runs virt-parts -c qemu:///session check mine
	[ "$status" -eq 1 ]
	says "$warning"
	fails grep -q 'error' <<<"$output"
	run user_runs virt-parts -c qemu:///session clear mine
	[ "$status" -eq 0 ]
	run user_runs virt-parts -c qemu:///session check mine
	[ "$status" -eq 0 ]
}

@test "explain of a user's own guest says that no part is run for it" {
	local event
	part prepare_begin.d/30-own </dev/null
	define_mine '<ramdisk><dir size="1M">/srv/guests/%NAME%/tmp</dir></ramdisk><post-rm-rf><dir>/nowhere</dir></post-rm-rf>'
	for event in 'prepare begin' 'release end'; do
		run user_runs virt-parts -c qemu:///session explain mine $event
		[ "$status" -eq 0 ]
		says "note: the hook does nothing for a user's own guest: for this one, of 'qemu:///session', no part is run"
		says "the guest is a user's own"
		fails says 'mount'
		fails says 'refuse'
		fails says 'If a part fails'
		run user_runs virt-parts -c qemu:///session explain --json mine $event
		same_text "$(jq -r '[.parts[] | .state] | unique | join(" ")' <<<"$output")" idle
	done
}
