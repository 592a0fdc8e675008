#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A tag that is moved, and a file that is replaced, while the image that was there is
# being rebuilt: what was read is what is judged.
. tests/cases/tap.sh
. tests/registry/registry.sh
for program in docker-registry skopeo bwrap jq python3; do
	command -v $program >/dev/null || skip_all "no $program"
done
case $UNBLEND in
/*) ;;
*) UNBLEND=$PWD/$UNBLEND ;;
esac
registry_user
mkdir -p "$T/web"
fake=$T/fake
tests/fake/make "$fake" --images 2 --recipes 2 --sets 1 --plain || exit 1
for n in 0 1; do
	gzip -dc "$fake/images/fake-$n.tar.gz" >"$T/$n.tar"
done
registry_start real || exit 1
log=$T/real.log
put() {		# N: that image is what the names lead to
	skopeo --insecure-policy copy --quiet --dest-tls-verify=false "docker-archive:$T/$1.tar" \
		"docker://$host/lab/x:v1" || exit 1
	cp "$T/$1.tar" "$T/web/new"
	touch -d "2020-01-0$(($1 + 1))" "$T/web/new"
	mv "$T/web/new" "$T/web/x.tar"
}
python3 -u -m http.server 0 --bind 127.0.0.1 --directory "$T/web" >"$T/web.log" 2>&1 &
registry_pids="$registry_pids $!"
registry_wait "$T/web.log" || exit 1
port=$(sed -n 's/.* port \([0-9]*\).*/\1/p' "$T/web.log")

# The build waits for the test.
cat >"$fake/srv/hook" <<'END'
case "$verb $drv" in
"build "*-docker-pack*) until [ -e /srv/fake/go ]; do sleep 0.1; done ;;
esac
END
# rebuild SOURCE CMD...: the verdict on it, when CMD is done while it is built.
rebuild() {
	rm -rf "$T/cache" "$T/out.d" "$fake/srv/go"
	put 0
	echo "(corpus (version 0) (image (name \"x\") (source \"$1\")))" >"$T/x.corpus"
	shift
	timeout 60 tests/fake/enter "$fake" "$UNBLEND" run "$T/x.corpus" --trust "$fake/fake.trust" \
		-o "$T/out.d" --cache "$T/cache" -q >"$T/run.out" 2>"$T/run.err" &
	running=$!
	tries=0
	until find "$T/cache" -name calls -exec grep -q 'build .*-docker-pack' {} + 2>/dev/null &&
		find "$T/cache" -name calls | grep -q .; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || break
		sleep 0.1
	done
	"$@"
	: >"$log"
	: >"$fake/srv/go"
	wait $running
	jq -r '.images[] | "\(.verdict) \(.class) \(.source)"' "$T/out.d/report.json"
}
forget() {
	rm -rf "$T/cache/oci"
	put 1
}
name=docker://$host/lab/x:v1
is "$(rebuild "$name" true)" "same-image null $name" "an image of a registry is rebuilt"
is "$(rebuild "$name" put 1)" "same-image null $name" "its tag is moved meanwhile, and it is judged"
is "$(registry_asked "$log" /manifests/)" 0 "without asking for what is here"
is "$(rebuild "$name" forget)" "same-image null $name" "it is gone from here, too"
is "$(registry_asked "$log" /manifests/sha256:) $(registry_asked "$log" /manifests/v1)" "1 0" \
	"and is asked for by its digest"
web=http://127.0.0.1:$port/x.tar
is "$(rebuild "$web" true)" "same-image null $web" "a file of the web is rebuilt"
is "$(rebuild "$web" put 1)" "same-image null $web" "it is replaced meanwhile, and it is judged"
is "$(rebuild "$web" forget)" "not-tried image-changed $web" "where it is gone from here nobody has it"
done_testing
