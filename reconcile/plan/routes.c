#include "reconcile/plan/routes.h"

#include "reconcile/plan/source_tables.h"

#include <string.h>
#include <sys/socket.h>

/* The routes during selection. */
struct router {
	const struct plan_input *input;
	const struct matched *matched;
	const struct addresses *addresses;
	const uint32_t *source_tables;
	struct assigned_routes *assigned; /* by planned_attachment.number */
};

/* Several addresses can lead to the same route. */
static void route_add(const struct router *router, const struct planned_attachment *planned,
		      struct link_route route)
{
	struct assigned_routes *assigned = &router->assigned[planned->number];
	for (size_t i = 0; i < assigned->count; i++)
		if (link_route_same(&assigned->routes[i], &route))
			return;
	*array_push(router->input->arena, assigned->routes, assigned->count) = route;
}

static void rule_add(const struct router *router, const struct planned_attachment *planned,
		     struct policy_rule rule)
{
	struct assigned_routes *assigned = &router->assigned[planned->number];
	*array_push(router->input->arena, assigned->rules, assigned->n_rules) = rule;
}

static bool is_internal(const struct planned_attachment *planned)
{
	return planned->network->internal;
}

static bool has_source_rules(const struct planned_attachment *planned)
{
	return planned->container->policy_routing && !is_internal(planned);
}

static bool is_unwritten(const struct live *live, const struct attachment *attachment)
{
	for (size_t i = 0; i < live->n_unwritten; i++)
		if (attachment->resolv_conf &&
		    strcmp(live->unwritten[i], attachment->resolv_conf) == 0)
			return true;
	return false;
}

/* The lease as far as the kernel remembers it. */
static void lease_find(const struct router *router, const struct planned_attachment *planned)
{
	struct assigned_routes *assigned = &router->assigned[planned->number];
	const struct live_addr *live = router->addresses->assigned[planned->number].lease;
	assigned->dhcp = (struct link_dhcp){.enabled = planned_leases(planned),
					    .internal = is_internal(planned),
					    .own_table = router->source_tables[planned->number],
					    .rule = has_source_rules(planned)};
	if (!assigned->dhcp.enabled || !live)
		return;
	struct lease *lease = arena_alloc(router->input->scratch, sizeof(*lease));
	lease->addr = live->prefix;
	assigned->dhcp.lease = live->prefix;
	assigned->dhcp.unwritten = is_unwritten(router->input->live, planned->attachment);
	assigned->dhcp.incomplete = !live_lease_routes(planned->ns, planned->current, lease);
	assigned->lease = lease;
}

static const struct assigned_address *address_of(const struct router *router,
						 const struct planned_attachment *planned)
{
	return &router->addresses->assigned[planned->number];
}

static bool leases(const struct planned_attachment *planned, uint8_t family)
{
	return family == AF_INET && planned_leases(planned);
}

static bool advertised(const struct planned_attachment *planned, uint8_t family)
{
	return family == AF_INET6 && planned_accepts_ra(planned);
}

static struct ip gateway_of(const struct router *router, const struct planned_attachment *planned,
			    uint8_t family)
{
	const struct lease *lease = router->assigned[planned->number].lease;
	if (leases(planned, family))
		return lease ? lease_router(lease) : (struct ip){0};
	const struct ip *gateway = network_gateway(
		planned->network, assigned_primary(address_of(router, planned), family));
	return gateway ? *gateway : (struct ip){0};
}

static bool is_reached(const struct router *router, const struct planned_attachment *planned,
		       const struct ip *via)
{
	const struct lease *lease = router->assigned[planned->number].lease;
	return lease && via->family == AF_INET
		       ? prefix_contains(&lease->addr, via)
		       : assigned_reaches(address_of(router, planned), planned->network, via);
}

/* Whether the route needs the flag that its next hop is on the LAN, as no subnet of an address has
 * it. An IPv6 link-local one always is. */
static bool is_on_link(const struct router *router, const struct planned_attachment *planned,
		       const struct ip *via)
{
	return via->family && !ip_is_link_local(via) && !is_reached(router, planned, via);
}

/* Whether it may have a default route. For a lease and for router advertisements, that is known
 * only when they have arrived. */
static bool claims_default(const struct router *router, const struct planned_attachment *planned,
			   uint8_t family)
{
	return leases(planned, family) || advertised(planned, family)
		       ? !is_internal(planned)
		       : gateway_of(router, planned, family).family != 0;
}

/* The default route through the gateway of the network, in a table (0: main). */
static void default_add(const struct router *router, const struct planned_attachment *planned,
			const struct ip *via, uint32_t table)
{
	route_add(router, planned,
		  (struct link_route){.table = table,
				      .to.ip.family = via->family,
				      .via = *via,
				      .options.on_link = is_on_link(router, planned, via)});
}

/* The attachment with the highest precedence for the namespace's default route, or NULL. */
static const struct planned_attachment *
default_owner(const struct router *router, const struct netns_group *netns_group, uint8_t family)
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
	static const uint8_t families[] = {AF_INET, AF_INET6};
	for (size_t i = 0; i < 2; i++) {
		const uint8_t family = families[i];
		const struct planned_attachment *owner = default_owner(router, netns_group, family);
		if (!owner)
			continue;
		const struct ip via = gateway_of(router, owner, family);
		router->assigned[owner->number].dhcp.gateway |= leases(owner, family);
		if (via.family)
			default_add(router, owner, &via, 0);
		else
			router->assigned[owner->number].ra_default = advertised(owner, family);
	}
}

static bool has_typed(const struct assigned_routes *assigned, const struct link_route *route)
{
	for (size_t i = 0; i < assigned->n_typed; i++)
		if (link_route_same(&assigned->typed[i], route))
			return true;
	return false;
}

/* The first attachment of the namespace that asks for it gets it. */
static void typed_add(const struct router *router, const struct planned_attachment *planned,
		      const struct route *route)
{
	const struct netns_group *group = planned->netns_group;
	struct assigned_routes *assigned = &router->assigned[planned->number];
	const struct link_route added = {
		.table = route->table, .to = route->to, .options = route->options};
	bool known = has_typed(assigned, &added);
	for (size_t i = 0; group && i < group->count; i++)
		known |= has_typed(&router->assigned[group->planned_all[i]->number], &added);
	if (!known)
		*array_push(router->input->arena, assigned->typed, assigned->n_typed) = added;
}

static void own_route_add(const struct router *router, const struct planned_attachment *planned,
			  const struct route *route)
{
	if (route->options.type) {
		typed_add(router, planned, route);
		return;
	}
	struct link_route added = {.table = route->table,
				   .to = route->to,
				   .via = route->via,
				   .options = route->options};
	added.options.on_link |= is_on_link(router, planned, &route->via);
	route_add(router, planned, added);
}

/* Whether the namespace has another interface of a guest on the network. */
static bool guest_before(const struct planned_attachment *planned)
{
	const struct live_ns *ns = planned->ns;
	for (size_t i = 0; ns && i < ns->n_links; i++) {
		const struct owner_tag *tag = &ns->links[i].tag;
		if (&ns->links[i] != planned->current && tag->role == ROLE_GUEST &&
		    owner_tag_has_set(tag, planned->set->name) &&
		    strcmp(tag->network, planned->network->name) == 0)
			return true;
	}
	return false;
}

/* Whether it has the routes and rules of its network. */
static bool is_first(const struct planned_attachment *planned)
{
	return planned->attachment->first && !(planned->container->guest && guest_before(planned));
}

/* Those of the file: of the network, and of the attachment. */
static void own_routes_add(const struct router *router, const struct planned_attachment *planned)
{
	const struct attachment *attachment = planned->attachment;
	const struct network *network = planned->network;
	const size_t n_routes = is_first(planned) ? network->n_routes : 0;
	for (size_t i = 0; i < n_routes; i++)
		if (!attachment_has_route(attachment, &network->routes[i]))
			own_route_add(router, planned, &network->routes[i]);
	for (size_t i = 0; i < attachment->n_routes; i++)
		own_route_add(router, planned, &attachment->routes[i]);
}

static void subnet_route_add(const struct router *router, const struct planned_attachment *planned,
			     const struct ip *ip, uint32_t table)
{
	const struct subnet *subnet = network_subnet_of(planned->network, ip);
	if (subnet->prefix.len < ip_bits(ip))
		route_add(router, planned,
			  (struct link_route){.table = table, .to = subnet->prefix});
}

static void source_rule_add(const struct router *router, const struct planned_attachment *planned,
			    const struct ip *ip, uint32_t table)
{
	rule_add(router, planned,
		 (struct policy_rule){.priority = SOURCE_RULE_PRIORITY,
				      .from = {.ip = *ip, .len = (uint8_t)ip_bits(ip)},
				      .to.ip.family = ip->family,
				      .table = table});
}

/* What leaves from an address of the attachment is routed by its table: to its subnets, and to the
 * gateway of its network. */
static void source_routes_add(const struct router *router, const struct planned_attachment *planned)
{
	const uint32_t table = router->source_tables[planned->number];
	const struct assigned_address *address = address_of(router, planned);
	for (size_t i = 0; has_source_rules(planned) && i < address->count; i++) {
		const struct ip *ip = &address->ips[i].ip;
		const struct ip via =
			ip->family ? gateway_of(router, planned, ip->family) : (struct ip){0};
		if (!via.family || leases(planned, ip->family))
			continue;
		subnet_route_add(router, planned, ip, table);
		default_add(router, planned, &via, table);
		source_rule_add(router, planned, ip, table);
	}
}

static void own_rules_add(const struct router *router, const struct planned_attachment *planned,
			  const struct routing_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct routing_rule *rule = &rules[i];
		const uint8_t family =
			rule->from.ip.family ? rule->from.ip.family : rule->to.ip.family;
		struct policy_rule added = {.priority =
						    rule->priority ? rule->priority : RULE_PRIORITY,
					    .from = rule->from,
					    .to = rule->to,
					    .table = rule->table};
		added.from.ip.family = added.to.ip.family = family;
		rule_add(router, planned, added);
	}
}

/* Whether the destination is a subnet of the attachment, or it has a route there. */
static bool reaches(const struct router *router, const struct planned_attachment *planned,
		    const struct link_route *route)
{
	const struct assigned_routes *assigned = &router->assigned[planned->number];
	const struct prefix *lease = &assigned->dhcp.lease;
	for (size_t i = 0; i < assigned->count; i++)
		if (link_route_same(&assigned->routes[i], route))
			return true;
	for (size_t i = 0; i < planned->network->n_subnets; i++)
		if (prefix_equal(&planned->network->subnets[i].prefix, &route->to))
			return true;
	return lease->len == route->to.len && prefix_contains(&route->to, &lease->ip);
}

static bool other_reaches(const struct router *router, const struct planned_attachment *planned,
			  const struct link_route *route)
{
	const struct netns_group *group = planned->netns_group;
	for (size_t i = 0; i < group->count; i++)
		if (group->planned_all[i] != planned &&
		    reaches(router, group->planned_all[i], route))
			return true;
	return false;
}

/* A route of another program or set, or the kernel's to the subnet of a link that stays. */
static bool live_reaches(const struct router *router, const struct planned_attachment *planned,
			 const struct link_route *route)
{
	for (size_t i = 0; i < planned->ns->n_routes; i++) {
		const struct live_route *live = &planned->ns->routes[i];
		const struct live_link *link = live_link_by_index(planned->ns, live->ifindex);
		const bool ours = live->proto == OWNER_TAG_PROTOCOL && link &&
				  owner_tag_has_set(&link->tag, planned->set->name);
		if (link != planned->current && !ours && !link_leaves(router->matched, link) &&
		    link_route_is(route, live))
			return true;
	}
	return false;
}

/* The routes that are left of an incomplete lease are used until the server has answered. */
static void incomplete_keep(const struct router *router, const struct planned_attachment *planned)
{
	const struct assigned_routes *assigned = &router->assigned[planned->number];
	if (!assigned->lease)
		return;
	each_route_of (live, planned->ns, planned->current->ifindex)
		if (live->proto == OWNER_TAG_PROTOCOL && live->to.ip.family == AF_INET &&
		    (live->to.len || assigned->dhcp.gateway))
			route_add(router, planned, link_route_of(live));
}

/* A route of the lease yields to all others: the server must not redirect other networks
 * as a whole. */
static void lease_routes_add(const struct router *router, const struct planned_attachment *planned)
{
	const struct assigned_routes *assigned = &router->assigned[planned->number];
	struct link_route routes[LEASE_LINK_ROUTES_MAX];
	if (!assigned->lease || assigned->dhcp.incomplete) {
		incomplete_keep(router, planned);
		return;
	}
	const size_t count = lease_link_routes(&assigned->dhcp, assigned->lease, routes);
	for (size_t i = 0; i < count; i++)
		if (routes[i].table || !routes[i].to.len ||
		    (!other_reaches(router, planned, &routes[i]) &&
		     !live_reaches(router, planned, &routes[i])))
			route_add(router, planned, routes[i]);
}

static void lease_rule_add(const struct router *router, const struct planned_attachment *planned)
{
	const struct assigned_routes *assigned = &router->assigned[planned->number];
	struct policy_rule rule;
	if (assigned->lease && lease_link_rule(&assigned->dhcp, assigned->lease, &rule))
		rule_add(router, planned, rule);
}

struct routes routes_choose(const struct matched *matched, const struct addresses *addresses)
{
	const struct attachments *attachments = matched->attachments;
	const struct router router = {
		.input = matched->input,
		.matched = matched,
		.addresses = addresses,
		.source_tables = source_tables_choose(matched),
		.assigned = arena_alloc(matched->input->scratch,
					(attachments->count + 1) * sizeof(struct assigned_routes))};
	for (size_t i = 0; i < attachments->n_containers; i++)
		lease_find(&router, &attachments->planned[i]);
	for (size_t i = 0; i < attachments->groups.count; i++)
		defaults_add(&router, &attachments->groups.all[i]);
	for (size_t i = 0; i < attachments->n_containers; i++) {
		const struct planned_attachment *planned = &attachments->planned[i];
		own_routes_add(&router, planned);
		source_routes_add(&router, planned);
		lease_rule_add(&router, planned);
		if (is_first(planned))
			own_rules_add(&router, planned, planned->network->rules,
				      planned->network->n_rules);
		own_rules_add(&router, planned, planned->attachment->rules,
			      planned->attachment->n_rules);
	}
	for (size_t i = 0; i < attachments->n_containers; i++)
		lease_routes_add(&router, &attachments->planned[i]);
	return (struct routes){.assigned = router.assigned};
}
