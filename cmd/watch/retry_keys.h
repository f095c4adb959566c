/* The keys of failed steps, containers and namespaces for retries of the service (backoff.h). */
#ifndef CMD_WATCH_RETRY_KEYS_H
#define CMD_WATCH_RETRY_KEYS_H

#include "reconcile/plan/plan.h"

#include <limits.h>

/* The owner tag of a step's link. */
const char *step_key(const struct step *step);
/* The retry key of a container that could not be read. No owner tag begins like it. */
#define SOURCE_KEY_SIZE (PATH_MAX + 16)
const char *source_key(enum source_kind kind, const char *source, char key[SOURCE_KEY_SIZE]);
/* The key of a step for the retries: its link's owner tag, and the namespace. Writes into the
 * caller's buffer and returns it. */
#define STEP_RETRY_KEY_SIZE 320
const char *step_retry_key(const struct step *step, char key[STEP_RETRY_KEY_SIZE]);

const char *container_key(const struct container_lookup *lookup, char key[SOURCE_KEY_SIZE]);
/* The retry key of a namespace without an nsid, which is not monitored. */
const char *namespace_key(const struct live_ns *ns, char key[SOURCE_KEY_SIZE]);
bool namespace_unmonitored(const struct live_ns *ns);
/* Containers of engines are queried beside the passes (engines.c). */
bool source_is_engines(const struct container_lookup *lookup);

/* The keys of everything that failed, or is or may be deferred, and is still pending: of the plan's
 * steps, of containers and of namespaces. */
struct retry_keys *retry_keys_find(const struct plan *plan, const struct live *live);
bool retry_keys_have(const struct retry_keys *keys, const char *key);
void retry_keys_free(struct retry_keys *keys);

#endif
