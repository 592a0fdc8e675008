# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh disable=SC2034
#
# TAP for cases written in sh.  A case, tests/cases/NAME.t, is run by tests/run
# from the top of the tree, and reads like this:
#
#     #!/bin/sh
#     # SPDX-License-Identifier: GPL-3.0-or-later
#     # needs: world                    only if it enters the offline Guix
#     . tests/cases/tap.sh
#
#     run "$UNBLEND" inspect --json "$T/image.tar"
#     is "$status" 0 "inspect reads an image"
#     like "$T/out" '"format"' "and prints JSON"
#     is "$(cat "$T/err")" "" "and no complaint"
#     done_testing
#
# $UNBLEND is the program, absolute; $T a folder of the case's own, removed
# when it ends.  Set KEEP=1 to look at it afterwards.

set -u
T=$(mktemp -d "${TMPDIR:-/tmp}/unblend-case.XXXXXX") || exit 1
tap_count=0 tap_failed=0 tap_done=no status=

tap_end() {
	tap_status=$?
	trap - EXIT
	if [ "${KEEP-}" ]; then
		echo "# kept: $T"
	else
		chmod -R u+rwX "$T" 2>/dev/null
		rm -rf "$T"
	fi
	[ "$tap_done" = yes ] && exit "$tap_status"
	echo "# ended by status $tap_status before done_testing"
	exit 255
}
trap tap_end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# tap_result STATUS NAME: one line of TAP; returns STATUS.
tap_result() {
	tap_count=$((tap_count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tap_count - $2"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_count - $2"
	fi
	return "$1"
}

# diag TEXT...: lines for a person.
diag() {
	printf '%s\n' "$@" | sed 's/^/# /'
}

# ok NAME CMD...: CMD succeeds.
ok() {
	tap_name=$1
	shift
	"$@"
	tap_result $? "$tap_name" || diag "failed: $*"
}

# not_ok NAME CMD...: CMD fails.
not_ok() {
	tap_name=$1
	shift
	if "$@"; then
		tap_result 1 "$tap_name" || diag "should have failed: $*"
	else
		tap_result 0 "$tap_name"
	fi
}

# is GOT EXPECTED NAME: two texts are equal.
is() {
	[ "$1" = "$2" ]
	tap_result $? "$3" || diag "     got: $1" "expected: $2"
}

# like FILE ERE NAME: some line of FILE matches.
like() {
	grep -Eq -e "$2" "$1"
	tap_result $? "$3" || {
		diag "no line of ${1#"$T"/} matches: $2"
		head -n 20 "$1" | sed 's/^/#   /'
	}
}

# unlike FILE ERE NAME: no line of FILE, which is there, matches.
unlike() {
	[ -r "$1" ] && ! grep -Eq -e "$2" "$1"
	tap_result $? "$3" || {
		diag "${1#"$T"/} is absent or these lines match: $2"
		grep -E -e "$2" "$1" 2>&1 | head -n 20 | sed 's/^/#   /'
	}
}

# same FILE EXPECTED-FILE NAME: two files hold the same bytes.
same() {
	cmp -s "$1" "$2"
	tap_result $? "$3" || {
		diag "${1#"$T"/} (-) and ${2#"$T"/} (+) differ:"
		diff -u "$1" "$2" | head -n 30 | sed 's/^/#   /'
	}
}

# run CMD...: $status is how it ended; $T/out and $T/err are what it said.
run() {
	status=0
	"$@" >"$T/out" 2>"$T/err" </dev/null || status=$?
}

# skip COUNT REASON: COUNT tests that cannot be made here.
skip() {
	tap_left=$1
	while [ "$tap_left" -gt 0 ]; do
		tap_count=$((tap_count + 1)) tap_left=$((tap_left - 1))
		echo "ok $tap_count # SKIP $2"
	done
}

# skip_all REASON: the case cannot be run here.
skip_all() {
	tap_done=yes
	echo "1..0 # SKIP $1"
	exit 0
}

# done_testing [COUNT]: the end; a case that stops before it has failed.
done_testing() {
	tap_done=yes
	if [ "${1-$tap_count}" -ne "$tap_count" ]; then
		echo "# $tap_count tests, not $1"
		tap_failed=$((tap_failed + 1))
	fi
	echo "1..$tap_count"
	[ "$tap_count" -gt 0 ] && [ "$tap_failed" -eq 0 ]
	exit
}
