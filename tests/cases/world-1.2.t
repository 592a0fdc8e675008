#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Images of the real Guix 1.2.0 of 2020, rebuilt by it, and by the newer Guix, which
# travels to its channel; and what both Guixes would get wrong.
# needs: both worlds
. tests/cases/tap.sh

world=build/world-1.2 images=$PWD/build/images-1.2
enter() { tests/world/enter --world "$world" "$@"; }
newer() { tests/world/enter "$@"; }

run tests/world/make --guix 1.2
[ "$status" = 0 ] || skip_all "no world of Guix 1.2: $(tail -n 1 "$T/err")"

run enter guix --version
like "$T/out" '^guix \(GNU Guix\) 1\.2\.0' "guix is 1.2.0"
run enter guix describe
like "$T/out" 'file:///srv/channels/guix-1.2$' "and came from the world's channel"
run enter guix time-machine -C /srv/channels/mallory.scm -- describe
not_ok "it refuses a commit by a foreign signer" [ "$status" = 0 ]
like "$T/err" 'could not authenticate commit' "for that reason"
run enter guix package --export-manifest -p /var/guix/profiles/world
not_ok "it has no --export-manifest" [ "$status" = 0 ]

run tests/world/author --world "$world"
is "$status" 0 "its author packs images"
run tests/world/author --world "$world" --list
while read -r name; do
	( cd "$images" && sha256sum -c --status "$name.sha256" ) || diag "$name"
	for f in channels.scm options; do [ -e "$images/$name.$f" ] || diag "$name.$f"; done
done <"$T/out" >"$T/bad"
is "$(cat "$T/bad")" "" "each beside what was typed, and its sum"

# --- by hand -----------------------------------------------------------------
cat >"$T/by-hand" <<'END'
set -eu
cd "$1"
file=$(guix time-machine -C plain.channels.scm -- pack -f docker $(cat plain.options) \
	-m plain.manifest.scm 2>/dev/null)
sha256sum <"$file"
END
run enter sh "$T/by-hand" "$images"
is "$(cat "$T/out")" "$(sha256sum <"$images/plain.tar.gz")" "what was typed gives the same image again"

# --- by ourselves --------------------------------------------------------------
cat >"$T/trust" <<'END'
(trust
 (version 0)
 (channel (url "file:///srv/channels/guix-1.2"))
 (channel (url "file:///srv/channels/extras")))
END
corpus() {	# FILE NAME...: of images
	corpus=$1
	shift
	{
		echo '(corpus (version 0)'
		for name; do
			echo " (image (name \"$name\") (source \"pack:$images/$(sed 's/.*  //' "$images/$name.sha256")\"))"
		done
		echo ')'
	} >"$corpus"
}
verdicts() { jq -r '.images[] | "\(.name) \(.verdict)"' "$1/report.json" | sort; }

corpus "$T/2020.corpus" plain two-channels transformed relocatable zstd tarball \
	squashfs dice noprov
run enter "$UNBLEND" doctor
is "$status" 0 "doctor finds no fault"
run enter "$UNBLEND" run -q "$T/2020.corpus" -o "$T/2020" --trust "$T/trust" --cache "$T/cache"
is "$(verdicts "$T/2020")" "dice nondeterministic
noprov no-provenance
plain identical
relocatable identical
squashfs identical
tarball identical
transformed identical
two-channels identical
zstd identical" "images that 1.2.0 packed are rebuilt by 1.2.0"

# --- the newer Guix, in the older's channel --------------------------------------
run tests/world/join
is "$status" 0 "a newer world gets the channels"
run newer guix time-machine -C /srv/channels/1.2-g2.scm -- --version
like "$T/out" '^guix \(GNU Guix\) 1\.2\.0' "its Guix travels to 1.2.0"
cat >"$T/lower" <<'END'
set -eu
cd "$1"
there="time-machine -C $2.channels.scm --"
[ "$3" = once ] || there="$there $there"
# shellcheck disable=SC2086,SC2046
guix $there pack -d -f docker $(cat "$2.options") \
	$([ ! -e "$2.manifest.scm" ] || echo -m "$2.manifest.scm")
END
# It writes the name of the channel into the instance that it makes, which 1.2.0
# copies into the image, and did not do itself.
run newer sh "$T/lower" "$images" plain once
cp "$T/out" "$T/once"
for name in plain transformed two-channels; do
	run enter sh "$T/lower" "$images" "$name" once
	cp "$T/out" "$T/expected"
	run newer sh "$T/lower" "$images" "$name" twice
	same "$T/out" "$T/expected" "from there, 1.2.0 travels on to what it would pack itself: $name"
	[ "$name" != plain ] || not_ok "which it would not from here" cmp -s "$T/once" "$T/expected"
done

# unblend does that by itself, knows it the next time, and says so.
corpus "$T/hop.corpus" tarball two-channels transformed
run newer "$UNBLEND" run -q "$T/hop.corpus" -o "$T/hop" --trust "$T/trust" --cache "$T/cache-hop"
is "$(verdicts "$T/hop")" "tarball identical
transformed identical
two-channels identical" "the newer Guix rebuilds images of 1.2.0, bit by bit"
is "$(sqlite3 -batch "$T/hop/unblend.db" "SELECT count(*) FROM rebuild JOIN attempt USING (sample_id)
	JOIN recipe ON recipe.id = recipe_id WHERE rebuild.profile = recipe.profile")" 3 \
	"to the profiles that they hold"
run newer "$UNBLEND" run -q "$T/hop.corpus" -o "$T/hop-again" --depth recipe \
	--trust "$T/trust" --cache "$T/cache-hop"
is "$(verdicts "$T/hop-again" | cut -d' ' -f2 | sort -u)" same-recipe "once more, by the instance that is there"
run "$UNBLEND" recipe -o "$T/hop-recipe" "$images/tarball.tar.gz"
like "$T/hop-recipe/rebuild.sh" '^# note: time-machine twice: ' "rebuild.sh says why it travels twice"
run newer sh "$T/hop-recipe/rebuild.sh"
is "$status $(tail -n 1 "$T/out")" "0 identical" "and by hand it gives the same file"

# --- channels and manifest given, and other channels of the same commits -----------
# given ENTER IMAGES IMAGE CHANNEL WORLD: noprov has no provenance, IMAGE has; both are of
# CHANNEL, in /srv/channels of the world.
given() {
	into=$1 from=$2 image=$3 channel=$4 work=$T/given-$1
	mkdir -p "$work"
	cp -a "$5/srv/channels/$channel" "$work/copy"
	sed "s,file:///srv/channels/$channel,file://$work/copy," \
		"$from/noprov.channels.scm" >"$work/copy.scm"
	cp "$from/noprov.channels.scm" "$work/there.scm"
	cp "$from/noprov.manifest.scm" "$work/manifest.scm"
	cat >"$work/trust" <<END
(trust
 (version 0)
 (channel (url "file:///srv/channels/$channel"))
 (channel (url "file://$work/copy")))
END
	file() { echo "pack:$from/$(sed 's/.*  //' "$from/$1.sha256")"; }
	cat >"$work/given.corpus" <<END
(corpus (version 0)
 (image (name "given") (source "$(file noprov)")
  (channels "there.scm") (manifest "manifest.scm"))
 (image (name "elsewhere") (source "$(file noprov)")
  (channels "copy.scm") (manifest "manifest.scm"))
 (image (name "without") (source "$(file noprov)"))
 (image (name "with") (source "$(file "$image")")))
END
	run "$into" "$UNBLEND" run -q "$work/given.corpus" -o "$work/1" --trust "$work/trust" \
		--cache "$work/cache"
	is "$(verdicts "$work/1")" "elsewhere identical
given identical
with identical
without no-provenance" "$into: an image without provenance is rebuilt by what the corpus gives"

	# Guix knows an instance by its commits alone: that of the copy answers for
	# the other, and an image that it packs would name the copy.
	copy=$(grep -l "$work/copy" "$work"/cache/lanes/*/home/.gitconfig)
	copy=${copy%/home/.gitconfig}
	instances() { (cd "$1" && find profiles/inferiors home/.cache/guix/inferiors -type l 2>/dev/null | sort); }
	for lane in "$work"/cache/lanes/*; do
		[ "$lane" != "$copy" ] || continue
		is "$(instances "$lane")" "$(instances "$copy")" "$into: Guix names both instances alike"
		rm -f "$lane"/home/roots/*
		for link in $(instances "$lane"); do
			ln -sfn "$(readlink "$copy/$link")" "$lane/$link"
		done
	done
	sed -i '/"without"/d' "$work/given.corpus"
	run "$into" "$UNBLEND" run -q "$work/given.corpus" -o "$work/2" --trust "$work/trust" \
		--cache "$work/cache"
	is "$(verdicts "$work/2")" "elsewhere identical
given identical
with identical" "$into: an instance of the same commits from elsewhere is not taken for the recipe's"
}
given enter "$images" plain guix-1.2 "$world"
given newer "$PWD/build/images" hello guix "${WORLD:-build/world}"
done_testing
