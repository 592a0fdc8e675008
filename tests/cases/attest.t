#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Attestations: in-toto statements on rebuilds and verdicts, failures too, and
# signatures that the tools themselves check.
. tests/cases/tap.sh

db=$T/db
sql() { sqlite3 -batch "$db" "$1"; }
ok "a database" tests/cases/many "$db" 150 1
run "$UNBLEND" report -d "$db" -o "$T/plain"
not_ok "none are written unasked" test -e "$T/plain/attestations"
ssh-keygen -q -t ed25519 -N '' -C x -f "$T/ssh"
run "$UNBLEND" report -d "$db" -o "$T/site" --format csv --attest --sign-key "$T/ssh"
is "$status" 0 "attestations, signed" || diag "$(cat "$T/err")"
at=$T/site/attestations

is "$(find "$at" -name '*.verdict.json' | wc -l)" 150 "a verdict an image"
is "$(find "$at" -name '*.provenance.json' | wc -l)" "$(sql 'SELECT count(*) FROM rebuilt')" \
	"provenance of each rebuilt file"
is "$(cat "$at"/*.json | jq -r '._type' | sort -u)" https://in-toto.io/Statement/v1 \
	"all are in-toto statements"
is "$(jq -r '[.predicateType, .subject[0].digest.sha256,
	(.predicate.buildDefinition | .buildType, .externalParameters."manifest.scm",
	.resolvedDependencies[0].uri, .resolvedDependencies[0].digest.gitCommit),
	(.predicate.runDetails | .builder.id, .metadata.startedOn)] | .[]' "$at/image-000002.provenance.json")" \
	"https://slsa.dev/provenance/v1
$(sql "SELECT lower(hex(sha256)) FROM rebuilt WHERE sample_id = 3")
urn:unblend:guix-pack:v1
(specifications->manifest '(\"hello\"))
git+https://git.example.org/guix.git
$(sql 'SELECT "commit" FROM channel WHERE channel_set_id = 1')
urn:unblend:host:builder
2023-11-15T22:13:20Z" "provenance as SLSA has it"
verdict() {
	jq -r '[.subject[0].digest.sha256[-3:], .predicate.result, (.predicate.passedTests | join(",")),
		(.predicate.failedTests | join(",")), .predicate.unblend_verdict.verdict] | join(" ")' \
		"$at/image-$1.verdict.json"
}
hex() { sql "SELECT substr(lower(hex(sha256)), -3) FROM image WHERE id = $1 + 1"; }
is "$(verdict 000002)" "$(hex 2) PASSED identical,same-image,same-contents  identical" "of an identical image"
is "$(verdict 000001)" "$(hex 1) PASSED same-contents identical,same-image same-contents" "the level is told"
is "$(verdict 000021)" "$(hex 21) FAILED  identical,same-image,same-contents unbuildable" "a failure too"
is "$(verdict 000013)" "$(hex 13) WARNED  identical,same-image,same-contents different" \
	"and what is expected to fail"
is "$(jq -r '.predicate.configuration[1].digest.sha256' "$at/image-000002.verdict.json")" \
	"$(printf '%s' "(specifications->manifest '(\"hello\"))" | sha256sum | cut -d' ' -f1)" \
	"with the digest of what it was made with"

echo "me $(cut -d' ' -f1-2 "$T/ssh.pub")" >"$T/allowed"
bad=0 n=0
for file in "$at"/*.json; do
	n=$((n + 1))
	[ $((n % 10)) = 1 ] || continue
	ssh-keygen -q -Y verify -f "$T/allowed" -I me -n unblend -s "$file.sig" <"$file" >/dev/null || bad=1
done
is "$bad" 0 "ssh-keygen takes the signatures for good"
sed 's/PASSED/FAILED/' "$at/image-000002.verdict.json" >"$T/forged"
run sh -c 'exec ssh-keygen -q -Y verify -f "$1/allowed" -I me -n unblend -s "$2" <"$1/forged"' \
	sh "$T" "$at/image-000002.verdict.json.sig"
not_ok "and not that of another text" [ "$status" = 0 ]
is "$(find "$at" -name '*.sig' | wc -l)" "$(find "$at" -name '*.json' | wc -l)" "each has one"

cp -r "$at" "$T/first"
run "$UNBLEND" report -d "$db" -o "$T/site" --format csv --attest --sign-key "$T/ssh"
ok "again, they are the same to the byte" diff -r "$T/first" "$at"

printf '\n\n' | minisign -G -W -p "$T/mini.pub" -s "$T/mini.key" >/dev/null 2>&1
run "$UNBLEND" report -d "$db" -o "$T/site" --format csv --attest --sign-key "$T/mini.key"
is "$status" 0 "signed by minisign" || diag "$(cat "$T/err")"
ok "who takes it for good" minisign -V -q -p "$T/mini.pub" -m "$at/image-000021.verdict.json"
cp "$T/forged" "$at/image-000002.verdict.json"
not_ok "and not another text" minisign -V -q -p "$T/mini.pub" -m "$at/image-000002.verdict.json" 2>/dev/null

mkdir "$T/kept" && cp -r "$at/." "$T/kept"
echo nonsense >"$T/nokey"
chmod 600 "$T/nokey"
run "$UNBLEND" report -d "$db" -o "$T/site" --format csv --attest --sign-key "$T/nokey"
is "$status" 2 "a key that is none is refused"
like "$T/err" "nokey: ssh-keygen exited with" "and why is said"
ok "what was there stays" diff -r "$T/kept" "$at"
run "$UNBLEND" report -d "$db" -o "$T/site" --sign-key "$T/ssh"
is "$status" 2 "a key without --attest is a mistake"
done_testing
