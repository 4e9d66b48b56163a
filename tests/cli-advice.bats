#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What messages say to do is done, and works: those of a prepare, which check tells before, in a tree of hooks.
# Those that need a libvirt are in lives-advice.bats; those of doctor and status in cli-doctor.bats, cli-status.bats.

# shellcheck disable=SC2016,SC2034,SC2154 # variables of cli_make and vp, and of a script
load lib/cli.bash

setup() { cli_make; }
teardown() { parts_remove; }

# advised ADVICE DIRECTIVES [DEVICES]: check and prepare refuse that, both with this advice
advised() {
	ask_file "$2" "${3:-}"
	vp check "$file"
	[[ $status -eq 1 ]] || return
	has "$output" "$1" || return
	refused "$1"
}

# taken DIRECTIVES [DEVICES]: with that it starts
taken() {
	ask_file "$@"
	vp check --json "$file"
	same "$(json '[.[] | select(.level == "error")] | length')" 0 && accepted
}

@test "a path that is not allowed: an allowed one is used, or one is added" {
	advised "use an allowed path or have one added to its [paths]" "<post-rm-rf><dir>$tree/other/x</dir></post-rm-rf>"
	taken "<post-rm-rf><dir>$me/x</dir></post-rm-rf>"
	policy "delete = $tree/other"
	taken "<post-rm-rf><dir>$tree/other/x</dir></post-rm-rf>"
}

@test "an allowed root itself: a directory below it is named" {
	advised 'name a directory below it' "<post-rm-rf><dir>$me</dir></post-rm-rf>"
	taken "<post-rm-rf><dir>$me/x</dir></post-rm-rf>"
}

@test "a source that is missing: it is made, or another is named" {
	local copy="<preload><dircopy><src>$seed/www</src><dst>$me/www</dst></dircopy></preload>"
	advised 'make it, or name another directory' "$copy"
	mkdir "$seed/other"
	taken "${copy//seed\/www/seed\/other}"
	mkdir "$seed/www"
	taken "$copy"
}

@test "a ramdisk that is too large: less is asked for, or ramdisk-size is raised" {
	policy '[limits]' 'ramdisk-size = 1M'
	advised 'ask for less or raise it' "<ramdisk><dir size='2M'>$me/tmp</dir></ramdisk>"
	taken "<ramdisk><dir size='1M'>$me/tmp</dir></ramdisk>"
	policy '[limits]' 'ramdisk-size = 2M'
	taken "<ramdisk><dir size='2M'>$me/tmp</dir></ramdisk>"
}

@test "a ramdisk where the container would not see it: it is mounted on the source, or below the root's" {
	local root="<filesystem><source dir='$me'/><target dir='/'/></filesystem>"
	local data="<filesystem><source dir='$me/data'/><target dir='/data'/></filesystem>"
	mkdir -p "$me/data"
	advised "mount on that source itself, or below the root's" "<ramdisk><dir size='1M'>$me/data/deep</dir></ramdisk>" "$root$data"
	taken "<ramdisk><dir size='1M'>$me/data</dir></ramdisk>" "$root$data"
	taken "<ramdisk><dir size='1M'>$me/tmp</dir></ramdisk>" "$root$data"
}

@test "a deletion that would take a filesystem of the guest: that is emptied, or what lies beside is deleted" {
	local data="<filesystem><source dir='$me/data/deep'/><target dir='/data'/></filesystem>"
	mkdir -p "$me/data"/{deep/er,beside}
	advised 'name that, to have it emptied, or what lies beside it' "<post-rm-rf><dir>$me/data</dir></post-rm-rf>" "$data"
	ask_file "<post-rm-rf><dir>$me/data/deep</dir><dir>$me/data/beside</dir></post-rm-rf>" "$data"
	lives
	is_gone "$me/data/beside" "$me/data/deep/er"
	is_there "$me/data/deep"
}

@test "a file that is in the way of an image: it is moved away, or another path is named" {
	local image="<preload><iso path='$iso/%NAME%/a.iso'><file path='a'>x</file></iso></preload>"
	mkdir -p "$iso/web1"
	echo mine >"$iso/web1/a.iso"
	ask_file "$image"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" 'move it away or name another path'
	does release end failed
	ask_file "${image//a.iso/b.iso}"
	accepted
	mv "$iso/web1/a.iso" "$tree/kept"
	ask_file "$image"
	accepted
	holds "$tree/kept" mine
}

@test "an empty <replace>: it says which text stands for the date" {
	archive_of() {
		echo "<archive><datestr><format>%Y</format><replace>$1</replace></datestr><dircopy><src>$me/log</src>
			<dst>$archive/%NAME%/a@</dst></dircopy></archive>"
	}
	mkdir "$me/log"
	advised 'say which text stands for the date' "$(archive_of '')"
	taken "$(archive_of @)"
}

@test "a path that another guest's run has claimed: that run is ended, or the path has the guest's name" {
	policy "write = $tree/shared" "write = $guests/%NAME%"
	mkdir "$tree/shared" "$guests/web2"
	ask_file "<ramdisk><dir size='1M'>$tree/shared/tmp</dir></ramdisk>"
	starts
	local first=$id
	guest web2 lxc $(($$ + 1))
	ask_file "<ramdisk><dir size='1M'>$tree/shared/tmp</dir></ramdisk>"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" "finish its run, if it has ended, with 'virt-parts resolve $first', or use %NAME% in the path"
	taken "<ramdisk><dir size='1M'>$guests/%NAME%/tmp</dir></ramdisk>"
	guest web1 lxc $$
	ends
	guest web2 lxc $(($$ + 1))
	taken "<ramdisk><dir size='1M'>$tree/shared/tmp</dir></ramdisk>"
}

@test "a ramdisk that is in use: what uses it is ended, and the next start unmounts it first" {
	ask_file "<ramdisk><dir size='1M'>$me/tmp</dir></ramdisk>"
	starts
	(cd "$me/tmp" && exec sleep 3600) </dev/null >/dev/null 2>&1 3>&- 4>&- &
	helpers+=($!)
	within 60 test "/proc/$!/cwd" -ef "$me/tmp"
	touch "$me/tmp/old"
	call release end destroyed
	[ "$status" -ne 0 ]
	says 'end what uses it, the next start of the guest then unmounts it first'
	kill "${helpers[-1]}"
	wait "${helpers[-1]}" || true
	does prepare begin
	is_mounted "$me/tmp"
	is_gone "$me/tmp/old"
	ends
	nothing_left
}

@test "no shipped parts where parts.conf says: [dirs] is mended" {
	ask_file "<ramdisk><dir size='1M'>$me/tmp</dir></ramdisk>"
	sed -i "s|^vendor = .*|vendor = $tree/elsewhere|" "$hooks/parts.conf"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" 'install virt-parts again, or mend [dirs] vendor in parts.conf'
	sed -i "s|^vendor = .*|vendor = $vendor|" "$hooks/parts.conf"
	accepted
}

@test "no valid parts.conf: it is mended" {
	ask_file "<ramdisk><dir size='1M'>$me/tmp</dir></ramdisk>"
	echo nonsense >>"$hooks/parts.conf"
	# the built-in directories count then
	[[ ! -e /usr/lib/virt-parts/parts.d ]] || skip 'virt-parts is installed here'
	vp check "$file"
	has "$output" 'mend it and try again'
	sed -i '$d' "$hooks/parts.conf"
	accepted
}

@test "a text that edit does not store: it is stored where edit would have, in the same guest of the same daemon" {
	local words path
	known
	printf '#!/bin/sh\necho "<virt-parts/>" >"$1"\nexit 3\n' >"$tree/editor"
	chmod +x "$tree/editor"
	prefix=(env EDITOR="$tree/editor")
	mv "${daemon#test://}" "$tree/a'b.xml"
	for words in '' '--config' '--live' '--live --config --no-check'; do
		# shellcheck disable=SC2086 # words
		wrong -c "test:///$tree/a'b.xml" edit $words web1
		path=$(grep -oE "/tmp/virt-parts\.[^']*" <<<"$errors")
		rm -r "${path%/*}"
		has "$errors" "your text is kept: mend it and say 'virt-parts -c 'test:///$tree/a'\\''b.xml' --hook-dir $hooks set ${words:+$words }$id $path'"
	done
}

@test "what others have stored while edit was open: it is shown where edit would have stored, by the command that edit names" {
	local path uri="test:///$tree/a'b.xml"
	ask_file "<ramdisk><dir size='1M'>$me/theirs</dir></ramdisk>"
	known_as_asked
	mv "${daemon#test://}" "$tree/theirs.xml"
	known
	mv "${daemon#test://}" "$tree/a'b.xml"
	printf '#!/bin/sh\necho "<virt-parts><x/></virt-parts>" >"$1"\ncp "%s" "%s"\n' "$tree/theirs.xml" "$tree/a'b.xml" >"$tree/editor"
	chmod +x "$tree/editor"
	prefix=(env EDITOR="$tree/editor")
	wrong -c "$uri" edit --config --no-check web1
	has "$errors" "nothing was stored, since the directives of 'web1' have been changed meanwhile"
	path=$(grep -oE '/tmp/virt-parts\.[^ ]*/virt-parts\.xml' <<<"$errors")
	rm -r "${path%/*}"
	local command="-c 'test:///$tree/a'\\''b.xml' --hook-dir $hooks show --config $id"
	has "$errors" "they are shown by 'virt-parts $command'"
	has "$(bash -c "$build/virt-parts $command")" "$me/theirs"
}
