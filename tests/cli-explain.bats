#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# virt-parts explain: the dispatcher's plan, and what the shipped parts would do path by path.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # variables of cli_make and vp
load lib/cli.bash

setup() { cli_make; }
teardown() { parts_remove; }

# told OP SUBOP [REASON]: of $file, and it changes nothing
told() {
	changes_nothing vp explain "$file" "$@"
}

@test "explain names each path of a prepare and the rule that allows it" {
	all_four
	told prepare begin
	[ "$status" -eq 0 ]
	has "$output" "web1 (lxc), prepare begin"
	has "$output" "mounts a tmpfs of 1M on '$me/tmp'"
	has "$output" "allowed by 'write = $guests/%NAME%', parts.conf line 12"
	has "$output" "builds the image '$iso/web1/seed.iso', label 'CIDATA'"
	has "$output" "allowed by 'iso = $iso/%NAME%', parts.conf line 15"
	has "$output" "with what lies in '$seed/web1'"
	has "$output" "over what is in '$me/var/www'"
	lacks "$output" '%DATE%'
}

@test "what explain says of prepare is what prepare then does" {
	all_four
	vp explain --json "$file" prepare begin
	local deeds
	deeds=$(json '.parts[].deeds[].text')
	starts
	has "$deeds" "mounts a tmpfs of 1M on '$me/tmp'"
	is_mounted "$me/tmp"
	has "$deeds" "builds the image '$iso/web1/seed.iso'"
	is_there "$iso/web1/seed.iso" "$me/var/www/index.html"
	ends
}

@test "explain of a release names what is archived, unmounted, removed and deleted" {
	all_four
	told release end destroyed
	[ "$status" -eq 0 ]
	has "$output" "the guest has no run: this is as if it had been started with this XML"
	has "$output" "copies '$me/var/log'"
	has "$output" "to '$archive/web1/$today'"
	has "$output" "unmounts '$me/tmp'"
	has "$output" "removes the image '$iso/web1/seed.iso'"
	has "$output" "deletes '$me/scratch'"
}

@test "explain and check know a <filesystem> whose source leads through a link" {
	mkdir -p "$me/scratch"
	ln -s "$guests" "$tree/link"
	local fs="<filesystem><source dir='$tree/link/web1/scratch'/><target dir='/scratch'/></filesystem>"
	ask_file "<post-rm-rf><dir>$me/scratch</dir></post-rm-rf>" "$fs"
	told release end destroyed
	has "$output" "empties '$me/scratch'"
	ask_file "<ramdisk><dir size='1M'>$me/scratch/cache</dir></ramdisk>" "$fs"
	finds check "$file"
	has "$output" "lies below the <filesystem> source '$me/scratch'"
}

@test "the reason decides what a release would do" {
	all_four
	told release end saved
	has "$output" "archives nothing when the guest ends with 'saved'"
	has "$output" "leaves '$me/tmp' mounted: the guest was saved"
	has "$output" "leaves the image"
	has "$output" "does not delete '$me/scratch': the guest lives on"
	told release end migrated
	has "$output" "unmounts '$me/tmp'"
	has "$output" "another host may use it"
	told release end crashed
	has "$output" "copies '$me/var/log'"
	has "$output" 'does not delete'
	wrong explain "$file" release end crushed
	has "$errors" "did you mean 'crashed'?"
	wrong explain "$file" prepare begin crashed
}

@test "what a run recorded at its start counts at its release, whatever the XML says by now" {
	all_four
	starts
	ask_file "<post-rm-rf><dir>$guests/%NAME%/other</dir></post-rm-rf>"
	told release end destroyed
	has "$output" "deletes '$me/scratch'"
	has "$output" "unmounts '$me/tmp'"
	lacks "$output" "$me/other"
	xml=${xml_of[lxc/web1]}
	ends
	is_gone "$me/scratch"
}

@test "explain names the archive that is made where the name is taken, and none that is made already" {
	all_four
	mkdir -p "$archive/web1/$today-2"
	told release end destroyed
	has "$output" "to '$archive/web1/$today'
"
	mkdir "$archive/web1/$today"
	told release end destroyed
	has "$output" "to '$archive/web1/$today-3', as '$archive/web1/$today' is there"
	# the first of these is not asked for at this end, but counted
	ask_file "<archive when='crashed'><dircopy><src>$me/no</src><dst>$archive/web1/no</dst></dircopy></archive>
		<archive><dircopy><src>$me/var/log</src><dst>$archive/web1/%DATE%</dst></dircopy>
		<dircopy><src>$me/gone</src><dst>$archive/web1/gone</dst></dircopy></archive>"
	starts
	call release end destroyed
	[ "$status" -ne 0 ]
	holds "$archive/web1/$today-3/messages" logged
	local one
	for one in release\ end\ destroyed prepare\ begin; do
		# shellcheck disable=SC2086 # its words
		told $one
		has "$output" "has archived '$me/var/log' already"
		lacks "$output" "copies '$me/var/log'"
		has "$output" "copies '$me/gone'"
		has "$output" "archives nothing when the guest ends with 'destroyed'"
	done
}

@test "after a part has failed explain says what is withheld" {
	all_four
	part "$parts/stopped_end.d/10-own" 'exit 1'
	starts
	does stopped end || true
	told release end destroyed
	has "$output" "leaves '$me/tmp' mounted: a part failed before"
	has "$output" "does not delete '$me/scratch': a part failed before"
	rm -r "$parts/stopped_end.d"
	call release end destroyed
	is_there "$me/scratch"
}

@test "explain says what the failure of each part withholds, and that is what it withholds" {
	all_four
	part "$parts/release_end.d/10-own" true
	part "$parts/release_end.d/30-noted" true
	printf '%s\n' '[advisory]' 30-noted >>"$hooks/parts.conf"
	vp explain --json "$file" release end destroyed
	same "$(json '.parts[] | [.name] + .withholds | join(" ")')" '10-own 40-ramdisk 50-preload 60-post-rm-rf
20-archive 40-ramdisk 50-preload 60-post-rm-rf
30-noted
40-ramdisk 50-preload 60-post-rm-rf
50-preload 60-post-rm-rf
60-post-rm-rf'
	told release end destroyed
	has "$output" 'if it fails, these leave things as they are: 40-ramdisk, 50-preload, 60-post-rm-rf'
	has "$output" 'if it fails, nothing is withheld: it is listed under [advisory]'
	has "$output" "the run is unfinished then, and the guest's next start runs the shipped parts again first, but none of your own"
	told release end saved
	lacks "$output" 'these leave things as they are'
	# a guest that never started has nothing that it could save
	vp explain --json "$file" release end failed
	same "$(json '.parts[] | [.name] + .withholds | join(" ")' | head -n 2)" '10-own
20-archive 40-ramdisk 50-preload'
	part "$parts/release_end.d/30-noted" 'exit 1'
	part "$parts/release_end.d/10-own" 'exit 1'
	starts
	call release end destroyed
	is_mounted "$me/tmp"
	is_there "$me/scratch"
	rm "$parts/release_end.d/10-own"
}

@test "a part that is refused, or whose directive is, fails for certain: explain goes on from there" {
	all_four
	part "$parts/release_end.d/10-own" true
	chmod 0777 "$parts/release_end.d/10-own"
	told release end destroyed
	[ "$status" -eq 1 ]
	has "$output" "leaves '$me/tmp' mounted: a part failed before"
	has "$output" "does not delete '$me/scratch': a part failed before"
	starts
	call release end destroyed
	is_mounted "$me/tmp"
	is_there "$me/scratch"
	rm "$parts/release_end.d/10-own"
	does prepare begin
	does release end failed
	# the archive's destination is not allowed any more
	starts
	sed -i "s|^write = $archive/.*||" "$hooks/parts.conf"
	told release end destroyed
	has "$output" "'$archive/web1/$today' lies below no 'write' path"
	has "$output" "does not delete '$me/scratch': a part failed before"
	call release end destroyed
	is_there "$me/scratch"
	is_mounted "$me/tmp"
}

@test "a directory of parts that cannot be read fails before all parts, and status says what to do about it" {
	all_four
	starts
	ln -s "$tree/not-mounted" "$parts/release_end.d"
	told release end destroyed
	[ "$status" -eq 1 ]
	has "$output" "leaves '$me/tmp' mounted: a part failed before"
	has "$output" "does not delete '$me/scratch': a part failed before"
	vp explain --json "$file" release end destroyed
	same "$(json '.parts[0] | .name, .state')" 'release_end.d
refused'
	call release end destroyed
	is_mounted "$me/tmp"
	is_there "$me/scratch"
	finds status
	has "$output" "do by hand what release_end.d was to do, then 'virt-parts resolve --own-parts-done $id'"
	rm "$parts/release_end.d"
	told prepare begin
	has "$output" "does not delete '$me/scratch': a part failed before"
	does prepare begin
	is_there "$me/scratch"
}

@test "in an event that stops at once, what is behind a part that fails for certain is not reached" {
	all_four
	part "$parts/prepare_begin.d/07-own" true
	vp explain --json "$file" prepare begin
	same "$(json '.parts[0].withholds | join(" ")')" '07-own 10-ramdisk 20-preload'
	chmod 0777 "$parts/prepare_begin.d/07-own"
	told prepare begin
	[ "$status" -eq 1 ]
	same "$(grep -c "is not reached, as '07-own' fails before" <<<"$output")" 2
	call prepare begin
	not_mounted "$me/tmp"
}

@test "a guest that prepare refuses has every reason named, with the nearest right word" {
	ask_file "<ramdisk><dir sise='1M'>$guests/%NAME%/tmp</dir></ramdisk>
		<archve/><post-rm-rf><dir>/etc</dir></post-rm-rf>"
	told prepare begin
	[ "$status" -eq 1 ]
	has "$output" "refuses the start: <ramdisk><dir>: unknown attribute 'sise'; did you mean 'size'?"
	has "$output" "refuses the start: <archve>: unknown directive; did you mean <archive>?"
	has "$output" "'/etc' lies below no 'delete' path of parts.conf"
	told release end destroyed
	[ "$status" -eq 1 ]
	has "$output" "refused: '/etc' lies below no 'delete' path of parts.conf"
	# and prepare does refuse it
	call prepare begin
	[ "$status" -ne 0 ]
}

@test "a shipped part whose directive the guest has not is idle, an admin's part runs" {
	part "$parts/prepare_begin.d/30-own" true
	part "$parts/domains/web1/prepare_begin.d/31-mine" true
	part "$parts/domains/other/prepare_begin.d/32-not-mine" true
	ask_file "<ramdisk><dir size='1M'>$guests/%NAME%/tmp</dir></ramdisk>"
	told prepare begin
	vp explain --json "$file" prepare begin
	same "$(json '.parts[] | [.name, .state] | join(" ")')" '05-virt-parts run
10-ramdisk run
20-preload idle
30-own run
31-mine run'
	metadata ''
	echo "$xml" >"$file"
	vp explain --json "$file" prepare begin
	same "$(json '[.parts[] | select(.state == "run").name] | join(" ")')" '30-own 31-mine'
}

@test "explain says that a prepare finishes an unfinished run first, and with which reason" {
	all_four
	starts
	rm -r "$me/var/log"
	call release end destroyed
	[ "$status" -ne 0 ]
	told prepare begin
	has "$output" "its last run is unfinished: the shipped parts of release end run first, with the reason 'destroyed'"
	# and what that does: the archive fails once more for certain, or not
	has "$output" "first, release end of the unfinished run, ended as 'destroyed'"
	has "$output" "copies '$me/var/log'"
	has "$output" 'If the unfinished run cannot be finished, nothing of it is touched'
	vp explain --json "$file" prepare begin
	same "$(json '.first.reason, (.first.parts[] | select(.state == "run").name)' | paste -sd' ')" \
		'destroyed 20-archive 40-ramdisk 50-preload 60-post-rm-rf'
	has "$(json '.first.parts[].deeds[].text')" "deletes '$me/scratch'"
	same "$(json '.parts[0].name')" 05-virt-parts
	mkdir -p "$me/var/log"
	does prepare begin
	says 'finishes the unfinished run' 'reason=destroyed'
	is_gone "$me/scratch"
	ends
}

@test "explain says that an admin's part which failed keeps an unfinished run from being finished" {
	all_four
	part "$parts/release_end.d/10-own" 'exit 1'
	starts
	call release end destroyed
	told prepare begin
	has "$output" "does not delete '$me/scratch': a part failed before"
	does prepare begin
	is_there "$me/scratch"
}

@test "explain says that the run of a guest that is gone, of the same name, is finished first" {
	all_four
	starts
	local old=$id
	guest web1 lxc $(($$ + 1))
	metadata "${xml_of[lxc/web1]#*<metadata>}"
	all_four
	told prepare begin
	has "$output" "the run of a guest of this name with the UUID $old, which is gone, is finished first"
	does prepare begin
	is_gone "$tree/state/lxc/$old"
	ends
}

@test "explain of an event with no parts, of a network, and of what is no guest" {
	all_four
	told attach begin
	[ "$status" -eq 0 ]
	has "$output" 'no parts'
	part "$parts/network_started_begin.d/10-net" true
	echo "<network><name>default</name><uuid>$id</uuid></network>" >"$file"
	told started begin
	has "$output" 10-net
	echo '<pool/>' >"$file"
	wrong explain "$file" started begin
	has "$errors" 'holds no <domain>'
	echo '<domain' >"$file"
	wrong explain "$file" prepare begin
	has "$errors" 'not well-formed XML: line '
	wrong explain "$tree/none.xml" prepare begin
}

@test "explain without a valid parts.conf says that nothing is allowed" {
	all_four
	sed -i '1i nonsense' "$hooks/parts.conf"
	vp explain "$file" prepare begin
	[ "$status" -eq 1 ]
	has "$errors" 'the built-in values count, but for [dirs], and no path is allowed'
	# the built-in directories count then
	sed -i '3i nonsense' "$hooks/parts.conf"
	[[ ! -e /usr/lib/virt-parts/parts.d ]] || skip 'virt-parts is installed here'
	vp explain "$file" prepare begin
	[ "$status" -eq 1 ]
	has "$output" "there are no shipped parts in '/usr/lib/virt-parts/parts.d/prepare_begin.d'"
	has "$errors" 'the built-in values count and no path is allowed'
}

@test "who is not root is told what the event does without the guest's run, and that this is left out" {
	local op
	all_four
	starts
	chmod 0700 "$tree/state"
	prefix=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	for op in 'prepare begin' 'release end'; do
		# shellcheck disable=SC2086 # two words
		vp explain "$file" $op
		[[ $status -eq 0 && -z $errors ]]
		has "$output" "note: the record of its run is root's alone: this is as if it had none"
		# which may be this run's own
		lacks "$output" 'something else is mounted'
	done
	has "$output" "$me/scratch"
	prefix=()
	ends
}

@test "XML comes from standard input, too" {
	all_four
	output=$("$build/virt-parts" --hook-dir "$hooks" explain - prepare begin <"$file")
	has "$output" "mounts a tmpfs"
}

@test "where the part that records directives is masked, or another comes first, explain says that none counts" {
	all_four
	mkdir -p "$parts/prepare_begin.d"
	ln -s /dev/null "$parts/prepare_begin.d/05-virt-parts"
	told prepare begin
	[ "$status" -eq 0 ]
	lacks "$output" 'mounts a tmpfs'
	has "$output" "no part 'virt-parts' of prepare begin records the guest's directives"
	vp explain --json "$file" prepare begin
	same "$(json '[.parts[] | select(.state == "run")] | length')" 0
	told release end destroyed
	lacks "$output" "$me/scratch'"
	lives
	no_record
	is_there "$me/scratch"
	rm "$parts/prepare_begin.d/05-virt-parts"
	part "$parts/prepare_begin.d/05-virt-parts" true
	told prepare begin
	lacks "$output" 'mounts a tmpfs'
	starts
	not_mounted "$me/tmp"
}

@test "a shipped part that is not installed refuses the start of a guest that asks for it, and explain says so" {
	all_four
	mv "$vendor/prepare_begin.d/10-ramdisk" "$tree/"
	told prepare begin
	[ "$status" -eq 1 ]
	has "$output" "note: there is no part for <ramdisk> in '$vendor/prepare_begin.d', so the guest is refused when the other parts have run; install virt-parts again"
	vp explain --json "$file" prepare begin
	same "$(json '.refused')" true
	has "$(json '.notes[]')" 'there is no part for <ramdisk>'
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" "there is no part for <ramdisk> in '$vendor/prepare_begin.d'"
	does release end failed
	mv "$tree/10-ramdisk" "$vendor/prepare_begin.d/"
	# the one without which nothing is checked
	mv "$vendor/prepare_begin.d/05-virt-parts" "$tree/"
	told prepare begin
	[ "$status" -eq 1 ]
	has "$output" "there are no shipped parts in '$vendor/prepare_begin.d' that could honour the guest's directives, so it is refused before any part runs"
	refused 'that could honour its directives'
	mv "$tree/05-virt-parts" "$vendor/prepare_begin.d/"
	# a release that lacks one: what the run recorded counts
	starts
	mv "$vendor/release_end.d/20-archive" "$tree/"
	told release end destroyed
	[ "$status" -eq 1 ]
	has "$output" "there is no part for <archive> in '$vendor/release_end.d', so the run stays unfinished"
	told prepare begin
	has "$output" 'so the run stays unfinished'
	mv "$tree/20-archive" "$vendor/release_end.d/"
	ends
	# all of them
	rm -r "$vendor/prepare_begin.d"
	vp explain --json "$file" prepare begin
	same "$(json '.refused')" true
	has "$(json '.notes[]')" "there are no shipped parts in '$vendor/prepare_begin.d'"
}

@test "explain says that a file in the place of an image, and a mount in that of a ramdisk, refuse the start" {
	all_four
	told prepare begin
	[ "$status" -eq 0 ]
	mkdir -p "$iso/web1"
	echo 'no image' >"$iso/web1/seed.iso"
	told prepare begin
	[ "$status" -eq 1 ]
	has "$output" "refused: '$iso/web1/seed.iso' is not this guest's image; move it away or name another path"
	finds check "$file"
	has "$output" "error: <preload><iso>: '$iso/web1/seed.iso' is not this guest's image; move it away or name another path"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" "not this guest's image"
	does release end failed
	rm "$iso/web1/seed.iso"
	mkdir -p "$me/tmp"
	mount -t tmpfs -o size=64K other "$me/tmp"
	told prepare begin
	[ "$status" -eq 1 ]
	has "$output" "refused: something else is mounted on '$me/tmp'; unmount it or name another directory"
	finds check "$file"
	has "$output" "error: <ramdisk><dir>: something else is mounted on '$me/tmp'; unmount it or name another directory"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" 'something else is mounted'
	does release end failed
	umount "$me/tmp"
	# what its own run has mounted and built is none
	starts
	told prepare begin
	[ "$status" -eq 0 ]
	ends
	# nor what a guest that is gone has left, whose run is finished first
	starts
	guest web1 lxc $(($$ + 1))
	all_four
	told prepare begin
	lacks "$output" 'something else is mounted'
	vp check "$file"
	has "$output" "warning: <ramdisk><dir>: something else is mounted on '$me/tmp'; unmount it or name another directory; unless it is of the run"
	lacks "$output" 'error: '
	starts
	ends
}

@test "explain of a restore says that the failure of a part refuses the prepare that follows" {
	all_four
	told restore begin
	has "$output" 'the event stops there, and the prepare that follows is refused.'
	part "$parts/restore_begin.d/10-own" 'exit 1'
	does restore begin
	call prepare begin
	[ "$status" -ne 0 ]
}

@test "explain of a guest that was left for a snapshot says what a revert does, of one that was saved what a restore does" {
	ask_file "<preload><dircopy><src>$seed/www</src><dst>$guests/%NAME%/var/www</dst></dircopy></preload>"
	mkdir -p "$seed/www"
	echo page >"$seed/www/index.html"
	lives saved
	told prepare begin
	has "$output" "note: its run goes on: it ended as 'saved'; if it is started without a restore, its run is finished first, as lost"
	has "$output" "copies nothing over '$me/var/www'"
	does restore begin
	starts
	ends 'from snapshot'
	rm "$me/var/www/index.html"
	told prepare begin
	has "$output" "note: its run goes on: it ended as 'from-snapshot'"
	lacks "$output" 'as lost'
	lacks "$output" 'copies nothing'
	has "$output" "copies '$seed/www'"
	# what the run does not ask for does nothing
	vp explain --json "$file" prepare begin
	same "$(json '.parts[] | [.name, .state] | join(" ")')" '05-virt-parts run
10-ramdisk idle
20-preload run'
	starts
	is_there "$me/var/www/index.html"
	ends
}

@test "explain says of an unfinished run that came by migration, or goes on by one, that the guest starts without all that it preloads" {
	local how
	mkdir "$seed/www"
	ask_file "<ramdisk><dir size='256K'>$me/tmp</dir></ramdisk><preload><dircopy><src>$seed/www</src><dst>$me/tmp/x</dst></dircopy></preload>"
	for how in came comes; do
		head -c 1000000 /dev/zero >"$seed/www/large"
		call prepare begin
		[ "$status" -ne 0 ]
		# the end of that start cannot finish it
		sits "$me/tmp"
		call release end failed
		[ "$status" -ne 0 ]
		echo small >"$seed/www/large"
		told prepare begin
		has "$output" 'should it not be finished, the guest does not start'
		if [[ $how == came ]]; then
			sed -i 's/^begin .*/begin incoming/' "$record/run"
		else
			does migrate begin
		fi
		told prepare begin
		lacks "$output" 'the guest does not start'
		has "$output" 'nothing of it is touched, and the guest starts with what it left'
		does prepare begin
		kill "${helpers[@]}"
		wait "${helpers[@]}" || true
		helpers=()
		does release end failed
		nothing_left
	done
}

@test "explain says of a prepare that a migration has begun for what that does, unless no storage is shared" {
	all_four
	does migrate begin
	told prepare begin
	has "$output" 'note: a migration of the guest to this host has begun'
	has "$output" "copies nothing over '$me/var/www': the guest comes by migration and may still run elsewhere"
	has "$output" "uses the image '$iso/web1/seed.iso' as it is, builds it if it is missing"
	does prepare begin
	is_gone "$me/var/www/index.html"
	does release end failed
	does migrate begin
	policy '[migration]' 'shared-storage = no'
	told prepare begin
	lacks "$output" migration
	has "$output" "copies '$seed/www'"
	does prepare begin
	is_there "$me/var/www/index.html"
	does release end failed
}
