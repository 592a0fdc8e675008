#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# One image in every container that holds images, made by skopeo, podman and by
# hand as Docker makes them: read the same in each, against what skopeo,
# sha256sum and jq say.
. tests/cases/tap.sh
here=$PWD
for program in skopeo podman; do
	command -v $program >/dev/null || skip_all "no $program here"
done
[ "$(id -u)" = 0 ] || skip_all "podman needs to be root here"
cd "$T" || exit 1
# shellcheck source=tests/cases/layouts.sh
. "$here/tests/cases/layouts.sh"

small_store root
small_layer root layer.tar
small_image guix.tar small layer.tar
gzip -nk guix.tar
diff_id=$(sha layer.tar)
config=$(sha outer/config.json)

# --- the forms -----------------------------------------------------------------
from=docker-archive:guix.tar
skopeo_copy $from oci:oci:small
skopeo_copy $from oci-archive:oci.tar:small
skopeo_copy $from dir:dir
skopeo_copy $from docker-archive:skopeo.tar:small:latest
skopeo_copy dir:dir oci:zstd --dest-compress-format=zstd
xz -0k oci.tar
podman_ load -q -i guix.tar >/dev/null
podman_ save -q -o podman.tar localhost/small:latest
podman_ save -q --format oci-archive -o podman-oci.tar localhost/small:latest
podman_ push -q localhost/small:latest dir:pushed
# docker save before 25: the config by its digest, a folder a layer
mkdir -p old/abc
cp layer.tar old/abc/layer.tar
cp outer/config.json "old/$config.json"
printf '[{"Config":"%s.json","RepoTags":["small:latest"],"Layers":["abc/layer.tar"]}]' \
	"$config" >old/manifest.json
tar -C old -cf old.tar .
# docker save since 25: an OCI layout of the config's and layer's own bytes, with
# a manifest.json in it
put new <layer.tar >/dev/null
put new <outer/config.json >/dev/null
printf '{"schemaVersion":2,"config":%s,"layers":[%s]}' "$(descriptor new "$config")" \
	"$(descriptor new "$diff_id")" >manifest
manifest=$(put new <manifest)
printf '{"schemaVersion":2,"manifests":[%s]}' "$(descriptor new "$manifest" \
	'"annotations":{"io.containerd.image.name":"docker.io/library/small:latest","org.opencontainers.image.ref.name":"latest"}')" \
	>new/index.json
printf '{"imageLayoutVersion":"1.0.0"}' >new/oci-layout
printf '[{"Config":"blobs/sha256/%s","RepoTags":["small:latest"],"Layers":["blobs/sha256/%s"]}]' \
	"$config" "$diff_id" >new/manifest.json
tar -C new -cf new.tar blobs index.json manifest.json oci-layout
tar -C new -cf backwards.tar oci-layout manifest.json index.json "blobs/sha256/$diff_id" \
	"blobs/sha256/$manifest" "blobs/sha256/$config"

# form IMAGE FORMAT [NAME-FOR-SKOPEO]: read as skopeo reads it.
form() {
	run "$UNBLEND" inspect --json "$1"
	[ "$status" = 0 ] || diag "$(cat err)"
	is "$(jq -r '"\(.image.format) \(.image.diff_ids | join(" "))"' out)" \
		"$2 sha256:$diff_id" "$1: format and diffID"
	is "$(jq -r '.channels[].commit' out)" "$commit" "$1: provenance"
	[ "${3-}" ] || return
	cp out json
	is "$(jq -r .image.config_digest json)" \
		"sha256:$(skopeo inspect --raw --config "$3" | sha256sum | cut -d' ' -f1)" \
		"$1: the config's digest is skopeo's"
	[ "$2" = docker-archive ] && return
	is "$(jq -r '"\(.image.manifest_digest) \(.image.manifest_kind)"' json)" \
		"$(skopeo inspect --raw "$3" >raw && echo "sha256:$(sha raw)" \
			"$(grep -q vnd.docker raw && echo docker || echo oci)")" \
		"$1: and the manifest's"
}
form guix.tar.gz docker-archive
form docker-archive:guix.tar:small docker-archive docker-archive:guix.tar
form docker-archive:guix.tar.gz docker-archive
form oci:oci oci oci:oci
form oci:oci:small oci oci:oci:small
form oci:zstd oci
form oci-archive:oci.tar oci-archive oci-archive:oci.tar
form oci-archive:oci.tar.xz:small oci-archive
form dir:dir dir dir:dir
form docker-archive:skopeo.tar docker-archive docker-archive:skopeo.tar
form docker-archive:podman.tar docker-archive docker-archive:podman.tar
form oci-archive:podman-oci.tar oci-archive oci-archive:podman-oci.tar
form dir:pushed dir dir:pushed
form docker-archive:old.tar docker-archive docker-archive:old.tar
form docker-archive:new.tar docker-archive docker-archive:new.tar
form oci-archive:new.tar oci-archive
form backwards.tar docker-archive
form oci-archive:backwards.tar oci-archive
form oci oci
form dir dir
form oci.tar oci-archive
form new.tar docker-archive
form pack:dir dir
run "$UNBLEND" inspect --json docker-archive:podman.tar
is "$(jq -r '.image | .config_digest, .diff_ids[]' out)" \
	"$(podman_ inspect localhost/small:latest | jq -r '.[] | "sha256:\(.Id)", .RootFS.Layers[]')" \
	"podman inspect says the same of its image"
run "$UNBLEND" inspect --json oci:new
is "$(jq -r '"\(.image.config_digest) \(.image.repo_tags)"' out)" \
	"sha256:$config [\"docker.io/library/small:latest\"]" "docker's layout: config and name"
run "$UNBLEND" inspect --json oci:oci
is "$(jq -r .image.sha256 out)" "$(skopeo inspect --raw oci:oci | sha256sum | cut -d' ' -f1)" \
	"a layout's sha256 is its manifest's"
is "$(jq -r .image.size out)" "$(cat oci/blobs/sha256/* | wc -c)" "its size that of its blobs"
run "$UNBLEND" inspect --json oci.tar
is "$(jq -r .image.sha256 out)" "$(sha oci.tar)" "an archive's is the file's"

# --- the verdicts --------------------------------------------------------------
v() { verdict "$1" guix.tar.gz "$2" 0 "$3" "$1"; }
v guix.tar same-image 'outer compression 1'
v dir:dir same-image 'container format 1; tags 1'
v dir:pushed same-image 'container format 1; tags 1'
v docker-archive:skopeo.tar same-image \
	'outer compression 1; member set 7; member names 4; member contents 2'
v docker-archive:new.tar same-image \
	'outer compression 1; member set 10; member names 3; member contents 1'
v oci-archive:new.tar same-image 'container format 1; outer compression 1'
v oci:new same-image 'container format 1'
# skopeo and podman write the config anew for OCI
v oci:oci same-image \
	'container format 1; layer compression 1; config form 1; remarks in the config 1'
v oci-archive:oci.tar.xz same-image \
	'container format 1; outer compression 1; layer compression 1; config form 1; remarks in the config 1'
verdict oci:oci dir:dir same-image 0 \
	'container format 1; manifest kind 1; tags 1; layer compression 1; config form 1; remarks in the config 1' \
	'oci: against dir:'
verdict oci:oci oci-archive:oci.tar same-image 0 'container format 1' 'oci: against its archive'
verdict oci oci:oci:small identical 0 '' 'a layout and itself'
# A push loses remarks; what else the config has of the image it keeps.
changed() {	# NAME JQ: the image with another config
	rm -rf changed && cp -r outer changed && chmod u+w changed/config.json
	jq -cj "$2" outer/config.json >changed/config.json
	tar --format=gnu --sort=name --mtime=@1 --owner=0 --group=0 -C changed -cf "$1.tar" .
}
changed reordered 'to_entries | reverse | from_entries'
v reordered.tar same-image 'outer compression 1; config form 1'
changed unremarked 'del(.comment, .container_config)'
v unremarked.tar same-image \
	'outer compression 1; config form 1; remarks in the config 1'
changed unhistoric 'del(.history)'
v unhistoric.tar same-contents \
	'outer compression 1; config form 1; history in the config 1'
changed user '.config.User = "me"'
verdict guix.tar.gz user.tar different 1 'outer compression 1' \
	'a config that says more'

# --- one of several ------------------------------------------------------------
cp -a root other
chmod u+w "other/$item/numbers"
printf X | dd of="other/$item/numbers" bs=1 seek=70000 conv=notrunc 2>/dev/null
chmod u-w "other/$item/numbers"
small_layer other other.layer
small_image other.tar other other.layer
skopeo_copy docker-archive:other.tar oci:both:other:1
skopeo_copy docker-archive:guix.tar oci:both:small:1
refused oci:both 'both: holds several images, and none is named: other:1, small:1$' \
	'a layout of two, and none named'
refused oci:both:third "both: holds no image 'third'; it holds other:1, small:1$" \
	'a name that it has not'
verdict oci:both:small:1 oci:oci identical 0 '' 'one by its name'
verdict oci:both:small:1 oci:both:other:1 same-inputs 1 'tags 2; member set 2; member names 2' \
	'one against the other'
is "$(jq -r '.differences[] | "\(.path) \(.offset)"' json)" "$item/numbers 70000" \
	"and where they differ, in layers of layouts"
digest=$(jq -r '.manifests[] | select(.annotations[] == "other:1").digest' both/index.json)
verdict "oci:both:@$digest" oci:both:other:1 identical 0 '' 'one by its digest'
podman_ load -q -i other.tar >/dev/null
podman_ save -q -m -o two.tar localhost/small:latest localhost/other:latest
refused docker-archive:two.tar 'tells of 2 images, and none is named: localhost/(small|other):latest, ' \
	'a docker archive of two, and none named'
refused docker-archive:two.tar:third "tells of no image 'third'; it has localhost/" \
	'a tag that it has not'
verdict docker-archive:two.tar:localhost/small guix.tar same-image 0 \
	'tags 2; member set 12; member names 4; member contents 2' \
	'one by its tag, without :latest'
is "$("$UNBLEND" inspect --json docker-archive:two.tar:@1 | jq -c .image.config_digest)" \
	"\"sha256:$(tar -xOf two.tar manifest.json | jq -r '.[1].Config[0:64]')\"" "one by its number"

# Indexes in the index, of two platforms; a note of buildx is none of them.
cp -r new fat
for arch in amd64 arm64; do
	jq -c --arg a $arch '.architecture = $a' "new/blobs/sha256/$config" >c
	c=$(put fat <c)
	printf '{"schemaVersion":2,"config":%s,"layers":[%s]}' "$(descriptor fat "$c")" \
		"$(descriptor fat "$diff_id")" >m
	put fat <m >$arch
done
platform() { printf '"platform":{"os":"linux","architecture":"%s"%s}' "$1" "${2-}"; }
fat_index() {	# DESCRIPTORS
	printf '{"schemaVersion":2,"manifests":[%s]}' "$1" >i
	i=$(put fat <i)
	printf '{"schemaVersion":2,"manifests":[%s]}' "$(descriptor fat "$i")" >fat/index.json
}
note=$(descriptor fat "$(cat amd64)" "$(platform unknown),\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\"}")
fat_index "$note,$(descriptor fat "$(cat arm64)" "$(platform arm64)"),$(descriptor fat "$(cat amd64)" "$(platform amd64)")"
case $(uname -m) in aarch64) mine=arm64 ;; *) mine=amd64 ;; esac
run "$UNBLEND" inspect --json oci:fat
[ "$status" = 0 ] || diag "$(cat err)"
is "$(jq -r .image.manifest_digest out)" "sha256:$(cat $mine)" "this machine's image of an index"
for arch in amd64 arm64; do
	run "$UNBLEND" inspect --json --platform linux/$arch oci:fat
	is "$(jq -r .image.manifest_digest out)" "sha256:$(cat $arch)" "that for $arch, asked for"
done
fat_index "$note,$(descriptor fat "$(cat arm64)" "$(platform arm64)")"
run "$UNBLEND" inspect --json oci:fat
is "$(jq -r .image.manifest_digest out)" "sha256:$(cat arm64)" "the only one, whatever it is for"
fat_index "$(descriptor fat "$(cat arm64)" "$(platform s390x)"),$(descriptor fat "$(cat amd64)" "$(platform mips)")"
refused oci:fat 'has no image for linux/[a-z0-9]*; there are linux/s390x, linux/mips$' \
	'none for this machine'

# --- what is wrong with a layout ---------------------------------------------------
# bad NAME: a copy of the layout to break; its blobs are named as in new.
bad() {
	rm -rf bad
	cp -r new bad
	case $1 in layer) blob=$diff_id ;; config) blob=$config ;; manifest) blob=$manifest ;; esac
	blob=bad/blobs/sha256/$blob
}
for what in layer config manifest; do
	bad $what
	rm "$blob"
	refused oci:bad "bad: $what: 'blobs/sha256/[0-9a-f]*' is not there" "no $what"
	bad $what
	printf X | dd of="$blob" bs=1 seek=9 conv=notrunc 2>/dev/null
	refused oci:bad "$what sha256:[0-9a-f.]* is not what its name says: its bytes are sha256:$(sha "$blob" | cut -c1-16)" \
		"a $what of other bytes"
	bad $what
	printf ' ' >>"$blob"
	refused oci:bad "$what sha256:[0-9a-f.]* has [0-9]* bytes, its descriptor says" \
		"a $what that is too long"
	bad $what
	mv "$blob" elsewhere
	ln -s "$T/elsewhere" "$blob"
	refused oci:bad "$what: 'blobs/sha256/[0-9a-f]*' is, or is behind, a symbolic link" \
		"a $what that is a link to outside"
done
bad layer
mv bad/blobs blobs
ln -s ../blobs bad/blobs
refused oci:bad 'is, or is behind, a symbolic link' "blobs behind a link"
rm -rf blobs
bad layer
head -c 100000 "$blob" >short
mv short "$blob"
refused oci:bad 'layer .* has 100000 bytes, its descriptor says' "a layer that is cut"
# index TEXT: the layout's index
index() {
	bad layer
	printf '%s' "$1" >bad/index.json
}
index '{"schemaVersion":2,"manifests":[]}'
refused oci:bad 'holds no image: its index is empty' "an empty index"
index '{"schemaVersion":2,"manifests":[{"digest":"sha256:../../../etc/passwd","size":1}]}'
refused oci:bad "its digest is 'sha256:../../../etc/passwd', not sha256: and 64 digits" \
	"a digest that is a path"
index "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"sha512:$diff_id$diff_id\",\"size\":1}]}"
refused oci:bad 'not sha256: and 64 digits' "a digest of another kind"
index "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"sha256:$manifest\"}]}"
refused oci:bad 'its size is no number of bytes' "a descriptor without size"
index "$(cat manifest)"
refused oci:bad 'index.json is no list of images' "a manifest for an index"
index '[]'
refused oci:bad 'index.json: is no object' "an array for an index"
index '{"schemaVersion":2,"manifests":[],"layers":[],"config":{}}'
refused oci:bad 'is both an image and a list of images' "an index that is a manifest too"
index '{"schemaVersion":1,"fsLayers":[]}'
refused oci:bad 'schema version 1' "one of schema version 1"
# manifest JQ: the layout's manifest, changed
manifest() {
	bad manifest
	jq -c "$1" manifest >m
	m=$(put bad <m)
	printf '{"schemaVersion":2,"manifests":[%s]}' "$(descriptor bad "$m")" >bad/index.json
}
manifest '.layers += .layers'
refused oci:bad 'config has 1 diff_ids for 2 layers' "a layer more than the config has"
manifest ".layers[0].digest = \"sha256:$config\" | .layers[0].size = .config.size"
refused oci:bad "layer 'blobs/sha256/$config': is no tar" "a layer that is no tar"
manifest ".config.digest = \"sha256:$diff_id\" | .config.size = .layers[0].size"
refused oci:bad 'config: line 1 column' "a config that is no JSON"
tar -C new -cf bad.tar index.json oci-layout "blobs/sha256/$config" "blobs/sha256/$diff_id"
refused oci-archive:bad.tar "has no member 'blobs/sha256/$manifest'" "an archive without the manifest"
bad layer
printf X | dd of="$blob" bs=1 seek=100000 conv=notrunc 2>/dev/null
tar -C bad -cf bad.tar .
refused oci-archive:bad.tar 'layer sha256:[0-9a-f.]* is not what its name says' \
	"an archive with a layer of other bytes"
refused docker-archive:bad.tar 'its config tells of sha256' "the same as docker archive"
sed -i s/amd64/amd63/ "dir/$config"
refused dir:dir 'config sha256:.* is not what its name says' "dir: of other bytes"
mkdir empty
refused empty 'is a folder without an index.json \(oci:\), a manifest.json \(dir:\) or a gnu \(rootfs:\)' \
	"a folder of nothing"
refused oci:empty "the index: 'index.json' is not there" "no layout"
refused dir:empty "the manifest: 'manifest.json' is not there" "no dir:"
refused oci:guix.tar 'guix.tar: is no folder' "a file for a layout"
refused oci:nowhere 'nowhere: cannot open: No such file' "no such layout"
refused oci-archive:guix.tar "has no member 'index.json'" "a docker archive for an OCI one"
done_testing
