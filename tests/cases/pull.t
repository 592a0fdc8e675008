#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Images that are brought to this machine beforehand, and how much room those have
# together.
. tests/cases/tap.sh
. tests/registry/registry.sh
for program in docker-registry skopeo jq openssl; do
	command -v $program >/dev/null || skip_all "no $program"
done
registry_user
registry_start real || exit 1
log=$T/real.log cache=$T/cache blobs=$T/cache/oci/blobs/sha256

# Three images of one layer, of 300 KB that do not compress.
for i in 1 2 3; do
	rm -rf "$T/root"
	mkdir -p "$T/root/gnu/store/00000000000000000000000000000000-a"
	openssl enc -aes-128-ctr -K 00 -iv 0$i -nosalt -in /dev/zero 2>/dev/null |
		head -c 300000 >"$T/root/gnu/store/00000000000000000000000000000000-a/$i"
	tar --sort=name --mtime=@1 --owner=0 --group=0 -C "$T/root" -cf "$T/layer.tar" gnu
	printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
		"$(sha256sum <"$T/layer.tar" | cut -d' ' -f1)" >"$T/config.json"
	echo '[{"Config":"config.json","RepoTags":["x:v1"],"Layers":["layer.tar"]}]' >"$T/manifest.json"
	tar -C "$T" -cf "$T/$i.tar" config.json manifest.json layer.tar
	skopeo --insecure-policy copy --quiet --dest-tls-verify=false "docker-archive:$T/$i.tar" \
		"docker://$host/lab/x:$i" || exit 1
	skopeo inspect --raw --tls-verify=false "docker://$host/lab/x:$i" >"$T/$i.manifest"
done
digest() { sha256sum <"$T/$1.manifest" | cut -d' ' -f1; }
layer() { jq -r '.layers[0].digest[7:]' "$T/$1.manifest"; }
here() {	# which of the layers are
	for i in 1 2 3; do
		[ -e "$blobs/$(layer $i)" ] && printf '%s' $i
	done
}
pull() { run timeout 60 "$UNBLEND" pull --cache "$cache" "$@"; }

pull "docker://$host/lab/x:1" "docker://$host/lab/x:2"
is "$status" 0 "two images are brought"
is "$(cat "$T/out")" "$(printf 'oci:%s:@sha256:%s\n' "$cache/oci" "$(digest 1)" "$cache/oci" \
	"$(digest 2)")" "and it is said where they are, by their digests"
is "$(here)" 12 "their layers are there"
for blob in "$blobs"/*; do
	[ "$(sha256sum <"$blob")" = "${blob##*/}  -" ] || echo "$blob"
done >"$T/wrong"
is "$(cat "$T/wrong")" '' "every blob is what its name says"
: >"$log"
place=$(head -n 1 "$T/out")
run "$UNBLEND" inspect --json "$place"
is "$status $(jq -r .image.sha256 "$T/out")" "0 $(digest 1)" "such a name is read as any other"
is "$(grep -c GET "$log")" 0 "without a word to the registry"
run "$UNBLEND" compare "$place" "docker-archive:$T/1.tar"
is "$status" 0 "and is what was pushed"

pull "docker://$host/lab/x:1" "docker://$host/lab/none:1" "docker://$host/lab/x:3"
is "$status" 2 "one of three is not there"
like "$T/err" "^unblend: docker://$host/lab/none:1: .* has no such image" "which is told"
is "$(wc -l <"$T/out") $(here)" "2 123" "and the others are brought all the same"
pull "$T/1.tar"
is "$status $(cat "$T/out")" "0 pack:$T/1.tar" "what is here already is where it is"
pull
is "$status" 2 "pull takes an image"
pull "docker://$host/lab/x:1" --platform x
is "$status" 2 "a platform that is none is refused"

# --- how much room there is ------------------------------------------------------

rm -rf "$cache"
for i in 1 2; do
	pull --cache-limit 700K "docker://$host/lab/x:$i"
done
is "$(here)" 12 "two images of 300 KB are below 700 KiB"
touch -d '2 hours ago' "$blobs/$(layer 2)"
touch -d '3 hours ago' "$blobs/$(layer 1)"
pull --cache-limit 700K "docker://$host/lab/x:1"
pull --cache-limit 700K "docker://$host/lab/x:3"
is "$status $(here)" "0 13" "for a third the one goes that was used least recently"
pull --cache-limit 700K "docker://$host/lab/x:2"
is "$(here | wc -c)" 2 "and so on"

rm -rf "$cache" "$XDG_CACHE_HOME"
cache=$XDG_CACHE_HOME/unblend blobs=$XDG_CACHE_HOME/unblend/oci/blobs/sha256
run timeout 60 "$UNBLEND" compare --cache-limit 400K "docker://$host/lab/x:1" "docker://$host/lab/x:2"
is "$status" 1 "what is in use does not go, be the limit below it"
is "$(here | wc -c)" 1 "but after that"
{
	echo '(corpus (version 0)'
	for i in 1 2 3; do
		echo "(image (name \"x$i\") (source \"docker://$host/lab/x:$i\"))"
	done
	echo ')'
} >"$T/x.corpus"
run timeout 100 "$UNBLEND" run "$T/x.corpus" -o "$T/report" -q --cache-limit 700K
is "$(jq -c '[.images[].verdict]' "$T/report/report.json")" \
	'["no-provenance","no-provenance","no-provenance"]' "a run reads all three"
is "$(here | wc -c)" 2 "and leaves two"
run timeout 100 "$UNBLEND" run "$T/x.corpus" -o "$T/report2" -q --cache-limit none
is "$(here)" 123 "without a limit all stay"
for limit in 12X '' 0 -1; do
	run "$UNBLEND" inspect --cache-limit "$limit" "$T/1.tar"
	is "$status" 2 "'$limit' is no size"
done
done_testing
