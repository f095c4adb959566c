/* Whether an engine is trusted for a namespace. */
#ifndef RECONCILE_OBSERVE_ENGINE_TRUST_H
#define RECONCILE_OBSERVE_ENGINE_TRUST_H

#include "container_engine/container.h"

/* Whether an engine may say that the container is in this namespace: root's engine may of any, a
 * user's of that user's. */
bool engine_believed(const struct engine_container *container, int fd);

#endif
