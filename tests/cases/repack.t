#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: world
# The same environment in other formats, unpacked by tools of their own.
. tests/cases/tap.sh

image=build/images/multi.tar.gz

repack() {
	run tests/world/enter "$UNBLEND" repack --trust corpus/demo.trust \
		--cache "$T/cache" "$@"
}

mkdir "$T/image" "$T/tarball" "$T/docker"
tar -xzf "$image" -C "$T/image"
tar -xf "$T"/image/*/layer.tar -C "$T/image"
store=gnu/store
profile=$(cd "$T/image" && echo $store/*-profile)
is "$(echo "$profile" | wc -w)" 1 "the image has one profile"

repack -f tarball -S /usr/bin=bin -o "$T/a.tar.gz" "$image"
is "$status" 0 "a tarball"
is "$(head -n 1 "$T/out")" "$T/a.tar.gz" "it is where it should be"
like "$T/out" "^the same store paths as in the image: /$profile" "and has the image's profile"
tar -xzf "$T/a.tar.gz" -C "$T/tarball"
ok "tar finds the same store items in it" diff -r --no-dereference "$T/image/$store" "$T/tarball/$store"
ok "and the link that was asked for" test -L "$T/tarball/usr/bin"

repack -f squashfs -o "$T/a.squashfs" "$image"
is "$status" 0 "a squashfs"
like "$T/out" '^the same store paths of all [0-9]+ packages' "has the same packages, in a profile of its own"
if command -v unsquashfs >"$T/null"; then
	unsquashfs -q -n -d "$T/squashfs" "$T/a.squashfs" >"$T/null" 2>&1
	for item in "$T/image/$store"/*; do
		case $item in
		*-profile) ;;
		*) diff -r --no-dereference "$item" "$T/squashfs/$store/${item##*/}" ;;
		esac
	done >"$T/differences" 2>&1
	is "$(grep -v ' profile' "$T/differences")" "" "unsquashfs finds the same store items in it"
else
	skip 1 "no unsquashfs"
fi

repack -f docker -C none --entry-point=bin/hello -o "$T/a.tar" "$image"
is "$status" 0 "a docker image with other options"
like "$T/out" '^the same store paths as in the image' "has the image's profile"
tar -xf "$T/a.tar" -C "$T/docker"
is "$(jq -r '.config.entrypoint[0]' "$T/docker/config.json")" "/$profile/bin/hello" \
	"and the entry point that was asked for"
repack -f tarball "$image"
is "$status" 0 "without -o"
like "$T/out" '^/gnu/store/[0-9a-z]{32}-.*-tarball-pack\.tar\.gz$' "the store path is printed"

# Links of the image are kept unless others are given.
repack -f tarball -o "$T/b.tar.gz" build/images/symlinks.tar.gz
is "$status" 0 "an image with links"
tar -tzf "$T/b.tar.gz" >"$T/names"
tar -xzf build/images/symlinks.tar.gz -O --wildcards '*/layer.tar' | tar -tv | grep '^l.* -> /gnu/store/.*-profile/' |
	sed -n 's| ->.*||; s|.* \(\./\)*||; /gnu/!p' >"$T/links"
ok "has some" test -s "$T/links"
is "$(grep -cxFf "$T/links" "$T/names")$(sed 's|^|./|' "$T/links" | grep -cxFf - "$T/names")" \
	"0$(wc -l <"$T/links")" "and keeps them"

repack -f nonsense "$image"
is "$status" 2 "no such format"
like "$T/err" "format=nonsense': not a value" "is complained of"
run "$UNBLEND" repack "$image"
is "$status" 2 "-f is needed"
run "$UNBLEND" repack -f tarball --load-path=x "$image"
is "$status" 2 "an option that runs code is not taken"
repack -f tarball build/images/untrusted.tar.gz
is "$status" 2 "nothing of a channel that is not trusted is run"
like "$T/err" 'Nothing of it was fetched or run' "and that is said"
run "$UNBLEND" repack -f tarball --guix "$T/none" --trust corpus/demo.trust --cache "$T/c" "$image"
is "$status" 3 "without Guix the machine has failed"
not_ok "no private folder stays" sh -c "ls -d '$T'/cache/job-* '$T'/c/job-* 2>'$T/null'"
done_testing
