#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# install.sh on a host with a running libvirtd. Run as: tests/sandbox bats tests/lives-install.bats

# names that lib/lives.bash sets, none with a blank in it; a guest may be called $(id)
# shellcheck disable=SC2154,SC2086,SC2016,SC2030,SC2031
load lib/lives.bash

setup_file() {
	lives_can lxc || return 0
	echo lxc >"$BATS_FILE_TMPDIR/drivers"
	mkdir -p $hooks
	libvirt_start lxc
}

teardown_file() { lives_end; }

setup() {
	life_begin
	uninstalled
}

teardown() {
	[[ ! -e $BATS_FILE_TMPDIR/skip ]] || return 0
	guests_end
	uninstalled
}

installer() {
	run "$checkout/install.sh" --no-deps "$@"
	echo "$output" >&2
	[ "$status" -eq 0 ]
}

uninstalled() {
	# --uninstall is refused where a hook calls the program
	rm -rf ${hooks:?}
	"$checkout/install.sh" --no-deps --uninstall >/dev/null 2>&1
	rm -rf /var/lib/virt-parts/* /var/log/virt-parts/* /srv/guests
	mkdir -p $hooks
}

foreign_hook() {
	printf '#!/bin/sh\ncat >/dev/null\necho "foreign $*" >>%s/foreign\n' $seen >"$hooks/$1"
	chmod 0755 "$hooks/$1"
}

# calling_hook NAME: a hook of somebody else's that ends with a call of ours, as doctor advises
calling_hook() {
	printf '#!/bin/sh\necho "foreign $*" >>%s/foreign\nexec /usr/sbin/virt-parts-hook --driver %s "$@"\n' $seen "${1%%.d/*}" >"$hooks/$1"
	chmod 0755 "$hooks/$1"
}

ours() {
	[[ $(readlink "$1") == /usr/sbin/virt-parts-hook ]]
}

ramdisk_guest() {
	guest_define lxc web1 "<ramdisk><dir size='1M'>/srv/guests/%NAME%/tmp</dir></ramdisk>"
}

@test "a daemon that was started before the install calls the hooks after it, and install.sh says so" {
	ramdisk_guest
	on lxc start web1
	same_text "$(ramdisks)" ''
	on lxc destroy web1
	installer
	says 'libvirtd: it sees the hooks'
	on lxc start web1
	ramdisk_on /srv/guests/web1/tmp
	on lxc destroy web1
	same_text "$(ramdisks)" ''
}

@test "install.sh says when a daemon does not see the hooks" {
	foreign_hook daemon
	chmod 0644 $hooks/daemon
	mkdir $hooks/daemon.d
	ln -s /usr/sbin/virt-parts-hook $hooks/daemon.d/50-virt-parts
	local pid before
	pid=$(libvirtd_pid) before=$(reloads_seen)
	kill -STOP "$pid"
	run "$checkout/install.sh" --no-deps
	kill -CONT "$pid"
	[ "$status" -ne 0 ]
	says 'did not call a hook'
	# the log that it names tells when it does, and then it is as any other
	says "see its log, and $logs/daemon.log"
	within 15 reloads_exceed "$before"
	chmod 0755 $hooks/daemon
	installer
	says 'libvirtd: it sees the hooks'
	# the part has told before its end is in the log
	within 5 file_has $logs/daemon.log 00-virt-parts-install
}

@test "without the driver daemon install.sh cannot tell whether the hooks are seen; with it, it does" {
	installer --drivers lxc
	says "whether it sees the hooks was not checked: that needs the driver 'daemon'"
	installer --drivers lxc,daemon
	says 'libvirtd: it sees the hooks'
}

@test "where no daemon runs, the next one to start sees the hooks" {
	libvirt_stop
	installer
	says 'no libvirt daemon is running; the next one to start sees the hooks'
	libvirt_start lxc
	ramdisk_guest
	on lxc start web1
	ramdisk_on /srv/guests/web1/tmp
}

@test "with --no-reload the daemon is left alone" {
	installer --no-reload
	fails test -e $logs/daemon.log
	ramdisk_guest
	on lxc start web1
	same_text "$(ramdisks)" ''
}

@test "a second install changes nothing" {
	installer
	find /usr/sbin/virt-parts-hook /usr/libexec/virt-parts /usr/lib/virt-parts $hooks /etc/logrotate.d -printf '%p %l %m %s\n' | sort >"$BATS_TEST_TMPDIR/first"
	installer
	find /usr/sbin/virt-parts-hook /usr/libexec/virt-parts /usr/lib/virt-parts $hooks /etc/logrotate.d -printf '%p %l %m %s\n' | sort >"$BATS_TEST_TMPDIR/second"
	diff "$BATS_TEST_TMPDIR/first" "$BATS_TEST_TMPDIR/second"
}

@test "an edited parts.conf is kept, and an unchanged default makes no parts.conf.new" {
	installer
	echo '# mine' >>$hooks/parts.conf
	installer
	says 'kept your /etc/libvirt/hooks/parts.conf'
	file_has $hooks/parts.conf '# mine'
	fails test -e $hooks/parts.conf.new
}

@test "an edited parts.conf is kept, and a default that changed lies beside it" {
	installer
	echo '# mine' >>$hooks/parts.conf
	echo '# the default of an older version' >>/usr/share/virt-parts/parts.conf
	installer
	says 'the new default is /etc/libvirt/hooks/parts.conf.new'
	file_has $hooks/parts.conf '# mine'
	cmp $hooks/parts.conf.new "$checkout/hooks/parts.conf"
	# once it is taken over there is nothing more to tell
	mv $hooks/parts.conf.new $hooks/parts.conf
	installer
	fails says parts.conf
	fails test -e $hooks/parts.conf.new
}

@test "a parts.conf that nobody edited follows a new default" {
	installer
	echo '# the default of an older version' >>/usr/share/virt-parts/parts.conf
	cp /usr/share/virt-parts/parts.conf $hooks/parts.conf
	installer
	says "brought $hooks/parts.conf up to date (it had not been edited)"
	cmp $hooks/parts.conf "$checkout/hooks/parts.conf"
	fails test -e $hooks/parts.conf.new
	# make install does the same
	echo '# the default of an older version' >>/usr/share/virt-parts/parts.conf
	cp /usr/share/virt-parts/parts.conf $hooks/parts.conf
	make -s -C "$checkout" install
	cmp $hooks/parts.conf "$checkout/hooks/parts.conf"
	fails test -e $hooks/parts.conf.new
	echo '# mine' >>$hooks/parts.conf
	make -s -C "$checkout" install
	fails test -e $hooks/parts.conf.new
	echo '# the default of an older version' >>/usr/share/virt-parts/parts.conf
	make -s -C "$checkout" install
	file_has $hooks/parts.conf '# mine'
	cmp $hooks/parts.conf.new "$checkout/hooks/parts.conf"
	rm $hooks/parts.conf.new
}

@test "a foreign hook stays, virt-parts runs beside it, and both see a guest's life" {
	foreign_hook lxc
	cp $hooks/lxc "$BATS_TEST_TMPDIR/lxc"
	installer
	says 'is not ours and stays'
	cmp $hooks/lxc "$BATS_TEST_TMPDIR/lxc"
	ours $hooks/lxc.d/50-virt-parts
	ramdisk_guest
	on lxc start web1
	ramdisk_on /srv/guests/web1/tmp
	file_has $seen/foreign 'web1 prepare begin'
	on lxc destroy web1
	same_text "$(ramdisks)" ''
}

@test "nothing is put beside a foreign hook that calls virt-parts, and every event runs once" {
	local event
	foreign_hook lxc
	installer --no-reload
	ours $hooks/lxc.d/50-virt-parts
	calling_hook lxc
	installer
	says "lxc: '$hooks/lxc' (line 3) is not ours and calls virt-parts-hook, so no other hook is put there"
	says 'hooks for: qemu lxc network daemon'
	fails test -e $hooks/lxc.d
	record_events
	ramdisk_guest
	on lxc start web1
	ramdisk_on /srv/guests/web1/tmp
	on lxc destroy web1
	same_text "$(ramdisks)" ''
	# not of stopped and release, which libvirt's lxc driver sometimes calls twice
	for event in prepare start started; do
		same_text "$(grep -c "^web1 $event begin$" $seen/events)" 1
	done
	# nor in the place of the hook, where one in the directory calls it
	mkdir $hooks/lxc.d
	mv $hooks/lxc $hooks/lxc.d/30-own
	installer --no-reload
	says "lxc: '$hooks/lxc.d/30-own' (line 3) is not ours and calls virt-parts-hook"
	fails test -L $hooks/lxc
	# where virt-parts is not wanted, that is told
	installer --no-reload --drivers qemu,network,daemon
	says "lxc: '$hooks/lxc.d/30-own' (line 3) is not ours and goes on calling virt-parts-hook; take that out of it"
}

@test "a foreign hook that has the name of virt-parts-hook in it and does not call it keeps the one beside it, or is told" {
	local call
	foreign_hook lxc
	cat >>$hooks/lxc <<-'END'
		echo my-virt-parts-hook /var/log/virt-parts-hook.log $# ${#name} # virt-parts-hook is beside this
		exit 0	#virt-parts-hook is, too
	END
	installer --no-reload
	ours $hooks/lxc.d/50-virt-parts
	sed -i '2i logger "then virt-parts-hook"' $hooks/lxc
	installer --no-reload
	says "warning: lxc: $hooks/lxc.d/50-virt-parts is taken away, as '$hooks/lxc' (line 2) names virt-parts-hook; if that does not call it, virt-parts is not called any more"
	fails test -e $hooks/lxc.d
	# done as it says
	sed -i 2d $hooks/lxc
	installer --no-reload
	ours $hooks/lxc.d/50-virt-parts
	# what calls it is known, however that is written
	for call in '[ $# -gt 0 ] && virt-parts-hook "$@"' 'x=$(virt-parts-hook)' '"/usr/sbin/virt-parts-hook" <xml' \
		'hook=virt-parts-hook' 'exec ${hook:-/usr/sbin/virt-parts-hook}'; do
		sed -i "2i $call" $hooks/lxc
		run "$checkout/install.sh" --no-deps --no-reload --uninstall
		[ "$status" -ne 0 ]
		says "'$hooks/lxc' (line 2)"
		sed -i 2d $hooks/lxc
	done
}

@test "when a foreign hook has gone, virt-parts takes its place and is not there twice" {
	foreign_hook lxc
	installer
	rm $hooks/lxc
	installer
	ours $hooks/lxc
	fails test -e $hooks/lxc.d
}

@test "when both places of a driver are somebody else's, neither is touched and the status says so" {
	foreign_hook lxc
	mkdir $hooks/lxc.d
	echo theirs >$hooks/lxc.d/50-virt-parts
	run "$checkout/install.sh" --no-deps --no-reload
	[ "$status" -ne 0 ]
	says 'not installed for lxc'
	says 'hooks for: qemu network daemon'
	same_text "$(cat $hooks/lxc.d/50-virt-parts)" theirs
	ours $hooks/qemu
	# and one of them given free is taken
	rm $hooks/lxc.d/50-virt-parts
	"$checkout/install.sh" --no-deps --no-reload
	ours $hooks/lxc.d/50-virt-parts
}

@test "a libvirt that runs nothing beside a foreign hook gets none there; one of 6.5 does" {
	local bin=$BATS_TEST_TMPDIR/bin
	mkdir "$bin"
	foreign_hook lxc
	printf '#!/bin/sh\necho "libvirtd (libvirt) 6.4.0"\n' >"$bin/libvirtd"
	chmod 0755 "$bin/libvirtd"
	PATH=$bin:$PATH run "$checkout/install.sh" --no-deps --no-reload
	[ "$status" -ne 0 ]
	says 'this libvirt runs nothing beside it (6.5 would); not installed for lxc'
	fails test -e $hooks/lxc.d
	ours $hooks/qemu
	sed -i 's/6.4/6.5/' "$bin/libvirtd"
	PATH=$bin:$PATH "$checkout/install.sh" --no-deps --no-reload
	ours $hooks/lxc.d/50-virt-parts
	# nor does one in the directory call virt-parts there
	mv $hooks/lxc $hooks/lxc.d/20-own
	calling_hook lxc.d/30-own
	sed -i 's/6.5/6.4/' "$bin/libvirtd"
	PATH=$bin:$PATH "$checkout/install.sh" --no-deps --no-reload
	ours $hooks/lxc
}

# package_state NAME STATE: what dpkg believes
package_state() {
	sed -i "/^Package: $1\$/,/^\$/ s/^Status: .*/Status: $2/" /var/lib/dpkg/status
}

@test "a pkg-config that another package brought is not installed again" {
	[[ -n $(command -v pkg-config) ]] || skip 'needs pkg-config'
	! grep -qx 'Package: pkg-config' /var/lib/dpkg/status || package_state pkg-config 'install ok not-installed'
	"$checkout/install.sh" --no-reload >$BATS_TEST_TMPDIR/told 2>&1
	fails grep 'installing packages' $BATS_TEST_TMPDIR/told
	ours $hooks/lxc
	! grep -qx 'Package: pkg-config' /var/lib/dpkg/status || package_state pkg-config 'install ok installed'
}

@test "a package that is missing and cannot be had is named, and what to do about it is done" {
	[[ $(dpkg-query -W -f '${db:Status-Status}' libisofs-dev 2>/dev/null) == installed ]] || skip 'needs libisofs-dev'
	package_state libisofs-dev 'install ok not-installed'
	# and where packages come from does not answer
	echo 'Acquire::http::Proxy "http://127.0.0.1:9";' >/etc/apt/apt.conf.d/99-nothing
	rm -f /var/cache/apt/archives/*.deb
	run "$checkout/install.sh" --no-reload
	echo "$output" >&2
	[ "$status" -ne 0 ]
	says 'apt-get could not install: libisofs-dev; install them yourself, or go on without them with --no-deps'
	fails test -e /usr/sbin/virt-parts-hook
	installer --no-deps --no-reload
	ours $hooks/lxc
	"$checkout/install.sh" --no-deps --no-reload --uninstall
	# or somebody installs it
	package_state libisofs-dev 'install ok installed'
	"$checkout/install.sh" --no-reload
	ours $hooks/lxc
}

@test "where there is no apt, what is missing is listed, and once it is there virt-parts is installed" {
	local bin=$BATS_TEST_TMPDIR/bin
	cp -as /usr/bin "$bin"
	rm "$bin"/{apt-get,dpkg-query,pkg-config}
	PATH=$bin:/usr/sbin run "$checkout/install.sh" --no-reload
	[ "$status" -ne 0 ]
	says 'please install what is missing:'
	says '  pkg-config'
	says '  the development files of libisofs-1'
	fails says 'the static C library'
	fails test -e /usr/sbin/virt-parts-hook
	ln -s "$(command -v pkg-config)" "$bin/"
	PATH=$bin:/usr/sbin "$checkout/install.sh" --no-reload
	ours $hooks/lxc
}

@test "--drivers installs these and takes the others away" {
	installer --no-reload
	installer --no-reload --drivers lxc,libxl
	ours $hooks/lxc
	ours $hooks/libxl
	fails test -L $hooks/qemu
	fails test -L $hooks/daemon
}

@test "a hook that is taken away from a guest that runs is told, with what nobody will do for it" {
	installer
	ramdisk_guest
	on lxc start web1
	mkdir -p /var/lib/virt-parts/state/qemu/11111111-2222-4333-8444-555555555555
	echo 'name desktop' >/var/lib/virt-parts/state/qemu/11111111-2222-4333-8444-555555555555/run
	installer --drivers qemu,network,daemon
	says 'lxc: its hook is taken away'
	fails says desktop
	says "these runs are not over"
	says "lxc web1 (/var/lib/virt-parts/state/lxc/"
	says 'ramdisk /srv/guests/web1/tmp'
	rm -r /var/lib/virt-parts/state/qemu
	installer --drivers qemu,network,daemon
	fails says 'taken away'
	# once it is back, the end of the guest is seen again
	installer
	on lxc destroy web1
	same_text "$(ramdisks)" ''
}

@test "the runs that --uninstall leaves open are told wherever parts.conf has their records" {
	installer
	sed -i 's|^state = .*|state = /srv/vp-state|' $hooks/parts.conf
	ramdisk_guest
	on lxc start web1
	installer --uninstall
	says "lxc web1 (/srv/vp-state/lxc/"
	on lxc destroy web1
	umount /srv/guests/web1/tmp
	rm -r /srv/vp-state
}

@test "an unknown driver is refused before anything is done" {
	run "$checkout/install.sh" --no-deps --drivers kvm
	[ "$status" -ne 0 ]
	says "unknown driver 'kvm'"
	fails test -e /usr/sbin/virt-parts-hook
}

@test "--uninstall with --drivers is refused, as it would remove the hooks of the others, too" {
	installer --no-reload
	run "$checkout/install.sh" --no-deps --no-reload --uninstall --drivers lxc
	[ "$status" -ne 0 ]
	says 'it takes no --drivers'
	ours $hooks/lxc
	test -x /usr/sbin/virt-parts-hook
}

@test "--uninstall leaves parts.conf, the admin's parts, records and logs, and nothing else" {
	find /usr /etc -path /etc/libvirt/hooks -prune -o ! -type d -print | sort >"$BATS_TEST_TMPDIR/before"
	installer
	part prepare_begin.d/30-mine <<-END
		:
	END
	mkdir -p /var/lib/virt-parts/state/lxc/x $logs
	echo kept >$logs/lxc-x.log
	installer --uninstall
	find /usr /etc -path /etc/libvirt/hooks -prune -o ! -type d -print | sort >"$BATS_TEST_TMPDIR/after"
	diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	same_text "$(cd $hooks && find . ! -type d | sort | tr '\n' ' ')" './parts.conf ./parts.d/prepare_begin.d/30-mine '
	test -d /var/lib/virt-parts/state/lxc/x
	test -e $logs/lxc-x.log
}

@test "--uninstall removes nothing while a hook that is not ours calls virt-parts, and does when that is taken out" {
	mkdir $hooks/lxc.d
	foreign_hook lxc
	installer --no-reload
	calling_hook lxc
	calling_hook lxc.d/30-own
	run "$checkout/install.sh" --no-deps --no-reload --uninstall
	echo "$output" >&2
	[ "$status" -ne 0 ]
	says "call virt-parts-hook: '$hooks/lxc' (line 3), '$hooks/lxc.d/30-own' (line 3); with the program gone they would refuse every start"
	ours $hooks/qemu
	ours $hooks/lxc.d/50-virt-parts
	test -x /usr/sbin/virt-parts-hook
	# a comment calls nothing, nor does what cannot be executed
	sed -i 's/^exec/  # exec/' $hooks/lxc
	chmod 0644 $hooks/lxc.d/30-own
	installer --no-reload --uninstall
	fails test -e /usr/sbin/virt-parts-hook
	fails test -L $hooks/qemu
	test -e $hooks/lxc.d/30-own
}

@test "after --uninstall a guest starts" {
	installer
	installer --uninstall
	guest_define lxc plain
	on lxc start plain
}

# selinux DENIED...: a host where SELinux enforces. libvirtd's domain is virtd_t, that of a virtnetworkd that does not
# run is virtnetworkd_t. Of "DOMAIN TYPE CLASS PERMISSION" what matches one of these patterns is denied.
selinux() {
	local bin=$BATS_TEST_TMPDIR/bin
	mkdir -p "$bin" "$BATS_TEST_TMPDIR/selinux"
	echo 1 >"$BATS_TEST_TMPDIR/selinux/enforce"
	printf '#!/bin/sh\n' | tee "$bin/virtnetworkd" >"$bin/restorecon"
	printf '%s\n' "$@" >"$BATS_TEST_TMPDIR/denied"
	cat >"$bin/stat" <<-'END'
		#!/bin/sh
		case "$*" in
		*%C*virtnetworkd) echo system_u:object_r:virtnetworkd_exec_t:s0 ;;
		*%C*libvirtd) echo system_u:object_r:virtd_exec_t:s0 ;;
		*%C*/var/lib*) echo system_u:object_r:var_lib_t:s0 ;;
		*%C*hooks*) echo system_u:object_r:virt_hook_t:s0 ;;
		*%C*) echo system_u:object_r:bin_t:s0 ;;
		*) exec /usr/bin/stat "$@" ;;
		esac
	END
	cat >"$bin/selinux_check_access" <<-END
		#!/bin/sh
		asked=\$(echo "\$1 \$2 \$3 \$4" | sed 's/[a-z_]*:[a-z_]*:\([a-z_]*\):[^ ]*/\1/g')
		echo "\$asked" >>$BATS_TEST_TMPDIR/asked
		! echo "\$asked" | grep -qxf $BATS_TEST_TMPDIR/denied
	END
	chmod 0755 "$bin"/*
	PATH=$bin:$PATH VIRT_PARTS_SELINUXFS=$BATS_TEST_TMPDIR/selinux run "$checkout/install.sh" --no-deps
	echo "$output" >&2
}

@test "where SELinux enforces and would not let the hook run, no hook is installed and the missing rule is named" {
	selinux '.* file execute'
	[ "$status" -ne 0 ]
	says 'no hook was installed'
	says 'bin_t:file execute;'
	same_text "$(find $hooks -name '*virt-parts*' -o -type l)" ''
}

@test "where SELinux enforces and lets the hook run, it is installed" {
	selinux nothing
	[ "$status" -eq 0 ]
	ours $hooks/lxc
	ours $hooks/network
	# what a hook needs was asked, for the daemon that runs and for the one that does not
	grep -qE '^[a-z_]+ bin_t file execute_no_trans$' "$BATS_TEST_TMPDIR/asked"
	grep -qx 'virtnetworkd_t var_lib_t dir add_name' "$BATS_TEST_TMPDIR/asked"
}

@test "where SELinux lets one daemon run no hook, only that one's hooks are left out, also those of an earlier install" {
	installer
	ours $hooks/network
	selinux 'virtnetworkd_t bin_t file execute'
	[ "$status" -ne 0 ]
	says 'missing: allow virtnetworkd_t bin_t:file execute;'
	says 'semanage fcontext'
	ours $hooks/qemu
	ours $hooks/lxc
	fails test -L $hooks/network
	fails test -L $hooks/daemon
	# once the policy has what is missing, an install puts them there
	says 'Then run install.sh again: it asks the policy'
	selinux nothing
	[ "$status" -eq 0 ]
	ours $hooks/network
	ours $hooks/daemon
}

@test "where SELinux would let the hook run, but it could not work, it is not installed" {
	selinux '.* var_lib_t dir add_name'
	[ "$status" -ne 0 ]
	says 'var_lib_t:dir add_name;'
	same_text "$(find $hooks -type l)" ''
}

# own_tree: $tree, a copy of the source that belongs to an ordinary user; $stage, for DESTDIR
own_tree() {
	tree=$BATS_FILE_TMPDIR/tree stage=$BATS_TEST_TMPDIR/stage
	mkdir "$stage"
	chown nobody "$stage"
	chmod 0711 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR" "${BATS_TEST_TMPDIR%/*}"
	[[ ! -d $tree ]] || return 0
	mkdir "$tree"
	tar -C "$checkout" --exclude=./build --exclude=./.git -cf - . | tar -C "$tree" -xf -
	chown -R nobody "$tree"
}

# stage [OPTION]...: install.sh of that tree, as that user
stage() {
	MAKEFLAGS='' LDFLAGS='' DESTDIR=$stage run setpriv --reuid 65534 --regid 65534 --clear-groups "$tree/install.sh" --no-deps "$@"
	echo "$output" >&2
	[ "$status" -eq 0 ]
}

@test "DESTDIR staging needs no root, and its links name the place where it will be" {
	# another prefix is another build, in a tree of that user's
	own_tree
	stage --prefix /usr/local
	same_text "$(readlink "$stage$hooks/qemu")" /usr/local/sbin/virt-parts-hook
	same_text "$(readlink "$stage/usr/local/lib/virt-parts/parts.d/release_end.d/20-archive")" /usr/local/libexec/virt-parts/archive
	fails test -e /usr/local/sbin/virt-parts-hook
	file_has "$stage$hooks/parts.conf" '^vendor = /usr/local/lib/virt-parts/parts.d$'
	cmp "$stage$hooks/parts.conf" "$stage/usr/local/share/virt-parts/parts.conf"
}

@test "without --prefix an install stays where it is, and --uninstall takes it away from there" {
	own_tree
	stage --prefix /usr/local
	stage
	fails test -e "$stage/usr/sbin"
	stage --uninstall
	same_text "$(cd "$stage" && find . ! -type d)" ./etc/libvirt/hooks/parts.conf
}

@test "an install in another place takes an unedited parts.conf along, and says when one leads elsewhere" {
	own_tree
	mkdir -p "$stage/opt/vp/sbin" "$stage/opt/vp/share/virt-parts" "$stage$hooks"
	touch "$stage/opt/vp/sbin/virt-parts-hook"
	ln -s /opt/vp/sbin/virt-parts-hook "$stage$hooks/qemu"
	sed 's|^vendor = /usr|vendor = /opt/vp|' "$checkout/hooks/parts.conf" >"$stage$hooks/parts.conf"
	cp "$stage$hooks/parts.conf" "$stage/opt/vp/share/virt-parts/"
	chown -R nobody "$stage"
	stage --prefix /usr/local
	same_text "$(readlink "$stage$hooks/qemu")" /usr/local/sbin/virt-parts-hook
	says "the programs in $stage/opt/vp are still there, and no hook leads to them any more"
	file_has "$stage$hooks/parts.conf" '^vendor = /usr/local/lib/virt-parts/parts.d$'
	sed -i -e 's|^vendor = .*|vendor = /opt/vp/lib/virt-parts/parts.d|' -e 's/60s/61s/' "$stage$hooks/parts.conf"
	stage
	file_has "$stage$hooks/parts.conf" '^vendor = /opt/vp/lib/virt-parts/parts.d$'
	says "says 'vendor = /opt/vp/lib/virt-parts/parts.d', so the shipped parts are looked for there"
}

@test "a path with a blank is refused, and nothing at its first half is removed" {
	local mine=$BATS_TEST_TMPDIR/my
	touch "$mine"
	DESTDIR="$mine stage" run "$checkout/install.sh" --no-deps --uninstall
	[ "$status" -ne 0 ]
	says "'$mine stage' holds a blank"
	run "$checkout/install.sh" --no-deps --no-reload --prefix "$mine stage"
	[ "$status" -ne 0 ]
	make -s -C "$checkout" uninstall DESTDIR="$mine stage"
	[ -e "$mine" ]
}

@test "as an ordinary user without DESTDIR nothing is tried" {
	run setpriv --reuid 65534 --regid 65534 --clear-groups "$checkout/install.sh"
	[ "$status" -ne 0 ]
	says 'needs root'
}
