/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/attr.h"
#include "cmd/bounding.h"
#include "cmd/cmd.h"
#include "cmd/common.h"
#include "cmd/reading.h"
#include "cmd/rebuilding.h"
#include "cmd/sharding.h"

static const struct command commands[] = {
	{"run", cmd_run, "rebuild the images of a corpus and judge them",
		"usage: unblend run [OPTION...] CORPUS... -o DIR\n"
		"\n"
		"Rebuild each image of the corpus files with the real Guix, "
		"compare, and write\nthe reports below DIR.\n"
		"\n"
		"  -o, --output DIR      where the reports go (made)\n"
		"  -d, --database FILE   database; default DIR/unblend.db\n"
		"  -j, --jobs N          images at the same time; default 1\n"
		"      --accept VERDICT  the worst verdict that passes; default "
		"same-contents\n"
		"                        (same-recipe with --depth recipe)\n"
		"      --depth DEPTH     how much to rebuild: recipe (nothing), "
		"pack (default),\n"
		"                        packages (each of the manifest too), "
		"closure (all)\n"
		"      --only GLOB       only images whose name matches (* ?)\n"
		"      --tag TAG         only images with this tag\n"
		"      --trust FILE      channels that may be run besides the "
		"official one\n"
		"      --mirror URL=URL2 fetch channels below URL from URL2 "
		"(more than once)\n"
		"      --mirrors FILE    the same for many, as corpus/README.md "
		"says\n"
		"      --cache DIR       channel mirrors and Guix instances; "
		"default\n"
		"                        $XDG_CACHE_HOME/unblend\n"
		"      --guix PROGRAM    the guix command; default: on PATH\n"
		"      --timeout S       seconds for one rebuild; default "
		"3600\n"
		"      --silence S       seconds without output; default 600\n" BOUNDING_USAGE
			SHARDING_USAGE READING_USAGE
		"      --resume          go on with the newest run, which was "
		"killed or stopped\n"
		"      --plan            say what would be done, and how "
		"long it may take; do\n"
		"                        nothing\n"
		"      --changed         do not try again what has not changed "
		"since its last verdict\n"
		"      --retries N       of what may pass (network, daemon); "
		"default 2\n"
		"      --json-events FD  a JSON line an event to that descriptor\n"
		"      --keep WHICH      logs, recipes and copies of what was "
		"built, in DIR/kept:\n"
		"                        nothing (default), failed, all\n"
		"  -q, --quiet           no progress on stderr\n"
		"\n"
		"example: unblend run papers.corpus -o report\n"},
	{"inspect", cmd_inspect,
		"what is in an image, where it comes from, what is missing",
		"usage: unblend inspect [OPTION...] IMAGE\n"
		"\n"
		"Say what is in an image and where it comes from, without "
		"running anything.\n"
		"\n"
		"      --json            as JSON\n"
		"      --sbom FORM       as a bill of materials: cyclonedx "
		"(1.6) or spdx (2.3)\n"
		"      --provenance-only channels, packages and pack options "
		"alone: reads less\n"
		"                        and makes no digests\n" READING_USAGE
		"\n"
		"example: unblend inspect --json python-docker-pack.tar.gz\n"},
	{"pull", cmd_pull, "bring images to this machine",
		"usage: unblend pull [OPTION...] IMAGE...\n"
		"\n"
		"Fetch images into the cache, each blob checked against its "
		"digest, and print\nwhere each is then: a name that every "
		"other command takes, without a network.\nThey stay until "
		"`unblend gc' or a full cache removes them.\n"
		"\n"
		"      --cache DIR       default: $XDG_CACHE_HOME/unblend\n" READING_USAGE
		"\n"
		"example: unblend pull "
		"docker://registry.example.org/lab/python:2021\n"},
	{"recipe", cmd_recipe,
		"channels.scm, manifest.scm and rebuild.sh of an image",
		"usage: unblend recipe [OPTION...] IMAGE\n"
		"\n"
		"Print what to type to make the image again, or write "
		"channels.scm, manifest.scm\nand rebuild.sh into DIR.\n"
		"\n"
		"  -o, --output DIR      write the files there (made)\n"
		"      --as-guix[=WHICH] print what `guix package "
		"--export-channels' and\n"
		"                        --export-manifest print; WHICH is "
		"channels or manifest.\n"
		"                        A manifest needs Guix: it holds what "
		"sets a version\n"
		"                        apart from others that the channels "
		"have\n" REBUILDING_USAGE "\n"
		"example: unblend recipe -o again python-docker-pack.tar.gz\n"},
	{"repack", cmd_repack, "the same environment in another format",
		"usage: unblend repack -f FORMAT [OPTION...] IMAGE\n"
		"\n"
		"Make the packages of an image into a pack of another format "
		"or with other options,\nby the Guix that made the image.  "
		"Links, entry point and -R of the image are\nkept where the "
		"format has them, unless some are given.\n"
		"\n"
		"  -f, --format FORMAT   docker, tarball, squashfs, deb, rpm, "
		"appimage\n"
		"  -o, --output FILE     a copy there; default: print the "
		"store path\n"
		"  -C, -S, -R, -A, --entry-point, --image-tag, --max-layers, "
		"--localstatedir,\n"
		"  --profile-name, --no-grafts\n"
		"                        as for guix pack\n" REBUILDING_USAGE
		"\n"
		"example: unblend repack -f tarball -R -S /bin=bin -o "
		"python.tar.gz IMAGE\n"},
	{"compare", cmd_compare, "the verdict on two images, and why",
		"usage: unblend compare [OPTION...] A B\n"
		"\n"
		"Compare two image files down to every byte of every file.\n"
		"\n"
		"      --json            as JSON\n"
		"      --accept VERDICT  the worst verdict for exit status 0; "
		"default\n"
		"                        same-contents\n"
		"      --diffoscope FILE.html\n"
		"                        have diffoscope explain the files "
		"that differ, in a\n"
		"                        sandbox, and its page there\n"
		"      --diffoscope-timeout S\n"
		"                        seconds that it may take; default 300\n" READING_USAGE
		"\n"
		"example: unblend compare old.tar.gz new.tar.gz\n"},
	{"report", cmd_report, "the reports again, from the database",
		"usage: unblend report -d FILE [OPTION...] -o DIR\n"
		"\n"
		"Write the reports of a run anew: junit.xml, verdicts.csv, "
		"report.json, index.html.\n"
		"\n"
		"  -d, --database FILE   the database of `unblend run'\n"
		"      --run N           its number; default: the newest\n"
		"  -o, --output DIR      where the reports go (made)\n"
		"      --format FORMAT   only junit, html, json or csv (more "
		"than once)\n"
		"      --junit-profile P jenkins (default), or ant for strict "
		"readers\n"
		"      --attest          in-toto statements too: SLSA "
		"provenance, verdict\n"
		"      --sign-key FILE   sign them with this key of ssh-keygen "
		"or minisign\n"
		"      --diffoscope      have diffoscope explain the files "
		"that differ, in a\n"
		"                        sandbox, where both images are still "
		"there\n"
		"      --diffoscope-timeout S\n"
		"                        seconds for each image; default 300\n"
		"\n"
		"example: unblend report -d report/unblend.db -o again\n"},
	{"bug", cmd_bug, "a bug report on an image, ready to send",
		"usage: unblend bug -d FILE [--run N] [-o FILE] NAME\n"
		"\n"
		"Print what one sends of an image: what was compared, the "
		"verdict, the machine,\nthe recipe, commands to repeat it, the "
		"differences.  NAME is the image's in its\ncorpus.\n"
		"\n"
		"  -d, --database FILE   the database of `unblend run'\n"
		"      --run N           its number; default: the newest\n"
		"  -o, --output FILE     write it there, and differences beyond "
		"20 to\n"
		"                        FILE.differences\n"
		"\n"
		"example: unblend bug -d report/unblend.db 2021-svd-paper\n"},
	{"history", cmd_history, "verdicts of images over time",
		"usage: unblend history -d FILE [--json] [NAME...]\n"
		"\n"
		"Print what each run made of these images: verdict, time "
		"taken, when it changed,\nwhether it is flaky.  Without NAME, a line "
		"for each image that was ever judged.\n"
		"\n"
		"  -d, --database FILE   the database of `unblend run'\n"
		"      --json            as JSON\n"
		"\n"
		"example: unblend history -d report/unblend.db 2021-svd-paper\n"},
	{"merge", cmd_merge, "databases of shards into one",
		"usage: unblend merge INTO FROM...\n"
		"\n"
		"Take over all runs of the databases FROM into INTO (made when "
		"it is not there).\nShards of one study, as `unblend run "
		"--shard' makes them, become one run; they\nmust have the same "
		"corpora and options.  All of it is done, or nothing; what was\n"
		"taken over before is left as it is.\n"
		"\n"
		"example: unblend merge all.db shard-*.db\n"},
	{"corpus", cmd_corpus, "check or list corpus files",
		"usage: unblend corpus check CORPUS...\n"
		"       unblend corpus list CORPUS...\n"
		"\n"
		"Read corpus files whole; say what is wrong in them, or what "
		"images they name.\n"
		"\n"
		"example: unblend corpus check papers.corpus\n"},
	{"gc", cmd_gc, "make room: fetched images, Guix of old channels",
		"usage: unblend gc [--limit SIZE | --all] [--dry-run] "
		"[--cache DIR]\n"
		"\n"
		"Remove fetched blobs, the least recently used first, until "
		"SIZE is left; damaged\nones and old unfinished transfers go "
		"always, what a running unblend uses never.\n"
		"GC roots of the Guix of channels go after 30 days without a "
		"rebuild by it.\n"
		"\n"
		"      --limit SIZE      as 500M, 20G or none; default 20G\n"
		"      --all             all that is not in use\n"
		"      --dry-run         say what would go\n"
		"      --cache DIR       default: $XDG_CACHE_HOME/unblend\n"
		"\n"
		"example: unblend gc --limit 5G\n"},
	{"doctor", cmd_doctor, "can this machine rebuild?",
		"usage: unblend doctor [--cache DIR] [--guix PROGRAM]\n"
		"       unblend doctor --verify [--cache DIR]\n"
		"\n"
		"Check what a rebuild needs: Guix, its daemon, the sandbox, "
		"git, disk; each with\nits remedy.\n"
		"\n"
		"      --verify          instead, hash every fetched blob; "
		"damaged ones are moved\n"
		"                        away, and the exit status is 3\n"
		"\n"
		"example: unblend doctor\n"},
	{"worker", cmd_worker, NULL, NULL},
	{"keys", cmd_keys, NULL, NULL},
};

const struct command *
cmd_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

const struct command *
cmd_at(size_t i)
{
	if (i >= ARRAY_LEN(commands) || !commands[i].summary)
		return NULL;
	return &commands[i];
}
