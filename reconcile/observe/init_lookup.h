/* Finds the network namespace of a container by its first process, which a program of the host
 * names (init_finders.h). */
#ifndef RECONCILE_OBSERVE_INIT_LOOKUP_H
#define RECONCILE_OBSERVE_INIT_LOOKUP_H

#include "reconcile/observe/lookup_result.h"

/* Whether sources of the kind are found so. Nothing reports their start: they have to be looked up
 * repeatedly. */
bool source_has_init(enum source_kind kind);
/* `kind` is one of those. When ready, the namespace can be the host's, and
 * `hint` is how to change that. */
struct lookup_result init_locate(struct arena *arena, enum source_kind kind, const char *source,
				 const struct stat *host);

#endif
