-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- The database of unblend, version 4.  Read it with any sqlite3:
--
--	SELECT name, verdict FROM judgement WHERE run_id = 3 AND NOT is_accepted;
--	SELECT run_id, verdict FROM judgement WHERE name = 'svd' ORDER BY run_id;
--
-- What holds throughout:
--   - NULL only where absence means something; the comment says what.
--   - Text from outside is clean: UTF-8 without control characters, "#x1B" or
--     "\xFF" in the place of what is not.  "lines" in a comment: newlines and
--     tabs stay.  A column raw_X holds the exact bytes of X where cleaning
--     changed them, else NULL.
--   - Digests are SHA-256, 32 bytes: lower(hex(X)) shows them.
--   - X_s is seconds since 1970 (UTC), X_ms milliseconds, is_X 0 or 1.
--   - seq counts from 0 in the order of the thing listed.
--   - content is the digest of all that was recorded of a thing.  What is equal
--     in all of it is stored once and shared; what was only claimed to be equal
--     is not.

-- Every verdict, best first.  Filled from the program's own list.
CREATE TABLE verdict (
	rank INTEGER PRIMARY KEY,     -- 0 is the best
	name TEXT NOT NULL UNIQUE,    -- "identical", ...
	junit TEXT NOT NULL,          -- "pass", "failure", "skipped", "error"
	sentence TEXT NOT NULL        -- what it means
) STRICT;

-- One `unblend run'.
CREATE TABLE run (
	id INTEGER PRIMARY KEY,
	started_s INTEGER NOT NULL,
	ended_s INTEGER,                -- NULL: runs still, or was killed
	unblend_version TEXT NOT NULL,
	guix_version TEXT NOT NULL,     -- of the first rebuild; '' before it
	host TEXT NOT NULL,             -- name of the machine
	kernel TEXT NOT NULL,           -- "Linux 6.1.0 x86_64"
	store_fs TEXT NOT NULL,         -- file system type of the Guix store
	accept TEXT NOT NULL REFERENCES verdict (name), -- the line it sets
	corpora TEXT NOT NULL,          -- lines: the corpus files named
	depth TEXT NOT NULL             -- how much is rebuilt where the corpus
	                                -- does not say: "pack", ...
) STRICT;

-- An image of a corpus, in one run.
CREATE TABLE sample (
	id INTEGER PRIMARY KEY,
	run_id INTEGER NOT NULL REFERENCES run (id),
	seq INTEGER NOT NULL,           -- order within the run, from 1
	name TEXT NOT NULL,             -- key of its history
	collection TEXT NOT NULL,       -- stem of the corpus file's name
	source TEXT NOT NULL,           -- where the image is, as written
	expect TEXT REFERENCES verdict (name), -- NULL: nothing is expected
	tags TEXT NOT NULL,             -- words, a space between
	UNIQUE (run_id, seq),
	UNIQUE (name, run_id)           -- in this order for the history of a name
) STRICT;

-- What an image file holds.
CREATE TABLE image (
	id INTEGER PRIMARY KEY,
	content BLOB NOT NULL UNIQUE CHECK (length(content) = 32),
	sha256 BLOB NOT NULL CHECK (length(sha256) = 32), -- of the file
	bytes INTEGER NOT NULL,         -- of the file
	format TEXT NOT NULL,           -- "docker-archive"
	compression TEXT NOT NULL,      -- of the whole file: "gzip", "none", ...
	config_digest BLOB NOT NULL CHECK (length(config_digest) = 32),
	config BLOB,                    -- raw JSON; NULL: over 1 MiB
	entries INTEGER NOT NULL,       -- paths of the merged tree
	items INTEGER NOT NULL          -- store items
) STRICT;
CREATE INDEX image_by_sha256 ON image (sha256);

-- Names that the image file gives itself.
CREATE TABLE image_tag (
	image_id INTEGER NOT NULL REFERENCES image (id),
	seq INTEGER NOT NULL,
	tag TEXT NOT NULL,              -- "NAME:TAG"
	PRIMARY KEY (image_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE image_layer (
	image_id INTEGER NOT NULL REFERENCES image (id),
	seq INTEGER NOT NULL,           -- 0 is the lowest
	diff_id BLOB NOT NULL CHECK (length(diff_id) = 32), -- of the plain tar
	compression TEXT NOT NULL,      -- within the image file
	bytes INTEGER NOT NULL,         -- of the plain tar
	entries INTEGER NOT NULL,       -- members of the tar
	PRIMARY KEY (image_id, seq)
) STRICT, WITHOUT ROWID;

-- A store item with all that is in it, whichever images hold it.
CREATE TABLE item (
	id INTEGER PRIMARY KEY,
	content BLOB NOT NULL UNIQUE CHECK (length(content) = 32),
	name TEXT NOT NULL,             -- "HASH-NAME"
	digest BLOB NOT NULL CHECK (length(digest) = 32), -- over its files
	bytes INTEGER NOT NULL,         -- of its files
	files INTEGER NOT NULL          -- rows of item_file
) STRICT;
CREATE INDEX item_by_name ON item (name);

CREATE TABLE item_file (
	item_id INTEGER NOT NULL REFERENCES item (id),
	seq INTEGER NOT NULL,
	path TEXT NOT NULL,             -- below the item; '' is the item itself
	raw_path BLOB,
	type TEXT NOT NULL CHECK (type IN ('d', 'f', 'l', 'c', 'b', 'p')),
	                                -- as find -type names them
	mode INTEGER NOT NULL,          -- permission bits
	size INTEGER,                   -- bytes; NULL: no file
	sha256 BLOB CHECK (length(sha256) = 32), -- of the contents; NULL: no file
	link TEXT,                      -- target; NULL: no symbolic link
	raw_link BLOB,
	PRIMARY KEY (item_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE image_item (
	image_id INTEGER NOT NULL REFERENCES image (id),
	seq INTEGER NOT NULL,           -- by name
	item_id INTEGER NOT NULL REFERENCES item (id),
	PRIMARY KEY (image_id, seq)
) STRICT, WITHOUT ROWID;

-- Paths of an image outside the store.
CREATE TABLE image_file (
	image_id INTEGER NOT NULL REFERENCES image (id),
	seq INTEGER NOT NULL,           -- in the order of the paths' bytes
	path TEXT NOT NULL,             -- without leading "/"; '' is the root
	raw_path BLOB,
	type TEXT NOT NULL CHECK (type IN ('d', 'f', 'l', 'c', 'b', 'p')),
	mode INTEGER NOT NULL,          -- permission bits
	uid INTEGER NOT NULL,
	gid INTEGER NOT NULL,
	uname TEXT NOT NULL,            -- '' when not recorded
	gname TEXT NOT NULL,
	mtime_s INTEGER NOT NULL,       -- may be before 1970
	mtime_ns INTEGER NOT NULL,      -- and nanoseconds
	size INTEGER,                   -- bytes; NULL: no file
	sha256 BLOB CHECK (length(sha256) = 32), -- of the contents; NULL: no file
	link TEXT,                      -- target; NULL: no symbolic link
	raw_link BLOB,
	device TEXT,                    -- "MAJOR:MINOR"; NULL: no device
	xattrs TEXT,                    -- lines "NAME=HEX"; NULL: none
	layer INTEGER NOT NULL,         -- image_layer.seq that it comes from
	PRIMARY KEY (image_id, seq)
) STRICT, WITHOUT ROWID;

-- A list of channels, in its order.
CREATE TABLE channel_set (
	id INTEGER PRIMARY KEY,
	content BLOB NOT NULL UNIQUE CHECK (length(content) = 32),
	label TEXT NOT NULL             -- "guix@523bbfe+alice@efb454e"
) STRICT;

CREATE TABLE channel (
	channel_set_id INTEGER NOT NULL REFERENCES channel_set (id),
	seq INTEGER NOT NULL,
	name TEXT NOT NULL,
	url TEXT NOT NULL,
	branch TEXT,                    -- NULL: not recorded
	"commit" TEXT,                  -- NULL: not recorded
	intro_commit TEXT,              -- NULL: no introduction
	intro_signer TEXT,              -- fingerprint; NULL: no introduction
	PRIMARY KEY (channel_set_id, seq)
) STRICT, WITHOUT ROWID;

-- When a commit of a channel was made, as it says itself.
CREATE TABLE commit_date (
	"commit" TEXT PRIMARY KEY,
	time_s INTEGER NOT NULL CHECK (time_s BETWEEN 0 AND 253402300799)
) STRICT, WITHOUT ROWID;

-- Where an image says it comes from.
CREATE TABLE provenance (
	id INTEGER PRIMARY KEY,
	content BLOB NOT NULL UNIQUE CHECK (length(content) = 32),
	profile TEXT NOT NULL,          -- "/gnu/store/HASH-profile"
	found TEXT NOT NULL,            -- how that profile was chosen
	manifest_version INTEGER NOT NULL,
	channel_set_id INTEGER NOT NULL REFERENCES channel_set (id)
) STRICT;

-- Entries of the profile's manifest, each before what it propagates.
CREATE TABLE package (
	provenance_id INTEGER NOT NULL REFERENCES provenance (id),
	seq INTEGER NOT NULL,
	parent INTEGER,                 -- seq of what propagates it; NULL: top level
	depth INTEGER NOT NULL,         -- 0: top level
	name TEXT NOT NULL,
	version TEXT NOT NULL,
	output TEXT NOT NULL,           -- "out"
	store_path TEXT NOT NULL,       -- "/gnu/store/HASH-NAME"
	channels TEXT NOT NULL,         -- names, a space between
	transformations TEXT NOT NULL,  -- lines "KEY=VALUE"
	properties TEXT NOT NULL,       -- lines: other properties, as Scheme
	is_repeated INTEGER NOT NULL,   -- listed in full before
	PRIMARY KEY (provenance_id, seq)
) STRICT, WITHOUT ROWID;

-- What a person would type to make an image again.
CREATE TABLE recipe (
	id INTEGER PRIMARY KEY,
	content BLOB NOT NULL UNIQUE CHECK (length(content) = 32),
	digest BLOB NOT NULL CHECK (length(digest) = 32),
	                                -- over channels, manifest and options
	channels_digest BLOB NOT NULL CHECK (length(channels_digest) = 32),
	                                -- over channels_scm
	channels_scm TEXT NOT NULL,     -- lines: text of the file
	manifest_scm TEXT NOT NULL,     -- lines: text of the file
	format TEXT NOT NULL,           -- "docker"
	pack_options TEXT NOT NULL,     -- shell words, all
	revealed TEXT NOT NULL,         -- shell words, those that the image shows
	profile TEXT NOT NULL,          -- that it must give; '' when not known
	channel_set_id INTEGER NOT NULL REFERENCES channel_set (id)
) STRICT;
CREATE INDEX recipe_by_digest ON recipe (digest);

-- One sample, tried and judged.
CREATE TABLE attempt (
	sample_id INTEGER PRIMARY KEY REFERENCES sample (id),
	verdict TEXT NOT NULL REFERENCES verdict (name),
	class TEXT,                     -- stable word of the cause; NULL: none
	cause TEXT,                     -- lines: sentences; NULL for identical
	advice TEXT,                    -- lines: what to do; NULL: nothing
	started_s INTEGER NOT NULL,
	elapsed_ms INTEGER NOT NULL,
	image_path TEXT,                -- the file read; NULL: none was reached
	image_id INTEGER REFERENCES image (id),           -- NULL: not read
	provenance_id INTEGER REFERENCES provenance (id), -- NULL: none found
	recipe_id INTEGER REFERENCES recipe (id),         -- NULL: none made
	command TEXT,                   -- the line to type; NULL: no recipe
	differences INTEGER NOT NULL,   -- found, stored or not
	packages_differing INTEGER NOT NULL
) STRICT;
CREATE INDEX attempt_by_image ON attempt (image_id);

-- Lists of sentences and names that belong to an attempt.
CREATE TABLE attempt_text (
	sample_id INTEGER NOT NULL REFERENCES attempt (sample_id),
	kind TEXT NOT NULL CHECK (kind IN (
		'missing',              -- what could not be known
		'guessed',              -- what was chosen, not known
		'note',                 -- what was chosen, and why
		'command',              -- command line of the rebuild
		'built-drv',            -- derivation built in this run
		'differing-package')),  -- package of the manifest with differences
	seq INTEGER NOT NULL,
	text TEXT NOT NULL,             -- lines
	PRIMARY KEY (sample_id, kind, seq)
) STRICT, WITHOUT ROWID;

-- How the rebuild went, where there was one.
CREATE TABLE rebuild (
	sample_id INTEGER PRIMARY KEY REFERENCES attempt (sample_id),
	ended TEXT NOT NULL CHECK (ended IN ('done', 'refused', 'unavailable',
		'unbuildable', 'timeout', 'not-tried')),
	class TEXT,                     -- stable word; NULL when done
	drv TEXT,                       -- of the pack; NULL: not reached
	output TEXT,                    -- store path of the artefact; NULL: none
	profile TEXT,                   -- that the recipe gave; NULL: not known
	failed_drv TEXT,                -- first one that failed; NULL: none
	failed_lines TEXT,              -- lines of its log that decide; NULL: none
	guix_version TEXT,              -- of the client; NULL: not asked
	is_checked INTEGER NOT NULL,    -- was valid already and built again
	is_stable INTEGER NOT NULL,     -- and gave the same bits as before
	built INTEGER NOT NULL,         -- derivations built in this run
	substituted INTEGER NOT NULL,
	valid INTEGER NOT NULL,         -- there before
	downloaded INTEGER NOT NULL,    -- sources fetched
	elapsed_ms INTEGER NOT NULL,
	depth TEXT NOT NULL DEFAULT 'pack', -- how much was to be rebuilt:
	                                -- "recipe" (nothing), "pack",
	                                -- "packages", "closure"
	examined INTEGER NOT NULL DEFAULT 0, -- derivations built once more to
	                                -- see whether they build the same
	unstable INTEGER NOT NULL DEFAULT 0 -- those of them that did not
) STRICT;

-- What the rebuild said, apart since it is large and seldom read.
CREATE TABLE log (
	sample_id INTEGER PRIMARY KEY REFERENCES attempt (sample_id),
	bytes INTEGER NOT NULL,         -- of the text (clean, lines)
	packed BLOB NOT NULL            -- the text as a zlib stream (RFC 1950)
) STRICT;

-- The rebuilt file.
CREATE TABLE rebuilt (
	sample_id INTEGER PRIMARY KEY REFERENCES attempt (sample_id),
	sha256 BLOB NOT NULL CHECK (length(sha256) = 32), -- of the file
	bytes INTEGER NOT NULL,
	compression TEXT NOT NULL,
	config_digest BLOB NOT NULL CHECK (length(config_digest) = 32)
) STRICT;

CREATE TABLE rebuilt_layer (
	sample_id INTEGER NOT NULL REFERENCES rebuilt (sample_id),
	seq INTEGER NOT NULL,           -- 0 is the lowest
	diff_id BLOB NOT NULL CHECK (length(diff_id) = 32), -- of the plain tar
	compression TEXT NOT NULL,
	bytes INTEGER NOT NULL,         -- of the plain tar
	entries INTEGER NOT NULL,       -- members of the tar
	PRIMARY KEY (sample_id, seq)
) STRICT, WITHOUT ROWID;

-- Differences that the verdict forgives, by what they are.
CREATE TABLE forgiven (
	sample_id INTEGER NOT NULL REFERENCES attempt (sample_id),
	seq INTEGER NOT NULL,
	what TEXT NOT NULL,             -- "member order", ...
	count INTEGER NOT NULL,
	PRIMARY KEY (sample_id, seq)
) STRICT, WITHOUT ROWID;

-- Differences that it does not; the first 10000 of them.
CREATE TABLE difference (
	sample_id INTEGER NOT NULL REFERENCES attempt (sample_id),
	seq INTEGER NOT NULL,           -- in path order
	path TEXT NOT NULL,             -- in the tree; '' the image as a whole
	store_item TEXT,                -- "HASH-NAME"; NULL: outside the store
	package TEXT,                   -- of the manifest; NULL: of none directly
	kind TEXT NOT NULL,             -- "only-in-image", "contents", ...
	detail TEXT NOT NULL,           -- "mode 0555, rebuilt 0755"
	offset INTEGER,                 -- first differing byte; NULL: not known
	PRIMARY KEY (sample_id, seq)
) STRICT, WITHOUT ROWID;

-- What two contents differ in, where that was looked at; the first 64 of each
-- comparison, and as many store items that one side lacks.
CREATE TABLE excerpt (
	sample_id INTEGER NOT NULL,
	seq INTEGER NOT NULL,           -- of the difference
	why TEXT,                       -- "only time-stamp"; NULL: nothing is proved
	at INTEGER NOT NULL,            -- of the first byte of both parts
	image BLOB,                     -- bytes of the image's file, at most 256,
	                                -- or lines: what is in the store item
	rebuilt BLOB,                   -- the same of the rebuilt
	PRIMARY KEY (sample_id, seq),
	FOREIGN KEY (sample_id, seq) REFERENCES difference (sample_id, seq)
) STRICT, WITHOUT ROWID;

-- What a verdict on a sample depends on: while it is all the same, the verdict
-- stands.  Written when the run begins.
CREATE TABLE basis (
	sample_id INTEGER PRIMARY KEY REFERENCES sample (id),
	file TEXT,                      -- "SIZE MTIME CTIME INODE DEVICE" of the image
	                                -- file, times in seconds to nanoseconds,
	                                -- or of the index of a folder of blobs; or
	                                -- "sha256:HEX"; NULL: not known unread
	entry BLOB NOT NULL CHECK (length(entry) = 32),
	                                -- over what the corpus says of it
	guix TEXT NOT NULL,             -- which program; '' when there is none
	policy BLOB NOT NULL CHECK (length(policy) = 32)
	                                -- over trust, mirrors, depth, limits, and
	                                -- the version of this program
) STRICT;

-- Samples that a run did not try, since nothing of their basis has changed.
CREATE TABLE skip (
	sample_id INTEGER PRIMARY KEY REFERENCES sample (id),
	of_sample_id INTEGER NOT NULL REFERENCES attempt (sample_id)
	                                -- whose verdict stands
) STRICT;

-- Tries that ended in a way that may pass, before the one that counts.
CREATE TABLE trial (
	sample_id INTEGER NOT NULL REFERENCES sample (id),
	seq INTEGER NOT NULL,
	ended_s INTEGER NOT NULL,
	class TEXT NOT NULL,            -- stable word of what it was
	PRIMARY KEY (sample_id, seq)
) STRICT, WITHOUT ROWID;

-- Shards of a run that was divided: of one that ran as a shard, itself; of a run
-- that `unblend merge' joined, each that is in it.  What is NULL here is in the
-- row of the run, as long as that is of this shard alone.
CREATE TABLE shard (
	run_id INTEGER NOT NULL REFERENCES run (id),
	number INTEGER NOT NULL CHECK (number BETWEEN 1 AND "of"),
	"of" INTEGER NOT NULL CHECK ("of" BETWEEN 1 AND 10000), -- so many
	study BLOB NOT NULL CHECK (length(study) = 32),
	                                -- over all images of all shards, what the
	                                -- corpora say of them, and what --study says
	images INTEGER NOT NULL,        -- so many are in all shards together
	options TEXT NOT NULL,          -- lines: what its verdicts depend on
	started_s INTEGER,
	ended_s INTEGER,                -- NULL also: has not ended
	host TEXT,
	kernel TEXT,
	store_fs TEXT,
	guix_version TEXT,
	PRIMARY KEY (run_id, number)
) STRICT, WITHOUT ROWID;

-- Samples with their attempt, or the one that stands in its place, and what run
-- and corpus make of the verdict: expect, where given, stands in the place of
-- the run's line.  A machine that failed says nothing of the image, so it is no
-- regression.
CREATE VIEW judgement AS
SELECT s.id AS sample_id, s.run_id, s.seq, s.name, a.verdict, v.rank,
	v.rank <= coalesce(x.rank, l.rank) AS is_accepted,
	coalesce(v.rank > x.rank AND v.name <> 'not-tried', 0) AS is_regression
FROM sample s
JOIN run r ON r.id = s.run_id
JOIN verdict l ON l.name = r.accept
LEFT JOIN skip k ON k.sample_id = s.id
JOIN attempt a ON a.sample_id = coalesce(k.of_sample_id, s.id)
JOIN verdict v ON v.name = a.verdict
LEFT JOIN verdict x ON x.name = s.expect;
