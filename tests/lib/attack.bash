# shellcheck shell=bash disable=SC2034,SC2154,SC2119,SC2120
# SPDX-License-Identifier: GPL-2.0-or-later
# Attacks on the shipped programs, in a tree (parts.bash) on a filesystem of its own: `race` runs a part while somebody
# exchanges what lies on its way, `injected` while a system call is made to fail or the part is killed.
#
# A file says `setup() { attack_make; }` and `teardown() { parts_remove; }`.

# shellcheck source=tests/lib/parts.bash
source "$(dirname "${BASH_SOURCE[0]}")/parts.bash"

# shellcheck disable=SC2034 # for those who load this
attack_make() {
	parts_make
	local tool
	for tool in race inject; do
		[[ -x $build/tools/attack-$tool ]] || skip "$build/tools/attack-$tool is not built"
	done
	fs=$tree/fs
	mkdir -p "$fs" "$tree/state"
	if [[ ${1:-} ]]; then
		"$@" "$fs"
	else
		mount -t tmpfs -o nr_inodes=0,size=4g none "$fs"
	fi
	attack_populate
}

# The trees of the guests lie there, and one outside of them.
# shellcheck disable=SC2034
attack_populate() {
	chmod 0755 "$fs"
	guests=$fs/guests seed=$fs/seed archive=$fs/archive iso=$fs/iso outside=$fs/outside
	me=$guests/web1
	mkdir -p "$me" "$seed" "$archive/web1" "$iso/web1" "$fs/state"
	mount --bind "$fs/state" "$tree/state"
	# ramdisks of other trees at the same time are not to count, and on a busy machine no release is to go on in
	# the background
	policy '[limits]' 'ramdisk-total = 10T' 'teardown-wait = 10min' "$@"
	# of no other tree at the same time: a tmpfs is known by it
	guest web1 lxc "$((RANDOM << 15 | RANDOM))"
}

# What no guest owns: `mid/leaf` in it, as on the way of a directive. All of it says CANARY.
outside_make() {
	local -i i
	[[ ! -e $outside ]] || return 0
	mkdir -p "$outside/mid/leaf/r"
	echo CANARY | tee "$outside/mid/leaf/"{f,CANARY,r/CANARY} >/dev/null
	for ((i = 1; i <= ${1:-0}; i++)); do
		mkdir "$outside/mid/leaf/d$i"
		echo CANARY >"$outside/mid/leaf/d$i/CANARY"
	done
}

# inside_make BASE: the way itself, which is the guest's
inside_make() {
	mkdir -p "$1/mid/leaf/sub"
	echo mine >"$1/mid/leaf/f"
	echo mine >"$1/mid/leaf/sub/g"
}

# environment_of OP SUBOP: what the dispatcher would give to a part, in $environment
environment_of() {
	environment=(env -i "PATH=$PATH" "VIRT_PARTS_OP=$1" "VIRT_PARTS_SUBOP=$2" "VIRT_PARTS_DOMAIN=$name"
		"VIRT_PARTS_DRIVER=$driver" "VIRT_PARTS_UUID=$id" VIRT_PARTS_REASON=destroyed
		"VIRT_PARTS_STATE_DIR=$record" "VIRT_PARTS_HOOK_DIR=$hooks")
	printf '%s' "$xml" >"$tree/stdin"
}

# within_limits PART OP SUBOP: the part with 64 descriptors; what it took is said, and must be below 64 MiB
within_limits() {
	local rss
	: >"$tree/usage"
	by_hand "$1" "$2" "$3" /usr/bin/time -o "$tree/usage" -f '%M KiB %e s' bash -c 'ulimit -n 64; exec "$@"' --
	read -r rss _ < <(tail -1 "$tree/usage")
	under_checker || ((rss < 65536))
	proof 10 1 0 0 "$1: $(tail -1 "$tree/usage"), 64 descriptors, exit $status"
}

# race PLACE BASE ROUNDS OPTION...: runs what follows -- in OPTION while BASE itself (root), BASE/mid or BASE/mid/leaf
# is exchanged with a link to the same place outside; or (fifo) BASE/mid/leaf/f with a FIFO. `mount` instead binds the
# outside's leaf over BASE/mid/leaf.
race() {
	local place=$1 base=$2 rounds=$3 way
	shift 3
	way=$(attack_way "$place" "$base" lnk)
	set -- --stdin "$tree/stdin" --log "$tree/race.log" --outside "$outside" --rounds "$rounds" \
		--seconds "$(full 3000 1)" --check "${way%% *}" --open "$base/mid/leaf/f" \
		--wrong "$outside/mid/leaf/f" "$@"
	if [[ $place == mount ]]; then
		set -- --mount "$outside/mid/leaf" "$base/mid/leaf" "$@"
	else
		# shellcheck disable=SC2086 # two words: nothing here has blanks
		set -- --swap $way "$@"
	fi
	run "${environment[@]}" "$build/tools/attack-race" "$@"
	# shellcheck disable=SC2154
	((status == 0)) || {
		echo "$place: exit $status: $output" >&2
		sort "$tree/race.log" | uniq -c | sort -rn | head -5 >&2
	}
	race_proves "$rounds" && ((status == 0))
}

# number KEY: of the KEY=NUMBER that attack-race printed, without a fraction
number() {
	[[ " $output" =~ \ $1=([0-9]+) ]] && echo "${BASH_REMATCH[1]}"
}

# race_proves ROUNDS: of what has just run; in check-full all of the rounds must have been run
race_proves() {
	local -i bad
	local proved=${row:-2}
	case $place in
	mount) proved=4 ;;
	fifo) proved=7 ;;
	esac
	[[ $output == *\ leaks=* ]] || return
	bad=$(($(number leaks) + $(number opened)))
	[[ $output == *outside=same* ]] || bad+=1
	# an escape counts, whatever else is to be said of the run
	if ((bad)); then
		proof "$proved" "$(number rounds)" "$bad" "$(number caught)" "$place: $output"
		return 1
	fi
	(($(number rounds) >= $(full "$1" 1))) || {
		echo "invalid: not all of the rounds were run in time: $output" >&2
		return 1
	}
	[[ $place == mount ]] || (($(number changes) >= $(full 400000 1000))) || {
		echo "invalid: too few exchanges: $output" >&2
		return 1
	}
	proof "$proved" "$(number rounds)" 0 "$(number caught)" "$place: $output"
	# what meets endless changes returns: none of the programs took longer than half a minute
	proof 3 "$(number runs)" "$(($(number longest) >= 30))" "$(number changes)" "$place: longest $(number longest) s"
}

# attack_way PLACE BASE LINK: the two names to exchange; the link is made
attack_way() {
	local a b
	case $1 in
	root) a=$2 b=${2%/*}/$3 ;;
	mid) a=$2/mid b=$2/$3 ;;
	fifo)
		a=$2/mid/leaf/f b=$2/mid/leaf/fifo
		mkfifo "$b"
		echo "$a $b"
		return
		;;
	*) a=$2/mid/leaf b=$2/$3 ;;
	esac
	# a race before this one may have left both as directories
	[[ -L $b ]] || rm -rf "$b"
	# relative, to where it is when it is A: on this filesystem, so that RESOLVE_NO_XDEV alone does not stop it
	ln -sfn "$(realpath -m --relative-to="${a%/*}" "$outside${a#"$2"}")" "$b"
	echo "$a $b"
}

# repeat N TEXT: TEXT with every # replaced by 1 ... N
repeat() {
	local -i i
	local all=
	for ((i = 1; i <= $1; i++)); do
		all+=${2//'#'/$i}
	done
	printf '%s' "$all"
}

# holds_nothing_of_outside: neither the trees of the guests nor the archive have anything of it
holds_nothing_of_outside() {
	local found
	found=$(find "$guests" "$archive" "$iso" -name 'CANARY*' -print -quit)
	[[ -z $found ]] || {
		echo "came in from outside: $found" >&2
		return 1
	}
	! grep -rqs --devices=skip CANARY "$guests" "$archive" || {
		echo "text came in from outside" >&2
		return 1
	}
}

# --- lives that are cut short --------------------------------------------------------------------------------------

# A guest with all directives, its files, and a copy of them
everything_make() {
	mkdir -p "$seed/"{iso,www/sub} "$me/"{log/sub,scratch/sub} "$archive/web1"
	echo seed >"$seed/iso/meta-data"
	echo page | tee "$seed/www/index" >"$seed/www/sub/page"
	head -c 10000 /dev/urandom | tee "$me/log/messages" >"$me/scratch/sub/junk"
	ln "$me/log/messages" "$me/log/sub/again"
	ln -s messages "$me/log/link"
	truncate -s 1M "$me/log/sub/sparse"
	ask "<ramdisk><dir size='256K'>$me/r</dir></ramdisk>
		<preload><iso path='$iso/web1/seed.iso'><src>$seed/iso</src><file path='a'>text</file></iso>
			<dircopy><src>$seed/www</src><dst>$me/www</dst></dircopy></preload>
		<archive><dircopy><src>$me/log</src><dst>$archive/web1/log</dst></dircopy>
			<dircopy><src>$me/r</src><dst>$archive/web1/r</dst></dircopy></archive>
		<post-rm-rf><dir>$me/log</dir><dir>$me/scratch</dir></post-rm-rf>"
}

# keep: what is there now, to be put back
keep() {
	kept=$tree/kept
	rm -rf "$kept"
	mkdir -p "$kept" "$tree/kept-r"
	cp -a --one-file-system "$guests" "$archive" "$iso" "$fs/state" "$kept/"
	[[ ! -e $me/r/file ]] || cp "$me/r/file" "$tree/kept-r/"
}

put_back() {
	while umount "$me/r" 2>/dev/null; do :; done
	rm -rf "$guests" "$archive" "$iso" "$fs/state/"*
	cp -a "$kept/guests" "$kept/archive" "$kept/iso" "$fs/"
	cp -a "$kept/state/." "$fs/state/"
	# a copy, which is known by its own number
	[[ ! -e $iso/web1/seed.iso || ! -e $record/done/preload ]] ||
		sed -i "s,^built [0-9]* [^ ]* ,built $(stat -c %i "$iso/web1/seed.iso") - ," "$record/done/preload"
	if [[ -e $tree/kept-r/file ]]; then
		mount -t tmpfs -o size=256k,nosuid,nodev,noexec "virt-parts:$id" "$me/r"
		cp "$tree/kept-r/file" "$me/r/"
		# as the part would have written it
		printf 'mount %s\nmounted %s %s\n' "$me/r" "$(mountpoint -d "$me/r")" "$me/r" >"$record/done/ramdisk"
	fi
}

# running: the guest runs, with a file in its ramdisk; and this is kept
running() {
	starts
	echo "in memory" >"$me/r/file"
	keep
}

equal() {
	diff -r --no-dereference "$1" "$2" >/dev/null 2>&1
}

# kept_of log|r: what it was
kept_of() {
	if [[ $1 == r ]]; then echo "$tree/kept-r"; else echo "$kept/guests/web1/$1"; fi
}

is_archived() {
	local copy
	for copy in "$archive/web1/$1"*; do
		equal "$copy" "$(kept_of "$1")" && return 0
	done
	echo "no full archive of $1: $(ls -A "$archive/web1")" >&2
	return 1
}

# nothing_lost: of the source and the archive one is complete, and no archive is only begun
nothing_lost() {
	local what copy
	for what in log r; do
		equal "$me/$what" "$(kept_of "$what")" || is_archived "$what" || {
			echo "lost: $what: $(ls -AlR "$me/$what" "$archive/web1" 2>&1)" >&2
			return 1
		}
	done
	nothing_partial
}

nothing_partial() {
	local what copy
	for what in log r; do
		for copy in "$archive/web1/$what"*; do
			[[ ! -e $copy ]] || equal "$copy" "$(kept_of "$what")" || {
				echo "partial: $copy" >&2
				return 1
			}
		done
	done
	[[ ! -e $iso/web1/seed.iso || ! -e $kept/iso/web1/seed.iso ]] || cmp "$iso/web1/seed.iso" "$kept/iso/web1/seed.iso"
}

# all_done: what a release says that it has done
all_done() {
	is_archived log && is_archived r && is_gone "$me/log" "$me/scratch" "$iso/web1/seed.iso" "$record" && not_mounted "$me/r"
}

# swept: nothing that is temporary is left, no mount, no record
swept() {
	local left
	left=$(find "$guests" "$archive" "$iso" "$fs/state" \( -name '.*' -o -name '*.new' -o -name '*.over' \) -print)
	same "$left" '' && no_record && same "$(grep -c " $me" /proc/self/mountinfo)" 0
}

# injected OPTION...: the event in $event, or the command in $program, while attack-inject does what the options say;
# status, output, calls, fallible and hit are kept
injected() {
	local report=$tree/report
	status=0
	printf '%s' "$xml" >"$tree/stdin"
	[[ -n ${program[*]:-} ]] || local -a program=("$hooks/$driver" "$name" "${event[@]}")
	output=$("$build/tools/attack-inject" --report "$report" "$@" -- "${program[@]}" <"$tree/stdin" 2>&1) || status=$?
	# shellcheck disable=SC2034
	read -r _ calls _ fallible _ hit <"$report"
}

# points N QUICK: which of N are tried: all in check-full, else so many, from the first to the last
points() {
	local -i n=$1 quick=$2 i last=0 at
	if [[ -n ${VIRT_PARTS_FULL:-} ]] || ((n <= quick)); then
		seq 1 "$n"
		return
	fi
	for ((i = 0; i < quick; i++)); do
		at=$((1 + i * (n - 1) / (quick - 1)))
		((at == last)) || echo "$at"
		last=$at
	done
}

# naive_losses KIND OPTION...: how often a naive archive with a deletion behind it loses or leaves half of something, when
# the same is done at its calls; KIND is calls or fallible
naive_losses() {
	local -i n lost=0
	local kind=$1
	# shellcheck disable=SC2016 # sh expands it
	local -a program=(sh -c 'cp -a "$0" "$1"; rm -rf "$0"' "$me/log" "$archive/web1/log")
	shift
	put_back
	injected
	for n in $(points "${!kind}" 10); do
		put_back
		injected --at "$n" "$@"
		nothing_lost 2>/dev/null || lost+=1
	done
	echo "$lost"
}

# lives_on: the next life succeeds, finishes what the one before has left, and leaves nothing
lives_on() {
	does prepare begin && does started begin &&
		is_archived log && is_archived r && nothing_partial &&
		is_mounted "$me/r" && same "$(grep -c " $me/r " /proc/self/mountinfo)" 1 &&
		holds "$me/www/sub/page" page &&
		mkdir -p "$me/log" && does release end destroyed && swept
}
