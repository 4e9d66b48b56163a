#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The ISO image builder: what is in an image, what is refused, and that a failure is never a success.

# VIRT_PARTS_FULL=1: ten times as many rounds. ISO_BUILD: the program, if not build/tools/iso-build.
# shellcheck disable=SC2030,SC2031 # bats runs each test in a subshell of its own
# shellcheck disable=SC2154,SC2034 # of lib/iso.bash
# shellcheck disable=SC2317 # check_generation is called by race

bats_require_minimum_version 1.5.0
load lib/iso.bash

@test "an image has the contents, owners, modes, times and symlinks of its source" {
	needs xorriso
	a_tree src
	[[ $EUID -eq 0 ]] && chown 1234:5678 src/a/b/two
	build src
	unpack
	diff <(listing src) <(listing out)
}

@test "the contents of several sources are merged, their directories too, with inline files" {
	needs xorriso
	mkdir -p src/both/one more/both/two
	echo 1 >src/both/one/f
	echo 2 >more/both/two/f
	echo 3 >more/g
	build src more --file both/one/inline=text --file new/dir/file=4 --file meta-data=5
	unpack
	run bash -c 'cd out && find . -type f -printf "%P " -exec cat {} \; | LC_ALL=C sort'
	printf '%s\n' "$output"
	[[ $output == *'both/one/f 1'* && $output == *'both/two/f 2'* && $output == *'g 3'* ]]
	[[ $(cat out/both/one/inline out/new/dir/file out/meta-data) == text45 ]]
}

@test "inline files are root's with mode 0644, and need no source" {
	needs isoinfo
	build --file meta-data=hello --file d/user-data=
	run isoinfo -R -l -i out.iso
	printf '%s\n' "$output"
	[[ $output =~ -rw-r--r--\ +1\ +0\ +0\ +5\ .*\ meta-data ]]
	[[ $output =~ drwxr-xr-x\ +1\ +0\ +0\ .*\ d ]]
	[[ $(isoinfo -R -x /meta-data -i out.iso) == hello ]]
}

@test "an image without sources has the same bytes at any time" {
	build --file meta-data=hello
	mv out.iso first.iso
	sleep 1.1
	build --file meta-data=hello
	cmp first.iso out.iso
}

@test "the label is exactly as asked, also in small letters, with a hyphen and of 32 characters" {
	needs blkid
	for label in cidata CIDATA config-2 'a b' A 12345678901234567890123456789012; do
		build --file meta-data=x
		[[ $(blkid -p -s LABEL -o value out.iso) == "$label" ]]
	done
}

@test "Joliet shows plain names, without a dot or version behind them" {
	needs isoinfo
	build --file meta-data=x --file openstack/latest/meta_data.json='{}'
	run isoinfo -J -f -i out.iso
	printf '%s\n' "$output"
	[[ $'\n'$output$'\n' == *$'\n/meta-data\n'* ]]
	[[ $'\n'$output$'\n' == *$'\n/openstack/latest/meta_data.json\n'* ]]
}

@test "setuid and setgid bits are not in the image, the sticky bit is" {
	needs xorriso
	mkdir src/dir
	echo x >src/program
	chmod 6755 src/program
	chmod 3777 src/dir
	build src
	run xorriso -indev out.iso -find / -exec lsdl
	printf '%s\n' "$output"
	[[ $output == *"-rwxr-xr-x "*program* && $output == *"drwxrwxrwt "*dir* ]]
}

@test "FIFOs, sockets and devices are left out with a warning and never opened" {
	needs_root
	needs isoinfo
	mkfifo src/fifo
	mknod src/device c 1 5
	perl -MSocket -e 'socket(S,PF_UNIX,SOCK_STREAM,0); bind(S,sockaddr_un("src/socket")) or die'
	echo x >src/file
	run timeout 120 "$ISO_BUILD" X X out.iso src
	printf '%s\n' "$output"
	[[ $status -eq 0 ]]
	[[ $output == *"'src/fifo': a FIFO"* && $output == *"'src/device': a device"* ]]
	[[ $output == *"'src/socket': a socket"* ]]
	[[ $(isoinfo -R -f -i out.iso) == /file ]]
}

@test "symlinks stay symlinks and are not followed, wherever they lead" {
	needs xorriso
	mkdir outside
	echo CONTENTS >outside/secret
	ln -s ../outside src/dir
	ln -s ../outside/secret src/file
	ln -s / src/root
	ln -s "$(printf 'abcdefgh/%.0s' {1..100})z" src/long
	build src
	unpack
	diff <(listing src) <(listing out)
	run ! grep -q CONTENTS out.iso
}

@test "names of 253 bytes, not in UTF-8, or with control characters are kept" {
	needs xorriso
	: >"src/$(printf 'n%.0s' {1..253})"
	: >"src/$(printf 'n%.0s' {1..250}).x"
	: >$'src/lat\xe9n'
	: >$'src/new\nline'
	: >$'src/\x01'
	: >'src/a:b*c?d;e\f'
	: >'src/😀'
	mkdir $'src/d\xff'
	: >$'src/d\xff/file'
	build src
	unpack
	diff <(cd src && find . | LC_ALL=C sort) <(cd out && find . | LC_ALL=C sort)
}

@test "a tree of 200 levels and paths of over 240 characters are kept" {
	needs xorriso
	local deep=src
	for _ in {1..200}; do deep+=/0123456789; done
	mkdir -p "$deep"
	echo bottom >"$deep/file"
	build src
	unpack
	cmp "$deep/file" "out${deep#src}/file"
}

@test "files with one inode are each in the image, whole" {
	needs xorriso
	echo text >src/a
	ln src/a src/b
	build src
	unpack
	cmp src/a out/a
	cmp src/a out/b
}

@test "the application id can be read back, and a file that is no image has none" {
	build --file meta-data=x
	run "$ISO_BUILD" --id out.iso
	[[ $status -eq 0 && ${output,,} == "${app,,}" ]]
	: >empty
	head -c 40000 /dev/zero >zeros
	for file in empty zeros; do
		run "$ISO_BUILD" --id "$file"
		[[ $status -eq 1 && $output == *'No data available'* ]]
	done
	run "$ISO_BUILD" --id src
	[[ $status -eq 1 ]]
}

@test "an image over an older and longer file is not followed by the rest of it" {
	head -c 2000000 /dev/urandom >out.iso
	build --file meta-data=x
	mv out.iso first.iso
	build --file meta-data=x
	cmp first.iso out.iso
}

# --- byte for byte ---------------------------------------------------------------------------------------------

@test "copies of a tree give the same bytes: other inodes, creation order, time, time zone, locale, file system" {
	a_tree src
	build src --file meta-data=x
	mv out.iso first.iso
	mkdir -p other/{z,empty,a/b/c} tmpfs
	cp -a src/z/. other/z
	cp -a src/a/b/c/. other/a/b/c
	cp -a src/. other
	sleep 1.1
	for tz in UTC Asia/Kathmandu America/St_Johns :/nonexistent; do
		TZ=$tz LC_ALL=C.UTF-8 build other --file meta-data=x
		cmp first.iso out.iso
	done
	if [[ $EUID -eq 0 ]]; then
		mount -t tmpfs none tmpfs
		mounted+=("$work/tmpfs")
		cp -a src tmpfs
		TZ=Pacific/Apia build tmpfs/src --file meta-data=x
		cmp first.iso out.iso
	fi
}

@test "the image's own time is the newest mtime in the sources" {
	needs blkid
	a_tree src
	build src
	[[ $(blkid -p -s UUID -o value out.iso) == 2022-01-01-00-00-00-00 ]]
}

# --- what is refused -------------------------------------------------------------------------------------------

@test "one path twice is refused with the path and both places: file and file, file and directory, inline" {
	mkdir -p src/a more/a dir/a/x
	echo 1 >src/a/x
	echo 2 >more/a/x
	words="'a/x' is in 'src' and in 'more'" refused src more
	words="'a/x' is in 'src' and in 'dir'" refused src dir
	words="'a/x' is in 'dir' and in 'src'" refused dir src
	words="'a/x' is in 'src' and is also given as a file" refused src --file a/x=3
	words="'a' is in 'src' and is also given as a file" refused src --file a=3
	words="'a/x' is in 'src' and is also given as a file" refused src --file a/x/y=3
	words="'a/x' is given twice" refused --file a/x=3 --file a/x=4
	words="'a' is given twice" refused --file a=3 --file a/x=4
	words="'a/x' is in 'src' and in 'src'" refused src src
}

@test "a symlink does not merge with a directory" {
	mkdir -p src/a more
	ln -s elsewhere more/a
	words="'a' is in 'src' and in 'more'" refused src more
}

@test "inline files have relative and plain paths" {
	for path in /a a//b a/ ../a a/../b ./a . .. ''; do
		words='is not relative and plain' refused --file "$path=x"
	done
	words='control character' refused --file $'a\nb=x'
	words='is too long' refused --file "$(printf 'n%.0s' {1..254})=x"
}

@test "a label that a volume cannot hold is refused" {
	for label in ' a' 'a ' 123456789012345678901234567890123 $'a\tb' 'é'; do
		words='the label' refused --file a=x
	done
	run "$ISO_BUILD" '' X out.iso --file a=x
	[[ $status -eq 1 && $output == *'is empty'* ]]
}

@test "an application id that an image cannot hold is refused" {
	for id in 'a#b' 'a[b' $'a\nb' 'é' "$(printf 'n%.0s' {1..129})"; do
		run "$ISO_BUILD" X "$id" out.iso --file a=x
		[[ $status -eq 1 && $output == *'application id'* ]]
	done
}

@test "a name that Linux would cut off is refused with the name" {
	: >"src/$(printf 'n%.0s' {1..254})"
	words='a name of more than 253 bytes' refused src
}

@test "a path of 4096 bytes is refused with its end" {
	local name
	name=$(printf 'd%.0s' {1..200})
	(
		cd src || exit
		for _ in {1..25}; do
			mkdir "$name" && cd "$name" || exit
		done
	)
	words='File name too long' refused src
}

@test "a tree of more than 256 levels is refused" {
	local deep=src
	for _ in {1..257}; do deep+=/d; done
	mkdir -p "$deep"
	words='File name too long' refused src
}

@test "limits on entries and bytes end the build" {
	for i in {1..20}; do echo 123456789 >"src/$i"; done
	run "$ISO_BUILD" --max-entries 20 --max-bytes 200 X X out.iso src
	[[ $status -eq 0 ]]
	run "$ISO_BUILD" --max-entries 19 X X out.iso src
	[[ $status -eq 1 && $output == *'more than 19 entries'*E2BIG* ]]
	run "$ISO_BUILD" --max-bytes 199 X X out.iso src
	[[ $status -eq 1 && $output == *'more than 199 bytes'*EFBIG* ]]
	run "$ISO_BUILD" --max-bytes 0 X X out.iso src
	[[ $status -eq 1 && $output == *'more than 0 bytes'*EFBIG* ]]
	run "$ISO_BUILD" --max-entries 0 X X out.iso src
	[[ $status -eq 1 && $output == *'more than 0 entries'*E2BIG* ]]
	run "$ISO_BUILD" --max-entries 1 X X out.iso --file a= --file b=
	[[ $status -eq 1 && $output == *"more than 1 entries, with 'b'"*E2BIG* ]]
	run "$ISO_BUILD" --max-entries 2 --max-bytes 0 X X out.iso --file a= --file b=
	[[ $status -eq 0 ]]
}

@test "a sparse file of 8 EiB is refused at once" {
	truncate -s 8000000T src/sparse 2>/dev/null || truncate -s 5T src/sparse || skip 'needs large files'
	words='EFBIG' refused src
}

@test "a mount in a source is refused: a tmpfs, a bind mount of the same file system, one over a file" {
	needs_root
	mkdir src/dir inside
	echo outside >inside/file
	: >src/file
	mount -t tmpfs none src/dir
	mounted+=("$work/src/dir")
	words="'src/dir' is on another mount" refused src
	umount src/dir
	mount --bind inside src/dir
	words="'src/dir' is on another mount" refused src
	umount src/dir
	mount --bind inside/file src/file
	mounted+=("$work/src/file")
	words="'src/file' is on another mount" refused src
	umount src/file
	build src
}

@test "a source may itself be a mount" {
	needs_root
	mount -t tmpfs none src
	mounted+=("$work/src")
	echo x >src/file
	build src
}

@test "an image that libisofs would lay out wrongly is refused" {
	for i in {1..40}; do
		ln -s "$(printf 'c%.0s' {1..240})" "src/$i"
	done
	run build src
	printf '%s\n' "$output"
	# a libisofs that counts them right makes the image
	[[ $status -eq 0 || $output == *'libisofs cannot lay out this tree'* ]]
	if [[ $status -eq 0 ]]; then
		unpack
		diff <(listing src) <(listing out)
	fi
}

@test "what is refused or skipped is said without control characters" {
	mkdir more
	: >$'src/a\nb'
	: >$'more/a\nb'
	words="'a?b' is in 'src' and in 'more'" refused src more
}

# --- a source that changes ---------------------------------------------------------------------------------------

# race ROUNDS: builds out.iso from src while $helper runs; the count of failures and of images that are not
# exactly one generation of src; ten times the rounds with VIRT_PARTS_FULL=1
race() {
	local rounds=$(($1 * (${VIRT_PARTS_FULL:+9} + 1))) i
	failed=0 mixed=0 good=0
	# with one processor the two meet less often
	for ((i = 0; i < rounds || failed <= 10 && i < 20 * rounds; i++)); do
		if timeout 120 "$ISO_BUILD" X X out.iso src 2>err; then
			good=$((good + 1))
			check_generation || mixed=$((mixed + 1))
		elif [[ $? -eq 1 ]]; then
			failed=$((failed + 1))
		else
			mixed=$((mixed + 1))
		fi
	done
	proof 23 "$i" "$mixed" "$failed" "good $good; those hit and refused are the control"
	[[ $mixed -eq 0 ]]
}

@test "a file that is truncated, grown and rewritten during the build gives an error or an exact image" {
	needs isoinfo perl
	head -c 400000 /dev/zero | tr '\0' a >src/file
	perl -e 'my $c = "a"; while (1) { $c = $c eq "z" ? "a" : chr(ord($c) + 1);
		open F, "+<", "src/file"; syswrite F, $c x 200000; truncate F, 100000 if rand() < .3;
		syswrite F, $c x 200000; truncate F, 400000; close F;
		select undef, undef, undef, rand() < .5 ? 0 : .01 * rand(); }' 3>&- &
	helper=$!
	# a half-rewritten file that stays so while it is read is an exact image of that time
	check_generation() {
		isoinfo -R -x /file -i out.iso | tr -s 'a-z\0' | wc -c | grep -qE '^[1-4]$'
	}
	race 100
	[[ $failed -gt 10 ]]
}

@test "files rewritten one after the other are never of more than two neighbouring generations" {
	needs isoinfo perl
	for i in {1..9}; do echo 00000000 >"src/$i"; done
	perl -e 'my $n = 0; while (1) { $n++; for my $i (1 .. 9) { open F, "+<", "src/$i";
		syswrite F, sprintf("%08d\n", $n); close F; }
		select undef, undef, undef, rand() < .5 ? .006 : .0001; }' 3>&- &
	helper=$!
	# the writer goes from 1 to 9, so at any moment the numbers never rise, and differ by one at most
	check_generation() {
		local i n first='' last=''
		for i in {1..9}; do
			n=$(isoinfo -R -x "/$i" -i out.iso)
			n=$((10#$n))
			[[ -z $last || $n -le $last ]] || return 1
			first=${first:-$n} last=$n
		done
		((first - last <= 1))
	}
	race 200
	[[ $failed -gt 10 ]]
}

@test "where times are whole seconds an image of what has just changed waits for the next, that a change is seen" {
	local i second
	needs_root
	needs mkfs.ext4
	truncate -s 16M disk
	mkfs.ext4 -q -F -I 128 disk
	mount -o loop disk src || skip 'needs loop devices'
	mounted+=("$work/src")
	for i in {1..5}; do
		second=$(date +%s)
		while (($(date +%s) == second)); do :; done
		echo "$i" >src/file
		second=$(stat -c %Z src/file)
		build src
		(($(date +%s) > second))
	done
}

@test "files that come, go and are renamed during the build give an error or a tree as it was" {
	needs isoinfo perl
	mkdir src/a src/b
	for i in {1..50}; do echo "$i" >"src/a/$i"; done
	# every file is in a or in b at any time
	perl -e 'while (1) { my $i = 1 + int rand 50; -e "src/a/$i" ? rename "src/a/$i", "src/b/$i"
		: rename "src/b/$i", "src/a/$i"; select undef, undef, undef, rand() < .7 ? 0 : .01; }' 3>&- &
	helper=$!
	check_generation() {
		[[ $(isoinfo -R -f -i out.iso | grep -c '^/[ab]/') -eq 50 ]] &&
			[[ $(isoinfo -R -f -i out.iso | grep '^/[ab]/' | cut -d/ -f3 | sort -u | wc -l) -eq 50 ]]
	}
	race 200
	[[ $failed -gt 10 ]]
}

@test "a directory swapped against a link to the outside never lets the outside in" {
	needs isoinfo perl
	mkdir -p src/dir/sub outside/sub
	for i in {1..20}; do
		echo inside >"src/dir/sub/$i"
		echo SECRET >"outside/sub/$i"
	done
	ln -s ../outside link
	perl -e 'while (1) { rename "src/dir", "held"; rename "link", "src/dir";
		select undef, undef, undef, .001 if rand() < .3;
		rename "src/dir", "link"; rename "held", "src/dir";
		select undef, undef, undef, .002 if rand() < .3; }' 3>&- &
	helper=$!
	check_generation() {
		! grep -q -a SECRET out.iso
	}
	# the control: who opens by path does get in
	[[ $(perl -e 'my $n = 0; my $end = time + 120; while ($n < 1000 && time < $end) { open F, "<", "src/dir/sub/1" and <F> =~ /SECRET/ and $n++ }
		print $n') -ge 1000 ]]
	race 300
	[[ $failed -gt 10 ]]
}

@test "a file swapped against a FIFO never hangs the build" {
	needs perl
	echo text >src/file
	mkfifo fifo
	perl -e 'while (1) { rename "src/file", "held"; rename "fifo", "src/file";
		rename "src/file", "fifo"; rename "held", "src/file"; }' 3>&- &
	helper=$!
	check_generation() {
		:
	}
	race 200
}

# --- faults --------------------------------------------------------------------------------------------------------

@test "a full disk is an error" {
	needs_root
	mkdir disk
	mount -t tmpfs -o size=256k none disk
	mounted+=("$work/disk")
	head -c 200000 /dev/urandom >src/file
	run "$ISO_BUILD" X X disk/out.iso src
	printf '%s\n' "$output"
	[[ $status -eq 1 && $output == *'No space left on device'* ]]
}

@test "a limit on the size of files is an error" {
	head -c 200000 /dev/urandom >src/file
	run bash -c 'trap "" XFSZ; ulimit -f 100; exec "$@"' - "$ISO_BUILD" X X out.iso src
	printf '%s\n' "$output"
	[[ $status -eq 1 && $output == *'File too large'* ]]
}

@test "an image that cannot be read back is an error" {
	run bash -c 'exec "$0" X X /dev/full --file a=x' "$ISO_BUILD"
	[[ $status -eq 1 ]]
}

# inject CALL ERROR [PATH]: fails the Nth CALL of each thread, for every N, until no call is left to fail
inject() {
	local call=$1 error=$2 n status
	for ((n = 1; n < 60; n++)); do
		rm -f out.iso
		status=0
		# LD_BIND_NOW and the loader's own calls come first: a loader that fails is a failure as well
		strace -f -qq -o trace -e trace="$call" -e inject="$call:error=$error:when=$n" \
			"$ISO_BUILD" X X out.iso src --file meta-data=x >err 2>&1 || status=$?
		grep -q INJECTED trace || break
		injected=$((injected + 1))
		if [[ $status -eq 0 ]] && ! { [[ -n ${exact_is_fine:-} ]] && cmp -s reference.iso out.iso; }; then
			echo "$call number $n failed with $error, and the build succeeded"
			grep INJECTED trace
			return 1
		fi
	done
}

@test "every system call of the walk, the reads and the writes that fails is an error" {
	needs strace
	a_tree src
	injected=0
	for call in openat2 statx getdents64 readlinkat pwrite64 ftruncate fsync; do
		inject "$call" EIO
	done
	inject pread64 EIO
	inject openat2 EMFILE
	inject pwrite64 ENOSPC
	inject pwrite64 EDQUOT
	inject fsync ENOSPC
	echo "$injected faults"
	[[ $injected -gt 60 ]]
}

@test "any other system call that fails is an error, or the image is exact" {
	needs strace
	a_tree src
	"$ISO_BUILD" X X out.iso src --file meta-data=x
	mv out.iso reference.iso
	injected=0
	exact_is_fine=yes
	inject openat EMFILE
	under_checker || inject mmap ENOMEM
	under_checker || inject brk ENOMEM
	inject clone3 EAGAIN
	inject fstat EIO
	inject newfstatat EIO
	inject fcntl EIO
	inject close EIO
	inject read EIO
	echo "$injected faults"
	[[ $injected -gt 20 ]]
}

@test "a killed build leaves no state that a second one trips over" {
	needs strace
	a_tree src
	"$ISO_BUILD" X X out.iso src
	mv out.iso reference.iso
	for n in 1 3 5; do
		strace -f -qq -o trace -e trace=pwrite64,openat2,fsync \
			-e inject=openat2,fsync:signal=KILL:when="$n" "$ISO_BUILD" X X out.iso src || true
		"$ISO_BUILD" X X out.iso src
		cmp reference.iso out.iso
	done
}

# --- what it costs -------------------------------------------------------------------------------------------------

@test "never more than 16 descriptors are open, also with 2,000 files in 300 directories" {
	for d in {1..100}; do
		mkdir -p "src/$d/a/b"
		for f in {1..20}; do : >"src/$d/a/$f"; done
	done
	bash -c 'ulimit -n 16; exec "$@"' - "$ISO_BUILD" X X out.iso src
}

@test "5,000 files take less than 16 MB of data, its thread's stack included" {
	without_checker 'it needs more'
	for i in {1..5000}; do echo "$i" >"src/$i"; done
	bash -c 'ulimit -d 16000; exec "$@"' - "$ISO_BUILD" X X out.iso src
}
