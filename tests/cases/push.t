#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: world
# What survives a push: images of Guix that skopeo and podman brought into a
# registry are rebuilt from there, and are the same.
. tests/cases/tap.sh
. tests/registry/registry.sh
registry_user

registry_start outside || exit 1
push() {	# NAME [OPTION...]: by skopeo
	name=$1 image=${1%%-*}
	shift
	gzip -dc "build/images/$image.tar.gz" >"$T/image.tar"
	skopeo --insecure-policy copy --quiet --dest-tls-verify=false "$@" \
		"docker-archive:$T/image.tar" "docker://$host/$name:v1" || exit 1
}
push hello-schema2
push hello-oci --format oci
push layered-schema2
push layered-oci --format oci
gzip -dc build/images/hello.tar.gz >"$T/image.tar"
# A store of podman's own, that needs no privileges of the machine.
pod() {
	podman --root "$T/podman" --runroot "$T/podman-run" --storage-driver vfs \
		--events-backend none "$@" >"$T/podman.out" 2>"$T/podman.err" || {
		diag "podman $1:" "$(cat "$T/podman.err")"
		exit 1
	}
}
pod load --input "$T/image.tar"
loaded=$(sed -n 's/^Loaded image: *//p' "$T/podman.out")
pod push --tls-verify=false --format v2s2 "$loaded" "docker://$host/hello-podman:v1"
pod push --tls-verify=false --format oci "$loaded" "docker://$host/hello-podmanoci:v1"

# skopeo compresses anew what it pushes, unless it may not.
skopeo --insecure-policy copy --quiet --format oci --dest-compress --dest-compress-format zstd \
	"docker-archive:$T/image.tar" "oci:$T/zstd:v1" &&
	skopeo --insecure-policy copy --quiet --preserve-digests --dest-tls-verify=false \
		"oci:$T/zstd:v1" "docker://$host/hello-zstd:v1" || exit 1

# The same image, as it is kept in files.
xz -0 <"$T/image.tar" >"$T/recompressed.tar.xz"
pod save --quiet --output "$T/saved.tar" "$loaded"
form() {	# FROM TO
	skopeo --insecure-policy copy --quiet --src-tls-verify=false "$1" "$2" || exit 1
}
form "docker-archive:$T/image.tar" "oci:$T/oci:v1"
form "docker-archive:$T/image.tar" "oci-archive:$T/oci.tar:v1"
form "docker-archive:$T/image.tar" "dir:$T/dir"
form "docker://$host/hello-schema2:v1" "docker-archive:$T/copied.tar:copied:v1"
form "docker://$host/hello-oci:v1" "docker-archive:$T/copied-oci.tar:copied:v1"
forms="docker-archive:$T/recompressed.tar.xz docker-archive:$T/saved.tar oci:$T/oci:v1
	oci-archive:$T/oci.tar dir:$T/dir docker-archive:$T/copied.tar docker-archive:$T/copied-oci.tar"

images="hello-schema2 hello-oci hello-zstd hello-podman hello-podmanoci
	layered-schema2 layered-oci"
for name in $images; do
	skopeo inspect --tls-verify=false --raw "docker://$host/$name:v1" >"$T/$name.manifest"
done
is "$(cat "$T"/*.manifest | jq -r '.mediaType | sub(".*\\.(?<a>oci|docker)\\..*"; "\(.a)")' |
	sort | uniq -c | xargs)" "3 docker 4 oci" "manifests of both kinds are there"

# A file on the web, over TLS: the same server as the registry's host.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-subj '/CN=test' -addext 'subjectAltName=DNS:localhost' \
	-keyout "$T/key.pem" -out "$T/cert.pem" 2>"$T/openssl.err" || exit 1
mkdir "$T/www"
cp build/images/hello.tar.gz "$T/www"

# The world has no network but its own loopback: the servers come along.
cat >"$T/inside" <<'END'
tap_end() { :; }
. tests/registry/registry.sh
registry_start inside data "$T/outside.data" || exit 99
(cd "$T/www" && exec openssl s_server -accept 127.0.0.1:0 -WWW -http_server_binmode \
	-key "$T/key.pem" -cert "$T/cert.pem" >"$T/https.log" 2>&1) &
registry_pids="$registry_pids $!"
registry_wait "$T/https.log" || exit 99
https=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$T/https.log")
{
	echo '(corpus (version 0) (defaults (timeout 600))'
	for name in $images; do
		echo "(image (name \"$name\") (source \"docker://$host/$name:v1\"))"
	done
	for form in $forms; do
		echo "(image (name \"form-$(echo "$form" | sed "s,$T/,,; s/[^a-z.]/-/g")\") (source \"$form\"))"
	done
	digest=$(sha256sum "$T/hello-oci.manifest" | cut -d' ' -f1)
	echo "(image (name \"hello-digest\") (source \"docker://$host/hello-oci@sha256:$digest\"))"
	echo "(image (name \"hello-web\") (source \"https://localhost:$https/hello.tar.gz\")"
	echo " (sha256 \"$(sha256sum <"$T/www/hello.tar.gz" | cut -d' ' -f1)\"))"
	echo ')'
} >"$T/pushed.corpus"
cat >"$T/gone.corpus" <<GONE
(corpus (version 0)
 (image (name "absent") (source "docker://$host/nothing:v1"))
 (image (name "other") (source "docker://$host/hello-oci:v1")
  (sha256 "$(printf '%064d' 0)"))
 (image (name "other-web") (source "https://localhost:$https/hello.tar.gz")
  (sha256 "$(printf '%064d' 0)"))
 (image (name "untrusted-web") (source "https://127.0.0.1:$https/hello.tar.gz"))
 (image (name "unreached") (source "docker://127.0.0.1:1/x:v1")))
GONE
"$UNBLEND" run "$T/gone.corpus" -o "$T/gone" --cache "$T/cache" --tls-ca "$T/cert.pem" \
	--trust corpus/demo.trust
"$UNBLEND" run "$T/pushed.corpus" -o "$T/report" --cache "$T/cache" --tls-ca "$T/cert.pem" \
	--trust corpus/demo.trust
END
export T UNBLEND images forms
run tests/world/enter sh "$T/inside"
is "$status" 0 "every image of a registry passes"
verdict() {	# REPORT NAME: its verdict, and what is forgiven
	jq -r --arg name "$2" '.images[] | select(.name == $name) |
		"\(.verdict): \([.forgiven[] | "\(.what) \(.count)"] | join(", "))"' \
		"$T/$1/report.json"
}
# Of schema 2, the config goes through as it is, and the layers are compressed
# anew; as OCI, the config is written anew and loses what OCI has no place for:
# both are named.
around='container format 1, tags 1, layer compression'
for name in hello-schema2 hello-podman; do
	is "$(verdict report $name)" "same-image: $around 1" "$name is the same image"
done
is "$(verdict report layered-schema2)" "same-image: $around 3" "and so is one of three layers"
for name in hello-oci hello-zstd hello-podmanoci hello-digest; do
	is "$(verdict report $name)" \
		"same-image: $around 1, config form 1, remarks in the config 1" \
		"$name is the same image, and its config in another form"
done
is "$(jq -r '.images[] | select(.name | startswith("form-")) | "\(.name) \(.verdict)"' \
	"$T/report/report.json" | sort)" "form-dir-dir same-image
form-docker-archive-copied-oci.tar same-image
form-docker-archive-copied.tar same-image
form-docker-archive-recompressed.tar.xz same-image
form-docker-archive-saved.tar same-image
form-oci-archive-oci.tar same-image
form-oci-oci-v- same-image" "and so is it in every form of a file"
jq -c '.images[] | select(.name | startswith("form-") or . == "hello-web" or . == "hello-schema2") |
	[[.layers[].diff_id], .channels, .packages]' "$T/report/report.json" | sort -u >"$T/told"
is "$(wc -l <"$T/told")" 1 "with the same diffIDs, channels and packages in all of them"
is "$(verdict report layered-oci)" \
	"same-image: $around 3, config form 1, remarks in the config 1" \
	"and so has one of three layers"

# The diffIDs are those of Guix's own file, by tar and sha256sum.
layer=$(gzip -dc build/images/hello.tar.gz | tar -xO --wildcards '*/layer.tar' | sha256sum |
	cut -d' ' -f1)
for name in hello-schema2 hello-zstd hello-podmanoci; do
	is "$(jq -r --arg name $name '.images[] | select(.name == $name) |
		[.layers[].diff_id] | unique[]' \
		"$T/report/report.json" | sed 's/^sha256://')" "$layer" "$name has the layer of the file"
done

is "$(verdict gone absent)" 'not-tried: ' "what is not in the registry says nothing of an image"
is "$(verdict gone unreached)" 'not-tried: ' "nor does a registry that is not there"
is "$(verdict report hello-web)" "identical: " "a file of the web is the file, over TLS"
is "$(verdict gone other-web)" 'unreadable: ' "with another sha256 than the corpus says it is not"
is "$(verdict gone untrusted-web)" 'not-tried: ' "under a name that its certificate lacks it is not had"
is "$(verdict gone other)" 'unreadable: ' "what has another digest than the corpus says is not it"
jq -r '.images[] | "\(.name): \(.cause)"' "$T/gone/report.json" >"$T/causes"
like "$T/causes" '^absent: docker://127[^ ]*/nothing:v1: .*has no such image' "each says what"
like "$T/causes" "^unreached: docker://127.0.0.1:1/x:v1: .*onnect.* \(tried 6 times\)" \
	"and how often it was tried"
done_testing
