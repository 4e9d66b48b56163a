#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What prepare accepts and refuses: the container, its elements and values, hostile XML, names, claims.

# shellcheck disable=SC2016,SC2154,SC2030,SC2031,SC2034 # variables of parts_make, guest and call
load lib/parts.bash

setup() {
	parts_make
}

teardown() {
	parts_remove
}

# the directives that a sane guest has
all_four() {
	ask "<ramdisk><dir size='1M' mode='1777'>$guests/%NAME%/tmp</dir></ramdisk>
		<preload>
			<iso path='$iso/%NAME%/seed.iso' label='CIDATA'>
				<src>$seed/%NAME%</src>
				<file path='meta-data'>instance-id: %NAME%</file>
			</iso>
			<dircopy><src>$seed/www</src><dst>$guests/%NAME%/var/www</dst></dircopy>
		</preload>
		<archive>
			<datestr><format>%Y-%m-%d</format><replace>%DATE%</replace></datestr>
			<dircopy><src>$guests/%NAME%/var/log</src><dst>$archive/%NAME%/%DATE%</dst></dircopy>
		</archive>
		<post-rm-rf><dir>$guests/%NAME%/scratch</dir></post-rm-rf>"
	mkdir -p "$seed/$name" "$seed/www" "$guests/$name/var/log" "$guests/$name/scratch/deep"
	echo key >"$seed/$name/user-data"
	echo page >"$seed/www/index.html"
	echo logged >"$guests/$name/var/log/messages"
}

whole_life() {
	all_four
	starts
	is_mounted "$guests/$name/tmp"
	is_there "$iso/$name/seed.iso"
	holds "$guests/$name/var/www/index.html" page
	ends
	today=$(date +%Y-%m-%d)
	holds "$archive/$name/$today/messages" logged
	is_gone "$guests/$name/scratch" "$iso/$name/seed.iso"
	is_there "$guests/$name/var/log/messages"
	nothing_left
}

@test "a guest with all four directives lives, and leaves its archive and nothing else" {
	whole_life
	# the day may have changed between the two
	same "$(find "$archive" -mindepth 2 -maxdepth 2 | wc -l)" 1
}

@test "a guest of any driver has directives" {
	local one
	for one in qemu libxl bhyve; do
		guest "of-$one" "$one"
		whole_life
	done
}

@test "names that look like options, commands or tokens are names" {
	local one
	for one in -rf --help 'a b' "\$(touch $tree/run-by-shell)" '%DATE%' '%UUID%' "it's" '%s%n' 'ä€'; do
		[[ $one != *touch* ]] || one=${one//\//:}
		guest "$one"
		whole_life
	done
	is_there "$archive/%DATE%" "$archive/a b"
}

@test "a guest called . or .. cannot have directives, and starts without" {
	local one
	for one in . ..; do
		guest "$one"
		all_four
		call prepare begin
		fails [ "$status" -eq 0 ]
		has "$errors" 'cannot have directives'
		no_record
		metadata ''
		lives
	done
	is_gone "$tree/iso"
}

@test "a guest whose name ends with a blank cannot have directives: it could mean another guest's path" {
	policy "write = $guests" "delete = $guests"
	mkdir -p "$guests/web1/data"
	local one
	for one in 'web1 ' ' web1'; do
		guest "$one"
		ask "<post-rm-rf><dir>$guests/%NAME%</dir></post-rm-rf>"
		call prepare begin
		fails [ "$status" -eq 0 ]
		has "$errors" 'blank'
		metadata ''
		lives
	done
	is_there "$guests/web1/data"
}

@test "directives without a UUID are refused" {
	all_four
	xml=${xml/<uuid>*<\/uuid>/}
	call prepare begin
	fails [ "$status" -eq 0 ]
	has "$errors" 'has no <uuid>'
	is_gone "$tree/state"
}

@test "a UUID in the metadata is not the guest's" {
	metadata "<x:y xmlns:x='urn:other'><uuid>00000000-0000-0000-0000-00000000dead</uuid></x:y>
		<virt-parts xmlns='urn:virt-parts:1'><ramdisk><dir size='1M'>$me/tmp</dir></ramdisk></virt-parts>"
	does prepare begin
	is_there "$record"
	does release end destroyed
	nothing_left
}

@test "the namespace counts, not its prefix" {
	mkdir "$me/scratch"
	metadata "<vp:virt-parts xmlns:vp='urn:virt-parts:1'><vp:post-rm-rf><vp:dir>$me/scratch</vp:dir></vp:post-rm-rf></vp:virt-parts>"
	lives
	is_gone "$me/scratch"
	nothing_left
}

@test "elements of 2014, without a namespace, are understood" {
	mkdir -p "$me/scratch" "$me/log"
	metadata "<post-rm-rf><dir>$me/scratch</dir></post-rm-rf>
		<archive><datestr><format>%Y</format><replace>YEAR</replace></datestr>
			<dircopy><src>$me/log</src><dst>$archive/web1/YEAR</dst></dircopy></archive>
		<ramdisk><dir size='1M'>$me/tmp</dir></ramdisk>"
	starts
	is_mounted "$me/tmp"
	ends
	is_gone "$me/scratch"
	is_there "$archive/web1/$(date +%Y)"
	nothing_left
}

@test "metadata of others is none of ours" {
	metadata "<other xmlns='urn:other'><ramdisk><dir/></ramdisk></other><app:x xmlns:app='urn:app'><virt-parts/></app:x>"
	lives
	nothing_left
}

@test "an empty container asks for nothing" {
	ask ''
	lives
	nothing_left
	metadata "<virt-parts xmlns='urn:virt-parts:1'/>"
	lives
	nothing_left
}

@test "a second container is refused: libvirt keeps only the first" {
	metadata "<virt-parts xmlns='urn:virt-parts:1'/><virt-parts xmlns='urn:virt-parts:1'><post-rm-rf><dir>$me/x</dir></post-rm-rf></virt-parts>"
	refused 'a second <virt-parts>'
}

@test "a container in the container is refused: what it holds would be nobody's" {
	ask "<virt-parts><post-rm-rf><dir>$me/x</dir></post-rm-rf></virt-parts>"
	refused '<virt-parts> lies in <virt-parts>: put what it holds into the outer one'
	ask "<virt-parts/>"
	refused '<virt-parts> lies in <virt-parts>'
}

@test "a container with attributes, and elements of our namespace outside of one, are refused" {
	metadata "<virt-parts xmlns='urn:virt-parts:1' version='2'/>"
	refused '<virt-parts> has no attributes'
	metadata "<ramdisk xmlns='urn:virt-parts:1'/>"
	refused '<ramdisk> must lie in <virt-parts>'
	metadata "<virt-parts xmlns='urn:virt-parts:1'><ramdisk xmlns=''/></virt-parts>"
	refused "<ramdisk> is of the namespace ''"
	metadata "<virt-parts xmlns='urn:virt-parts:1'><ramdisk><x:dir xmlns:x='urn:other'/></ramdisk></virt-parts>"
	refused "<dir> is of the namespace 'urn:other'"
}

@test "an unknown directive is refused, and the message says what is known" {
	ask '<ramdsk/>'
	refused 'web1: <ramdsk>: unknown directive' 'ramdisk, preload, archive, post-rm-rf' 'no part NN-ramdsk would run'
}

@test "unknown elements and attributes are refused, and the message says what is known" {
	local -a table=(
		"<ramdisk><dirs size='1M'>$me/a</dirs></ramdisk>" '<ramdisk>: unknown element <dirs>, known are: dir'
		"<ramdisk size='1M'><dir size='1M'>$me/a</dir></ramdisk>" "<ramdisk>: unknown attribute 'size', it has none"
		"<ramdisk><dir size='1M' owner='0'>$me/a</dir></ramdisk>" "<ramdisk><dir>: unknown attribute 'owner', known are: size mode uid gid inodes options"
		"<ramdisk><dir size='1M'>$me/a<b/></dir></ramdisk>" '<ramdisk><dir>: unknown element <b>, it has none'
		"<preload><img/></preload>" '<preload>: unknown element <img>, known are: iso dircopy'
		"<preload><iso path='$iso/web1/a.iso' when='x'><file path='a'/></iso></preload>" "<preload><iso>: unknown attribute 'when', known are: path label mode uid gid keep"
		"<preload><iso path='$iso/web1/a.iso'><dir/></iso></preload>" '<preload><iso>: unknown element <dir>, known are: src file'
		"<preload><iso path='$iso/web1/a.iso'><file name='a'/></iso></preload>" "<preload><iso><file>: unknown attribute 'name', known are: path"
		"<preload><dircopy keep='yes'/></preload>" "<preload><dircopy>: unknown attribute 'keep', known are: mode uid gid"
		"<archive><datestr><form>%Y</form><format>%Y</format><replace>Y</replace></datestr></archive>" '<archive><datestr>: unknown element <form>, known are: format replace'
		"<archive delete='yes'/>" "<archive>: unknown attribute 'delete', known are: when"
		"<archive><dircopy><from/></dircopy></archive>" '<archive><dircopy>: unknown element <from>, known are: src dst'
		"<post-rm-rf><file>$me/a</file></post-rm-rf>" '<post-rm-rf>: unknown element <file>, known are: dir'
		"<post-rm-rf><dir force='yes'>$me/a</dir></post-rm-rf>" "<post-rm-rf><dir>: unknown attribute 'force', it has none"
		"<ramdisk xmlns:o='urn:o'><dir o:size='1M' size='1M'>$me/a</dir></ramdisk>" "<dir>: unknown attribute 'o:size'"
	)
	for ((i = 0; i < ${#table[@]}; i += 2)); do
		ask "${table[i]}"
		refused "${table[i + 1]}"
	done
}

@test "what must be there is asked for, and what may be there once is refused twice" {
	local -a table=(
		'<ramdisk/>' '<ramdisk>: needs a <dir>'
		"<ramdisk><dir>$me/a</dir></ramdisk>" "<ramdisk><dir>: needs the attribute 'size'"
		"<ramdisk><dir size='1M'/></ramdisk>" "<ramdisk><dir>: '' is empty"
		"<preload><iso><file path='a'/></iso></preload>" "<preload><iso>: needs the attribute 'path'"
		"<preload><iso path='$iso/web1/a.iso'/></preload>" '<preload><iso>: has neither <src> nor <file>'
		"<preload><iso path='$iso/web1/a.iso'><file/></iso></preload>" "<preload><iso><file>: needs the attribute 'path'"
		"<preload><dircopy><src>$seed</src></dircopy></preload>" '<preload><dircopy>: needs a <dst>'
		"<preload><dircopy><dst>$me/a</dst></dircopy></preload>" '<preload><dircopy>: needs a <src>'
		"<preload><dircopy><src>$seed</src><src>$seed</src><dst>$me/a</dst></dircopy></preload>" '<preload><dircopy>: has 2 <src>, may have 1'
		'<archive/>' '<archive>: needs a <dircopy>'
		"<archive><datestr><format>%Y</format></datestr><dircopy><src>$me/a</src><dst>$archive/web1/a</dst></dircopy></archive>" '<replace> is empty'
		'<post-rm-rf/>' '<post-rm-rf>: needs a <dir>'
		"<post-rm-rf><dir/></post-rm-rf>" "<post-rm-rf><dir>: '' is empty"
		'<post-rm-rf>text<dir>/x</dir></post-rm-rf>' "'text' is text where only elements may be"
		"<ramdisk><dir size='1M'>$me/a</dir><dir size='1M'>$me/a</dir></ramdisk>" "'$me/a' is asked for twice"
		"<preload><iso path='$iso/web1/a.iso'><file path='a'/></iso><iso path='$iso/web1/a.iso'><file path='a'/></iso></preload>" "path '$iso/web1/a.iso' is asked for twice"
	)
	for ((i = 0; i < ${#table[@]}; i += 2)); do
		ask "${table[i]}"
		refused "${table[i + 1]}"
	done
}

@test "one path asked for twice in two directives of one name is refused like in one" {
	ask "<ramdisk><dir size='1M'>$me/a</dir></ramdisk><ramdisk><dir size='1M'>$me/a</dir></ramdisk>"
	refused "'$me/a' is asked for twice"
	ask "<preload><iso path='$iso/web1/a.iso'><file path='a'/></iso></preload><preload><iso path='$iso/web1/a.iso'><file path='b'/></iso></preload>"
	refused "'$iso/web1/a.iso' is asked for twice"
}

@test "sizes, numbers and ids that are none are refused" {
	local value
	for value in '' 0 4095 -1 +1M 1.5M 1m 1MB 1Mi '1 M' 0x10 1e3 50% 18446744073709551615 18446744073709551616 8388608T 99999999999999999999G M %NAME%; do
		ask "<ramdisk><dir size='$value'>$me/a</dir></ramdisk>"
		refused "<ramdisk><dir>: size '${value/\%NAME\%/web1}'"
		proof 21 1 0 0 "size '$value'"
	done
	for value in '' 0 1 -2 1k 0x2 9223372036854775808; do
		ask "<ramdisk><dir size='1M' inodes='$value'>$me/a</dir></ramdisk>"
		refused "<ramdisk><dir>: inodes '$value'"
	done
	for value in '' -1 root 4294967295 4294967296 1.0; do
		ask "<ramdisk><dir size='1M' uid='$value'>$me/a</dir></ramdisk>"
		refused "<ramdisk><dir>: uid '$value'"
		ask "<preload><iso path='$iso/web1/a.iso' gid='$value'><file path='a'/></iso></preload>"
		refused "<preload><iso>: gid '$value'"
	done
}

@test "modes that are none, and those with setuid or setgid, are refused" {
	local value
	for value in '' 8 0o755 u=rwx 2755 4755 6777 01778 2000 -1 0x1ff 7777 rwxr-xr-x; do
		ask "<ramdisk><dir size='1M' mode='$value'>$me/a</dir></ramdisk>"
		refused "<ramdisk><dir>: mode '$value'" 'is not an octal mode from 0 to 1777'
	done
	ask "<archive><dircopy mode='4700'><src>$me/a</src><dst>$archive/web1/a</dst></dircopy></archive>"
	refused "<archive><dircopy>: mode '4700'"
	ask "<preload><dircopy mode='2755'><src>$seed</src><dst>$me/a</dst></dircopy></preload>"
	refused "<preload><dircopy>: mode '2755'"
}

@test "words that a list does not know are refused, and the message says which it knows" {
	local value
	for value in '' ' ' suid 'exec dev' exec,noatime EXEC; do
		ask "<ramdisk><dir size='1M' options='$value'>$me/a</dir></ramdisk>"
		refused "<ramdisk><dir>: options" ', known are: exec noatime'
	done
	for value in '' sometimes 'from snapshot' 'shutdown, destroyed' shutdown-or-destroyed; do
		ask "<post-rm-rf when='$value'><dir>$me/a</dir></post-rm-rf>"
		refused "<post-rm-rf>: when" ', known are: shutdown destroyed crashed daemon saved migrated failed from-snapshot lost unknown'
		ask "<archive when='$value'><dircopy><src>$me/a</src><dst>$archive/web1/a</dst></dircopy></archive>"
		refused "<archive>: when"
	done
	for value in '' YES true 1 'yes no'; do
		ask "<preload><iso path='$iso/web1/a.iso' keep='$value'><file path='a'/></iso></preload>"
		refused "<preload><iso>: keep '$value' is neither yes nor no"
	done
}

@test "white space around a value is no part of it" {
	ask "<ramdisk><dir size=' 1M ' mode=' 700 ' options='
		exec
		noatime '>
			$me/tmp
		</dir></ramdisk>"
	starts
	same "$(mount_of "$me/tmp" FSROOT)" /
	has "$(mount_of "$me/tmp" OPTIONS)" noatime
	ends
	nothing_left
}

# Each path in each place that takes one; %s is the root that is allowed there.
bad_path() {
	local path want=$2 root place form
	for place in ramdisk iso src dst archive-src archive-dst rm; do
		root=$me
		case $place in
		iso) root=$iso/web1 form='<preload><iso path="@"><file path="a"/></iso></preload>' ;;
		src) root=$seed form="<preload><dircopy><src>@</src><dst>$me/d</dst></dircopy></preload>" ;;
		dst) form="<preload><dircopy><src>$seed</src><dst>@</dst></dircopy></preload>" ;;
		ramdisk) form='<ramdisk><dir size="1M">@</dir></ramdisk>' ;;
		archive-src) form="<archive><dircopy><src>@</src><dst>$archive/web1/a</dst></dircopy></archive>" ;;
		archive-dst) root=$archive/web1 form="<archive><dircopy><src>$me/a</src><dst>@</dst></dircopy></archive>" ;;
		rm) form='<post-rm-rf><dir>@</dir></post-rm-rf>' ;;
		esac
		path=${1//ROOT/"$root"}
		ask "${form//@/"$path"}"
		refused "$want" || {
			echo "place: $place" >&2
			return 1
		}
		proof 6 1 0 0 "$place $1"
	done
}

@test "more text than a record can hold is refused before there is one, however little stands in the XML" {
	local long
	long=$(printf 'n%.0s' {1..190})
	guest "$long" lxc $(($$ + 1))
	policy
	ask "<preload><iso path='$iso/$long/a.iso'><file path='x'>$(printf '%%NAME%%%.0s' {1..100000})</file></iso></preload>"
	call prepare begin
	[ "$status" -eq 1 ]
	has "$errors" 'the directives hold more than 16 MiB when what stands for other text, such as %NAME%, is put in'
	no_record
	ask "<archive><datestr><format>$(printf 'x%.0s' {1..200})</format><replace>a</replace></datestr>
		<dircopy><src>$guests/$long/$(printf 'a%.0s' {1..1000000})</src><dst>$archive/$long/a</dst></dircopy></archive>"
	call prepare begin
	[ "$status" -eq 1 ]
	has "$errors" 'the directives hold more than 16 MiB'
	no_record
}

@test "paths that are no plain absolute paths are refused everywhere" {
	bad_path relative/path 'is not absolute'
	bad_path ./x 'is not absolute'
	bad_path 'a b' 'is not absolute'
	bad_path ROOT/../../x "has a component '.' or '..'"
	bad_path ROOT/x/.. "has a component '.' or '..'"
	bad_path ROOT/./x "has a component '.' or '..'"
	# what is left behind under such a name is removed
	bad_path ROOT/.virt-parts.x.ABCDEF "has a component that begins with '.virt-parts.'"
	bad_path ROOT//x 'has an empty component'
	bad_path ROOT/x/ 'has an empty component'
	bad_path '' 'is empty'
	bad_path "ROOT/a&#10;b" 'holds a control character'
	local one
	for one in "$me/a&#9;b" "$me/a&#127;b" "$me/$(printf 'x%.0s' {1..256})"; do
		ask "<post-rm-rf><dir>$one</dir></post-rm-rf>"
		refused '<post-rm-rf><dir>: ' "$me/"
	done
}

@test "paths outside of the policy are refused everywhere, and the message says which rule would allow them" {
	bad_path /etc 'lies below no '
	bad_path "$tree/hooks/x" 'of parts.conf; use an allowed path or have one added to its [paths]'
	bad_path ROOTx/y 'lies below no '
	bad_path "$guests/web2/x" 'lies below no '
	ask "<post-rm-rf><dir>/etc</dir></post-rm-rf>"
	refused "<post-rm-rf><dir>: '/etc' lies below no 'delete' path"
	ask "<post-rm-rf><dir>$me/x</dir></post-rm-rf>"
	accepted
	proof 6 1 0 1
}

@test "a path may be too long" {
	local part long=$me
	part=$(printf 'x%.0s' {1..200})
	while ((${#long} < 4096)); do
		long+=/$part
	done
	ask "<post-rm-rf><dir>$long</dir></post-rm-rf>"
	refused 'is too long'
}

@test "an allowed root itself, and what is above one, is never written, mounted on or deleted" {
	policy "read = $guests/%NAME%/ro" "delete = $tree/guests" "write = $tree/guests"
	local path
	for path in "$guests/web1" "$guests/web1/ro" "$guests" /; do
		ask "<ramdisk><dir size='1M'>$path</dir></ramdisk>"
		refused "'$path'"
		ask "<post-rm-rf><dir>$path</dir></post-rm-rf>"
		refused "'$path'"
		ask "<preload><dircopy><src>$seed</src><dst>$path</dst></dircopy></preload>"
		refused "'$path'"
	done
	for path in "$guests/web1" "$guests/web1/ro"; do
		ask "<post-rm-rf><dir>$path</dir></post-rm-rf>"
		refused "<post-rm-rf><dir>: '$path' is, or lies above, the root" 'name a directory below it'
	done
	ask "<preload><iso path='$iso/web1'><file path='a'/></iso></preload>"
	refused "'$iso/web1' is, or lies above, the root"
}

@test "a root may be read as a whole" {
	ask "<preload><dircopy><src>$seed</src><dst>$me/copy</dst></dircopy></preload>"
	echo one >"$seed/one"
	lives
	holds "$me/copy/one" one
}

@test "a source that lies in its destination, or the other way round, is refused" {
	policy "read = $archive" "write = $tree/both" "read = $tree/both"
	local a b
	for a in "$tree/both/x" "$tree/both/x/y"; do
		for b in "$tree/both/x" "$tree/both/x/y"; do
			ask "<preload><dircopy><src>$a</src><dst>$b</dst></dircopy></preload>"
			refused '<preload><dircopy>: <src>' 'lie in each other'
			ask "<archive><dircopy><src>$a</src><dst>$b</dst></dircopy></archive>"
			refused '<archive><dircopy>: <src>' 'lie in each other'
		done
	done
}

@test "whatever is refused, nothing at all is done of what comes before it" {
	mkdir "$seed/www"
	ask "<ramdisk><dir size='1M'>$me/tmp</dir></ramdisk>
		<preload><dircopy><src>$seed/www</src><dst>$me/www</dst></dircopy></preload>
		<post-rm-rf><dir>/etc</dir></post-rm-rf>"
	refused "'/etc'"
	# libvirt calls them all the same
	does stopped end failed
	does release end failed
	same "$(listing "$me")" ''
	is_gone "$tree/state/lxc"
}

@test "a missing source of preload is refused at prepare, that of archive is a warning there" {
	ask "<preload><dircopy><src>$seed/none</src><dst>$me/www</dst></dircopy></preload>"
	refused "<preload><dircopy><src>: cannot open '$seed/none': No such file or directory"
	ask "<preload><iso path='$iso/web1/a.iso'><src>$seed/none</src></iso></preload>"
	refused "<preload><iso><src>: cannot open '$seed/none': No such file or directory"
	: >"$seed/file"
	ask "<preload><iso path='$iso/web1/a.iso'><src>$seed/file</src></iso></preload>"
	refused "cannot open '$seed/file': Not a directory"
	ask "<archive><dircopy><src>$me/none</src><dst>$archive/web1/a</dst></dircopy></archive>"
	does prepare begin
	says "note: '$me/none' is not there yet"
}

# --- hostile XML -----------------------------------------------------------------------------------------------

with_doctype() {
	ask "<post-rm-rf><dir>$me/x</dir></post-rm-rf>"
	xml="$1$xml"
}

@test "a DOCTYPE is refused, whatever is in it" {
	local one
	echo secret >"$tree/secret"
	for one in '<!DOCTYPE domain>' \
		'<!DOCTYPE domain SYSTEM "http://127.0.0.1:9/x.dtd">' \
		"<!DOCTYPE domain SYSTEM 'file://$tree/secret'>" \
		"<!DOCTYPE domain [<!ENTITY x SYSTEM 'file://$tree/secret'>]>" \
		"<!DOCTYPE domain [<!ENTITY % x SYSTEM 'file://$tree/secret'> %x;]>" \
		'<!DOCTYPE domain [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>' \
		'<!DOCTYPE domain [<!ATTLIST domain type CDATA "lxc">]>'; do
		with_doctype "$one"
		refused 'DOCTYPE'
		lacks "$errors" secret
		with_doctype ''
		accepted
		proof 15 1 0 1 "$one"
	done
}

@test "hostile XML opens no file, and costs little time and memory" {
	local strings
	strings=$(head -c 100000 /dev/zero | tr '\0' 'a')
	with_doctype "<!DOCTYPE d [<!ENTITY a \"$strings\"><!ENTITY % p SYSTEM 'file://$tree/secret'>%p;]>"
	xml=${xml/"$me/x"/"$(printf '&a;%.0s' {1..2000})"}
	by_hand virt-parts prepare begin strace -f -e trace=open,openat,openat2,creat,connect,socket -o "$tree/trace"
	[ "$status" -eq 1 ]
	lacks "$(<"$tree/trace")" secret
	lacks "$(<"$tree/trace")" 'connect('
	# a checker's own memory is not meant
	under_checker || set -- --as=134217728
	by_hand virt-parts prepare begin prlimit --cpu=1 "$@"
	[ "$status" -eq 1 ]
	has "$output" 'DOCTYPE'
	[[ -x /usr/bin/time ]] || return 0
	local took
	by_hand virt-parts prepare begin /usr/bin/time -o "$tree/usage" -f '%M %U %S'
	read -r took < <(tail -n 1 "$tree/usage")
	# of time its own: a busy machine has others
	under_checker || awk '{ exit !($1 < 65536 && $2 + $3 < 0.1) }' <<<"$took"
	proof 15 1 0 1 "KiB, seconds of user and system: $took"
}

@test "malformed XML is refused at prepare; a release goes by the record, and without one deletes nothing" {
	local one good
	mkdir "$me/scratch"
	ask "<post-rm-rf><dir>$me/scratch</dir></post-rm-rf>"
	good=$xml
	for one in "${good%</domain>}" "${good/<devices>/<devices}" "${good/$me/'&undefined;'$me}" "${good/web1/$'web1\x01'}" "$good<extra/>" "${good/web1/$'web1\xff'}"; do
		xml=$one
		refused "cannot read the guest's XML: line "
		xml=$good
		accepted
		proof 16 1 0 1
	done
	xml=$good
	starts
	xml=${good%</domain>}
	ends
	# by the record, which prepare made
	is_gone "$me/scratch"
	xml=${good%</domain>}
	mkdir "$me/scratch"
	does release end destroyed
	is_there "$me/scratch"
}

@test "too many elements, too deep, in too many pieces or too long: refused" {
	local many
	many=$(printf '<dir size="4096">/x</dir>%.0s' {1..10001})
	ask "<ramdisk>$many</ramdisk>"
	refused 'more than 10000 elements'
	ask "$(printf '<a>%.0s' {1..20})$(printf '</a>%.0s' {1..20})"
	refused 'elements lie more than'
	ask "<post-rm-rf><dir>$(printf 'x<!-- -->%.0s' {1..20})</dir></post-rm-rf>"
	refused 'is in too many pieces'
	head -c 5000000 /dev/zero | tr '\0' 'x' >"$tree/long"
	ask "<post-rm-rf><dir>$(<"$tree/long")</dir></post-rm-rf>"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" 'bytes of text'
}

@test "a megabyte of other metadata does not matter" {
	mkdir "$me/scratch"
	head -c 1000000 /dev/zero | tr '\0' 'x' >"$tree/long"
	metadata "<o:x xmlns:o='urn:other'>$(<"$tree/long")</o:x><virt-parts xmlns='urn:virt-parts:1'><post-rm-rf><dir>$me/scratch</dir></post-rm-rf></virt-parts>"
	lives
	is_gone "$me/scratch"
	nothing_left
}

@test "comments, CDATA and processing instructions within a value are no part of it" {
	mkdir "$me/scratch"
	ask "<!-- a --><post-rm-rf><!-- b --><dir>$me<!-- c --><![CDATA[/scr]]><?x y?>atch</dir></post-rm-rf>"
	lives
	is_gone "$me/scratch"
	nothing_left
}

@test "control characters of the guest reach no terminal" {
	ask "<post-rm-rf><dir>/x&#9;&#10;y</dir></post-rm-rf>"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" '/x\t\ny'
	metadata "<virt-parts xmlns='urn:virt-parts:1'><ramdisk><dir size='&#x9b;31m'>$me/a</dir></ramdisk></virt-parts>"
	call prepare begin
	[ "$status" -ne 0 ]
}

# --- custom directives -----------------------------------------------------------------------------------------

@test "a directive is known when any event of this guest has a part of that name" {
	local dir
	ask '<greeting><to>you</to></greeting>'
	refused '<greeting>: unknown directive'
	for dir in started_begin.d lxc_release_end.d domains/web1/start_begin.d; do
		part "$parts/$dir/30-greeting"
		accepted
		rm "$parts/$dir/30-greeting"
		refused '<greeting>: unknown directive'
	done
	part "$vendor/started_begin.d/30-greeting"
	accepted
	rm "$vendor/started_begin.d/30-greeting"
	part "$parts/domains/web2/start_begin.d/30-greeting"
	refused '<greeting>: unknown directive'
	part "$parts/started_begin.d/30-greetings"
	part "$parts/started_begin.d/greeting"
	part "$parts/started_begin.d/30-greeting.bak"
	refused '<greeting>: unknown directive'
}

@test "a file that the dispatcher never runs makes no directive known, by its name or that of its directory" {
	part "$parts/prepare_begin.d/30-größe"
	ask '<größe/>'
	refused '<größe>: unknown directive'
	part "$parts/prepare_begin.d/30-greeting.bak"
	ask '<greeting.bak/>'
	refused '<greeting.bak>: unknown directive'
	part "$parts/Release_end.d/30-greeting"
	part "$parts/release_1.d/30-greeting"
	ask '<greeting/>'
	refused '<greeting>: unknown directive'
}

@test "a directive is known by a part at an event that only libvirt knows, and told that it may be misspelt" {
	ask '<greeting/>'
	part "$parts/relaese_end.d/30-greeting"
	accepted
	says "<greeting>: warning: NN-greeting is a part of 'relaese_end.d' alone"
	mv "$tree/log/lxc-web1.log" "$tree/log/before"
	part "$parts/lxc_release_end.d/30-greeting"
	accepted
	lacks "$(log_of lxc-web1)" warning
	does relaese end
	same "$(sort -u "$seen")" 30-greeting
}

@test "a part that would not run for this guest makes no directive known" {
	ask '<greeting><to>you</to></greeting>'
	part "$parts/qemu_started_begin.d/30-greeting"
	part "$parts/network_started_begin.d/30-greeting"
	refused '<greeting>: unknown directive'
	part "$parts/lxc_started_begin.d/30-greeting"
	accepted
	chmod 0644 "$parts/lxc_started_begin.d/30-greeting"
	refused '<greeting>: unknown directive'
	chmod 0777 "$parts/lxc_started_begin.d/30-greeting"
	refused '<greeting>: unknown directive'
	rm "$parts/lxc_started_begin.d/30-greeting"
	part "$vendor/started_begin.d/30-greeting"
	accepted
	ln -s /dev/null "$parts/lxc_started_begin.d/30-greeting"
	refused '<greeting>: unknown directive'
	# a mask of another event, or of another name, is none of this one's
	mkdir -p "$parts/start_begin.d"
	mv "$parts/lxc_started_begin.d/30-greeting" "$parts/start_begin.d/"
	accepted
}

@test "a custom directive is recorded, and its parts run without its own being shipped" {
	part "$parts/started_begin.d/30-greeting" 'cat "$VIRT_PARTS_STATE_DIR/asked/greeting" >>"$seen"'
	ask '<greeting to="%NAME%"><line>a  b</line></greeting>'
	starts
	holds "$seen" $'greeting\n\t@to web1\n\tline\n\t\t=a  b'
	ends
	nothing_left
}

# --- claims ----------------------------------------------------------------------------------------------------

# clone PATH-OF-WEB1 PATH-OF-WEB2: whether both may run at once
both() {
	policy "write = $tree/shared" "delete = $tree/shared" "iso = $tree/shared"
	guest web1
	ask "$1"
	starts
	guest web2 lxc 2
	ask "$2"
	call prepare begin
}

over() {
	does release end failed
	guest web1
	ends
	nothing_left
}

@test "a clone that asks for the same paths is refused while the first runs, and the message names it" {
	local directives="<ramdisk><dir size='1M'>$tree/shared/tmp</dir></ramdisk>"
	both "$directives" "$directives"
	[ "$status" -ne 0 ]
	has "$errors" "web2: virt-parts: '$tree/shared/tmp' is in the way of '$tree/shared/tmp', which the run of the lxc guest 'web1' has claimed"
	has "$errors" 'use %NAME% in the path'
	no_record
	over
	# now it may
	guest web2 lxc 2
	ask "$directives"
	lives
	nothing_left
}

@test "what is claimed is equal, above or below, of any kind that writes, mounts or deletes" {
	local one two
	local -a kinds=(
		"<ramdisk><dir size='1M'>@</dir></ramdisk>"
		"<post-rm-rf><dir>@</dir></post-rm-rf>"
		"<preload><dircopy><src>$seed</src><dst>@</dst></dircopy></preload>"
		"<preload><iso path='@'><file path='a'/></iso></preload>"
	)
	for one in "${kinds[@]}"; do
		[[ $one != *iso* ]] || continue
		for two in "${kinds[@]}"; do
			both "${one//@/$tree/shared/a}" "${two//@/$tree/shared/a/b}"
			[ "$status" -ne 0 ]
			has "$errors" 'has claimed'
			over
			both "${one//@/$tree/shared/a}" "${two//@/$tree/shared/ab}"
			[ "$status" -eq 0 ]
			over
			rm -rf "$tree/shared"
		done
	done
	both "${kinds[1]//@/$tree/shared/a/b}" "${kinds[0]//@/$tree/shared/a}"
	[ "$status" -ne 0 ]
	over
}

@test "among many claims the one that collides is found, and names that only begin alike are not" {
	local one two mine theirs
	local -a others=(a-b a.b a%20b ab b b/c b/c/d b-/c c d/e/f)
	dirs() {
		printf '<post-rm-rf>'
		printf "<dir>$tree/shared/%s</dir>" "$@"
		printf '</post-rm-rf>'
	}
	for one in 'a a' 'a a/b' 'a/b a' 'a/x/y/z a/x' 'z b/c/d/e' 'b/y b'; do
		read -r mine theirs <<<"$one"
		both "$(dirs "$theirs" "${others[@]}")" "$(dirs q "$mine" q-)"
		two=$theirs
		[[ $one != z* ]] || {
			[ "$status" -eq 0 ]
			over
			continue
		}
		[ "$status" -ne 0 ]
		has "$errors" "'$tree/shared/$mine' is in the way of '$tree/shared/$two', which the run of the lxc guest 'web1' has claimed"
		over
	done
}

@test "many claims of one guest do not hold up the others" {
	without_checker 'measures time'
	policy "delete = $tree/shared"
	ask "<post-rm-rf><dir>$tree/shared/first</dir></post-rm-rf>"
	starts
	local long
	long=$(printf 'x%.0s' {1..200})
	seq -f "$tree/shared/$long/%.0f" 200000 >>"$record/claims"
	guest web2 lxc 2
	ask "<post-rm-rf>$(seq -f "<dir>$tree/shared/${long}y/%.0f</dir>" 5000)</post-rm-rf>"
	local -i begin end
	processor_ms begin
	does prepare begin
	processor_ms end
	echo "took $((end - begin)) ms"
	((end - begin < 4000))
	does release end failed
}

@test "guests of two drivers with one name and UUID do not share a path" {
	policy "write = $tree/shared"
	ask "<ramdisk><dir size='1M'>$tree/shared/tmp</dir></ramdisk>"
	starts
	guest web1 qemu
	ask "<ramdisk><dir size='1M'>$tree/shared/tmp</dir></ramdisk>"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" "the lxc guest 'web1' has claimed"
	# and the one does not end what is the other's
	does release end failed
	is_mounted "$tree/shared/tmp"
	guest web1
	ends
	nothing_left
}

@test "archive destinations are not claimed: nothing there is ever overwritten" {
	policy "write = $tree/shared"
	mkdir -p "$me/log" "$guests/web2/log"
	local one
	for one in 1 2; do
		guest "web$one" lxc "$one"
		ask "<archive><dircopy><src>$guests/%NAME%/log</src><dst>$tree/shared/log</dst></dircopy></archive>"
		starts
	done
	for one in 1 2; do
		guest "web$one" lxc "$one"
		ends
	done
	same "$(names_in "$tree/shared")" 'log log-2'
}

@test "who looks at the claims of others waits for one that is about to claim" {
	command -v strace >/dev/null || skip 'needs strace'
	policy "write = $tree/shared"
	local directives="<ramdisk><dir size='1M'>$tree/shared/tmp</dir></ramdisk>"
	ask "$directives"
	# stopped for a while between its look at the others and its own record
	by_hand virt-parts prepare begin strace -o "$tree/trace" -e trace=renameat2 -e inject=renameat2:delay_enter=700000 &
	within 60 test -e "$record.new"
	guest web2 lxc 2
	ask "$directives"
	by_hand virt-parts prepare begin
	[ "$status" -eq 1 ]
	has "$output" "the lxc guest 'web1' has claimed"
	wait $! || true
}

@test "one of twenty clones that start at once gets the path" {
	policy "write = $tree/shared"
	local one got
	local -i round
	# at_once PATH: 20 guests ask for it at once; who got it is in $tree/got
	at_once() {
		: >"$tree/got"
		for one in {1..20}; do
			guest "web$one" lxc "$one"
			ask "<ramdisk><dir size='64K'>$1</dir></ramdisk>"
			(hook lxc "web$one" prepare begin - >/dev/null 2>&1 && echo "$one" >>"$tree/got") &
		done
		wait
	}
	for ((round = 0; round < $(full 10 1); round++)); do
		at_once "$tree/shared/tmp"
		same "$(wc -l <"$tree/got")" 1
		got=$(<"$tree/got")
		guest "web$got" lxc "$got"
		same "$(names_in "$tree/state/lxc")" "$id"
		does release end destroyed
		nothing_left
		proof 25a 20 0 1
	done
	# each his own
	at_once "$tree/shared/%NAME%"
	same "$(wc -l <"$tree/got")" 20
	for one in {1..20}; do
		guest "web$one" lxc "$one"
		does release end destroyed
	done
	proof 25a 20 0 20 'each his own'
	nothing_left
}

# --- by hand ---------------------------------------------------------------------------------------------------

@test "the parts explain themselves, and say what they need" {
	local one
	for one in virt-parts ramdisk preload archive post-rm-rf; do
		run "$tree/libexec/$one" --help
		[ "$status" -eq 0 ]
		has "$output" "$one"
		run "$tree/libexec/$one"
		[ "$status" -eq 2 ]
		has "$output" 'needs DOMAIN OP SUBOP EXTRA'
	done
	run "$tree/libexec/ramdisk" --help
	has "$output" 'size (required)'
}

@test "--well-formed says whether standard input is well-formed XML without DOCTYPE" {
	run "$tree/libexec/virt-parts" --well-formed <<<'<domain><a/></domain>'
	[ "$status" -eq 0 ]
	run "$tree/libexec/virt-parts" --well-formed <<<'<domain><a></domain>'
	[ "$status" -eq 1 ]
	has "$output" 'virt-parts: line 1'
	run "$tree/libexec/virt-parts" --well-formed <<<'<!DOCTYPE domain><domain/>'
	[ "$status" -eq 1 ]
	run "$tree/libexec/virt-parts" --well-formed </dev/null
	[ "$status" -eq 1 ]
}

@test "a shipped part that the admin has switched off has not failed, and withholds nothing" {
	ask "<ramdisk><dir size='1M'>$me/a</dir></ramdisk><archive><dircopy><src>$me/log</src><dst>$archive/web1/log</dst></dircopy></archive>
		<post-rm-rf><dir>$me/log</dir></post-rm-rf>"
	mkdir -p "$me/log" "$parts/"{prepare_begin,release_end}.d
	ln -s /dev/null "$parts/release_end.d/60-post-rm-rf"
	lives
	is_there "$me/log" "$archive/web1/log"
	not_mounted "$me/a"
	mv "$parts/release_end.d/60-post-rm-rf" "$parts/release_end.d/20-archive"
	lives
	is_gone "$me/log" "$archive/web1/log-2"
	not_mounted "$me/a"
	mv "$parts/release_end.d/20-archive" "$parts/release_end.d/40-ramdisk"
	mkdir "$me/log"
	lives
	is_mounted "$me/a"
	call prepare begin
	[ "$status" -ne 0 ]
	has "$errors" "is mounted on '$me/a'"
	does release end failed
	umount "$me/a"
	mv "$parts/release_end.d/40-ramdisk" "$parts/prepare_begin.d/05-virt-parts"
	does prepare begin
	not_mounted "$me/a"
	no_record
}

@test "without the shipped parts a guest with directives does not start, and one without does" {
	ask "<ramdisk><dir size='1M'>$me/a</dir></ramdisk>"
	mv "$vendor" "$vendor.away"
	refused "there are no shipped parts in '$vendor/prepare_begin.d'"
	metadata ''
	call prepare begin
	[ "$status" -eq 0 ]
	mv "$vendor.away" "$vendor"
}
