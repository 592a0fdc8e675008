#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: world
# Recipes, held against the real Guix: what it exports of the same profiles, and
# what a person gets who runs rebuild.sh.
. tests/cases/tap.sh

images=build/images
cache=$T/cache

# --- what guix package --export-... printed for the author's images -----------
cat >"$T/author.sh" <<'END'
for expected in "$1"/*.export-"$2".scm; do
	name=${expected##*/} name=${name%.export-"$2".scm}
	file=$1/$(cut -d" " -f3 "$1/$name.sha256")
	"$UNBLEND" recipe --as-guix="$2" --channels "$1/$name.channels.scm" \
		--trust corpus/demo.trust --cache "$3" \
		--mirror git://127.0.0.1/guix=file:///srv/channels/guix \
		"$file" >"$4/$name.$2" 2>"$4/$name.$2.err"
	status=$?
	cmp -s "$4/$name.$2" "$expected" && answer=same || answer=other
	echo "$name $status $answer"
done
END
mkdir "$T/as"
sh "$T/author.sh" "$images" channels "$cache" "$T/as" >"$T/channels"
tests/world/enter sh "$T/author.sh" "$images" manifest "$cache" "$T/as" >"$T/manifests"
not_as_guix() { grep -v ' 0 same$' "$1" | tr '\n' ','; }
is "$(not_as_guix "$T/channels")" "truncated 2 other," "channels of each image as Guix exports them"
is "$(not_as_guix "$T/manifests")" "truncated 2 other,unreachable-commit 1 other,untrusted 2 other," \
	"manifests of each image as Guix exports them"
is "$(cat "$T/as/untrusted.manifest" "$T/as/unreachable-commit.manifest")" "" \
	"and nothing where its Guix cannot be asked"
like "$T/as/untrusted.manifest.err" '^\(channel \(url "file:///srv/channels/eve"\)' \
	"with the line to add to the trust file"

# --- for older images, from a folder that UNBLEND_SHARED names -------------------
# Their Guix is gone; the one here has the same versions of their packages.
cat >"$T/samples.sh" <<'END'
n=0
for expected in "$2"/samples/*/*/"$1"; do
	n=$((n + 1))
	"$UNBLEND" recipe --as-guix="$3" --channels "$4" --trust corpus/demo.trust --cache "$5" \
		"${expected%/*}"/*-pack.* </dev/null 2>/dev/null | cmp -s - "$expected" || echo "$expected"
done
echo "$n samples"
END
if [ -z "${UNBLEND_SHARED-}" ]; then
	skip 3 "UNBLEND_SHARED names no folder of samples"
else
	samples() { # FILE WHAT
		tests/world/enter sh "$T/samples.sh" "$1" "$UNBLEND_SHARED" "$2" \
			"$images/two-channels.channels.scm" "$cache"
	}
	is "$(samples c.scm channels)" "19 samples" "samples: channels as Guix exports them"
	is "$(samples m.scm manifest)" "19 samples" "samples: and manifests"
	is "$(samples export-channels.scm channels)" "10 samples" "samples of 1.2.0: channels as 1.5.0 exports them"
fi

# --- and of profiles of every shape --------------------------------------------
# profile NUMBER: a manifest, by chance of that seed.
profile() {
	LC_ALL=C awk -v seed="$1" '
	function pick(n) { return int(rand() * n) }
	function word(max,   n, s) {
		for (n = 1 + pick(max); n > 0; n--) s = s substr("abcdefghijklmnopqrstuvwxyz-0123", 1 + pick(31), 1)
		return "p" s
	}
	function hex(   s) { while (length(s) < 40) s = s sprintf("%x", pick(16)); return s }
	function text(max) {	# with what has to be escaped, at times
		if (pick(6)) return word(max)
		return word(max) substr("\\\"\\\\\\n\\t\\a\303\251", 1 + 2 * pick(6), 2) word(9)
	}
	function signer(   s) {
		s = toupper(hex()); gsub(/..../, "& ", s)
		sub(/ $/, "", s)
		return substr(s, 1, 24) " " substr(s, 25)
	}
	function repository(i,   s) {
		s = "(repository (version 0) (url \"https://" text(pick(4) ? 20 : 90) "\") (branch \"" word(8) \
			"\") (commit \"" (pick(3) ? commits[i] : hex()) "\")"
		if (i && pick(3)) s = s " (name " names[pick(9)] ")"
		if (pick(2)) s = s " (introduction (channel-introduction (version 0) (commit \"" hex() \
			"\") (signer \"" signer() "\")))"
		return s ")"
	}
	function transformations(   n, s) {
		for (n = pick(4); n >= 0; n--)
			s = s " (" keys[pick(6)] " . \"" text(pick(3) ? 20 : 70) "=" word(20) "\")"
		return s
	}
	BEGIN {
		srand(seed)
		commits[0] = hex(); commits[1] = hex()
		split("with-input with-source without-tests tune with-graft with-git-url", k, " ")
		for (i in k) keys[i - 1] = k[i]
		split("alice bob x.y #{a\\x20;b}# channel1 guix-past a:b #{1}# \303\251", k, " ")
		for (i in k) names[i - 1] = k[i]
		split("1.0 2.0 1 0.9 1.0.1 3 2 2.1", versions, " ")
		print "(manifest (version 4) (packages ("
		same = transformations()
		for (n = 1 + pick(seed % 3 ? 6 : 40); n > 0; n--) {
			name = pick(3) ? text(pick(9) ? 12 : 80) : "hello"
			printf "(\"%s\" \"%s\" \"%s\" \"/gnu/store/%032d-x%d\"", name, versions[1 + pick(8)],
				pick(4) ? "out" : word(6), n, n
			properties = ""
			if (pick(8)) {
				properties = "(provenance " repository(0)
				for (i = pick(4) - 1; i > 0; i--) properties = properties " " repository(1)
				properties = properties ")"
			}
			if (seed % 2 && !pick(2))
				properties = properties " (transformations" (pick(2) ? same : transformations()) ")"
			print properties ? " (properties (" properties ")))" : ")"
		}
		print ")))"
	}'
}

# image MANIFEST FILE: a docker archive with that profile.
image() {
	item=gnu/store/00000000000000000000000000000000-profile
	rm -rf "$T/tree"
	mkdir -p "$T/tree/$item" "$T/outer"
	cp "$1" "$T/tree/$item/manifest"
	tar -C "$T/tree" --sort=name --mtime=@1 -cf "$T/outer/layer.tar" gnu
	sum=$(sha256sum <"$T/outer/layer.tar")
	printf '{"architecture":"amd64","os":"linux","config":{"env":["PATH=/%s/bin"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
		"$item" "${sum%% *}" >"$T/outer/config.json"
	echo '[{"Config":"config.json","RepoTags":["x:latest"],"Layers":["layer.tar"]}]' >"$T/outer/manifest.json"
	tar -C "$T/outer" -cf "$2" layer.tar config.json manifest.json
}

cat >"$T/export.scm" <<'END'
(use-modules (guix scripts package) (ice-9 match) (srfi srfi-26))
(define (export directory what)
  (with-output-to-file (string-append directory "/as-guix-" what)
    (lambda ()
      (set-port-encoding! (current-output-port) "UTF-8")
      (catch 'quit
        (cut guix-package "-p" directory (string-append "--export-" what))
        (const #f)))))
(setlocale LC_ALL "C.UTF-8")
(for-each (lambda (directory)
            (export directory "channels")
            (export directory "manifest"))
          (cdr (command-line)))
END
profiles=
seed=0
while [ "$seed" -lt 24 ]; do
	seed=$((seed + 1))
	mkdir "$T/p$seed"
	profile "$seed" >"$T/p$seed/manifest"
	mkdir "$T/q$seed"
	cp "$T/p$seed/manifest" "$T/q$seed"
	image "$T/p$seed/manifest" "$T/$seed.tar"
	profiles="$profiles $T/q$seed"
done
cat >"$T/all.sh" <<'END'
channels=$1 cache=$2 T=$3
shift 3
for directory; do
	mkdir "$directory/real"
	cp "$directory/manifest" "$directory/real"
done
guix time-machine -C "$channels" -- repl -- "$T/export.scm" $(printf '%s/real ' "$@")
for directory; do
	n=${directory##*/q}
	for what in channels manifest; do
		"$UNBLEND" recipe --as-guix=$what --channels "$channels" --trust corpus/demo.trust \
			--cache "$cache" "$T/$n.tar" >"$directory/$what" 2>"$directory/$what.err"
	done
done
END
channels=$images/hello-1.0.channels.scm
sed 's|git://127.0.0.1/guix|file:///srv/channels/guix|' "$channels" >"$T/channels.scm"
# shellcheck disable=SC2086
run tests/world/enter sh "$T/all.sh" "$T/channels.scm" "$cache" "$T" $profiles
is "$status" 0 "the real Guix exports them"
for directory in $profiles; do
	n=${directory##*/q}
	for what in channels manifest; do
		same "$directory/$what" "$directory/real/as-guix-$what" "profile $n: $what"
	done
done
ok "some of their channels have other commits" grep -q 'other commits' "$T"/q*/real/as-guix-channels
ok "some lines of theirs are too long" grep -qE '^.{81}' "$T"/q*/real/as-guix-manifest
ok "some of them name a version" grep -q '"hello@' "$T"/q*/real/as-guix-manifest

# --- rebuild.sh, run by a user of Guix who has nothing of ours ------------------
run "$UNBLEND" recipe -o "$T/again" "$images/rabbit-old.tar.gz"
is "$status" 0 "recipe -o"
chmod 711 "$T"
mkdir "$T/home"
# Channels are files of another user here: libgit2 wants to be told.
printf '[safe]\n\tdirectory = *\n' >"$T/home/.gitconfig"
chown -R 65534:65534 "$T/home"
by_nobody() {
	run tests/world/enter setpriv --reuid=65534 --regid=65534 --clear-groups \
		env -i PATH=/var/guix/profiles/world/bin:/usr/bin:/bin HOME="$T/home" \
		sh "$1/rebuild.sh"
}
by_nobody "$T/again"
is "$status" 0 "rebuild.sh ends well"
is "$(tail -n 1 "$T/out")" identical "and says that the file is the same"
made=$(head -n 1 "$T/out")
sum=$(tests/world/enter sha256sum "$made")
is "${sum%% *}" "$(sha256sum <"$images/rabbit-old.tar.gz" | cut -d' ' -f1)" "which it is"
sed 's/rabbit@1.0/hare/' "$T/again/manifest.scm" >"$T/other.scm"
cp "$T/other.scm" "$T/again/manifest.scm"
by_nobody "$T/again"
is "$status" 1 "another manifest is not the same file"
like "$T/out" '^not the same file' "which it says"

# What is not certain is said where a reader sees it.
run "$UNBLEND" recipe -o "$T/doubt" "$images/transformed.tar.gz"
is "$status" 0 "recipe of an image with a transformed package"
like "$T/doubt/channels.scm" '^;; note: choir@.*: transformed, and .* that is lost$' "channels.scm says what may be lost"
like "$T/doubt/rebuild.sh" '^# guessed: grafts are on' "rebuild.sh says which options are guessed"
unlike "$T/again/channels.scm" '^;; (guessed|not known|note)' "channels.scm of a plain image is plain"
done_testing
