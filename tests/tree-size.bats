#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# How much a tree takes, also while others change it: what archive-total counts.

# shellcheck disable=SC2154,SC2094 # variables of tree-tool.bash; size is a word, too
bats_require_minimum_version 1.5.0
load lib/tree-tool.bash

# size_of DIR: as du has it, without the top
size_of() {
	find "$1" -mindepth 1 -printf '%b\n' | awk '{ sum += $1 } END { print sum * 512 }'
}

# while_read CALLS COMMAND...: the size of src into the file size, COMMAND being done when directories were read so often
while_read() {
	local -i calls=$1
	shift
	stop_at getdents64 "$calls" "$tool" size src src
	"$@"
	go_on
	cat trace
	[[ $status -eq 0 ]]
	echo "$output" >size
}

@test "a size is that of all in it, to any depth" {
	small_tree src
	rm src/a/b/again
	"$tool" make-deep src 200 deep
	run -0 "$tool" size src src
	[[ $output == "$(size_of src)" ]]
}

@test "a file with several links counts once" {
	head -c 30000 /dev/zero >src/f
	mkdir src/d
	ln src/f src/d/again
	ln src/f src/third
	ln src/f src/fourth
	run -0 "$tool" size src src
	((output == $(stat -c %b src/f) * 512 + $(stat -c %b src/d) * 512))
	ln src/f dst/outside
	run -0 "$tool" size dst dst
	((output * 5 > $(stat -c %b src/f) * 512 - 5 && output * 5 <= $(stat -c %b src/f) * 512))
}

@test "of what is mounted below, that counts which is on the way, and nothing twice" {
	requires_mount
	local bare
	mkdir -p src/a src/beside
	mount -t tmpfs none src/beside
	head -c 8192 /dev/zero >src/beside/f
	mount -t tmpfs none src/a
	head -c 40960 /dev/zero >src/a/f
	mkdir -p src/a/deep/b src/a/loop
	# the whole in itself
	mount --bind src src/a/loop
	mount -t tmpfs none src/a/deep/b
	head -c 81920 /dev/zero >src/a/deep/b/f
	mkdir src/a/deep/b/c
	# a directory of a tmpfs takes no blocks, and so where it is mounted has none
	bare=$(find src -xdev -mindepth 1 -printf '%b\n' | awk '{ sum += $1 } END { print sum * 512 }')
	run -0 "$tool" size src src
	((output == bare))
	run -0 "$tool" size src src/a/deep
	((output == bare + 40960))
	run -0 "$tool" size src src/a/deep/b/c
	((output == bare + 40960 + 81920))
	run -1 "$tool" size src/beside src/a
	[[ $output == 'cannot see which filesystems it lies on: '*ESTALE* ]]
}

@test "a directory that is removed while its size is asked ends there, and nothing fails" {
	requires strace
	local before
	mkdir -p src/a/b
	head -c 10000 /dev/zero >src/f
	before=$(size_of src)
	while_read 3 rm -r src/a
	(($(<size) >= $(size_of src) && $(<size) <= before))
}

@test "a directory that is removed between a look at it and its turn is passed over" {
	requires strace
	mkdir -p src/a/b src/c
	head -c 10000 /dev/zero >src/f
	# only calls on that directory's own descriptor: that with which it is gone into
	strace -f -o trace -P "$PWD/src/a" -e trace=openat -e inject=openat:error=ENOENT "$tool" size src src >size 2>why
	grep -q INJECTED trace
	[[ $(<size) == "$(rm -r src/a/b && size_of src)" ]]
}

@test "a deep directory that is removed or moved while its size is asked: it is asked anew" {
	requires strace
	mkdir -p src/1/2/3/4/5/6/7 dst
	# the seventh directory's turn is the eighth
	while_read 8 mv src/1/2/3/4/5/6/7 dst/moved
	[[ $(<size) == "$(size_of src)" ]]
	mkdir src/1/2/3/4/5/6/7
	while_read 8 rm -r src/1/2
	[[ $(<size) == "$(size_of src)" ]]
}

@test "a directory that is moved again and again while its size is asked ends it in a refusal" {
	requires strace
	mkdir -p src/1/2
	strace -o trace -e trace=statx -e inject=statx:error=ESTALE:when=4+ "$tool" size src src >size 2>why || :
	[[ ! -s size && $(<why) == *ESTALE* ]]
	(($(grep -c INJECTED trace) < 50))
}
