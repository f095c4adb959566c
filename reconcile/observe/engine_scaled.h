/* Finds the container of a scaled Compose service that has the attachments. */
#ifndef RECONCILE_OBSERVE_ENGINE_SCALED_H
#define RECONCILE_OBSERVE_ENGINE_SCALED_H

#include "reconcile/observe/engine_lookup_table.h"

/* Inspects the containers of query.ids, and calls `found` once: with the first one in whose network
 * namespace a link has the owner tag of one of the attachments; otherwise with NULL and an error:
 * that of a container that cannot be read, or `scaled`, the error of a service with several
 * containers. */
void scaled_search(struct lookup *lookup, const struct error *scaled, scaled_found *found);

#endif
