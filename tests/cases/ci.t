#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The files for servers: what systemd makes of them, and
# that the commands in them are ones that there are.
. tests/cases/tap.sh

mkdir "$T/units"
cp ci/systemd/unblend.timer "$T/units"
# Where the program will be, nothing is yet; and the manual page is not installed.
sed -e 's|^ExecStart=[^ ]*|ExecStart=/bin/true|' -e '/^Documentation=/d' \
	ci/systemd/unblend.service >"$T/units/unblend.service"
run systemd-analyze verify "$T/units/unblend.service" "$T/units/unblend.timer"
is "$status $(cat "$T/err")" "0 " "systemd takes the units"
echo 'ProtectSystem=perhaps' >>"$T/units/unblend.service"
run systemd-analyze verify "$T/units/unblend.service"
like "$T/err" 'perhaps' "and would not take others"
is "$(systemd-analyze calendar "$(sed -n 's/^OnCalendar=//p' ci/systemd/unblend.timer)" |
	sed -n 's/ *Normalized form: //p')" '*-*-* 02:00:00' "the timer is nightly"

unknown=
for file in ci/Jenkinsfile ci/gitlab-ci.yml ci/github.yml ci/systemd/unblend.service; do
	for command in run report doctor; do
		"$UNBLEND" $command --help >"$T/help"
		# Lines that end in a backslash go on.
		sed -e ':a' -e '/\\$/N; s/\\\n//; ta' "$file" | grep -o "unblend $command .*" |
			grep -oE -e '[[:space:]]--?[a-z][a-z-]*' | tr -d '[:blank:]' | sort -u >"$T/options"
		while read -r option; do
			grep -q -e "${option}[ ,]" "$T/help" || unknown="$unknown $file:$command:$option"
		done <"$T/options"
	done
	like "$file" 'unblend run .*-o report|unblend run .*-o "?report' "$file runs a corpus"
done
is "$unknown" "" "each option is in the help of its command"
done_testing
