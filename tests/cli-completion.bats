#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of the words of virt-parts in bash.

# variables of bash's completion, and of cli_make; names that must not be run
# shellcheck disable=SC2016,SC2034,SC2154,SC2317
load lib/cli.bash

setup() {
	cli_make
	# shellcheck source=src/cli/virt-parts.bash-completion
	source "$checkout/src/cli/virt-parts.bash-completion"
	# compgen reads quotes only where lines are edited
	bind -v >/dev/null 2>&1
	virsh() { printf '%s\n' web1 web2 db1; }
	timeout() { shift && "$@"; }
}

teardown() { parts_remove; }

# completes WORD...: the last is being written; what is offered is in $offered. Bash parts words at colons that are not quoted.
completes() {
	local word together="([^:\\\"']|\\\\.|\"[^\"]*(\"|\$)|'[^']*('|\$))+"
	COMP_WORDS=(virt-parts) COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
	for word; do
		while [[ $word =~ ^(:+)[^:].*$ || $word =~ ^($together):.*$ ]]; do
			COMP_WORDS+=("${BASH_REMATCH[1]}")
			word=${word#"${BASH_REMATCH[1]}"}
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

@test "a guest's name is never run: what the shell would read otherwise is offered quoted" {
	mkdir "$tree/here"
	cd "$tree/here"
	local -a names=('$(touch ran)' '`touch ran`' 'a;touch ran' "it's" 'my guest' plain)
	virsh() { printf '%s\n' "${names[@]}" ''; }
	local command typed
	for command in explain status detach; do
		for typed in '' '$' "\$(touch ran" '`' "'" '"' my; do
			completes "$command" "$typed"
		done
		is_gone ran
		completes "$command" ''
		same "${#COMPREPLY[@]}" 6
		# as the shell reads them they are the names
		eval "typed=(${COMPREPLY[*]})"
		same "$(printf '%s\n' "${typed[@]}")" "$(printf '%s\n' "${names[@]}" | sort)"
	done
	completes status 'my\ g'
	same "${#COMPREPLY[@]}:${COMPREPLY[0]}" '1:my\ guest'
	completes status my
	same "${#COMPREPLY[@]}:${COMPREPLY[0]}" '1:my\ guest'
	# a quote that is open protects most, and a backslash within would be a part of the name
	completes status '"'
	same "${COMPREPLY[*]}" "a;touch ran it's my guest plain"
	completes status "'"
	same "${COMPREPLY[*]}" '$(touch ran) `touch ran` a;touch ran my guest plain'
	virt-parts() {
		[[ $* == 'attached my guest' && $2 == 'my guest' ]]
		printf '%s\n' 'NAME DEVICE BYTES' '$(touch${IFS}ran) vda 10'
	}
	completes detach 'my\ guest' ''
	same "${COMPREPLY[0]}" '\$\(touch\$\{IFS\}ran\)'
	is_gone ran
}

@test "a file's name is offered quoted, behind the directory as it was written" {
	cd "$tree"
	mkdir 'my dir' mine
	touch '$(touch ran).xml' 'mine/guest one.xml'
	completes check '$'
	same "${COMPREPLY[0]}" '\$\(touch\ ran\).xml'
	completes check mine/g
	same "${COMPREPLY[0]}" 'mine/guest\ one.xml'
	completes set web1 mine/g
	same "${COMPREPLY[0]}" 'mine/guest\ one.xml'
	completes check --hook-dir my
	same "${COMPREPLY[0]}" 'my\ dir'
	HOME=$tree
	# shellcheck disable=SC2088 # as it is written
	completes check '~/$'
	# shellcheck disable=SC2088
	same "${COMPREPLY[0]}" '~/\$\(touch\ ran\).xml'
	is_gone ran
}

@test "what stands in quotes that are closed again stays as it is written" {
	cd "$tree"
	mkdir 'my dir'
	touch guest.xml 'my dir/guest one.xml'
	HOME=$tree
	completes check '"$HOME"/gu'
	same "${COMPREPLY[0]}" '"$HOME"/guest.xml'
	completes set web1 "'$tree'/gu"
	same "${COMPREPLY[0]}" "'$tree'/guest.xml"
	completes attach web1 --src '"$HOME"/my'
	same "${COMPREPLY[0]}" '"$HOME"/my\ dir'
	completes set web1 '"my"\ d'
	same "${COMPREPLY[0]}" 'my\ dir'
	completes set web1 '"my dir"/g'
	same "${COMPREPLY[0]}" '"my dir"/guest\ one.xml'
	# one that is closed behind the last slash is closed there
	completes check '"my dir/gu"es'
	same "${COMPREPLY[0]}" '"my dir/"guest\ one.xml'
	completes status '"we"b'
	same "$offered" ' web1 web2 '
}

@test "behind a quote that is open a name is offered as it is, if the quote protects it" {
	cd "$tree"
	mkdir 'my dir'
	touch "my dir/it's mine" 'my dir/`touch ran`' 'my dir/guest one.xml'
	completes set web1 "\"$tree/my"
	same "${#COMPREPLY[@]}:${COMPREPLY[0]}" "1:$tree/my dir"
	completes set web1 "'my dir/"
	same "$(printf '%s\n' "${COMPREPLY[@]}" | sort)" "$(printf '%s\n' 'my dir/`touch ran`' 'my dir/guest one.xml' | sort)"
	completes set web1 '"my dir/'
	same "$(printf '%s\n' "${COMPREPLY[@]}" | sort)" "$(printf '%s\n' 'my dir/guest one.xml' "my dir/it's mine" | sort)"
	# what stands before the quote stays
	completes check 'my\ dir/"gu'
	same "${#COMPREPLY[@]}:${COMPREPLY[0]}" '1:guest one.xml'
	completes check 'my\ dir/gu"e'
	same "${#COMPREPLY[@]}:${COMPREPLY[0]}" '1:est one.xml'
	completes check '"my"" d'
	same "${#COMPREPLY[@]}" 0
	virsh() { printf '%s\n' 'my guest' a:b; }
	completes status "my' "
	same "${#COMPREPLY[@]}:${COMPREPLY[0]}" '1: guest'
	# and there bash does not part at a colon
	completes status '"a:'
	same "$offered" ' a:b '
	completes status 'a:"'
	same "$offered" ' b '
	completes -c '"qemu:'
	same "$offered" ' qemu:///system '
	is_gone ran
}

@test "what stands before a colon stays, quoted in whatever way" {
	virsh() { printf '%s\n' 'a,b:c d:e'; }
	completes status a,b:
	same "${COMPREPLY[0]}" 'c\ d:e'
	completes status 'a\,b:'
	same "${COMPREPLY[0]}" 'c\ d:e'
	completes status '"a,b":c'
	same "${COMPREPLY[0]}" 'c\ d:e'
	completes status 'a,b:c\ d:'
	same "${COMPREPLY[0]}" e
	# bash does not part at one that is quoted
	completes status 'a,b\:c'
	same "${COMPREPLY[0]}" 'a\,b:c\ d:e'
	cd "$tree"
	mkdir 'x:y'
	touch 'a,b:c.xml' 'x:y/a,b:c.xml'
	completes check a,b:
	same "${COMPREPLY[0]}" c.xml
	completes check '"x:y"/a,b:'
	same "${COMPREPLY[0]}" c.xml
	completes check --hook-dir "$tree/x:"
	same "${COMPREPLY[0]}" y
}

@test "bash itself makes of what is typed, the tabulator and the offer the words that are meant" {
	mkdir -p "$tree/here/my dir/x:y"
	cd "$tree/here"
	touch 'my dir/guest one.xml' 'my dir/x:y/a,b:c.xml' '$(touch ran).xml'
	cat >../rc <<-RC
		bind 'set enable-bracketed-paste off'
		HOME=$PWD/my\ dir HISTFILE=''
		source '$checkout/src/cli/virt-parts.bash-completion'
		virsh() { printf '%s\n' 'my guest' a,b:c; }
		timeout() { shift && "\$@"; }
		virt-parts() { printf '<%s>' "\$@" && echo; } >>../words
	RC
	local -a typed=('check "$HOME"/gu' 'check "$HOME/gu' "set web1 '$PWD/my dir'/gu" "set web1 'my dir/gu" 'check my\ dir/"gu' 'check "my dir/g"ue'
		"check '\$" 'check \$' 'check "my dir"/x:y/a,b:' 'check "my dir/x:y/a,' 'check --hook-dir "$HOME"/x:'
		'status my" g' 'status a,b:' 'status "a,b:' '-c "qemu:')
	{
		printf 'virt-parts %s\t\n' "${typed[@]}"
		echo exit
	} | INPUTRC=/dev/null command timeout -k 5 300 script -qec 'bash --noprofile --rcfile ../rc -i' /dev/null >../shown || true
	local file="<$PWD/my dir/guest one.xml>"
	same "$(<../words)" "$(printf '%s\n' "<check>$file" "<check>$file" "<set><web1>$file" '<set><web1><my dir/guest one.xml>' \
		'<check><my dir/guest one.xml>' '<check><my dir/guest one.xml>' '<check><$(touch ran).xml>' '<check><$(touch ran).xml>' \
		'<check><my dir/x:y/a,b:c.xml>' '<check><my dir/x:y/a,b:c.xml>' "<check><--hook-dir><$PWD/my dir/x:y>" \
		'<status><my guest>' '<status><a,b:c>' '<status><a,b:c>' '<-c><qemu:///system>')"
	is_gone ran
}
