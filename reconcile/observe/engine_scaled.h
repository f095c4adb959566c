/* Finds the container of a scaled Compose service that has the attachments. */
#ifndef RECONCILE_OBSERVE_ENGINE_SCALED_H
#define RECONCILE_OBSERVE_ENGINE_SCALED_H

#include "reconcile/observe/engine_lookup_table.h"

/* Asks about the containers of question.ids, and calls `found` once: with the first in whose
 * network namespace a link has the owner tag of one of the attachments; or with NULL and what is
 * wrong: one that cannot be read, or else `scaled`, that the service runs as several containers. */
void scaled_search(struct lookup *lookup, const struct error *scaled, scaled_found *found);

#endif
