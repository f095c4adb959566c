/* Decides whether an engine is trusted for a namespace. */
#ifndef RECONCILE_OBSERVE_ENGINE_TRUST_H
#define RECONCILE_OBSERVE_ENGINE_TRUST_H

#include "container_engine/container.h"

/* Whether the engine is trusted to report that the container is in this namespace: root's engine
 * for any namespace, a user's engine for namespaces of that user. */
bool engine_is_trusted(const struct engine_container *container, int fd);

#endif
