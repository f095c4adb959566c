#include "reconcile/plan/routes.h"

/* The routes during selection. */
struct router {
	const struct plan_input *input;
	const struct addresses *addresses;
	struct assigned_routes *assigned; /* by planned_attachment.number */
};

static void route_add(const struct router *router, const struct planned_attachment *planned,
		      struct prefix to, struct ip via)
{
	struct assigned_routes *assigned = &router->assigned[planned->number];
	*array_push(router->input->scratch, assigned->routes, assigned->count) =
		(struct link_route){.to = to, .via = via};
}

/* The route to the router of the lease, which may be outside of its subnet; the router is
 * recognised by this route later, too. */
static void router_add(const struct router *router, const struct planned_attachment *planned)
{
	struct assigned_routes *assigned = &router->assigned[planned->number];
	if (!router->addresses->assigned[planned->number].lease)
		return;
	assigned->router = live_lease_router(planned->ns, planned->current);
	if (assigned->router.family)
		route_add(router, planned, (struct prefix){.ip = assigned->router, .len = 32},
			  (struct ip){0});
}

static struct ip gateway_of(const struct router *router, const struct planned_attachment *planned,
			    size_t family)
{
	if (planned_leases(planned, family))
		return router->assigned[planned->number].router;
	const struct ip *ip = &router->addresses->assigned[planned->number].ip[family];
	const struct subnet *subnet = ip->family ? network_subnet_of(planned->network, ip) : NULL;
	return subnet && !planned->network->internal ? subnet->gateway : (struct ip){0};
}

/* Whether it may have a default route. For a lease, that is known only when it has arrived. */
static bool claims_default(const struct router *router, const struct planned_attachment *planned,
			   size_t family)
{
	return planned_leases(planned, family) ? !planned->network->internal
					       : gateway_of(router, planned, family).family != 0;
}

/* The attachment with the highest precedence for the namespace's default route, or NULL. */
static const struct planned_attachment *
default_owner(const struct router *router, const struct netns_group *netns_group, size_t family)
{
	const struct planned_attachment *best = NULL;
	for (size_t i = 0; i < netns_group->count; i++) {
		const struct planned_attachment *planned = netns_group->planned_all[i];
		if (claims_default(router, planned, family) &&
		    (!best || planned->attachment->gw_priority > best->attachment->gw_priority))
			best = planned;
	}
	return best;
}

static void defaults_add(const struct router *router, const struct netns_group *netns_group)
{
	for (size_t family = 0; family < N_FAMILIES; family++) {
		const struct planned_attachment *owner = default_owner(router, netns_group, family);
		if (!owner)
			continue;
		const struct ip via = gateway_of(router, owner, family);
		router->assigned[owner->number].gateway |= planned_leases(owner, family);
		if (via.family)
			route_add(router, owner, (struct prefix){.ip.family = via.family}, via);
	}
}

static void own_routes_add(const struct router *router, const struct planned_attachment *planned)
{
	const struct attachment *attachment = planned->attachment;
	for (size_t i = 0; i < attachment->n_routes; i++)
		route_add(router, planned, attachment->routes[i].to, attachment->routes[i].via);
}

struct routes routes_choose(const struct matched *matched, const struct addresses *addresses)
{
	const struct attachments *attachments = matched->attachments;
	const struct router router = {
		.input = matched->input,
		.addresses = addresses,
		.assigned = arena_alloc(matched->input->scratch,
					(attachments->count + 1) * sizeof(struct assigned_routes))};
	for (size_t i = 0; i < attachments->n_containers; i++)
		router_add(&router, &attachments->planned[i]);
	for (size_t i = 0; i < attachments->groups.count; i++)
		defaults_add(&router, &attachments->groups.all[i]);
	for (size_t i = 0; i < attachments->n_containers; i++)
		own_routes_add(&router, &attachments->planned[i]);
	return (struct routes){.assigned = router.assigned};
}
