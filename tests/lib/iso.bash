# shellcheck shell=bash disable=SC2034,SC2154 # what is set here is used in the tests
# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of the ISO image builder share: building, unpacking, comparing, cleaning up.

# shellcheck source=tests/lib/checker.bash
source "$(dirname "${BASH_SOURCE[0]}")/checker.bash"
# shellcheck source=tests/lib/remove.bash
source "$(dirname "${BASH_SOURCE[0]}")/remove.bash"
# shellcheck source=tests/lib/proof.bash
source "$(dirname "${BASH_SOURCE[0]}")/proof.bash"

readonly app='VIRT-PARTS 5d0b2d3c-9a6e-4b0e-8f0e-000000000001'

setup_file() {
	local build=${VIRT_PARTS_BUILD:-$BATS_TEST_DIRNAME/../build}
	export ISO_BUILD=${ISO_BUILD:-$build/tools/iso-build}
	[[ $ISO_BUILD == /* ]] || ISO_BUILD=$PWD/$ISO_BUILD
}

setup() {
	[[ -x $ISO_BUILD ]] || skip "$ISO_BUILD is not built"
	work=$(mktemp -d)
	mounted=()
	helper=
	cd "$work" || return
	mkdir src
}

teardown() {
	local dir
	if [[ -n $helper ]]; then
		kill "$helper" 2>/dev/null
		wait "$helper" 2>/dev/null
	fi
	for dir in "${mounted[@]}"; do
		umount "$dir" 2>/dev/null
	done
	cd / || return
	[[ -z $work ]] || remove_tree "$work"
}

needs() {
	local tool
	for tool; do
		command -v "$tool" >/dev/null || skip "needs $tool"
	done
}

needs_root() {
	[[ $EUID -eq 0 ]] || skip 'needs root'
}

# build ARGUMENT...: an image out.iso, "cidata" unless label is set
build() {
	"$ISO_BUILD" "${label:-cidata}" "$app" out.iso "$@"
}

# refused ARGUMENT... : the build fails with status 1, and says what $words says
refused() {
	local words=${words:?}
	run build "$@"
	printf 'status %s: %s\n' "$status" "$output"
	[[ $status -eq 1 && $output == *"$words"* ]]
}

# unpack: what Rock Ridge says is in out.iso, into out/
unpack() {
	rm -rf out
	xorriso -osirrox on -indev out.iso -extract / out >xorriso.log 2>&1
}

# listing DIR: everything in a tree that an image keeps, its top excepted
listing() (
	# xorriso gives symlinks the present time
	cd "$1" && find . -mindepth 1 \( -type l -printf '%P l %U %G %l\n' \) -o \
		\( -printf '%P %y %m %U %G %Ts\n' -type f -exec sha256sum {} + \) | LC_ALL=C sort
)

a_tree() {
	mkdir -p "$1/a/b/c" "$1/empty" "$1/z"
	echo one >"$1/a/one"
	echo two >"$1/a/b/two"
	head -c 300000 /dev/zero | tr '\0' 'x' >"$1/a/b/c/large"
	: >"$1/z/nothing"
	ln -s ../a/one "$1/z/link"
	ln -s /not/there "$1/z/dangling"
	chmod 0640 "$1/a/one"
	chmod 0711 "$1/z"
	find "$1" -depth -exec touch -h -d '2021-03-04 05:06:07 UTC' {} +
	touch -d '2022-01-01 00:00:00 UTC' "$1/a/one"
}

# --- what is in an image ---------------------------------------------------------------------------------------
