#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The power fails at any step of a release: FS_IOC_SHUTDOWN on a real ext4 and XFS, which then are mounted anew. At no
# point is there neither the full source nor the full archive. The control is the same without fsync, which must lose.

# shellcheck disable=SC2010,SC2012,SC2016,SC2030,SC2031,SC2034,SC2094,SC2119,SC2120,SC2154 # of attack_make, run, call
load lib/attack.bash

setup() {
	tree=
}

teardown() {
	parts_remove
	[[ -z ${disk:-} ]] || rm -f "$disk" "$disk".*
}

# on_disk KIND: the trees of the guests and the records on a filesystem of that kind in a file
on_disk() {
	kind=$1
	case $kind in
	ext4) mkfs=(mkfs.ext4 -q -F -J size=4 -E lazy_itable_init=0) size=24M ;;
	xfs) mkfs=(mkfs.xfs -q -f -m reflink=0) size=300M ;;
	esac
	command -v "${mkfs[0]}" >/dev/null || skip "needs ${mkfs[0]}"
	disk=$(mktemp /var/cache/virt-parts-disk.XXXXXX)
	truncate -s "$size" "$disk"
	"${mkfs[@]}" "$disk"
	attack_make mount -o loop "$disk"
	mkdir -p "$me/log/sub" "$archive/web1"
	head -c 100000 /dev/urandom | tee "$me/log/messages" >"$me/log/sub/more"
	ln "$me/log/messages" "$me/log/again"
	ask "<archive><dircopy><src>$me/log</src><dst>$archive/web1/log</dst></dircopy></archive>
		<post-rm-rf><dir>$me/log</dir></post-rm-rf>"
	starts
	mkdir -p "$tree/kept/guests/web1"
	cp -a "$me/log" "$tree/kept/guests/web1/"
	kept=$tree/kept
	# all of it, also where the filesystem is still mounted elsewhere
	sync -f "$fs"
	power_off
}

power_off() {
	umount "$tree/state" "$fs"
}

power_on() {
	local options=loop
	# the copy before may still be mounted for a moment, and has the same UUID
	[[ $kind != xfs ]] || options+=,nouuid
	mount -o "$options" "$used" "$fs" && mount --bind "$fs/state" "$tree/state"
}

# anew: the disk as it was, in another file each time: a loop device lets go of its file when it likes to
anew() {
	rm -f "${used:-}"
	used=$disk.$((round += 1))
	cp --sparse=always "$disk" "$used"
	power_on
}

# power_back: what is on the disk after a failure, in another file: a mount namespace that was made meanwhile may still
# hold the filesystem that was shut down
power_back() {
	local failed=$used
	power_off
	used=$disk.$((round += 1))
	cp --sparse=always "$failed" "$used"
	rm -f "$failed"
	power_on
}

# where the power fails: anywhere; of the control, which begins to count at the part that deletes, from when it does so on
steps() {
	if [[ $quick == end ]]; then
		seq "$((calls * 3 / 4))" 4 "$calls"
	else
		points "$calls" "$quick"
	fi
}

# sweep OPTION...: how many are lost, in $lost, when the power fails at any call of release
sweep() {
	local n flags
	lost=0 tried=0
	event=(release end destroyed)
	anew
	injected "$@"
	[[ $status -eq 0 ]] && is_archived log && is_gone "$me/log"
	power_off
	for n in $(steps); do
		# 1: what is in the journal gets to the disk; 2: nothing more does
		for flags in 1 2; do
			[[ -n ${VIRT_PARTS_FULL:-} ]] || ((flags == 1 + n % 2 || $# > 0)) || continue
			anew
			injected --at "$n" --shutdown "$fs" "$flags" "$@"
			power_back
			# where it ended before that call the power did not fail
			[[ $hit == nothing ]] || tried=$((tried + 1))
			if ! equal "$me/log" "$kept/guests/web1/log" && ! is_archived log 2>"$tree/why"; then
				lost=$((lost + 1))
				echo "lost when the power fails at $n of $calls ($hit), flags $flags: $(ls -lR "$archive/web1" "$me" 2>&1 | tail -20)" >"$tree/lost"
			elif [[ -z ${*:-} ]] && ! after_power 2>"$tree/why"; then
				tail -n 20 "$tree/why" "$tree"/log/*.log >&2
				echo "after the power failed at $n ($hit), flags $flags" >&2
				return 1
			fi
			power_off
		done
	done
}

# the next start finishes what was begun, and no archive is only begun
after_power() {
	does prepare begin && is_archived log && nothing_partial && does started begin &&
		mkdir -p "$me/log" && does release end destroyed && no_record &&
		same "$(find "$archive" "$fs/state" -name '.*' -print)" ''
}

power() {
	on_disk "$1"
	quick=15
	sweep
	((lost == 0)) || {
		cat "$tree/lost" >&2
		return 1
	}
	# the control; who else says sync meanwhile may save all of it
	local ours=$tried of=$calls tries=0
	quick=end
	while ((lost == 0)); do
		((++tries <= 3)) || {
			echo "invalid: without fsync nothing was lost either, at $tried steps" >&2
			return 1
		}
		sweep --no-fsync --after 60-post-rm-rf
	done
	proof 12 "$ours" 0 "$lost" "$kind: power off at so many steps of $of calls"
}

@test "ext4: the power fails at any step of a release: the source or the archive is whole" {
	power ext4
}

@test "XFS: the power fails at any step of a release: the source or the archive is whole" {
	power xfs
}

# nothing more gets to the disk, what is in the journal neither
power_fails() {
	python3 -c 'import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack("I", 2))' "$fs"
	power_back
}

@test "the power fails as soon as a guest is saved: its run is known to be saved, and goes on when it is restored" {
	on_disk ext4
	anew
	mount -o remount,commit=300 "$fs"
	does stopped end
	does release end saved
	power_fails
	does restore begin
	does prepare begin
	not grep -h 'finishes the unfinished run' "$tree"/log/*.log
}

@test "the power fails as soon as a run is over: its record does not come back, to delete what was written since" {
	on_disk ext4
	anew
	mount -o remount,commit=300 "$fs"
	ends
	no_record
	power_fails
	no_record
	metadata ''
	mkdir -p "$me/log"
	echo new >"$me/log/messages"
	lives
	holds "$me/log/messages" new
}
