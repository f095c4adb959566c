/* The routes of a DHCP lease on a link. Pure.
 *
 * The kernel is the only memory of a lease. The link has all routes of its lease in a table of its
 * own, one of those of `policy_routing`, together with the subnet of the lease, which every lease
 * has. Of these routes, the main table has those that are used. So a removed route is put back
 * without the server; after a loss of all routes, such as of a link that was down, the table has no
 * subnet, and the lease is requested again. */
#ifndef RECONCILE_STATE_LEASE_ROUTES_H
#define RECONCILE_STATE_LEASE_ROUTES_H

#include "dhcp/lease.h"
#include "reconcile/state/state.h"

/* What `policy_routing` adds for a lease: after the rules of the file. */
#define SOURCE_RULE_PRIORITY (RULE_PRIORITY + 1)

/* The routes that the link remembers, in lease->routes. False: it remembers none, not even that
 * there are none. */
bool live_lease_routes(const struct live_ns *ns, const struct live_link *link, struct lease *lease);

/* The kernel's routes for the lease, at most LEASE_LINK_ROUTES_MAX: in the link's own table, and
 * where they are used. Returns the number. */
#define LEASE_LINK_ROUTES_MAX (2 * LEASE_ROUTES_MAX + 1)
size_t lease_link_routes(const struct link_dhcp *dhcp, const struct lease *lease,
			 struct link_route routes[LEASE_LINK_ROUTES_MAX]);

/* The rule that leads packets from the leased address to the link's own table; false: there is
 * none, as the lease has no router. */
bool lease_link_rule(const struct link_dhcp *dhcp, const struct lease *lease,
		     struct policy_rule *ret);

#endif
