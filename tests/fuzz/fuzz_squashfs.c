/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A SquashFS, alone or behind a program: an image that begins with its magic. */
#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct err e = {0};
	struct image *image;

	if (len < 4 || (data[0] != 'h' && data[0] != 0x7f))
		return 0;
	image = fuzz_file_read(data, len, &e);
	if (image)
		fuzz_file_check(image);
	image_free(image);
	return 0;
}
