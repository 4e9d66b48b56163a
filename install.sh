#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs virt-parts on this host (or into DESTDIR), tells libvirt, and takes it away again.
#
# Order: packages, build, files, parts.conf, hooks, reload. A hook that is not ours is never touched.
# May be run any number of times.
set -euo pipefail
export LC_ALL=C

readonly all_drivers='qemu lxc libxl bhyve network daemon'
readonly default_drivers='qemu lxc network daemon'
readonly daemons='libvirtd virtqemud virtlxcd virtxend virtbhyved virtnetworkd'

readonly build_packages='gcc make pkg-config libc6-dev libisofs-dev libxml2-dev libvirt-dev procps'
readonly demo_packages='libvirt-daemon libvirt-daemon-driver-lxc libvirt-daemon-driver-qemu libvirt-clients
	qemu-system-x86 busybox-static util-linux iproute2 gzip xz-utils'
readonly test_packages='bats dnsmasq-base qemu-utils strace genisoimage xorriso attr acl e2fsprogs xfsprogs quota time
	nftables iproute2 libxml2-utils jq python3'

usage() {
	cat <<-'END'
	usage: ./install.sh [OPTION]...

	  --prefix DIR      where programs go (default: where they are already, else /usr)
	  --drivers LIST    hooks to install, of: qemu lxc libxl bhyve network daemon
	                    (default: qemu,lxc,network,daemon and what is there already)
	  --no-deps         install no packages
	  --no-reload       leave a running libvirt alone
	  --uninstall       remove all but parts.conf, your own parts, records and logs
	  --demo            install nothing but packages, then run 'make demo'
	  --test            install nothing but packages, then run 'make check'
	  --help            this

	DESTDIR=DIR ./install.sh makes a staging tree, for which root is not needed.
	END
}

say() { echo "install: $*"; }
warn() { echo "install: warning: $*" >&2; }
die() {
	echo "install: $*" >&2
	exit 1
}

# --- packages --------------------------------------------------------------------------------------------------

package_there() {
	# of two packages one may be there, pkg-config or pkgconf
	if [[ $1 == pkg-config ]] && command -v pkg-config >/dev/null; then
		return
	fi
	[[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# packages NAME...: sees to it that they are there.
packages() {
	[[ $deps == yes ]] || return 0
	if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
		programs_there "$@"
		return
	fi
	local name
	local -a missing=()
	for name; do
		package_there "$name" || missing+=("$name")
	done
	((${#missing[@]})) || return 0
	if [[ $EUID -ne 0 ]]; then
		die "packages are missing, and only root can install them: apt-get install ${missing[*]}"
	fi
	say "installing packages: ${missing[*]}"
	local -a apt=(apt-get -y -q -o Dpkg::Use-Pty=0 --no-install-recommends install "${missing[@]}")
	export DEBIAN_FRONTEND=noninteractive
	"${apt[@]}" >/dev/null 2>&1 && return
	# the lists may be old, or not there at all
	apt-get -q update >/dev/null || warn 'apt-get update failed'
	"${apt[@]}" >/dev/null || die "apt-get could not install: ${missing[*]}; install them yourself, or go on without them with --no-deps"
}

# Where there is no apt: what is missing, as programs and pkg-config modules.
programs_there() {
	local name
	local -a missing=()
	for name in cc make pkg-config pgrep; do
		command -v "$name" >/dev/null || missing+=("$name")
	done
	if command -v cc >/dev/null && ! cc -static-pie -x c -o /dev/null - <<<'int main(void) { return 0; }' 2>/dev/null; then
		missing+=('the static C library (glibc-static)')
	fi
	for name in libisofs-1 libxml-2.0 libvirt; do
		pkg-config --exists "$name" 2>/dev/null || missing+=("the development files of $name")
	done
	if [[ " $* " == *' busybox-static '* ]]; then
		for name in libvirtd virsh qemu-system-x86_64 busybox unshare ip; do
			command -v "$name" >/dev/null || missing+=("$name")
		done
	fi
	if [[ " $* " == *' bats '* ]]; then
		for name in bats strace genisoimage python3; do
			command -v "$name" >/dev/null || missing+=("$name")
		done
	fi
	((${#missing[@]} == 0)) && return
	echo 'install: this is not a Debian or Ubuntu, so please install what is missing:' >&2
	printf '  %s\n' "${missing[@]}" >&2
	exit 1
}

# --- parts.conf ------------------------------------------------------------------------------------------------

# conf_value KEY: of the installed parts.conf, as the programs read it; nothing where there is none
conf_value() {
	[[ ! -r $hooks/parts.conf ]] || sed -n "s/^$1 = //p" "$hooks/parts.conf"
}

# `make install` has done it, and put what an unedited file of this version looks like into share: an edited file stays,
# and a default that changed lies beside it as parts.conf.new. Here it is told, and done where the prefix is another one.
install_conf() {
	local conf=$hooks/parts.conf new=$DESTDIR$prefix/share/virt-parts/parts.conf shipped vendor
	shipped=$(mktemp)
	[[ -z $previous_default ]] || printf '%s\n' "$previous_default" >"$shipped"

	if cmp -s "$conf" "$new"; then
		rm -f "$conf.new"
		[[ -z $conf_before || $conf_before == "$(<"$conf")" ]] ||
			say "brought ${conf#"$DESTDIR"} up to date (it had not been edited)"
	elif cmp -s "$conf" "$shipped"; then
		# never away, or empty, which would allow nothing
		install -m 0644 "$new" "$conf.tmp" && mv -f "$conf.tmp" "$conf"
		rm -f "$conf.new"
		say "brought ${conf#"$DESTDIR"} up to date (it had not been edited)"
	elif cmp -s "$new" "$shipped"; then
		say "kept your ${conf#"$DESTDIR"}"
	else
		install -m 0644 "$new" "$conf.new"
		say "kept your ${conf#"$DESTDIR"}; the new default is ${conf#"$DESTDIR"}.new"
	fi
	rm -f "$shipped"
	vendor=$(conf_value vendor)
	if [[ -n $vendor && $vendor != "$prefix/lib/virt-parts/parts.d" ]]; then
		warn "${conf#"$DESTDIR"} says 'vendor = $vendor', so the shipped parts are looked for there; those of this install lie in $prefix/lib/virt-parts/parts.d"
	fi
}

# --- hooks -----------------------------------------------------------------------------------------------------

# A link to our dispatcher, wherever it was installed.
is_ours() {
	[[ -L $1 && $(readlink "$1") == */virt-parts-hook ]]
}

# call_line PATH: the line in which a program of somebody else's may call our dispatcher: it names it as a word of a
# command, and in no comment; fails where it does not. virt-parts doctor sees it so, too.
call_line() {
	[[ -f $1 && -x $1 ]] && ! is_ours "$1" &&
		grep -naE -m 1 '^(([^#]|[^#[:space:]]#+)*[^#[:alnum:]_.-])?virt-parts-hook([^[:alnum:]_./:,-]|$)' "$1" |
		cut -d : -f 1
}

# callers DRIVER...: such programs that libvirt runs for it, with that line
callers() {
	local driver path line
	for driver; do
		for path in "$hooks/$driver" "$hooks/$driver.d"/{*,.[!.]*}; do
			line=$(call_line "$path") || continue
			if [[ $path == "$hooks/$driver" ]] || libvirt_runs_directories; then
				echo "'${path#"$DESTDIR"}' (line $line)"
			fi
		done
	done
}

there() {
	[[ -e $1 || -L $1 ]]
}

put_link() {
	local temporary
	temporary=$(dirname "$1")/.virt-parts.$$
	ln -s "$prefix/sbin/virt-parts-hook" "$temporary"
	mv -T "$temporary" "$1"
}

# take_link PATH: removes ours, and the directory <driver>.d when nothing else is in there
take_link() {
	is_ours "$1" || return 0
	rm "$1"
	if [[ $1 == *.d/* ]]; then
		rmdir --ignore-fail-on-non-empty "$(dirname "$1")"
	fi
}

# libvirt runs what is in <driver>.d since 6.5.
libvirt_runs_directories() {
	local version=''
	if command -v libvirtd >/dev/null; then
		version=$(libvirtd --version 2>/dev/null)
	elif command -v virsh >/dev/null; then
		version=$(virsh --version 2>/dev/null)
	fi
	version=${version##* }
	# unknown: a distribution without these programs is newer than 2020
	[[ $version =~ ^([0-9]+)\.([0-9]+) ]] || return 0
	((BASH_REMATCH[1] > 6 || (BASH_REMATCH[1] == 6 && BASH_REMATCH[2] >= 5)))
}

# One way for one driver: called by a foreign hook, as the hook, or beside a foreign one.
install_hook() {
	local driver=$1 hook=$hooks/$1 beside=$hooks/$1.d/50-virt-parts calling link
	calling=$(callers "$driver")
	if [[ -n $calling ]]; then
		for link in "$hook" "$beside"; do
			! is_ours "$link" ||
				warn "$driver: ${link#"$DESTDIR"} is taken away, as ${calling//$'\n'/, } names virt-parts-hook; if that does not call it, virt-parts is not called any more: take the name out of it and run install.sh again"
		done
		remove_hook "$driver"
		say "$driver: ${calling//$'\n'/, } is not ours and calls virt-parts-hook, so no other hook is put there: each event would run twice"
		return
	fi
	if ! there "$hook" || is_ours "$hook"; then
		put_link "$hook"
		if is_ours "$beside"; then
			take_link "$beside"
			say "$driver: ${hook#"$DESTDIR"} is free, so virt-parts is the hook now, no longer beside it"
		fi
		return
	fi
	if there "$beside" && ! is_ours "$beside"; then
		warn "$driver: both ${hook#"$DESTDIR"} and ${beside#"$DESTDIR"} are not ours; not installed for $driver"
		return 1
	fi
	if ! libvirt_runs_directories; then
		warn "$driver: ${hook#"$DESTDIR"} is not ours, and this libvirt runs nothing beside it (6.5 would); not installed for $driver"
		return 1
	fi
	install -d "$hooks/$driver.d"
	put_link "$beside"
	say "$driver: ${hook#"$DESTDIR"} is not ours and stays; virt-parts is beside it, ${beside#"$DESTDIR"}"
}

# installed_prefix: where the program lies that the hooks lead to; nothing if there is none
installed_prefix() {
	local driver link target
	for driver in $all_drivers; do
		for link in "$hooks/$driver" "$hooks/$driver.d/50-virt-parts"; do
			is_ours "$link" || continue
			target=$(readlink "$link")
			if [[ $target == /*/sbin/virt-parts-hook && -e $DESTDIR$target ]]; then
				echo "${target%/sbin/virt-parts-hook}"
				return
			fi
		done
	done
}

remove_hook() {
	take_link "$hooks/$1"
	take_link "$hooks/$1.d/50-virt-parts"
}

# withdraw_hook DRIVER: removes its hook, and tells it, with what that leaves undone
withdraw_hook() {
	local calling
	calling=$(callers "$1")
	[[ -z $calling ]] ||
		warn "$1: ${calling//$'\n'/, } is not ours and goes on calling virt-parts-hook; take that out of it if virt-parts is to do nothing for $1"
	is_ours "$hooks/$1" || is_ours "$hooks/$1.d/50-virt-parts" || return 0
	remove_hook "$1"
	say "$1: its hook is taken away"
	[[ -n $calling ]] || list_open_runs "$1"
}

chosen_drivers() {
	local driver
	if [[ -n $drivers ]]; then
		echo "$drivers"
		return
	fi
	for driver in $all_drivers; do
		if [[ " $default_drivers " == *" $driver "* ]] ||
			is_ours "$hooks/$driver" || is_ours "$hooks/$driver.d/50-virt-parts"; then
			echo "$driver"
		fi
	done
}

# --- SELinux ---------------------------------------------------------------------------------------------------

readonly selinuxfs=${VIRT_PARTS_SELINUXFS:-/sys/fs/selinux}

selinux_enforces() {
	[[ -z $DESTDIR && -r $selinuxfs/enforce && $(<"$selinuxfs/enforce") == 1 ]]
}

# selinux_ask NODE TEXT: one question to the kernel, and its answer
selinux_ask() {
	local fd answer=''
	exec {fd}<>"$selinuxfs/$1" || return
	if printf '%s' "$2" >&"$fd"; then
		read -r answer <&"$fd" || true
	fi
	exec {fd}>&-
	printf '%s' "$answer" | tr -d '\0'
} 2>/dev/null

# selinux_allows SOURCE TARGET CLASS PERMISSION: asks the loaded policy. What a permissive domain does is only noted.
selinux_allows() {
	if command -v selinux_check_access >/dev/null; then
		selinux_check_access "$1" "$2" "$3" "$4" >/dev/null 2>&1
		return
	fi
	local class bit allowed flags
	class=$(<"$selinuxfs/class/$3/index") || return
	bit=$(<"$selinuxfs/class/$3/perms/$4") || return
	read -r allowed _ _ _ _ flags < <(selinux_ask access "$1 $2 $class"; echo)
	(((16#${allowed:-0} >> (bit - 1)) & 1 || 16#${flags:-0} & 1))
}

# The domain of a daemon: that of its process, else the one that its program is named for.
selinux_domain() {
	local pid program type
	for pid in $(daemon_pids "$1"); do
		{ tr -d '\0' <"/proc/$pid/attr/current" && return; } 2>/dev/null
	done
	program=$(command -v "$1") || return
	type=$(stat -L -c %C "$program" | cut -d: -f3)
	printf 'system_u:system_r:%s_t:s0' "${type%_exec_t}"
}

# What the hook needs at the least, a line each: TARGET CLASS PERMISSION; it is in the domain of its daemon, or in the
# one that it changes to.
selinux_needs() {
	local state
	state=$(stat -c %C /var/lib/virt-parts 2>/dev/null || stat -c %C /var/lib)
	printf '%s\n' "$(stat -c %C "$hooks/parts.d") dir search" "$(stat -c %C "$hooks/parts.conf") file read" \
		"$(stat -L -c %C "$prefix/libexec/virt-parts/ramdisk") file execute" "$state dir add_name" "$state dir write" \
		'system_u:object_r:tmpfs_t:s0 file create' 'system_u:object_r:tmpfs_t:s0 filesystem mount'
}

# selinux_missing DAEMON: the rules that its domain lacks to run the hook, and the hook's to work
selinux_missing() {
	local hook=$prefix/sbin/virt-parts-hook source target domain class permission
	source=$(selinux_domain "$1") || return 0
	target=$(stat -c %C "$hook")
	domain=$source
	[[ ! -e $selinuxfs/create ]] ||
		domain=$(selinux_ask create "$source $target $(<"$selinuxfs/class/process/index")")
	[[ -n $domain ]] || domain=$source
	{
		echo "$source $target file execute"
		if [[ $domain == "$source" ]]; then
			echo "$source $target file execute_no_trans"
		else
			echo "$source $domain process transition"
			echo "$domain $target file entrypoint"
		fi
		selinux_needs | sed "s/^/$domain /"
	} | while read -r source target class permission; do
		selinux_allows "$source" "$target" "$class" "$permission" ||
			echo "allow $(cut -d: -f3 <<<"$source") $(cut -d: -f3 <<<"$target"):$class $permission;"
	done
}

# daemons_of DRIVER: those that call its hook
daemons_of() {
	case $1 in
	qemu) echo libvirtd virtqemud ;;
	lxc) echo libvirtd virtlxcd ;;
	libxl) echo libvirtd virtxend ;;
	bhyve) echo libvirtd virtbhyved ;;
	network) echo libvirtd virtnetworkd ;;
	*) echo "$daemons" ;;
	esac
}

# A hook that cannot be executed, or cannot work, refuses every start of a guest: then rather none for that driver.
selinux_lets_hook_run() {
	local daemon missing refused=0
	for daemon in $(daemons_of "$1"); do
		missing=$(selinux_missing "$daemon")
		[[ -n $missing ]] || continue
		refused=1
		warn "$1: SELinux enforces, and its policy does not let $daemon run the hook and the hook work; not installed for $1, because one that cannot be executed refuses every start"
		printf '  missing: %s\n' "${missing//$'\n'/$'\n  missing: '}" >&2
	done
	return "$refused"
}

selinux_advice() {
	cat >&2 <<-END
		install: what was not installed for SELinux needs the rules above, in a policy module of your own (see audit2allow).
		  Where the policy has the type virt_hook_t (Fedora and its kin), the hook can have a domain of its own:
		    semanage fcontext -a -t virt_hook_t $prefix/sbin/virt-parts-hook
		    restorecon $prefix/sbin/virt-parts-hook && setsebool -P virt_hooks_unconfined on
		  Then run install.sh again: it asks the policy. docs/selinux.md explains it
	END
}

# --- the running daemons ---------------------------------------------------------------------------------------

# daemon_pids [NAME...]: those that read this host's hooks: not a user's session daemon, not one in a container
daemon_pids() {
	local name pid
	# shellcheck disable=SC2086 # a list of words
	(($#)) || set -- $daemons
	for name; do
		for pid in $(pgrep -x -u 0 "$name" 2>/dev/null); do
			[[ /proc/$pid/root/etc/libvirt -ef /etc/libvirt ]] && echo "$pid"
		done
	done
	return 0
}

daemon_name() {
	cat "/proc/$1/comm" 2>/dev/null || echo "process $1"
}

reload_daemon() {
	local name
	name=$(daemon_name "$1")
	if [[ -d /run/systemd/system ]] && systemctl -q is-active "$name.service" 2>/dev/null; then
		systemctl reload "$name.service"
	else
		kill -HUP "$1"
	fi
}

# The proof that a daemon sees the hooks: on reload it looks for all of them anew and calls the one called 'daemon'.
# A part of this run, there for a moment, notes which daemon that was.
readonly probe_dir=parts.d/daemon_reload_begin.d probe_name=00-virt-parts-install

put_probe() {
	seen=$(mktemp -d /run/virt-parts-install.XXXXXX)
	made=''
	[[ -d $hooks/$probe_dir ]] || made=$hooks/$probe_dir
	install -d "$hooks/$probe_dir"
	cat >"$seen/probe" <<-END
		#!/bin/sh
		# notes the daemon that called, then install.sh takes this away
		pid=\$\$
		while [ "\$pid" -gt 1 ]; do
			: >"$seen/\$pid"
			pid=\$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/\$pid/status") || exit 0
		done
	END
	install -m 0755 "$seen/probe" "$hooks/$probe_dir/$probe_name"
}

# shellcheck disable=SC2317 # called by a trap
take_probe() {
	rm -f "$hooks/$probe_dir/$probe_name"
	[[ -z ${made:-} ]] || rmdir --ignore-fail-on-non-empty "$made"
	[[ -z ${seen:-} ]] || rm -rf "$seen"
}

reload() {
	local pid try name unseen=0
	local -a pids
	mapfile -t pids < <(daemon_pids)
	if ((${#pids[@]} == 0)); then
		say 'no libvirt daemon is running; the next one to start sees the hooks'
		return
	fi
	if ! is_ours "$hooks/daemon" && ! is_ours "$hooks/daemon.d/50-virt-parts"; then
		for pid in "${pids[@]}"; do
			reload_daemon "$pid" && say "reloaded $(daemon_name "$pid") (whether it sees the hooks was not checked: that needs the driver 'daemon')"
		done
		return
	fi
	trap take_probe EXIT
	put_probe
	for pid in "${pids[@]}"; do
		name=$(daemon_name "$pid")
		if ! reload_daemon "$pid"; then
			warn "cannot reload $name"
			unseen=1
			continue
		fi
		# its main loop may wait for a hook of a guest that ends: until teardown-wait is over
		for ((try = 0; try < 300; try++)); do
			[[ -e $seen/$pid ]] && break
			sleep 0.1
		done
		if [[ -e $seen/$pid ]]; then
			say "reloaded $name: it sees the hooks and called one"
		else
			warn "reloaded $name, but within 30 s it did not call a hook: see its log, and $log_dir/daemon.log"
			unseen=1
		fi
	done
	take_probe
	trap - EXIT
	return "$unseen"
}

# --- actions ---------------------------------------------------------------------------------------------------

do_install() {
	# shellcheck disable=SC2086 # lists of words
	packages $build_packages
	local jobs driver installed='' failed=0
	jobs=$(nproc 2>/dev/null || echo 1)
	conf_before=$(cat "$hooks/parts.conf" 2>/dev/null || true)
	previous_default=$(cat "$DESTDIR${old_prefix:-$prefix}/share/virt-parts/parts.conf" 2>/dev/null || true)

	make -s -C "$source" -j "$jobs" PREFIX="$prefix" || die 'the build failed; nothing was installed'
	make -s -C "$source" install DESTDIR="$DESTDIR" PREFIX="$prefix" || die 'make install failed'
	install_conf

	local confined=no advise=no
	if selinux_enforces; then
		confined=yes
		command -v restorecon >/dev/null && restorecon -RF "$prefix/sbin/virt-parts-hook" "$prefix/libexec/virt-parts" "$hooks" 2>/dev/null
	fi
	if [[ -z $DESTDIR && $prefix != /usr && -r /sys/kernel/security/apparmor/profiles ]] &&
		grep -qE '^(/usr/sbin/)?(libvirtd|virtqemud)' /sys/kernel/security/apparmor/profiles; then
		warn "AppArmor confines libvirt to programs in /usr/sbin: with --prefix $prefix it may not run the hook"
	fi

	local list
	list=$(chosen_drivers | tr '\n' ' ')
	for driver in $all_drivers; do
		if [[ " $list " != *" $driver "* ]]; then
			withdraw_hook "$driver"
		elif [[ $confined == yes ]] && ! selinux_lets_hook_run "$driver"; then
			withdraw_hook "$driver"
			advise=yes failed=1
		elif install_hook "$driver"; then
			installed+="$driver "
		else
			failed=1
		fi
	done
	[[ $advise == no ]] || selinux_advice
	[[ -n $installed ]] || die 'no hook was installed'
	say "installed in ${DESTDIR}$prefix, hooks for: ${installed% }"
	[[ -z $old_prefix || $old_prefix == "$prefix" ]] || say "the programs in $DESTDIR$old_prefix are still there, and no hook leads to them any more"

	if [[ -z $DESTDIR && $reload == yes ]]; then
		reload || failed=1
	fi
	return "$failed"
}

# list_open_runs [DRIVER]: what the release of guests that run now, or that have not been finished, would have undone
list_open_runs() {
	local record name kind path state only=${1:-*} open=0
	state=$(conf_value state)
	# shellcheck disable=SC2231 # a pattern, for every driver
	for record in "$DESTDIR${state:-/var/lib/virt-parts/state}"/$only/*-*-*-*-*; do
		[[ -f $record/run ]] || continue
		if ((open++ == 0)); then
			warn 'these runs are not over, and nobody will archive, delete or unmount for them (an install makes that good at the next start of the guest):'
		fi
		name=$(sed -n 's/^name //p' "$record/run")
		printf '  %s %s (%s)\n' "$(basename "$(dirname "$record")")" "$name" "$record" >&2
		while read -r kind path; do
			case $kind in
			mount) printf '    ramdisk %s\n' "$path" >&2 ;;
			iso) printf '    image %s\n' "$path" >&2 ;;
			esac
		done < <(cat "$record"/done/* 2>/dev/null)
		for kind in archive post-rm-rf; do
			[[ ! -e $record/asked/$kind ]] || printf '    <%s>, as far as that is not done\n' "$kind" >&2
		done
	done
}

do_uninstall() {
	local driver calling
	# shellcheck disable=SC2086 # a list of words
	calling=$(callers $all_drivers)
	[[ -z $calling ]] ||
		die "nothing was removed, as hooks that are not ours call virt-parts-hook: ${calling//$'\n'/, }; with the program gone they would refuse every start of a guest, and libvirt end the guests that run when it starts again; take the call out of them first"
	for driver in $all_drivers; do
		remove_hook "$driver"
	done
	make -s -C "$source" uninstall DESTDIR="$DESTDIR" PREFIX="$prefix" || die 'make uninstall failed'
	rm -f "$hooks/parts.conf.new"
	if [[ -d $hooks/parts.d ]]; then
		rmdir --ignore-fail-on-non-empty "$hooks/parts.d"
	fi
	if [[ -d $DESTDIR$prefix/share/virt-parts ]]; then
		rmdir --ignore-fail-on-non-empty "$DESTDIR$prefix/share/virt-parts"
	fi
	if [[ -z $DESTDIR && $reload == yes ]]; then
		local pid
		for pid in $(daemon_pids); do
			reload_daemon "$pid" && say "reloaded $(daemon_name "$pid")"
		done
	fi
	say 'removed; parts.conf, your own parts, records and logs are still there'
	list_open_runs
	return 0
}

do_demo() {
	# shellcheck disable=SC2086 # lists of words
	packages $build_packages $demo_packages
	exec make -s -C "$source" demo
}

do_test() {
	# shellcheck disable=SC2086 # lists of words
	packages $build_packages $demo_packages $test_packages
	exec make -s -C "$source" check
}

# --- main ------------------------------------------------------------------------------------------------------

value_of() {
	if (($# < 2)) || [[ -z $2 ]]; then
		die "$1 needs a value"
	fi
	printf '%s' "$2"
}

source=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
DESTDIR=${DESTDIR:-}
DESTDIR=${DESTDIR%/}
prefix='' drivers='' deps=yes reload=yes action='install' previous_default='' conf_before='' seen='' made=''
while (($#)); do
	case $1 in
	--prefix)
		prefix=$(value_of "$@")
		shift
		;;
	--prefix=*) prefix=$(value_of --prefix "${1#*=}") ;;
	--drivers)
		drivers=$(value_of "$@")
		shift
		;;
	--drivers=*) drivers=${1#*=} ;;
	--no-deps) deps=no ;;
	--no-reload) reload=no ;;
	--uninstall) action='uninstall' ;;
	--demo) action='demo' ;;
	--test) action='test' ;;
	--help | -h)
		usage
		exit
		;;
	*)
		usage >&2
		exit 2
		;;
	esac
	shift
done
drivers=${drivers//,/ }
for driver in $drivers; do
	[[ " $all_drivers " == *" $driver "* ]] || die "unknown driver '$driver' (known: $all_drivers)"
done
[[ $action != uninstall || -z $drivers ]] ||
	die "--uninstall removes the program and every driver's hook, so it takes no --drivers; to take away some hooks alone, run install.sh without it, with --drivers and those that are to stay"
[[ -z $DESTDIR || $DESTDIR == /* ]] || DESTDIR=$PWD/$DESTDIR
hooks=$DESTDIR/etc/libvirt/hooks
old_prefix=$(installed_prefix)
prefix=${prefix:-${old_prefix:-/usr}}
[[ $prefix == /* ]] || die "--prefix must be an absolute path, not '$prefix'"
prefix=${prefix%/}
# make would take a blank for the end of a path, and remove what lies at the first half of it
for path in "$prefix" "$DESTDIR"; do
	[[ $path != *[[:space:][:cntrl:]\'\"\`\\\$\&\|\;\<\>\(\)\{\}\*\?\[\]\#%,]* ]] ||
		die "'$path' holds a blank or another character that make and its shell do not take in a path"
done
log_dir=/var/log/virt-parts
if [[ $EUID -ne 0 && -z $DESTDIR ]]; then
	die 'needs root (or DESTDIR=DIR, for a staging tree)'
fi
umask 022
"do_$action"
