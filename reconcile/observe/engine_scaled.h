/* Which container of a scaled Compose service has the attachments. */
#ifndef RECONCILE_OBSERVE_ENGINE_SCALED_H
#define RECONCILE_OBSERVE_ENGINE_SCALED_H

#include "reconcile/observe/engine_lookup_table.h"

/* Asks about the question's candidates, one after another, and calls `found` once: with the first
 * in whose namespace a link has the mark of one of the attachments, or with an error and NULL.
 * `scaled`: that the service runs as several containers. */
void scaled_search(struct lookup *lookup, const struct error *scaled, scaled_found *found);

#endif
