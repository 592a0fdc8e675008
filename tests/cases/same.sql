-- SPDX-License-Identifier: GPL-3.0-or-later
-- All that a database says of its runs, but when and how long, the rows' numbers,
-- and what tells in which order jobs were done: notes, command lines and logs.
.mode list
.nullvalue NULL
SELECT 'run', id, ended_s IS NOT NULL, unblend_version, guix_version, host, kernel,
	store_fs, accept, corpora, depth FROM run ORDER BY id;
SELECT 'sample', run_id, seq, name, collection, source, expect, tags FROM sample
	ORDER BY run_id, seq;
SELECT 'attempt', s.run_id, s.seq, a.verdict, a.class, a.cause, a.advice, a.image_path,
	hex(i.content), hex(p.content), hex(c.content), a.command, a.differences,
	a.packages_differing
FROM sample s LEFT JOIN attempt a ON a.sample_id = s.id LEFT JOIN image i ON i.id = a.image_id
LEFT JOIN provenance p ON p.id = a.provenance_id LEFT JOIN recipe c ON c.id = a.recipe_id
	ORDER BY s.run_id, s.seq;
SELECT 'text', s.run_id, s.seq, t.kind, t.seq, t.text FROM attempt_text t
	JOIN sample s ON s.id = t.sample_id WHERE t.kind NOT IN ('note', 'command')
	ORDER BY s.run_id, s.seq, t.kind, t.seq;
SELECT 'rebuild', s.run_id, s.seq, r.ended, r.class, r.drv, r.output, r.profile, r.failed_drv,
	r.failed_lines, r.guix_version, r.is_checked, r.is_stable, r.built, r.substituted,
	r.valid, r.downloaded, r.depth, r.examined, r.unstable FROM rebuild r
	JOIN sample s ON s.id = r.sample_id ORDER BY s.run_id, s.seq;
SELECT 'rebuilt', s.run_id, s.seq, hex(r.sha256), r.bytes, r.compression, hex(r.config_digest)
	FROM rebuilt r JOIN sample s ON s.id = r.sample_id ORDER BY s.run_id, s.seq;
SELECT 'layer', s.run_id, s.seq, y.seq, hex(y.diff_id), y.compression, y.bytes, y.entries
	FROM rebuilt_layer y JOIN sample s ON s.id = y.sample_id ORDER BY s.run_id, s.seq, y.seq;
SELECT 'forgiven', s.run_id, s.seq, f.seq, f.what, f.count FROM forgiven f
	JOIN sample s ON s.id = f.sample_id ORDER BY s.run_id, s.seq, f.seq;
SELECT 'difference', s.run_id, s.seq, d.seq, d.path, d.store_item, d.package, d.kind, d.detail,
	d.offset FROM difference d JOIN sample s ON s.id = d.sample_id ORDER BY s.run_id, s.seq, d.seq;
SELECT 'basis', s.run_id, s.seq, b.file, hex(b.entry), b.guix, hex(b.policy) FROM basis b
	JOIN sample s ON s.id = b.sample_id ORDER BY s.run_id, s.seq;
SELECT 'skip', s.run_id, s.seq FROM skip k JOIN sample s ON s.id = k.sample_id
	ORDER BY s.run_id, s.seq;
-- What is shared is there once, and none of it for nobody.
SELECT 'image', hex(content), entries, items FROM image ORDER BY content;
SELECT 'item', hex(content), name FROM item ORDER BY content;
SELECT 'recipe', hex(content) FROM recipe ORDER BY content;
SELECT 'provenance', hex(content) FROM provenance ORDER BY content;
SELECT 'channels', hex(content), label FROM channel_set ORDER BY content;
SELECT 'rows', (SELECT count(*) FROM image_file), (SELECT count(*) FROM item_file),
	(SELECT count(*) FROM image_item), (SELECT count(*) FROM image_layer),
	(SELECT count(*) FROM image_tag), (SELECT count(*) FROM channel),
	(SELECT count(*) FROM package), (SELECT count(*) FROM log);
