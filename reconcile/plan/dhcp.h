/* The DHCP requests of a plan, and the leases that are known before it is applied. Pure. */
#ifndef RECONCILE_PLAN_DHCP_H
#define RECONCILE_PLAN_DHCP_H

#include "dhcp/protocol.h"
#include "reconcile/plan/selection.h"

/* What is known of the leases of a plan's steps before it is done: an element for each step. */
struct leases {
	const struct dhcp_answer **answers; /* to a request made before; NULL: apply makes it */
	bool *deferred;                     /* nor does apply: the step is done without */
};

/* Nothing is: apply asks for all of them. The arrays are in the arena. */
struct leases leases_unknown(const struct plan *plan, struct arena *arena);

/* Whether doing the step gets or renews a lease. */
bool step_leases(const struct step *step);
/* The request for the link as it is specified. */
struct dhcp_request lease_request(const struct link_spec *desired);
struct dhcp_request dhcp_request_of(const struct owner_tag *tag, enum dhcp_operation operation,
				    enum link_kind kind, const char *link, const struct ip *addr);
/* The lease that the step is the end of, or NULL. A link that is replaced keeps it: a server knows
 * the container again. A stray link has none, whatever it says: what its owner tag names is
 * another's. */
const struct live_addr *lease_ended(const struct live *live, const struct step *step);
/* How many leases end with the steps, and are given back if somebody is there to do it. */
size_t leases_ending(const struct selection *selection, const struct live *live);

#endif
