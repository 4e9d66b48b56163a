#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Which parts an event runs, in which order, and which are refused.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # variables of tree_make, hook and event
# shellcheck disable=SC2016,SC2086 # parts expand what is in them
load lib/tree.bash

setup() { tree_make; }
teardown() { tree_remove; }

# --- routing ---------------------------------------------------------------------------------------------------

@test "an event runs the parts of its own directory only" {
	part "$parts/prepare_begin.d/10-a"
	part "$parts/start_begin.d/10-b"
	part "$parts/prepare_end.d/10-c"
	part "$parts/lxc_prepare_begin.d/10-d"
	event prepare begin
	[ "$status" -eq 0 ]
	ran 10-a
}

@test "parts of all directories of an event run as one list in byte order" {
	part "$parts/prepare_begin.d/30-shared"
	part "$parts/qemu_prepare_begin.d/20-driver"
	part "$parts/domains/web1/prepare_begin.d/25-domain"
	part "$parts/prepare_begin.d/100-hundred"
	part "$parts/prepare_begin.d/3-three"
	part "$parts/prepare_begin.d/30-Shared"
	part "$hooks/qemu_prepare_begin_-.d/27-old"
	event prepare begin
	[ "$status" -eq 0 ]
	ran 100-hundred 20-driver 25-domain 27-old 3-three 30-Shared 30-shared
}

@test "of one name the guest's own part wins, then the driver's, the shared, the shipped, then the old layouts" {
	local places=("$parts/domains/web1/prepare_begin.d" "$parts/qemu_prepare_begin.d" "$parts/prepare_begin.d"
		"$vendor/qemu_prepare_begin.d" "$vendor/prepare_begin.d" "$hooks/qemu_prepare_begin_-.d" "$hooks/qemu.d/web1/prepare/begin")
	local place
	xml=$asking
	for place in "${places[@]}"; do
		part "$place/05-virt-parts" "echo '$place' >>\"\$seen\""
	done
	part "$vendor/prepare_begin.d/10-ramdisk" # without any shipped part nothing would be honoured
	for place in "${places[@]}"; do
		: >"$seen"
		event prepare begin
		[ "$status" -eq 0 ]
		ran "$place"
		rm "$place/05-virt-parts"
	done
}

@test "a link to /dev/null masks the parts of its name that come after it, and no others" {
	part "$parts/prepare_begin.d/20-x"
	part "$parts/prepare_begin.d/21-y"
	part "$parts/domains/web1/prepare_begin.d/30-z"
	part "$hooks/qemu_prepare_begin_-.d/20-x"
	mkdir -p "$parts/qemu_prepare_begin.d"
	ln -s /dev/null "$parts/qemu_prepare_begin.d/20-x"
	ln -s /dev/null "$parts/qemu_prepare_begin.d/30-z"
	event prepare begin
	[ "$status" -eq 0 ]
	ran 21-y 30-z
}

@test "a part for one guest runs for no other guest" {
	part "$parts/domains/web1/prepare_begin.d/10-a"
	hook qemu web2 prepare begin - 2>/dev/null
	hook qemu web1x prepare begin -
	ran
	hook qemu web1 prepare begin -
	ran 10-a
}

@test "what is not a part by its name does not run" {
	local name
	for name in README a-part .10-dot 10-a~ 10-a.bak 10-a.orig 10-a.rej 10-a.swp 10-a.dpkg-old 10-a.dpkg-new \
		10-a.ucf-dist 10-a.rpmsave 10-a.rpmnew 10-a.pacnew 10-a.pacsave '10-a b' '10-a$x' '#10-a#' -10-a; do
		part "$parts/prepare_begin.d/$name" "echo ran '$name' >>\"\$seen\""
	done
	event prepare begin
	[ "$status" -eq 0 ]
	ran
	[ ! -e "$tree/log" ]
}

@test "letters, digits, dots, underscores, plus and minus make the name of a part" {
	part "$parts/prepare_begin.d/10-Az_0.9+x-y.sh"
	part "$parts/prepare_begin.d/7"
	event prepare begin
	ran 10-Az_0.9+x-y.sh 7
}

@test "a numbered file that is not executable is skipped with a warning, and hides nothing" {
	part "$parts/qemu_prepare_begin.d/10-a"
	chmod 0644 "$parts/qemu_prepare_begin.d/10-a"
	part "$parts/prepare_begin.d/10-a"
	event prepare begin
	[ "$status" -eq 0 ]
	ran 10-a
	has "$(log_of qemu-web1)" 'warning: qemu_prepare_begin.d/10-a: skipped: it is not executable'
}

@test "a file in the place of a directory of parts is ignored with a warning" {
	echo >"$parts/prepare_begin.d"
	event prepare begin
	[ "$status" -eq 0 ]
	has "$(log_of qemu-web1)" 'warning: prepare_begin.d: ignored'
}

@test "a directory of parts that is a link which leads nowhere is refused like a part that is one, and so is parts.d" {
	local dir
	ln -s "$tree/missing" "$tree/link"
	mkdir -p "$parts/domains/web1"
	for dir in "$parts/prepare_begin.d" "$parts/qemu_prepare_begin.d" "$parts/domains/web1/prepare_begin.d" "$hooks/qemu_prepare_begin_-.d"; do
		ln -s "$tree/link" "$dir"
		event prepare begin
		[ "$status" -ne 0 ]
		has "$errors" "${dir##*/} failed ('$dir' is a link that leads nowhere: No such file or directory)"
		rm "$dir"
	done
	rm -r "$parts"
	ln -s "$tree/missing" "$parts"
	event prepare begin
	[ "$status" -ne 0 ]
	has "$errors" "parts.d failed ('$parts' is a link that leads nowhere: No such file or directory)"
	event reconnect begin
	[ "$status" -eq 0 ]
	mkdir "$tree/missing"
	event prepare begin
	[ "$status" -eq 0 ]
}

@test "a link that leads nowhere on the way to a directory of parts is refused like one in its place" {
	local link name xml
	part "$vendor/release_end.d/60-post-rm-rf" 'echo "60-post-rm-rf [$VIRT_PARTS_FAILED]" >>"$seen"'
	recorder post-rm-rf
	for link in domains domains/web1 qemu.d qemu.d/web1 qemu.d/web1/release; do
		if [[ $link == domains* ]]; then link=$parts/$link; else link=$hooks/$link; fi
		live
		: >"$seen"
		mkdir -p "${link%/*}"
		ln -s "$tree/missing" "$link"
		event release end shutdown
		[ "$status" -ne 0 ]
		has "$errors" "failed ('$link' is a link that leads nowhere: No such file or directory"
		if [[ $link == */domains* ]]; then name=release_end.d; else name=end; fi
		ran "60-post-rm-rf [$name]"
		has_record
		rm -r "$tree/state"
		# where it leads somewhere there is just nothing
		mkdir "$tree/missing"
		event release end
		[ "$status" -eq 0 ]
		rm -r "$tree/missing"
		# that of one guest is no matter to another
		if [[ $link == *web1* ]]; then
			hook qemu web2 release end -
		fi
		rm -r "$hooks/qemu.d" "$parts/domains" 2>/dev/null || true
	done
}

# --- network and daemon ----------------------------------------------------------------------------------------

@test "a network's events run the network's own directories only" {
	part "$parts/network_started_begin.d/10-net"
	part "$parts/started_begin.d/10-guest"
	part "$parts/domains/default/started_begin.d/10-domain"
	part "$hooks/network.d/default/started/begin"
	xml="<hookData><network><name>default</name><uuid>$uuid</uuid></network></hookData>"
	hook network default started begin -
	ran 10-net
	[ ! -e "$tree/run" ] # no lock
	has "$(log_of network-default)" '10-net: exit 0'
}

@test "the daemon's events need no XML, and have a log of their own" {
	part "$parts/daemon_start_-.d/10-a"
	part "$parts/daemon_reload_begin.d/10-b"
	part "$parts/daemon_shutdown_-.d/10-c"
	xml=
	hook daemon - start - start
	hook daemon - reload begin SIGHUP
	hook daemon - shutdown - shutdown
	ran 10-a 10-b 10-c
	has "$(log_of daemon)" 'start_-: begin extra=start'
	[ "$(ls "$tree/log")" = daemon.log ]
}

@test "a network with the words of a directive in its XML runs no shipped part" {
	recorder ramdisk
	part "$vendor/network_start_begin.d/05-virt-parts"
	xml="<hookData>urn:virt-parts:1<uuid>$uuid</uuid></hookData>"
	hook network default start begin -
	ran
	[ ! -e "$tree/state" ]
}

# --- the layouts of others -------------------------------------------------------------------------------------

@test "the layout of 2014 fires whatever the fourth argument is" {
	part "$hooks/qemu_release_end_-.d/10-a" 'echo "$4" >>"$seen"'
	event release end -
	event release end destroyed
	event release end 'from snapshot'
	same "$(tr '\n' , <"$seen")" '-,destroyed,from snapshot,'
}

@test "the layout of VFIO-Tools runs a file, or the files of a directory whatever they are called" {
	part "$hooks/qemu.d/web1/prepare/begin"
	part "$hooks/qemu.d/web1/release/end/bind_vfio.sh"
	part "$hooks/qemu.d/web1/release/end/a file" 'echo "a_file $*" >>"$seen"'
	part "$hooks/qemu.d/web1/release/end/old.bak"
	part "$hooks/qemu.d/web1/release/end/.hidden"
	event prepare begin
	event release end
	ran begin a_file web1 release end - bind_vfio.sh
}

@test "called by its own name beside somebody else's hook it leaves the old layouts to that" {
	part "$hooks/qemu.d/web1/prepare/begin"
	part "$hooks/qemu_prepare_begin_-.d/10-old"
	part "$hooks/parts.d/prepare_begin.d/20-own"
	rm "$hooks/qemu"
	"$build/virt-parts-hook" --driver qemu --hook-dir "$hooks" web1 prepare begin - <<<"$xml"
	ran 10-old 20-own begin
	: >"$seen"
	echo '#!/bin/sh' >"$hooks/qemu"
	"$build/virt-parts-hook" --driver qemu --hook-dir "$hooks" web1 prepare begin - <<<"$xml"
	ran 20-own
}

@test "the layout of VFIO-Tools runs scripts without #! by bash, and files that are empty" {
	local end=$hooks/qemu.d/web1/release/end
	mkdir -p "$end"
	printf '%s\n' 'set -f; words=("$0" "$@"); [[ -n $words ]] && (IFS=\|; echo "${words[*]}" >>'"$seen)" >"$end/a script.sh"
	: >"$end/empty"
	chmod 0755 "$end"/*
	event release end
	[ "$status" -eq 0 ]
	same "$(<"$seen")" "$end/a script.sh|web1|release|end|-"
	# what it is like counts for it all the same, and what is no script fails
	chmod 0757 "$end/empty"
	printf '\177ELF\0\0\0\0\n' >"$end/z-binary"
	chmod 0755 "$end/z-binary"
	event release end
	[ "$status" -ne 0 ]
	has "$errors" 'end/empty failed (it can be written by others than root'
	has "$errors" 'end/z-binary failed (exit 126)'
	# and nothing else gets a shell
	rm -r "$hooks/qemu.d"
	mkdir -p "$hooks/qemu_release_end_-.d"
	: >"$hooks/qemu_release_end_-.d/10-a"
	chmod 0755 "$hooks/qemu_release_end_-.d/10-a"
	event release end
	[ "$status" -ne 0 ]
	has "$errors" '10-a failed (cannot be run: it is no program'
}

@test "the layout of VFIO-Tools passes directories over, and files that are not executable with a warning" {
	part "$hooks/qemu.d/web1/prepare/begin/start.sh"
	mkdir "$hooks/qemu.d/web1/prepare/begin/lib"
	ln -s lib "$hooks/qemu.d/web1/prepare/begin/link"
	part "$hooks/qemu.d/web1/prepare/begin/vfio.sh"
	chmod 0644 "$hooks/qemu.d/web1/prepare/begin/vfio.sh"
	event prepare begin
	[ "$status" -eq 0 ]
	ran start.sh
	has "$(log_of qemu-web1)" 'qemu.d/web1/prepare/begin/vfio.sh: skipped: it is not executable'
	lacks "$(log_of qemu-web1)" lib
	# the operation's own file, too
	part "$hooks/qemu.d/web1/release/end"
	chmod 0644 "$hooks/qemu.d/web1/release/end"
	event release end
	[ "$status" -eq 0 ]
	has "$(log_of qemu-web1)" 'qemu.d/web1/release/end: skipped: it is not executable'
}

@test "an executable of libvirt's own in <driver>.d is not taken for a directory of a guest" {
	part "$hooks/qemu.d/web1"
	event prepare begin
	[ "$status" -eq 0 ]
	ran
}

@test "called from <driver>.d it serves the directory above, and leaves the old layouts to the hook" {
	mkdir "$hooks/qemu.d"
	ln -s ../../sbin/virt-parts-hook "$hooks/qemu.d/50-virt-parts"
	part "$parts/prepare_begin.d/10-a"
	part "$hooks/qemu_prepare_begin_-.d/10-b"
	part "$hooks/qemu.d/web1/prepare/begin"
	"$hooks/qemu.d/50-virt-parts" web1 prepare begin - <<<"$xml"
	ran 10-a
}

@test "called by a relative name or through another directory it finds its own" {
	part "$parts/prepare_begin.d/10-a" 'echo "$VIRT_PARTS_HOOK_DIR" >>"$seen"'
	mkdir "$hooks/qemu.d"
	ln -s ../../sbin/virt-parts-hook "$hooks/qemu.d/50-virt-parts"
	cd "$hooks"
	./qemu web1 prepare begin - <<<"$xml"
	cd qemu.d
	../qemu web1 prepare begin - <<<"$xml"
	cd "$tree"
	hooks/qemu web1 prepare begin - <<<"$xml"
	"$tree/sbin/virt-parts-hook" --driver qemu --hook-dir hooks web1 prepare begin - <<<"$xml"
	same "$(wc -l <"$seen")" 4
	local dir
	while read -r dir; do
		same "$(realpath "$dir")" "$hooks"
	done <"$seen"
}

# --- shipped parts ---------------------------------------------------------------------------------------------

@test "shipped parts do nothing for a guest without directives, and leave no trace" {
	recorder ramdisk
	part "$vendor/prepare_begin.d/10-ramdisk"
	event prepare begin
	[ "$status" -eq 0 ]
	ran
	[ ! -e "$tree/log" ] && [ ! -e "$tree/run" ] && [ ! -e "$tree/state" ]
}

@test "each sign of a directive in the XML makes the first shipped part run" {
	recorder
	local sign
	for sign in "<x xmlns='urn:virt-parts:1'/>" '<ramdisk><dir/></ramdisk>' '<preload>' '<archive>' '<post-rm-rf>'; do
		: >"$seen"
		rm -rf "$tree/state"
		xml="<domain><uuid>$uuid</uuid><metadata>$sign</metadata></domain>"
		event prepare begin
		ran 05-virt-parts
	done
}

@test "a sign that lies across two reads is seen" {
	recorder
	local fill at
	for at in 65530 65536 65595 65600; do
		: >"$seen"
		rm -rf "$tree/state"
		fill=$(head -c $at /dev/zero | tr '\0' x)
		xml="<uuid>$uuid</uuid>${fill:60}urn:virt-parts:1"
		event prepare begin
		ran 05-virt-parts
	done
}

@test "a shipped part runs only for the directive that the record has, and one that an admin adds always" {
	recorder ramdisk
	part "$vendor/prepare_begin.d/10-ramdisk"
	part "$vendor/prepare_begin.d/20-preload"
	part "$parts/prepare_begin.d/30-own"
	xml=$asking
	event prepare begin
	[ "$status" -eq 0 ]
	ran 05-virt-parts 10-ramdisk 30-own
}

@test "a shipped part finds the record that the first one has just made" {
	recorder ramdisk
	part "$parts/prepare_begin.d/01-early" 'echo "early[$VIRT_PARTS_STATE_DIR]" >>"$seen"'
	part "$vendor/prepare_begin.d/10-ramdisk" 'echo "late[$VIRT_PARTS_STATE_DIR]" >>"$seen"'
	xml=$asking
	event prepare begin
	ran 'early[]' 05-virt-parts "late[$tree/state/qemu/$uuid]"
}

@test "a shipped part that is idle still hides one of the old layout of its name" {
	recorder
	part "$vendor/prepare_begin.d/20-preload"
	part "$hooks/qemu_prepare_begin_-.d/20-preload"
	part "$hooks/qemu_prepare_begin_-.d/30-other"
	event prepare begin
	ran 30-other
}

# --- names of guests -------------------------------------------------------------------------------------------

@test "guests of odd names get their events, their own parts and their logs" {
	local name
	for name in -rf 'a b' '$(id)' '`x`;y' --help --version --driver; do
		part "$parts/domains/$name/prepare_begin.d/10-own" 'printf "%s|" "$@" "$VIRT_PARTS_DOMAIN" >>"$seen"'
		: >"$seen"
		hook qemu "$name" prepare begin -
		same "$(<"$seen")" "$name|prepare|begin|-|$name|"
		[ -f "$tree/log/qemu-$name.log" ]
	done
}

@test "a guest called .. gets no parts for it alone, from nowhere, and the log says so" {
	part "$parts/prepare_begin.d/10-a"
	part "$parts/domains/prepare_begin.d/20-above"
	part "$hooks/qemu.d/prepare/begin"
	part "$hooks/prepare/begin"
	local name
	for name in . ..; do
		: >"$seen"
		hook qemu $name prepare begin -
		ran 10-a
		has "$(log_of "qemu-$name")" "warning: '$name' cannot be the name of a directory"
	done
}

@test "a name that makes no good file name has its log under the UUID" {
	part "$parts/prepare_begin.d/10-a"
	local name
	for name in $'new\nline' "$(head -c 201 /dev/zero | tr '\0' n)" a/b; do
		hook qemu "$name" prepare begin -
	done
	same "$(ls "$tree/log")" "qemu-$uuid.log"
	ran 10-a 10-a 10-a
}

# --- trust -----------------------------------------------------------------------------------------------------

# refused WHY: prepare is refused, its error says WHY, and the part did not run
refused() {
	: >"$seen"
	event prepare begin
	[ "$status" -eq 1 ]
	has "$errors" "prepare_begin.d/10-a failed"
	has "$errors" "$1"
	((${#around[@]})) || has "$(log_of qemu-web1)" '10-a: refused: '
	ran
}

@test "a part that is not root's, or that others can write, is refused" {
	local file=$parts/prepare_begin.d/10-a
	part "$file"
	chmod 0775 "$file"
	refused 'written by others'
	chmod 0757 "$file"
	refused 'written by others'
	chmod 0755 "$file"
	chown 4242 "$file"
	refused 'belongs to user 4242'
	chown 0:4242 "$file"
	event prepare begin
	ran 10-a
}

@test "a part that is setuid or setgid, or no regular file, is refused" {
	local file=$parts/prepare_begin.d/10-a
	part "$file"
	chmod 4755 "$file"
	refused 'setuid'
	chmod 2755 "$file"
	refused 'setuid'
	rm "$file"
	mkdir "$file"
	refused 'not a regular file'
	rmdir "$file"
	mkfifo -m 0700 "$file"
	refused 'not a regular file'
}

@test "a directory of parts, or one above it, that others can write is refused, sticky or not" {
	local dir
	part "$parts/prepare_begin.d/10-a"
	hide_host
	for dir in "$parts/prepare_begin.d" "$parts" "$hooks" "$tree"; do
		chmod 0775 "$dir"
		refused "'$dir' can be written by others"
		chmod 1777 "$dir"
		refused "'$dir' can be written by others"
		chmod 0755 "$dir"
		chown 4242 "$dir"
		refused "'$dir' belongs to user 4242"
		chown 0 "$dir"
	done
	event prepare begin
	ran 10-a
}

@test "an access list that lets others write is seen" {
	part "$parts/prepare_begin.d/10-a"
	command -v setfacl >/dev/null || skip 'needs acl'
	setfacl -m u:4242:rwx "$parts/prepare_begin.d"
	refused 'can be written by others'
	setfacl -b "$parts/prepare_begin.d"
	setfacl -m u:4242:rw "$parts/prepare_begin.d/10-a"
	refused 'can be written by others'
}

@test "the target of a link is checked with all that is above it" {
	local target=$tree/elsewhere/dir/program
	part "$target"
	mkdir -p "$parts/prepare_begin.d"
	ln -s "$target" "$parts/prepare_begin.d/10-a"
	event prepare begin
	ran 10-a
	chmod 0777 "$target"
	refused "'$target' can be written by others"
	chmod 0755 "$target"
	chmod 0777 "$tree/elsewhere"
	refused "'$tree/elsewhere' can be written by others"
	chmod 0755 "$tree/elsewhere"
	chown -h 4242 "$parts/prepare_begin.d/10-a"
	refused "10-a' belongs to user 4242"
	chown -h 0 "$parts/prepare_begin.d/10-a"
	rm "$target"
	refused 'leads nowhere'
}

@test "a link chain through a place that others can write is refused" {
	local open
	open=$(mktemp -d /tmp/virt-parts-test.XXXXXX)
	part "$tree/program"
	mkdir -p "$parts/prepare_begin.d"
	ln -s "$tree/program" "$open/link"
	ln -s "$open/link" "$parts/prepare_begin.d/10-a"
	refused "'/tmp' can be written by others"
	rm -r "$open"
}

@test "a mask that somebody else has made masks nothing and is refused" {
	mkdir -p "$parts/prepare_begin.d"
	ln -s /dev/null "$parts/prepare_begin.d/10-a"
	event prepare begin
	[ "$status" -eq 0 ]
	chown -h 4242 "$parts/prepare_begin.d/10-a"
	refused 'belongs to user 4242'
}

# swapping A B: an unprivileged user exchanges them as fast as he can, until swapped
swapping() {
	setpriv --reuid 4242 --clear-groups "$swapper" swap "$1" "$2" >"$tree/swaps" 3>&- &
	swapping=$!
}

swapped() {
	kill "$swapping"
	wait "$swapping" || true
	echo "swaps: $(<"$tree/swaps"), naive: ${naive:-}" >&2
	[ "$(grep -oE '[0-9]+' "$tree/swaps" | head -n 1)" -ge "$(full 100000 1000)" ]
}

@test "an unprivileged user who swaps files wherever he can never gets one run" {
	local swapper=$build/tools/swapper i naive=0 place rounds
	without_valgrind 'a race takes many starts'
	[[ -x $swapper ]] || skip "$swapper is not built"
	rounds=$(full 2000 60)
	part "$tree/good/20-b" true
	mkdir -m 0777 "$tree/open"
	printf '#!/bin/sh\necho evil >>%s/open/evil\n' "$tree" >"$tree/open/program"
	chmod 0755 "$tree/open/program"
	chown 4242 "$tree/open/program"
	ln -s "$tree/good/20-b" "$tree/open/part"
	chown -h 4242 "$tree/open/part"
	: >"$tree/open/evil"
	chmod 0666 "$tree/open/evil"
	# who looks first and runs then is caught
	swapping "$tree/open/part" "$tree/open/program"
	for ((i = 0; i < rounds * 20 && naive < $(full 1000 3); i++)); do
		if [[ $(stat -L -c %u "$tree/open/part" 2>/dev/null) == 0 ]]; then
			"$tree/open/part" 2>/dev/null || true
		fi
		naive=$(wc -l <"$tree/open/evil")
	done
	((naive >= $(full 1000 3)))
	# the dispatcher is not: not where the target lies, nor in the directory of parts itself
	: >"$tree/open/evil"
	mkdir "$parts/prepare_begin.d"
	ln -s "$tree/open/part" "$parts/prepare_begin.d/20-b"
	for ((i = 0; i < rounds; i++)); do
		not hook qemu web1 prepare begin - 2>/dev/null
	done
	swapped
	rm -r "$parts/prepare_begin.d"
	mv "$tree/open" "$parts/prepare_begin.d"
	mv "$parts/prepare_begin.d/part" "$parts/prepare_begin.d/20-b"
	mv "$parts/prepare_begin.d/evil" "$tree/evil"
	sed -i "s,$tree/open/evil,$tree/evil," "$parts/prepare_begin.d/program"
	swapping "$parts/prepare_begin.d/20-b" "$parts/prepare_begin.d/program"
	for ((i = 0; i < rounds; i++)); do
		not hook qemu web1 prepare begin - 2>/dev/null
	done
	swapped
	same "$(<"$tree/evil")" ''
	proof 17 "$(tr -dc 0-9 <"$tree/swaps")" 0 "$naive" "exchanges in $rounds events"
}
