/* MACs that the kernel refused with EADDRINUSE in this run, because another link of the parent has
 * them. That link may not be observable: only a descriptor may keep its namespace, or it may be
 * created again whenever it is deleted. */
#ifndef RECONCILE_PLAN_REFUSED_MACS_H
#define RECONCILE_PLAN_REFUSED_MACS_H

#include "lib/ip.h"

#include <stdbool.h>
#include <stddef.h>

#define REFUSED_MACS_MAX 64

struct refused_macs {
	struct mac macs[REFUSED_MACS_MAX]; /* the last ones; a ring buffer */
	size_t count;                      /* total */
};

/* Returns whether it is a new one. */
bool refused_macs_add(struct refused_macs *refused, const struct mac *mac);
/* `refused` may be NULL: none. */
bool refused_macs_have(const struct refused_macs *refused, const struct mac *mac);

#endif
