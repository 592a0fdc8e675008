#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: both worlds
# Images of every format, compression, option and kind of manifest, packed by two
# Guixes, are rebuilt as Guix itself rebuilds them; a table of them is printed.
#
# What Guix itself does: what the author typed is typed again, in the same world,
# after its author deleted all he had packed.  "identical" is cmp's word; where the
# files differ, "same-contents" is that of tar, unsquashfs, dpkg-deb, rpm2cpio and
# cpio, whose listings are sorted, and of sha256sum of all files.
. tests/cases/tap.sh

cat >"$T/trust" <<'END'
(trust
 (version 0)
 (channel (url "file:///srv/channels/guix-1.2"))
 (channel (url "file:///srv/channels/extras"))
 (channel (url "file:///srv/channels/guix"))
 (channel (url "file:///srv/channels/alice")))
END

# use VERSION: that world, and where its images are.
use() {
	version=$1 kit=tests/world world=build/world listed=build/images
	if [ "$version" = 1.2 ]; then
		kit=tests/world/guix-1.2 world=build/world-1.2 listed=build/images-1.2
	fi
	matrix=build/images-matrix-$version again=$T/$version db=$T/$version.db
}
enter() { tests/world/enter --world "$world" "$@"; }
sql() { sqlite3 -batch -separator ' ' "$db" "$@"; }

folder() { # NAME: of the image and what was typed for it
	if [ -e "$matrix/$1.sha256" ]; then echo "$matrix"; else echo "$listed"; fi
}
file() { # NAME
	echo "$(folder "$1")/$(sed 's/.*  //' "$(folder "$1")/$1.sha256")"
}

# What a tool that is not ours says is in an image.
layers() { # FILE: of a docker archive, one after the other
	tar -xOf "$1" --wildcards '*/layer.tar'
}
names() { # FILE
	case $1 in
	*.deb) dpkg-deb --fsys-tarfile "$1" | tar -t ;;
	*.rpm) rpm2cpio "$1" | cpio -t --quiet ;;
	*.squashfs) unsquashfs -l "$1" ;;
	*/docker-*) layers "$1" | tar -ti ;;
	*/tarball*) tar -tf "$1" ;;
	*) if tar -tf "$1" | grep -q 'layer\.tar$'; then layers "$1" | tar -ti; else tar -tf "$1"; fi ;;
	esac
}
profile() { # FILE
	names "$1" | grep -oE 'gnu/store/[0-9a-z]{32}-profile' | sort -u | sed 's,^,/,'
}
unpack() { # FILE DIR
	mkdir -p "$2"
	case $1 in
	*.deb) dpkg-deb --fsys-tarfile "$1" | tar -xC "$2" ;;
	*.rpm) rpm2cpio "$1" | (cd "$2" && cpio -id --quiet) ;;
	*.squashfs) unsquashfs -q -n -f -d "$2" "$1" >/dev/null ;;
	*) if tar -tf "$1" | grep -q 'layer\.tar$'; then layers "$1" | tar -xiC "$2"; else tar -xf "$1" -C "$2"; fi ;;
	esac
}
contents() { # FILE: paths, types, modes, links and sums
	rm -rf "$T/unpacked"
	unpack "$1" "$T/unpacked"
	(cd "$T/unpacked" && find . -printf '%p %y %m %l\n' | sort
		find . -type f -print0 | sort -z | xargs -0 sha256sum)
	chmod -R u+w "$T/unpacked"
}

# What Guix itself makes of what was typed.
cat >"$T/again.sh" <<'END'
set -eu
cd "$1"
for channels in $(sha256sum ./*.channels.scm | sort | awk '$1 != last { print $2 } { last = $1 }'); do
	set --
	for f in ./*.channels.scm; do
		f=${f#./}
		! cmp -s "$f" "$channels" || set -- "$@" "${f%.channels.scm}"
	done
	guix time-machine -C "$channels" -- repl -- "$PACK" "$PWD" "$@"
done
END
guix_says() { # NAME
	ours=$again/$(basename "$(file "$1")")
	if cmp -s "$(file "$1")" "$ours"; then
		echo identical
	else
		contents "$(file "$1")" >"$T/was"
		contents "$ours" >"$T/is"
		if cmp -s "$T/was" "$T/is"; then echo same-contents; else echo other; fi
	fi
}

options() { # NAME
	grep -v -e '^--save-provenance$' -e '^--format=' -e '^--compression=' \
		"$(folder "$1")/$1.options" | tr '\n' ' '
}
form() { # NAME: format and compression
	file=$(file "$1") format=docker
	! grep -q '^--format=' "$(folder "$1")/$1.options" ||
		format=$(sed -n 's/^--format=//p' "$(folder "$1")/$1.options")
	case $file in
	*.rpm | *.deb) compression=$(sed -n 's/^--compression=//p' "$(folder "$1")/$1.options") ;;
	*.tar) compression=none ;;
	*.squashfs) compression=${file%.squashfs} compression=${compression##*.} ;;
	*) compression=${file##*.} ;;
	esac
	echo "$format ${compression:-gz}"
}

# each VERSION: pack, let Guix pack again, rebuild, compare.
each() {
	use "$1"
	tests/world/matrix --guix "$version" >"$T/$version.list"
	run tests/world/author --world "$world"
	is "$status" 0 "$version: its author packs his images"
	run tests/world/author --world "$world" --images "$T/$version.list" "$matrix"
	is "$status" 0 "$version: and the matrix"
	{
		sed -n 's/^image //p' "$T/$version.list"
		# Of the others, those that were packed in this world, of what
		# builds and is the same each time, and whose profile is the one.
		sed -n 's/^image //p' "$kit/images" | grep -vxE \
			'noprov|loose|vanish|fails|hangs|unreachable-commit|untrusted|git-url|other-fs|big|dice|deep|nested'
	} >"$T/$version.names"

	mkdir "$again"
	while read -r name; do
		for f in "$(folder "$name")/$name".*; do
			case $f in
			*.export-*) ;;
			*.options | *.scm) cp "$f" "$again" ;;
			esac
		done
	done <"$T/$version.names"
	run enter env PACK="$PWD/tests/world/pack.scm" sh "$T/again.sh" "$again"
	is "$status" 0 "$version: Guix packs all of them again" || diag "$(tail -n 5 "$T/err")"

	{
		echo '(corpus (version 0)'
		while read -r name; do
			echo " (image (name \"$name\") (source \"pack:$PWD/$(file "$name")\"))"
		done <"$T/$version.names"
		echo ')'
	} >"$T/$version.corpus"
	run enter "$UNBLEND" run -q -j 2 --depth pack "$T/$version.corpus" -d "$db" \
		-o "$T/report-$version" --trust "$T/trust" --cache "$T/cache-$version"
	is "$status" 0 "$version: all are accepted" || diag "$(grep -v identical "$T/out")"
	sql "SELECT name, verdict, rebuild.profile, recipe.profile FROM sample
		JOIN attempt ON attempt.sample_id = sample.id
		JOIN recipe ON recipe.id = recipe_id
		JOIN rebuild ON rebuild.sample_id = sample.id" | sort >"$T/$version.verdicts"
	while read -r name; do
		row=$(grep "^$name " "$T/$version.verdicts" || echo "$name none none none")
		# shellcheck disable=SC2086
		set -- $row
		guix=$(guix_says "$name")
		here=$(profile "$(file "$name")")
		matches=no
		[ "$3 $4" != "$here $here" ] || matches=yes
		# shellcheck disable=SC2046
		printf '%s %s %s %s %s %s %s\n' "$version" "$name" "$(form "$name")" "$guix" "$2" \
			"$matches" "$(options "$name")" >>"$T/table"
		case $guix:$2 in
		identical:identical | same-contents:identical | same-contents:same-*) good=true ;;
		other:*) good=true ;;
		*) good=false ;;
		esac
		ok "$version $name: $guix by Guix, $2 by unblend" "$good"
		is "$3 $4" "$here $here" "$version $name: its profile is the recipe's"
	done <"$T/$version.names"
	is "$(awk -v v="$version" '$1 == v && $5 == "other"' "$T/table")" "" \
		"$version: there is none that Guix itself makes otherwise"
}

# What Guix says of their profiles; 1.2.0 does not say any such thing itself, but
# the newer Guix does of what 1.2.0 made.
cat >"$T/as-guix.sh" <<'END'
set -u
what=$1 trust=$2 cache=$3
while read -r name file channels expected; do
	"$UNBLEND" recipe --as-guix="$what" --channels "$channels" --trust "$trust" \
		--cache "$cache" "$file" </dev/null | cmp -s - "$expected" ||
		echo "$name"
done
END
as_guix() { # WHAT: the images on stdin that it is not the same of
	enter sh "$T/as-guix.sh" "$1" "$T/trust" "$T/cache-$version"
}
cat >"$T/export.scm" <<'END'
(use-modules (guix scripts package))
(for-each (lambda (directory)
            (with-output-to-file (string-append directory "/channels")
              (lambda ()
                (guix-package "-p" directory "--export-channels"))))
          (cdr (command-line)))
END

each 1.5
while read -r name; do
	echo "$name $(file "$name") $(folder "$name")/$name.channels.scm $(folder "$name")/$name.export"
done <"$T/1.5.names" >"$T/list"
sed 's/$/-channels.scm/' "$T/list" | as_guix channels >"$T/out"
is "$(cat "$T/out")" "" "1.5: channels of each as Guix exports them"
sed 's/$/-manifest.scm/' "$T/list" | as_guix manifest >"$T/out"
is "$(cat "$T/out")" "" "1.5: and the manifest"

run tests/world/make --guix 1.2
is "$status" 0 "there is a world of Guix 1.2"
each 1.2
while read -r name; do
	rm -rf "$T/unpacked"
	unpack "$(file "$name")" "$T/unpacked"
	mkdir -p "$T/profiles/$name"
	cp "$T/unpacked/$(profile "$(file "$name")")/manifest" "$T/profiles/$name"
	chmod -R u+w "$T/unpacked"
	echo "$name $(file "$name") $(folder "$name")/$name.channels.scm $T/profiles/$name/channels"
done <"$T/1.2.names" >"$T/list"
run tests/world/enter guix repl -- "$T/export.scm" "$T"/profiles/*
is "$status" 0 "1.2: a newer Guix exports their channels"
as_guix channels <"$T/list" >"$T/out"
is "$(cat "$T/out")" "" "1.2: so does unblend"

# --- the report ---------------------------------------------------------------
{
	echo "GUIX IMAGE FORMAT COMPRESSION BY-GUIX BY-UNBLEND PROFILE OPTIONS"
	cat "$T/table"
} | awk '{
	line = sprintf("%-4s %-38s %-8s %-6s %-13s %-13s %-7s", $1, $2, $3, $4, $5, $6, $7)
	for (i = 8; i <= NF; i++) line = line " " $i
	print line
}' >"$T/report"
diag "$(cat "$T/report")"
awk '{ n++; guix[$1]++; verdict[$6]++; form[$3]++; if ($7 == "yes") right++ }
END {
	printf "%d images (", n
	for (i in guix) printf " %d of %s.0", guix[i], i
	printf " ):"
	for (i in form) printf " %s %d", i, form[i]
	printf ";"
	for (i in verdict) printf " %s %d", i, verdict[i]
	printf "; the profile of %d is right\n", right
}' "$T/table" >"$T/sum"
diag "$(cat "$T/sum")"
ok "they are at least 60" [ "$(wc -l <"$T/table")" -ge 60 ]
done_testing
