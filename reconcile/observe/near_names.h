/* Suggests running containers for names that an engine does not have. */
#ifndef RECONCILE_OBSERVE_NEAR_NAMES_H
#define RECONCILE_OBSERVE_NEAR_NAMES_H

#include <stdint.h>

struct lookups;

/* Sets the hint of each result whose engine has no container of that name: `did you mean`, if a
 * container with a similar name runs. Lists the containers of each engine that has such a result,
 * and waits until `until` (clock_milliseconds). Without a loop only, while no query is pending. */
void near_names_find(struct lookups *lookups, int64_t until);

#endif
