# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A machine with a running system, in the sandbox: Debian's kernel and machine-init, which tells on the console which
# disks it is given and what is on them. It boots in some 6 s, emulated.
#
# The kernel is the demo's, which tests/run-tests has ready: the sandbox has no network.

# shellcheck source=tests/lib/lives.bash
source "$(dirname "${BASH_SOURCE[0]}")/lives.bash"

readonly consoles=/srv/consoles

# machine_missing: prints why there can be no machine; fails when there can.
machine_missing() {
	if [[ ! -e $checkout/build/demo/vmlinuz || ! -e $checkout/build/demo/initramfs ]]; then
		echo 'needs a kernel: tests/demo.d/kernel build/demo'
	else
		return 1
	fi
}

# machine_files: the kernel, and an initramfs of which a second archive replaces /init
machine_files() {
	local root=/srv/boot/root
	mkdir -p "$root" $consoles
	chmod 0777 $consoles
	install -m 0755 "$checkout/tests/lib/machine-init" "$root/init"
	cp "$checkout/build/demo/vmlinuz" /srv/boot/
	{
		cat "$checkout/build/demo/initramfs"
		(cd "$root" && echo init | "$(static_busybox)" cpio -o -H newc 2>/dev/null | gzip -1)
	} >/srv/boot/initramfs
}

# machine_define NAME [DIRECTIVES [DEVICES]]
machine_define() {
	local name=$1
	machine_files
	guest_xml qemu "$name" "${2:-}" "<serial type='file'><source path='$consoles/$name.log'/></serial>${3:-}" |
		sed -e "s|<memory unit='MiB'>16<|<memory unit='MiB'>160<|" \
			-e "s|</type></os>|</type><kernel>/srv/boot/vmlinuz</kernel><initrd>/srv/boot/initramfs</initrd><cmdline>console=ttyS0 quiet</cmdline></os><features><acpi/></features>|" \
			>"$BATS_TEST_TMPDIR/machine.xml"
	on qemu define "$BATS_TEST_TMPDIR/machine.xml"
}

# machine_start NAME: returns when its system is up
machine_start() {
	on qemu start "$1"
	machine_tells "$1" up
}

# machine_tells NAME TEXT: within some time, since it was emptied
machine_tells() {
	within 180 file_has "$consoles/$1.log" "guest: $2"
}

# machine_said NAME: what it has told so far
machine_said() {
	sed -n 's/\r$//; s/^guest: //p' "$consoles/$1.log"
}
