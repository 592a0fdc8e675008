#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Registries that are reached through a proxy only, with encryption and without:
# real ones, whose names a fake proxy alone knows.
. tests/cases/tap.sh
. tests/registry/registry.sh
for program in docker-registry skopeo python3 openssl jq; do
	command -v $program >/dev/null || skip_all "no $program"
done
registry_user
unset http_proxy https_proxy all_proxy ALL_PROXY HTTPS_PROXY no_proxy NO_PROXY
mkdir -p "$T/empty"
tar -C "$T/empty" -cf "$T/layer.tar" .
printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
	"$(sha256sum <"$T/layer.tar" | cut -d' ' -f1)" >"$T/config.json"
echo '[{"Config":"config.json","RepoTags":["x:v1"],"Layers":["layer.tar"]}]' >"$T/manifest.json"
tar -C "$T" -cf "$T/image.tar" config.json manifest.json layer.tar

registry_start open || exit 1
here=docker://$host/lab/x:v1 open=${host##*:}
skopeo --insecure-policy copy --quiet --dest-tls-verify=false "docker-archive:$T/image.tar" \
	"$here" || exit 1
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-subj '/CN=test' -addext 'subjectAltName=DNS:registry.test' \
	-keyout "$T/key.pem" -out "$T/cert.pem" 2>"$T/openssl.err" || exit 1
registry_start tls tls "$T/cert.pem" "$T/key.pem" data "$T/open.data" || exit 1
tls=${host##*:}
for name in proxy other; do
	: >"$T/$name.log"
	tests/registry/fake-proxy "$T/$name.log" "$T/$name.port" "registry.test:443=$tls" \
		"registry.test:80=$open" "registry.test:5000=$open" 2>"$T/$name.err" &
	registry_pids="$registry_pids $!"
	registry_wait "$T/$name.port" || exit 1
done
proxy=127.0.0.1:$(cat "$T/proxy.port")
get() {		# IMAGE [OPTION...]
	image=$1
	shift
	rm -rf "$XDG_CACHE_HOME"
	: >"$T/proxy.log"
	run timeout 60 "$UNBLEND" inspect --json "$@" "$image"
}

# Without --plain-http no word is to go unencrypted; it is tried for a while, so
# look at it at the end.
(
	XDG_CACHE_HOME=$T/other
	timeout 60 env http_proxy="http://127.0.0.1:$(cat "$T/other.port")" https_proxy="http://127.0.0.1:1" "$UNBLEND" inspect \
		docker://registry.test:5000/lab/x:v1 >"$T/other.said" 2>&1
	echo $? >"$T/other.status"
) &
other=$!

https_proxy=http://$proxy get docker://registry.test/lab/x:v1 --tls-ca "$T/cert.pem"
is "$status" 0 "a registry is reached through a proxy"
is "$(sort -u "$T/proxy.log")" 'CONNECT registry.test:443 - -' "which carries TLS and sees nothing of it"
https_proxy=http://$proxy get docker://registry.test/lab/x:v1
is "$status" 2 "its certificate is checked all the same"
like "$T/err" 'certificate is not that of a CA' "and why it is not taken"

mkdir -p "$XDG_RUNTIME_DIR/containers"
printf '{"auths":{"registry.test:80":{"auth":"%s"}}}' "$(printf 'me:secret' | base64)" \
	>"$XDG_RUNTIME_DIR/containers/auth.json"
http_proxy=http://user:word@$proxy get docker://registry.test:80/lab/x:v1 \
	--plain-http registry.test:80
is "$status" 0 "--plain-http asks a named host without encryption, through a proxy too"
like "$T/proxy.log" '^GET http://registry.test(:80)?/v2/lab/x/manifests/v1 Basic_dXNlcjp3b3Jk -$' \
	"whose own password it gets, and no other"
no_proxy=registry.test http_proxy=http://127.0.0.1:1 get "$here"
is "$status $(wc -l <"$T/proxy.log")" "0 0" "this machine's own addresses are asked without one"
http_proxy=http://127.0.0.1:1 get "$here"
is "$status" 0 "whatever the environment says"

wait $other
is "$(cat "$T/other.status")" 3 "who was not named is not asked without encryption"
is "$(cat "$T/other.log")" '' "not even through the proxy"
done_testing
