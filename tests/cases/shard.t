#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A run in shards that know nothing of each other: each image in one of them, no
# recipe in two, and merged what an undivided run finds.
. tests/cases/tap.sh

sql() { sqlite3 -batch "$@"; }
ok "a fake Guix" tests/fake/make "$T/fake" --images 60 --recipes 15 --sets 3
# Beside its images: one by another name, one that cannot be read, one that is not
# there, one that says nothing of its origin, and what the corpus says of two.
echo 'no image' >"$T/fake/text"
mkdir "$T/fake/root"
echo x >"$T/fake/root/x"
cp "$(find "$T/fake/images" -type f | sort | head -n 1)" "$T/fake/copy"
echo '(list (channel (name (quote guix)) (url "file:///srv/fake/channel")))' >"$T/fake/c.scm"
echo '(specifications->manifest (list "hello"))' >"$T/fake/m.scm"
cp "$T/fake/m.scm" "$T/fake/m2.scm"
cat >"$T/fake/more.corpus" <<'END'
(corpus (version 0)
 (image (name "text") (source "text"))
 (image (name "gone") (source "gone"))
 (image (name "bare") (source "rootfs:root"))
 (image (name "again") (source "copy"))
 (image (name "given") (source "rootfs:root") (channels "c.scm") (manifest "m.scm"))
 (image (name "given too") (source "text") (channels "c.scm") (manifest "m2.scm")))
END
unblend() { # CACHE ARGS...
	cache=$1
	shift
	run tests/fake/enter "$T/fake" "$UNBLEND" run -j 2 "$T/fake/fake.corpus" "$T/fake/more.corpus" \
		--trust "$T/fake/fake.trust" --cache "$T/$cache" "$@"
}
unblend whole -q -o "$T/o" -d "$T/whole.db"
is "$status" 1 "an undivided run" || diag "$(cat "$T/err")"
for n in 1 2 3; do
	# Nothing is shared but the images.
	unblend cache$n -q -o "$T/o$n" -d "$T/s$n.db" --shard $n/3
	ok "shard $n of 3" test "$status" -le 1 || diag "$(cat "$T/err")"
done
for n in 1 2 3; do sql "$T/s$n.db" "SELECT name FROM sample"; done >"$T/names"
is "$(wc -l <"$T/names")" 66 "as many images in all as there are"
sort "$T/names" >"$T/sorted"
sql "$T/whole.db" "SELECT name FROM sample" | sort >"$T/expected"
same "$T/sorted" "$T/expected" "each in one shard"
for n in 1 2 3; do sql "$T/s$n.db" "SELECT DISTINCT hex(digest) FROM recipe"; done | sort >"$T/recipes"
is "$(uniq -d "$T/recipes")" "" "no recipe in two"
is "$(wc -l <"$T/recipes")" "$(sql "$T/whole.db" "SELECT count(DISTINCT digest) FROM recipe")" "and all of them in one"
for n in 1 2 3; do sql "$T/s$n.db" "SELECT DISTINCT profile FROM provenance"; done | sort >"$T/profiles"
is "$(uniq -d "$T/profiles")" "" "nor a profile"
for n in 1 2 3; do
	ok "shard $n has some" test "$(sql "$T/s$n.db" "SELECT count(DISTINCT digest) FROM recipe")" -gt 0
done
# What each asked the daemon to build; a Guix of those channels each makes for itself.
built() { find "$T/$1" -name calls -exec cat {} + | sed -n 's=^build \(/[^ ]*-pack[^ ]*\).*=\1=p' | sort -u; }
for n in 1 2 3; do built cache$n; done | sort >"$T/built"
is "$(uniq -d "$T/built")" "" "no pack is built by two"
is "$(cat "$T/built")" "$(built whole)" "and they are those that one builds"
ok "which are some" test "$(wc -l <"$T/built")" -gt 10

run "$UNBLEND" merge "$T/all.db" "$T/s1.db" "$T/s2.db" "$T/s3.db"
like "$T/out" 'run 1 has all of 3 shards$' "merged they are whole"
for db in whole all; do
	sql "$T/$db.db" "SELECT s.seq, s.name, s.collection, a.verdict, a.class, a.cause, hex(r.digest), t.sha256
		FROM sample s JOIN attempt a ON a.sample_id = s.id LEFT JOIN recipe r ON r.id = recipe_id
		LEFT JOIN rebuilt t ON t.sample_id = s.id ORDER BY s.seq" >"$T/$db.txt"
done
same "$T/all.txt" "$T/whole.txt" "with every verdict of the undivided run"

unblend whole -q -o "$T/o4" -d "$T/again.db" --shard 2/3
is "$(sql "$T/again.db" "SELECT group_concat(name) FROM (SELECT name FROM sample ORDER BY seq)")" \
	"$(sql "$T/s2.db" "SELECT group_concat(name) FROM (SELECT name FROM sample ORDER BY seq)")" \
	"another cache divides the same"
before=$(sql "$T/again.db" .dump | sha256sum)
unblend whole -q -o "$T/o4" -d "$T/again.db" --shard 2/3 --resume
is "$(sql "$T/again.db" .dump | sha256sum)" "$before" "a shard can be resumed, and had ended"
unblend whole -o "$T/o5" -d "$T/last.db" --shard 1/1 --only 'text'
is "$(sql "$T/last.db" 'SELECT name FROM sample')" text "one shard has all that is selected"
run "$UNBLEND" merge "$T/all.db" "$T/again.db"
like "$T/out" 'again\.db: 1 run: 1 taken over' "a shard of the same study at another time is a run of its own"
unblend whole -q -o "$T/o6" -d "$T/o6.db" --accept identical --shard 3/3
run "$UNBLEND" merge "$T/two.db" "$T/s1.db" "$T/o6.db"
is "$status" 2 "shards with other options do not belong together"
like "$T/err" 'accept is identical in it, and same-contents there' "as the message says"
unblend whole -q -o "$T/o7" -d "$T/o7.db" --study tuesday --shard 3/3
run "$UNBLEND" merge "$T/two.db" "$T/s1.db" "$T/o7.db"
like "$T/err" 'or --study differs' "nor those of another --study"

# What would be done, of a shard, and of all where Slurm would do it.
unblend whole --plan --shard 1/3
is "$(grep -c 'image-' "$T/out")" "$(sql "$T/s1.db" "SELECT count(DISTINCT recipe_id) FROM attempt a
	JOIN sample s ON s.id = sample_id WHERE name LIKE 'image-%'")" "--plan tells of a shard's recipes"
unblend whole --plan --executor slurm
is "$(grep -c 'image-' "$T/out")" 15 "and of all for Slurm"

# Two nights in the same databases: in the second nothing has changed.
for night in monday tuesday; do
	for n in 1 2; do
		unblend cache$n -q -o "$T/n$n" -d "$T/n$n.db" --shard $n/2 --study $night --changed
	done
done
run "$UNBLEND" merge "$T/nights.db" "$T/n1.db" "$T/n2.db"
is "$status" 0 "databases of two nights" || diag "$(cat "$T/err")"
is "$(sql "$T/nights.db" "SELECT r.id, ended_s NOT NULL, (SELECT count(*) FROM judgement j WHERE j.run_id = r.id),
	(SELECT count(*) FROM shard s WHERE s.run_id = r.id) FROM run r" | tr '\n' ' ')" "1|1|66|2 2|1|66|2 " \
	"become two runs, each with all"
ok "in the second, verdicts stand" test "$(sql "$T/nights.db" "SELECT count(*) FROM skip")" -gt 50
is "$(sql "$T/nights.db" "SELECT DISTINCT s.run_id, o.run_id FROM skip JOIN sample s ON s.id = sample_id
	JOIN sample o ON o.id = of_sample_id WHERE s.name = o.name")" "2|1" "that are of the first"
before=$(sql "$T/nights.db" .dump | sha256sum)
run "$UNBLEND" merge "$T/nights.db" "$T/n2.db" "$T/n1.db"
is "$(sql "$T/nights.db" .dump | sha256sum)" "$before" "and once more change nothing"

# The profile is found again although the file has changed.
touch "$T/fake/text"
cp "$T/fake/copy" "$T/fake/text"
unblend whole -q -o "$T/o8" -d "$T/o8.db" --depth recipe --shard 1/1 --only text
is "$(sql "$T/o8.db" "SELECT count(*) FROM provenance")" 1 "what is kept of a file is of that state alone"

for wrong in 0/3 4/3 3 1/0 1/x -1/3 1/10001; do
	unblend whole -q -o "$T/o9" --shard "$wrong"
	is "$status" 2 "--shard $wrong is no shard"
done
printf 'unblend shards 00\n' >"$T/plan"
unblend whole -q -o "$T/o9" --shard 1/3 --shard-plan "$T/plan"
is "$status" 2 "a plan of something else"
like "$T/err" 'is no plan of this study' "is refused"
mkdir "$T/tmp"
run tests/fake/enter "$T/fake" env TMPDIR="$T/tmp" "$UNBLEND" run --plan "$T/fake/fake.corpus" \
	--cache "$T/whole" --shard 1/3 --shard-plan "$T/plan"
is "$status:$(ls "$T/tmp")" 2: "before anything is read"
unblend whole -q -o "$T/o9" --shard-plan "$T/plan"
is "$status" 2 "and is for a shard alone"
not_ok "nothing was begun" test -e "$T/o9/index.html"

# What is known of images is not kept for ever, but as long as it is asked for.
kept() { find "$T/cache1/shards" -type f | wc -l; }
find "$T/cache1/shards" -type f -exec touch -d '31 days ago' {} +
unblend cache1 -q -o "$T/o10" -d "$T/o10.db" --shard 1/3 --only text
before=$(kept)
run "$UNBLEND" gc --cache "$T/cache1" --dry-run
is "$(kept)" "$before" "gc --dry-run removes nothing"
run "$UNBLEND" gc --cache "$T/cache1"
is "$status:$(kept)" 0:1 "gc all but the one that was asked for ($before before)"
done_testing
