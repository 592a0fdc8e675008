# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# What make, enter and author have in common; sourced by them.

src=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)	# this folder
top=$(cd "$src/../.." && pwd)				# the repository
self=${0##*/}

say() { printf '%s: %s\n' "$self" "$*" >&2; }
die() { say "$*"; exit 125; }

# The world's folder as an absolute path: the argument, $WORLD, or build/world.
world_dir() {
	local dir=${1:-${WORLD:-$top/build/world}}
	case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
	realpath -ms "$dir"
}

need_root() {
	[ "$(id -u)" = 0 ] || die "only root can: this mounts, and guix-daemon changes users"
}
