#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The admin's command on a real libvirtd. Run as: tests/sandbox bats tests/lives-cli.bats

# names that lib/lives.bash sets, none with a blank in it
# shellcheck disable=SC2154,SC2086,SC2016
load lib/lives.bash

setup_file() { lives_begin lxc; }
teardown_file() { lives_end; }
setup() { life_begin; }
teardown() { life_end; }

# Which daemon there is a driver for is known.
vp() {
	timeout -k 5 60 virt-parts -c lxc:///system "$@"
}

readonly some="
	<ramdisk><dir size='4M'>/srv/guests/%NAME%/tmp</dir></ramdisk>
	<archive><dircopy><src>/srv/guests/%NAME%/var/log</src><dst>/srv/archive/%NAME%/%DATE%</dst></dircopy></archive>
	<post-rm-rf><dir>/srv/guests/%NAME%/scratch</dir></post-rm-rf>"

# --- directives ------------------------------------------------------------------------------------------------

@test "what set stores in words is what show shows, and what the guest then lives by" {
	guest_define lxc web1
	run vp show web1
	[ "$status" -eq 1 ]
	says "'web1' has no directives"
	vp set web1 ramdisk /srv/guests/%NAME%/tmp size=4M mode=1777
	vp set web1 archive /srv/guests/%NAME%/var/log /srv/archive/%NAME%/%DATE% when=destroyed
	vp set web1 post-rm-rf /srv/guests/%NAME%/scratch
	run vp show web1
	[ "$status" -eq 0 ]
	says '<virt-parts xmlns="urn:virt-parts:1">'
	says '<dir size="4M" mode="1777">/srv/guests/%NAME%/tmp</dir>'
	says '<archive when="destroyed">'
	mkdir /srv/guests/web1/scratch
	echo line >/srv/guests/web1/var/log/messages
	on lxc start web1
	ramdisk_on /srv/guests/web1/tmp
	on lxc destroy web1
	fails test -e /srv/guests/web1/scratch
	same_text "$(records)" ''
}

@test "set of the same path changes it, and of another adds one" {
	guest_define lxc web1
	vp set web1 ramdisk /srv/guests/%NAME%/tmp size=4M
	vp set web1 ramdisk /srv/guests/%NAME%/tmp size=8M
	vp set web1 ramdisk /srv/guests/%NAME%/run size=1M
	same_text "$(vp show web1 | grep -c '<dir ')" 2
	vp show web1 | grep -q 'size="8M"'
	fails grep -q 'size="4M"' <(vp show web1)
	same_text "$(vp show web1 | grep -c '<ramdisk>')" 1
}

@test "set in words changes what they name, and keeps the rest of what is there" {
	local seed=/var/lib/virt-parts/iso/web1/seed.iso
	guest_define lxc web1
	mkdir -p /srv/seed/{a,b,c}
	vp set web1 ramdisk /srv/guests/%NAME%/tmp size=4M mode=1777
	vp set web1 ramdisk /srv/guests/%NAME%/tmp size=8M
	vp show web1 | grep -qF '<dir size="8M" mode="1777">/srv/guests/%NAME%/tmp</dir>'
	vp set web1 ramdisk /srv/guests/%NAME%/tmp mode=
	vp show web1 | grep -qF '<dir size="8M">/srv/guests/%NAME%/tmp</dir>'
	vp set web1 - <<-END
		<virt-parts>
		<preload><iso path='$seed' label='CIDATA' keep='yes'>
		<src>/srv/seed/a</src><src>/srv/seed/b</src><file path='meta-data'>id: &lt;1&gt;</file></iso></preload>
		<archive when='destroyed'>
		<dircopy uid='1'><src>/srv/guests/%NAME%/var/log</src><dst>/srv/archive/%NAME%/a</dst></dircopy>
		<dircopy><src>/srv/guests/%NAME%/etc</src><dst>/srv/archive/%NAME%/b</dst></dircopy></archive>
		</virt-parts>
	END
	vp set web1 iso $seed mode=0644
	vp show web1 | grep -qF "<iso path=\"$seed\" label=\"CIDATA\" keep=\"yes\" mode=\"0644\">"
	same_text "$(vp show web1 | grep -c '<src>/srv/seed/[ab]</src>')" 2
	vp set web1 iso $seed '/srv/seed/c' label=
	vp show web1 | grep -qF "<iso path=\"$seed\" keep=\"yes\" mode=\"0644\">"
	same_text "$(vp show web1 | grep '/srv/seed' | tr -d ' ')" '<src>/srv/seed/c</src>'
	vp show web1 | grep -qF '<file path="meta-data">id: &lt;1&gt;</file>'
	# in its directive, or in one of its own for other reasons
	vp set web1 archive /srv/guests/%NAME%/root /srv/archive/%NAME%/a gid=2
	same_text "$(vp show web1 | grep -c '<archive when="destroyed">')" 1
	vp show web1 | grep -qF '<dircopy uid="1" gid="2">'
	vp show web1 | grep -qF '<src>/srv/guests/%NAME%/root</src>'
	fails grep -q 'NAME%/var/log' <(vp show web1)
	vp set web1 archive /srv/guests/%NAME%/root /srv/archive/%NAME%/a when=shutdown
	same_text "$(vp show web1 | grep -A1 '<archive when=' | tr -d ' \n')" \
		'<archivewhen="destroyed"><dircopy>--<archivewhen="shutdown"><dircopyuid="1"gid="2">'
	vp set web1 archive /srv/guests/%NAME%/root /srv/archive/%NAME%/a when=
	same_text "$(vp show web1 | grep -A1 '<archive' | tr -d ' \n')" \
		'<archivewhen="destroyed"><dircopy>--<archive><dircopyuid="1"gid="2">'
	# one that is there twice
	vp show web1 | sed 's|archive/%NAME%/a|archive/%NAME%/b|' | vp set web1 -
	run vp set web1 archive /srv/guests/%NAME%/root /srv/archive/%NAME%/b
	[ "$status" -eq 2 ]
	says "cannot tell which <dircopy> of '/srv/archive/%NAME%/b' is meant, as there are 2"
}

@test "set in words leaves a directory the dates of its archive when it gets other reasons" {
	local dates='<datestr><format>%Y/%m</format><replace>@MONTH@</replace></datestr>'
	guest_define lxc web1
	vp set web1 - <<-END
		<virt-parts><archive>$dates
		<dircopy><src>/srv/guests/%NAME%/var/log</src><dst>/srv/archive/%NAME%/@MONTH@/log</dst></dircopy>
		<dircopy><src>/srv/guests/%NAME%/etc</src><dst>/srv/archive/%NAME%/@MONTH@/etc</dst></dircopy></archive>
		<archive when='destroyed'>
		<dircopy><src>/srv/guests/%NAME%/root</src><dst>/srv/archive/%NAME%/@MONTH@/root</dst></dircopy></archive></virt-parts>
	END
	# one of two: an archive like its own, not that which has the reasons already
	vp set web1 archive /srv/guests/%NAME%/var/log /srv/archive/%NAME%/@MONTH@/log when=destroyed
	local others='<dircopy><src>/srv/guests/%NAME%/etc</src><dst>/srv/archive/%NAME%/@MONTH@/etc</dst></dircopy></archive>'
	others="<archive>$dates$others<archivewhen=\"destroyed\">$dates<dircopy><src>/srv/guests/%NAME%/var/log</src>"
	[[ $(vp show web1 | tr -d ' \n') == *"$others"* ]]
	# alone: in its own
	vp set web1 archive /srv/guests/%NAME%/var/log /srv/archive/%NAME%/@MONTH@/log when=crashed
	[[ $(vp show web1 | tr -d ' \n') == *"${others/destroyed/crashed}"* ]]
	vp set web1 archive /srv/guests/%NAME%/var/log /srv/archive/%NAME%/@MONTH@/log when=
	[[ $(vp show web1 | tr -d ' \n') == *"${others/archivewhen=\"destroyed\"/archive}"* ]]
	same_text "$(vp show web1 | grep -c '<archive')" 3
}

@test "set in words takes as many as there are" {
	local -a sources
	local i
	guest_define lxc web1
	for ((i = 1; i <= 64; i++)); do
		mkdir -p /srv/seed/$i
		sources+=("/srv/seed/$i")
	done
	vp set web1 iso /var/lib/virt-parts/iso/web1/seed.iso "${sources[@]}"
	same_text "$(vp show web1 | grep -c '<src>')" 64
}

@test "what show shows can be set again, from a file and from standard input, and is the same" {
	guest_define lxc web1 "$some"
	vp show web1 >/tmp/before.xml
	vp clear web1
	fails vp show web1
	vp set web1 /tmp/before.xml
	vp show web1 | cmp - /tmp/before.xml
	vp set web1 - </tmp/before.xml
	vp show web1 | cmp - /tmp/before.xml
}

@test "every template can be set, when what it copies is there" {
	guest_define lxc web1
	mkdir -p /srv/seed/web1 /srv/seed/www
	local one
	for one in ramdisk archive post-rm-rf preload; do
		vp template $one | vp set web1 -
		vp show web1 | grep -q "<$one>"
	done
	vp template | vp set web1 -
	same_text "$(vp show web1 | grep -c '^  <[a-z-]*>$')" 4
}

@test "what prepare would refuse is not stored, with the reason, unless --no-check asks for it" {
	guest_define lxc web1
	run vp set web1 post-rm-rf /etc
	[ "$status" -eq 2 ]
	says "'/etc' lies below no 'delete' path"
	says 'add --no-check'
	fails vp show web1
	run vp set web1 ramdsk /srv/guests/%NAME%/x
	says "did you mean 'ramdisk'?"
	run vp set web1 ramdisk /srv/guests/%NAME%/x
	says "needs the attribute 'size'"
	vp set --no-check web1 post-rm-rf /etc
	run on lxc start web1
	[ "$status" -ne 0 ]
	says '/etc'
}

@test "clear takes away one directive, or all" {
	guest_define lxc web1 "$some"
	vp clear web1 ramdisk
	fails grep -q ramdisk <(vp show web1)
	vp show web1 | grep -q archive
	run vp clear web1 ramdisk
	[ "$status" -eq 1 ]
	vp clear web1
	run vp clear web1
	[ "$status" -eq 1 ]
	says "has no directives"
}

@test "directives of a running guest are changed live and for later, and count from its next start" {
	guest_define lxc web1 "$some"
	on lxc start web1
	run vp set web1 ramdisk /srv/guests/%NAME%/run size=1M
	says 'it counts from its next start'
	vp show --live web1 | grep -q guests/%NAME%/run
	vp show --config web1 | grep -q guests/%NAME%/run
	run vp set --live web1 ramdisk /srv/guests/%NAME%/live size=1M
	says "stored for 'web1', in the running guest only: its next start does not have it"
	run vp set --config web1 ramdisk /srv/guests/%NAME%/later size=1M
	says "stored for 'web1', which runs: it counts from its next start"
	run vp clear --live web1
	says "cleared 'web1', in the running guest only: its next start does not have it"
	fails vp show --live web1
	vp show --config web1 | grep -q ramdisk
	on lxc destroy web1
	run vp show --live web1
	[ "$status" -eq 2 ]
	says 'does not run'
	same_text "$(ramdisks)" ''
}

@test "where the running guest and its next start have not the same directives, neither is overwritten unseen" {
	local words
	guest_define lxc web1 "$some"
	on lxc start web1
	vp clear --config web1 archive
	for words in 'show web1' 'clear web1 ramdisk' 'edit web1' 'set web1 post-rm-rf /srv/guests/%NAME%/x'; do
		EDITOR=true run vp $words
		[ "$status" -eq 2 ]
		says "'web1' has other directives as it runs than for its next start: say which are meant"
	done
	vp show --live web1 | grep -q '<archive>'
	fails grep -q '<archive>' <(vp show --config web1)
	vp show --config web1 | vp set web1 -
	vp show web1 | grep -q '<ramdisk>'
	# of all, both are cleared, whichever has some
	vp clear --config web1
	run vp clear web1
	[ "$status" -eq 0 ]
	fails vp show --live web1
	run vp clear web1
	[ "$status" -eq 1 ]
	says "'web1' has no directives"
	vp set --config web1 ramdisk /srv/guests/%NAME%/x size=1M
	vp clear web1
	fails vp show --config web1
	on lxc destroy web1
}

@test "an attribute of another namespace is refused, and can be cleared" {
	local one
	guest_define lxc web1
	for one in '' 'p:owner="me"' 'count="7" p:count="4"' 'xml:space="preserve"'; do
		on lxc metadata web1 urn:virt-parts:1 --config --key vp \
			--set "<virt-parts xmlns:p='urn:x'><own $one/></virt-parts>"
		run vp show web1
		if [[ -z $one ]]; then
			[ "$status" -eq 0 ]
			continue
		fi
		[ "$status" -eq 2 ]
		says "the metadata of 'web1': an attribute with a prefix is none of a directive's"
		run on lxc start web1
		[ "$status" -ne 0 ]
		says 'unknown attribute'
		vp clear web1
		run vp set web1 - <<<"<virt-parts xmlns:p='urn:x'><own $one/></virt-parts>"
		[ "$status" -eq 2 ]
		says "'-': an attribute with a prefix is none of a directive's"
	done
}

@test "edit stores what the editor leaves, checked; a refused text is kept, and can be set when mended" {
	guest_define lxc web1 "$some"
	EDITOR='sed -i s/4M/2M/' vp edit web1
	vp show web1 | grep -q 'size="2M"'
	EDITOR=true run vp edit web1
	says 'nothing was changed'
	VISUAL="sed -i 's/<dir size/<dri x/'" run vp edit web1
	[ "$status" -eq 2 ]
	says 'your text is kept'
	local command
	command=$(grep -oE "virt-parts -c lxc:///system set [^']*" <<<"$output")
	sed -i 's/<dri x/<dir size/' "${command##* }"
	$command
	EDITOR=false run vp edit web1
	[ "$status" -eq 2 ]
	same_text "$(find /tmp -maxdepth 1 -name 'virt-parts.*' | wc -l)" 1
}

@test "edit keeps a changed text when the editor fails" {
	guest_define lxc web1 "$some"
	cat >"$BATS_TEST_TMPDIR/editor" <<-'END'
		sed -i s/4M/2M/ "$1"
		exit 3
	END
	EDITOR="sh $BATS_TEST_TMPDIR/editor" run vp edit web1
	[ "$status" -eq 2 ]
	says 'the editor ended with 3, nothing was stored'
	says 'your text is kept'
	vp show web1 | grep -q 'size="4M"'
	local command
	command=$(grep -oE "virt-parts -c lxc:///system set [^']*" <<<"$output")
	$command
	vp show web1 | grep -q 'size="2M"'
	rm -r /tmp/virt-parts.*
	EDITOR=false run vp edit web1
	[ "$status" -eq 2 ]
	fails grep -q kept <<<"$output"
	same_text "$(echo /tmp/virt-parts.*)" '/tmp/virt-parts.*'
}

@test "edit stores nothing over what came meanwhile, and keeps the text" {
	guest_define lxc web1 "$some"
	cat >"$BATS_TEST_TMPDIR/editor" <<-'END'
		virt-parts -c lxc:///system set web1 ramdisk /srv/guests/%NAME%/run size=1M
		sed -i s/4M/2M/ "$1"
	END
	EDITOR="sh $BATS_TEST_TMPDIR/editor" run vp edit web1
	[ "$status" -eq 2 ]
	says "nothing was stored, since the directives of 'web1' have been changed meanwhile"
	says 'your text is kept'
	vp show web1 | grep -q '"1M">/srv/guests/%NAME%/run<'
	vp show web1 | grep -q 'size="4M"'
	grep -q 'size="2M"' /tmp/virt-parts.*/virt-parts.xml
	rm -r /tmp/virt-parts.*
}

# --- check and explain -----------------------------------------------------------------------------------------

@test "check --all looks at every guest of both daemons, as they start next" {
	guest_define lxc web1 "$some"
	mkdir -p /srv/guests/web1/var/log
	guest_define lxc bad "<ramdisk><dir size='x'>/srv/guests/%NAME%/tmp</dir></ramdisk>"
	guest_define lxc plain
	run virt-parts check --all
	[ "$status" -eq 1 ]
	says "bad (lxc): error: <ramdisk><dir>: size 'x' is not a size"
	fails grep -q 'web1 (lxc): [we]\|plain' <<<"$output"
	# of which guest a finding is, as commands take it; one of no guest's says so
	mkdir -p $parts/prepare_begin.d
	touch $parts/prepare_begin.d/5-x $parts/prepare_begin.d/40-x
	chmod +x $parts/prepare_begin.d/*-x
	run virt-parts check --json
	same_text "$(jq -r '[.[] | "\(.domain) \(.driver)"] | unique | join(", ")' <<<"$output")" 'bad lxc, null null, web1 lxc'
	rm -r $parts/prepare_begin.d
	vp clear bad
	run virt-parts check
	[ "$status" -eq 0 ]
	says '3 guests, nothing is wrong'
	run virt-parts check web1
	[ "$status" -eq 0 ]
}

@test "explain of a guest by name is what then happens" {
	guest_define lxc web1 "$some"
	run vp explain web1 prepare begin
	[ "$status" -eq 0 ]
	says "mounts a tmpfs of 4M on '/srv/guests/web1/tmp'"
	on lxc start web1
	run vp explain web1 prepare begin
	says 'the guest runs: this is what its next start does'
	run vp explain web1 release end destroyed
	says "unmounts '/srv/guests/web1/tmp'"
	run vp explain "$(guest_uuid lxc web1)" release end destroyed
	says "deletes '/srv/guests/web1/scratch'"
	on lxc destroy web1
}

@test "explain of a guest whose directives came after its start says that nothing of them is done at its end" {
	guest_define lxc web1
	mkdir /srv/guests/web1/scratch
	on lxc start web1
	vp set web1 post-rm-rf /srv/guests/%NAME%/scratch
	run vp explain web1 release end destroyed
	[ "$status" -eq 0 ]
	says 'note: the guest runs and has no run: its directives came after its start'
	says 'the guest has no run'
	fails says "deletes '/srv/guests/web1/scratch'"
	fails says 'the run is unfinished then'
	same_text "$(vp explain --json web1 release end destroyed | jq -r '.parts[] | select(.state == "run").name')" ''
	on lxc destroy web1
	test -d /srv/guests/web1/scratch
	file_has $logs/lxc-web1.log 'or its directives came after it had started; nothing is archived'
	# what it is asked of one that is off
	run vp explain web1 release end destroyed
	says "deletes '/srv/guests/web1/scratch'"
	on lxc start web1
	run vp explain web1 release end destroyed
	says "deletes '/srv/guests/web1/scratch'"
	on lxc destroy web1
	fails test -d /srv/guests/web1/scratch
}

@test "a guest that nobody knows is an error that names it" {
	run virt-parts explain nobody prepare begin
	[ "$status" -eq 2 ]
	says "libvirt knows no guest 'nobody'"
}

# --- status and resolve ----------------------------------------------------------------------------------------

@test "status knows running guests, and those that are gone" {
	guest_define lxc web1 "$some"
	on lxc start web1
	run virt-parts status
	[ "$status" -eq 0 ]
	says 'web1 (lxc, '
	says ')  open'
	says 'mounted   /srv/guests/web1/tmp'
	run vp resolve web1
	[ "$status" -eq 2 ]
	says 'the guest runs, and its release will end it'
	ramdisk_on /srv/guests/web1/tmp
	on lxc destroy web1
	same_text "$(virt-parts status)" 'no run is open or unfinished'
}

# Nobody saw the guest's end: its release never came.
lost() {
	guest_define lxc web1 "$some"
	echo line >/srv/guests/web1/var/log/messages
	mkdir /srv/guests/web1/scratch
	on lxc start web1
	# libvirt forgets the hook, so the guest ends without it
	mv $hooks/lxc $hooks/lxc.away
	libvirt_reload
	on lxc destroy web1
	mv $hooks/lxc.away $hooks/lxc
	libvirt_reload
	ramdisk_on /srv/guests/web1/tmp
}

@test "a run whose release never came is shown, and resolve archives it and deletes nothing" {
	lost
	run virt-parts status
	[ "$status" -eq 1 ]
	says ')  unfinished'
	says 'guest     shut off'
	vp resolve web1
	same_text "$(ramdisks)" ''
	cmp /srv/archive/web1/"$(today)"/messages <(echo line)
	test -e /srv/guests/web1/scratch
	same_text "$(records)" ''
}

@test "the run of a guest that was undefined is shown as gone, and discarded" {
	lost
	on lxc undefine web1
	run virt-parts status
	says 'guest     gone'
	run vp resolve --discard web1
	[ "$status" -eq 1 ]
	says "is lost: the ramdisk '/srv/guests/web1/tmp'"
	ramdisk_on /srv/guests/web1/tmp
	vp resolve --discard --yes web1
	same_text "$(ramdisks)" ''
	fails test -e /srv/archive/web1
}

@test "a damaged record refuses the guest; what the message says to do mends that" {
	lost
	local run
	run=$(records)
	echo nonsense >"$run/run"
	run on lxc start web1
	[ "$status" -ne 0 ]
	says "virt-parts resolve"
	run vp resolve web1
	[ "$status" -eq 2 ]
	says '--discard ends it'
	vp resolve --discard --yes web1
	same_text "$(ramdisks)" ''
	on lxc start web1
	on lxc destroy web1
}

@test "status says unknown while libvirtd is away, and resolve leaves a run that may be alive alone" {
	guest_define lxc web1 "$some"
	on lxc start web1
	libvirt_kill
	run vp status
	[ "$status" -eq 0 ]
	says ')  unknown'
	run vp resolve --discard --yes web1
	[ "$status" -eq 2 ]
	says 'libvirt does not say whether the guest runs'
	ramdisk_on /srv/guests/web1/tmp
	libvirt_again
	on lxc destroy web1
}

@test "a daemon that is held up by a hook does not hold status up for longer than the time limit" {
	part started_begin.d/50-slow <<-END
		echo begun
		$until_go_on
	END
	guest_define lxc web1 "$some"
	on lxc start web1 >/dev/null 2>&1 3>&- &
	within 5 file_has $logs/lxc-web1.log begun
	quickly 20 vp --timeout 1 status >/tmp/status || true
	go_on
	wait
	grep -q 'web1' /tmp/status
	on lxc destroy web1
}

# --- doctor ----------------------------------------------------------------------------------------------------

# mend ABOUT: what doctor says to do about it
mend() {
	virt-parts doctor --json | jq -r --arg about "$1" '.[] | select(.about == $about and .mend).mend'
}

@test "doctor finds nothing wrong with what install.sh has installed" {
	# the sandbox has made the directory of logs, not virt-parts
	virt-parts doctor --fix
	run virt-parts doctor
	[ "$status" -eq 0 ]
	guest_define lxc web1 "$some"
	on lxc start web1
	run virt-parts doctor
	[ "$status" -eq 0 ]
	on lxc destroy web1
}

@test "a hook that the running daemon does not see is found, and each thing that doctor says mends it" {
	chmod 0700 $logs
	guest_define lxc web1 "$some"
	rm $hooks/lxc
	libvirt_reload
	run virt-parts doctor
	[ "$status" -eq 1 ]
	says "there is no hook '$hooks/lxc'"
	bash -c "$(mend lxc)"
	ours=$(readlink $hooks/lxc)
	same_text "$ours" /usr/sbin/virt-parts-hook
	# it is there, and libvirt does not call it
	on lxc start web1
	same_text "$(ramdisks)" ''
	on lxc destroy web1
	run virt-parts doctor
	[ "$status" -eq 1 ]
	says "libvirtd: warning: process $(libvirtd_pid) looked for hooks before these were there as they are, so it may not call them: lxc"
	same_text "$(mend libvirtd)" "kill -HUP $(libvirtd_pid)"
	bash -c "$(mend libvirtd)"
	within 10 virt-parts doctor
	on lxc start web1
	ramdisk_on /srv/guests/web1/tmp
	on lxc destroy web1
}

@test "what is missing of the installation is found, and each thing that doctor says mends it" {
	chmod 0700 $logs
	cp $hooks/parts.conf "$BATS_TEST_TMPDIR/parts.conf"
	rm $hooks/parts.conf
	run virt-parts doctor
	[ "$status" -eq 1 ]
	bash -c "$(mend parts.conf)"
	virt-parts doctor
	local broken
	for broken in /usr/sbin/virt-parts-hook /usr/lib/virt-parts/parts.d/release_end.d/20-archive; do
		rm $broken
		run virt-parts doctor
		[ "$status" -eq 1 ]
		says 'mend: install virt-parts again with its install.sh'
		"$checkout/install.sh" --no-deps
		virt-parts doctor
	done
	cp "$BATS_TEST_TMPDIR/parts.conf" $hooks/parts.conf
}

@test "a hook of somebody else's stays: what doctor says puts virt-parts beside it, and both are called" {
	chmod 0700 $logs
	rm $hooks/lxc
	printf '#!/bin/sh\necho "$1 $2" >>%s/foreign\n' $seen >$hooks/lxc
	chmod 0755 $hooks/lxc
	libvirt_reload
	run virt-parts doctor
	[ "$status" -eq 1 ]
	says "'$hooks/lxc' is not virt-parts, which is not called"
	bash -c "$(mend lxc)"
	# libvirt knows that there is a hook, and then calls all that there are
	virt-parts doctor
	guest_define lxc web1 "$some"
	on lxc start web1
	ramdisk_on /srv/guests/web1/tmp
	file_has $seen/foreign 'web1 prepare'
	on lxc destroy web1
	rm -r $hooks/lxc $hooks/lxc.d
	ln -s /usr/sbin/virt-parts-hook $hooks/lxc
	libvirt_reload
}

@test "a daemon of one driver is told only of that driver's hook" {
	chmod 0700 $logs
	# doctor knows a daemon by its name
	cp "$(command -v sleep)" /tmp/virtqemud
	/tmp/virtqemud 1000 3>&- 4>&- &
	local pid=$!
	within 5 file_has /proc/$pid/comm virtqemud
	echo $pid >/run/virt-parts/virtqemud.seen
	# what comes now is later by the clock of files, too
	sleep 0.1
	ln -sfn /usr/sbin/virt-parts-hook $hooks/lxc
	run virt-parts doctor --json
	same_text "$(jq -r '.[] | select(.about == "virtqemud").text' <<<"$output")" ''
	ln -sfn /usr/sbin/virt-parts-hook $hooks/qemu
	run virt-parts doctor --json
	kill $pid
	libvirt_reload
	same_text "$(jq -r '.[] | select(.about == "virtqemud").text' <<<"$output")" \
		"process $pid looked for hooks before these were there as they are, so it may not call them: qemu"
	same_text "$(jq -r '.[] | select(.about == "virtqemud").mend' <<<"$output")" "kill -HUP $pid"
	same_text "$(jq -r '.[] | select(.about == "libvirtd").text' <<<"$output" | grep -o 'them: .*')" 'them: qemu, lxc'
}

@test "doctor --fix reloads the daemon and sees that it has looked" {
	chmod 0700 $logs
	guest_define lxc web1 "$some"
	rm $hooks/lxc
	libvirt_reload
	ln -s /usr/sbin/virt-parts-hook $hooks/lxc
	run virt-parts doctor --fix
	[ "$status" -eq 0 ]
	says 'mended: kill -HUP'
	on lxc start web1
	ramdisk_on /srv/guests/web1/tmp
	on lxc destroy web1
}

# daemon_mended: doctor has found that the daemon calls no hook; what it says makes it call them
daemon_mended() {
	same_text "$(mend libvirtd)" "kill -HUP $(libvirtd_pid)"
	on lxc start web1
	same_text "$(ramdisks)" ''
	on lxc destroy web1
	bash -c "$(mend libvirtd)"
	within 10 virt-parts doctor
	on lxc start web1
	ramdisk_on /srv/guests/web1/tmp
	on lxc destroy web1
}

@test "a daemon that was started when the hooks led nowhere is found, also when these are as old as before" {
	local driver
	chmod 0700 $logs
	guest_define lxc web1 "$some"
	ln -sfn /usr/sbin /srv/programs
	for driver in qemu lxc network daemon; do
		ln -sfn /srv/programs/virt-parts-hook $hooks/$driver
	done
	libvirt_reload
	virt-parts doctor
	ln -sfn /nowhere /srv/programs
	libvirt_kill
	libvirt_again
	ln -sfn /usr/sbin /srv/programs
	run virt-parts doctor
	[ "$status" -eq 1 ]
	says "process $(libvirtd_pid) has not called the hook 'daemon', as it does when it looks for hooks, so it may have found none and not call these: qemu, lxc, network, daemon"
	daemon_mended
	for driver in qemu lxc network daemon; do
		ln -sfn /usr/sbin/virt-parts-hook $hooks/$driver
	done
	rm /srv/programs
	libvirt_reload
}

@test "a daemon that was reloaded while the hook program could not be executed is found" {
	chmod 0700 $logs
	guest_define lxc web1 "$some"
	chmod 0644 /usr/sbin/virt-parts-hook
	libvirt_reload
	run virt-parts doctor
	[ "$status" -eq 1 ]
	says "lxc: error: '$hooks/lxc' has no right to be executed, so libvirt passes over it and virt-parts is not called"
	# a reload would be of no use yet
	same_text "$(mend libvirtd)" ''
	bash -c "$(mend lxc)"
	run virt-parts doctor
	[ "$status" -eq 1 ]
	daemon_mended
}

@test "a hook program without the right to be executed is passed over, and one that cannot be run refuses, as doctor says" {
	chmod 0700 $logs
	guest_define lxc web1 "$some"
	cp -a /usr/sbin/virt-parts-hook /srv/kept
	# the daemon has found it
	chmod 0644 /usr/sbin/virt-parts-hook
	run virt-parts doctor
	says 'so libvirt passes over it and virt-parts is not called'
	on lxc start web1
	same_text "$(ramdisks)" ''
	on lxc destroy web1
	chmod 0755 /usr/sbin/virt-parts-hook
	echo garbage >/usr/sbin/virt-parts-hook
	run virt-parts doctor
	[ "$status" -eq 1 ]
	says "versions: error: '/usr/sbin/virt-parts-hook' cannot be run, so libvirt refuses every start of a guest: Exec format error"
	run on lxc start web1
	[ "$status" -ne 0 ]
	says 'cannot execute binary /etc/libvirt/hooks/lxc: Exec format error'
	mv /srv/kept /usr/sbin/virt-parts-hook
	libvirt_reload
}

@test "without the hook 'daemon' doctor says that it cannot tell, and finds no fault in that" {
	chmod 0700 $logs
	rm $hooks/daemon $hooks/lxc
	libvirt_reload
	ln -s /usr/sbin/virt-parts-hook $hooks/lxc
	run virt-parts doctor
	ln -s /usr/sbin/virt-parts-hook $hooks/daemon
	libvirt_reload
	[ "$status" -eq 0 ]
	says "libvirtd: note: "
	says "without the hook 'daemon' nothing tells whether it was reloaded since"
	virt-parts doctor
}

# confined SCRIPT: doctor where the script has made a security filesystem. This kernel has no such module.
confined() {
	unshare -m --propagation private sh -ec "
		mount -t tmpfs none /sys/kernel/security
		mount -t tmpfs none /sys/fs
		$1
		exec virt-parts doctor"
}

@test "doctor tells what AppArmor's profile of libvirt lets it run, and finds a hook that it does not" {
	chmod 0700 $logs
	local profiles="mkdir -p /sys/kernel/security/apparmor
		echo 'libvirtd (enforce)' >/sys/kernel/security/apparmor/profiles"
	run confined "$profiles"
	[ "$status" -eq 0 ]
	says "AppArmor: note: its profile libvirtd (enforce) lets libvirt run '/usr/sbin/virt-parts-hook' unconfined"
	# a program elsewhere, where it would inherit libvirt's profile, or not run at all
	run confined "$profiles
		mkdir -p /opt/virt-parts/sbin
		cp /usr/sbin/virt-parts-hook /opt/virt-parts/sbin/
		mkdir /run/hooks
		cp -a $hooks/. /run/hooks/
		ln -sfn /opt/virt-parts/sbin/virt-parts-hook /run/hooks/qemu
		mount --bind /run/hooks $hooks"
	rm -r /opt/virt-parts /run/hooks
	[ "$status" -eq 1 ]
	says "AppArmor: error: its profile libvirtd (enforce) does not let libvirt run '/opt/virt-parts/sbin/virt-parts-hook'"
	says 'without --prefix'
}

# selinux MODE [RULE...]: doctor on a host with SELinux and a policy of these rules, each one of
#   deny DOMAIN TYPE CLASS PERMISSION, permissive DOMAIN, change DOMAIN TYPE DOMAIN
# The daemon that runs is libvirtd, one that does not is virtnetworkd.
selinux() {
	cat >/tmp/selinux <<-'END'
		import os, pty, select, sys
		top = "/sys/fs/selinux"
		needs = {"file": ["execute", "execute_no_trans", "entrypoint", "read", "create"], "dir": ["search", "add_name", "write"],
		         "process": ["transition"], "filesystem": ["mount"]}
		classes = sorted(needs)
		for number, name in enumerate(classes, 5):
		    os.makedirs(f"{top}/class/{name}/perms")
		    print(number, file=open(f"{top}/class/{name}/index", "w"))
		    for bit, permission in enumerate(needs[name], 14):
		        print(bit, file=open(f"{top}/class/{name}/perms/{permission}", "w"))
		rules = [rule.split() for rule in sys.argv[2:]]
		def access(source, target, name):
		    allowed = 0xffffffff
		    for rule in rules:
		        if rule[:-1] == ["deny", source, target, name]:
		            allowed &= ~(1 << needs[name].index(rule[-1]) + 13)
		    return f"{allowed:x} ffffffff 0 ffffffff 1 {int(['permissive', source] in rules)}"
		def create(source, target, name):
		    for rule in rules:
		        if rule[:-1] == ["change", source, target]:
		            source = rule[-1]
		    return f"system_u:system_r:{source}:s0"
		# the kernel answers what is asked, on the same descriptor
		nodes = {}
		for node in access, create:
		    master, slave = pty.openpty()
		    os.symlink(os.ttyname(slave), f"{top}/{node.__name__}")
		    os.system(f"stty -F {os.ttyname(slave)} raw -echo")
		    nodes[master] = node
		print(sys.argv[1], file=open(f"{top}/enforce", "w"))
		while True:
		    for master in select.select(nodes, [], [])[0]:
		        source, target, number = os.read(master, 1000).decode().split()
		        answer = nodes[master](source.split(":")[2], target.split(":")[2], classes[int(number) - 5])
		        os.write(master, answer.encode())
	END
	local label path words='' word
	cp /bin/true /usr/sbin/virtnetworkd
	for label in virtd_exec_t:/usr/sbin/libvirtd virtnetworkd_exec_t:/usr/sbin/virtnetworkd bin_t:/usr/sbin/virt-parts-hook \
		bin_t:/usr/libexec/virt-parts/ramdisk virt_hook_t:$parts virt_hook_t:$hooks/parts.conf var_lib_t:/var/lib/virt-parts/state; do
		path=${label#*:}
		python3 -c 'import os, sys; os.setxattr(sys.argv[1], "security.selinux", sys.argv[2].encode() + b"\0")' \
			"$path" "system_u:object_r:${label%%:*}:s0"
	done
	# the program has changed
	libvirt_reload
	for word; do
		words+=" '$word'"
	done
	run confined "mkdir /sys/fs/selinux
		python3 /tmp/selinux $words & trap \"kill \$!\" EXIT
		while [ ! -s /sys/fs/selinux/enforce ]; do sleep 0.05; done
		virt-parts doctor
		exit"
	rm /usr/sbin/virtnetworkd
}

@test "doctor asks SELinux's policy, for each daemon, whether it may run the hook and the hook may work" {
	chmod 0700 $logs
	command -v python3 >/dev/null || skip 'needs python3'
	mkdir -p /var/lib/virt-parts/state
	chmod 0700 /var/lib/virt-parts/state
	selinux 1
	[ "$status" -eq 0 ]
	says 'SELinux: note: it is enforcing, and its policy lets libvirtd, virtnetworkd run the hook, and that work'
	# one daemon, one rule
	selinux 1 'deny virtnetworkd_t bin_t file execute_no_trans'
	[ "$status" -eq 1 ]
	says "SELinux: error: under its policy virtnetworkd cannot run '/usr/sbin/virt-parts-hook', or that cannot work, so starts are refused (network, daemon)"
	says "load a policy module with 'allow virtnetworkd_t bin_t:file execute_no_trans;'"
	says 'its policy lets libvirtd run the hook'
	# each thing that a hook does
	local denied
	for denied in 'virt_hook_t dir search' 'virt_hook_t file read' 'bin_t file execute' 'var_lib_t dir add_name' \
		'var_lib_t dir write' 'tmpfs_t file create' 'tmpfs_t filesystem mount'; do
		selinux 1 "deny virtd_t $denied"
		[ "$status" -eq 1 ]
		denied=${denied/ /:}
		says "SELinux: error: under its policy libvirtd cannot run '/usr/sbin/virt-parts-hook'"
		says "'allow virtd_t $denied;'"
	done
}

@test "doctor takes a domain that SELinux's policy declares permissive as allowed, and follows a change of domain" {
	chmod 0700 $logs
	command -v python3 >/dev/null || skip 'needs python3'
	mkdir -p /var/lib/virt-parts/state
	chmod 0700 /var/lib/virt-parts/state
	selinux 1 'deny virtd_t bin_t file execute' 'permissive virtd_t'
	[ "$status" -eq 0 ]
	says 'its policy lets libvirtd, virtnetworkd run the hook'
	selinux 1 'change virtd_t bin_t hook_t' 'deny virtd_t bin_t file execute_no_trans' 'deny virtd_t tmpfs_t file create'
	[ "$status" -eq 0 ]
	says 'its policy lets libvirtd, virtnetworkd run the hook'
	selinux 1 'change virtd_t bin_t hook_t' 'deny virtd_t hook_t process transition'
	[ "$status" -eq 1 ]
	says "'allow virtd_t hook_t:process transition;'"
	selinux 1 'change virtd_t bin_t hook_t' 'deny hook_t bin_t file entrypoint'
	[ "$status" -eq 1 ]
	says "'allow hook_t bin_t:file entrypoint;'"
	selinux 1 'change virtd_t bin_t hook_t' 'deny hook_t tmpfs_t file create'
	[ "$status" -eq 1 ]
	says "'allow hook_t tmpfs_t:file create;'"
	# a whole host that is permissive
	selinux 0 'deny virtd_t bin_t file execute'
	[ "$status" -eq 0 ]
	says 'SELinux: note: it is permissive; under its policy libvirtd could not run'
}

@test "where SELinux enforces, doctor has a missing hook made by install.sh, which asks the policy, and by no link" {
	chmod 0700 $logs
	command -v python3 >/dev/null || skip 'needs python3'
	mkdir -p /var/lib/virt-parts/state
	chmod 0700 /var/lib/virt-parts/state
	mv $hooks/lxc /root/lxc-hook
	selinux 1
	says "there is no hook '$hooks/lxc', so virt-parts is not called"
	says "mend: run install.sh again, which asks SELinux's policy and makes no link that it would not let work"
	fails grep -q 'ln -s' <<<"$output"
	selinux 0
	says "mend: ln -s /usr/sbin/virt-parts-hook $hooks/lxc"
	mv /root/lxc-hook $hooks/lxc
	vp doctor --fix
}
