#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The judges themselves: each accepts what is right and refuses what is not.
. tests/cases/tap.sh

cat >"$T/good.xml" <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="unblend" tests="6" failures="2" errors="1">
 <testsuite name="demo" tests="6" failures="2" errors="1" skipped="2"
  timestamp="2026-01-01T00:00:00Z" time="1.250">
  <testcase classname="unblend.demo" name="a" time="0.100"/>
  <testcase classname="unblend.demo" name="b"><failure type="different"
   message="one &lt;two&gt;">caf&#233;</failure></testcase>
  <testcase classname="unblend.demo" name="c"><failure/></testcase>
  <testcase classname="unblend.demo" name="d"><error type="timeout"/></testcase>
  <testcase classname="unblend.demo" name="e"><skipped message="x"/></testcase>
  <testcase classname="unblend.demo" name="f"><skipped/></testcase>
 </testsuite>
</testsuites>
XML
counts="tests=6 failures=2 errors=1 skipped=2"
sed 's/ failures="2"/ failures="1"/' "$T/good.xml" >"$T/miscounted.xml"
sed 's/ time="1.250"/ time="1.25e2"/' "$T/good.xml" >"$T/badtime.xml"
sed '/<.testsuite>/d' "$T/good.xml" >"$T/malformed.xml"

for judge in junit-count xunit-count; do
	run tests/oracle/$judge "$T/good.xml"
	is "$status" 0 "$judge accepts a good file"
	is "$(cat "$T/out")" "$counts" "$judge counts its cases"
	run tests/oracle/$judge "$T/malformed.xml"
	is "$status" 1 "$judge refuses a malformed file"
	run tests/oracle/$judge
	is "$status" 2 "$judge says how it is used"
done
run tests/oracle/junit-count "$T/miscounted.xml"
is "$status" 1 "junit-count refuses counts that are not those of the cases"
like "$T/err" 'suite demo says failures=1, its cases 2' "and says which"

xsd=tests/schema/jenkins-junit-10.xsd
run xmllint --noout --schema "$xsd" "$T/good.xml"
is "$status" 0 "the schema accepts a good file"
run xmllint --noout --schema "$xsd" "$T/badtime.xml"
is "$status" 3 "the schema refuses a time with an exponent"

cat >"$T/good.html" <<'HTML'
<!doctype html><html lang="en"><meta charset="utf-8"><title>t</title>
<link rel="icon" href="data:,"><h1>A page</h1>
<div style="overflow:auto"><pre>aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa</pre></div>
HTML
sed 's/overflow:auto/color:red/' "$T/good.html" >"$T/bad.html"
cat >>"$T/bad.html" <<'HTML'
<script>nothing.here()</script>
<link rel="stylesheet" href="absent.css">
<img src="http://127.0.0.1:8/a.png">
HTML

check() {
	run tests/oracle/page-check "$T/$1.html" "$T/$1.png" 400
}
check good
is "$status" 0 "page-check accepts a page that fits" || diag "$(cat "$T/err")"
is "$(cat "$T/out")" "width=400 scrollWidth=400 clientWidth=400" \
	"page-check measures it"
is "$(head -c 4 "$T/good.png" | tail -c 3)" PNG "page-check takes a picture"
check bad
is "$status" 1 "page-check refuses a bad page"
like "$T/err" 'scrolls sideways: .*<pre' "it scrolls sideways; names what does"
like "$T/err" 'script: nothing is not defined' "its script fails"
like "$T/err" 'could not load file:.*absent.css' "it lacks a file"
like "$T/err" 'asks for http://127.0.0.1:8/a.png' "it asks the network"
done_testing 20
