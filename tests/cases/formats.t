#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Formats without a config: archives and file systems, made by tar, mksquashfs
# and dpkg-deb, that differ in one thing each.
. tests/cases/tap.sh
TMPDIR=$T/tmp
export TMPDIR
mkdir "$TMPDIR"
cd "$T" || exit 1

# A store with one item, links outside it, relative as guix pack makes them.
a=gnu/store/00000000000000000000000000000000-a
mkdir -p "root/$a/bin" root/opt
seq 1 50000 >"root/$a/numbers"
printf '#!/bin/sh\n' >"root/$a/bin/tool"
ln -s "../$a/bin" root/opt/bin

tarball() {	# ROOT NAME [OPTION...]
	from=$1 to=$2
	shift 2
	tar --sort=name --format=gnu --mtime=@1 --owner=root:0 --group=root:0 "$@" \
		-C "$from" -cf "$to" .
}
squashfs() {	# ROOT NAME [OPTION...]
	from=$1 to=$2
	shift 2
	rm -f "$to"
	mksquashfs "$from" "$to" -quiet -no-progress -all-time 1 -mkfs-time 1 -no-xattrs \
		-force-uid 0 -force-gid 0 "$@" >/dev/null
}
deb() {	# ROOT NAME [OPTION...]
	from=$1 to=$2
	shift 2
	SOURCE_DATE_EPOCH=1 dpkg-deb --root-owner-group "$@" -b "$from" "$to" >/dev/null
}
# verdict A B VERDICT STATUS FORGIVEN NAME: FORGIVEN is "WHAT COUNT; ...".
verdict() {
	run "$UNBLEND" compare --json "$1" "$2"
	cp out json
	is "$status $(jq -r .verdict json)" "$4 $3" "$6: $3"
	is "$(jq -r '[.forgiven[] | "\(.what) \(.count)"] | join("; ")' json)" \
		"$5" "$6: what is forgiven"
}
# differences TEXT NAME: "PATH KIND OFFSET; ..." of the last one.
differences() {
	is "$(jq -r '[.differences[] | "\(.path) \(.kind) \(.offset)"] | join("; ")' json)" \
		"$1" "$2"
}

# --- the same files, packed otherwise ------------------------------------------
tarball root a.tar
gzip -9nk a.tar
xz -k a.tar
verdict a.tar.gz a.tar.gz identical 0 '' 'a tarball'
verdict a.tar.gz pack:a.tar.xz same-image 0 'outer compression 1' 'compressed otherwise'
tarball root posix.tar --format=posix --pax-option=delete=atime,delete=ctime
verdict a.tar posix.tar same-contents 0 'archive form 1' 'in another tar format'
(cd root && find . | sort -r) >paths
tar --format=gnu --mtime=@1 --owner=root:0 --group=root:0 --no-recursion -C root \
	-cf order.tar -T paths
verdict a.tar order.tar same-contents 0 'archive member order 1' 'in another order'

squashfs root a.squashfs
cp a.squashfs longer.squashfs
head -c 4096 /dev/zero >>longer.squashfs
squashfs root xz.squashfs -comp xz
squashfs root blocks.squashfs -b 4096
verdict a.squashfs longer.squashfs same-contents 0 'file system layout 1' 'other padding'
verdict a.squashfs xz.squashfs same-contents 0 \
	'compression of the contents 1; file system layout 1' 'a squashfs, compressed otherwise'
verdict a.squashfs blocks.squashfs same-contents 0 'file system layout 1' 'other blocks'
squashfs root late.squashfs -all-time 2
verdict a.squashfs late.squashfs different 1 '' 'other times'

cp -a root deb
mkdir deb/DEBIAN
printf 'Package: a\nVersion: 1\nArchitecture: amd64\nMaintainer: x\nDescription: y\n' \
	>deb/DEBIAN/control
deb deb a.deb -Zgzip
deb deb xz.deb -Zxz
verdict a.deb xz.deb same-image 0 'compression of the contents 1; member names 2' \
	'a deb, compressed otherwise'

# --- what a package says to the package manager ---------------------------------
printf '#!/bin/sh\nexit 0\n' >deb/DEBIAN/postinst
chmod 755 deb/DEBIAN/postinst
deb deb script.deb -Zgzip
verdict a.deb script.deb different 1 '' 'a script that one deb has'
differences ' config null;  config null' 'the script and its mode'
like json 'postinst: absent in the image' 'is named'

# --- one byte of one file --------------------------------------------------------
cp -a root changed
printf X | dd of="changed/$a/numbers" bs=1 seek=200000 conv=notrunc 2>/dev/null
at=$(cmp "root/$a/numbers" "changed/$a/numbers" | sed 's/.*byte \([0-9]*\),.*/\1/')
cp -a changed changed.deb.d
cp -a deb/DEBIAN changed.deb.d/
rm deb/DEBIAN/postinst changed.deb.d/DEBIAN/postinst
tarball changed b.tar
squashfs changed b.squashfs
deb changed.deb.d b.deb -Zgzip
for format in tar squashfs deb; do
	run "$UNBLEND" compare --json a.$format b.$format
	cp out json
	is "$(jq -r .verdict json)" same-inputs "one byte of a $format: same-inputs"
	differences "$a/numbers contents $((at - 1))" 'as cmp finds it'
done

# --- recognised, listed, or refused ----------------------------------------------
for file in a.tar.gz:tarball a.squashfs:squashfs a.deb:deb; do
	run "$UNBLEND" inspect --json "pack:${file%:*}"
	is "$status $(jq -r .image.format out)" "0 ${file#*:}" "${file%:*} is a ${file#*:}"
	is "$(jq -r .image.entries out)" "$(find root | wc -l)" "with every path"
done
is "$(jq -r '.image.attributes[] | select(.name == "control").value' out)" \
	"$(cat deb/DEBIAN/control)" "a deb's control file is shown"
is "$(jq -r '.pack.options | join(" ")' out)" '' "what guix pack did not make has no options"
head -c 30000 a.squashfs >cut.squashfs
run "$UNBLEND" inspect cut.squashfs
is "$status" 2 "a truncated squashfs is refused"
like err '^unblend: cut\.squashfs: truncated: its super block tells of [0-9]+ bytes' "and why"
run "$UNBLEND" inspect a.txt:b
is "$status" 2 "what is no file is refused"
done_testing
