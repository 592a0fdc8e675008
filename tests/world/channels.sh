# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2154,SC2164,SC2034,SC1091
# shellcheck shell=bash
# What the makers of channels have in common; sourced in the world's Debian, with
# $from  the folder with the files of each channel
# $born  when keys are made, and $signed, when all is signed, as gpg has times
# $epoch  of the first commit, in seconds; each next one is an hour later
keys=/world/keys to=/srv/channels
export GNUPGHOME=/world/gnupg

make_key() {	# WHO: a key of its own for each world, made once
	[ ! -e "$keys/$1.fpr" ] || return 0
	gpg -q --batch --faked-system-time "$born" --passphrase '' \
		--quick-generate-key "$1 <$1@example.org>" ed25519 sign never
	gpg -q --batch --armor --export "$1" >"$keys/$1.key"
	gpg --batch --with-colons --fingerprint "$1" |
		awk -F: '/^fpr/ { print $10; exit }' >"$keys/$1.fpr.part"
	mv "$keys/$1.fpr.part" "$keys/$1.fpr"
}

fpr() { cat "$keys/$1.fpr"; }

pretty() {	# WHO: the fingerprint as Guix writes it
	sed 's/..../& /g; s/ $//; s/^\(.\{24\}\) /\1  /' "$keys/$1.fpr"
}

git() {
	command git -c gpg.program="$gpg" -c user.name="$who" -c user.email="$who@example.org" \
		-c init.defaultBranch=master -c advice.detachedHead=false "$@"
}

commit() {	# MESSAGE SIGNER: of all files; prints the id
	local date="$((epoch + (clock += 3600))) +0000"
	git add -A
	GIT_AUTHOR_DATE=$date GIT_COMMITTER_DATE=$date git commit -q -m "$1" \
		"$([ "$2" = nobody ] && echo --no-gpg-sign || echo "-S$(fpr "$2")")"
	git rev-parse HEAD
}

start() {	# NAME OWNER: an empty repository, with its keyring and its rules
	who=$2
	rm -rf "${to:?}/$1"
	mkdir -p "$to/$1"
	cd "$to/$1"
	git init -q
	git checkout -q --orphan keyring
	cp "$keys/$who.key" "$who.key"
	clock=0
	commit "Keys." "$who" >/dev/null
	git checkout -q --orphan master
	git rm -rfq .
	cat >.guix-authorizations <<END
(authorizations
 (version 0)
 (("$(pretty "$who")"
   (name "$who"))))
END
	cp -a "$from/$1/." .
}

stand_ins() {	# modules out of the table
	awk '
	/^#/ { next }
	{
		file = "gnu/packages/" $1 ".scm"
		value = $3 == "" ? "dummy-package" : $3
		if (!(file in seen)) {
			seen[file] = 1
			print ";;; SPDX-License-Identifier: GPL-3.0-or-later" >file
			print "(define-module (gnu packages " $1 ")" >file
			print "  #:use-module (gnu packages seed))" >file
		}
		print "(define-public " $2 " " value ")" >file
	}' stand-ins
	rm stand-ins
}

channel() {	# NAME COMMIT INTRODUCTION OWNER
	local commit=''
	[ -z "$2" ] || commit="  (commit \"$2\")"$'\n'
	cat <<END
 (channel
  (name '${1%-[0-9]*})
  (url "file://$to/$1")
  (branch "master")
$commit  (introduction
   (make-channel-introduction
    "$3"
    (openpgp-fingerprint
     "$(pretty "$4")"))))
END
}

channels() {	# FILE [NAME COMMIT INTRODUCTION OWNER]...
	local file=$to/$1.scm
	shift
	echo "(list" >"$file"
	while [ $# -gt 0 ]; do
		channel "$1" "$2" "$3" "$4" >>"$file"
		shift 4
	done
	echo ")" >>"$file"
}

mkdir -p "$keys" "$to" "$GNUPGHOME"
chmod 700 "$GNUPGHOME"
gpg=$GNUPGHOME/at-fixed-time
printf '#!/bin/sh\nexec gpg --faked-system-time %s "$@"\n' "$signed" >"$gpg"
chmod +x "$gpg"
