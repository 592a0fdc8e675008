#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Images made of packed ones, by buildah, podman and by hand, and file systems
# taken out of them: what is Guix's in them is equal, and the rest is named.
. tests/cases/tap.sh
here=$PWD
for program in skopeo podman buildah; do
	command -v $program >/dev/null || skip_all "no $program here"
done
[ "$(id -u)" = 0 ] || skip_all "podman needs to be root here"
cd "$T" || exit 1
# shellcheck source=tests/cases/layouts.sh
. "$here/tests/cases/layouts.sh"

small_store root
small_layer root layer.tar
small_image guix.tar small layer.tar
podman_ load -q -i guix.tar >/dev/null

# derived IMAGE FACTS NAME: "BASE ADDED EXACT NEW CHANGED REMOVED" of the last
# comparison with the packed image, by jq.
derived() {
	run "$UNBLEND" compare --json "$1" guix.tar
	cp out json
	[ -s json ] || diag "$(cat err)"
	is "$status $(jq -r '"\(.verdict) \(.derived | [.base_layers, .added_layers, .is_exact, .added, .changed, .removed] | join(" "))"' json)" \
		"1 different $2" "$3"
}
# kinds ERE: "KIND PATH" of the differences outside the config, sorted.
kinds() {
	jq -r '.differences[] | select(.path != "") | "\(.kind) \(.path)"' json | LC_ALL=C sort
}

# --- FROM a packed image -------------------------------------------------------
echo hello >note
c=$(buildah_ from localhost/small:latest)
buildah_ add -q "$c" note /opt/note >/dev/null
buildah_ config --label who=me --env B=2 --entrypoint '["/bin/b"]' "$c"
buildah_ commit -q --format docker "$c" localhost/from:latest >/dev/null
podman_ save -q -o from.tar localhost/from:latest
derived from.tar '1 1 true 2 0 0' 'FROM, a file added'
is "$(kinds)" "only-in-image opt
only-in-image opt/note" "it is named, with its folder"
like json 'config.Labels.*who.*me' "so is what became of the config"
run "$UNBLEND" compare from.tar guix.tar
like out "^derived: its first layer is the rebuild's, so the part that Guix packed is equal; 1 layer is on it: 2 paths added, 0 changed, 0 removed\$" \
	"for a person"
run "$UNBLEND" inspect --json from.tar
is "$(jq -r '.channels[].commit' out)" "$commit" "its provenance is the packed image's"
like out 'was added to the image after it was packed: 1 of its 2 layers' "what is not rebuilt is said"
skopeo_copy docker-archive:from.tar oci:from
derived oci:from '1 1 true 2 0 0' 'the same as an OCI layout'

# A file changed, one removed, in a container that was committed.
c=$(podman_ create localhost/small:latest x)
m=$(podman_ mount "$c")
if [ -d "$m" ]; then
	ln -sfn /elsewhere "$m/bin"
	rm "$m/$item/bin/a"
	mkdir "$m/srv" && date >"$m/srv/now"
	podman_ umount "$c" >/dev/null
fi
podman_ commit -q "$c" localhost/commit:latest >/dev/null
podman_ save -q -o commit.tar localhost/commit:latest
derived commit.tar '1 1 true 2 2 1' 'commit of a container'
is "$(kinds)" "link bin
mtime bin
mtime $item/bin
only-in-image srv
only-in-image srv/now
only-in-rebuild $item/bin/a" "what was added, changed and removed"

# --- layers by hand ------------------------------------------------------------
# An image of --max-layers: items in layers, what is outside them in the last.
mkdir one two three four
tar -C root -cf - "$item" | tar -C one -xpf -
tar -C root -cf - "$profile" | tar -C two -xpf -
tar -C root --no-recursion -cf - gnu gnu/store bin tmp | tar -C three -xpf -
echo x >four/x
layer() {	# NAME: of the paths on stdin
	tar --format=gnu --no-recursion --mtime=@1 --owner=0 --group=0 --numeric-owner \
		-C "$1" -cf "$1.tar" -T -
}
(cd one && find "$item") | layer one
(cd two && find "$profile") | layer two
printf '%s\n' gnu gnu/store bin tmp | layer three
echo x | layer four
layered() {	# FILE LAYER...
	to=$1
	shift
	rm -rf outer
	mkdir outer
	cp -f "$@" outer 2>/dev/null
	small_config "$@" >outer/config.json
	printf '%s\n' "$@" | jq -cRn '[{Config: "config.json", RepoTags: ["l:latest"], Layers: [inputs]}]' \
		>outer/manifest.json
	tar -C outer -cf "$to" .
}
layered layered.tar one.tar two.tar three.tar
layered more.tar one.tar two.tar three.tar four.tar four.tar
layered swapped.tar two.tar one.tar three.tar four.tar
run "$UNBLEND" inspect --json layered.tar
is "$(jq -r '.pack.options[] | select(startswith("--max-layers"))' out)" '--max-layers=3' \
	"an image of three layers"
run "$UNBLEND" inspect --json more.tar
is "$(jq -r '.pack.options[] | select(startswith("--max-layers"))' out)" '--max-layers=3' \
	"and with two more on it"
like out '2 of its 5 layers' "which are said to be others'"
run "$UNBLEND" compare --json more.tar layered.tar
is "$(jq -c .derived out)" \
	'{"base_layers":3,"added_layers":2,"is_exact":true,"added":1,"changed":0,"removed":0}' \
	"the three are equal, the two add a file"
run "$UNBLEND" compare --json swapped.tar layered.tar
is "$(jq -c .derived out)" \
	'{"base_layers":3,"added_layers":1,"is_exact":false,"added":1,"changed":0,"removed":0}' \
	"equal in all but the order of the layers"
chmod u+w "two/$profile/manifest"
echo ';' >>"two/$profile/manifest"
(cd two && find "$profile") | layer two
layered bad.tar one.tar two.tar three.tar four.tar
run "$UNBLEND" compare --json bad.tar layered.tar
is "$(jq -c '[.verdict, .derived]' out)" '["different",null]' "not where Guix's own part differs"
run "$UNBLEND" compare --json layered.tar more.tar
is "$(jq -c '[.verdict, .derived]' out)" '["different",null]' "nor where layers are lacking"

# --- file systems without their image --------------------------------------------
c=$(podman_ create localhost/small:latest x)
podman_ export -o export.tar "$c"
verdict rootfs:export.tar guix.tar same-contents 0 \
	'container format 1; layers and config 1; names of owners 11' 'podman export'
gzip -k export.tar
verdict rootfs:export.tar.gz guix.tar same-contents 0 \
	'container format 1; layers and config 1; names of owners 11' 'the same, compressed'
run "$UNBLEND" inspect --json rootfs:export.tar
is "$(jq -r '"\(.image.format) \(.image.config_digest) \(.channels[].commit) \(.pack.format)"' out)" \
	"rootfs null $commit docker" "and its recipe"
mkdir files
tar -C files -xpf layer.tar
verdict rootfs:files guix.tar same-contents 0 \
	'container format 1; layers and config 1; folders without an entry 1; names of owners 11' \
	'a folder'
verdict files guix.tar same-contents 0 \
	'container format 1; layers and config 1; folders without an entry 1; names of owners 11' \
	'the same, by what is in it'
verdict rootfs:files rootfs:files identical 0 '' 'a folder and itself'
# As docker export has it.
cp -a files docker
mkdir -p docker/dev/pts docker/dev/shm docker/proc docker/sys docker/etc
touch docker/.dockerenv docker/dev/console docker/etc/hosts docker/etc/hostname
echo nameserver 192.0.2.1 >docker/etc/resolv.conf
ln -s /proc/mounts docker/etc/mtab
touch docker/gnu/store
export='container format 1; layers and config 1; paths of the container'\''s runtime 12; times of folders outside store items 1; names of owners 11'
tar -C docker --numeric-owner -cf docker.tar .dockerenv bin dev etc gnu proc sys tmp
verdict docker.tar guix.tar same-contents 0 "$export" 'docker export'
verdict guix.tar rootfs:docker.tar same-contents 0 "$export" 'the other way round'
# What only looks like it is no runtime's.
echo evil >docker/.dockerenv
echo evil >docker/dev/script
ln -sf /etc/passwd docker/etc/mtab
mkdir docker/proc/1
run "$UNBLEND" compare --json rootfs:docker guix.tar
cp out json
is "$(jq -r .verdict json) $(kinds | tr '\n' ' ')" \
	"different only-in-image .dockerenv only-in-image dev/script only-in-image etc/mtab only-in-image proc/1 " \
	"other things at those paths are no runtime's"
# Unpacked by somebody else than root.
cp -a files mine
chown -hR 1000:1000 mine
run "$UNBLEND" compare --json rootfs:mine guix.tar
is "$(jq -r '.total, .differences[0].kind, (.differences[0].detail | test("belongs to 1000:1000.*unpack it as root"))' out | tr '\n' ' ')" \
	"1 owner true " "all owners changed: said once, and what to do"
chmod u+w "mine/$item/numbers"
printf X | dd of="mine/$item/numbers" bs=1 seek=123456 conv=notrunc 2>/dev/null
run "$UNBLEND" compare --json rootfs:mine guix.tar
is "$(jq -r '.differences[] | select(.kind == "contents") | .offset' out)" 123456 \
	"files of a folder are looked into"
# What no image may hold, and links that lead out.
cp -a files odd
ln -s "$T/guix.tar" odd/out
perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => "odd/socket", Listen => 1) or die'
refused rootfs:odd "odd: '/socket': is a socket" "a socket"
rm odd/socket
run "$UNBLEND" compare --json rootfs:odd guix.tar
is "$(jq -r '.differences[] | "\(.kind) \(.path) \(.detail)"' out)" \
	"only-in-image out symbolic link to \"$T/guix.tar\"" "a link is not followed"
mkfifo odd/fifo
run timeout 20 "$UNBLEND" compare --json rootfs:odd guix.tar
like out '"fifo"' "a fifo does not hold us"

# --- the folder of an unpacked squashfs ---------------------------------------------
mkdir -p squash/.singularity.d
cp -a root/gnu squash
ln -s "../$profile/bin/a" squash/.singularity.d/runscript
mksquashfs squash pack.squashfs -no-progress -quiet -all-root -all-time 1 -mkfs-time 1 >/dev/null 2>&1
unsquashfs -no-progress -quiet -d unpacked pack.squashfs >/dev/null 2>&1
verdict rootfs:unpacked pack.squashfs same-contents 0 'container format 1' 'an unpacked squashfs'
run "$UNBLEND" inspect --json rootfs:unpacked
is "$(jq -r '.pack.format, .pack.options[-1]' out | tr '\n' ' ')" 'squashfs --entry-point=bin/a ' \
	"its recipe is a squashfs pack's"
done_testing
