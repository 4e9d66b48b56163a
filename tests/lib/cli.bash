# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The admin's command in a tree of hooks (parts.bash).
#
# A file says `setup() { cli_make; }` and `teardown() { parts_remove; }`.

# shellcheck source=tests/lib/parts.bash
source "$(dirname "${BASH_SOURCE[0]}")/parts.bash"

# shellcheck disable=SC2034,SC2154 # for those who load this, and from what this loads
cli_make() {
	[[ -x $build/virt-parts ]] || skip "$build/virt-parts is not built"
	unset LIBVIRT_DEFAULT_URI NO_COLOR
	parts_make
	# a UUID of its own: a ramdisk is known by that, and other tests run beside this one
	guest web1 lxc $$
	file=$tree/guest.xml
	prefix=()
	# no libvirt is asked but one that knows no guest
	daemon=test:///$tree/node.xml
	printf '%s\n' '<node></node>' >"$tree/node.xml"
}

# vp ARGUMENT...: status, output and errors are kept
vp() {
	status=0
	output=$("${prefix[@]}" "$build/virt-parts" --hook-dir "$hooks" "$@" 2>"$tree/stderr" </dev/null) || status=$?
	errors=$(<"$tree/stderr")
	printf 'virt-parts %s: exit %s\n%s\n%s\n' "$*" "$status" "$output" "$errors" >&2
}

# good ARGUMENT..., finds ARGUMENT..., wrong ARGUMENT...: exit status 0, 1, 2
good() {
	vp "$@" && [[ $status -eq 0 && -z $errors ]]
}

finds() {
	vp "$@" && [[ $status -eq 1 ]]
}

wrong() {
	vp "$@" && [[ $status -eq 2 && -n $errors ]]
}

# ask_file DIRECTIVES [DEVICES]: the guest's XML, also in $file
ask_file() {
	ask "$@"
	printf '%s\n' "$xml" >"$file"
}

# libvirt_with <SOURCE: with these functions in the place of libvirt's
libvirt_with() {
	without_checker 'it preloads a library'
	command -v cc >/dev/null || skip 'needs cc'
	cc -shared -fPIC -o "$tree/libvirt.so" -x c - -ldl
	prefix+=(env LD_PRELOAD="$tree/libvirt.so")
}

# libvirt_is DRIVER [VERSION]: what the daemon that is asked says it is, such as LXC
libvirt_is() {
	libvirt_with <<-END
		int virConnectGetLibVersion(void *connection, unsigned long *version)
		{
			(void)connection;
			*version = ${2:-9000000};
			return 0;
		}
		const char *virConnectGetType(void *connection)
		{
			(void)connection;
			return "$1";
		}
	END
}

# libvirt_is_both [URI]: what is known is what both daemons know that are asked without -c; one of that URI never answers
libvirt_is_both() {
	libvirt_with <<-END
		#define _GNU_SOURCE
		#include <dlfcn.h>
		#include <string.h>
		#include <unistd.h>
		static const char *type;
		void *virConnectOpenReadOnly(const char *uri)
		{
			void *(*open)(const char *) = (void *(*)(const char *))dlsym(RTLD_NEXT, "virConnectOpenReadOnly");
			type = !strcmp(uri, "qemu:///system") ? "QEMU" : !strcmp(uri, "lxc:///system") ? "LXC" : 0;
			while (!strcmp(uri, "${1:-}"))
				pause();
			return open(type ? "$daemon" : uri);
		}
		const char *virConnectGetType(void *connection)
		{
			(void)connection;
			return type ? type : "Test";
		}
	END
}

# known: libvirt's test driver knows the guest
known() {
	echo "<node><domain type='test'><name>$name</name><uuid>$id</uuid><memory>1024</memory><os><type>hvm</type></os></domain></node>" \
		>"${daemon#test://}"
}

# known_as_asked: the same with the XML that is in $file
known_as_asked() {
	local xml
	xml=$(sed "s/type='lxc'/type='test'/; s|<devices>|<memory>1024</memory><os><type>hvm</type></os>&|" "$file")
	printf '<node>%s</node>\n' "$xml" >"${daemon#test://}"
}

# json FILTER: of the output
json() {
	jq -r "$1" <<<"$output"
}

# all_four: the directives that a sane guest has, and what they need
all_four() {
	ask_file "<ramdisk><dir size='1M' mode='1777'>$guests/%NAME%/tmp</dir></ramdisk>
		<preload>
			<iso path='$iso/%NAME%/seed.iso' label='CIDATA'>
				<src>$seed/%NAME%</src>
				<file path='meta-data'>instance-id: %NAME%</file>
			</iso>
			<dircopy><src>$seed/www</src><dst>$guests/%NAME%/var/www</dst></dircopy>
		</preload>
		<archive>
			<dircopy><src>$guests/%NAME%/var/log</src><dst>$archive/%NAME%/%DATE%</dst></dircopy>
		</archive>
		<post-rm-rf><dir>$guests/%NAME%/scratch</dir></post-rm-rf>" \
		"<disk type='file' device='cdrom'><source file='$iso/$name/seed.iso'/></disk>"
	mkdir -p "$seed/$name" "$seed/www" "$guests/$name/var/log" "$guests/$name/scratch/deep"
	echo page >"$seed/www/index.html"
	echo logged >"$guests/$name/var/log/messages"
}

# everything COMMAND...: what is in the tree does not change while it runs
changes_nothing() {
	local before after
	before=$(state_of_tree)
	"$@" || return
	after=$(state_of_tree)
	diff <(echo "$before") <(echo "$after") >&2
}

state_of_tree() {
	find "$tree" ! -name stderr -printf '%p %y %m %U %G %T@ %s %l\n' | grep -vE "^$tree d" | LC_ALL=C sort
	mounts_below "$tree"
}
