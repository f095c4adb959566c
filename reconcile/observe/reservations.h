#ifndef RECONCILE_OBSERVE_RESERVATIONS_H
#define RECONCILE_OBSERVE_RESERVATIONS_H

#include "reconcile/state/state.h"

/* Adds the addresses that Docker was given (container_engine/docker_reservations.h) to `live`. */
void reservations_observe(struct live *live);

#endif
