# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Whole lives of guests in a tree (tree.bash) with the shipped parts: `ask` says what the metadata holds, `starts`
# and `ends` are the events of a life, `refused` a prepare that must fail and leave nothing behind.
#
# A file says `setup() { parts_make; }` and `teardown() { parts_remove; }`.

# shellcheck disable=SC2119,SC2120,SC2154 # used by those who load this
# shellcheck source=tree.bash
source "$(dirname "${BASH_SOURCE[0]}")/tree.bash"

# shellcheck disable=SC2034 # for those who load this
parts_make() {
	tree_make
	local program dir link
	mkdir -p "$tree"/{libexec,seed,archive} "$tree/guests/web1"
	for program in virt-parts ramdisk preload archive post-rm-rf; do
		[[ -x $build/parts/$program ]] || skip "$build/parts/$program is not built"
		cp "$build/parts/$program" "$tree/libexec/"
	done
	for link in "$checkout"/parts.d/*/*; do
		dir=$vendor/$(basename "$(dirname "$link")")
		mkdir -p "$dir"
		ln -s "$tree/libexec/$(basename "$(readlink "$link")")" "$dir/${link##*/}"
	done
	guests=$tree/guests seed=$tree/seed archive=$tree/archive iso=$tree/iso
	me=$guests/web1
	one_day
	helpers=() environment=() namespace=''
	# before a command: in a mount namespace of its own, where no other tree's ramdisk counts or goes away
	# shellcheck disable=SC2016 # for that shell
	apart=(unshare --mount --propagation private bash -c 'source "$1/tests/lib/parts.bash" && others_unmount "$2" && shift 2 &&
		exec "$@"' apart "$checkout" "$tree")
	declare -gA xml_of=()
	uuid_base=$((SRANDOM))
	policy
	guest web1
}

# one_day: what a test does is done on one day, $today: shortly before midnight it waits for the next
# shellcheck disable=SC2034 # for those who load this
one_day() {
	local time
	printf -v time '%(%-H * 3600 + %-M * 60 + %-S)T' -1
	((86400 - (time) > 60)) || sleep $((86401 - (time)))
	printf -v today '%(%Y-%m-%d)T' -1
}

# May be called again, and after a test that failed anywhere.
parts_remove() {
	[[ -n ${tree:-} ]] || return 0
	local pid target
	for pid in "${helpers[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	helpers=() namespace=''
	while read -r target; do
		umount "$target" 2>/dev/null || umount -l "$target"
	done < <(mounts_below "$tree" | tac)
	tree_remove
}

# policy [LINE...]: parts.conf with the usual paths, scoped to the guest, then these lines
policy() {
	conf '[paths]' "read = $seed" "read = $guests/%NAME%" "write = $guests/%NAME%" \
		"write = $archive/%NAME%" "delete = $guests/%NAME%" "iso = $iso/%NAME%" "$@"
}

# guest NAME [DRIVER [NUMBER]]: whose events come from now on, with the XML that it had before; NUMBER tells its UUID
guest() {
	name=$1 driver=${2:-lxc}
	# one that no other tree has: mounts are known by it
	printf -v id '%08x-9a6e-4b0e-8f0e-%012d' "$uuid_base" "${3:-1}"
	record=$tree/state/$driver/$id
	xml=${xml_of[$driver/$name]:-}
	[[ -n $xml ]] || ask ''
}

xml_text() {
	# quoted, or bash 5.2 takes & for what was found
	local text=${1//&/'&amp;'}
	text=${text//</'&lt;'}
	printf '%s' "${text//>/'&gt;'}"
}

# metadata XML [DEVICES]: the guest's XML with this metadata
metadata() {
	xml="<domain type='$driver'>
  <name>$(xml_text "$name")</name>
  <uuid>$id</uuid>
  <metadata>$1</metadata>
  <devices>${2:-}</devices>
</domain>"
	xml_of[$driver/$name]=$xml
}

# ask DIRECTIVES [DEVICES]: the guest's XML with these directives
ask() {
	metadata "<virt-parts xmlns='urn:virt-parts:1'>$1</virt-parts>" "${2:-}"
}

# --- events ----------------------------------------------------------------------------------------------------

# call OP SUBOP [EXTRA]: status, output and errors are kept
call() {
	local err=$tree/stderr
	status=0
	output=$(hook "$driver" "$name" "$1" "$2" "${3:--}" 2>"$err") || status=$?
	errors=$(<"$err")
	printf '%s %s_%s: exit %s %s\n%s\n' "$name" "$1" "$2" "$status" "$output" "$errors" >&2
}

does() {
	call "$@" && [[ $status -eq 0 ]]
}

starts() {
	does prepare begin && does start begin && does started begin
}

# ends [REASON]: as a libvirt that gives the reason does
ends() {
	does stopped end && does release end "${1:-destroyed}"
}

lives() {
	starts && ends "$@"
}

# refused TEXT...: prepare fails, its message has the guest's name and each TEXT, and nothing has been done
refused() {
	local text
	call prepare begin
	[[ $status -ne 0 ]] || {
		echo "not refused: $xml" >&2
		return 1
	}
	has "$errors" "$name: " || return
	for text; do
		has "$errors" "$text" || return
	done
	no_record && same "$(mounts_below "$tree")" ''
}

# accepted: prepare succeeds; and the guest is over again
accepted() {
	does prepare begin && does release end failed && no_record
}

# says TEXT...: the guest's log has each
says() {
	local text log
	log=$(<"$tree/log/$driver-$name.log")
	for text; do
		has "$log" "$text" || return
	done
}

# by_hand PART OP SUBOP [COMMAND...]: a part without the dispatcher, in its environment (what is in $environment goes
# before), run by COMMAND; status and output are kept
by_hand() {
	local part=$1 op=$2 subop=$3
	shift 3
	status=0
	# a file, since the dispatcher's is seekable
	printf '%s' "$xml" >"$tree/stdin-$id"
	output=$(env -i PATH="$PATH" VIRT_PARTS_OP="$op" VIRT_PARTS_SUBOP="$subop" VIRT_PARTS_DOMAIN="$name" VIRT_PARTS_DRIVER="$driver" \
		VIRT_PARTS_UUID="$id" VIRT_PARTS_REASON=destroyed VIRT_PARTS_STATE_DIR="$record" VIRT_PARTS_HOOK_DIR="$hooks" \
		"${environment[@]}" "$@" "$tree/libexec/$part" "$name" "$op" "$subop" - 2>&1 <"$tree/stdin-$id") || status=$?
	printf '%s %s %s_%s: exit %s\n%s\n' "$part" "$name" "$op" "$subop" "$status" "$output" >&2
}

# others_unmount TREE: ramdisks but those of this tree, and what other trees' are mounted on. The list is whole before
# the first goes: what is read while it changes lacks some. One whose directory is removed outside is gone here, too, and
# one that lies in a tree which is exchanged meanwhile goes with all of that.
others_unmount() {
	local target
	local -a targets
	others_mounted "$1" targets
	for target in "${targets[@]}"; do
		umount -l "$(printf %b "$target")" 2>/dev/null || true
	done
	others_mounted "$1" targets
	((${#targets[@]} == 0)) || {
		echo "still mounted: ${targets[*]}" >&2
		return 1
	}
}

others_mounted() { # TREE ARRAY
	mapfile -t "$2" < <(awk -v tree="$1/" '(/ - tmpfs virt-parts:/ || /\/virt-parts-test\./) && index($5, tree) != 1 { print $5 }' \
		/proc/self/mountinfo | tac)
}

# isolate: hooks are called apart
isolate() {
	background "${apart[@]}" sleep 3600
	namespace=${helpers[-1]}
	within 60 in_namespace
	# shellcheck disable=SC2317 # called by `call`
	hook() {
		local driver=$1
		shift
		printf '%s' "$xml" | nsenter --mount="/proc/$namespace/ns/mnt" "$hooks/$driver" "$@"
	}
}

in_namespace() {
	[[ $(readlink "/proc/$namespace/ns/mnt") != "$(readlink /proc/self/ns/mnt)" && $(<"/proc/$namespace/comm") == sleep ]]
}

# bury DIR LEVELS CHARACTER: what a guest may do with a directory of its tree: to the end of so many new ones, each with
# a name of 255 such characters
bury() {
	python3 -c '
import os, sys
name = sys.argv[4] * 255
top = at = os.open(sys.argv[1], os.O_RDONLY)
for level in range(int(sys.argv[3])):
    os.mkdir(name, dir_fd=at)
    at, last = os.open(name, os.O_RDONLY, dir_fd=at), at
    if last != top:
        os.close(last)
os.rename(sys.argv[2], sys.argv[2], src_dir_fd=top, dst_dir_fd=at)' "${1%/*}" "${1##*/}" "$2" "$3"
}

# --- what there is ---------------------------------------------------------------------------------------------

no_record() {
	[[ ! -e $record ]] || {
		echo "there is a record: $(ls -R "$record")" >&2
		return 1
	}
}

is_there() {
	local path
	for path; do
		[[ -e $path || -L $path ]] || {
			echo "is missing: $path" >&2
			return 1
		}
	done
}

is_gone() {
	local path
	for path; do
		[[ ! -e $path && ! -L $path ]] || {
			echo "is there: $path" >&2
			return 1
		}
	done
}

# holds FILE TEXT
holds() {
	same "$(cat "$1")" "$2"
}

# names_in DIR: all that is in there, hidden too, blanks between
names_in() {
	[[ ! -d $1 ]] || find "$1" -mindepth 1 -maxdepth 1 -printf '%f\n' | LC_ALL=C sort | paste -sd' '
}

# listing DIR: what is in there, with mode and owner
listing() {
	(cd "$1" && find . -mindepth 1 -printf '%P %m %U:%G\n' | LC_ALL=C sort)
}

mounts_below() {
	# a blank is \040 there
	awk -v dir="${1// /\\040}/" 'index($5 "/", dir) == 1 { print $5 }' "/proc/${namespace:-self}/mountinfo"
}

# mount_of DIR FIELD: options, source or the like of what is mounted there
mount_of() {
	findmnt -n -o "$2" --mountpoint "$1"
}

is_mounted() {
	mountpoint -q "$1" || {
		echo "nothing is mounted on $1" >&2
		return 1
	}
}

not_mounted() {
	! mountpoint -q "$1" || {
		echo "something is mounted on $1" >&2
		return 1
	}
}

# nothing_left: no record, no mount, no temporary file, no image
nothing_left() {
	no_record && same "$(mounts_below "$tree")" '' &&
		same "$(find "$tree" -name '.*' ! -path "$tree" -print -quit)" '' &&
		same "$(find "$tree/state" -mindepth 2 -print -quit 2>/dev/null)" '' &&
		same "$(find "$tree/run" ! -name '*.lock' -type f -print -quit 2>/dev/null)" ''
}

fails() {
	if "$@"; then
		echo "succeeded: $*" >&2
		return 1
	fi
}

# background COMMAND...: a process that teardown ends
background() {
	"$@" </dev/null >/dev/null 2>&1 3>&- 4>&- &
	helpers+=($!)
}

# sits DIR: a process that teardown ends is in that directory
sits() {
	background env -C "$1" sleep 3600
	within 60 sits_there "$1"
}

sits_there() {
	[[ $(readlink "/proc/${helpers[-1]}/cwd") == "$1" ]]
}

# meanwhile TRACE COMMAND...: COMMAND, when a signal that strace -f sends has stopped the process that it traces there; that
# goes on then, and whenever it is stopped again
meanwhile() {
	# shellcheck disable=SC2016 # that shell expands it
	background bash -c 'trace=$1 seen=0
		shift
		while :; do
			pid=$(awk -v seen="$seen" "/stopped by SIGSTOP/ && ++n > seen { print \$1; exit }" "$trace" 2>/dev/null)
			if [[ -n $pid ]]; then
				((seen++)) || "$@"
				kill -CONT "$pid"
			fi
			sleep 0.02
		done' _ "$@"
}

# in_image IMAGE: the paths in it
in_image() {
	xorriso -indev "$1" -find / 2>/dev/null | tr -d "'" | LC_ALL=C sort
}

# image_file IMAGE PATH: what is in a file of an image
image_file() {
	isoinfo -R -i "$1" -x "/$2" 2>/dev/null
}
