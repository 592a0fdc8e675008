#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Databases of shards become one that holds what an undivided run holds; asked by
# SQLite.  What is foreign, forged or damaged is refused, and changes nothing.
. tests/cases/tap.sh

sql() { sqlite3 -batch "$@"; }
dump() { sqlite3 -batch "$1" .dump | sha256sum; }

# All that a database holds of its runs, without the numbers of its rows.
contents() {
	sql -bail "$1" "
	SELECT 'attempt', s.seq, s.name, s.collection, s.source, s.expect, s.tags, a.verdict, a.class,
		a.cause, a.advice, a.started_s, a.elapsed_ms, a.image_path, hex(i.content),
		hex(p.content), hex(r.content), a.command, a.differences, a.packages_differing
		FROM sample s JOIN attempt a ON a.sample_id = s.id LEFT JOIN image i ON i.id = image_id
		LEFT JOIN provenance p ON p.id = provenance_id LEFT JOIN recipe r ON r.id = recipe_id
		ORDER BY s.seq;
	$(for table in attempt_text rebuild log rebuilt rebuilt_layer forgiven difference excerpt basis trial; do
		columns=$(sql "$1" "SELECT group_concat('quote(t.' || name || ')', ',') FROM
			pragma_table_info('$table') WHERE name <> 'sample_id'")
		[ -z "$columns" ] || echo "SELECT '$table', s.name, $columns FROM $table t
			JOIN sample s ON s.id = t.sample_id ORDER BY 2, 3, 4;"
	done)
	SELECT 'item', hex(i.content), i.name, hex(i.digest), i.bytes, i.files, f.* FROM item i
		LEFT JOIN (SELECT item_id, count(*), hex(group_concat(path || type || mode ||
		ifnull(size, '') || ifnull(hex(sha256), '') || ifnull(link, ''))) FROM item_file
		GROUP BY item_id) f ON f.item_id = i.id ORDER BY 2;
	SELECT 'image', hex(i.content), hex(sha256), i.bytes, format, i.compression, hex(config), i.entries, items,
		y.seq, hex(y.diff_id) FROM image i LEFT JOIN image_layer y ON y.image_id = i.id ORDER BY 2, 10;
	SELECT 'image-item', hex(i.content), m.seq, hex(t.content) FROM image i
		JOIN image_item m ON m.image_id = i.id JOIN item t ON t.id = m.item_id ORDER BY 2, 3;
	SELECT 'image-file', hex(i.content), f.seq, path, type, mode, uid, mtime_s, hex(f.sha256), link FROM image i
		JOIN image_file f ON f.image_id = i.id ORDER BY 2, 3;
	SELECT 'recipe', hex(r.content), channels_scm, manifest_scm, format, pack_options, c.label
		FROM recipe r JOIN channel_set c ON c.id = channel_set_id ORDER BY 2;
	SELECT 'commit-date', d.* FROM commit_date d ORDER BY 2;
	SELECT 'channel', c.label, h.seq, h.name, h.url, h.\"commit\" FROM channel_set c
		JOIN channel h ON h.channel_set_id = c.id ORDER BY 2, 3;
	SELECT 'package', hex(p.content), k.* FROM provenance p JOIN package k ON k.provenance_id = p.id
		ORDER BY 2, k.seq;" | sed 's/|item_id=[0-9]*//'
}

ok "a fake Guix" tests/fake/make "$T/fake" --images 24 --recipes 8 --sets 2
run tests/fake/enter "$T/fake" "$UNBLEND" run -q -j 2 "$T/fake/fake.corpus" \
	--trust "$T/fake/fake.trust" -o "$T/o" -d "$T/whole.db" --cache "$T/cache"
is "$status" 1 "an undivided run" || diag "$(cat "$T/err")"
is "$(sql "$T/whole.db" 'SELECT count(*) FROM attempt')" 24 "has 24 verdicts"

# Words that have newlines in them are kept so where store/load.c lets them in.
sql "$T/whole.db" "UPDATE recipe SET pack_options = pack_options || char(10) || 'b', revealed = char(10);
	UPDATE attempt SET command = command || char(10), cause = cause || char(10), advice = char(10);
	UPDATE difference SET detail = detail || char(10) || 'x'; UPDATE provenance SET found = char(10);
	UPDATE rebuild SET failed_lines = char(10)"

# shard N: a database as that shard alone would have left it.
shard() {
	rm -f "$T/s$1.db"*
	sql "$T/whole.db" "VACUUM INTO '$T/s$1.db'"
	sql "$T/s$1.db" "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = OFF; BEGIN;
		CREATE TEMP TABLE gone AS SELECT id FROM sample WHERE seq % 3 <> $1 - 1;
		$(for table in attempt_text rebuild log rebuilt rebuilt_layer forgiven excerpt difference basis trial skip attempt; do
			echo "DELETE FROM $table WHERE sample_id IN (SELECT id FROM gone);"
		done)
		DELETE FROM sample WHERE id IN (SELECT id FROM gone);
		UPDATE run SET started_s = started_s + $1, ended_s = ended_s + $1, host = 'node$1';
		INSERT INTO shard (run_id, number, \"of\", study, images, options) VALUES
			(1, $1, 3, zeroblob(32), 24, 'unblend 0' || char(10) || 'timeout 60' || char(10));
		COMMIT; PRAGMA foreign_key_check" >/dev/null
}
for n in 1 2 3; do shard $n; done

run "$UNBLEND" merge "$T/all.db" "$T/s1.db" "$T/s3.db"
is "$status" 0 "two shards of three are merged" || diag "$(cat "$T/err")"
like "$T/out" 'all\.db: run 1 has 2 of 3 shards, and lacks 2$' "and which one lacks is told"
is "$(sql "$T/all.db" 'SELECT count(*), ended_s IS NULL FROM run')" "1|1" "they are one run, not at its end"
run "$UNBLEND" merge "$T/all.db" "$T/s2.db"
like "$T/out" 's2\.db: 1 run: 1 joined to its study; 8 images$' "the third joins them"
like "$T/out" 'run 1 has all of 3 shards$' "and is the last"
begun=$(sql "$T/whole.db" 'SELECT started_s FROM run')
is "$(sql "$T/all.db" "SELECT count(*), started_s - $begun, ended_s - (SELECT max(ended_s) FROM shard),
	host, accept, depth FROM run")" "1|1|0|node1 and others|same-contents|pack" \
	"the run began with the first and ended with the last"
contents "$T/whole.db" >"$T/expected"
contents "$T/all.db" >"$T/merged"
same "$T/merged" "$T/expected" "it holds what the undivided run holds"
ok "and that is a lot" test "$(wc -l <"$T/expected")" -gt 200
is "$(sql "$T/all.db" 'PRAGMA integrity_check; PRAGMA foreign_key_check')" ok "whole, by SQLite's own check"

before=$(dump "$T/all.db")
run "$UNBLEND" merge "$T/all.db" "$T/s3.db" "$T/s1.db" "$T/s2.db"
is "$status" 0 "the same once more"
is "$(dump "$T/all.db")" "$before" "changes nothing"
is "$(grep -c '1 there already; 0 images$' "$T/out")" 3 "and says so"
run "$UNBLEND" merge "$T/turned.db" "$T/s3.db" "$T/s2.db" "$T/s1.db"
contents "$T/turned.db" >"$T/merged"
same "$T/merged" "$T/expected" "in another order, the same comes of it"
is "$(sql "$T/turned.db" 'SELECT started_s, ended_s, host FROM run')" \
	"$(sql "$T/all.db" 'SELECT started_s, ended_s, host FROM run')" "and the same run"
cp "$T/s2.db" "$T/own.db"
run "$UNBLEND" merge "$T/own.db" "$T/s1.db" "$T/s3.db"
contents "$T/own.db" >"$T/merged"
same "$T/merged" "$T/expected" "a shard's own database takes in the others"
run "$UNBLEND" merge "$T/tree.db" "$T/own.db" "$T/s3.db"
contents "$T/tree.db" >"$T/merged"
same "$T/merged" "$T/expected" "and what was merged can be merged"
run "$UNBLEND" report -d "$T/all.db" -o "$T/again" --format csv
is "$(sed 1d "$T/again/verdicts.csv" | wc -l)" 24 "a report of it has all images"

rm -f "$T/gap.db"*
cp "$T/s2.db" "$T/fewer.db"
sql "$T/fewer.db" "CREATE TEMP TABLE gone AS SELECT max(id) AS id FROM sample;
	$(for table in attempt_text rebuild log rebuilt rebuilt_layer forgiven difference basis trial attempt; do
		echo "DELETE FROM $table WHERE sample_id IN (SELECT id FROM gone);"
	done)
	DELETE FROM sample WHERE id IN (SELECT id FROM gone)"
run "$UNBLEND" merge "$T/gap.db" "$T/s1.db" "$T/fewer.db" "$T/s3.db"
like "$T/out" 'has all of 3 shards, but 1 image is in none of them' "an image that no shard had is missed"
is "$(sql "$T/gap.db" 'SELECT ended_s IS NULL FROM run')" 1 "and the run is not at its end"

# What does not belong together.
differs() { # NAME SQL ERE
	cp "$T/s2.db" "$T/other.db"
	sql "$T/other.db" "$2"
	rm -f "$T/two.db"*
	"$UNBLEND" merge "$T/two.db" "$T/s1.db" >"$T/out"
	before=$(dump "$T/two.db")
	run "$UNBLEND" merge "$T/two.db" "$T/other.db"
	is "$status" 2 "a shard with other $1 is refused"
	like "$T/err" "$3" "the message names it"
	is "$(dump "$T/two.db")" "$before" "and nothing has changed"
}
differs "accepted verdict" "UPDATE run SET accept = 'identical'" \
	'accept is identical in it, and same-contents there'
differs depth "UPDATE run SET depth = 'closure'" 'depth is closure in it, and pack there'
differs options "UPDATE shard SET options = replace(options, '60', '70')" \
	"options are 'timeout 70' in it, and 'timeout 60' there"
differs corpora "UPDATE run SET corpora = '/x.corpus'; UPDATE shard SET study = randomblob(32)" \
	"corpora are '/x.corpus' in it, and '$T/fake/fake.corpus' there"
differs study "UPDATE shard SET study = randomblob(32)" 'which of them are selected, or --study differs'

# Runs that were not divided, in several nights.
ok "a database of three nights" tests/cases/many "$T/many.db" 200 3
# In the last one, an image was not tried, nothing having changed.
sql "$T/many.db" "DELETE FROM rebuilt WHERE sample_id = 401; DELETE FROM rebuild WHERE sample_id = 401;
	DELETE FROM difference WHERE sample_id = 401; DELETE FROM attempt WHERE sample_id = 401;
	INSERT INTO skip VALUES (401, 201)"
run "$UNBLEND" merge "$T/all.db" "$T/many.db"
is "$status" 0 "runs of another machine" || diag "$(cat "$T/err")"
like "$T/out" '3 runs: 3 taken over; 600 images' "are taken over as they are"
is "$(sql "$T/all.db" "SELECT run_id, count(*) FROM judgement GROUP BY run_id" | tr '\n' ' ')" \
	"1|24 2|200 3|200 4|200 " "behind those that are there"
is "$(sql "$T/all.db" "SELECT s.run_id, s.name, o.run_id, o.name FROM skip JOIN sample s ON s.id = sample_id
	JOIN sample o ON o.id = of_sample_id")" "4|image-000000|3|image-000000" \
	"a verdict that stands for another does so there"
before=$(dump "$T/all.db")
run "$UNBLEND" merge "$T/all.db" "$T/many.db" "$T/s1.db"
is "$(dump "$T/all.db")" "$before" "and once more changes nothing"
sql "$T/many.db" "UPDATE run SET ended_s = NULL WHERE id >= 2"
run "$UNBLEND" merge "$T/late.db" "$T/many.db"
like "$T/err" 'many\.db: run 3 has not ended and is left out' "a run that may go on is left out"
is "$(sql "$T/late.db" 'SELECT count(*), sum(ended_s IS NULL) FROM run')" "2|1" \
	"one that nobody will go on with is not"

# What nobody should believe.
refused() { # NAME SQL ERE
	rm -f "$T/bad.db"*
	sql "$T/s2.db" "VACUUM INTO '$T/bad.db'"
	sql "$T/bad.db" ".dbconfig defensive off" "PRAGMA foreign_keys = OFF; PRAGMA writable_schema = ON; $2" >/dev/null
	rm -f "$T/two.db"*
	"$UNBLEND" merge "$T/two.db" "$T/s1.db" >"$T/out"
	before=$(dump "$T/two.db")
	run timeout 20 "$UNBLEND" merge "$T/two.db" "$T/bad.db"
	is "$status" 2 "$1 is refused"
	like "$T/err" "$3" "with the reason"
	is "$(dump "$T/two.db")" "$before" "and nothing has changed"
}
refused "a newer database" "PRAGMA user_version = 1000" 'made by a newer unblend'
refused "an older one" "PRAGMA user_version = 1" 'is of version 1'
refused "a terminal's codes" "UPDATE sample SET name = char(27) || '[2J' || name" 'control characters'
refused "an image that claims to be another" \
	"UPDATE image_file SET mode = 2541" 'an image .* claims to be one'
refused "a store item that does" "UPDATE item_file SET mode = 2541" 'a store item .* claims to be one'
refused "a recipe that does" "UPDATE recipe SET manifest_scm = '(evil)'" 'a recipe .* claims to be one'
refused "a verdict that is none" "UPDATE attempt SET verdict = 'perfect' WHERE sample_id % 2 = 0" 'refuses a value'
refused "a reference to nothing" "DELETE FROM recipe WHERE id = 3; UPDATE sample SET expect = 'nothing'" 'refuses a value'
refused "a trigger" "CREATE TRIGGER t AFTER INSERT ON run BEGIN SELECT 1; END" 'its tables are not'
refused "a view that never ends" "DROP VIEW judgement; DROP TABLE trial; CREATE VIEW trial AS
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS sample_id, i AS seq,
	i AS ended_s, 'x' AS class FROM n" 'its tables are not'
refused "a table without types" "DROP TABLE log; CREATE TABLE log (sample_id, bytes, packed);
	INSERT INTO log SELECT sample_id, 'many', 7 FROM attempt" 'should be a number'
refused "a column that is made of others" \
	"DROP TABLE trial; CREATE TABLE trial (sample_id, seq AS (sample_id), ended_s, class)" 'its tables are not'

rm -f "$T/two.db"*
"$UNBLEND" merge "$T/two.db" "$T/s1.db" >"$T/out"
before=$(dump "$T/two.db")
sql "$T/s2.db" "VACUUM INTO '$T/torn.db'"
size=$(stat -c %s "$T/torn.db")
# A page in the middle, overwritten.
dd if=/dev/urandom of="$T/torn.db" bs=4096 seek=$((size / 8192)) count=1 conv=notrunc status=none
run "$UNBLEND" merge "$T/two.db" "$T/torn.db"
ok "a damaged one is refused" test "$status" -ge 2
like "$T/err" 'damaged' "and called so"
is "$(dump "$T/two.db")" "$before" "and nothing has changed"
echo 'no database' >"$T/text"
run "$UNBLEND" merge "$T/two.db" "$T/s2.db" "$T/text"
ok "something else is refused" test "$status" -ge 2
is "$(dump "$T/two.db")" "$before" "with all that was named beside it"
run "$UNBLEND" merge "$T/none.db" "$T/nothing.db"
is "$status" 2 "what is not there is a mistake"
not_ok "and makes nothing" test -e "$T/none.db"
run "$UNBLEND" merge "$T/two.db" "$T/two.db"
is "$status" 2 "nothing is merged into itself"

sed -n 's/^CREATE TABLE \([a-z_]*\).*/\1/p' harness/store/schema.sql | while read -r table; do
	[ "$table" = verdict ] || grep -Eq "(FROM|JOIN) $table\b" harness/store/merge.def || echo "$table"
done >"$T/tables"
is "$(cat "$T/tables")" "" "every table of the schema is taken over"

# A run of as many images as there are: memory does not grow with them.
images=100000
[ "$(grep -c __asan_init "$UNBLEND")" = 0 ] || images=2000
ok "a database of $images images" tests/cases/many "$T/large.db" $images 1
run env time -f '%M %e' -o "$T/peak" "$UNBLEND" merge "$T/joined.db" "$T/large.db"
is "$status" 0 "is merged" || diag "$(cat "$T/err")"
peak=$(cut -d' ' -f1 "$T/peak")
if [ $images = 100000 ]; then
	ok "in less than 64 MB ($((peak >> 10))), in $(cut -d' ' -f2 "$T/peak") s" test "$peak" -lt 65536
else
	skip 1 "AddressSanitizer counts its own memory"
fi
is "$(sql "$T/joined.db" 'SELECT count(*) FROM judgement')" $images "all of it"
done_testing
