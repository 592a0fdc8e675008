/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A recipe as a person runs it, on any machine with Guix. */
#include <sys/stat.h>

#include "base/aside.h"
#include "base/path.h"
#include "base/text.h"
#include "recipe/parts.h"

/* The words of the command, with glue before each option. */
static void
put_command(const struct recipe *r, const char *channels_file,
	const char *manifest_file, const char *glue, struct buf *out)
{
	buf_str(out, "guix");
	for (int travels = r->is_unnamed ? 2 : 1; travels > 0; travels--) {
		buf_str(out, " time-machine -C ");
		text_shell(out, slice_of(channels_file));
		buf_str(out, " --");
	}
	buf_str(out, " pack");
	for (size_t i = 0; i < r->n_options; i++) {
		buf_str(out, glue);
		text_shell(out, slice_of(r->options[i]));
	}
	buf_str(out, glue);
	buf_str(out, "-m ");
	text_shell(out, slice_of(manifest_file));
}

void
recipe_command(const struct recipe *r, const char *channels_file,
	const char *manifest_file, struct buf *out)
{
	put_command(r, channels_file, manifest_file, " ", out);
}

/* Lines as comments. */
static void
put_comments(const char *lines, const char *sign, struct buf *out)
{
	for (const char *end; *lines; lines = end + 1) {
		end = strchr(lines, '\n');
		buf_printf(out, "%s %.*s\n", sign, (int)(end - lines), lines);
	}
}

void
recipe_text(const char *doubts, const char *text, struct buf *out)
{
	put_comments(doubts, ";;", out);
	buf_str(out, text);
}

static void
put_script(const struct recipe *r, struct buf *out)
{
	char sha256[DIGEST_HEX + 1];

	digest_hex(&r->image_sha256, sha256);
	buf_str(out,
		"#!/bin/sh\n"
		"# Make the image again from channels.scm and manifest.scm "
		"beside this script.\n"
		"# Needs Guix.  Prints the path of what was made; exits with "
		"0 when it is the\n"
		"# same file as the original, with 1 when it is not.\n");
	put_comments(r->options_doubts, "#", out);
	buf_str(out,
		"set -eu\n"
		"CDPATH='' cd -- \"$(dirname -- \"$0\")\"\n"
		"\n"
		"image=$(");
	put_command(r, "channels.scm", "manifest.scm", " \\\n\t", out);
	buf_printf(out,
		")\n"
		"original=%s\n"
		"again=$(sha256sum <\"$image\")\n"
		"again=${again%%%% *}\n"
		"\n"
		"printf '%%s\\n' \"$image\"\n"
		"printf 'original  sha256 %%s\\n' \"$original\"\n"
		"printf 'made here sha256 %%s\\n' \"$again\"\n"
		"if [ \"$again\" = \"$original\" ]; then\n"
		"\techo 'identical'\n"
		"else\n"
		"\techo 'not the same file; unblend compare tells the "
		"difference'\n"
		"\texit 1\n"
		"fi\n",
		sha256);
}

static int
write_one(
	const char *folder, const char *name, struct slice text, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(folder, name);

	return aside_write(path, text.p, text.n, e);
}

static int
write_scheme(const char *folder, const char *name, const char *doubts,
	const char *text, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf all = {0};

	recipe_text(doubts, text, &all);
	return write_one(folder, name, buf_get(&all), e);
}

int
recipe_write(const struct recipe *r, const char *folder, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf script = {0};
	CLEANUP(own_free)
	char *path = path_join(folder, "rebuild.sh");

	put_script(r, &script);
	if (path_mkdirs(folder, 0777, e) < 0 ||
		write_scheme(folder, "channels.scm", r->channels_doubts,
			r->channels_scm, e) < 0 ||
		write_scheme(folder, "manifest.scm", r->manifest_doubts,
			r->manifest_scm, e) < 0 ||
		write_one(folder, "rebuild.sh", buf_get(&script), e) < 0)
		return -1;
	if (chmod(path, 0755) < 0)
		return err_sys(e, ERR_HOST, "%s: cannot make executable", path);
	return 0;
}
