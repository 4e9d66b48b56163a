#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# virt-parts run and log: an event by hand, and what events have told.

# shellcheck disable=SC2154,SC2016,SC2030,SC2031,SC2034 # variables of cli_make and vp
load lib/cli.bash

setup() { cli_make; }
teardown() { parts_remove; }

# --- run -------------------------------------------------------------------------------------------------------

@test "run lives a guest's life as libvirt does" {
	all_four
	good -c "$daemon" run "$file" prepare begin
	is_mounted "$me/tmp"
	good -c "$daemon" run "$file" started begin
	good -c "$daemon" run --force "$file" release end --reason destroyed
	holds "$archive/web1/$today/messages" logged
	is_gone "$me/scratch"
	nothing_left
	says 'release_end: begin extra=destroyed'
}

@test "run hands the XML over, and prints into no other file, whichever of its standard files are closed" {
	local closed
	all_four
	for closed in '0<&-' '0<&- 1>&-' '0<&- 1>&- 2>&-'; do
		eval '"$build/virt-parts" --hook-dir "$hooks" -c "$daemon" run "$file" prepare begin' "$closed" || true
		is_mounted "$me/tmp"
		does release end failed
		nothing_left
	done
	"$build/virt-parts" --hook-dir "$hooks" -c "$daemon" run "$file" prepare begin >&- || [ $? -eq 2 ]
	does release end failed
}

@test "run shows what the parts print while they print it, escaped, and nothing that was logged before" {
	part "$parts/prepare_begin.d/30-own" "printf 'one \\033[31m\\n'" 'while [ ! -e "$tree/go" ]; do sleep 0.05; done' 'echo two'
	all_four
	mkdir -p "$tree/log"
	echo before >"$tree/log/lxc-web1.log"
	"$build/virt-parts" --root "$hooks" -c "$daemon" run "$file" prepare begin >"$tree/shown" 2>&1 3>&- 4>&- &
	helpers+=($!)
	within 60 grep -qxF 'one \x1b[31m' "$tree/shown"
	not grep -q two "$tree/shown"
	touch "$tree/go"
	wait "${helpers[-1]}"
	grep -qx two "$tree/shown"
	grep -q 'prepare_begin: end exit 0' "$tree/shown"
	not grep -q before "$tree/shown"
	does release end failed
}

@test "on a terminal run has a line that says how far a long copy is, and takes it away" {
	command -v script >/dev/null || skip 'needs script'
	part "$parts/prepare_begin.d/30-own" 'head -c 5242880 /dev/zero >"$tree/copy"' 'until [ -e "$tree/go" ]; do sleep 0.05; done' 'echo done'
	all_four
	TERM=xterm script -qfec "$build/virt-parts --hook-dir $hooks -c $daemon run $file prepare begin" /dev/null </dev/null >"$tree/shown" 3>&- 4>&- &
	helpers+=($!)
	within 60 grep -q $'\r\e\[K[a-z0-9-]*: [0-9]* MiB written, [0-9]* s' "$tree/shown"
	touch "$tree/go"
	wait "${helpers[-1]}"
	# gone before the next line
	has "$(tr '\r' '\n' <"$tree/shown")" $'\e[Kdone'
	good -c "$daemon" run --force "$file" release end --reason failed
	lacks "$errors" written
}

@test "run and explain refuse an event that libvirt does not have, and name the one that may be meant" {
	all_four
	changes_nothing wrong explain "$file" relaese end
	has "$errors" "'relaese end' is no event of a guest, did you mean 'release end'?"
	part "$parts/domains/web1/relaese_end.d/30-own"
	changes_nothing wrong -c "$daemon" run "$file" relaese end
	has "$errors" "'relaese end' is no event of a guest, did you mean 'release end'?; add --force to run it all the same"
	vp explain "$file" relaese end
	[ "$status" -eq 0 ]
	has "$output" 30-own
	has "$errors" "warning: 'relaese end' is no event of a guest"
	ran
	vp -c "$daemon" run --force "$file" relaese end
	[ "$status" -eq 0 ]
	ran 30-own
}

@test "run --dry-run explains, and changes nothing" {
	all_four
	changes_nothing good run --dry-run "$file" prepare begin
	has "$output" "mounts a tmpfs of 1M on '$me/tmp'"
	changes_nothing good run --dry-run --reason saved "$file" release end
	has "$output" 'archives nothing'
}

@test "an event that fails is told with the part's words, and where the rest is" {
	part "$parts/prepare_begin.d/30-own" 'echo no quota left' 'exit 3'
	all_four
	finds -c "$daemon" run "$file" prepare begin
	has "$errors" 'prepare_begin.d/30-own failed (exit 3)'
	has "$errors" 'no quota left'
	has "$errors" "'virt-parts log lxc-web1' shows what was run"
	good log lxc-web1
	has "$output" 'no quota left'
	does release end failed
	# nor is it for the name that what shows it is not found
	part "$parts/prepare_begin.d/30-own" 'exit 3'
	guest "$(printf 'n%.0s' {1..201})"
	ask_file ''
	finds -c "$daemon" run "$file" prepare begin
	has "$errors" "'virt-parts log lxc-$id' shows what was run"
	good log "lxc-$id"
	has "$(timeline)" '30-own  exit 3'
}

@test "a teardown of a guest that may be alive needs --force" {
	all_four
	starts
	wrong -c "$daemon" run "$file" release end
	has "$errors" 'libvirt does not say whether it is alive'
	wrong -c "$daemon" run "$file" stopped end
	is_mounted "$me/tmp"
	good -c "$daemon" run --force "$file" release end --reason destroyed
	nothing_left
}

@test "run without a hook, a UUID or a right word is refused" {
	all_four
	wrong -c "$daemon" run "$file" prepare begin --reason saved
	rm "$hooks/lxc"
	wrong -c "$daemon" run "$file" prepare begin
	has "$errors" "cannot run the hook '$hooks/lxc'"
	mkdir "$hooks/lxc.d"
	ln -s ../../sbin/virt-parts-hook "$hooks/lxc.d/50-virt-parts"
	good -c "$daemon" run "$file" prepare begin
	does_beside() { printf '%s' "$xml" | "$hooks/lxc.d/50-virt-parts" web1 release end failed; }
	does_beside
	sed -i '/<uuid>/d' "$file"
	wrong -c "$daemon" run "$file" prepare begin
	has "$errors" 'has no <uuid>'
}

@test "a network's event is run from its file" {
	# shellcheck disable=SC2016
	part "$parts/network_started_begin.d/10-net" 'cat >"$tree/net.xml"'
	part "$parts/network_port-created_begin.d/10-net" 'cat >"$tree/net.xml"'
	# as virsh net-dumpxml prints it, and as libvirt gives it to the hook
	printf '%s\n' '<?xml version="1.0" encoding="ISO-8859-1"?>' '<!-- mine -->' \
		$'<network><name>default</name><title>caf\xe9</title></network>' >"$file"
	good run "$file" started begin
	same "$(<"$tree/net.xml")" $'<hookData>\n<network><name>default</name><title>caf\303\251</title></network>\n</hookData>'
	echo '<hookData><network><name>default</name></network><networkport/></hookData>' >"$file"
	good run "$file" port-created begin
	same "$(<"$tree/net.xml")" "$(<"$file")"
}

# --- log -------------------------------------------------------------------------------------------------------

# A life of web1 that goes well, and one of web2 that does not
lived() {
	part "$parts/domains/web2/start_begin.d/30-own" 'echo broken' 'exit 1'
	all_four
	lives
	guest web2 lxc $(($$ + 1))
	ask "<ramdisk><dir size='1M'>$guests/%NAME%/tmp</dir></ramdisk>"
	does prepare begin
	call start begin
	does release end failed
	guest web1 lxc $$
}

# timeline: what was printed, without times and durations
timeline() {
	sed -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}/TIME/g; s/ +[0-9]+ ms$/ MS/; s/  +/  /g' <<<"$output"
}

@test "log shows a guest's life: events, their parts, how and how long each, and what was printed" {
	lived
	good log web1
	same "$(timeline | grep -v ' | ')" 'lxc-web1  TIME - TIME, destroyed
  TIME  prepare begin  exit 0 MS
  05-virt-parts  exit 0 MS
  10-ramdisk  exit 0 MS
  20-preload  exit 0 MS
  TIME  start begin  exit 0 MS
  TIME  started begin  exit 0 MS
  TIME  stopped end (shutdown-or-destroyed) exit 0 MS
  TIME  release end (destroyed)  exit 0 MS
  20-archive  exit 0 MS
  40-ramdisk  exit 0 MS
  50-preload  exit 0 MS
  60-post-rm-rf  exit 0 MS'
	has "$(grep -A1 20-archive <<<"$output")" '| web1: <archive><dircopy>: note: archived'
	good log web2
	same "$(timeline | grep -A2 'start begin')" '  TIME  start begin  exit 1 MS
  30-own  exit 1 MS
  | broken'
	good log lxc-web2
	has "$output" broken
	wrong -c "$daemon" log web3
	has "$errors" "there is no log of 'web3'"
}

@test "a guest that is called like a line of the log makes none" {
	guest "2026-11-21T22:10:25.123Z prepare_begin: end exit 0, 3 ms pid=1: x"
	ask '<ramdsk/>'
	call prepare begin
	[ "$status" -ne 0 ]
	good log "$name"
	same "$(grep -c 'prepare begin' <<<"$output")" 1
	has "$(grep -F '| ' <<<"$output")" '<ramdsk>: unknown directive'
}

@test "log knows a guest by its UUID, and one whose name makes no good file name by that" {
	lived
	# its run is over, so libvirt alone can tell
	wrong -c "qemu+unix:///system?socket=$tree/none" log "$id"
	has "$errors" "there is no log of '$id' in '$tree/log'; libvirt could not be asked whether it has another name: "
	libvirt_is LXC
	known
	good -c "$daemon" log "$id"
	has "$output" 'lxc-web1  '
	lacks "$output" web2
	prefix=()
	# by its record
	guest "$(printf 'n%.0s' {1..201})"
	ask "<ramdisk><dir size='1M'>$guests/$$</dir></ramdisk>"
	policy "write = $guests"
	does prepare begin
	good -c test:///nowhere log "$name"
	has "$output" "lxc-$id  "
	good -c test:///nowhere log "$id"
	has "$output" "lxc-$id  "
	does release end failed
}

@test "log knows a guest that was renamed by both names, and follows the one that is given" {
	all_four
	starts
	mv "$me/var/log" "$me/var/log.away"
	call release end destroyed
	[ "$status" -ne 0 ]
	libvirt_is LXC
	# libvirt alone knows of it
	name=web2 known
	good -c "$daemon" log web2
	has "$output" 'lxc-web1  '
	prefix=()
	name=web2 call prepare begin
	local each
	for each in web1 web2 "$id"; do
		good -c test:///nowhere log "$each"
		has "$output" 'lxc-web1  '
		has "$output" 'lxc-web2  '
	done
	wrong -c test:///nowhere log "$id" --follow
	has "$errors" "there is more than one log of '$id': say which, such as 'lxc-web1'"
	timeout 600 "$build/virt-parts" --hook-dir "$hooks" log web2 --follow >"$tree/followed" 3>&- 4>&- &
	within 60 grep -q 'lxc-web2' "$tree/followed"
	name=web2 call start begin
	within 60 grep -q 'start_begin: end' "$tree/followed"
	kill $! || true
}

@test "log has how each event and part ended in one column, in 80" {
	lived
	good log web1
	same "$(grep -v '^ *|' <<<"$output" | grep -o '^.* exit 0 ' | awk '{ print length }' | sort -u)" 66
	part "$parts/started_begin.d/40-killed" 'kill -9 $$'
	does prepare begin
	does start begin
	run call started begin
	good log web1
	same "$(grep -v '^ *|' <<<"$output" | awk 'length > 80')" ''
	same "$(grep ' ms$' <<<"$output" | awk '{ print length }' | sort -u)" 80
	does release end failed
}

@test "log tells lives apart also where a guest has parts at its start alone" {
	part "$parts/started_begin.d/30-own" 'echo life'
	metadata ''
	for _ in 1 2; do
		does prepare begin
		does start begin
		does started begin
		does release end shutdown
	done
	good log web1
	same "$(timeline | grep -v '|')" 'lxc-web1  TIME
  TIME  started begin  exit 0 MS
  30-own  exit 0 MS

lxc-web1  TIME
  TIME  started begin  exit 0 MS
  30-own  exit 0 MS'
	part "$parts/start_begin.d/30-own" 'echo life'
	for _ in 1 2; do
		does start begin
		does started begin
	done
	good log web1
	same "$(timeline | grep -c '^lxc-web1 ')" 4
}

@test "log shows of each part what it printed last, and one that was killed or has not ended" {
	part "$parts/started_begin.d/30-many" 'seq 30'
	part "$parts/started_begin.d/40-killed" 'kill -9 $$'
	part "$parts/reconnect_begin.d/30-own" 'echo soon' 'kill -9 $PPID'
	all_four
	does prepare begin
	does start begin
	run call started begin
	run call reconnect begin
	good log web1
	same "$(timeline | sed -n '/started begin/,$p')" "  TIME  started begin  exit 1 MS
  30-many  exit 0 MS
  | 20 lines before, in '$tree/log/lxc-web1.log'
$(seq -f '  | %g' 21 30)
  40-killed  killed by signal 9 MS
  TIME  reconnect begin  not ended
  | soon"
	good log web1 --json
	same "$(json 'map(select(.event == "started_begin"))[0].parts | map([.name, .failed, .exit, (.lines | length)] | map(tostring) | join(" ")) | join(", ")')" \
		'30-many false 0 30, 40-killed true null 0'
	same "$(json '.[-1] | [.event, .exit, .ms, .failed, .lines[0]] | map(tostring) | join(" ")')" 'reconnect_begin null null true soon'
	does release end failed
}

@test "log --json has each event with its parts, how they ended and what they printed" {
	lived
	good log web1 --json
	same "$(json '.[-1] | [.event, .reason, .exit, .failed, (.ms | type)] | map(tostring) | join(" ")')" 'release_end destroyed 0 false number'
	same "$(json '.[-1].parts | map(.name) | join(" ")')" '20-archive 40-ramdisk 50-preload 60-post-rm-rf'
	has "$(json '.[-1].parts[0].lines[0]')" 'note: archived'
	good log web2 --json
	same "$(json 'map(select(.failed)) | map([.event, .exit, .parts[0].result, .parts[0].lines[0]] | map(tostring) | join(" ")) | join(" ")')" \
		'start_begin 1 exit 1 broken'
}

@test "log shows the lives of a guest apart, and a release that a later start did" {
	all_four
	starts
	does prepare begin
	does start begin
	good log web1
	same "$(timeline | grep -E '^(lxc|  TIME)')" 'lxc-web1  TIME - TIME, lost
  TIME  prepare begin  exit 0 MS
  TIME  start begin  exit 0 MS
  TIME  started begin  exit 0 MS
  TIME  release end (lost)  exit 0 MS
lxc-web1  TIME
  TIME  prepare begin  exit 0 MS
  TIME  start begin  exit 0 MS'
	does release end failed
}

@test "log without a guest shows all, by time, each with its log's name" {
	lived
	good log
	has "$output" 'lxc-web1 '
	has "$output" 'lxc-web2 '
	good log --json
	same "$(json '[.[].time] == ([.[].time] | sort)')" true
	same "$(json '[.[] | select(.log == "lxc-web1.log").event] | join(" ")')" \
		'prepare_begin start_begin started_begin stopped_end release_end'
}

@test "log --failed shows only events in which something went wrong" {
	lived
	good log --failed
	has "$output" broken
	has "$(timeline)" '30-own  exit 1'
	lacks "$output" '20-archive'
	lacks "$output" 'release end'
	good log --failed --json
	same "$(json '.[] | [.log, .event, .failed] | join(" ")')" 'lxc-web2.log start_begin true'
	good log web1 --failed
	same "$output" ''
}

@test "log --failed shows an event that was killed, and none that runs" {
	all_four
	part "$parts/release_end.d/30-own" 'echo soon' 'kill -9 $PPID'
	starts
	run call release end destroyed
	good log web1 --failed
	has "$(timeline)" 'release end (destroyed)  not ended'
	good log web1 --failed --json
	same "$(json '.[] | [.event, .exit, .failed] | map(tostring) | join(" ")')" 'release_end null true'
	rm "$parts/release_end.d/30-own"
	does release end destroyed
	# what ended before there was a process with an end is no less ended
	sed -i '/: end exit /s/ pid=[0-9]*//' "$tree/log/lxc-web1.log"
	good log web1 --json
	same "$(json '[.[] | select(.exit == null).event] | join(" ")')" release_end
	# one that goes on has not failed
	part "$parts/attach_begin.d/30-own" "touch '$tree/there'" "while [ ! -e '$tree/over' ]; do sleep 0.05; done"
	background hook lxc web1 attach begin -
	within 60 test -e "$tree/there"
	good log web1 --json
	same "$(json '.[-1] | [.event, .exit, .failed] | map(tostring) | join(" ")')" 'attach_begin null false'
	touch "$tree/over"
	wait "${helpers[-1]}"
	good log web1 --json
	same "$(json '.[-1] | [.event, .exit, .failed] | map(tostring) | join(" ")')" 'attach_begin 0 false'
}

@test "log tells events of a network apart that are run at once" {
	local stamp=2026-11-21T22:10:2
	mkdir -p "$tree/log"
	printf '%s\n' "${stamp}0.000Z port-created_begin: begin extra=- pid=11" \
		"${stamp}1.000Z port-created_begin: begin extra=- pid=12" \
		"${stamp}2.000Z port-created_begin: 10-own: exit 0, 2 ms" \
		"${stamp}3.000Z port-created_begin: end exit 0, 2000 ms pid=12" \
		'printed late' \
		"${stamp}4.000Z port-created_begin: 20-own: exit 1, 4 ms" \
		"${stamp}5.000Z port-created_begin: end exit 1, 5000 ms pid=11" \
		"${stamp}6.000Z port-created_begin: begin extra=- pid=13" \
		"${stamp}7.000Z port-created_begin: begin extra=- pid=14" \
		"${stamp}8.000Z port-created_begin: end exit 0, 2000 ms pid=13" \
		"${stamp}9.000Z port-created_begin: end exit 0, 2000 ms pid=14" >"$tree/log/network-default.log"
	good log default --json
	same "$(json '.[] | [.exit, .ms, .failed, (.parts | map(.name) | join("+")), (.parts[0].lines // [] | join("+"))] | map(tostring) | join(" ")')" \
		'1 5000 true 20-own printed late
0 2000 false 10-own 
0 2000 false  
0 2000 false  '
	good log default
	lacks "$output" 'not ended'
}

@test "an event that runs has not failed, also when another one of its network began later" {
	local stamp=2026-11-21T22:10:2
	mkfifo "$tree/never"
	"$build/virt-parts-hook" --driver network --hook-dir "$hooks" default started begin - <>"$tree/never" 3>&- 4>&- &
	helpers+=("$!")
	mkdir -p "$tree/log"
	printf '%s\n' "${stamp}0.000Z started_begin: begin extra=- pid=$!" \
		"${stamp}1.000Z port-created_begin: begin extra=- pid=12" \
		"${stamp}2.000Z port-created_begin: end exit 0, 2000 ms pid=12" >"$tree/log/network-default.log"
	within 60 grep -q virt-parts-hook "/proc/$!/comm"
	good log default --json
	same "$(json '.[].failed')" $'false\nfalse'
	kill "${helpers[-1]}"
	wait "${helpers[-1]}" || true
	good log default --json
	same "$(json '.[].failed')" $'true\nfalse'
}

@test "log --since leaves out what is older" {
	lived
	sed -i 's/^20[0-9][0-9]-/2020-/' "$tree/log/lxc-web1.log"
	good log --since 1h
	lacks "$output" lxc-web1
	has "$output" lxc-web2
	good log --since "$(date +%Y-%m-%d)"
	lacks "$output" lxc-web1
	good log --since 2019-12-31
	has "$output" lxc-web1
	good log web1 --since '2020-01-01 00:00'
	wrong log --since yesterday
}

@test "log shows what logrotate has put aside, as one log, and says what it has compressed and may be wanted" {
	local log=$tree/log/lxc-web1.log whole
	lived
	good log web1
	whole=$output
	good log web1 --json
	local whole_json=$output
	# in the middle of a life
	sed -n '1,/ start_begin: end /p' "$log" >"$log.1"
	sed -i '1,/ start_begin: end /d' "$log"
	good log web1
	same "$output" "$whole"
	good log web1 --json
	same "$output" "$whole_json"
	# before the new one has anything, and before there is one
	cat "$log" >>"$log.1"
	: >"$log"
	good log web1 --since 1h
	same "$output" "$whole"
	rm "$log"
	good log lxc-web1
	same "$output" "$whole"
	rotated=$tree/log/lxc-web2.log
	mv "$rotated" "$rotated.1"
	good log --failed
	has "$output" broken
	# nobody else's
	echo web1: other >"$tree/log/lxc-web1.log.log"
	echo web1: other >"$tree/log/lxc-web1.log.1.log"
	echo web1: other >"$tree/log/lxc-web1.log.old"
	good log web1
	same "$output" "$whole"
	gzip -c "$log.1" >"$log.2.gz"
	gzip -c "$log.1" >"$log.3.gz"
	touch -d '3 days ago' "$log.2.gz"
	touch -d '5 days ago' "$log.3.gz"
	vp log web1
	same "$output" "$whole"
	same "$errors" "virt-parts: not shown is what is in compressed logs, which zless shows: '$log.3.gz', '$log.2.gz'"
	vp log web1 --since "$(date -d '4 days ago' '+%Y-%m-%d %H:%M')"
	same "$status $errors" "0 virt-parts: not shown is what is in compressed logs, which zless shows: '$log.2.gz'"
	good log web1 --since 2h
	same "$output" "$whole"
}

@test "log --follow shows what is added, also after a rotation, until it is ended" {
	# the new log is larger than the old one was when it is looked at
	part "$parts/started_begin.d/30-own" 'seq 20000'
	all_four
	does prepare begin
	"$build/virt-parts" --hook-dir "$hooks" log web1 --follow >"$tree/followed" 3>&- 4>&- &
	local pid=$!
	helpers+=("$pid")
	within 60 grep -q 'prepare begin' "$tree/followed"
	does start begin
	within 60 grep -q 'start_begin: end' "$tree/followed"
	mv "$tree/log/lxc-web1.log" "$tree/log/lxc-web1.log.1"
	does started begin
	within 60 grep -q 'started_begin: end' "$tree/followed"
	grep -q 'started_begin: begin' "$tree/followed"
	kill -0 "$pid"
	kill "$pid"
	same "$(grep -c 'start_begin: end' "$tree/followed")" 1
	wrong log --follow
	does release end failed
}

@test "show gives a terminal no control of the metadata, and a file the very text; --json has none" {
	command -v script >/dev/null || skip 'needs script'
	local high=$'\302\233'
	ask_file "<!-- a${high}b --><own>a${high}b</own><ramdisk><dir size='a${high}b'>$me/tmp</dir></ramdisk>"
	known_as_asked
	script -qec "$build/virt-parts --hook-dir $hooks -c $daemon show web1" /dev/null </dev/null >"$tree/shown"
	lacks "$(<"$tree/shown")" "$high"
	has "$(<"$tree/shown")" '<!-- a&#x9b;b -->'
	has "$(<"$tree/shown")" '<own>a&#x9b;b</own>'
	good -c "$daemon" show web1
	has "$output" "<own>a${high}b</own>"
	finds check --json "$file"
	lacks "$output" "$high"
}

@test "what a part prints is escaped for the terminal" {
	part "$parts/prepare_begin.d/30-own" "printf 'red \\033[31m\\n\\302\\233 \\302\\302\\205 \\303\\244\\n'"
	all_four
	does prepare begin
	good log web1
	has "$output" 'red \x1b[31m'
	lacks "$output" $'\e'
	# those of eight bits, in UTF-8, and no letter
	has "$output" $'\\xc2\\x9b \302\\xc2\\x85 \303\244'
	does release end failed
}

@test "JSON is well-formed whatever a part prints" {
	part "$parts/prepare_begin.d/30-own" "printf 'a\"b\\\\\\001\\377\\303\\244\\300\\257\\n'"
	all_four
	does prepare begin
	good log web1 --json
	# jq forgives what is no UTF-8
	iconv -f UTF-8 -t UTF-8 <<<"$output" >/dev/null
	has "$(json '.[].parts[].lines[]')" $'a"b\\\001\357\277\275ä\357\277\275\357\277\275'
	does release end failed
}
