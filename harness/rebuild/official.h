/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REBUILD_OFFICIAL_H
#define UB_REBUILD_OFFICIAL_H

#include <stdbool.h>

#include "provenance/provenance.h"

/*
 * The official Guix channel: where it is and was, and how it is introduced.
 * All pure.
 */

/*
 * One of the URLs that the channel has had, or a known mirror of it, whatever
 * the spelling of its end (".git", "/").
 */
bool official_url(const char *url);
/*
 * True when Guix will hold the channel, which has an official URL, to an
 * introduction of the official channel: one that is known is recorded, or none
 * is and its name is guix.  Guix authenticates that one by the introduction it
 * has built in, or refuses to run it (guix/channels.scm,
 * ensure-default-introduction and latest-channel-instance).
 */
bool official_introduction(const struct channel *c);
/*
 * Where a channel with an official URL is to be had today, in the order to ask,
 * NULL-ended.  Guix authenticates what comes from there all the same.
 */
const char *const *official_places(void);

#endif
