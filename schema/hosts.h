/* Matches host names with lists of names and globs. */
#ifndef SCHEMA_HOSTS_H
#define SCHEMA_HOSTS_H

#include "schema/model.h"

bool host_is_glob(const char *pattern);
/* Whether the host is one of them; with an empty list every host is. */
bool hosts_have(const struct hosts *hosts, const char *host);
/* Whether some host may be in both. Of two globs that is not always known, and then true. */
bool hosts_meet(const struct hosts *a, const struct hosts *b);
/* Whether there is a glob in it. */
bool hosts_open(const struct hosts *hosts);
/* The one host that it is, or NULL. */
const char *hosts_only(const struct hosts *hosts);

/* The host's own range in the subnet, or NULL. */
const struct host_range *subnet_host_range(const struct subnet *subnet, const char *host);

#endif
