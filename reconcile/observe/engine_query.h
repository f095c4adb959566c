/* One query for a container: from the engine's answer to the network namespace. */
#ifndef RECONCILE_OBSERVE_ENGINE_QUERY_H
#define RECONCILE_OBSERVE_ENGINE_QUERY_H

#include "reconcile/observe/engine_lookup_table.h"

/* No query is pending. When it ends, the lookup has its result. */
void lookup_query_begin(struct lookup *lookup);

/* Outcomes. Strings go to the arena; `id` may be NULL. */
struct lookup_result lookup_not_running(struct arena *arena, const char *source, const char *id);
struct lookup_result lookup_engine_failed(struct arena *arena, const struct error *error);

#endif
