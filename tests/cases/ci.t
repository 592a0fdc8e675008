#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The files for servers: what the readers of each make of them, and that the
# commands in them are ones that there are.
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

# Jenkins' language is Groovy, whose own compiler takes the file apart.
if command -v groovyc >/dev/null; then
	java=$(readlink -f "$(command -v java)")
	groovy() { JAVA_HOME=${java%/bin/java} groovyc -d "$T/classes" "$1"; }
	cp ci/Jenkinsfile "$T/Good.groovy"
	ok "Groovy takes the Jenkinsfile" groovy "$T/Good.groovy"
	sed 's/always {/always /' ci/Jenkinsfile >"$T/Bad.groovy"
	not_ok "and would not take another" groovy "$T/Bad.groovy" 2>/dev/null
else
	skip 2 "no Groovy here"
fi
# What a declarative pipeline may hold at its top, by its manual.
is "$(sed -n 's/^\t\([a-z]*\) .*{.*/\1/p' ci/Jenkinsfile | tr '\n' ' ')" \
	"agent triggers options parameters environment stages post " "its sections are those of a declarative pipeline"

if [ -d build/npm/node_modules ]; then
	action() { node build/npm/node_modules/.bin/action-validator "$1"; }
	ok "GitHub's workflow is as its schema says" action ci/github.yml
	sed 's/runs-on/runs-at/' ci/github.yml >"$T/bad.yml"
	run action "$T/bad.yml"
	like "$T/err" "'runs-at' is not allowed" "which refuses another"
	mkdir "$T/gitlab"
	top=$PWD
	git -C "$T/gitlab" init -q
	git -C "$T/gitlab" -c user.name=x -c user.email=x@example.org commit -q --allow-empty -m x
	git -C "$T/gitlab" remote add origin https://git.example.org/a/b.git
	gitlab() { # FILE
		cp "$1" "$T/gitlab/.gitlab-ci.yml"
		(cd "$T/gitlab" && node "$top/build/npm/node_modules/.bin/gitlab-ci-local" --list-all)
	}
	run gitlab ci/gitlab-ci.yml
	is "$status" 0 "GitLab's file is as its schema says" || diag "$(cat "$T/err")"
	like "$T/out" '^rebuild +test ' "and has a job"
	sed 's/expire_in/expires/' ci/gitlab-ci.yml >"$T/bad.yml"
	run gitlab "$T/bad.yml"
	is "$status" 1 "which refuses another"
	like "$T/err" "'expires' property is not expected" "and says why"
else
	skip 6 "npm's packages are not here"
fi

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
