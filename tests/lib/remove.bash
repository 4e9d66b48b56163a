# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How tests remove what they have made.

# remove_tree DIR: not when anything is mounted below it, which rm would empty: --one-file-system stops at no bind
# mount of the same file system. Asks nobody but the kernel for that.
remove_tree() {
	local point status=0
	while read -r _ _ _ _ point _; do
		printf -v point '%b' "$point"
		if [[ $point/ == "${1:?}"/* ]]; then
			echo "not removed: '$point' is still mounted in '$1'" >&2
			status=1
		fi
	done </proc/self/mountinfo || status=1
	((status == 0)) || return 1
	rm -rf --one-file-system "$1"
}
