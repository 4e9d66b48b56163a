#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of the words of virt-parts in bash.

# shellcheck disable=SC2034,SC2154,SC2317 # variables of bash's completion, and of cli_make
load lib/cli.bash

setup() {
	cli_make
	# shellcheck source=src/cli/virt-parts.bash-completion
	source "$checkout/src/cli/virt-parts.bash-completion"
	virsh() { printf '%s\n' web1 web2 db1; }
	timeout() { shift && "$@"; }
}

teardown() { parts_remove; }

# completes WORD...: the last is being written; what is offered is in $offered. Bash parts words at colons.
completes() {
	local word
	COMP_WORDS=(virt-parts) COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
	for word; do
		while [[ $word =~ ^(:+)([^:].*)$ || $word =~ ^([^:]+)(:.*)$ ]]; do
			COMP_WORDS+=("${BASH_REMATCH[1]}")
			word=${BASH_REMATCH[2]}
		done
		COMP_WORDS+=("$word")
	done
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_virt_parts
	offered=" ${COMPREPLY[*]} "
}

@test "a command is completed, and every command is offered" {
	completes st
	same "$offered" ' status '
	completes ''
	local command
	while read -r command; do
		has "$offered" " $command "
	done < <("$build/virt-parts" --help | sed -n 's/^  \([a-z]\{3,\}\) .*/\1/p')
}

@test "every option of a command is offered, and no other" {
	local command option
	for command in list explain status resolve check doctor show set edit clear template run log attach detach attached; do
		completes "$command" --
		while read -r option; do
			has "$offered" " $option "
		done < <("$build/virt-parts" "$command" --help | grep -oE -- '--[a-z-]+')
		for option in $offered; do
			# one that is not known is refused before anything else
			lacks "$("$build/virt-parts" "$command" "$option" --help 2>&1)" 'is no option'
		done
	done
}

@test "guests, events, reasons and directives are completed where they stand" {
	completes explain w
	same "$offered" ' web1 web2 '
	completes -c lxc:///system status d
	same "$offered" ' db1 '
	completes -c qemu:///system ''
	has "$offered" ' explain '
	completes explain web1 pre
	same "$offered" ' prepare '
	completes explain web1 release ''
	same "$offered" ' end '
	completes explain web1 release end s
	same "$offered" ' shutdown saved '
	completes run web1 release end --reason dest
	same "$offered" ' destroyed '
	completes list l
	same "$offered" ' lxc libxl '
	completes list qemu started ''
	same "$offered" ' begin '
	completes list network p
	same "$offered" ' port-created port-deleted '
	completes list daemon ''
	same "$offered" ' start reload shutdown '
	completes list daemon start ''
	same "$offered" ' - '
	completes set web1 post
	same "$offered" ' post-rm-rf '
	virt-parts() {
		[[ $* == 'attached web1' ]]
		printf '%s\n' 'NAME DEVICE BYTES' 'data vda 10' 'more - 10'
	}
	completes detach web1 ''
	same "$offered" ' data more '
	completes detach web1 m
	same "$offered" ' more '
	completes template arch
	same "$offered" ' archive '
}

@test "files of XML are completed where a guest may be one" {
	cd "$tree"
	touch guest.xml other.txt
	completes check g
	same "$offered" ' guest.xml '
}

@test "what holds a colon is one word: where a daemon is, and a file's name" {
	# bash puts what is offered behind the colon
	completes -c qemu
	same "$offered" ' qemu:///system '
	completes -c qemu:
	same "$offered" ' ///system '
	completes -c lxc:///sy
	same "$offered" ' ///system '
	completes -c qemu+ssh://root@host/system resolve --
	has "$offered" ' --save-discarded '
	virsh() { [[ $* == *'-c qemu:///session list'* ]] && echo theirs; }
	completes -c qemu:///session status ''
	same "$offered" ' theirs '
	cd "$tree"
	touch a:b.xml a:c.xml
	completes check a:b
	same "$offered" ' b.xml '
	completes check a:
	same "$offered" ' b.xml c.xml '
}
