#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What the built programs are made of: how they are hardened, what they link, and of which version they are. The last
# test builds a small program without each flag in turn, and the checks must see it.

# shellcheck source=tests/lib/tree.bash
source "$BATS_TEST_DIRNAME/lib/tree.bash"

setup() {
	without_checker 'it needs a build of its own'
	local program
	for program in readelf objdump; do
		type -P $program >/dev/null || skip "needs $program"
	done
	[[ -x $build/virt-parts-hook ]] || skip "$build/virt-parts-hook is not built"
	# not linked: they are run at every event
	static=("$build/virt-parts-hook" "$build"/parts/{ramdisk,archive,post-rm-rf})
	all=("${static[@]}" "$build"/{virt-parts,virt-parts-get} "$build"/parts/{virt-parts,preload})
	read -ra compiler <<<"${CC:-cc}"
}

# each CHECK FILE...
each() {
	local check=$1 file
	shift
	for file; do
		"$check" "$file" || {
			echo "$check: not so: $file" >&2
			return 1
		}
	done
}

dynamic() {
	readelf -W --dynamic "$1"
}

header() {
	readelf -W --program-headers "$1" | awk -v name="$2" '$1 == name'
}

is_pie() {
	[[ $(readelf -W --file-header "$1") =~ Type:\ +DYN ]] && [[ $(dynamic "$1") =~ FLAGS_1.*\ PIE ]]
}

has_full_relro() {
	[[ -n $(header "$1" GNU_RELRO) && $(dynamic "$1") =~ \(FLAGS\)\ +BIND_NOW ]]
}

stack_is_not_executable() {
	local stack
	stack=$(header "$1" GNU_STACK)
	[[ $stack == *' RW '* ]]
}

has_no_text_relocation() {
	[[ $(dynamic "$1") != *TEXTREL* ]]
}

has_no_search_path() {
	[[ ! $(dynamic "$1") =~ R(UN)?PATH ]]
}

no_segment_is_written_and_run() {
	[[ $(header "$1" LOAD) != *RWE* ]]
}

links() {
	dynamic "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\.so\..*/\1/p' | LC_ALL=C sort | paste -sd' '
}

# instructions FILE: those of what is ours, not of a static libc: main and vp_*; NAME on the line before each function
instructions() {
	objdump -d --no-show-raw-insn "$1" | awk '
		/^[0-9a-f]+ <.*>:$/ { own = $2 ~ /^<(vp_.*|main)>:$/; if (own) print "function", $2; next }
		own { sub(/^ *[0-9a-f]+:[ \t]*/, ""); print }'
}

says_instructions() {
	instructions "$1" | grep -qE "$2"
}

has_stack_protector() {
	says_instructions "$1" 'call.*<__stack_chk_fail'
}

has_fortified_calls() {
	says_instructions "$1" 'call.*<_*s?n?printf_chk'
}

# Level 3 knows also the size of what was allocated a moment ago.
has_fortified_calls_of_level_3() {
	instructions "$1" | awk '/^function/ { of = $2 == "<vp_record_append>:"; next } of' | grep -qE '(call|jmp).*<__memcpy_chk'
}

has_stack_clash_protection() {
	# shellcheck disable=SC2016 # a number in assembler
	says_instructions "$1" '^(or[lq] +\$0x0|movq +\$0x0),\(%rsp\)'
}

has_cet() {
	local lacking
	lacking=$(instructions "$1" | awk '/^function/ { name = $2; getline; if (!/^endbr64/) print name }')
	[[ -z $lacking ]] || {
		echo "no endbr64: ${lacking//$'\n'/ }" >&2
		return 1
	}
}

x86_64() {
	[[ $(uname -m) == x86_64 ]] || skip "knows only the instructions of x86_64, not of $(uname -m)"
}

compiler_has_level_3() {
	echo '#include <features.h>' |
		"${compiler[@]}" -Werror -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -S -o /dev/null -x c - 2>/dev/null
}

@test "every program is position-independent, those without libraries too" {
	each is_pie "${all[@]}"
}

@test "every program has full RELRO" {
	each has_full_relro "${all[@]}"
}

@test "no program has an executable stack, or memory that can be written and run" {
	each stack_is_not_executable "${all[@]}"
	each no_segment_is_written_and_run "${all[@]}"
}

@test "no program has text relocations or a search path for libraries" {
	each has_no_text_relocation "${all[@]}"
	each has_no_search_path "${all[@]}"
}

@test "every program has the stack protector" {
	x86_64
	each has_stack_protector "${all[@]}"
}

@test "every program calls the fortified functions of libc" {
	x86_64
	each has_fortified_calls "${all[@]}"
}

@test "where the compiler has fortification of level 3, every program is built with it" {
	x86_64
	compiler_has_level_3 || skip 'this compiler has level 2'
	each has_fortified_calls_of_level_3 "${all[@]}"
}

@test "every program has stack clash protection" {
	x86_64
	each has_stack_clash_protection "${all[@]}"
}

@test "every program marks where an indirect branch may land" {
	x86_64
	each has_cet "${all[@]}"
}

@test "what runs at every event links nothing, and only one program links libvirt" {
	local file
	for file in "${static[@]}"; do
		same "$(links "$file")" ''
		same "$(header "$file" INTERP)" ''
	done
	same "$(links "$build/virt-parts-get")" 'libc libxml2'
	same "$(links "$build/parts/virt-parts")" 'libc libxml2'
	same "$(links "$build/parts/preload")" 'libc libisofs'
	same "$(links "$build/virt-parts")" 'libc libvirt libxml2'
}

# sample FLAG...: a small program with all that is checked, and these flags behind the others
sample() {
	"${compiler[@]}" -w -O2 -fPIE -pie -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
		-fstack-clash-protection -fcf-protection -Wl,-z,relro,-z,now,-z,noexecstack "$@" -o "$BATS_TEST_TMPDIR/sample" \
		-x c - <<-'END'
			#include <stdio.h>
			#include <stdlib.h>
			#include <string.h>
			void vp_print(const char *text, size_t n) { char big[8192]; snprintf(big, n, "%s", text); puts(big); }
			char *vp_record_append(const char *text, size_t n, size_t room)
			{
				char *copy = malloc(room);
				return copy ? memcpy(copy, text, n) : NULL;
			}
			#ifdef TEXT_RELOCATION
			__asm__(".text\n.quad main\n");
			#endif
			#ifdef WRITTEN_AND_RUN
			__asm__(".section .both, \"awx\"\n.quad 0\n.text\n");
			#endif
			int main(int argc, char **argv)
			{
				vp_print(argv[0], argc * 9);
				return !vp_record_append(argv[0], argc, argc * 2) || !argc;
			}
		END
}

# sees CHECK FLAG...: the check fails for a sample with these flags, and not without them
sees() {
	local check=$1
	shift
	sample
	each "$check" "$BATS_TEST_TMPDIR/sample"
	sample "$@"
	not "$check" "$BATS_TEST_TMPDIR/sample"
}

@test "another version is built into what tells it, and into nothing else; with other flags all is built anew" {
	local out=$BATS_TEST_TMPDIR/build
	builds() {
		MAKEFLAGS='' make -s -C "$checkout" "BUILD=$out" "$@" "$out"/{dispatch/main.o,dispatch/names.o,virt-parts.pc}
	}
	built() { stat -c '%n %y' "$out"/dispatch/*.o; }
	builds VERSION=1.2
	grep -qa 'virt-parts-hook 1\.2$' "$out/dispatch/main.o"
	built >"$out/first"
	builds VERSION=1.2
	same "$(built)" "$(<"$out/first")"
	builds VERSION=9.9
	grep -qa 'virt-parts-hook 9\.9$' "$out/dispatch/main.o"
	grep -qx 'Version: 9\.9' "$out/virt-parts.pc"
	same "$(built | grep names)" "$(grep names "$out/first")"
	CPPFLAGS=-DANOTHER=1 builds VERSION=9.9
	not same "$(built | grep names)" "$(grep names "$out/first")"
}

@test "each of these checks sees a program without its flag" {
	x86_64
	compiler_has_level_3 || skip 'this compiler has level 2'
	sees is_pie -fno-pie -no-pie
	sees has_full_relro -Wl,-z,norelro
	sees has_full_relro -Wl,-z,lazy
	sees stack_is_not_executable -Wl,-z,execstack
	sees no_segment_is_written_and_run -DWRITTEN_AND_RUN
	sees has_no_text_relocation -DTEXT_RELOCATION -Wl,-z,notext
	sees has_no_search_path -Wl,-rpath,/nowhere
	sees has_stack_protector -fno-stack-protector
	sees has_fortified_calls -U_FORTIFY_SOURCE
	sees has_fortified_calls_of_level_3 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
	sees has_stack_clash_protection -fno-stack-clash-protection
	sees has_cet -fcf-protection=none
	sample -Wl,--no-as-needed -lm
	same "$(links "$BATS_TEST_TMPDIR/sample")" 'libc libm'
}
