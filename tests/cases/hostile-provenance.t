#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: world
# An image whose provenance is made to be run: refused before anything is
# fetched; and where its channel is trusted, it reaches Scheme, git and the shell
# as data alone.
. tests/cases/tap.sh

# What a payload would make, in each language: none of these may ever be there.
bad=$T/payload
scheme='"))(system "touch '$bad.scheme'")(list (string-append "'
shell=';touch '$bad.shell';$(touch '$bad.expansion')`touch '$bad.backquote'`'"'"';touch '$bad.quote';#'
option="--upload-pack=touch $bad.option"
nothing_ran() { ! ls "$bad".* 2>/dev/null; }

# The channel whose code may be run in the world.
channel=build/images/hello.channels.scm
url=$(sed -n 's/.*(url "\(.*\)").*/\1/p' "$channel")
commit=$(sed -n 's/.*(commit "\(.*\)").*/\1/p' "$channel")
introduction=$(sed -n '/make-channel-introduction/{n;s/.*"\(.*\)".*/\1/p}' "$channel")
signer=$(sed -n '/openpgp-fingerprint/{n;s/.*"\([0-9A-F ]*\)".*/\1/p}' "$channel")
ok "the world's channel is known" \
	[ "${#url}/${#commit}/${#introduction}/${#signer}" = "${#url}/40/40/50" ]

# A fake git, that records being called where git may write, and is git then.
mkdir "$T/bin"
cat >"$T/bin/git" <<END
#!/bin/sh
echo "\$*" >>"$T/git-called" 2>/dev/null
before=
for word; do
	[ "\$before" != --git-dir ] || echo "\$*" >>"\$word/called"
	before=\$word
done
exec $(command -v git) "\$@"
END
chmod +x "$T/bin/git"

# string TEXT: as a Scheme string.
string() { printf '%s' "$1" | sed 's/[\\"]/\\&/g; s/^/"/; s/$/"/'; }

# image NAME PACKAGE VERSION URL BRANCH COMMIT INTRODUCTION SIGNER: a docker archive
# with that provenance, well formed to the last digest, and into the next list.
image() {
	d=$T/$1.d
	profile=gnu/store/00000000000000000000000000000000-profile
	mkdir -p "$d/tree/$profile" "$d/archive/layer"
	cat >"$d/tree/$profile/manifest" <<-END
	(manifest
	 (version 4)
	 (packages
	  (($(string "$2") $(string "$3") "out"
	    "/gnu/store/11111111111111111111111111111111-x-1"
	    (properties
	     ((provenance
	       (repository
	        (version 0) (url $(string "$4")) (branch $(string "$5"))
	        (commit $(string "$6")) (name guix)
	        (introduction
	         (channel-introduction (version 0)
	          (commit $(string "$7")) (signer $(string "$8"))))))))))))
	END
	tar --format=gnu --sort=name --mtime=@1 --owner=0 --group=0 --numeric-owner \
		-C "$d/tree" -cf "$d/archive/layer/layer.tar" gnu
	id=$(sha256sum <"$d/archive/layer/layer.tar")
	printf '{"architecture":"amd64","os":"linux","created":"1970-01-01T00:00:01Z","config":{"env":["PATH=/%s/bin"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
		"$profile" "${id%% *}" >"$d/archive/config.json"
	printf '%s\n' '[{"Config":"config.json","RepoTags":["x\ntouch '"$bad"'.tag\n:latest"],"Layers":["layer/layer.tar"]}]' \
		>"$d/archive/manifest.json"
	tar --format=gnu --sort=name -C "$d/archive" -cf - . | gzip -9n >"$T/$1.tar.gz"
	echo " (image (name \"$1\") (source \"$T/$1.tar.gz\"))" >>"$T/list"
}

# corpus NAME: of the images since the last one.
corpus() {
	{
		echo '(corpus (version 0) (defaults (timeout 600))'
		cat "$T/list"
		echo ')'
	} >"$T/$1.corpus"
	rm "$T/list"
}
# told NAME COLUMN: of the image's attempt, in the last run's database.
told() {
	sqlite3 -batch "$db" "SELECT $2 FROM attempt JOIN sample ON sample.id = sample_id
		WHERE name = '$1'"
}

# --- what is refused ---------------------------------------------------------
nowhere=https://channel.invalid/x.git
image unknown "$scheme" "$shell" $nowhere master "$commit" "$introduction" "$signer"
image commit hello 2.12 "$url" master "$option" "$introduction" "$signer"
image introduction hello 2.12 "$url" master "$commit" "$option" "$signer"
image signer hello 2.12 "$url" master "$commit" "$introduction" "$shell"
image url hello 2.12 "$option" master "$commit" "$introduction" "$signer"
image branch hello 2.12 "$url" "$option" "$commit" "$introduction" "$signer"
image transport hello 2.12 "ext::touch $bad.transport" master "$commit" "$introduction" "$signer"
image official hello 2.12 https://codeberg.org/guix/guix.git master "$commit" \
	"$introduction" "$signer"
corpus refused
db=$T/refused/unblend.db
PATH=$T/bin:$PATH run "$UNBLEND" run "$T/refused.corpus" -o "$T/refused" \
	--cache "$T/cache" --trust corpus/demo.trust
is "$(sqlite3 -batch "$db" 'SELECT DISTINCT verdict FROM attempt')" refused "all are refused"
is "$(sqlite3 -batch "$db" 'SELECT count(*) FROM attempt')" 8 "each of them"
# why NAME ERE: its cause.
why() {
	told "$1" cause >"$T/cause"
	like "$T/cause" "$2" "for its $1"
}
why commit "commit '--upload-pack=.* is not 40 hexadecimal digits"
why introduction "commit '--upload-pack=.* is not 40 hexadecimal digits"
why signer "signer .* is not a fingerprint"
why url "URL '--upload-pack=.* looks like an option"
why branch "branch '--upload-pack=.* looks like an option"
is "$(told transport class)" url "or how it would be fetched"
not_ok "nothing is fetched" [ -e "$T/cache/mirrors" ]
not_ok "git is not called" [ -e "$T/git-called" ]
ok "nothing ran" nothing_ran

told unknown cause >"$T/cause"
told unknown advice >"$T/advice"
like "$T/cause" "from $nowhere at commit $commit" "it is told what would be run, from where"
like "$T/cause" "introduced by $introduction signed by $signer" "and signed by whom"
tail -n 1 "$T/advice" >"$T/line"
told official cause >"$T/cause"
like "$T/cause" 'this URL is trusted with another introduction only' \
	"another introduction for the official channel is refused"

# --- what is trusted ---------------------------------------------------------
# The line to add is all that it takes.
echo "(trust (version 0) (channel (url \"$url\")) $(cat "$T/line"))" >"$T/trust"
image added hello 2.12 $nowhere master "$commit" "$introduction" "$signer"
image trusted "$scheme" "$shell" "$url" "$shell" "$commit" "$introduction" "$signer"
image shell "$shell" "$scheme" "$url" "$scheme" "$commit" "$introduction" "$signer"
corpus trusted
db=$T/trusted/unblend.db
PATH=$T/bin:$PATH run tests/world/enter "$UNBLEND" run "$T/trusted.corpus" -o "$T/trusted" \
	--cache "$T/cache" --trust "$T/trust"
is "$(told added class)" channel-unreachable "the line to add is all that it takes"
ok "git is called for what is trusted" grep -qr fetch "$T/cache/mirrors" --include=called
for name in trusted shell; do
	is "$(told $name "verdict || ' ' || class")" "unbuildable unknown-package" \
		"$name: Guix looks for a package of that name"
	told $name cause >"$T/cause"
	like "$T/cause" "touch $bad" "$name: which is what it says it cannot find"
done
ok "nothing ran" nothing_ran
grep -rh . "$T/cache/mirrors" --include=called >"$T/calls"
unlike "$T/calls" "upload-pack|$bad" "git saw nothing of the branch or the package"

# --- what a person runs by hand ----------------------------------------------
run "$UNBLEND" recipe -o "$T/recipe" "$T/trusted.tar.gz"
is "$status" 0 "a recipe is written"
cat >"$T/bin/guix" <<END
#!/bin/sh
printf '%s\n' "\$@" >>"$T/guix-called"
echo "$T/trusted.tar.gz"
END
chmod +x "$T/bin/guix"
PATH=$T/bin:$PATH run sh "$T/recipe/rebuild.sh"
is "$status" 0 "its script runs"
ok "and calls guix" [ -s "$T/guix-called" ]
for file in channels manifest; do
	# guix itself reads it: as many data as there should be, one of them the name.
	cat >"$T/read.scm" <<-END
	(use-modules (ice-9 match))
	(define (strings datum)
	  (match datum
	    ((first . rest) (append (strings first) (strings rest)))
	    ((? string? s) (list s))
	    (_ '())))
	(call-with-input-file "$T/recipe/$file.scm"
	  (lambda (port)
	    (let loop ((datum (read port)))
	      (unless (eof-object? datum)
	        (for-each (lambda (s) (write s) (newline)) (strings datum))
	        (loop (read port))))))
	END
	run tests/world/enter guix repl -- "$T/read.scm"
	is "$status" 0 "$file.scm is Scheme"
	cp "$T/out" "$T/$file.strings"
done
string "$scheme@$shell" >"$T/wanted"
ok "the package is one string of the manifest" grep -qxFf "$T/wanted" "$T/manifest.strings"
ok "nothing ran" nothing_ran
done_testing
