#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Images of the real Guix 1.2.0 of 2020, rebuilt by it; and the newer Guix travels
# to its channel.
# needs: world
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
done_testing
