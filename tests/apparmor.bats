#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Under AppArmor, what Debian's profiles of libvirt let virt-parts do, read from their text: no AppArmor is needed in
# the kernel. Where the packages libvirt-daemon-system and apparmor are not installed, they are downloaded with apt
# into build/apparmor and unpacked there, not installed.

# shellcheck source=tests/lib/tree.bash
source "$BATS_TEST_DIRNAME/lib/tree.bash"

readonly cache=$checkout/build/apparmor

# unpacked PACKAGE FILE: FILE of the host, else of the package; what it says when there is neither is in $BATS_FILE_TMPDIR
unpacked() {
	if [[ -e $2 ]]; then
		echo "$2"
		return
	fi
	if [[ ! -e $cache/$1$2 ]]; then
		mkdir -p "$cache/$1"
		(cd "$cache" && apt-get -q download "$1" && dpkg-deb -x "$1"_*.deb "$1" && rm "$1"_*.deb) \
			>"$BATS_FILE_TMPDIR/apt" 2>&1 || true
	fi
	[[ -e $cache/$1$2 ]] && echo "$cache/$1$2"
}

setup() {
	without_checker 'no program runs here'
	type -P apt-get dpkg-deb >/dev/null || skip 'needs the packages of Debian or Ubuntu'
	profile=$(unpacked libvirt-daemon-system /etc/apparmor.d/usr.sbin.libvirtd) ||
		skip "cannot download libvirt-daemon-system: $(tail -n 1 "$BATS_FILE_TMPDIR/apt")"
}

# rules PROFILE: its own, not those of a profile within: "deny|allow PATH PERMISSIONS"
rules() {
	awk '/\{$/ { depth++ } /^[ \t]*\}$/ { depth-- } depth == 1' "$1" | sed -n -E \
		-e 's/^[ \t]*(audit )?(owner )?(\/[^ ]*)[ \t]+([rwmlkaixpucPUC]+)( -> .*)?,.*$/allow \3 \4/p' \
		-e 's/^[ \t]*(audit )?deny (owner )?(\/[^ ]*)[ \t]+([rwmlkax]+),.*$/deny \3 \4/p'
}

# pattern GLOB: AppArmor's way to write paths as a regular expression; `*` stops at a slash, `**` does not
pattern() {
	# shellcheck disable=SC2016 # no variables
	sed -E -e 's/[.+^$()|]/\\&/g' -e 's/\*\*/\x01/g' -e 's/\*/[^\/]*/g' -e 's/\x01/.*/g' -e 's/\?/[^\/]/g' \
		-e 's/\{/(/g; s/,/|/g; s/\}/)/g' <<<"$1"
}

# given PROFILE PATH: the permissions of each rule for that path, sorted
given() {
	local kind glob permissions
	while read -r kind glob permissions; do
		[[ ! $2 =~ ^$(pattern "$glob")$ ]] || echo "$kind $permissions"
	done < <(rules "$1") | LC_ALL=C sort -u
}

# runs PROFILE PATH: how the program at PATH may be run: PUx, ix, ...; nothing when it may not
runs() {
	! given "$1" "$2" | grep -q '^deny .*x' || return 0
	given "$1" "$2" | sed -n 's/^allow [rwmlka]*\([ipPuUcC]*x\)[rwmlka]*$/\1/p' | LC_ALL=C sort -u | paste -sd' '
}

@test "libvirtd may run the dispatcher where the hooks' links lead, unconfined" {
	local hook
	for hook in "$checkout"/hooks/{qemu,lxc,libxl,bhyve,network,daemon}; do
		# AppArmor looks at the file that is run, not at the link: a profile of its own, else none
		same "$(runs "$profile" "$(readlink "$hook")")" PUx
	done
}

@test "a dispatcher that lay among the hooks, or a part that libvirtd ran itself, would be confined or refused" {
	local link
	same "$(runs "$profile" /etc/libvirt/hooks/qemu)" ix
	same "$(runs "$profile" /usr/local/sbin/virt-parts-hook)" ''
	for link in "$checkout"/parts.d/*/*; do
		same "$(runs "$profile" "$(readlink "$link")")" ''
	done
	# and confined it would mount no ramdisk
	not grep -qE '^ *mount[^>]*tmpfs|^ *mount,' "$profile"
}

@test "no profile of that package or of AppArmor's own is for our programs" {
	local directory
	for directory in "${profile%/*}" "$cache/apparmor/etc/apparmor.d"; do
		[[ ! -d $directory ]] || not grep -rqE 'virt-parts|profile [^ ]* /usr/sbin/\*' "$directory"
	done
}

@test "virt-aa-helper may look at an image in the usual place, and qemu is let at what it finds" {
	local helper=${profile%/*}/usr.lib.libvirt.virt-aa-helper
	has "$(given "$helper" /var/lib/virt-parts/iso/web1/seed.iso)" 'allow r'
	# which is why the documentation says to call it .iso
	lacks "$(given "$helper" /var/lib/virt-parts/iso/web1/seed)" 'allow r'
}

@test "AppArmor's own parser takes the profile, and nothing of it is unknown to these tests" {
	local parser base features
	parser=$(unpacked apparmor /sbin/apparmor_parser) || skip "cannot download apparmor: $(tail -n 1 "$BATS_FILE_TMPDIR/apt")"
	base=$(unpacked apparmor /etc/apparmor.d/abstractions/base)
	features=$(unpacked apparmor /usr/share/apparmor-features/features)
	mkdir -p "$BATS_TEST_TMPDIR/d/local"
	cp -r "${base%/abstractions/base}/." "$BATS_TEST_TMPDIR/d"
	cp -r "${profile%/*}/." "$BATS_TEST_TMPDIR/d"
	: >"$BATS_TEST_TMPDIR/d/local/usr.sbin.libvirtd"
	parse() {
		"$parser" --skip-kernel-load --skip-cache --config-file /dev/null --base "$BATS_TEST_TMPDIR/d" \
			--features-file "$features" "$@" 2>&1
	}
	same "$(parse --names "$profile" | head -n 1)" libvirtd
	parse "$profile"
	# of the files that it includes no rule runs what lies where our programs do
	parse --preprocess "$profile" >"$BATS_TEST_TMPDIR/whole"
	same "$(runs "$BATS_TEST_TMPDIR/whole" /usr/sbin/virt-parts-hook)" PUx
	same "$(runs "$BATS_TEST_TMPDIR/whole" /usr/libexec/virt-parts/ramdisk)" ''
	# a second way to run the same file is a conflict, which the parser refuses
	sed 's|^  /usr/sbin/\* PUx,|&\n  /usr/sbin/* ix,|' "$profile" >"$BATS_TEST_TMPDIR/conflict"
	not parse "$BATS_TEST_TMPDIR/conflict"
}

@test "these tests see a profile that would not let virt-parts work" {
	local changed=$BATS_TEST_TMPDIR/profile
	sed '/^ *\/usr\/sbin\/\* PUx,/d' "$profile" >"$changed"
	same "$(runs "$changed" /usr/sbin/virt-parts-hook)" ''
	sed 's|^\( *\)/usr/sbin/\* PUx,|\1/usr/sbin/* ix,|' "$profile" >"$changed"
	same "$(runs "$changed" /usr/sbin/virt-parts-hook)" ix
	sed 's|^\( *\)/usr/sbin/\* PUx,|&\n  deny /usr/sbin/virt-parts-* x,|' "$profile" >"$changed"
	same "$(runs "$changed" /usr/sbin/virt-parts-hook)" ''
	same "$(runs "$changed" /usr/sbin/virtqemud)" PUx
	sed 's|^\( *\)/usr/sbin/\* PUx,|&\n  /usr/libexec/** ix,|' "$profile" >"$changed"
	same "$(runs "$changed" /usr/libexec/virt-parts/ramdisk)" ix
}
