/* What a plan asks of DHCP, for who asks before the plan is done. Pure. */
#ifndef RECONCILE_APPLY_DHCP_LEASE_H
#define RECONCILE_APPLY_DHCP_LEASE_H

#include "dhcp/protocol.h"
#include "reconcile/plan/selection.h"

/* Whether doing the step gets or renews a lease. */
bool step_leases(const struct step *step);
/* The request for the link as it is specified. */
struct dhcp_request lease_request(const struct link_spec *desired);
/* How many leases end with the steps, and are given back if somebody is there to do it. */
size_t leases_ending(const struct selection *selection, const struct live *live);

#endif
