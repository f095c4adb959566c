#include "reconcile/state/lease_routes.h"

#include <sys/socket.h>

/* Anybody who controls the namespace can add routes there. */
static void route_note(struct lease *lease, const struct live_route *route)
{
	if (lease->n_routes < LEASE_ROUTES_MAX)
		lease->routes[lease->n_routes++] =
			(struct lease_route){.to = route->to, .via = route->via};
}

bool live_lease_routes(const struct live_ns *ns, const struct live_link *link, struct lease *lease)
{
	const struct prefix subnet = prefix_subnet(&lease->addr);
	bool known = false;
	lease->n_routes = 0;
	each_route_of (route, ns, link->ifindex) {
		if (!live_route_is_source(route) || route->to.ip.family != AF_INET)
			continue;
		if (prefix_equal(&route->to, &subnet))
			known = true;
		else
			route_note(lease, route);
	}
	return known;
}

/* A router outside of the subnet is on the LAN, whatever its address is. */
static struct link_route link_route_in(uint32_t table, const struct lease *lease,
				       const struct lease_route *route)
{
	return (struct link_route){.table = table,
				   .to = route->to,
				   .via = route->via,
				   .options.on_link = route->via.family &&
						      !prefix_contains(&lease->addr, &route->via)};
}

static bool is_used(const struct link_dhcp *dhcp, const struct lease_route *route)
{
	return route->to.len ? !dhcp->internal : dhcp->gateway;
}

size_t lease_link_routes(const struct link_dhcp *dhcp, const struct lease *lease,
			 struct link_route routes[LEASE_LINK_ROUTES_MAX])
{
	size_t count = 0;
	routes[count++] =
		(struct link_route){.table = dhcp->own_table, .to = prefix_subnet(&lease->addr)};
	for (size_t i = 0; i < lease->n_routes; i++) {
		const struct lease_route *route = &lease->routes[i];
		routes[count++] = link_route_in(dhcp->own_table, lease, route);
		if (is_used(dhcp, route))
			routes[count++] =
				link_route_in(route->to.len ? 0 : dhcp->table, lease, route);
	}
	return count;
}

bool lease_link_rule(const struct link_dhcp *dhcp, const struct lease *lease,
		     struct policy_rule *ret)
{
	if (!dhcp->rule || !lease_router(lease).family)
		return false;
	*ret = (struct policy_rule){.priority = SOURCE_RULE_PRIORITY,
				    .from = {.ip = lease->addr.ip, .len = 32},
				    .to.ip.family = AF_INET,
				    .table = dhcp->own_table};
	return true;
}
