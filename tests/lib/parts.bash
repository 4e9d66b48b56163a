# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Whole lives of guests in a tree (tree.bash) with the shipped parts: `ask` says what the metadata holds, `starts`
# and `ends` are the events of a life, `refused` a prepare that must fail and leave nothing behind.
#
# A file says `setup() { parts_make; }` and `teardown() { parts_remove; }`.

# shellcheck source=tests/lib/tree.bash
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
	today=$(date +%Y-%m-%d)
	helpers=()
	declare -gA xml_of=()
	policy
	guest web1
}

# May be called again, and after a test that failed anywhere.
parts_remove() {
	[[ -n ${tree:-} ]] || return 0
	local pid target
	for pid in "${helpers[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	helpers=()
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
	printf -v id '5d0b2d3c-9a6e-4b0e-8f0e-%012d' "${3:-1}"
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

# listing DIR: what is in there, with mode and owner
listing() {
	(cd "$1" && find . -mindepth 1 -printf '%P %m %U:%G\n' | LC_ALL=C sort)
}

mounts_below() {
	# a blank is \040 there
	awk -v dir="${1// /\\040}/" 'index($5 "/", dir) == 1 { print $5 }' /proc/self/mountinfo
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

# in_image IMAGE: the paths in it
in_image() {
	xorriso -indev "$1" -find / 2>/dev/null | tr -d "'" | LC_ALL=C sort
}

# image_file IMAGE PATH: what is in a file of an image
image_file() {
	isoinfo -R -i "$1" -x "/$2" 2>/dev/null
}
