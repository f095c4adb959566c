/* The DHCP requests of a plan, and the leases that are known before it is applied. Pure. */
#ifndef RECONCILE_PLAN_DHCP_H
#define RECONCILE_PLAN_DHCP_H

#include "dhcp/protocol.h"
#include "reconcile/plan/selection.h"

/* The leases that are known before a plan is applied: an element for each step. */
struct leases {
	const struct dhcp_answer *
		*answers; /* the answer to an earlier request; NULL: apply sends one */
	bool *deferred;   /* apply sends no request either: the step is applied without a lease */
};

/* No lease is known: apply requests all of them. The arrays are in the arena. */
struct leases leases_unknown(const struct plan *plan, struct arena *arena);

/* Whether applying the step requests or renews a lease. */
bool step_leases(const struct step *step);
/* The request for the link's specification. */
struct dhcp_request lease_request(const struct link_spec *desired);
struct dhcp_request dhcp_request_of(const struct owner_tag *tag, enum dhcp_operation operation,
				    enum link_kind kind, const char *link, const struct ip *addr);
/* The lease that the step ends, or NULL. A link that is replaced keeps its lease: a server
 * recognises the container. A stray link has no lease: its owner tag names another container. */
const struct live_addr *lease_ended(const struct live *live, const struct step *step);
/* The number of leases that end with the steps, and are released if a broker is available. */
size_t leases_ending(const struct selection *selection, const struct live *live);

#endif
