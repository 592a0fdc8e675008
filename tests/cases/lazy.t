#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What is asked of a registry to learn where an image of many layers comes from:
# by the registry's own log.
. tests/cases/tap.sh
. tests/registry/registry.sh
for program in docker-registry skopeo jq; do
	command -v $program >/dev/null || skip_all "no $program"
done
case $UNBLEND in
/*) ;;
*) UNBLEND=$PWD/$UNBLEND ;;
esac
registry_user
registry_start real || exit 1
log=$T/real.log
top=$PWD
cd "$T" || exit 1
# shellcheck source=tests/cases/layouts.sh
. "$top/tests/cases/layouts.sh"

# As guix pack --max-layers=5 makes it: the largest items, the rest, and what is
# outside of the store.
small_store root
for i in 1 2 3; do
	mkdir "root/gnu/store/${i}2222222222222222222222222222222-big-$i"
	seq $((i * 100000)) >"root/gnu/store/${i}2222222222222222222222222222222-big-$i/numbers"
done
pack() {	# FILE PATH...: as a layer
	pack_file=$1
	shift
	tar --format=gnu --sort=name --mtime=@1 --owner=root:0 --group=root:0 \
		-C root -cf "$pack_file" "$@"
}
for i in 1 2 3; do
	pack $i.tar "gnu/store/${i}2222222222222222222222222222222-big-$i"
done
pack 4.tar $item $profile
pack 5.tar --no-recursion gnu gnu/store bin tmp
mkdir -p root/opt
echo added >root/opt/added
pack 6.tar opt
archive() {	# NAME LAYER...: in NAME.tar, and in the registry
	name=$1
	shift
	small_config "$@" >config.json
	printf '[{"Config":"config.json","RepoTags":["%s:v1"],"Layers":%s}]' "$name" \
		"$(printf '%s\n' "$@" | jq -R . | jq -sc .)" >manifest.json
	tar -cf "$name.tar" config.json manifest.json "$@"
	skopeo --insecure-policy copy --quiet --dest-tls-verify=false \
		"docker-archive:$name.tar" "docker://$host/$name:v1" || exit 1
}
archive layered 3.tar 2.tar 1.tar 4.tar 5.tar
archive derived 3.tar 2.tar 1.tar 4.tar 5.tar 6.tar
archive alone 4.tar 5.tar 1.tar

# The blobs that the registry was asked for since, as the places of the layers
# in the image: "c" is the config.
asked() {	# NAME
	skopeo inspect --raw --tls-verify=false "docker://$host/$1:v1" >raw
	jq -r '.layers | to_entries[] | "\(.value.digest) \(.key + 1)"' raw >places
	jq -r '.config.digest + " c"' raw >>places
	sed -n 's,.*"GET [^"]*/blobs/\(sha256:[0-9a-f]*\).*,\1,p' asked.log | sort -u |
		while read -r digest; do sed -n "s/^$digest //p" places; done | sort | xargs
}
look() {	# NAME [OPTION...]
	name=$1
	shift
	rm -rf "$XDG_CACHE_HOME"
	: >"$log"
	run timeout 60 "$UNBLEND" inspect --json "$@" "docker://$host/$name:v1"
	cp "$log" asked.log
}
told() {	# what is told of the provenance
	jq -S '{profile, channels, packages, pack, missing, problem}' out
}

look layered
is "$status $(asked layered)" "0 1 2 3 4 5 c" "whoever wants digests needs all layers"
told >all
look layered --provenance-only
is "$status $(asked layered)" "0 4 5 c" "the provenance is had from the two layers that hold it"
told >only
same only all "and is the same, with the same pack options"
is "$(jq -r .pack.options[] all | grep max-layers)" "--max-layers=5" "the number of layers among them"
is "$(jq -c '[.image.layers[].is_read]' out)" "[false,false,false,true,true]" "it says which were read"
run "$UNBLEND" inspect --provenance-only "docker://$host/layered:v1"
like out '^holds .*, in the 2 of its 5 layers that were read$' "in words too"

: >"$log"
run timeout 60 "$UNBLEND" inspect --json "docker://$host/layered:v1"
cp "$log" asked.log
is "$status $(asked layered)" "0 1 2 3" "the others are brought when they are wanted"
told >all
same only all "which changes nothing of it"

look derived
told >all
look derived --provenance-only
is "$status $(asked derived)" "0 4 5 6 c" "a layer that was added is looked at too"
told >only
same only all "and changes nothing"
look alone --provenance-only
is "$status $(asked alone)" "0 1 2 3 c" "above all layers of Guix there may be anything"

# Of an image of one layer the rest is not fetched once the manifest is there; what
# was, is gone on with.
head -c 30000000 /dev/zero | openssl enc -aes-128-ctr -K 00 -iv 02 -nosalt 2>/dev/null \
	>"root/gnu/store/12222222222222222222222222222222-big-1/random"
tar --format=gnu --mtime=@1 --owner=root:0 --group=root:0 --no-recursion -C root -cf early.layer \
	gnu gnu/store $profile $profile/manifest $item \
	gnu/store/12222222222222222222222222222222-big-1 \
	gnu/store/12222222222222222222222222222222-big-1/random bin
archive early early.layer
tar --format=gnu --mtime=@1 --owner=root:0 --group=root:0 --no-recursion -C root -cf late.layer \
	gnu gnu/store gnu/store/12222222222222222222222222222222-big-1 \
	gnu/store/12222222222222222222222222222222-big-1/random $profile $profile/manifest bin
archive late late.layer
blob() {	# its layer's digest
	skopeo inspect --raw --tls-verify=false "docker://$host/$1:v1" |
		jq -r '.layers[0].digest[7:]'
}
oci=$XDG_CACHE_HOME/unblend/oci
look early --provenance-only
is "$status $(jq -r '.channels[].commit' out)" "0 $commit" "one layer: its provenance is found"
ok "of 30 MB no more than 8 are here" [ "$(stat -c %s "$oci/part/$(blob early)")" -lt 8388608 ]
not_ok "and no blob" test -e "$oci/blobs/sha256/$(blob early)"
is "$(jq -c '[.image.layers[].is_read]' out)" "[false]" "it says that it was not read to its end"
is "$(jq '.missing | map(select(test("fetched no further"))) | length' out)" 1 \
	"and what may be missing"
: >"$log"
run timeout 60 "$UNBLEND" inspect --provenance-only "docker://$host/early:v1"
like out '^holds .*, up to the manifest: its layer was fetched no further$' "in words too"
run timeout 60 "$UNBLEND" inspect --json "docker://$host/early:v1"
is "$status $(jq -r '.image.diff_ids[]' out)" "0 sha256:$(sha early.layer)" "the whole is read after that"
is "$(jq -r '.pack.options | map(select(test("^-S|symlink"))) | length' out)" 1 "with the link at its end"
is "$(grep -c -E "GET [^\"]*/blobs/sha256:$(blob early) [^\"]*\" 206" "$log")" 1 "which resumes what was there"
look late --provenance-only
is "$status $(jq -r '.channels[].commit' out)" "0 $commit" "a manifest at the end is found, too"

# A layout on this machine is read as little.
skopeo_copy docker-archive:layered.tar oci:layout:v1
skopeo_copy docker-archive:layered.tar dir:dir
rm "layout/blobs/sha256/$(jq -r '.layers[0].digest[7:]' "layout/blobs/sha256/$(jq -r \
	'.manifests[0].digest[7:]' layout/index.json)")"
for image in oci:layout:v1 dir:dir; do
	run "$UNBLEND" inspect --json --provenance-only "$image"
	is "$status $(jq -c '[.image.layers[].is_read]' out)" "0 [false,false,false,true,true]" \
		"$image is read no further"
done
run "$UNBLEND" inspect oci:layout:v1
is "$status" 2 "where a layer is gone, digests cannot be made"

# Nothing in the config says which profile it is: all of it is looked at.
small_config 4.tar 5.tar 1.tar | sed 's,"env":\["PATH=[^"]*"\],"env":[],' >config.json
printf '[{"Config":"config.json","RepoTags":["unnamed:v1"],"Layers":["4.tar","5.tar","1.tar"]}]' \
	>manifest.json
tar -cf unnamed.tar config.json manifest.json 4.tar 5.tar 1.tar
skopeo_copy docker-archive:unnamed.tar "docker://$host/unnamed:v1" --dest-tls-verify=false
look unnamed --provenance-only
is "$status $(asked unnamed)" "0 1 2 3 c" "without the config's word all layers are read"
done_testing
