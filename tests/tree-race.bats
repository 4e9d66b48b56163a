#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Somebody swaps directories for links to the outside while a tree is copied, merged, removed or opened.
#
# A race test counts only when the same swapper catches a naive program (stat, then open by name) 1,000 times.
# shellcheck disable=SC2154,SC2030,SC2031 # set by setup() and run

bats_require_minimum_version 1.5.0
load lib/tree-tool

# What lies outside, and must stay as it is and must not come in.
outside() {
	mkdir -p outside/leaf
	echo secret >outside/MARKER
	cp outside/MARKER outside/leaf/MARKER
	echo precious | tee outside/f >outside/leaf/f
	cp -a outside expected
}

outside_unchanged() {
	diff -r expected outside
	[[ $(find outside | wc -l) -eq $(find expected | wc -l) ]]
}

# swap_begin A B: starts the swapper once it is seen that it catches the naive victim on A
swap_begin() {
	local good wanted
	good=$(stat -c %i "$1")
	"$swapper" swap "$1" "$2" >swaps &
	swapping=$!
	wanted=1000
	caught=$("$swapper" victim "$1" "$good" "$wanted" 200)
	caught=${caught##*=}
	echo "control: caught $caught"
	((caught >= wanted)) || {
		echo "invalid: the naive program was not caught often enough"
		return 1
	}
}

# The swapper must have swapped all the time.
swap_end() {
	kill "$swapping"
	wait "$swapping"
	cat swaps
	local swaps
	swaps=$(<swaps)
	((${swaps#swaps=} > $(quick 1000 10000)))
}

source_tree() {
	mkdir -p src/mid/leaf
	echo ok >src/mid/leaf/ok
	echo new >src/mid/leaf/f
}

race_copy() {
	outside
	source_tree
	ln -s "$T/outside" src/lnk
	swap_begin "src/$1" src/lnk
	run -0 "$tool" --ignore-changes race-copy "$(quick 2000 50000)" src dst MARKER
	echo "$output"
	[[ $output == *escapes=0* ]]
	run -0 "$tool" race-copy "$(quick 20 2000)" src dst MARKER
	echo "$output"
	# a copy that is said to be good has the one directory with its two files
	[[ $output == *"escapes=0 incomplete=0" ]]
	swap_end
	proof 3 "$(quick 20 2000)" 0 "$caught" 'copies under exchanges: none incomplete that was called good'
	outside_unchanged
	no_leftovers dst
}

@test "copy: a directory swapped for a link to the outside lets nothing of that in" {
	race_copy mid
}

@test "copy: a directory further down swapped for a link to the outside lets nothing of that in" {
	race_copy mid/leaf
}

race_dest() {
	outside
	source_tree
	mkdir -p dst/mid/leaf
	ln -s "$T/outside" dst/lnk
	swap_begin "dst/$2" dst/lnk
	run -0 "$tool" "$1" "$(quick 2000 50000)" src dst "$T/outside"
	echo "$output"
	swap_end
	outside_unchanged
}

@test "merge: a directory swapped for a link to the outside lets nothing be written or deleted there" {
	race_dest race-merge mid
}

@test "merge: a directory further down swapped for a link lets nothing be written or deleted outside" {
	race_dest race-merge mid/leaf
}

@test "remove: a directory swapped for a link to the outside lets nothing be deleted there" {
	race_dest race-remove mid
}

@test "remove: a directory further down swapped for a link lets nothing be deleted outside" {
	race_dest race-remove mid/leaf
}

race_open() {
	outside
	source_tree
	ln -s "$T/outside" src/lnk
	local file=src/mid/leaf/f
	ln "$file" good
	swap_begin "src/$1" src/lnk
	run -0 "$tool" race-open "$(quick 100000 400000)" src mid/leaf/f good
	echo "$output"
	swap_end
	[[ $output == *escapes=0 && $output != *opened=0* ]]
}

@test "open: a path with a component swapped for a link opens the right file or nothing" {
	race_open mid
}

@test "open: a path with its last directory swapped for a link opens the right file or nothing" {
	race_open mid/leaf
}

@test "a FIFO swapped in for a file does not hang a copy, and is not read" {
	outside
	source_tree
	mkfifo src/fifo
	local good
	good=$(stat -c %i src/mid/leaf/f)
	"$swapper" swap src/mid/leaf/f src/fifo >swaps &
	swapping=$!
	# the naive program opens the FIFO and waits for ever
	run -124 timeout 5 "$swapper" victim src/mid/leaf/f "$good" 1 1000
	run -0 timeout "$(quick 300 3600)" "$tool" --ignore-changes race-copy "$(quick 2000 100000)" src dst MARKER
	echo "$output"
	swap_end
}

@test "a FIFO swapped in for a file does not hang a merge" {
	source_tree
	mkfifo src/fifo
	"$swapper" swap src/mid/leaf/f src/fifo >swaps &
	swapping=$!
	run -0 timeout "$(quick 300 3600)" "$tool" race-merge "$(quick 500 20000)" src dst /nowhere
	echo "$output"
	swap_end
}

# moved_meanwhile COMMAND...: moves src/a/b/c/d away while the walk is below it
moved_meanwhile() {
	requires strace
	mkdir -p src/a/b/c/d/e/f/g/h elsewhere
	touch src/a/b/c/d/x
	stop_at getdents64 7 "$@"
	# it has read d, which alone has four entries
	grep -q '4 entries' trace
	mv src/a/b/c/d elsewhere/d
	go_on
	echo "$output"
	[[ $status -eq 1 ]]
	[[ $output == *"'a/b/c/d' was moved meanwhile (ESTALE)"* ]]
}

@test "a copy stops when a directory that it is in is moved" {
	moved_meanwhile "$tool" --ignore-changes copy src dst copy
	[[ ! -e dst/copy ]]
}

@test "a removal stops when a directory that it is in is moved, and removes nothing where it is now" {
	touch elsewhere-file
	moved_meanwhile "$tool" remove . src
	[[ -e src/a/b/c && -d elsewhere/d && -e elsewhere-file ]]
}

@test "a doomed directory that is replaced by another is emptied, the other stays" {
	requires strace
	touch src/f
	stop_at getdents64 1 "$tool" remove . src
	mv src aside
	mkdir src
	go_on
	[[ $status -eq 1 ]]
	[[ $output == *"'src' was replaced while it was emptied (ESTALE)"* ]]
	[[ -d src && -d aside && ! -e aside/f ]]
}

@test "a mount that appears and goes while a tree is removed is never emptied" {
	requires_mount
	mkdir other
	touch other/{1,2,3}
	(while :; do
		mkdir -p dst/mid/leaf
		mount --bind other dst/mid/leaf && umount -l dst/mid/leaf
	done) 2>/dev/null &
	run -0 timeout "$(quick 300 3600)" "$tool" race-remove "$(quick 2000 100000)" src dst /nowhere
	echo "$output"
	kill %1
	wait %1 || :
	# f is what the tool itself makes there when the mount is in its way
	[[ $(cd other && echo [0-9]) == "1 2 3" ]]
}
