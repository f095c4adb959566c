/* Chooses free addresses: the lowest for containers, the highest for the host. */
#ifndef RECONCILE_PLAN_IPAM_FREE_H
#define RECONCILE_PLAN_IPAM_FREE_H

#include "reconcile/plan/ipam_state.h"

void take_free(const struct ipam *ipam, const struct planned_attachment *planned, size_t slot);

#endif
