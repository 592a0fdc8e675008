/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_COMPARE_CONFIG_H
#define UB_COMPARE_CONFIG_H

#include "compare/findings.h"
#include "compare/judge.h"

/*
 * The differences in meaning between two image configs go to f, each at path
 * "" with the member it is in: "config.Env[0]: ...".  As Go's encoding/json
 * reads them: names of the image's, `config', `container_config' and `rootfs'
 * members match without case, and null there is as good as absent.
 * rootfs.diff_ids follow from the layers and are not compared.  What says how
 * the image was made and nothing of what it does (comment, history,
 * container_config), and is lost when a config is written in another form, is
 * counted in allowed where one side lacks it.
 */
void config_compare(const struct image *image, const struct image *rebuilt,
	struct findings *f, uint64_t allowed[ALLOWANCE_COUNT]);

/*
 * Are the raw bytes equal but for the diffIDs in them?  Then only the layers
 * make the configs differ, not the form in which they are written.
 */
bool
config_is_same_form(const struct image *image, const struct image *rebuilt);

#endif
