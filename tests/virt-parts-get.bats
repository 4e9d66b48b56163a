#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# virt-parts-get: a directive's values for parts in shell, from the XML and from the run's record.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # variables of parts_make, guest and call
load lib/parts.bash

setup() {
	parts_make
	[[ -x $build/virt-parts-get ]] || skip "$build/virt-parts-get is not built"
	xml="<domain><name>web1</name><metadata><v:virt-parts xmlns:v='urn:virt-parts:1'>
		<v:thing mode='fast' note=''><v:host port='1'>one</v:host><v:host port='2'>two %NAME% %UUID% %DATE%</v:host><v:deep><v:er>x</v:er></v:deep></v:thing>
		<v:thing mode='slow'><v:host>three</v:host><v:empty/></v:thing>
		<v:text>a &lt;b&gt; &amp; \"c\" 'd'
	tab \\ back  </v:text>
	</v:virt-parts></metadata></domain>"
}

teardown() {
	parts_remove
}

# get ARGUMENT...: status, output (a last newline is kept by a dot) and errors
get() {
	status=0
	output=$(env "${environment[@]}" "$build/virt-parts-get" "$@" 2>"$tree/stderr" <<<"$xml"; echo ".$?")
	status=${output##*.} output=${output%.*}
	errors=$(<"$tree/stderr")
	printf 'get %s: exit %s\n%s%s\n' "$*" "$status" "$output" "$errors" >&2
}

@test "every value is a line, over all directives of the name, in the order of the document" {
	get thing/host
	[ "$status" -eq 0 ]
	same "$output" $'one\ntwo %NAME% %UUID% %DATE%\nthree\n'
	get thing/deep/er
	same "$output" $'x\n'
}

@test "attributes are asked for with @, at any level" {
	get thing@mode
	same "$output" $'fast\nslow\n'
	get thing/host@port
	same "$output" $'1\n2\n'
	# an empty value is a value
	get thing@note
	[ "$status" -eq 0 ]
	same "$output" $'\n'
}

@test "what is not there is exit 1 and no output" {
	local path
	for path in other thing/other thing/host/deeper thing@other thing/host@other host; do
		get "$path"
		[ "$status" -eq 1 ]
		same "$output$errors" ''
	done
	xml='<domain/>'
	get thing
	[ "$status" -eq 1 ]
}

@test "an element without text has an empty value" {
	get thing/empty
	[ "$status" -eq 0 ]
	same "$output" $'\n'
}

@test "a newline, a tab, a backslash and control characters are escaped, so that a value is a line" {
	get text
	same "$output" "a <b> & \"c\" 'd'"'\n\ttab \\ back  '$'\n'
	get --null text
	same "$(env "$build/virt-parts-get" --null text <<<"$xml" | od -An -c | tr -d ' \n')" 'a<b>&"c"'"'d'"'\n\ttab\back\0'
	same "$(env "$build/virt-parts-get" --null thing/host <<<"$xml" | tr '\0' '|')" 'one|two %NAME% %UUID% %DATE%|three|'
}

@test "within a hook %NAME% and %UUID% are replaced, once" {
	environment=(VIRT_PARTS_DOMAIN='%UUID%' VIRT_PARTS_UUID="$id")
	get thing/host
	same "$output" "one
two %UUID% $id %DATE%
three
"
}

@test "the namespace counts, not the prefix; elements of 2014 are found" {
	xml="<domain><metadata><o:thing xmlns:o='urn:other'>no</o:thing><archive><dircopy><src>/a</src></dircopy></archive></metadata></domain>"
	get thing
	[ "$status" -eq 1 ]
	get archive/dircopy/src
	same "$output" $'/a\n'
}

@test "XML that is malformed, has a DOCTYPE or is missing is exit 2 with the reason" {
	xml='<domain><metadata>'
	get thing
	[ "$status" -eq 2 ]
	has "$errors" 'virt-parts-get: line '
	xml='<!DOCTYPE domain><domain/>'
	get thing
	[ "$status" -eq 2 ]
	has "$errors" DOCTYPE
	xml=''
	get thing
	[ "$status" -eq 2 ]
	same "$output" ''
}

@test "wrong use is exit 2 with the usage; --help is exit 0" {
	local one
	get
	[ "$status" -eq 2 ]
	has "$errors" 'Usage: virt-parts-get'
	for one in --no-such -x ''; do
		get "$one"
		[ "$status" -eq 2 ]
		has "$errors" Usage
	done
	for one in / @ thing/ /thing thing//a thing@ @a thing/@a thing/a@ thing@a@b thing@a/b; do
		get "$one"
		[ "$status" -eq 2 ]
		has "$errors" "'$one' is not DIRECTIVE[/ELEMENT...][@ATTRIBUTE]"
	done
	get thing other
	[ "$status" -eq 2 ]
	get --null
	[ "$status" -eq 2 ]
	get --help
	[ "$status" -eq 0 ]
	has "$output" 'Exit status: 0 a value was printed, 1 the guest has none, 2 an error.'
}

@test "output that cannot be written is exit 2" {
	local code=0
	"$build/virt-parts-get" thing/host <<<"$xml" >/dev/full 2>"$tree/stderr" || code=$?
	same "$code" 2
	has "$(<"$tree/stderr")" 'cannot print the values'
}

@test "--recorded tells what was asked at prepare, whatever has been edited since" {
	part "$parts/release_end.d/30-thing" "'$build/virt-parts-get' --recorded thing/host >>\"\$seen\"; '$build/virt-parts-get' thing/host >>\"\$seen\""
	ask "<thing><host port='%NAME%'>of %NAME%
	\\ x</host></thing>"
	starts
	environment=(VIRT_PARTS_STATE_DIR="$record")
	get --recorded thing/host@port
	same "$output" $'web1\n'
	get --recorded --null thing/host
	same "$(env "VIRT_PARTS_STATE_DIR=$record" "$build/virt-parts-get" --recorded --null thing/host </dev/null | tr '\0' '|')" $'of web1\n\t\\ x|'
	ask "<thing><host>edited</host></thing>"
	ends
	holds "$seen" 'of web1\n\t\\ x
edited'
	nothing_left
}

@test "--recorded without a record is exit 1, with a damaged one exit 2" {
	get --recorded thing
	[ "$status" -eq 1 ]
	environment=(VIRT_PARTS_STATE_DIR="$tree/none")
	get --recorded thing
	[ "$status" -eq 1 ]
	mkdir -p "$tree/bad/asked"
	printf '\t\t=x\n' >"$tree/bad/asked/thing"
	environment=(VIRT_PARTS_STATE_DIR="$tree/bad")
	get --recorded thing
	[ "$status" -eq 2 ]
	has "$errors" "cannot read 'asked/thing' of the run's record"
}

@test "a date of a record is shown as the text that stands for it" {
	mkdir "$me/log"
	ask "<archive><datestr><format>%Y</format><replace>YEAR</replace></datestr><dircopy><src>$me/log</src><dst>$archive/web1/YEAR/%DATE%</dst></dircopy></archive>"
	starts
	environment=(VIRT_PARTS_STATE_DIR="$record")
	get --recorded archive/dircopy/dst
	same "$output" "$archive/web1/YEAR/%DATE%"$'\n'
	get --recorded archive/datestr/replace
	same "$output" $'YEAR\n'
	does release end failed
}

@test "several calls in one part read the same XML" {
	metadata "<virt-parts xmlns='urn:virt-parts:1'><thing a='1' b='2'/></virt-parts>"
	printf '%s' "$xml" >"$tree/in.xml"
	same "$(sh -c '"$0" thing@a; "$0" thing@b' "$build/virt-parts-get" <"$tree/in.xml")" $'1\n2'
}
