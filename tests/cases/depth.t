#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: world
# How much is rebuilt: recipes alone, without any build; what leaves no trace in
# an image; packages and all below once more; and whether what differs is chance
# or change.
. tests/cases/tap.sh

world=${WORLD:-build/world}
images=$PWD/build/images
db=$T/db

sql() { sqlite3 -batch "$db" "$@"; }

# of NAME COLUMN TABLE: of the newest run.
of() {
	sql "SELECT $2 FROM sample JOIN $3 ON sample.id = $3.sample_id
		WHERE name = '$1' ORDER BY run_id DESC LIMIT 1"
}

notes() {
	sql "SELECT text FROM attempt_text WHERE kind = 'note' AND sample_id =
		(SELECT max(id) FROM sample WHERE name = '$1')"
}

# unblend OPTION...: run $T/t.corpus in the world.
unblend() {
	tests/world/enter "$UNBLEND" run "$T/t.corpus" --trust corpus/demo.trust \
		--mirror git://127.0.0.1/guix=file:///srv/channels/guix \
		--cache "$T/cache" -d "$db" -o "$T/report" "$@"
}

corpus() { # NAME[=FILE]...: $T/t.corpus of images
	{
		echo '(corpus (version 0)'
		for image; do
			file=${image#*=}
			[ "$file" != "$image" ] || file=$(echo "$images/$image".*tar* | cut -d' ' -f1)
			echo "(image (name \"${image%%=*}\") (source \"$file\"))"
		done
		echo ')'
	} >"$T/t.corpus"
}

# remake IMAGE FILE CMD...: the docker archive again, after CMD LAYER changed its
# layer; the digests are put right.
remake() {
	rm -rf "$T/d"
	mkdir "$T/d"
	tar -xzf "$images/$1.tar.gz" -C "$T/d"
	layer=$(cd "$T/d" && echo */layer.tar)
	old=$(sha256sum <"$T/d/$layer")
	file=$2
	shift 2
	"$@" "$T/d/$layer"
	new=$(sha256sum <"$T/d/$layer")
	sed -i "s/${old%% *}/${new%% *}/" "$T/d/config.json"
	tar --format=gnu --sort=name --mtime=@1 --owner=0 --group=0 --numeric-owner \
		-C "$T/d" -cf - . | gzip -9n >"$file"
}

# member NAME: where the contents of a member begin, from `tar -R'.
flip_hello() { # LAYER: the 65th byte of bin/hello is another
	path=$(tar -tf "$1" | grep 'hello-2.12/bin/hello$')
	block=$(tar -tRf "$1" | sed -n "s,^block \([0-9]*\): $path\$,\1,p")
	printf '\377' | dd of="$1" bs=1 seek=$((block * 512 + 512 + 64)) conv=notrunc status=none
}

drop_bin() { tar --delete -f "$1" bin; }

# --- recipes alone ------------------------------------------------------------
remake symlinks "$T/stripped.tar.gz" drop_bin
not_ok "a link of the stripped image is gone" \
	sh -c 'tar -xzOf "$1" --wildcards "*/layer.tar" | tar -t | grep -qx bin' sh "$T/stripped.tar.gz"
known="hello hello-g1 hello-1.0 multi choir shell two-channels rabbit-old repeat
	transformed nested symlinks entrypoint tagged layered localstate quoting none
	xz zstd bzip2 lzip odd git-url other-fs dice deep vanish fails hangs"
# The channel that only a mirror answers for stays in.
# shellcheck disable=SC2086
corpus $known "stripped=$T/stripped.tar.gz" ungrafted loose noprov
sleep 1 # files of the same second
: >"$T/before"
sleep 1
run unblend --depth recipe -j 2
is "$status" 1 "recipes are looked at; two of the images have none that is right"
is "$(find "$world/log/guix" -type f -newer "$T/before" | wc -l)" 0 \
	"the daemon has built nothing: no log of its is newer"
is "$(sql "SELECT sum(built) + sum(substituted) + sum(downloaded) FROM rebuild")" 0 \
	"and unblend says so"
is "$(sql "SELECT DISTINCT depth FROM rebuild")" recipe "of each"
for name in $known stripped ungrafted; do
	is "$(of "$name" verdict attempt)" same-recipe "the recipe of $name is right"
done
is "$(sql "SELECT count(*) FROM rebuild JOIN attempt USING (sample_id)
	JOIN recipe ON recipe.id = recipe_id
	WHERE verdict = 'same-recipe' AND rebuild.profile <> recipe.profile")" 0 \
	"its profile is the image's"
is "$(of loose verdict attempt)" unbuildable "a package that no channel has"
is "$(of noprov verdict attempt)" no-provenance "an image without provenance"
is "$(sql "SELECT accept FROM run")" same-recipe "the line is same-recipe"
like "$T/report/index.html" '32 of 34 images have the right recipe; none was rebuilt' \
	"the report does not call them rebuilt"

# --- what leaves no trace -----------------------------------------------------
notes ungrafted >"$T/notes"
like "$T/notes" 'Lowered besides it: --no-grafts' "the report says what was tried"
like "$T/notes" 'Taken: --no-grafts, which leads to the profile' "and what was taken"
is "$(sql "SELECT pack_options LIKE '%--no-grafts%' FROM recipe
	JOIN attempt ON recipe.id = recipe_id JOIN sample ON sample.id = sample_id
	WHERE name = 'ungrafted'")" 1 "and that is the recipe"
notes hello >"$T/notes"
unlike "$T/notes" 'Lowered besides it' "nothing else is lowered where the recipe is right at once"
like "$T/notes" '^Lowered together with 2[0-9] other recipes of these channels, in one process' \
	"many recipes are lowered together"

# Named as the store named it, with links in an order that it does not show.
tests/world/enter sh -c '
	image=$(guix time-machine -C "$1/symlinks.channels.scm" -- pack -f docker \
		--save-provenance -S /etc/choir=share/choir -S /bin=bin \
		-m "$1/symlinks.manifest.scm") && cp "$image" "$2" && echo "$image"' \
	sh "$images" "$T" >"$T/packed" 2>"$T/err"
own=$(basename "$(tail -n 1 "$T/packed")")
corpus "turned=$T/$own"
run unblend --depth recipe
is "$(of turned verdict attempt)" same-recipe "an image with links in another order"
notes turned >"$T/notes"
like "$T/notes" 'Taken: the --symlink options in another order, /etc/choir=share/choir first' \
	"the order is that which leads to the file's own name"

# A graft that applies: without its package in the store, nothing can be said.
corpus grafted ungrafted
run tests/world/enter --throwaway sh -c 'guix gc >/dev/null 2>&1; exec "$@"' sh \
	"$UNBLEND" run "$T/t.corpus" --trust corpus/demo.trust --cache "$T/cache2" \
	-d "$T/db2" -o "$T/report2" --depth recipe
is "$(sqlite3 -batch "$T/db2" "SELECT name || ' ' || verdict || ' ' || coalesce(class, '')
	FROM sample JOIN attempt ON sample.id = sample_id ORDER BY seq")" \
	"grafted not-tried needs-build
ungrafted same-recipe " "no build for a graft either"
run unblend
is "$status" 0 "both are rebuilt"
is "$(of grafted verdict attempt) $(of ungrafted verdict attempt)" "identical identical" \
	"identical, grafted or not"

# Where this machine alone has failed, that is its exit status.
corpus hello multi
run env PATH=/usr/bin:/bin "$UNBLEND" run "$T/t.corpus" --trust corpus/demo.trust \
	--cache "$T/cache3" -o "$T/report3"
is "$status $(jq -r '[.images[].verdict] | unique[]' "$T/report3/report.json")" "3 not-tried" \
	"without Guix: the machine failed, and no image"
corpus hello noprov
run env PATH=/usr/bin:/bin "$UNBLEND" run "$T/t.corpus" --trust corpus/demo.trust \
	--cache "$T/cache3" -o "$T/report4"
is "$status" 1 "and an image that does not pass by itself is what counts"

# --- more of it ---------------------------------------------------------------
corpus dice
run unblend --depth packages
is "$(of dice depth rebuild) $(of dice examined rebuild) $(of dice unstable rebuild)" "packages 2 1" \
	"depth packages: each of the manifest, counted once"
notes dice >"$T/notes"
like "$T/notes" 'Depth packages: .* did not come out the same: dice@6 \(' "what does not build the same is named"
is "$(of dice verdict attempt)" nondeterministic "the verdict is of the image"
corpus choir
run unblend --depth closure
is "$status" 0 "depth closure"
is "$(of choir 'examined > 8' rebuild) $(of choir unstable rebuild) $(of choir verdict attempt)" \
	"1 0 identical" "all below, which builds the same"

# --- chance or change ---------------------------------------------------------
remake dice "$T/changed.tar.gz" flip_hello
remake hello "$T/hello.tar.gz" flip_hello
corpus "dice-changed=$T/changed.tar.gz" "hello-changed=$T/hello.tar.gz" deep
run unblend
item=$(tar -tf "$T/d/$layer" | sed -n 's,^\(gnu/store/[^/]*hello-2\.12\)/bin/hello$,\1,p')
is "$(of hello-changed verdict attempt)" altered "one byte of hello is another: altered"
is "$(of hello-changed cause attempt)" \
	"Builds the same every time, only not as in the image: hello@2.12: /$item/bin/hello from byte 64." \
	"package, file and byte are named"
is "$(of dice-changed verdict attempt)" altered "chance elsewhere does not hide it"
of dice-changed cause attempt >"$T/cause"
like "$T/cause" "hello@2.12: /$item/bin/hello from byte 64\." "the change is named"
like "$T/cause" 'Does not build the same twice here: dice@6\.' "and what is chance"
is "$(of deep verdict attempt)" nondeterministic "what the manifest's package refers to"
notes deep >"$T/notes"
like "$T/notes" 'dice-6 \(needed by croupier@1\): does not .*; the way to it: /gnu/store/[^ ]*-croupier-1$' \
	"is named with the way to it"
done_testing
