# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154
# What differs in the making of a world of Guix 1.2.0; sourced by make.
suites=(bullseye) guix_at_least=1.2.0
kit=$src/guix-1.2 scripts=/scripts/guix-1.2
made_by=(make channels.sh pack.scm)
for f in add-seeds.scm channels debian-packages gdbm.scm make-channels make-seeds steps.sh; do
	made_by+=("guix-1.2/$f")
done
snapshot=yes

seeds() { in_debian "$scripts/make-seeds"; }

guix() {	# 'guix pull' of the channel by itself
	# Debian's Guix knows thousands of packages, and would build some to make a
	# profile: for the first instance it runs with the channel's package modules.
	in_debian sh -euc '
		export GUIX_UNINSTALLED=1 GUILE_AUTO_COMPILE=0
		export GUILE_LOAD_PATH=/srv/channels/guix-1.2:/usr/share/guile/site/2.2
		guix repl -- "$0/add-seeds.scm" /world/seeds
		guix time-machine -C /srv/channels/g2.scm -- \
			pull -C /srv/channels/g2.scm -p /var/guix/profiles/world
	' "$scripts"
}

warm_packs() {	# DIR: options, and manifests where they matter
	local c
	for c in none gzip xz zstd bzip2 lzip; do echo "--compression=$c" >"$1/$c.options"; done
	echo --localstatedir >"$1/localstate.options"
	echo --format=tarball >"$1/tarball.options"
	echo --format=squashfs >"$1/squashfs.options"
	echo -RR >"$1/relocatable.options"
	echo "(packages->manifest (list (@ (gnu packages seed) texinfo-seed)))" \
		>"$1/relocatable.manifest.scm"
}
