# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Sourced by tests/bench/run: many images at once.
: "${bench:?}"

# seconds CMD...: runs it, and sets took; its output goes to $bench/tmp/out.
seconds() {
	local begin end status=0
	begin=$(date +%s.%N)
	"$@" >"$bench/tmp/out" 2>"$bench/tmp/err" || status=$?
	end=$(date +%s.%N)
	((status == 0)) || { tail -n 5 "$bench/tmp/err" >&2; die "status $status: $*"; }
	took=$(calc "$end - $begin")
}
calc() { awk "BEGIN { printf \"%.1f\", $1 }"; }

# --- a night, in the offline Guix ---------------------------------------------
# What a nightly run of 200 images takes: forty recipes of four sets of channels,
# five images of each.  By hand, each recipe's first image is measured, and of those
# that come again NIGHT_SAMPLE (20), from which the rest is reckoned; all of them, if
# NIGHT_WHOLE is set.
night_corpus() { # TIMES: every recipe's first image, then every one's second, ...
	local name i file
	echo '(corpus (version 0)'
	for ((i = 1; i <= $1; i++)); do
		while read -r name; do
			file=$(echo "$night/$name".tar*)
			echo "(image (name \"$name.$i\") (source \"$file\"))"
			echo "$name.$i" >>"$d/names"
		done <"$d/recipes"
	done
	echo ')'
}

# The packs are as not yet built: so is every rebuild in its turn.
forget_packs() {
	local v=() drv
	while read -r drv; do
		drv=$(sed 's/^Derive(\[("out","\([^"]*\)".*/\1/; q' "$drv")
		[[ ! -e $drv ]] || v+=("$drv")
	done <"$d/drvs"
	((${#v[@]} == 0)) || guix gc -D "${v[@]}" >/dev/null 2>&1 || {
		# Somebody else in this world holds one of them.
		for drv in "${v[@]}"; do guix gc -D "$drv" >/dev/null 2>&1 || echo "$drv stays" >&2; done
	}
}

unblend_night() { # CORPUS DEPTH
	"$UNBLEND" run "$1" --depth "$2" --quiet -j 2 --trust corpus/demo.trust \
		--cache "$d/cache" -d "$d/db" -o "$d/report"
}

# by_hand_night JOBS: sets took, of all images, reckoned from a sample or not.
by_hand_night() {
	local n first again
	forget_packs
	n=$(wc -l <"$d/recipes")
	if [[ ${NIGHT_WHOLE-} ]]; then
		seconds in_turn "$1" "$d/names"
		return
	fi
	head -n "$n" "$d/names" >"$d/first"
	tail -n "${NIGHT_SAMPLE:-20}" "$d/names" >"$d/again"
	seconds in_turn "$1" "$d/first"
	first=$took
	seconds in_turn "$1" "$d/again"
	again=$took
	took=$(calc "$first + $again / $(wc -l <"$d/again") * ($(wc -l <"$d/names") - $n)")
}
in_turn() { # JOBS NAMES: a shell loop, or one under xargs
	export LOOP_LOG=$d/loop.log
	if (($1 == 1)); then
		xargs tests/bench/loop "$night" <"$2"
	else
		xargs -P "$1" -n 1 tests/bench/loop "$night" <"$2"
	fi
}

# count_builds CMD...: runs it, and sets builds: a line a build of a pack, its
# derivation.  The daemon writes a log for each build, and closes it once.
count_builds() {
	local v=() drv watch
	while read -r drv; do
		drv=${drv##*/}
		v+=("/var/log/guix/drvs/${drv:0:2}")
	done <"$d/drvs"
	mkdir -p "${v[@]}"
	: >"$d/watched"
	inotifywait -m -q -e close_write --format %w%f -o "$d/watched" "${v[@]}" &
	watch=$!
	sleep 0.5
	"$@"
	sleep 0.5
	kill "$watch"
	sed 's,.*/drvs/\(..\)/\(.*\)\.drv.*,/gnu/store/\1\2.drv,' "$d/watched" |
		grep -Fxf "$d/drvs" | sort >"$d/builds" || :
}

night_all() {
	local d=$bench/tmp/night night=$bench/night loop xargs n images whole=', reckoned from a part'
	[[ ! ${NIGHT_WHOLE-} ]] || whole=''
	rm -rf "$d"
	mkdir -p "$d"
	find "$night" -name '*.options' -printf '%f\n' | sed 's/[.]options$//' | sort -t- -k 2n -k 1 >"$d/recipes"
	n=$(wc -l <"$d/recipes")
	night_corpus 1 >"$d/first.corpus"
	: >"$d/names"
	night_corpus "${NIGHT_TIMES:-5}" >"$d/all.corpus"
	images=$(wc -l <"$d/names")
	printf '\n%s\n' "How long does a night take?  $images images, $n recipes, 4 sets of channels"
	printf '%-56s %8s %8s\n' '' 'total s' 'by hand'
	# All that is no part of a night: the Guix of each set of channels, packages.
	seconds unblend_night "$d/first.corpus" pack
	sqlite3 "$d/db" 'SELECT DISTINCT drv FROM rebuild WHERE drv IS NOT NULL' >"$d/drvs"
	[[ $(wc -l <"$d/drvs") == "$n" ]] || die "not $n packs: $(wc -l <"$d/drvs")"
	for loop in g1 g2 a1 a2; do
		guix time-machine -C "/srv/channels/$loop.scm" -- describe >/dev/null 2>&1 || die "no Guix of $loop"
	done
	by_hand_night 1
	loop=$took
	printf '%-56s %8s\n' "guix time-machine, sha256sum, in a loop$whole" "$loop"
	by_hand_night 2
	xargs=$took
	printf '%-56s %8s\n' "the same under xargs -P2$whole" "$xargs"
	forget_packs
	rm -f "$d/db"*
	count_builds seconds unblend_night "$d/all.corpus" pack
	grep -q "^$images images: $images identical" "$bench/tmp/out" || die "not all are identical: $(tail -n 3 "$bench/tmp/out")"
	[[ $(uniq <"$d/builds" | wc -l) == "$n" && $(wc -l <"$d/builds") == "$n" ]] ||
		die "$(wc -l <"$d/builds") builds of $(uniq <"$d/builds" | wc -l) packs, not one of each of $n"
	printf '%-56s %8s %8s\n' "unblend run -j 2, each pack built once" "$took" \
		"$(calc "$loop / $took")x, $(calc "$xargs / $took")x"
}

# --- a hundred thousand images, with a fake Guix -------------------------------
# What the scheduler itself costs: its own processor time and memory, all of its
# workers left out.  Images are small, and few of them have other bytes, but each is
# read.
scale_all() {
	local d=$bench/tmp/scale images=${SCALE_IMAGES:-100000}
	local -A got
	rm -rf "$d"
	tests/fake/make "$d" --images "$images"
	tests/fake/enter "$d" tests/bench/watch "$UNBLEND" run "$d/fake.corpus" --quiet -j 2 \
		--trust "$d/fake.trust" --cache "$d/cache" -d "$d/db" -o "$d/report" >"$bench/tmp/out"
	while read -r key value; do got[$key]=$value; done <"$bench/tmp/out"
	[[ ${got[verdicts]} == "$images" && ${got[lost]} == 0 && ${got[status]} == 1 ]] ||
		die "not $images verdicts: $(tr '\n' ' ' <"$bench/tmp/out")"
	sqlite3 -separator ' ' "$d/db" "SELECT sample.name, verdict FROM attempt
		JOIN sample ON sample.id = sample_id ORDER BY 1" | cmp -s - "$d/expected" ||
		die "not the verdicts that were expected"
	printf '\n%s\n' "What does the scheduler cost?  $images images, 40 recipes, a Guix that answers at once, -j 2"
	printf '%-56s %s\n' \
		"its own processor time, an image" "$(awk "BEGIN { printf \"%.2f ms\", ${got[own_seconds]} * 1000 / $images }")" \
		"its workers', an image" "$(awk "BEGIN { printf \"%.2f ms\", ${got[worker_seconds]} * 1000 / $images }")" \
		"the whole run" "${got[seconds]} s" \
		"its peak memory" "$((got[peak_kb] / 1024)) MB" \
		"the database" "$(size "$d/db"), $(($(stat -c %s "$d/db") / images)) bytes an image" \
		"all reports, with a page an image" "${got[report_seconds]} s, peak $((got[report_peak_kb] / 1024)) MB"
	rm -rf "$d"
}
