#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The house's own rules can fail: an include that points downstream, a library
# seen twice, a case that stops halfway, a skip.
. tests/cases/tap.sh
top=$PWD

mkdir -p "$T/harness/image" "$T/harness/base" "$T/cases"
echo '#include "base/err.h"' >"$T/harness/image/good.c"
echo '#include "report/report.h"' >"$T/harness/image/late.c"
echo '#include "image/image.h"' >"$T/harness/base/up.c"
echo '#include <archive.h>' >"$T/harness/image/layer.c"
echo '#  include <archive.h>' >"$T/harness/image/twin.c"
echo '#include <openssl/evp.h>' >"$T/harness/base/hash.c"

in_t() {
	script=$1
	shift
	(cd "$T" && "$top/$script" "$@")
}
run in_t ci/layers harness/image/good.c
is "$status" 0 "an include of base/ is allowed"
run in_t ci/layers harness/image/good.c harness/image/late.c
is "$status" 1 "an include of a later stage is not"
is "$(cat "$T/out")" \
	'harness/image/late.c:1: image/ may not include "report/report.h"' \
	"and is named with its line"
run in_t ci/layers harness/base/up.c
is "$status" 1 "base/ may include no stage"
run in_t ci/libraries harness/image/layer.c harness/image/good.c
is "$status" 0 "a library is seen by its one file"
run in_t ci/libraries harness/image/twin.c
is "$status" 1 "and by no other"
run in_t ci/libraries harness/base/hash.c
is "$status" 1 "a library of several headers likewise"

# tests/run judges cases of these bodies.
judge() {
	printf '#!/bin/sh\n. tests/cases/tap.sh\n%s\n' "$1" >"$T/cases/one.t"
	mkdir -p "$T/bin"
	cp /bin/true "$T/bin/unblend"
	run env UNBLEND="$T/bin/unblend" tests/run "$T/cases/one.t"
}
judge 'ok fine true
done_testing'
is "$status $(tail -n 1 "$T/out")" "0 1 passed, 0 failed, 0 skipped" \
	"a case that passes"
judge 'ok wrong false
done_testing'
is "$status $(tail -n 1 "$T/out")" "1 0 passed, 1 failed, 0 skipped" \
	"a case that fails"
judge 'ok fine true
exit 0'
is "$status $(tail -n 1 "$T/out")" "1 1 passed, 1 failed, 0 skipped" \
	"a case that stops before its end has failed"
judge 'ok fine true
skip 2 "no moon"
done_testing'
is "$status $(tail -n 1 "$T/out")" "0 1 passed, 0 failed, 2 skipped" \
	"skipped tests are counted"
is "$(uniq "$T/bin/skips")" "one.t: no moon" "and kept with their reason"
judge 'skip_all "no sun"'
is "$(tail -n 1 "$T/out")" "0 passed, 0 failed, 1 skipped" "a case skipped whole"
is "$(cat "$T/bin/skips")" "one.t: no sun" "is kept with its reason"
judge 'run sh -c "echo out; echo err >&2; exit 7"
is "$status $(cat "$T/out") $(cat "$T/err")" "7 out err" run
not_ok "what fails" false
done_testing 2'
is "$status" 0 "run keeps the status and what was said"
judge 'ok fine true
done_testing 2'
is "$status" 1 "a wrong count of tests has failed"

# A machine that lacks a package and is not root is told what to type.
if [ "$(id -u)" = 0 ]; then
	mkdir -p "$T/tree/ci" "$T/tree/tests/oracle"
	cp ci/setup "$T/tree/ci/"
	echo 'build no-such-package-here # x' >"$T/tree/ci/packages"
	chmod -R a+rwX "$T"
	run setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$T/tree/ci/setup" build
	is "$status" 1 "ci/setup without root fails where a package is missing"
	like "$T/err" '^ +sudo apt-get install .* no-such-package-here$' \
		"and says what to type"
else
	skip 2 "only root can become another user"
fi

run make -s install SETUP=no B="$(dirname "$UNBLEND")" \
	DESTDIR="$T/dest" prefix=/usr -o all
is "$status" 0 "make install" || diag "$(cat "$T/err")"
is "$(cd "$T/dest" && find . -type f | sort | tr '\n' ' ')" \
	"./usr/bin/unblend ./usr/share/man/man1/unblend.1 " \
	"installs the program and its page below DESTDIR and prefix"
run make -s uninstall SETUP=no DESTDIR="$T/dest" prefix=/usr
is "$(find "$T/dest" -type f)" "" "make uninstall takes both away"
done_testing 21
