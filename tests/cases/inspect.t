#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: world
# What inspect says of each image that the author packed, against what the
# author typed and what the real Guix exported from the image's profile.
. tests/cases/tap.sh

images=build/images

# Facts as lines, from Guix's own files: they are Scheme, one datum a line here.
urls() { grep -o '(url "[^"]*")' | sed 's/(url "\(.*\)")/\1/'; }
commits() { grep -o '(commit "[0-9a-f]*")' | sed 's/(commit "\(.*\)")/\1/'; }
# The specifications of a manifest without transformations: name and output.
specs() {
	tr '\n' ' ' | sed 's/.*(list \(.*\))).*/\1/' | grep -o '"[^"]*"' | tr -d '"' |
		sed 's/@[^:]*//'
}

n=0
for typed in "$images"/*.options; do
	name=$(basename "$typed" .options)
	image=$images/$(cut -d' ' -f3 "$images/$name.sha256")
	[ "$name" != truncated ] || continue
	n=$((n + 1))
	run "$UNBLEND" inspect --json "$image"
	[ "$status" = 0 ] || diag "$name: $(cat "$T/err")"
	cp "$T/out" "$T/json"

	"$UNBLEND" inspect --json --provenance-only "$image" >"$T/only"
	for j in json only; do
		jq 'del(.image.sha256, .image.provenance_only, .image.config_digest,
			.image.diff_ids, .image.layers[].diff_id, .image.items[].digest)' \
			"$T/$j" >"$T/$j.left"
	done
	same "$T/only.left" "$T/json.left" "$name: --provenance-only finds all but digests"
	is "$(jq -c '[.image.provenance_only, .image.sha256, .image.diff_ids[],
		.image.layers[].diff_id, .image.items[].digest] | unique' "$T/only")" \
		'[null,true]' "$name: and makes none"
	is "$(jq -r .image.sha256 "$T/json")" "$(sha256sum <"$image" | cut -d' ' -f1)" \
		"$name: sha256"

	# What the author typed, in the form that inspect prints; an option's order
	# and --no-grafts leave no trace, and the default compression is none to print.
	if [ "$name" != tampered ]; then
		grep -v -e '^--save-provenance$' -e '^--load-path=' -e '^--format=' \
			-e '^--no-grafts$' "$typed" |
			sort >"$T/typed"
		jq -r '.pack.options[]' "$T/json" | sed 's|lab\.greetings|lab/greetings|' |
			sort >"$T/found"
		same "$T/found" "$T/typed" "$name: pack options"
	fi
	[ -e "$images/$name.export-channels.scm" ] || continue
	is "$(jq -r '.channels[].url' "$T/json")" \
		"$(urls <"$images/$name.export-channels.scm")" "$name: channels' URLs"
	jq -r '.channels[] | .commit' "$T/json" | sort >"$T/found"
	commits <"$images/$name.export-channels.scm" | sort -u >"$T/exported"
	same "$T/found" "$T/exported" "$name: channels' commits"
	grep -q 'options->transformation' "$images/$name.export-manifest.scm" && continue
	jq -r '.packages[] | select(.propagated_by == null) |
		.name + (if .output == "out" then "" else ":" + .output end)' "$T/json" >"$T/found"
	specs <"$images/$name.export-manifest.scm" >"$T/exported"
	same "$T/found" "$T/exported" "$name: packages and outputs in order"
	# Versions, as the store paths say, which Guix made of them.
	jq -r '.packages[] | .store_path | sub("^/gnu/store/[a-z0-9]{32}-"; "")' "$T/json" >"$T/items"
	jq -r '.packages[] | .name + "-" + .version +
		(if .output == "out" then "" else "-" + .output end)' "$T/json" >"$T/found"
	same "$T/found" "$T/items" "$name: versions are those of the store paths"
done
run "$UNBLEND" inspect --provenance-only "$images/hello.tar.gz"
like "$T/out" '^sha256  *not computed' "--provenance-only says that it makes no digests"
same_but_digests=$("$UNBLEND" inspect "$images/hello.tar.gz" |
	sed '/^sha256 /s/ [0-9a-f]*$/ not computed: --provenance-only/; /^config /d; /^layer /d')
is "$(cat "$T/out")" "$same_but_digests" "and prints the rest as without it"
run "$UNBLEND" inspect --sbom spdx --provenance-only "$images/hello.tar.gz"
is "$status" 2 "a bill of materials without digests is refused"
ok "all images were looked at" [ "$n" -gt 30 ]
done_testing
