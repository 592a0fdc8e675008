/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A deb or an rpm, and what inspect prints of it. */
#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct err e = {0};
	struct image *image;
	struct jout j;
	FILE *f;

	if (len < 8 || (data[0] != '!' && data[0] != 0xed))
		return 0;
	image = fuzz_file_read(data, len, &e);
	if (!image)
		return 0;
	fuzz_file_check(image);
	f = fopen("/dev/null", "w");
	if (!f)
		abort();
	jout_open(&j, f, -1);
	jout_begin(&j, NULL, '{');
	image_json(image, &j, "image");
	jout_end(&j, '}');
	if (jout_close(&j, &e) < 0)
		abort();
	fclose(f);
	image_free(image);
	return 0;
}
