#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What somebody can ask for who may edit a guest's metadata and nothing else: each is refused with its sentence, and
# nothing is done. (What single values may be is in virt-parts.bats.)

# shellcheck disable=SC2010,SC2012,SC2016,SC2030,SC2031,SC2034,SC2094,SC2119,SC2120,SC2154 # of attack_make, run, call
load lib/attack.bash

setup() {
	attack_make
}

teardown() {
	parts_remove
}

# refused TEXT: nothing is mounted but what the tree itself needs
refused() {
	call prepare begin
	[[ $status -ne 0 ]] || {
		echo "not refused: $xml" >&2
		return 1
	}
	has "$errors" "$name: " && has "$errors" "${1:-}" && no_record && same "$(mounts_below "$fs" | grep -vx "$fs")" ''
}

# everywhere PATH TEXT: refused in every place that writes, mounts or deletes, with TEXT
everywhere() {
	local path=$1 text=$2
	mkdir -p "$seed/x" "$me/x"
	ask "<ramdisk><dir size='1M'>$path</dir></ramdisk>"
	refused "$text"
	ask "<preload><dircopy><src>$seed/x</src><dst>$path</dst></dircopy></preload>"
	refused "$text"
	ask "<preload><iso path='$path'><file path='a'/></iso></preload>"
	refused "$text"
	ask "<archive><dircopy><src>$me/x</src><dst>$path</dst></dircopy></archive>"
	refused "$text"
	ask "<post-rm-rf><dir>$path</dir></post-rm-rf>"
	refused "$text"
}

@test "the root, the system, ways around: refused everywhere" {
	everywhere / 'lies below no'
	everywhere /etc 'lies below no'
	everywhere "/proc/self/root$me/x" 'lies below no'
	everywhere "/proc/1/cwd$me/x" 'lies below no'
	everywhere "$me/../web2/x" ''
	everywhere "$me/x/../../web2" ''
	everywhere "$guests" ''
	everywhere "$guests/web10/x" 'lies below no'
	everywhere "$tree/state" 'lies below no'
	everywhere "$hooks/parts.d" 'lies below no'
	everywhere /dev/shm/x 'lies below no'
	everywhere "$me/x&#10;$me/y" ''
	everywhere "x$me" ''
}

@test "an allowed root cannot be covered by a tmpfs, deleted or written over" {
	ask "<ramdisk><dir size='1M'>$me</dir></ramdisk>"
	refused 'the root'
	ask "<post-rm-rf><dir>$me</dir></post-rm-rf>"
	refused 'the root'
	ask "<ramdisk><dir size='1M'>$guests</dir></ramdisk>"
	refused
}

@test "a way through a link in the guest's tree is refused or fails, and touches nothing" {
	outside_make
	ln -s "$outside" "$me/way"
	local before
	before=$(find "$outside" -printf '%p %T@ %C@\n')
	ask "<ramdisk><dir size='1M'>$me/way/mid</dir></ramdisk>"
	call prepare begin
	[[ $status -ne 0 ]]
	call release end failed
	ask "<preload><dircopy><src>$me/way/mid</src><dst>$me/y</dst></dircopy></preload>"
	refused 'link'
	ask "<post-rm-rf><dir>$me/way/mid</dir></post-rm-rf>"
	does prepare begin
	does started begin
	call release end destroyed
	[[ $status -ne 0 ]]
	same "$(find "$outside" -printf '%p %T@ %C@\n')" "$before"
}

@test "two guests cannot have one ramdisk directory, nor one in the other's" {
	policy '[paths]' "write = $guests"
	conf '[paths]' "write = $guests" "delete = $guests" "iso = $iso" "read = $guests"
	ask "<ramdisk><dir size='1M'>$guests/shared/r</dir></ramdisk>"
	does prepare begin
	guest web2 lxc 77
	for path in "$guests/shared/r" "$guests/shared" "$guests/shared/r/below"; do
		ask "<ramdisk><dir size='1M'>$path</dir></ramdisk>"
		call prepare begin
		[[ $status -ne 0 ]]
		has "$errors" "which the run of the lxc guest 'web1' has claimed"
		ask "<post-rm-rf><dir>$path</dir></post-rm-rf>"
		call prepare begin
		[[ $status -ne 0 ]]
		has "$errors" "which the run of the lxc guest 'web1' has claimed"
	done
	same "$(mounts_below "$guests" | wc -l)" 1
}

@test "an image is never built over what is not this guest's: a disk, a link, a device, a directory" {
	mkdir -p "$iso/web1"
	local one
	for one in disk link device directory other; do
		rm -rf "$iso/web1/seed.iso"
		case $one in
		disk) head -c 1M /dev/urandom >"$iso/web1/seed.iso" ;;
		link) ln -s "$tree/hooks/parts.conf" "$iso/web1/seed.iso" ;;
		device) mknod "$iso/web1/seed.iso" b 7 0 ;;
		directory) mkdir "$iso/web1/seed.iso" ;;
		other) # an image, of another guest
			head -c 32768 /dev/zero >"$iso/web1/seed.iso"
			printf '\001CD001\001' >>"$iso/web1/seed.iso"
			head -c 64K /dev/zero >>"$iso/web1/seed.iso"
			;;
		esac
		before=$(stat -c '%i %F %s %Z' "$iso/web1/seed.iso")
		ask "<preload><iso path='$iso/web1/seed.iso'><file path='a'/></iso></preload>"
		call prepare begin
		[[ $status -ne 0 ]]
		same "$(stat -c '%i %F %s %Z' "$iso/web1/seed.iso")" "$before"
		call release end failed
		same "$(stat -c '%i %F %s %Z' "$iso/web1/seed.iso")" "$before"
	done
}

@test "a million directives cost little time and memory, and are refused" {
	local count began ended
	count=$(full 1000000 100000)
	for one in '<post-rm-rf/>' '<archive><dircopy/></archive>' "<ramdisk><dir size='1'>/a</dir></ramdisk>"; do
		ask "$(yes "$one" | head -n "$count" | tr -d '\n')"
		processor_ms began
		call prepare begin 2>/dev/null
		processor_ms ended
		[[ $status -ne 0 ]]
		proof 10 1 0 0 "$count of ${one:0:12}: $((ended - began)) ms: ${errors:0:120}"
		((ended - began < 5000))
		no_record
		[[ ! -x /usr/bin/time ]] || within_limits virt-parts prepare begin
		[[ $status -ne 0 ]]
	done
}

@test "metadata edited while the guest runs does not redirect what release does" {
	mkdir -p "$me/log" "$me/precious" "$me/scratch"
	echo text >"$me/log/f"
	ask "<archive><dircopy><src>$me/log</src><dst>$archive/web1/log</dst></dircopy></archive><post-rm-rf><dir>$me/scratch</dir></post-rm-rf>"
	starts
	ask "<archive><dircopy><src>$me/precious</src><dst>$archive/web1/edited</dst></dircopy></archive><post-rm-rf><dir>$me/precious</dir></post-rm-rf>"
	ends
	holds "$archive/web1/log/f" text
	is_gone "$archive/web1/edited" "$me/scratch"
	is_there "$me/precious"
	# the next life is the edited one
	lives
	is_there "$archive/web1/edited"
	is_gone "$me/precious"
	proof 24 1 0 1
}

@test "two guests with one destination in the same second: nothing is overwritten, nothing is lost" {
	conf '[paths]' "read = $guests" "write = $archive" '[limits]' 'teardown-wait = 10min'
	local i rounds pids
	rounds=$(full 1000 10)
	mkdir -p "$guests/"{a,b}
	for ((i = 0; i < rounds; i++)); do
		for one in a b; do
			guest "$one" lxc "$((1000 + i))$([[ $one == a ]] && echo 1 || echo 2)"
			ask "<archive><dircopy><src>$guests/$one</src><dst>$archive/same/log</dst></dircopy></archive>"
			echo "$one $i" >"$guests/$one/f"
			does prepare begin
		done
		pids=()
		for one in a b; do
			guest "$one" lxc "$((1000 + i))$([[ $one == a ]] && echo 1 || echo 2)"
			hook lxc "$one" release end destroyed &
			pids+=($!)
		done
		wait "${pids[@]}"
	done
	same "$(cat "$archive/same/"*/f | sort | uniq | wc -l)" "$((rounds * 2))"
	same "$(ls -A "$archive/same" | wc -l)" "$((rounds * 2))"
	local lost=0 tries=0
	while ((lost == 0)); do
		((++tries <= 20)) || {
			echo 'invalid: the naive programs lost nothing' >&2
			return 1
		}
		lost=$(naive_archivers)
	done
	proof 11 "$rounds" 0 "$lost" "two at once: $((rounds * 2)) archives"
}

# naive_archivers: two that look for a free name and rename then; prints how many of their 40,000 files are lost
naive_archivers() {
	rm -rf "$tree/naive"
	mkdir "$tree/naive"
	perl -e 'chdir $ARGV[0]; my $other = fork; my $n = 0;
		for (1 .. 20000) { open F, ">", "new$$"; close F; $n++ while -e $n; rename "new$$", $n }
		$other ? waitpid $other, 0 : exit' "$tree/naive"
	echo $((40000 - $(find "$tree/naive" -type f -printf x | wc -c)))
}

@test "fifty guests at once do not get more memory than ramdisk-total" {
	conf '[paths]' "write = $guests/%NAME%" '[limits]' 'ramdisk-total = 10M'
	# where nobody else has ramdisks
	"${apart[@]}" bash -c '
		BATS_TEST_FILENAME=x
		source "$1/tests/lib/attack.bash"
		tree=$2 around=() guests=$3 hooks=$2/hooks
		declare -A xml_of=()
		for i in {1..50}; do
			guest "g$i" lxc "$((5000 + i))"
			mkdir -p "$guests/g$i"
			ask "<ramdisk><dir size=\"1M\">$guests/g$i/r</dir></ramdisk>"
			hook lxc "g$i" prepare begin - >"$tree/said-$i" 2>&1 &
		done
		wait
		mounts_below "$guests" | wc -l >"$tree/total"' - "$checkout" "$tree" "$guests" 3>&- 4>&-
	same "$(cat "$tree/total")" 10 || {
		cat "$tree"/said-* | sort | uniq -c | head -5 >&2
		return 1
	}
	proof 21 50 0 10 '50 guests ask for 50 MiB at once, 10 are allowed'
}
