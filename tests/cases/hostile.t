#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What strangers send: each image of tests/hostile is refused by name, or read
# for what it is, soon, within 64 MB, and leaves nothing behind.
# shellcheck source=tests/cases/tap.sh
. tests/cases/tap.sh

SECONDS_MAX=20 KILOBYTES_MAX=65536
asan=no
grep -aq __asan_init "$UNBLEND" && asan=yes SECONDS_MAX=120

# Where it could write: here, in HOME, in TMPDIR, in the cache.
mkdir -p "$T/watch/cwd" "$T/watch/home" "$T/watch/tmp" "$T/watch/cache" "$T/bad"
echo unchanged >"$T/watch/canary"
touch -d @1 "$T/watch"/* "$T/watch"
hosts_before=$(sha256sum /etc/passwd)

watched() { (cd "$T/watch" && find . -printf '%p %y %s %T@\n' | sort); }
before=$(watched)

# attempt CMD...: run it where it is watched; what is wrong with how it ran is
# in $wrong.
attempt() {
	status=0 wrong=
	(cd "$T/watch/cwd" && HOME=$T/watch/home TMPDIR=$T/watch/tmp XDG_CACHE_HOME=$T/watch/cache \
		exec timeout -k 5 "$SECONDS_MAX" /usr/bin/time -q -f '%M' -o "$T/peak" "$@") \
		>"$T/out" 2>"$T/err" </dev/null || status=$?
	((status < 124)) || wrong+=" it ended by $status (too slow, or by a signal);"
	peak=$(tail -n 1 "$T/peak")
	[[ $asan == yes ]] || ((peak < KILOBYTES_MAX)) || wrong+=" it took $peak KB;"
	! LC_ALL=C grep -aqP '[\x00-\x08\x0b-\x1f\x7f]' "$T/out" "$T/err" ||
		wrong+=" it printed control characters;"
	iconv -f UTF-8 -t UTF-8 "$T/out" "$T/err" >/dev/null 2>&1 || wrong+=" it printed what is not UTF-8;"
	# compare has a folder of its own in TMPDIR, and removes it
	touch -d @1 "$T/watch/tmp"
	[[ $(watched) == "$before" ]] || wrong+=" it wrote: $(diff <(echo "$before") <(watched) | tr '\n' ' ');"
}

# says FILE TEXT
says() { grep -aqF -- "$2" "$1" || wrong+=" it does not say '$2';"; }

# tell NAME: one test, of all that was found.
tell() {
	[[ ! $wrong ]]
	tap_result $? "$1" || diag "$wrong" "status $status" "$(head -c 600 "$T/err")"
}

# judge KIND TEXT: how inspect must have ended.
judge() {
	case $1 in
	fine | told)
		[[ $status == 0 ]] || wrong+=" it failed;"
		[[ $1 == fine ]] || says "$T/out" "$2"
		;;
	*)
		[[ $status == 2 ]] || wrong+=" its status is $status, not 2;"
		says "$T/err" "$2"
		says "$T/err" "unblend: "
		# a limit has its value and the way out
		[[ $1 != policy || $2 != limit* ]] || says "$T/err" "=N raises it)"
		;;
	esac
}

count=0
# Folders are named by their transport.
image_of() {
	case $script:$name in
	layouts:oci-archive-*) echo "oci-archive:$T/bad/$script/$name" ;;
	layouts:*) echo "${name%%-*}:$T/bad/$script/$name" ;;
	*) echo "$T/bad/$script/$name$suffix" ;;
	esac
}
for kind_of in archives:.tar layers:.tar layouts: systems:.squashfs packages:.package profiles:.tar.gz bombs:.tar; do
	script=${kind_of%%:*} suffix=${kind_of#*:}
	mkdir "$T/bad/$script"
	"tests/hostile/$script" "$T/bad/$script" >"$T/rows" || exit 1
	while read -r name kind text; do
		attempt "$UNBLEND" inspect "$(image_of)"
		judge "$kind" "$text"
		tell "$script: $name is ${kind/input/unreadable}"
		count=$((count + 1))
		# Layers are then read from the uppermost down, and not all.
		[[ $script == layouts ]] || continue
		attempt "$UNBLEND" inspect --provenance-only "$(image_of)"
		[[ $status == 0 || $status == 2 ]] || wrong+=" its status is $status;"
		tell "$script: $name does no harm for its provenance alone, either"
	done <"$T/rows"
done
ok "there are more than 60 of them" test "$count" -gt 60

# Both sides of compare, and JSON.
good=$T/bad/archives/good.tar
for name in archives/cut-gzip archives/bomb-in-layer layers/json-deep layers/hard-cycle layers/name-escape-error; do
	attempt "$UNBLEND" compare "$good" "$T/bad/$name.tar"
	[[ $status == 2 ]] || wrong+=" its status is $status, not 2;"
	says "$T/err" "unblend: "
	tell "compare: $name is refused"
done
for name in layers/name-escape layers/owner-escape layers/pax-xattr-name layers/tags-escape layers/config-escape \
	layers/link-escape layers/twice-other layers/whiteout-root layers/device layers/sparse-0.1 layers/deep-some; do
	attempt "$UNBLEND" compare "$good" "$T/bad/$name.tar"
	[[ $status == 0 || $status == 1 ]] || wrong+=" its status is $status;"
	tell "compare: $name is compared"
	attempt "$UNBLEND" inspect --json "$T/bad/$name.tar"
	jq -e .image "$T/out" >/dev/null 2>&1 || wrong+=" it prints no JSON;"
	tell "inspect --json: $name is told"
done
attempt "$UNBLEND" recipe "$T/bad/profiles/url-script.tar.gz"
[[ $status == 2 || $status == 0 ]] || wrong+=" its status is $status;"
tell "recipe: a URL that is a command is data"
not_ok "and nothing ran" test -e "$T/watch/cwd/owned"
# In a run each is a verdict, and the run goes on; limits reach its workers.
cat >"$T/run.corpus" <<END
(corpus (version 0)
 (image (name "cut") (source "docker-archive:$T/bad/archives/cut-gzip.tar"))
 (image (name "bomb") (source "docker-archive:$T/bad/archives/bomb-in-layer.tar"))
 (image (name "values") (source "docker-archive:$T/bad/layers/json-values.tar"))
 (image (name "good") (source "docker-archive:$good")))
END
verdicts() { jq -r '.images[] | "\(.name)=\(.verdict)"' "$1/report.json" | sort | tr '\n' ' '; }
run timeout 100 "$UNBLEND" run -q --depth recipe -o "$T/report" --cache "$T/run-cache" "$T/run.corpus"
is "$(verdicts "$T/report")" "bomb=refused cut=unreadable good=no-provenance values=refused " \
	"a run refuses what is beyond a limit, and goes on"
run timeout 100 "$UNBLEND" run -q --depth recipe -o "$T/report2" --cache "$T/run-cache" \
	--limit json-values=200K --limit ratio=100000 --limit members=2 "$T/run.corpus"
is "$(verdicts "$T/report2")" "bomb=refused cut=unreadable good=refused values=refused " \
	"limits of the command line reach the workers"
like "$T/report2/report.json" 'limit members is 2: --limit members=N raises it' "and are named"

is "$(cat "$T/watch/canary")" unchanged "what lies outside is as it was"
is "$(sha256sum /etc/passwd)" "$hosts_before" "so is the machine"
done_testing
