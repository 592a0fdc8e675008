#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# One tree is the same image in whatever form the tar programs write it: ustar,
# pax, GNU's, sparse in all its versions; by GNU tar and by bsdtar.
# shellcheck source=tests/cases/tap.sh
. tests/cases/tap.sh

item=gnu/store/$(printf 'a%.0s' {1..32})-x
mkdir -p "$T/tree/$item/deep/er" "$T/tree/$item/empty"
cd "$T/tree/$item" || exit 1
head -c 70000 /dev/zero | tr '\0' x >file
: >nothing
ln file second
ln file deep/third
ln -s ../../outside up
ln -s /gnu/store/absent absolute
ln -s loop loop
mkfifo fifo
chmod 4750 file
chmod 1777 empty
name=$(printf 'n%.0s' {1..90})
mkdir -p "$name/$name" # beyond the 100 bytes of a header, within ustar's 255
echo long >"$name/$name/f"
ln -s "$name" short
# holes at the beginning, between, and at the end; more than four pieces
truncate -s 300000 hole
truncate -s 1M holes
for at in 100000 300000 500000 700000 900000; do
	printf 'data at %s' "$at" | dd of=holes bs=1 seek=$at conv=notrunc 2>/dev/null
done
truncate -s 4M many # beyond the 25 that GNU's header and one block after it hold
for at in {1..60}; do
	printf 'data' | dd of=many bs=1 seek=$((at * 65536)) conv=notrunc 2>/dev/null
done
printf end | dd of=tail bs=1 seek=400000 2>/dev/null
cd "$OLDPWD" || exit 1
cp -a "$T/tree" "$T/long"
# what only long names hold: 300 bytes of a name, 3000 of a path, bytes that are no text
cd "$T/long/$item" || exit 1
mkdir -p "$(printf "$name/%.0s" {1..30})" # 2700 bytes
name=$(printf 'm%.0s' {1..240})
echo 1 >"$name"
ln -s "$name/$name/$name" to-long
ln "$name" "second-$(printf 'm%.0s' {1..200})"
printf x >$'new\nline' && printf x >$'caf\xe9' && printf x >$'\e[2J' && printf x >'back\slash'
cd "$OLDPWD" || exit 1
find "$T/tree" "$T/long" -exec touch -h -d @1000000000 {} +

# form NAME TREE CMD...: $T/NAME.tar of the tree, written by CMD.
form() {
	local name=$1 tree=$2
	shift 2
	ok "$1 writes $name" "$@" -cf "$T/$name.tar" -C "$T/$tree" gnu
}
gnu=(tar --sort=name --owner=root:0 --group=root:0)
bsd=(bsdtar --uid 0 --gid 0 --uname root --gname root)
for tree in tree long; do
	form "$tree-pax" $tree "${gnu[@]}" --format=pax
	form "$tree-gnu" $tree "${gnu[@]}" --format=gnu
	form "$tree-oldgnu" $tree "${gnu[@]}" --format=oldgnu
	form "$tree-sparse-gnu" $tree "${gnu[@]}" --format=gnu -S
	for version in 0.0 0.1 1.0; do
		form "$tree-sparse-$version" $tree "${gnu[@]}" --format=pax -S --sparse-version=$version
	done
	form "$tree-bsd-pax" $tree "${bsd[@]}" --format=pax
	form "$tree-bsd-gnutar" $tree "${bsd[@]}" --format=gnutar
	if [[ $tree == tree ]]; then
		form "$tree-ustar" $tree "${gnu[@]}" --format=ustar
		form "$tree-bsd-ustar" $tree "${bsd[@]}" --format=ustar
	fi
	for tar in "$T/$tree"-*.tar; do
		form=${tar##*/}
		[[ $form != "$tree-pax.tar" ]] || continue
		run "$UNBLEND" compare --json "$T/$tree-pax.tar" "$tar"
		is "$status $(jq -r .verdict "$T/out")" "0 same-contents" "$form is the same as in pax"
	done
	# Held against what is in the folder, not only against one another.
	run "$UNBLEND" inspect --json "$T/$tree-pax.tar"
	is "$(jq .image.entries "$T/out")" "$(find "$T/$tree/gnu" -printf 'x\n' | wc -l)" \
		"$tree has as many entries as there are files"
done

# And that compare sees: one byte in a hole, one link elsewhere.
cp -a "$T/tree" "$T/other"
printf x | dd of="$T/other/$item/holes" bs=1 seek=200000 conv=notrunc 2>/dev/null
touch -d @1000000000 "$T/other/$item/holes"
form other-sparse-1.0 other "${gnu[@]}" --format=pax -S --sparse-version=1.0
run "$UNBLEND" compare --json "$T/tree-sparse-0.1.tar" "$T/other-sparse-1.0.tar"
is "$status $(jq -r '.differences | map(.path) | join(" ")' "$T/out")" "1 $item/holes" \
	"a byte where there was a hole is a difference"
done_testing
