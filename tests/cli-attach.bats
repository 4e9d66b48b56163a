#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# virt-parts attach, detach and attached without a libvirt that has such guests: what is refused, and what the shipped
# preload does for them in the record of a run. tests/lives-attach.bats has the rest.

# shellcheck disable=SC2154 # variables of cli_make and vp
load lib/cli.bash

setup() {
	cli_make
	mkdir -p "$seed/data"
	echo data >"$seed/data/file"
}
teardown() { parts_remove; }

# --- the command ------------------------------------------------------------------------------------------------

@test "a name that a disk's serial number cannot hold is refused with the rule" {
	local one
	for one in '' .hidden -- a/b 'a b' "a'b" ä 123456789012345678901 ..; do
		changes_nothing wrong -c "$daemon" attach --src "$seed/data" -- web1 "$one"
		has "$errors" "the name '"
		changes_nothing wrong -c "$daemon" detach -- web1 "$one"
	done
	# these are names: it is the guest that is not known
	for one in a 7 seed.v2 A_b-c 12345678901234567890; do
		changes_nothing wrong -c "$daemon" attach web1 "$one" --src "$seed/data"
		has "$errors" "libvirt knows no guest 'web1'"
	done
}

@test "they need root, and say so before they ask anybody" {
	local command
	for command in 'attach web1 seed' 'detach web1 seed' 'attached web1'; do
		# shellcheck disable=SC2086 # words
		run setpriv --reuid 65534 --regid 65534 --clear-groups "$build/virt-parts" --hook-dir "$hooks" -c "$daemon" $command
		[ "$status" -eq 2 ]
		has "$output" "${command%% *} needs root"
	done
}

@test "a libvirt that does not answer is an error, and nothing is made" {
	local command
	for command in 'attach web1 seed --src /srv/seed' 'detach web1 seed' 'attached web1'; do
		# shellcheck disable=SC2086 # words
		changes_nothing wrong -c "test:///$tree/none.xml" $command
		has "$errors" 'cannot ask libvirt'
	done
}

@test "a guest that is not QEMU's is told what it is" {
	wrong -c test:///default attach test seed --src "$seed/data"
	has "$errors" "'test' is no guest of QEMU"
	wrong -c test:///default detach test seed
	has "$errors" "virt-parts has attached no 'seed' to 'test'"
	good -c test:///default attached test
	same "$output" "nothing is attached to 'test'"
	good -c test:///default attached test --json
	same "$(json length)" 0
}

@test "a guest of another host is refused: neither its record nor its image would be there" {
	local command far='test:///default?socket=/tmp/other/libvirt-sock'
	for command in 'attach test seed --src /srv/seed' 'detach test seed'; do
		# shellcheck disable=SC2086 # words
		changes_nothing wrong -c "$far" $command
		has "$errors" "'test' is a guest of '$far', which is not the libvirt of this host's system; do this on its own host"
	done
	wrong -c "$far" attached test
	has "$errors" "'test' is a guest of '$far', which is not the libvirt of this host's system; ask on its own host"
}

@test "an option without its value, and one word too many, are shown the usage" {
	wrong -c "$daemon" attach web1 seed --src
	has "$errors" '--src needs a value, DIR'
	wrong -c "$daemon" attach web1 seed more
	has "$errors" 'usage: virt-parts attach'
	wrong -c "$daemon" attach web1
	wrong -c "$daemon" detach web1
	wrong -c "$daemon" attached
	wrong -c "$daemon" attach --json web1 seed
	has "$errors" "'attach' has no --json"
}

# --- the image, as the command has preload make it ----------------------------------------------------------------

# given NAME [LINE...]: a started guest, whose record asks for an image as attach writes it
given() {
	all_four
	starts
	mkdir -p "$record/attached"
	image=$iso/web1/$1.attached.iso
	printf 'preload\n\tiso\n\t\t@path %s\n\t\t@label %s\n' "$image" "$1" >"$record/attached/$1"
	shift
	printf '\t\t%s\n' "$@" >>"$record/attached/seed"
	printf 'preload\n\tiso\n\t\t@path %s\n' "$image" >>"$record/asked/preload"
	printf '%s\n' "$image" >>"$record/claims"
}

# preload_at OP SUBOP NAME: status and output are kept
preload_at() {
	status=0
	output=$(env -i PATH="$PATH" VIRT_PARTS_OP="$1" VIRT_PARTS_SUBOP="$2" VIRT_PARTS_EXTRA="$3" VIRT_PARTS_DOMAIN="$name" \
		VIRT_PARTS_DRIVER="$driver" VIRT_PARTS_UUID="$id" VIRT_PARTS_STATE_DIR="$record" VIRT_PARTS_HOOK_DIR="$hooks" \
		"$tree/libexec/preload" "$name" "$1" "$2" "$3" 2>&1 </dev/null) || status=$?
	printf 'preload %s_%s %s: exit %s\n%s\n' "$1" "$2" "$3" "$status" "$output" >&2
}

@test "only the image that is named is built, and only that is removed" {
	given seed src "	=$seed/data"
	local own
	own=$(stat -c '%i %Y' "$iso/web1/seed.iso")
	preload_at attach begin seed
	[ "$status" -eq 0 ]
	same "$(image_file "$image" file)" data
	same "$(stat -c '%i %Y' "$iso/web1/seed.iso")" "$own"
	holds "$me/var/www/index.html" page
	has "$(cat "$record/done/preload")" "iso $image"
	preload_at detach end seed
	[ "$status" -eq 0 ]
	is_gone "$image"
	is_there "$iso/web1/seed.iso"
	ends
	nothing_left
}

@test "the release removes the image, and a leftover of a builder that was killed" {
	given seed src "	=$seed/data"
	preload_at attach begin seed
	local left=$iso/web1/.seed.attached.iso.virt-parts
	echo partial >"$left"
	# as it has noted it
	echo "built $(stat -c %i "$left") - $image" >>"$record/done/preload"
	ends
	nothing_left
	same "$(names_in "$iso/web1")" ''
}

@test "an image that was never built is nothing to the release" {
	given seed src "	=$seed/data"
	ends
	nothing_left
}

@test "a run that goes on uses the image as it is, and removes it, also a moved one; and builds none that is gone" {
	given seed src "	=$seed/data"
	preload_at attach begin seed
	local before
	before=$(stat -c '%i %Y' "$image")
	does stopped end && does release end saved
	rm -r "$seed/data"
	does restore begin && starts
	same "$(stat -c '%i %Y' "$image")" "$before"
	does stopped end && does release end saved
	# moved with its disk
	cp -a "$image" "$image.moved"
	mv "$image.moved" "$image"
	does restore begin && starts
	ends
	is_gone "$image"
	nothing_left
	given seed src "	=$seed/data"
	mkdir "$seed/data"
	preload_at attach begin seed
	does stopped end && does release end saved
	rm "$image"
	does restore begin && starts
	is_gone "$image"
	ends
	nothing_left
}

@test "the policy of today decides whether it is built, and is not asked whether it is removed" {
	given seed src "	=$seed/data"
	policy
	sed -i "s|^read = $seed\$|read = $seed/other|" "$hooks/parts.conf"
	preload_at attach begin seed
	[ "$status" -eq 1 ]
	has "$output" "'$seed/data' lies below no 'read' path"
	is_gone "$image"
	policy
	preload_at attach begin seed
	[ "$status" -eq 0 ]
	sed -i '/^iso = /d' "$hooks/parts.conf"
	preload_at detach end seed
	[ "$status" -eq 0 ]
	is_gone "$image"
}

@test "a file that is not this guest's image is neither replaced nor removed" {
	given seed src "	=$seed/data"
	echo precious >"$image"
	preload_at attach begin seed
	[ "$status" -eq 1 ]
	has "$output" "which is not this guest's image"
	preload_at detach end seed
	[ "$status" -eq 0 ]
	holds "$image" precious
	ends
	no_record
	holds "$image" precious
}

@test "a link where the image should be is not followed" {
	given seed src "	=$seed/data"
	ln -s "$tree/elsewhere" "$image"
	preload_at attach begin seed
	[ "$status" -eq 1 ]
	is_gone "$tree/elsewhere"
	rm "$image"
}

@test "a name without a file in the record is nothing to do" {
	given seed src "	=$seed/data"
	local one
	for one in other - .. ''; do
		preload_at attach begin "$one"
	done
	is_gone "$image"
	ends
	nothing_left
}
