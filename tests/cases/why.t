#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Why contents differ, and the bytes that show it: from the two files alone.
. tests/cases/tap.sh

item=gnu/store/00000000000000000000000000000000-x
# image NAME FILE: a docker archive of $T/NAME.
image() {
	tar -C "$T/$1" --sort=name --mtime=@1 --owner=0 --group=0 --numeric-owner -cf "$T/layer.tar" gnu
	mkdir -p "$T/$1.parts"
	mv "$T/layer.tar" "$T/$1.parts/layer.tar"
	printf '{"architecture":"amd64","rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"config":{}}' \
		"$(sha256sum <"$T/$1.parts/layer.tar" | cut -d' ' -f1)" >"$T/$1.parts/config.json"
	printf '[{"Config":"config.json","RepoTags":["x:y"],"Layers":["layer.tar"]}]' >"$T/$1.parts/manifest.json"
	tar -C "$T/$1.parts" -cf "$T/$1.tar" config.json manifest.json layer.tar
}

for side in a b; do
	mkdir -p "$T/$side/$item/sub" "$T/$side/gnu/store/11111111111111111111111111111111-only-$side/d"
	echo one >"$T/$side/gnu/store/11111111111111111111111111111111-only-$side/d/one"
	ln -s d/one "$T/$side/gnu/store/11111111111111111111111111111111-only-$side/link"
done
a=$T/a/$item b=$T/b/$item
# What tools of builds leave, each made by the tool itself.
TZ=UTC date -d @1700000000 >"$a/date"
TZ=UTC date -d @1763996401 >"$b/date"
echo text >"$T/text"
touch -d @1700000000 "$T/text" && gzip -c "$T/text" >"$a/text.gz"
touch -d @1763996401 "$T/text" && gzip -c "$T/text" >"$b/text.gz"
for side in a b; do
	echo "int main(void) { return 0; }" >"$T/m.c"
	(cd "$T" && gcc -c m.c -o m.o && touch -d "@17000000$([ $side = a ] && echo 10 || echo 20)" m.o &&
		ar rcU "$T/$side/$item/lib.a" m.o)
	cat /proc/sys/kernel/random/uuid >"$T/$side/$item/uuid"
	printf 'x=/tmp/guix-build-hello-2.12.drv-%s/source\n' "$([ $side = a ] && echo 0 || echo 12)" >"$T/$side/$item/path"
done
seq 100 >"$a/order" && shuf --random-source="$a/order" "$a/order" >"$b/order"
printf 'first\nsecond line\nthird\n' >"$a/sub/words"
printf 'first\nsecond LINE\nthird\n' >"$b/sub/words"
head -c 100000 /dev/zero | tr '\0' x >"$a/long"
{ head -c 5000 "$a/long"; echo y; tail -c +5003 "$a/long"; } >"$b/long"
head -c 9000000 /dev/zero >"$a/huge"
{ cat "$a/huge"; echo more; } >"$b/huge"
: >"$a/empty"
echo x >"$b/empty"
image a
image b

run "$UNBLEND" compare --json "$T/a.tar" "$T/b.tar"
is "$status" 1 "they differ" || diag "$(cat "$T/err")"
cp "$T/out" "$T/json"
is "$(jq -r '.differences[] | select(.kind == "contents" or .kind == "size") |
	(.path | sub(".*/"; "")) + ": " + (.why // "-")' "$T/json")" \
	"date: only time-stamp
empty: only cut
huge: -
lib.a: only time-stamp
long: -
order: only order
path: only build-path
words: -
text.gz: only time-stamp
uuid: only random" "why each differs; nothing where nothing is proved, or it is too large"

# The bytes, by other tools.
part() { # PATH SIDE
	jq -r ".differences[] | select(.path | endswith(\"/$1\")).part | \"\(.offset) \(.$2)\"" "$T/json"
}
bytes() { # FILE OFFSET
	printf '%s %s' "$2" "$(tail -c +$(($2 + 1)) "$1" | head -c 256 | od -An -v -tx1 | tr -d ' \n')"
}
is "$(part words image_hex)" "$(bytes "$a/sub/words" 6)" "the part of a text begins with its line"
is "$(part words rebuilt_hex)" "$(bytes "$b/sub/words" 6)" "on both sides"
is "$(part long image_hex)" "$(bytes "$a/long" 4928)" "that of a long line 64 to 80 bytes before, at a multiple of 16"
is "$(part long rebuilt_hex)" "$(bytes "$b/long" 4928)" "and has 256 bytes"
is "$(part huge rebuilt_hex)" "$(bytes "$b/huge" 8999936)" "also of what is too large to be asked why"
is "$(part empty image_hex) $(part empty rebuilt_hex)" "0  0 780a" "of an empty file there is nothing"
for side in a b; do
	key=$([ $side = a ] && echo image_hex || echo rebuilt_hex)
	is "$(part "11111111111111111111111111111111-only-$side" "$key" | cut -d' ' -f2 | perl -ne 'chomp; print pack "H*", $_')" "d/
d/one 4
link -> d/one" "a store item that only one side has is listed"
done

run "$UNBLEND" compare "$T/a.tar" "$T/b.tar"
like "$T/out" 'from byte [0-9]+: only time stamps$' "it is said in words"
like "$T/out" 'from byte 0: only the end: one is the beginning of the other$' "of each kind"
done_testing
