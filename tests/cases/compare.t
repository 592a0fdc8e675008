#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# compare: real archives, made by tar, that differ in one thing each.
. tests/cases/tap.sh
TMPDIR=$T/tmp
export TMPDIR
mkdir "$TMPDIR"

# Two store items, a link outside; the item names are made up.
a=gnu/store/00000000000000000000000000000000-a
b=gnu/store/11111111111111111111111111111111-b
root=$T/root
mkdir -p "$root/$a" "$root/$b" "$root/etc"
seq 1 50000 >"$root/$a/numbers"
cp "$root/$a/numbers" "$root/$a/copy"
seq 1 20 >"$root/$b/few"
ln -s "/$a" "$root/bin"
echo hi >"$root/etc/motd"

# layer NAME [TAR-OPTION...]: $T/NAME.tar of the paths in $T/paths.
layer() {
	layer=$T/$1.tar
	shift
	tar --format=gnu --no-recursion --mtime=@1 --owner=root:0 --group=root:0 \
		--mode=go=rX "$@" -C "$root" -cf "$layer" -T "$T/paths"
}
paths() {
	(cd "$root" && find . -print) | LC_ALL=C sort >"$T/paths"
}
# image NAME TAG CONFIG LAYER...: $T/NAME of layers $T/LAYER.tar, not compressed.
image() {
	image=$T/$1 tag=$2 config=$3
	shift 3
	rm -rf "$T/outer"
	mkdir "$T/outer"
	ids='' names='' n=0
	for l; do
		n=$((n + 1))
		cp "$T/$l.tar" "$T/outer/$n.tar"
		id=$(sha256sum <"$T/$l.tar")
		ids="$ids${ids:+,}\"sha256:${id%% *}\""
		names="$names${names:+,}\"$n.tar\""
	done
	printf '{%s,"os":"linux","rootfs":{"type":"layers","diff_ids":[%s]}}' \
		"$config" "$ids" >"$T/outer/config.json"
	printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":[%s]}]' \
		"$tag" "$names" >"$T/outer/manifest.json"
	# shellcheck disable=SC2086
	tar --format=gnu --sort=name --mtime=@${mtime-1} --owner=0 --group=0 \
		--numeric-owner -C "$T/outer" -cf "$image" ${members-.}
}
env='"config":{"env":["A=1"]}'

# verdict A B VERDICT STATUS FORGIVEN NAME: FORGIVEN is "WHAT COUNT; ...".
verdict() {
	run "$UNBLEND" compare --json "$T/$1" "$T/$2"
	cp "$T/out" "$T/json"
	is "$status $(jq -r .verdict "$T/json")" "$4 $3" "$6: $3"
	is "$(jq -r '[.forgiven[] | "\(.what) \(.count)"] | join("; ")' "$T/json")" \
		"$5" "$6: what is forgiven"
}
# differences TEXT NAME: "PATH KIND OFFSET; ..." of the last one.
differences() {
	is "$(jq -r '[.differences[] | "\(.path) \(.kind) \(.offset)"] | join("; ")' \
		"$T/json")" "$1" "$2"
}

paths
layer one
image base.tar x:1 "$env" one
cp "$T/base.tar" "$T/again.tar"
verdict base.tar again.tar identical 0 '' 'the same bytes'

mtime=2 image headers.tar x:1 "$env" one
verdict base.tar headers.tar same-image 0 'envelope bytes 1' 'outer headers'
gzip -1 <"$T/base.tar" >"$T/fast.gz"
gzip -9 <"$T/base.tar" >"$T/best.gz"
verdict fast.gz best.gz same-image 0 'compressor output or outer tar headers 1' \
	'other level of gzip'
xz -0 <"$T/base.tar" >"$T/base.xz"
verdict fast.gz base.xz same-image 0 'outer compression 1' 'xz for gzip'
image tag.tar y:1 "$env" one
verdict base.tar tag.tar same-image 0 'tags 2; member contents 1' 'another tag'
members='1.tar manifest.json config.json' image order.tar x:1 "$env" one
verdict base.tar order.tar same-image 0 'member set 1; member names 3; member order 2' \
	'members backwards and without ./'

LC_ALL=C sort -r -o "$T/paths" "$T/paths"
layer two
image backwards.tar x:1 "$env" two
verdict base.tar backwards.tar same-contents 0 'layer member order 1' \
	'a layer backwards'
paths
layer posix --format=posix --pax-option=delete=atime,delete=ctime
image posix.tar x:1 "$env" posix
verdict base.tar posix.tar same-contents 0 'layer tar form 1' 'a layer in another tar format'
ln -f "$root/$a/copy" "$root/$a/numbers"
layer linked
layer copied --hard-dereference
image linked.tar x:1 "$env" linked
image copied.tar x:1 "$env" copied
verdict linked.tar copied.tar same-contents 0 'layer tar form 1; hard-link form 1' \
	'a hard link for a copy'
rm "$root/$a/copy"
cp "$root/$a/numbers" "$root/$a/copy"

grep -v "$b" "$T/paths" >"$T/most"
grep "$b" "$T/paths" >"$T/rest"
mv "$T/most" "$T/paths"
layer lower
mv "$T/rest" "$T/paths"
layer upper
image split.tar x:1 "$env" lower upper
verdict base.tar split.tar same-contents 0 \
	'member names 1; member contents 1; number of layers 1; split into layers 2' \
	'two layers for one'
paths

# The config: its form, its meaning.
image form.tar x:1 '"config":{"Env":["A=1"]}' one
verdict base.tar form.tar same-image 0 'config form 1' 'the config of another form'
image meaning.tar x:1 '"config":{"env":["A=2"]}' one
verdict base.tar meaning.tar different 1 '' 'the config of another meaning'
is "$(jq -r '.differences[].detail' "$T/json")" \
	'config.env[0]: "A=1" in the image, "A=2" in the rebuild' "its member is named"

# changed NAME: the image of $root as it is now.
changed() {
	paths
	layer changed
	image "$1" x:1 "$env" changed
}

# One byte, near the end of a file beyond one read's size; cmp says where.
cp "$root/$a/numbers" "$T/numbers"
printf X | dd of="$root/$a/numbers" bs=1 seek=200000 conv=notrunc 2>/dev/null
where=$(cmp "$T/numbers" "$root/$a/numbers" | sed 's/.*byte \([0-9]*\).*/\1/')
changed byte.tar
verdict base.tar byte.tar same-inputs 1 '' 'a byte of a store item'
differences "$a/numbers contents $((where - 1))" "the byte is where cmp says"
is "$where" 200001 "which is where it was changed"
gzip -1 <"$T/byte.tar" >"$T/byte.gz"
verdict base.xz byte.gz same-inputs 1 'outer compression 1' 'the same, compressed'
differences "$a/numbers contents 200000" "compressed images are read again too"
cp "$T/numbers" "$root/$a/numbers"

echo more >>"$root/$b/few"
changed longer.tar
verdict base.tar longer.tar same-inputs 1 '' 'a longer file'
differences "$b/few size $(wc -c <"$root/$b/few" | awk '{ print $1 - 5 }')" \
	"differs from where the shorter ends"
seq 1 20 >"$root/$b/few"

touch "$root/etc/added"
changed added.tar
verdict base.tar added.tar different 1 '' 'a file added'
differences "etc/added only-in-rebuild null" "is named"
verdict added.tar base.tar different 1 '' 'a file lost'
differences "etc/added only-in-image null" "is named too"
rm "$root/etc/added"

mv "$root/$b" "$root/$b-2"
changed item.tar
verdict base.tar item.tar different 1 '' 'another store item'
differences "$b store-item-missing null; $b-2 store-item-extra null" \
	"is one difference on each side"
mv "$root/$b-2" "$root/$b"

run "$UNBLEND" compare "$T/base.tar" "$T/byte.tar"
like "$T/out" '^same-inputs: The store paths are the same' "for a person: the verdict"
like "$T/out" '^    contents: 288894 bytes each, not the same bytes, from byte 200000: ' \
	"and what differs, from where"
run "$UNBLEND" compare --accept same-inputs "$T/base.tar" "$T/byte.tar"
is "$status" 0 "--accept sets the line"
run "$UNBLEND" compare --accept identical "$T/base.tar" "$T/tag.tar"
is "$status" 1 "on either side"
run "$UNBLEND" compare "$T/base.tar" "$T/outer/config.json"
is "$status" 2 "a file that is no image is wrong"
is "$(ls "$TMPDIR")" '' \
	"nothing is left in the folder for temporary files"
done_testing
