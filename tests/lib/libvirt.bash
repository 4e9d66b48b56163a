# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A real libvirt inside tests/sandbox: its daemons, guests of three kinds, and waiting with a limit.
#
# Everything here ends within a time: a virsh that hangs is a failure, not a test run that hangs.
# Guests are called by driver and name: `guest_define lxc web1`, `on lxc start web1`.

# shellcheck source=tests/lib/proof.bash
source "$(dirname "${BASH_SOURCE[0]}")/proof.bash"

# shellcheck disable=SC2034 # for those who load this
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VIRSH_LIMIT=${VIRSH_LIMIT:-120}
readonly daemon_log=/var/log/libvirt/libvirtd.log

# in_sandbox: what is at /srv and the like is the sandbox's, to be removed at will; no variable alone says so.
in_sandbox() {
	[[ -n ${VIRT_PARTS_SANDBOX:-} ]] && grep -q ' /srv .* - tmpfs sandbox ' /proc/self/mountinfo
}

# --- what a machine must have ----------------------------------------------------------------------------------

# libvirt_missing: prints what this machine or this place lacks, one reason; fails when nothing is lacking.
libvirt_missing() {
	local driver=${1:-lxc}
	if [[ $EUID -ne 0 ]]; then
		echo 'needs root'
	elif [[ -z ${VIRT_PARTS_SANDBOX:-} ]]; then
		echo 'runs only in the sandbox: tests/sandbox bats FILE'
	elif ! command -v libvirtd >/dev/null || ! command -v virsh >/dev/null; then
		echo 'needs libvirt-daemon and libvirt-clients'
	elif [[ ! -e $(driver_library "$driver") ]]; then
		echo "needs libvirt-daemon-driver-$driver"
	elif [[ $driver == qemu ]] && ! command -v qemu-system-x86_64 >/dev/null; then
		echo 'needs qemu-system-x86'
	elif [[ $driver == lxc && -z $(static_busybox) ]]; then
		echo 'needs busybox-static'
	else
		return 1
	fi
}

driver_library() {
	local dir
	for dir in /usr/lib/*/libvirt /usr/lib64/libvirt /usr/lib/libvirt; do
		if [[ -e $dir/connection-driver/libvirt_driver_$1.so ]]; then
			echo "$dir/connection-driver/libvirt_driver_$1.so"
			return
		fi
	done
	echo /nonexistent
}

static_busybox() {
	local file
	for file in /usr/bin/busybox /bin/busybox /usr/bin/busybox-static; do
		# a dynamic one needs libraries that a guest's tree does not have
		if [[ -x $file ]] && ! ldd "$file" 2>/dev/null | grep -q '=>'; then
			echo "$file"
			return
		fi
	done
}

# libvirt_since VERSION: whether this libvirt is that one or a newer
libvirt_since() {
	local mine
	mine=$(libvirtd --version)
	printf '%s\n' "$1" "${mine##* }" | sort -C -V
}

# --- waiting ---------------------------------------------------------------------------------------------------

# try_for SECONDS COMMAND...: repeats COMMAND until it succeeds, or fails after that time, and says nothing.
try_for() {
	local -i end=$((SECONDS + $1 + 1))
	shift
	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.05
	done
}

# within SECONDS COMMAND...: repeats COMMAND until it succeeds, or fails. SECONDS are enough where nothing else is to be
# done. Who is slow or busy has ten times as long, up to two minutes: what comes late is no fault. What has to come in
# time is measured in another way.
within() {
	local -i limit=$(($1 * 10))
	((limit <= 120)) || limit=$(($1 > 120 ? $1 : 120))
	shift
	try_for $limit "$@" || {
		echo "not within $limit s: $*" >&2
		return 1
	}
}

process_gone() {
	! kill -0 "$1" 2>/dev/null
}

file_has() {
	grep -qs -e "$2" -- "$1"
}

# --- the daemons -----------------------------------------------------------------------------------------------

libvirt_configure() {
	cat >/etc/libvirt/libvirtd.conf <<-END
		auth_unix_ro = "none"
		auth_unix_rw = "none"
		log_level = 3
		log_filters = "2:daemon"
		log_outputs = "2:file:$daemon_log"
		host_uuid = "6e3ad1c0-5a1b-4d0c-9a57-0d6c9b1a7a11"
	END
	# The user that a package with services makes, and that this driver does not start without.
	# Not root, so that what libvirt does to an image's owner is seen as on a real host.
	local user=libvirt-qemu group
	if ! getent passwd $user >/dev/null; then
		echo "$user:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin" >>/etc/passwd
		echo "$user:x:64055:" >>/etc/group
	fi
	group=$(id -gn $user)
	cat >/etc/libvirt/qemu.conf <<-END
		user = "$user"
		group = "$group"
		security_driver = "none"
		max_core = 0
	END
	# A device that root may use and that user may not makes the driver probe qemu again at every step (0.6 s).
	if [[ -c /dev/kvm ]]; then
		(umask 077 && : >/run/no-kvm)
		mount --bind /run/no-kvm /dev/kvm
	fi
	cat >/etc/libvirt/lxc.conf <<-END
		security_driver = "none"
		log_with_libvirtd = 0
	END
}

libvirtd_pid() {
	cat /run/libvirtd.pid 2>/dev/null
}

libvirt_answers() {
	[[ -S /run/libvirt/libvirt-sock ]] &&
		timeout 10 virsh -q -c "$1" list >/dev/null 2>&1
}

libvirt_answers_or_ended() {
	libvirt_answers "$1" || ! kill -0 "$(libvirtd_pid)" 2>/dev/null
}

# libvirtd_launch: returns at once
libvirtd_launch() {
	# bats waits for whoever holds its descriptor 3
	libvirtd -d --pid-file /run/libvirtd.pid </dev/null >/dev/null 2>&1 3>&- 4>&-
}

# libvirt_start [DRIVER...]: returns when each driver (default lxc) answers.
libvirt_start() {
	(($#)) || set -- lxc
	[[ -e /etc/libvirt/libvirtd.conf ]] || libvirt_configure
	mkdir -p /run/libvirt /var/log/libvirt/qemu
	if ! pgrep -x virtlogd >/dev/null; then
		virtlogd -d </dev/null >/dev/null 2>&1 3>&- 4>&-
	fi
	libvirtd_launch
	local driver
	for driver; do
		within 40 libvirt_answers_or_ended "$driver:///system" || true
		if ! libvirt_answers "$driver:///system"; then
			tail -n 20 "$daemon_log" >&2
			return 1
		fi
	done
}

# libvirt_stop: ends guests first, then the daemons. Only ever in the sandbox: elsewhere these are the host's.
libvirt_stop() {
	in_sandbox || return 0
	guests_end
	local pid name
	for name in libvirtd virtlogd; do
		for pid in $(pgrep -x "$name"); do
			kill -TERM "$pid" 2>/dev/null || continue
			try_for 30 process_gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
		done
	done
}

# libvirt_kill: SIGKILL, as if it crashed; running guests go on.
libvirt_kill() {
	local pid
	pid=$(libvirtd_pid)
	kill -KILL "$pid"
	within 10 process_gone "$pid"
	rm -f /run/libvirtd.pid
}

# libvirt_reload: SIGHUP, and waits until the daemon has told that it is through.
libvirt_reload() {
	local -i before
	before=$(reloads_seen)
	kill -HUP "$(libvirtd_pid)"
	within 15 reloads_exceed "$before"
	# it looks for hooks after that line, calls them, and then is through
	within 15 reload_is_over
	libvirt_answers lxc:///system || libvirt_answers qemu:///system
}

reloads_seen() {
	grep -c 'Reloading configuration on SIGHUP' "$daemon_log" 2>/dev/null || true
}

reloads_exceed() {
	(($(reloads_seen) > $1))
}

# The thread that does it has a name.
reload_is_over() {
	! cat /proc/"$(libvirtd_pid)"/task/*/comm 2>/dev/null | grep -qx daemon-reload
}

# on DRIVER VIRSH-COMMAND...
on() {
	local driver=$1 status=0
	shift
	timeout -k 5 "$VIRSH_LIMIT" virsh -q -c "$driver:///system" "$@" || status=$?
	# libvirt's lxc driver may call stopped and release once more when destroy has returned. It has done so when it
	# answers a question about that guest.
	if [[ $driver:$1 == lxc:destroy ]]; then
		timeout -k 5 "$VIRSH_LIMIT" virsh -q -c lxc:///system domstate "${@:2}" >/dev/null 2>&1 || true
	fi
	return $status
}

# --- guests ----------------------------------------------------------------------------------------------------

# xml_quote TEXT: for text in an element or attribute
xml_quote() {
	local text=${1//&/&amp;}
	text=${text//</&lt;}
	text=${text//>/&gt;}
	text=${text//\"/&quot;}
	printf '%s' "${text//\'/&apos;}"
}

# guest_tree NAME: makes the tree of a container and prints it. Busybox is all that is in there.
guest_tree() {
	local tree=/srv/guests/$1
	mkdir -p "$tree"/{bin,dev,proc,sys,tmp,etc,root,var/log}
	cp "$(static_busybox)" "$tree/bin/busybox"
	local applet
	for applet in sh sleep ls cat mkdir date echo kill cp rm df mount poweroff reboot; do
		ln -sf busybox "$tree/bin/$applet"
	done
	echo "$tree"
}

# guest_xml DRIVER NAME [DIRECTIVES [DEVICES]]: DIRECTIVES goes into the virt-parts element, none when empty.
# LXC: sleeps for an hour. QEMU: no disk, no kernel: stays in the firmware, which is enough for every event.
guest_xml() {
	local driver=$1 name=$2 directives=${3:-} devices=${4:-} metadata=''
	name=$(xml_quote "$name")
	if [[ -n $directives ]]; then
		metadata="<metadata><virt-parts xmlns='urn:virt-parts:1'>$directives</virt-parts></metadata>"
	fi
	case $driver in
	lxc)
		local tree=${GUEST_TREE:-/srv/guests/$2}
		cat <<-END
			<domain type='lxc'>
			  <name>$name</name>
			  ${GUEST_UUID:+<uuid>$GUEST_UUID</uuid>}
			  $metadata
			  <memory unit='MiB'>32</memory>
			  <os>
			    <type>exe</type>
			    ${GUEST_INIT:-<init>/bin/busybox</init><initarg>sleep</initarg><initarg>3600</initarg>}
			  </os>
			  <devices>
			    <filesystem type='mount'><source dir="$(xml_quote "$tree")"/><target dir='/'/></filesystem>
			    $devices
			    <console type='pty'/>
			  </devices>
			</domain>
		END
		;;
	qemu)
		cat <<-END
			<domain type='qemu'>
			  <name>$name</name>
			  ${GUEST_UUID:+<uuid>$GUEST_UUID</uuid>}
			  $metadata
			  <memory unit='MiB'>16</memory>
			  <vcpu>1</vcpu>
			  <os><type arch='x86_64' machine='pc'>hvm</type></os>
			  <cpu mode='custom'><model>qemu64</model></cpu>
			  <devices>
			    $devices
			    <controller type='usb' model='none'/>
			    <memballoon model='none'/>
			  </devices>
			</domain>
		END
		;;
	esac
}

# cdrom_xml PATH: a device for guest_xml
cdrom_xml() {
	echo "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file=\"$(xml_quote "$1")\"/><target dev='hda' bus='ide'/><readonly/></disk>"
}

# guest_define DRIVER NAME [DIRECTIVES [DEVICES]]
guest_define() {
	local driver=$1 name=$2 file
	# libvirt, not the tree of this test, decides whether a name is acceptable
	if [[ $driver == lxc && $name != . && $name != .. && -z ${GUEST_TREE:-} ]]; then
		guest_tree "$name" >/dev/null
	fi
	file=$(mktemp)
	guest_xml "$@" >"$file"
	on "$driver" define "$file"
	rm "$file"
}

guest_state_is() {
	[[ $(on "$1" domstate -- "$2" 2>/dev/null) == "$3" ]]
}

# guest_uuid DRIVER NAME
guest_uuid() {
	on "$1" domuuid --domain "$2" | tr -d '\n'
}

# guest_names DRIVER: by UUID, as a name can be anything
guest_uuids() {
	on "$1" list --all --uuid 2>/dev/null | grep .
}

# guests_end: destroys and undefines every guest, whatever its name.
guests_end() {
	local driver uuid
	for driver in lxc qemu; do
		for uuid in $(guest_uuids "$driver"); do
			on "$driver" destroy "$uuid" >/dev/null 2>&1 || true
			on "$driver" managedsave-remove "$uuid" >/dev/null 2>&1 || true
			on "$driver" undefine "$uuid" >/dev/null 2>&1 || true
		done
	done
}

# --- a second host ---------------------------------------------------------------------------------------------
# Mount and UTS namespaces with a hostname, /run, /etc, logs and records of its own and a libvirtd that takes
# itself for another host's. /srv, /tmp and the images are the ones that the first host sees, as on shared storage.

readonly other_private='/run /etc/libvirt /var/lib/libvirt /var/log /var/lib/virt-parts/state'
readonly other_socket_dir=/tmp/other-libvirt

# there COMMAND...: on the second host. A function needs `there bash -c`.
there() {
	nsenter --target "$(cat /tmp/other-host.pid)" --mount --uts -- "$@"
}

# on_there DRIVER VIRSH-COMMAND...
on_there() {
	local driver=$1
	shift
	timeout -k 5 "$VIRSH_LIMIT" virsh -q -c "$driver+unix:///system?socket=$other_socket_dir/libvirt-sock" "$@"
}

# other_host_begin: before the first guest starts, as its mounts are copied from what is there now.
other_host_begin() {
	local dir
	mkdir -p $other_socket_dir /var/lib/virt-parts/state
	cp -a /etc/libvirt /tmp/other-etc-libvirt
	# holds the namespaces; bats waits for whoever holds its descriptor 3
	unshare --mount --uts --propagation private sleep 100000 </dev/null >/dev/null 2>&1 3>&- 4>&- &
	echo $! >/tmp/other-host.pid
	within 5 other_host_is_apart
	there mount --make-rshared /
	there hostname other-host
	for dir in $other_private; do
		there mount -t tmpfs -o mode=755 other "$dir"
	done
	there cp -a /tmp/other-etc-libvirt/. /etc/libvirt/
	rm -rf /tmp/other-etc-libvirt
	there mkdir -p /run/libvirt /run/lock /var/log/libvirt/qemu
	# there it is the system's, and found without its place
	there ln -s $other_socket_dir/libvirt-sock $other_socket_dir/libvirt-sock-ro /run/libvirt/
	there sed -i -e 's/^host_uuid = .*/host_uuid = "6e3ad1c0-5a1b-4d0c-9a57-0d6c9b1a7a22"/' \
		-e "\$a unix_sock_dir = \"$other_socket_dir\"" /etc/libvirt/libvirtd.conf
	# two daemons would put their first machines into one cgroup
	# shellcheck disable=SC2016 # a $ of sed's
	there sed -i '$a cgroup_controllers = [ ]' /etc/libvirt/qemu.conf
	there virtlogd -d </dev/null >/dev/null 2>&1 3>&- 4>&-
	there libvirtd -d --pid-file /run/libvirtd.pid </dev/null >/dev/null 2>&1 3>&- 4>&-
	within 40 other_host_answers
}

other_host_is_apart() {
	[[ $(readlink "/proc/$(cat /tmp/other-host.pid)/ns/uts") != $(readlink /proc/$$/ns/uts) ]]
}

other_host_answers() {
	[[ -S $other_socket_dir/libvirt-sock ]] && on_there qemu list >/dev/null 2>&1
}

# Its daemons are ended with those of the first host.
other_host_end() {
	[[ -e /tmp/other-host.pid ]] || return 0
	kill "$(cat /tmp/other-host.pid)" 2>/dev/null || true
	rm -f /tmp/other-host.pid
}

# --- crashes ---------------------------------------------------------------------------------------------------

# containers_crash: all of them, with their controllers, while libvirtd is away; nobody hears of it.
containers_crash() {
	local pid
	for pid in $(pgrep -f '/libvirt_lxc '); do
		pkill -KILL -P "$pid" || true
		kill -KILL "$pid" 2>/dev/null || true
	done
	within 5 containers_are_gone
	rm -rf /run/libvirt/lxc
}

containers_are_gone() {
	! pgrep -f '/libvirt_lxc ' >/dev/null
}
