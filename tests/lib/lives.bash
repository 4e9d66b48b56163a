# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of guests' lives share: virt-parts installed in the sandbox, one libvirtd a file, small probes.
#
# A file says `setup_file() { lives_begin lxc; }`, `teardown_file() { lives_end; }`,
# `setup() { life_begin; }` and `teardown() { life_end; }`.

# shellcheck source=tests/lib/libvirt.bash
source "$(dirname "${BASH_SOURCE[0]}")/libvirt.bash"

readonly hooks=/etc/libvirt/hooks
readonly parts=$hooks/parts.d
readonly seen=/var/tmp/seen
readonly logs=/var/log/virt-parts

# lives_can DRIVER...: fails, and every test of the file is skipped with the reason, when something is missing
lives_can() {
	local driver reason
	if ! in_sandbox; then
		echo 'runs only in the sandbox: tests/sandbox bats FILE' >"$BATS_FILE_TMPDIR/skip"
		return 1
	fi
	for driver; do
		if reason=$(libvirt_missing "$driver"); then
			echo "$reason" >"$BATS_FILE_TMPDIR/skip"
			return 1
		fi
	done
}

# lives_begin DRIVER...
lives_begin() {
	lives_can "$@" || return 0
	# its own output is shown only when it fails
	"$checkout/install.sh" --no-deps --no-reload >"$BATS_FILE_TMPDIR/install" 2>&1 || {
		cat "$BATS_FILE_TMPDIR/install" >&2
		return 1
	}
	# a teardown that is slow because the machine is goes on in the background only where a test asks for that
	conf_set teardown-wait 60s
	cp $hooks/parts.conf "$BATS_FILE_TMPDIR/parts.conf"
	midnight_is_far
	echo "$*" >"$BATS_FILE_TMPDIR/drivers"
	libvirt_start "$@"
}

# midnight_is_far: here the day has just begun, so that it is the same one until all tests of the file are over. For
# processes that begin after this, and have no TZ.
midnight_is_far() {
	local -i offset
	local zeros bytes
	unset TZ
	# the hour is 1
	offset=$(((1 - 10#$(date -u +%H)) * 3600))
	# tzfile(5): one offset from UTC, and its name
	printf -v zeros '\\0%.0s' {1..32}
	printf -v bytes '\\x%02x' $((offset >> 24 & 255)) $((offset >> 16 & 255)) $((offset >> 8 & 255)) $((offset & 255))
	rm -f /etc/localtime
	printf '%b' "TZif$zeros\\0\\0\\0\\1\\0\\0\\0\\4$bytes\\0\\0VPT\\0" >/etc/localtime
	[[ $(date +%H) == 0[12] ]]
}

lives_end() {
	[[ ! -e $BATS_FILE_TMPDIR/skip ]] || return 0
	libvirt_stop
}

life_begin() {
	if [[ -e $BATS_FILE_TMPDIR/skip ]]; then
		skip "$(<"$BATS_FILE_TMPDIR/skip")"
	fi
	mkdir -p $seen /srv/seed
	chmod 0755 /srv /srv/seed
}

# Everything as it was, and a test that leaves a ramdisk behind is a failed one.
life_end() {
	[[ ! -e $BATS_FILE_TMPDIR/skip ]] || return 0
	local left
	go_on
	rm -rf ${parts:?}/*.d
	libvirt_running || libvirt_again
	guests_end
	cp "$BATS_FILE_TMPDIR/parts.conf" $hooks/parts.conf
	# a teardown may go on in the background
	[[ -z ${BATS_TEST_COMPLETED:-} ]] || try_for 60 no_ramdisks || true
	left=$(ramdisks)
	if [[ -n ${BATS_TEST_COMPLETED:-} && -n $left ]]; then
		echo "left mounted: $left" >&2
		return 1
	fi
	for left in $(ramdisks); do
		umount "$left" || true
	done
	if [[ -z ${BATS_TEST_COMPLETED:-} ]]; then
		tail -n 30 $logs/*.log >&2 || true
	fi
	rm -rf ${seen:?} /srv/guests /srv/archive /srv/seed
	find /var/lib/virt-parts/state /var/lib/virt-parts/iso -mindepth 1 -delete 2>/dev/null || true
	rm -rf ${logs:?}/*
}

libvirt_running() {
	kill -0 "$(libvirtd_pid)" 2>/dev/null
}

# libvirt_again: the drivers of this file, after a stop or a kill
libvirt_again() {
	local -a drivers
	read -r -a drivers <"$BATS_FILE_TMPDIR/drivers"
	libvirt_start "${drivers[@]}"
}

# --- parts of a test -------------------------------------------------------------------------------------------

# part DIR/NN-NAME: an admin part with the script on stdin
part() {
	mkdir -p "$parts/${1%/*}"
	{
		echo '#!/bin/sh'
		cat
	} >"$parts/$1.new"
	chmod 0755 "$parts/$1.new"
	mv "$parts/$1.new" "$parts/$1"
}

# record_events: from now on, each event of any guest is a line "NAME OP SUBOP" in $seen/events
record_events() {
	local event
	for event in prepare_begin start_begin started_begin stopped_end release_end reconnect_begin restore_begin; do
		part "$event.d/99-record" <<-END
			echo "\$VIRT_PARTS_DOMAIN \$VIRT_PARTS_OP \$VIRT_PARTS_SUBOP" >>$seen/events
		END
	done
}

# For the script of a part: it takes until the test calls go_on.
# shellcheck disable=SC2034 # for tests
readonly until_go_on="until [ -e $seen/go-on ]; do sleep 0.05; done"

go_on() {
	mkdir -p $seen
	touch $seen/go-on
}

# conf_set KEY VALUE: in the installed parts.conf
conf_set() {
	sed -i "s|^$1 = .*|$1 = $2|" $hooks/parts.conf
	grep -qx "$1 = $2" $hooks/parts.conf
}

# --- what a life has done --------------------------------------------------------------------------------------

ramdisks() {
	# those of tests that run outside, which the sandbox was copied from, are out of reach below its own /var
	awk '$5 !~ "^/var/cache/virt-parts-test" && / - tmpfs virt-parts:/ {print $5}' /proc/self/mountinfo
}

no_ramdisks() {
	[[ -z $(ramdisks) ]]
}

no_records() {
	[[ -z $(records) ]]
}

ramdisk_on() {
	ramdisks | grep -qxF -- "$1"
}

today() {
	date +%Y-%m-%d
}

# records: the runs that are not over
records() {
	find /var/lib/virt-parts/state -mindepth 2 -maxdepth 2 -type d 2>/dev/null
}

# fails COMMAND...: `! command` does not fail a bats test; this does
fails() {
	if "$@"; then
		echo "succeeded, and should not have: $*" >&2
		return 1
	fi
}

# says TEXT: the last `run` printed it
says() {
	# shellcheck disable=SC2154 # output is that of run
	if [[ $output != *"$1"* ]]; then
		printf 'expected: %s\nprinted: %s\n' "$1" "$output" >&2
		return 1
	fi
}

# once: of lines that come again, the first
once() {
	awk '!seen[$0]++' "$@"
}

same_text() {
	if [[ $1 != "$2" ]]; then
		printf 'expected: %s\nfound: %s\n' "$2" "$1" >&2
		return 1
	fi
}

# none_runs PATTERN: no process that `pgrep -f` knows by it
none_runs() {
	! pgrep -f -- "$1" >/dev/null
}

# quickly SECONDS COMMAND...: succeeds only when COMMAND does so within that time
quickly() {
	local limit=$1 begin=$EPOCHREALTIME spent
	shift
	"$@" || return
	spent=$((${EPOCHREALTIME/./} - ${begin/./}))
	if ((spent > limit * 1000000)); then
		echo "took $((spent / 1000)) ms, limit $limit s: $*" >&2
		return 1
	fi
}
