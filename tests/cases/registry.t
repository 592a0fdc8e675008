#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Images of registries: of the real docker-registry, pushed there by skopeo, and
# of a fake one that does what the real one cannot be made to do.
. tests/cases/tap.sh
. tests/registry/registry.sh
for program in docker-registry skopeo python3 openssl htpasswd; do
	command -v $program >/dev/null || skip_all "no $program"
done
registry_user
blobs=$XDG_CACHE_HOME/unblend/oci/blobs/sha256
log=$T/real.log

copy() {	# [OPTION...] FROM TO
	skopeo --insecure-policy copy --quiet --src-tls-verify=false \
		--dest-tls-verify=false "$@" || exit 1
}
# What skopeo says of an image, by jq.
said() {	# IMAGE FILTER
	skopeo inspect --tls-verify=false --raw "$1" | jq -r "$2"
}
fresh() {
	rm -rf "$XDG_CACHE_HOME"
}
get() {		# IMAGE [OPTION...]
	image=$1
	shift
	run timeout 120 "$UNBLEND" inspect --json "$@" "$image"
}
field() {
	jq -r "$1" "$T/out"
}
sha256() {	# FILE
	sha256sum "$1" | cut -d' ' -f1
}
# Every blob that is here hashes to its name.
check_blobs() {
	for blob in "$blobs"/*; do
		[ "$(sha256 "$blob")" = "${blob##*/}" ] || return 1
	done
}

# An image of three layers, with bytes that do not compress, as docker save
# makes it; two programs know its digests.
mkdir -p "$T/image/root/gnu/store/00000000000000000000000000000000-a"
cd "$T/image" || exit 1
diffs=
for i in 1 2 3; do
	openssl enc -aes-128-ctr -K 00 -iv 0$i -nosalt -in /dev/zero 2>/dev/null |
		head -c 300000 >root/gnu/store/00000000000000000000000000000000-a/$i
	tar --sort=name --mtime=@1 --owner=0 --group=0 --numeric-owner -C root -cf $i.tar gnu
	rm root/gnu/store/00000000000000000000000000000000-a/$i
	diffs="$diffs${diffs:+,}\"sha256:$(sha256 $i.tar)\""
done
printf '{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin"]},%s' \
	"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[$diffs]}}" >config.json
echo '[{"Config":"config.json","RepoTags":["x:v1"],"Layers":["1.tar","2.tar","3.tar"]}]' \
	>manifest.json
tar -cf "$T/image.tar" config.json manifest.json 1.tar 2.tar 3.tar
cd "$OLDPWD" || exit 1
diff_ids=$(echo "[$diffs]" | jq -r '.[]')

# --- the real one ---------------------------------------------------------------

registry_start real || exit 1
copy "docker-archive:$T/image.tar" "docker://$host/lab/x:v1"
copy --format oci "docker-archive:$T/image.tar" "docker://$host/lab/x:oci"
copy --format oci --dest-compress --dest-compress-format zstd "docker-archive:$T/image.tar" \
	"oci:$T/zstd:v1"
copy --preserve-digests "oci:$T/zstd:v1" "docker://$host/lab/x:zstd"
copy --dest-decompress "docker-archive:$T/image.tar" "dir:$T/plain"
copy --preserve-digests "dir:$T/plain" "docker://$host/lab/x:plain"

for tag in v1 oci zstd plain; do
	fresh
	get "docker://$host/lab/x:$tag"
	is "$status" 0 "$tag: an image is read from a registry"
	is "$(field '.image.diff_ids[]')" "$diff_ids" "$tag: its diffIDs are those of the layers"
	is "$(field .image.source)" "docker://$host/lab/x:$tag" "$tag: it is called what was asked for"
	is "$(field .image.sha256)" \
		"$(skopeo inspect --tls-verify=false "docker://$host/lab/x:$tag" | jq -r '.Digest[7:]')" \
		"$tag: its digest is the one that skopeo sees"
	is "$(field .image.config_digest)" \
		"$(said "docker://$host/lab/x:$tag" '.config.digest')" \
		"$tag: and so is that of its config"
	ok "$tag: every blob is what its name says" check_blobs
	is "$(find "$blobs" -type f | wc -l)" 5 "$tag: nothing but manifest, config and three layers"
done
is "$(said "docker://$host/lab/x:v1" .mediaType)" \
	application/vnd.docker.distribution.manifest.v2+json "v1 is of schema 2"
is "$(said "docker://$host/lab/x:oci" .layers[0].mediaType)" \
	application/vnd.oci.image.layer.v1.tar+gzip "oci is of OCI, in gzip"
is "$(said "docker://$host/lab/x:zstd" .layers[0].mediaType)" \
	application/vnd.oci.image.layer.v1.tar+zstd "zstd is in zstd"
is "$(said "docker://$host/lab/x:plain" .layers[0].digest)" \
	"$(echo "$diff_ids" | head -n 1)" "plain is not compressed"

fresh
digest=$(skopeo inspect --tls-verify=false "docker://$host/lab/x:v1" | jq -r .Digest)
get "docker://$host/lab/x@$digest"
is "$status $(field .image.sha256)" "0 ${digest#sha256:}" "an image is found by its digest"
: >"$log"
get "docker://$host/lab/x@$digest"
is "$status" 0 "and again"
is "$(grep -c GET "$log")" 0 "without a word to the registry"
get "docker://$host/lab/x:v1"
is "$(registry_asked "$log" /manifests/) $(registry_asked "$log" /blobs/)" "1 0" \
	"a tag is asked again, what is here is not"
get "docker://$host/lab/x@sha256:$(printf '%064d' 0)"
is "$status" 2 "a digest that is nowhere"
like "$T/err" 'lab/x@sha256:0+: 127[^ ]* has no such image: manifest unknown' \
	"is not there, in the registry's words"
get "docker://$host/lab/nothing:v1"
like "$T/err" "^unblend: docker://$host/lab/nothing:v1: .* has no such image" \
	"nor is a name that is nowhere"

# An index of two platforms, put there by hand: skopeo makes none.
put() {		# TAG TYPE FILE
	curl -fsS -o "$T/put" -X PUT -H "Content-Type: $2" --data-binary "@$3" \
		"http://$host/v2/lab/x/manifests/$1" || exit 1
}
entry() {	# TAG OS ARCH
	skopeo inspect --tls-verify=false --raw "docker://$host/lab/x:$1" >"$T/raw"
	printf '{"mediaType":"%s","size":%d,"digest":"sha256:%s",%s}' \
		"$(jq -r .mediaType "$T/raw")" "$(wc -c <"$T/raw")" "$(sha256 "$T/raw")" \
		"\"platform\":{\"os\":\"$2\",\"architecture\":\"$3\"}"
}
sed 's/amd64/arm64/' "$T/image/config.json" >"$T/image/config.arm.json"
(cd "$T/image" && cp config.arm.json config.json && tar -cf "$T/arm.tar" config.json \
	manifest.json 1.tar 2.tar 3.tar)
copy "docker-archive:$T/arm.tar" "docker://$host/lab/x:arm"
arch=$(uname -m | sed 's/x86_64/amd64/;s/aarch64/arm64/')
for kind in docker.distribution.manifest.list.v2 oci.image.index.v1; do
	printf '{"schemaVersion":2,"mediaType":"application/vnd.%s+json","manifests":[%s,%s]}' \
		$kind "$(entry v1 linux amd64)" "$(entry arm linux arm64)" >"$T/index"
	put index "application/vnd.$kind+json" "$T/index"
	for want in amd64 arm64; do
		get "docker://$host/lab/x:index" --platform "linux/$want"
		is "$(field .image.config_digest)" "$(skopeo inspect --tls-verify=false --raw \
			--override-arch $want "docker://$host/lab/x:$([ $want = amd64 ] &&
			echo v1 || echo arm)" | jq -r .config.digest)" \
			"$kind: --platform chooses the one for $want"
	done
	get "docker://$host/lab/x:index"
	is "$(field .image.config_digest)" \
		"$(skopeo inspect --tls-verify=false --config --raw "docker://$host/lab/x:index" |
			sha256sum | sed 's/^/sha256:/; s/ .*//')" "$kind: this machine's is chosen, as by skopeo ($arch)"
	get "docker://$host/lab/x:index" --platform linux/s390x
	is "$status" 2 "$kind: one that is not there is not chosen"
	like "$T/err" 'linux/arm64' "$kind: those that are there are named"
done
run "$UNBLEND" inspect --platform linux "docker://$host/lab/x:index"
is "$status" 2 "a platform that is none is refused"

# --- who may --------------------------------------------------------------------

htpasswd -Bbn me 'pass word' >"$T/htpasswd" 2>"$T/htpasswd.err" || exit 1
registry_start private htpasswd "$T/htpasswd" data "$T/real.data" || exit 1
private=docker://$host/lab/x:v1
auth=$(printf 'me:pass word' | base64)
fresh
get "$private"
is "$status" 2 "a registry that wants a password"
like "$T/err" "$host wants credentials, and there are none: .podman login $host'" \
	"says how to keep one"
login() {	# FILE
	mkdir -p "${1%/*}"
	echo "{\"auths\": {\"$host\": {\"auth\": \"$auth\"}}}" >"$1"
}
for file in "$XDG_RUNTIME_DIR/containers/auth.json" "$HOME/.config/containers/auth.json" \
	"$HOME/.docker/config.json"; do
	fresh
	login "$file"
	get "$private"
	is "$status" 0 "the password is found in ${file#"$T/"}"
	rm "$file"
done
fresh
login "$T/elsewhere.json"
REGISTRY_AUTH_FILE=$T/elsewhere.json get "$private"
is "$status" 0 "or where REGISTRY_AUTH_FILE says"
skopeo login --tls-verify=false --authfile "$T/skopeo.json" -u me --password-stdin \
	"$host" >"$T/login" 2>&1 <<-END || exit 1
	pass word
END
fresh
REGISTRY_AUTH_FILE=$T/skopeo.json get "$private"
is "$status" 0 "as skopeo login keeps it"
mkdir "$T/bin"
cat >"$T/bin/docker-credential-safe" <<-END
	#!/bin/sh
	read -r server
	[ "\$1 \$server" = "get $host" ] || exit 1
	echo '{"ServerURL": "$host", "Username": "me", "Secret": "pass word"}'
END
chmod +x "$T/bin/docker-credential-safe"
for config in "\"credHelpers\": {\"$host\": \"safe\"}" '"credsStore": "safe"'; do
	fresh
	mkdir -p "$T/docker"
	echo "{$config}" >"$T/docker/config.json"
	DOCKER_CONFIG=$T/docker PATH=$T/bin:$PATH get "$private"
	is "$status" 0 "or in a credential helper: ${config%%:*}"
done
echo "{\"auths\": {\"$host\": {\"auth\": \"$(printf 'me:wrong' | base64)\"}}}" >"$T/wrong.json"
fresh
REGISTRY_AUTH_FILE=$T/wrong.json get "$private"
is "$status" 2 "a wrong password"
like "$T/err" "$host does not take the credentials of .*/wrong.json" "and whose it was"

# --- TLS ------------------------------------------------------------------------

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-subj '/CN=test' -addext 'subjectAltName=IP:127.0.0.1' \
	-keyout "$T/key.pem" -out "$T/cert.pem" 2>"$T/openssl.err" || exit 1
registry_start tls tls "$T/cert.pem" "$T/key.pem" data "$T/real.data" || exit 1
fresh
get "docker://$host/lab/x:v1"
is "$status" 2 "a certificate that nobody vouches for is not trusted"
like "$T/err" 'certificate is not that of a CA .*--tls-ca' "and the error says what would help"
get "docker://$host/lab/x:v1" --tls-ca "$T/cert.pem"
is "$status" 0 "--tls-ca vouches for it"
port=${host##*:}
fresh
get "docker://localhost:$port/lab/x:v1" --tls-ca "$T/cert.pem"
is "$status" 2 "but not for another name"
get "docker://$host/lab/x:v1" --tls-ca "$T/nothing.pem"
like "$T/err" 'the CA file .*nothing.pem cannot be read' "a file of authorities that is not there"
run timeout 60 "$UNBLEND" inspect --plain-http 'a/b' "docker://$host/lab/x:v1"
is "$status" 2 "--plain-http takes a host"

# --- the fake one ---------------------------------------------------------------

copy --format oci "docker-archive:$T/image.tar" "oci:$T/layout:v1"
registry_fake "$T/layout" || exit 1
# asked ERE: requests in its log; $fake_log is that of the last get.
ask() {		# FAULT [OPTION...]
	fault=$1
	shift
	fresh
	: >"$T/fake.log"
	get "docker://$fake/$fault/x:v1" "$@"
}
asked() {
	grep -c -E "$1" "$T/fake.log"
}
whole() {	# NAME
	is "$status" 0 "$1"
	is "$(field '.image.diff_ids[]')" "$diff_ids" "$1: and it is whole"
	ok "$1: and every blob is right" check_blobs
}

ask cut
whole "connections are cut, and the rest is asked for"
is "$(asked '/blobs/.* 200-cut - -$') $(asked '/blobs/.* 206 bytes=[1-9][0-9]*- -$')" "3 3" \
	"by Range, for each layer"
ask cut-all
whole "a server without Range sends all again"
is "$(asked '/blobs/.* 200 bytes=[1-9][0-9]*- -$')" 3 "which is taken from the beginning"
ask busy
whole "a busy server is asked again when it says"
like "$T/err" 'answers 429; again in 1.0 s' "as is told"
ask always-busy
is "$status" 3 "one that stays busy is given up"
like "$T/err" "^unblend: docker://$fake/always-busy/x:v1: the server answers 429 \(tried 6 times\)" \
	"which is no fault of the image"
ask down
whole "a server that fails is asked again"
ask together
whole "layers are asked for at the same time"
ask slow
whole "a slow one is waited for"

ask wrong
is "$status" 2 "a layer that is another"
like "$T/err" "^unblend: docker://$fake/wrong/x:v1: blob sha256:[0-9a-f]{16}.* expected sha256:" \
	"is named, with what it should be"
ask wrong-manifest
is "$status" 2 "a manifest that is another"
like "$T/err" 'the manifest that came has the digest sha256:' "is not taken"
ask long
is "$status" 2 "a layer that does not end"
like "$T/err" 'more than the [0-9]+ bytes that it should have' "is not taken"
ask endless
is "$status" 2 "a manifest without an end"
like "$T/err" 'larger than the limit of 1048576 bytes \(--limit json-bytes=N raises it\)' \
	"is over the limit"
ask endless --limit json-bytes=3M
like "$T/err" 'larger than the limit of 3145728 bytes' "which is set by its name"
ask plain --limit file-bytes=800K
is "$status" 2 "layers of 900 KB are over a limit of 800 KiB"
like "$T/err" '\(limit file-bytes is 819200: --limit file-bytes=N raises it\)' "which is named"
is "$(asked '/blobs/')" 0 "before one of them is asked for"
ask plain --limit file-bytes=900K
whole "and within one of 900 KiB"
ask old
is "$status" 2 "a manifest of schema 1"
like "$T/err" 'schema version 1' "is named so"
ask forbidden
like "$T/err" 'forbids this image: not for you' "what the server says is passed on"
ask nothing
like "$T/err" '#x1B\[31mnone' "without what a terminal would obey"
printf '\033' >"$T/escape"
not_ok "no escape reaches it" grep -q -F -f "$T/escape" "$T/err"

ask token
whole "a token is asked for, and opens it"
is "$(asked ' GET /token\?')" 1 "once"
like "$T/fake.log" '/token\?service=fake&scope=repository%3Atoken%2Fx%3Apull 200' \
	"for this repository"
ask token-short
whole "a token that ends is renewed"
ok "as often as it takes" test "$(asked ' GET /token-short\?')" -ge 2
login_fake() {	# JSON
	echo "{\"auths\": {\"$fake\": $1}}" >"$T/fake.json"
}
login_fake "{\"auth\": \"$auth\"}"
ask token-private
is "$status" 2 "a token that needs a password is not had without"
REGISTRY_AUTH_FILE=$T/fake.json ask token-private
whole "and is had with it"
is "$(asked '/v2/.*Basic')" 0 "which the registry itself does not see"
login_fake '{"identitytoken": "refresh me"}'
REGISTRY_AUTH_FILE=$T/fake.json ask token-private
whole "or with an identity token"
like "$T/fake.log" 'POST /token-private\?grant_type=refresh_token&client_id=unblend&refresh_token=refresh%20me&service=fake' \
	"that is sent as a form"

ask moved
whole "blobs are on another host"
is "$(asked '/elsewhere/.* 200 - -$')" 4 "which is asked without the token"
is "$(asked '/v2/.*/blobs/.* 307 - Bearer_token')" 4 "that the registry was shown"
unlike "$T/err" secret "and no secret of the URL is told"
ask loop
like "$T/err" 'redirects more than 10 times' "a redirect in a circle ends"
ask to-plain
like "$T/err" 'redirected to http://192.0.2.1/blob: http is not encrypted' \
	"a redirect to plain http elsewhere is refused"
ask to-file
like "$T/err" 'no URL of http or https' "a redirect to a file is refused"
unlike "$T/out" root "and not read"

# --- the disk -------------------------------------------------------------------

ask cut
rm -rf "$blobs" "$XDG_CACHE_HOME/unblend/oci/part"
part=$XDG_CACHE_HOME/unblend/oci/part
layer=$(jq -r '.layers[2].digest[7:]' "$T/layout/blobs/sha256/$(jq -r \
	'.manifests[0].digest[7:]' "$T/layout/index.json")")
mkdir -p "$part"
head -c 1000 "$T/layout/blobs/sha256/$layer" >"$part/$layer"
: >"$T/fake.log"
get "docker://$fake/plain/x:v1"
whole "what an earlier run left is resumed"
is "$(asked "/blobs/sha256:$layer 206 bytes=1000- -$")" 1 "where it ended"
fresh
mkdir -p "$part"
head -c 1000 /dev/zero >"$part/$layer"
: >"$T/fake.log"
get "docker://$fake/plain/x:v1"
whole "what was damaged meanwhile is not used"
is "$(asked "/blobs/sha256:$layer ")" 2 "but asked for again, all of it"

# The cache is on a disk of 700 KiB, which holds two layers of three.
mkdir -p "$XDG_CACHE_HOME"
export UNBLEND
# shellcheck disable=SC2016 # for the inner shell
run unshare -rm sh -c 'mount -t tmpfs -o size=700k none "$XDG_CACHE_HOME" &&
	exec timeout 60 "$UNBLEND" inspect "$0"' "docker://$fake/plain/x:v1"
is "$status" 3 "no space left is a fault of this machine"
like "$T/err" 'No space left on device' "and told as such"
done_testing
