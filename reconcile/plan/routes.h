/* The routes of the containers' attachments.
 *
 * Takes: the attachments with their addresses. Gives: for each attachment the routes of the file,
 * those of its lease, and the default route. In each namespace, one attachment per family has the
 * default route: that with the highest gw_priority, or the first. */
#ifndef RECONCILE_PLAN_ROUTES_H
#define RECONCILE_PLAN_ROUTES_H

#include "reconcile/plan/ipam.h"
#include "reconcile/state/lease_routes.h"

struct assigned_routes {
	struct link_route *routes;
	struct link_route *typed;  /* that lead nowhere, once in a namespace */
	struct policy_rule *rules; /* of the file, and of `policy_routing` */
	const struct lease *lease; /* the current one with its known routes; NULL: none */
	unsigned count, n_typed, n_rules;
	struct link_dhcp dhcp;
	bool ra_default; /* router advertisements make the default route of IPv6 */
};

struct routes {
	const struct assigned_routes *assigned; /* by planned_attachment.number */
};

struct routes routes_choose(const struct matched *matched, const struct addresses *addresses);

#endif
