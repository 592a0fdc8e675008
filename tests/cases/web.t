#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Images at URLs, from a real web server (nginx) on loopback.
. tests/cases/tap.sh
for program in nginx openssl jq; do
	command -v $program >/dev/null || skip_all "no $program"
done
HOME=$T/home XDG_CACHE_HOME=$T/cache
export HOME XDG_CACHE_HOME
unset http_proxy https_proxy all_proxy ALL_PROXY HTTPS_PROXY no_proxy NO_PROXY
oci=$XDG_CACHE_HOME/unblend/oci
log=$T/access.log
mkdir -p "$T/www" "$T/tmp"

# image SEED: a docker archive with 3 MB that do not compress, in $T/www/image.tar.
image() {
	rm -rf "$T/image" && mkdir -p "$T/image/gnu/store/0-a"
	openssl enc -aes-128-ctr -K "$1" -iv 0 -nosalt -in /dev/zero 2>/dev/null |
		head -c 3000000 >"$T/image/gnu/store/0-a/data"
	tar --sort=name --mtime=@1 --owner=0 --group=0 -C "$T/image" -cf "$T/layer.tar" gnu
	diff=$(sha256sum <"$T/layer.tar" | cut -d' ' -f1)
	printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
		"$diff" >"$T/config.json"
	echo '[{"Config":"config.json","RepoTags":["x:1"],"Layers":["layer.tar"]}]' >"$T/manifest.json"
	tar -C "$T" -cf "$T/www/image.tar" manifest.json config.json layer.tar
	# nginx makes an ETag of no more than seconds and size.
	touch -d "@17000000$1" "$T/www/image.tar"
	sha=$(sha256sum <"$T/www/image.tar" | cut -d' ' -f1)
	size=$(stat -c %s "$T/www/image.tar")
}

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
	-addext subjectAltName=DNS:localhost -keyout "$T/key.pem" -out "$T/cert.pem" 2>/dev/null

nginx_pid=
nginx_stop() {
	[ "$nginx_pid" ] || return 0
	kill -9 "$nginx_pid" 2>/dev/null
	wait "$nginx_pid" 2>/dev/null
	nginx_pid=
}
trap 'nginx_stop; tap_end' EXIT

# up: does the server on $port answer?
up() { openssl s_client -connect "127.0.0.1:$tls" </dev/null >/dev/null 2>&1; }

# nginx_start: on $port and, with TLS, $tls; others than before when they are taken.
nginx_start() {
	for try in 1 2 3 4 5; do
		if [ -z "${port-}" ] || [ "$try" != 1 ]; then
			port=$(shuf -i 20000-59999 -n 1)
			tls=$((port + 1))
		fi
		cat >"$T/nginx.conf" <<-END
			daemon off;
			master_process off;
			pid $T/nginx.pid;
			error_log $T/nginx.err;
			events {}
			http {
				log_format asked escape=none '\$status \$uri range=\$http_range if-range=\$http_if_range inm=\$http_if_none_match sent=\$body_bytes_sent';
				access_log $log asked;
				client_body_temp_path $T/tmp; proxy_temp_path $T/tmp;
				fastcgi_temp_path $T/tmp; uwsgi_temp_path $T/tmp; scgi_temp_path $T/tmp;
				server {
					listen 127.0.0.1:$port;
					listen 127.0.0.1:$tls ssl;
					ssl_certificate $T/cert.pem;
					ssl_certificate_key $T/key.pem;
					root $T/www;
					if (-f $T/slow) { set \$limit_rate 500k; }
					location /moved { return 302 /image.tar; }
					location /circle { return 302 /circle; }
					location /away { return 302 file:///etc/passwd; }
					location /plain { return 302 http://192.0.2.1/image.tar; }
					location /forbidden { deny all; }
					location /busy { return 400 "not today"; }
				}
			}
		END
		nginx -c "$T/nginx.conf" -e "$T/nginx.err" >/dev/null 2>&1 &
		nginx_pid=$!
		for look in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
			kill -0 "$nginx_pid" 2>/dev/null || break
			up && return 0
			sleep 0.1
		done
		nginx_stop
	done
	return 1
}
get() { # [OPTION...] URL
	: >"$log"
	run timeout 120 "$UNBLEND" inspect --json "$@"
}
field() { jq -r "$1" "$T/out"; }
fresh() { rm -rf "$XDG_CACHE_HOME"; }
# part_is BYTES: has the only partial at least so many?
part_is() { [ "$(cat "$oci"/part/url-* 2>/dev/null | wc -c)" -ge "$1" ]; }
# begin_slowly: a run that was killed when 200000 bytes were here.
begin_slowly() {
	: >"$T/slow"
	"$UNBLEND" inspect "$url" >/dev/null 2>&1 &
	slow_pid=$!
	for look in $(seq 100); do
		part_is 200000 && break
		sleep 0.1
	done
	kill -9 "$slow_pid"
	wait "$slow_pid" 2>/dev/null
	rm "$T/slow"
	part_is 200000
}

image 01
ok "nginx is started" nginx_start || {
	cat "$T/nginx.err"
	done_testing
}
url=http://127.0.0.1:$port/image.tar

get "$url"
is "$status" 0 "an image at a URL is read"
is "$(field .image.sha256)" "$sha" "it is the file that is there"
is "$(field '.image.diff_ids[0]')" "sha256:$diff" "with its layer"
is "$(sha256sum <"$oci/blobs/sha256/$sha" | cut -d' ' -f1)" "$sha" "and is in the blob folder"
cp "$T/out" "$T/first"
get "$url"
same "$T/out" "$T/first" "another time it is the same"
like "$log" '^304 /image.tar .* inm="[^"]*" sent=0$' "and is asked for, but not sent again"

image 02
get "$url"
is "$(field .image.sha256)" "$sha" "one that changed is sent anew"

fresh
ok "a transfer is killed on its way" begin_slowly
not_ok "and leaves no blob" test -e "$oci/blobs/sha256/$sha"
have=$(cat "$oci"/part/url-* | wc -c)
get "$url"
is "$(field .image.sha256)" "$sha" "the next run reads the image"
like "$log" "^206 /image.tar range=bytes=$have- if-range=\"[^\"]*\" .* sent=$((size - have))$" \
	"and had only the rest sent"
fresh
ok "a transfer is killed on its way" begin_slowly
image 03
get "$url"
is "$(field .image.sha256)" "$sha" "when the file changes then, the new one is read"
like "$log" '^200 /image.tar range=bytes=[0-9]*- ' "from its beginning"
is "$(ls "$oci/part")" "" "and nothing of the old one is left"

fresh
: >"$T/slow"
: >"$log"
timeout 60 "$UNBLEND" inspect --json "$url" >"$T/cut.out" 2>"$T/cut.err" &
cut_pid=$!
for look in $(seq 100); do
	part_is 200000 && break
	sleep 0.1
done
nginx_stop
rm "$T/slow"
nginx_start
wait "$cut_pid"
is "$(jq -r .image.sha256 <"$T/cut.out")" "$sha" "a server that goes away and comes back is gone on with"
like "$T/cut.err" '^unblend: http://.*; again in ' "which is told"
like "$log" '^206 /image.tar range=bytes=[1-9][0-9]*- if-range="' "from where it was"

url=http://127.0.0.1:$port
get "$url/moved"
is "$(field .image.sha256)" "$sha" "a redirect is followed"
get "$url/circle"
is "$status" 2 "not in a circle"
like "$T/err" 'redirects more than 10 times' "but ten times"
get "$url/away"
is "$status" 2 "nor to a file"
get "$url/plain"
is "$status" 2 "nor to another machine without encryption"
like "$T/err" 'not encrypted' "which is told"
get "$url/absent"
is "$status" 2 "a file that is not there is a wrong input"
like "$T/err" "^unblend: $url/absent: there is no such file \(404\)$" "and is named"
get "$url/forbidden"
like "$T/err" 'forbidden: the server gives it not to us \(403\)$' "one that is not for us, too"
get "$url/busy"
like "$T/err" 'busy: the server answers 400$' "and any other answer"
is "$status" 2 "none of them is read"
printf 'no image\n' >"$T/www/text"
get "$url/text"
is "$status" 2 "a file that is no image is a wrong input"
get "$url/absent%1b%5b31m"
unlike "$T/err" "$(printf '\033')" "no URL reaches the terminal as it is"

get "https://localhost:$tls/image.tar"
is "$status" 2 "an authority that nobody knows is not trusted"
like "$T/err" 'certificate' "and that is told"
get --tls-ca "$T/cert.pem" "https://localhost:$tls/image.tar"
is "$(field .image.sha256)" "$sha" "over TLS from a known one"

# A blob folder on a full disk.
if unshare -m true 2>/dev/null; then
	mkdir "$T/small"
	cat >"$T/full" <<-'END'
		mount -t tmpfs -o size=2m none "$T/small" || exit 99
		XDG_CACHE_HOME=$T/small "$UNBLEND" inspect --json "$1" >"$T/out" 2>"$T/err"
		echo $? >"$T/full.status"
		find "$T/small/unblend/oci/part" "$T/small/unblend/oci/blobs" -type f >"$T/full.left"
		# Blobs that nobody uses make room.
		head -c 1500000 /dev/zero >"$T/small/blob"
		mv "$T/small/blob" "$T/small/unblend/oci/blobs/sha256/$(sha256sum <"$T/small/blob" | cut -d' ' -f1)"
		head -c 1000000 "$T/www/image.tar" >"$T/www/short"
		XDG_CACHE_HOME=$T/small "$UNBLEND" inspect "${1%image.tar}short" >/dev/null 2>&1
		sha256sum <"$T/www/short" | cut -d' ' -f1 >"$T/full.want"
		ls "$T/small/unblend/oci/blobs/sha256" >"$T/full.have"
	END
	export T UNBLEND
	timeout 60 unshare -m --propagation private sh "$T/full" "$url/image.tar"
	is "$(cat "$T/full.status")" 3 "a full disk is the machine's failure"
	like "$T/err" 'No space left on device' "and is named"
	is "$(cat "$T/full.left")" "" "nothing half stays there"
	same "$T/full.have" "$T/full.want" "blobs that nobody uses make room"
else
	skip 4 "no mount namespace"
fi
done_testing
