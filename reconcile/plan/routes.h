/* The routes of the containers' attachments.
 *
 * Takes: the attachments with their addresses. Gives: for each attachment the routes of the file,
 * the route to the router of its lease, and the default route. In each namespace, one attachment
 * per family has the default route: that with the highest gw_priority, or the first. */
#ifndef RECONCILE_PLAN_ROUTES_H
#define RECONCILE_PLAN_ROUTES_H

#include "reconcile/plan/ipam.h"

struct assigned_routes {
	struct link_route *routes;
	size_t count;
	struct policy_rule *rules; /* of the file, and of `policy_routing` */
	size_t n_rules;
	bool gateway; /* the lease's router becomes the default gateway when the lease arrives */
	struct ip router; /* router of the lease; family 0: none */
};

/* Of rules that `policy_routing` makes: after those of the file. */
#define SOURCE_RULE_PRIORITY (RULE_PRIORITY + 1)

struct routes {
	const struct assigned_routes *assigned; /* by planned_attachment.number */
};

struct routes routes_choose(const struct matched *matched, const struct addresses *addresses);

#endif
