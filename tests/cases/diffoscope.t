#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# diffoscope on what differs and on nothing else: the real one, in a sandbox,
# within limits; and its page, which runs and loads nothing.
. tests/cases/tap.sh

item=gnu/store/00000000000000000000000000000000-x
image() { # SIDE
	tar -C "$T/$1" --sort=name --mtime=@1 --owner=0 --group=0 --numeric-owner -cf "$T/$1.layer" gnu
	mkdir -p "$T/parts"
	mv "$T/$1.layer" "$T/parts/layer.tar"
	printf '{"architecture":"amd64","rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"config":{}}' \
		"$(sha256sum <"$T/parts/layer.tar" | cut -d' ' -f1)" >"$T/parts/config.json"
	printf '[{"Config":"config.json","RepoTags":["x:y"],"Layers":["layer.tar"]}]' >"$T/parts/manifest.json"
	tar -C "$T/parts" -cf "$T/$1.tar" config.json manifest.json layer.tar
}
for side in a b; do
	mkdir -p "$T/$side/$item/.dot" "$T/members"
	echo "the word of $side" >"$T/members/member"
	touch -d @1 "$T/members/member"
	tar -C "$T/members" --owner=0 --group=0 -cf "$T/$side/$item/inner.tar" member
	echo same >"$T/$side/$item/same"
	printf '<script id="evil">evil=1</script> %s\n' $side >"$T/$side/$item/.dot/$(printf 'a\033"<b id=evil>')"
	image $side
done

# Without it, it is said; a fake one, first on PATH, for what it cannot be made to do.
mkdir "$T/empty" "$T/bin"
run env PATH="$T/empty" "$UNBLEND" compare --diffoscope "$T/page.html" "$T/a.tar" "$T/b.tar"
is "$status" 3 "where there is no diffoscope, the machine is not fit"
like "$T/err" 'there is no diffoscope on PATH' "which is said"

fake() { # NAME COMMANDS: what a diffoscope that does this leaves
	printf '#!/bin/sh\n%s\n' "$2" >"$T/bin/diffoscope"
	chmod +x "$T/bin/diffoscope"
	run env PATH="$T/bin:$PATH" "$UNBLEND" compare --diffoscope "$T/fake.html" \
		--diffoscope-timeout 2 "$T/a.tar" "$T/b.tar"
	is "$status" 1 "$1: the verdict stands"
	not_ok "and there is no page" test -e "$T/fake.html"
}
fake "one that hangs" 'sleep 60'
like "$T/err" 'no page of diffoscope: it .*deadline of 2 s' "its time is limited"
fake "one that fails" 'echo first >&2; echo "the \033 reason" >&2; exit 2'
like "$T/err" 'no page of diffoscope: it exited with 2: the .* reason' "its last line is told"
fake "one that writes without end" 'exec cat /dev/zero >out.html'
like "$T/err" 'no page of diffoscope: it ' "its files are limited"
fake "one that takes much memory" "exec perl -e 'length(q(x) x (4 << 30)) and open(F, q(>out.html)) and print F q(<head>)'"
like "$T/err" 'no page of diffoscope: it' "its memory is limited"
fake "one that finds nothing" 'exit 0'
like "$T/err" 'no page of diffoscope: it finds no difference' "which is said"
# What it can see and do.  A file of another, beside the folder of this one.
echo secret >"$T/secret"
fake "one that looks around" "touch '$T/was-here' /etc/unblend-was-here
cat '$T/secret' 2>/dev/null
echo \"files \$(find image rebuild -type f | wc -l), nets \$(tail -n +3 /proc/net/dev | grep -vc 'lo:'), secrets \$(ls '$T/secret' 2>/dev/null | wc -l)\" >&2
exit 2"
like "$T/err" 'it exited with 2: files 4, nets 0, secrets 0$' "it sees the files that differ, no network, and no other's"
not_ok "nothing was written elsewhere" test -e "$T/was-here" -o -e /etc/unblend-was-here

command -v diffoscope >/dev/null || {
	skip 13 "diffoscope is not here"
	done_testing
}
run "$UNBLEND" compare --diffoscope "$T/page.html" "$T/a.tar" "$T/b.tar"
is "$status" 1 "the real one" || diag "$(cat "$T/err")"
like "$T/out" "^diffoscope: $T/page.html\$" "its page is named"
like "$T/page.html" 'the<span class="dp">·</span>word' "it looks into archives"
unlike "$T/page.html" 'same' "and at nothing that is the same"
like "$T/page.html" 'default-src &#x27;none|default-src .none' "the page has a policy"
is "$(find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'unblend-*' -newer "$T/bin" -user "$(id -u)" -not -path "$T" \
	-exec test -d {}/diffoscope \; -print)" "" "nothing is left"

# From a database: a run whose image and rebuilt file are still there.
db=$T/db
ok "a database" tests/cases/many "$db" 20 1
sum() { sha256sum <"$1" | cut -d' ' -f1; }
sqlite3 -batch "$db" "
	UPDATE attempt SET image_path = '$T/a.tar' WHERE sample_id = 8;
	UPDATE image SET sha256 = x'$(sum "$T/a.tar")' WHERE id = 8;
	UPDATE rebuild SET output = '$T/b.tar' WHERE sample_id IN (8, 14);
	UPDATE rebuilt SET sha256 = x'$(sum "$T/b.tar")' WHERE sample_id IN (8, 14);"
run "$UNBLEND" report -d "$db" -o "$T/site" --diffoscope
is "$status" 0 "the reports of a run" || diag "$(cat "$T/err")"
is "$(cd "$T/site/diffoscope" && echo *)" image-000007.html "have a page of what is still there"
like "$T/site/images/image-000007.html" 'href="\.\./diffoscope/image-000007\.html"' "to which that of the image links"
like "$T/site/images/image-000013.html" 'no page of diffoscope: the image or the rebuilt file is not there' \
	"and that of another says why it has none"
unlike "$T/site/images/image-000000.html" 'diffoscope' "where nothing differs, nothing is said"
if [ -d build/npm/node_modules ] && { [ -x /usr/bin/chromium ] || [ -x /usr/bin/chromium-browser ]; }; then
	run tests/oracle/page-check "$T/page.html" "$T/page.png" 1280
	unlike "$T/err" 'asks for|script:' "in a browser it asks for nothing and runs nothing" || diag "$(cat "$T/err")"
else
	skip 1 "no browser here"
fi
done_testing
