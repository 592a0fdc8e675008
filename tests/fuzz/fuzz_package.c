/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A deb or an rpm, and what inspect prints of it. */
#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct err e = {0};
	struct image *image;

	if (len < 8 || (data[0] != '!' && data[0] != 0xed))
		return 0;
	image = fuzz_file_read(data, len, &e);
	if (!image)
		return 0;
	fuzz_file_check(image);
	fuzz_file_print(image);
	image_free(image);
	return 0;
}
