/* Matches host names against lists of names and globs. */
#ifndef SCHEMA_HOSTS_H
#define SCHEMA_HOSTS_H

#include "schema/model.h"

bool host_is_glob(const char *pattern);
/* Whether the list contains the host; an empty list contains every host. */
bool hosts_have(const struct hosts *hosts, const char *host);
/* Whether a host can be in both lists. For two globs this is not always decidable, and then
 * true. */
bool hosts_meet(const struct hosts *a, const struct hosts *b);
/* Whether the list contains a glob. */
bool hosts_open(const struct hosts *hosts);
/* The only host of the list, or NULL. */
const char *hosts_only(const struct hosts *hosts);

/* The host's own range in the subnet, or NULL. */
const struct host_range *subnet_host_range(const struct subnet *subnet, const char *host);

#endif
