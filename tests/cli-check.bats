#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# virt-parts check: what is wrong with a guest's XML, and the schema.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # variables of cli_make and vp
load lib/cli.bash

setup() { cli_make; }
teardown() { parts_remove; }

readonly rng=$checkout/src/cli/virt-parts.rng

# found LEVEL TEXT: one finding of that level has the text
found() {
	local all
	all=$("${prefix[@]}" "$build/virt-parts" --hook-dir "$hooks" check --json "$file" |
		jq -r '.[] | .level + ": " + .text + " [" + (.mend // "") + "]"') || true
	has "$(grep "^$1: " <<<"$all")" "$2"
}

# checked METADATA [DEVICES]: the status of a file with it
checked() {
	metadata "$@"
	printf '%s\n' "$xml" >"$file"
	changes_nothing vp check "$file"
}

@test "a sane guest has no findings, and check changes nothing" {
	all_four
	changes_nothing good check "$file"
	same "$(tail -n 1 <<<"$output")" 'nothing is wrong'
	good check "$file" --json
	same "$(json '[.[] | select(.level != "note")] | length')" 0
}

@test "every example of the project is clean under the installed parts.conf" {
	cp "$checkout/hooks/parts.conf" "$hooks/parts.conf"
	local one
	for one in "$checkout"/examples/*.xml; do
		vp check "$one" --json
		# the seeds are not there, and nothing else is wrong
		same "$(json '.[] | select(.level == "error") | .text | select(test("cannot open|No such file") | not)')" ''
		same "$(json '.[] | select(.text | test("drops|schema|secret|no <disk>"))')" ''
		# nor are the guests' trees; and what is deleted anew in each life is said to be made anew
		same "$(json '.[] | select(.level == "warning") | .text | select(test("is not there yet|unless the guest has made it anew") | not)')" ''
	done
}

@test "what libvirt drops without a word is an error" {
	checked "<ramdisk><dir size='1M'>$me/tmp</dir></ramdisk>"
	[ "$status" -eq 1 ]
	found error '<ramdisk> has no namespace: libvirt drops it without a word [put it into <virt-parts xmlns="urn:virt-parts:1">]'
	checked "<virt-parts><ramdisk/></virt-parts>"
	found error '<virt-parts> has no namespace'
	checked "<virt-parts xmlns='urn:virt-parts'/>"
	found error "is of the namespace 'urn:virt-parts', which virt-parts does not look at [write <virt-parts xmlns=\"urn:virt-parts:1\">]"
	checked "<virt-part xmlns='urn:virt-parts:2'/>"
	found error "urn:virt-parts:2"
	checked "<virt-parts xmlns='urn:virt-parts:1'/><virt-parts xmlns='urn:virt-parts:1'/>"
	found error 'libvirt keeps only the first'
	checked "<a xmlns='urn:a'/><b xmlns='urn:a'/><other/><!-- text -->"
	found warning "a second element of the namespace 'urn:a'"
	found warning '<other> has no namespace'
	found note 'a comment directly in <metadata> is dropped'
}

@test "a note alone is no finding for the exit status" {
	checked '<!-- text -->'
	[ "$status" -eq 0 ]
}

@test "misspelt words are all found, each with the nearest right one" {
	ask_file "<ramdisk><dir sise='1M'>$guests/%NAME%/a</dir><dri/></ramdisk><post-rmrf/><preload>
		<iso path='$iso/%NAME%/a.iso' lable='X'><file path='a'/></iso></preload>"
	finds check "$file"
	has "$output" "unknown attribute 'sise'; did you mean 'size'?"
	has "$output" "unknown element <dri>; did you mean <dir>?"
	has "$output" "<post-rmrf>: unknown directive; did you mean <post-rm-rf>?"
	has "$output" "unknown attribute 'lable'; did you mean 'label'?"
}

@test "a directive with a part of its name is known" {
	ask_file '<gpu-slots/>'
	finds check "$file"
	has "$output" 'no part NN-gpu-slots would run'
	part "$parts/prepare_begin.d/30-gpu-slots" true
	good check "$file"
}

@test "values, policy, sources, and archives that would not last are found, in every directive" {
	ask_file "<ramdisk><dir size='big'>$guests/%NAME%/a</dir></ramdisk>
		<post-rm-rf><dir>/etc</dir></post-rm-rf>
		<preload><dircopy><src>$seed/none</src><dst>$guests/%NAME%/b</dst></dircopy></preload>
		<archive><dircopy><src>$guests/%NAME%/log</src><dst>$archive/%NAME%/x</dst></dircopy></archive>"
	finds check "$file"
	found error "'big' is not a size"
	found error "'/etc' lies below no 'delete' path"
	found error 'make it, or name another directory'
	found warning "'$me/log' is not there yet"
	# and prepare agrees
	refused
}

@test "an archive that post-rm-rf would delete is found" {
	policy "write = $guests/%NAME%"
	mkdir -p "$me/log"
	ask_file "<archive><dircopy><src>$guests/%NAME%/log</src><dst>$guests/%NAME%/old/x</dst></dircopy></archive>
		<post-rm-rf><dir>$guests/%NAME%/old</dir></post-rm-rf>"
	finds check "$file"
	found error 'which post-rm-rf deletes'
	refused 'which post-rm-rf deletes'
}

@test "an image that no disk uses is found" {
	ask_file "<preload><iso path='$iso/%NAME%/a.iso'><file path='a'>b</file></iso></preload>" \
		"<disk type='file' device='cdrom'><source file='$iso/web1/b.iso'/></disk>"
	finds check "$file"
	found warning "no <disk> of the guest uses the image '$iso/web1/a.iso' [add a <disk device='cdrom'> with <source file='$iso/web1/a.iso'/>]"
	# and doing that mends it
	ask_file "<preload><iso path='$iso/%NAME%/a.iso'><file path='a'>b</file></iso></preload>" \
		"<disk type='file' device='cdrom'><source file='$iso/web1/a.iso'/></disk>"
	good check "$file"
}

@test "a disk that the guest may write to is found where it is the image, and a read-only one is not" {
	local disk
	asks_disk() {
		ask_file "<preload><iso path='$iso/%NAME%/a.iso'><file path='a'>x</file></iso></preload>" "$1"
	}
	asks_disk "<disk type='file' device='disk'><source file='$iso/web1/a.iso'/></disk>"
	finds check "$file"
	found warning "the <disk> of '$iso/web1/a.iso' is not read-only: what the guest writes into the image is lost [make it <disk device='cdrom'>, or put <readonly/> into it]"
	asks_disk "<disk><source file='$iso/web1/a.iso'/></disk>"
	found warning 'is not read-only'
	for disk in "<disk device='cdrom'>" "<disk><readonly/>"; do
		asks_disk "$disk<source file='$iso/web1/a.iso'/></disk><disk><source file='/b.img'/></disk>"
		good check "$file"
	done
}

@test "ramdisks that are more than all guests may have, or than the container's memory, are found" {
	printf '%s\n' '[limits]' 'ramdisk-total = 20M' >>"$hooks/parts.conf"
	two() {
		ask_file "<ramdisk><dir size='$1'>$guests/%NAME%/a</dir><dir size='$1'>$guests/%NAME%/b</dir></ramdisk>"
		sed -i "s|<metadata>|<memory ${2:-}>16</memory>&|" "$file"
	}
	two 16M "unit='MiB'"
	finds check "$file"
	found error '<ramdisk>: 33554432 bytes are more than the ramdisks of all guests may have, 20971520 [ask for less, or raise ramdisk-total in parts.conf]'
	call prepare begin
	[ "$status" -ne 0 ]
	does release end failed
	two 9M "unit='MiB'"
	finds check "$file"
	found warning "18874368 bytes are more than the container's memory, 16777216"
	two 8M "unit='MiB'"
	good check "$file"
	two 1M
	found warning "2097152 bytes are more than the container's memory, 16384"
	two 8M "unit='MB'"
	found warning "16777216 bytes are more than the container's memory, 16000000"
	two 8M "unit='G'"
	good check "$file"
	driver=qemu
	two 9M "unit='MiB'"
	good check "$file"
}

@test "an archive on the filesystem of what is deleted is noted, and one elsewhere is not" {
	all_four
	good check "$file"
	has "$output" "note: <archive>: '$archive/web1/$today' lies on the filesystem of '$me/scratch', which post-rm-rf deletes"
	mount -t tmpfs -o size=1M,mode=755 none "$archive"
	good check "$file"
	same "$output" 'nothing is wrong'
}

@test "a part that runs in another order than its number says is found, and what check says mends it" {
	ask_file ''
	part "$parts/started_begin.d/5-first"
	part "$parts/started_begin.d/6-second"
	good check "$file"
	part "$parts/started_begin.d/11-third"
	vp check "$file" --json
	same "$(json 'map(.text) | join("|")')" \
		"'$parts/started_begin.d/5-first' runs behind '11-third': names are compared byte by byte|'$parts/started_begin.d/6-second' runs behind '11-third': names are compared byte by byte"
	local mends
	mends=$(json '.[].mend')
	event started begin
	ran 11-third 5-first 6-second
	: >"$seen"
	bash -ec "$mends"
	good check "$file"
	event started begin
	ran 05-first 06-second 11-third
	part "$parts/domains/web1/started_begin.d/100-mine"
	finds check "$file"
	has "$output" "mend: give the parts numbers of one width"
	guest web2
	ask_file ''
	good check "$file"
}

@test "what looks like a secret in an inline file is found, and what does not is not" {
	local text
	for text in 'password: hunter2' 'chpasswd: {list: x}' '-----BEGIN OPENSSH PRIVATE KEY-----' 'API_KEY=abc' '"token": "x"'; do
		ask_file "<preload><iso path='$iso/%NAME%/a.iso'><file path='user-data'>$text</file></iso></preload>" \
			"<disk device='cdrom'><source file='$iso/web1/a.iso'/></disk>"
		finds check "$file"
		found warning 'holds what looks like a secret'
	done
	for text in 'ssh_pwauth: true' 'lock_passwd: false' 'instance-id: web1' 'the password is elsewhere'; do
		ask_file "<preload><iso path='$iso/%NAME%/a.iso'><file path='user-data'>$text</file></iso></preload>" \
			"<disk device='cdrom'><source file='$iso/web1/a.iso'/></disk>"
		good check "$file"
	done
}

@test "a path with the guest's own name in it is found, since a clone copies it" {
	ask_file "<ramdisk><dir size='1M'>$guests/web1/tmp</dir></ramdisk>"
	finds check "$file"
	found warning "a clone copies its metadata [write %NAME% for the guest's name]"
	ask_file "<ramdisk><dir size='1M'>$guests/%NAME%/tmp</dir></ramdisk>"
	good check "$file"
}

@test "a ramdisk that would cover one named before it is an error" {
	ask_file "<ramdisk><dir size='1M'>$guests/%NAME%/a/b</dir></ramdisk><ramdisk><dir size='1M'>$guests/%NAME%/a</dir></ramdisk>"
	finds check "$file"
	found error "<ramdisk><dir>: '$me/a' holds '$me/a/b', which it would cover; name the outer one first"
}

@test "a path that another guest's run has claimed is found" {
	policy "write = $tree/shared"
	mkdir "$tree/shared"
	ask_file "<ramdisk><dir size='1M'>$tree/shared/tmp</dir></ramdisk>"
	starts
	local first=$xml
	guest web2 lxc 4711
	ask_file "<ramdisk><dir size='1M'>$tree/shared/tmp</dir></ramdisk>"
	finds check "$file"
	found error "the lxc guest 'web1' has claimed"
	guest web1 lxc $$
	xml=$first
	ends
}

@test "who is not root is warned of what root alone may look at, and finds no fault in it" {
	# of others than root
	unprivileged() {
		prefix=(setpriv --reuid 65534 --regid 65534 --clear-groups)
		"$@"
	}
	all_four
	mkdir "$tree/state"
	chmod 0700 "$seed" "$guests" "$tree/state"
	unprivileged finds check "$file"
	found warning "not checked, which needs root: cannot open "
	found warning "not checked, which needs root: cannot read the records of other runs"
	lacks "$output" 'error'
	chmod 0755 "$seed" "$guests" "$tree/state"
	unprivileged good check "$file"
	chmod 0000 "$hooks/parts.conf"
	unprivileged finds check "$file"
	found warning "not checked, which needs root: no valid policy"
	lacks "$output" 'error'
	prefix=()
	good check "$file"
}

@test "a guest of another host is not judged by the rules, files and parts of this one, but by what counts everywhere" {
	local far="$daemon?socket=/tmp/other/libvirt-sock" words=(web1 preload /none/seed /none/www)
	part "$parts/prepare_begin.d/5-x" true
	known
	wrong -c "$daemon" set "${words[@]}"
	has "$errors" 'nothing was stored'
	good -c "$far" set "${words[@]}"
	has "$output" "stored for 'web1'"
	has "$output" "its paths, limits and parts are not checked, since it is a guest of '$far'"
	prefix=(env LIBVIRT_DEFAULT_URI="$far")
	good set "${words[@]}"
	prefix=()
	wrong -c "$far" set "${words[@]}" uid=nobody
	has "$errors" 'nothing was stored'
	# a part that only the other host may have, and what is more like a slip
	ask_file '<mine/><ramdsk/>'
	known_as_asked
	finds -c "$daemon" check --json web1
	same "$(json '[.[] | select(.level == "error")] | length')" 2
	finds -c "$far" check --json web1
	same "$(json '[.[].level] | unique[]')" warning
	has "$output" '<ramdsk>: unknown directive; did you mean <ramdisk>?'
	lacks "$output" '<mine>'
	# nor is anything said of this host's own
	ask_file ''
	known_as_asked
	conf nonsense
	finds -c "$daemon" check
	for words in '' web1; do
		# shellcheck disable=SC2086 # one word, or none
		good -c "$far" check $words
	done
}

@test "XML that is not well-formed, has a DOCTYPE or an unknown type is an error" {
	echo '<domain' >"$file"
	wrong check "$file"
	ask "<ramdisk/>"
	printf '<!DOCTYPE domain>\n%s\n' "$xml" >"$file"
	finds check "$file"
	found error DOCTYPE
	echo "<domain type='vz'><name>a</name></domain>" >"$file"
	wrong check "$file"
	has "$errors" "'vz' is no type of domain"
}

@test "a file without a UUID is checked all the same" {
	all_four
	sed -i '/<uuid>/d' "$file"
	good check "$file"
}

@test "without libvirt check of a name or of all says so, and ends with 2" {
	wrong -c "test:///$tree/none.xml" check web1
	wrong -c "test:///$tree/none.xml" check --all
	has "$errors" 'cannot ask libvirt'
	wrong -c "$daemon" check web1
	has "$errors" "libvirt knows no guest 'web1'"
	wrong check web1 --all
}

# --- the schema ------------------------------------------------------------------------------------------------

# in_schema DIRECTIVES: xmllint's word
in_schema() {
	printf '%s\n' "<virt-parts xmlns='urn:virt-parts:1'>$1</virt-parts>" >"$tree/element.xml"
	xmllint --noout --relaxng "$rng" "$tree/element.xml" >&2
}

@test "the schema allows what the tables allow" {
	command -v xmllint >/dev/null || skip 'needs xmllint'
	local one
	mkdir -p "$seed/a" "$me/log"
	for one in '' "<ramdisk><dir size='1M' mode='0755' uid='0' gid='5' inodes='2' options='exec noatime'> $me/t </dir></ramdisk>" \
		"<preload/>" "<preload><iso path='$iso/%NAME%/a' label='' keep='no' mode='644'><src>$seed/a</src></iso></preload>" \
		"<preload><dircopy><dst>$me/d</dst><src>$seed/a</src></dircopy></preload>" \
		"<archive when='lost  unknown'><dircopy mode='1777'><src>$me/log</src><dst>$archive/%NAME%/@</dst></dircopy><datestr><replace>@</replace><format>%Y</format></datestr></archive>" \
		"<post-rm-rf when='crashed'><dir>$me/a</dir><dir>$me/b</dir></post-rm-rf><post-rm-rf><dir>$me/c</dir></post-rm-rf>" \
		"<own a='1'><b xmlns='urn:virt-parts:1'>text</b></own>"; do
		part "$parts/prepare_begin.d/30-own" true
		ask_file "$one"
		vp check "$file" --json
		lacks "$output" schema
		[[ $one == *label=\'\'* ]] || same "$(json '.[] | select(.level == "error").text')" ''
		in_schema "$one"
	done
}

@test "the schema refuses what the tables refuse" {
	command -v xmllint >/dev/null || skip 'needs xmllint'
	local one
	for one in '<ramdisk/>' "<ramdisk><dir>$me/t</dir></ramdisk>" "<ramdisk><dir size='x'>$me/t</dir></ramdisk>" \
		"<ramdisk><dir size='1M' mode='4755'>$me/t</dir></ramdisk>" "<ramdisk><dir size='1M' options='suid'>$me/t</dir></ramdisk>" \
		"<ramdisk><dir size='1M' inodes='1'>$me/t</dir></ramdisk>" "<ramdisk><dir size='1M' x='1'>$me/t</dir></ramdisk>" \
		"<preload><iso><file path='a'/></iso></preload>" "<preload><iso path='$iso/%NAME%/a'/></preload>" \
		"<preload><dircopy><src>$seed</src></dircopy></preload>" "<preload><iso path='$iso/%NAME%/a' keep='maybe'><file path='a'/></iso></preload>" \
		"<archive/>" "<archive when='sometimes'><dircopy><src>$me/l</src><dst>$archive/%NAME%/x</dst></dircopy></archive>" \
		"<post-rm-rf/>" "<post-rm-rf><dir/></post-rm-rf>" "<post-rm-rf>text<dir>$me/a</dir></post-rm-rf>" \
		"<virt-parts><post-rm-rf><dir>$me/a</dir></post-rm-rf></virt-parts>"; do
		ask_file "$one"
		finds check "$file" || {
			echo "the tables allow $one" >&2
			return 1
		}
		not in_schema "$one"
	done
}

@test "a deletion that takes what is archived is told, unless it is there again in the next life" {
	mkdir -p "$me/log/deep" "$seed/log"
	local archive_of_log="<archive><dircopy><src>$guests/%NAME%/log</src><dst>$archive/%NAME%/%DATE%</dst></dircopy></archive>"
	local deletion="<post-rm-rf><dir>$guests/%NAME%/log</dir></post-rm-rf>"
	ask_file "$archive_of_log$deletion"
	found warning "deleting '$me/log' takes the <src> '$me/log' of an <archive>, which fails in the next life"
	# and so it does
	lives
	starts
	call release end destroyed
	[ "$status" -ne 0 ]
	mkdir -p "$me/log/deep"
	good -c "$daemon" resolve web1
	mkdir -p "$me/log/deep"
	ask_file "${archive_of_log/\/log/\/log\/deep}$deletion"
	found warning "deleting '$me/log' takes the <src> '$me/log/deep'"
	ask_file "$archive_of_log${deletion/\/log/\/log\/deep}"
	good check "$file"
	ask_file "$archive_of_log$deletion" "<filesystem><source dir='$me/log'/><target dir='/log'/></filesystem>"
	good check "$file"
	ask_file "$archive_of_log$deletion<preload><dircopy><src>$seed/log</src><dst>$guests/%NAME%/log</dst></dircopy></preload>"
	good check "$file"
	lives
	lives
}

@test "a placeholder in a path that stands for nothing is noted, with the nearest that does" {
	mkdir -p "$me/log"
	local one
	for one in '%NAEM% [did you mean %NAME%?]' '%date% [did you mean %DATE%?]' '%HOUR% [known are %NAME%, %UUID%, %DATE%]' \
		'%DATE [did you mean %DATE%?]'; do
		ask_file "<archive><dircopy><src>$guests/%NAME%/log</src><dst>$archive/web1/a/${one%% *}</dst></dircopy></archive>"
		found note "<archive><dircopy><dst>: '${one%% *}' stands for nothing, and stays as it is ${one#* }"
	done
	ask_file "<post-rm-rf><dir>$guests/%NAME%/%DATE%</dir></post-rm-rf>"
	found note "'%DATE%' stands for nothing, and stays as it is [a date is replaced in an <archive> alone]"
	# what stands for something, is no word, or is no path
	ask_file "<archive><datestr><format>%H</format><replace>%HOUR%</replace></datestr><dircopy><src>$guests/%NAME%/log</src>
		<dst>$archive/%NAME%/%UUID%-%DATE%-%HOUR%-100%-%-5%25</dst></dircopy></archive>
		<preload><iso path='$iso/%NAME%/a.iso'><file path='a'>/%FOO%</file></iso></preload>"
	good check --json "$file" || true
	lacks "$output" 'stands for nothing'
}
