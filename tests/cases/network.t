#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Images that a run cannot have: each is told apart by what stood in the way, with
# what to do, and nothing is said of the image.
. tests/cases/tap.sh
. tests/registry/registry.sh
for program in docker-registry skopeo python3 openssl htpasswd jq; do
	command -v $program >/dev/null || skip_all "no $program"
done
registry_user

registry_start open || exit 1
open=$host
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-subj '/CN=test' -addext 'subjectAltName=IP:127.0.0.1' \
	-keyout "$T/key.pem" -out "$T/cert.pem" 2>"$T/openssl.err" || exit 1
registry_start tls tls "$T/cert.pem" "$T/key.pem" || exit 1
tls=$host
htpasswd -Bbn me secret >"$T/htpasswd" 2>"$T/htpasswd.err" || exit 1
registry_start private htpasswd "$T/htpasswd" || exit 1
private=$host
mkdir "$T/empty"
tar -C "$T/empty" -cf "$T/layer.tar" .
printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
	"$(sha256sum <"$T/layer.tar" | cut -d' ' -f1)" >"$T/config.json"
echo '[{"Config":"config.json","RepoTags":["x:v1"],"Layers":["layer.tar"]}]' >"$T/manifest.json"
tar -C "$T" -cf "$T/image.tar" config.json manifest.json layer.tar
skopeo --insecure-policy copy --quiet --format oci "docker-archive:$T/image.tar" \
	"oci:$T/layout:v1" || exit 1
registry_fake "$T/layout" || exit 1

cat >"$T/gone.corpus" <<END
(corpus (version 0)
 (image (name "nobody") (source "docker://127.0.0.1:1/x:v1"))
 (image (name "busy") (source "docker://$fake/always-busy/x:v1"))
 (image (name "missing") (source "docker://$open/x:v1"))
 (image (name "certificate") (source "docker://$tls/x:v1"))
 (image (name "password") (source "docker://$private/x:v1"))
 (image (name "forbidden") (source "docker://$fake/forbidden/x:v1"))
 (image (name "plain") (source "docker://$fake/to-plain/x:v1"))
 (image (name "web-plain") (source "http://192.0.2.1/x.tar.gz"))
 (image (name "web-missing") (source "http://$fake/x.tar.gz"))
 (image (name "wrong") (source "docker://$fake/wrong/x:v1")))
END
run timeout 110 "$UNBLEND" run --retries 0 "$T/gone.corpus" -o "$T/report" -q -j 4
is "$status" 1 "no image of them passes"
told() {	# NAME EXPECTED WORDS-OF-ADVICE
	is "$(jq -r --arg name "$1" '.images[] | select(.name == $name) |
		"\(.verdict) \(.class)"' "$T/report/report.json")" "$2" "$1: $2"
	jq -r --arg name "$1" '.images[] | select(.name == $name) | .advice' \
		"$T/report/report.json" >"$T/advice"
	like "$T/advice" "$3" "$1: what to do"
}
told nobody 'not-tried network' 'Run it again'
told busy 'not-tried network' 'Run it again'
told missing 'not-tried image-missing' 'correct the corpus'
told certificate 'not-tried tls' '--tls-ca'
told password 'not-tried denied' 'podman login'
told forbidden 'not-tried denied' 'podman login'
told plain 'not-tried unencrypted' '--plain-http'
told web-plain 'not-tried unencrypted' '--plain-http'
told web-missing 'not-tried image-missing' 'correct the corpus'
told wrong 'unreadable malformed' 'Fetch the image again'

# The cache is on a disk that is full.
export UNBLEND T fake
cat >"$T/full.corpus" <<END
(corpus (version 0) (image (name "full") (source "docker://$fake/plain/x:v1")))
END
mkdir -p "$T/small"
# shellcheck disable=SC2016 # for the inner shell
run unshare -rm sh -c 'mount -t tmpfs -o size=64k none "$T/small" && mkdir "$T/small/work" &&
	head -c 60000 /dev/zero >"$T/small/fill" 2>/dev/null
	exec timeout 60 "$UNBLEND" run --retries 0 "$T/full.corpus" -o "$T/report" -q --cache "$T/small"'
told full 'not-tried disk-full' 'unblend gc'
done_testing
