#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Bills of materials: valid by their schemas, and with all that is in the image.
. tests/cases/tap.sh

schema=tests/schema
valid() { # FORM FILE
	if [ "$1" = spdx ]; then
		tests/oracle/json-check "$schema"/spdx-2.3-schema.json "$2"
	else
		tests/oracle/json-check "$schema"/cyclonedx-bom-1.6.schema.json \
			-r "$schema"/cyclonedx-jsf-0.82.schema.json \
			-r "$schema"/cyclonedx-spdx.schema.json "$2"
	fi
}

# An image by hand, with words that would break out of a text or a URL.
hash=00000000000000000000000000000000
mkdir -p "$T/root/gnu/store/$hash-profile" "$T/root/gnu/store/$hash-a-b-1.2" \
	"$T/root/gnu/store/$hash-plain"
echo x >"$T/root/gnu/store/$hash-a-b-1.2/x"
cat >"$T/root/gnu/store/$hash-profile/manifest" <<END
(manifest (version 4) (packages (
 ("evil\"<&>é/ 1" "1.0 \x1b[31m" "out" "/gnu/store/$hash-evil" (propagated-inputs
  (("a-b" "1.2" "lib" "/gnu/store/$hash-a-b-1.2" (propagated-inputs ()) (search-paths ())
    (properties ()))
   ("a-b" "1.2" "lib" "/gnu/store/$hash-a-b-1.2" (propagated-inputs ()) (search-paths ())
    (properties ()))))
  (search-paths ()) (properties ((provenance (repository (version 0) (url "https://git.example.org/<x>")
   (branch "master") (commit "523bbfe523bbfe523bbfe523bbfe523bbfe523bb") (name guix)))))))))
END
tar -C "$T/root" -cf "$T/root.tar" gnu

for form in cyclonedx spdx; do
	SOURCE_DATE_EPOCH=1000000000 run "$UNBLEND" inspect --sbom $form "rootfs:$T/root.tar"
	is "$status" 0 "a bill in $form" || diag "$(cat "$T/err")"
	cp "$T/out" "$T/$form.json"
	if [ -d build/npm/node_modules ]; then
		ok "valid by its schema" valid $form "$T/$form.json"
	else
		skip 1 "npm's packages are not here"
	fi
	unlike "$T/$form.json" "$(printf '\033')" "without control characters"
	SOURCE_DATE_EPOCH=1000000000 run "$UNBLEND" inspect --sbom $form "rootfs:$T/root.tar"
	same "$T/out" "$T/$form.json" "and the same again"
done
is "$(jq -r '.components[] | [.type, .name, .version // "-", ."bom-ref"] | @tsv' "$T/cyclonedx.json")" \
	"$(printf '%s\n' "library	a-b	1.2	/gnu/store/$hash-a-b-1.2" \
		"library	evil\"<&>é/ 1	1.0 #x1B[31m	/gnu/store/$hash-evil" \
		"file	plain	-	/gnu/store/$hash-plain" \
		"file	profile	-	/gnu/store/$hash-profile")" \
	"packages of the manifest and items of the store, each once"
is "$(jq -r '.components[1].purl' "$T/cyclonedx.json")" \
	"pkg:generic/$(printf 'evil"<&>é/ 1' | jq -sRr @uri)@$(printf '1.0 \033[31m' | jq -sRr @uri)" \
	"a URL is encoded"
is "$(jq -r '.dependencies[] | select(.ref | endswith("evil")).dependsOn[]' "$T/cyclonedx.json")" \
	"/gnu/store/$hash-a-b-1.2" "what is propagated is a dependency, once"
is "$(jq -r '.components[1].properties[] | select(.name == "guix:channel-commit").value' "$T/cyclonedx.json")" \
	523bbfe523bbfe523bbfe523bbfe523bbfe523bb "with the channel's commit"
is "$(jq -r '.metadata.component.hashes[0].content' "$T/cyclonedx.json")" \
	"$(sha256sum <"$T/root.tar" | cut -d' ' -f1)" "of this file"
is "$(jq -r '.creationInfo.created' "$T/spdx.json")" 2001-09-09T01:46:40Z \
	"SOURCE_DATE_EPOCH is the time of an SPDX document"
is "$(jq '[.relationships[] | select(.relationshipType == "CONTAINS")] | length' "$T/spdx.json")" 4 \
	"which has all four"
run "$UNBLEND" inspect --sbom syft "rootfs:$T/root.tar"
is "$status" 2 "another form is refused"

# Those that the real Guix packed, where they are.
for image in build/images/hello.tar.gz build/images/multi.tar.gz build/images/rpm.rpm; do
	[ -e "$image" ] || continue
	"$UNBLEND" inspect --json "$image" >"$T/json"
	for form in cyclonedx spdx; do
		"$UNBLEND" inspect --sbom $form "$image" >"$T/$form.json"
		ok "$(basename "$image") in $form" valid $form "$T/$form.json"
	done
	is "$(jq -r '.components[] | select(.type == "library") | .properties[0].value' "$T/cyclonedx.json" | sort)" \
		"$(jq -r '.. | objects | select(has("store_path")).store_path' "$T/json" | sort -u)" \
		"has the packages of its manifest"
done
done_testing
