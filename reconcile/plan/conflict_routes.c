/* Routes in a container's namespace that conflict with those of an attachment. */
#include "reconcile/plan/conflict.h"
#include "reconcile/state/policy_routing.h"

#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#define CONNECTED_METRIC_IPV6 256 /* IP6_RT_PRIO_ADDRCONF */

/* The number of the attachment's route in the place of the live one of another link, or NO_ROUTE.
 */
#define NO_ROUTE SIZE_MAX
static size_t desired_route_find(const struct conflict_finder *finder,
				 const struct planned_attachment *planned,
				 const struct live_route *live)
{
	const struct checked_attachment *checked = &finder->checked[planned->number];
	if (planned->current && live->ifindex == planned->current->ifindex)
		return NO_ROUTE;
	for (size_t i = 0; i < checked->n_routes; i++)
		if (link_route_is(&checked->routes[i], live))
			return i;
	return NO_ROUTE;
}

/* The attachment's routes as a copy that may be changed: before, they are the earlier phase's. */
static struct link_route *routes_copy(const struct conflict_finder *finder,
				      const struct planned_attachment *planned)
{
	struct checked_attachment *checked = &finder->checked[planned->number];
	const size_t size = checked->n_routes * sizeof(*checked->routes);
	struct link_route *copy = arena_alloc(finder->assigned->input->arena, size);
	memcpy(copy, checked->routes, size);
	checked->routes = copy;
	return copy;
}

/* The set of another run that owns the managed route, or NULL. */
static const char *set_of_route(const struct matched *matched, const struct live_ns *ns,
				const struct live_route *route)
{
	const struct live_link *link = live_link_by_index(ns, route->ifindex);
	return route->proto == OWNER_TAG_PROTOCOL && link && link->tag.role != ROLE_NONE &&
			       link_unmanaged(matched, link)
		       ? link->tag.set
		       : NULL;
}

static const char *route_hint(const struct live_route *route)
{
	if (route->table == POLICY_TABLE && !route->to.len)
		return "remove it with `ip route del default table 77` (for IPv6 with `ip -6`) in "
		       "that namespace, or remove gw_priority from the files; --adopt replaces it";
	return route->to.len || route->table
		       ? "remove that route, or remove this one from the files; --adopt "
			 "replaces it"
		       : "remove that route, or remove this one from the files; "
			 "`gw_priority: 1` adds this one beside it, --adopt replaces it";
}

static struct check_result route_denied(const struct matched *matched,
					const struct planned_attachment *planned,
					const struct live_route *route)
{
	char to[PREFIX_TEXT_SIZE], via[IP_TEXT_SIZE];
	const char *what = route->to.len ? arena_printf(matched->input->arena, "a route to %s",
							prefix_format(&route->to, to))
					 : "a default route";
	if (route->table)
		what = arena_printf(matched->input->arena, "%s in table %u", what, route->table);
	const char *set = set_of_route(matched, planned->ns, route);
	const char *reason = arena_printf(matched->input->arena, "%s already has %s%s%s%s%s%s",
					  planned->ns->name, what, route->via.family ? " via " : "",
					  ip_format(&route->via, via), set ? ", of set \"" : "",
					  set ? set : "", set ? "\"" : "");
	return conflict_denied(planned->ns, CODE_ROUTE_UNMANAGED, reason,
			       set ? "remove one of the two routes from the files"
				   : route_hint(route));
}

static bool of_engine(const struct container *container)
{
	return container->source_kind == SOURCE_DOCKER || container->source_kind == SOURCE_PODMAN;
}

static bool engine_has(const struct planned_attachment *planned, const struct live_route *route)
{
	const struct live_link *link = live_link_by_index(planned->ns, route->ifindex);
	return of_engine(planned->container) && !route->table &&
	       route->proto != OWNER_TAG_PROTOCOL && (!link || link->tag.role == ROLE_NONE) &&
	       (!planned->current || link != planned->current);
}

/* The link, of a container that is not running, that owns the managed route; or NULL. */
static const struct live_link *kept_of_route(const struct matched *matched,
					     const struct live_ns *ns,
					     const struct live_route *route)
{
	const struct live_link *link =
		route->proto == OWNER_TAG_PROTOCOL ? live_link_by_index(ns, route->ifindex) : NULL;
	return link_kept(matched, link) ? link : NULL;
}

/* The owner of the namespace's default route: its engine, whatever the metric, as two default
 * routes make one of them useless; another set; or a stopped container that shared the namespace.
 * NULL: no owner that takes precedence over the attachment, which an engine does not if the
 * attachment's route is beside its own. */
static const char *default_before(const struct matched *matched,
				  const struct planned_attachment *planned, uint8_t family,
				  bool beside, const struct live_route **ret_route)
{
	for (size_t i = 0; planned->container && i < planned->ns->n_routes; i++) {
		const struct live_route *route = &planned->ns->routes[i];
		if (!live_route_is_default(route) || route->to.ip.family != family)
			continue;
		const char *set = set_of_route(matched, planned->ns, route);
		const struct live_link *kept = kept_of_route(matched, planned->ns, route);
		if (!set && !kept && (beside || !engine_has(planned, route)))
			continue;
		*ret_route = route;
		if (kept)
			return kept->tag.container;
		return set ? arena_printf(matched->input->arena, "set \"%s\"", set)
			   : "its container engine";
	}
	return NULL;
}

/* Whether the attachment's default route is beside that of another program, since its gw_priority
 * is higher than that of the other networks, 0. Without another default route it stays beside in an
 * engine's container, as an engine fails to add its own to the main table when it connects a
 * network again. */
static bool has_other_default(const struct planned_attachment *planned, size_t family)
{
	static const uint8_t families[N_FAMILIES] = {[IPV4] = AF_INET, [IPV6] = AF_INET6};
	const struct live_ns *ns = planned->ns;
	if (!planned->container || planned->attachment->gw_priority <= 0)
		return false;
	if (of_engine(planned->container) && policy_has_default(ns, families[family]))
		return true;
	return policy_other_default(ns, families[family], planned->current, NULL);
}

static void default_warn(const struct matched *matched, const struct planned_attachment *planned,
			 const char *owner, const struct live_route *theirs,
			 const struct link_route *ours)
{
	char their_via[IP_TEXT_SIZE], our_via[IP_TEXT_SIZE];
	static const enum warning_kind kinds[2][2] = {
		{WARNING_ROUTE_KEPT, WARNING_ROUTE_KEPT_VIA},
		{WARNING_ROUTE_ENGINE, WARNING_ROUTE_ENGINE_VIA}};
	const bool engine = engine_has(planned, theirs);
	warning_add(matched->input, kinds[engine][theirs->via.family != 0],
		    planned->container->name, owner, planned->network->name,
		    ip_format(&ours->via, our_via), ip_format(&theirs->via, their_via));
}

/* Leaves out default routes that other links already have, or puts them beside. */
static void defaults_yield(const struct conflict_finder *finder,
			   const struct planned_attachment *planned)
{
	const struct matched *matched = finder->assigned->matched;
	struct checked_attachment *checked = &finder->checked[planned->number];
	const bool beside[N_FAMILIES] = {[IPV4] = has_other_default(planned, IPV4),
					 [IPV6] = has_other_default(planned, IPV6)};
	const struct live_route *theirs = NULL;
	struct link_route *changed = NULL; /* once some are different */
	unsigned kept = 0;
	for (size_t i = 0; i < checked->n_routes; i++) {
		struct link_route ours = checked->routes[i];
		const size_t family = ours.to.ip.family == AF_INET6 ? IPV6 : IPV4;
		const char *owner = ours.to.len || ours.table
					    ? NULL
					    : default_before(matched, planned, ours.to.ip.family,
							     beside[family], &theirs);
		const bool moves = !ours.to.len && !ours.table && beside[family];
		if (!changed && (owner || moves))
			changed = routes_copy(finder, planned);
		if (owner) {
			default_warn(matched, planned, owner, theirs, &ours);
			continue;
		}
		if (moves) {
			ours.table = POLICY_TABLE;
			checked->policy[family] = true;
		}
		if (changed)
			changed[kept] = ours;
		kept++;
	}
	checked->n_routes = kept;
	if (checked->gateway && default_before(matched, planned, AF_INET, beside[IPV4], &theirs))
		checked->gateway = false;
	checked->policy[IPV4] |= checked->gateway && beside[IPV4];
}

static struct check_result rule_denied(const struct matched *matched,
				       const struct planned_attachment *planned,
				       const struct live_rule *rule)
{
	char text[POLICY_RULE_TEXT_SIZE];
	return conflict_denied(
		planned->ns, CODE_ROUTE_UNMANAGED,
		arena_printf(matched->input->arena, "%s already has the rule %s", planned->ns->name,
			     policy_rule_format(&rule->rule, text)),
		arena_printf(matched->input->arena,
			     "remove it with `ip%s rule del pref %u` in that namespace, or remove "
			     "gw_priority from the files",
			     rule->rule.from.ip.family == AF_INET6 ? " -6" : "",
			     rule->rule.priority));
}

static bool typed_asked(const struct assigned_routes *assigned, const struct live_route *live)
{
	for (size_t i = 0; i < assigned->n_typed; i++)
		if (link_route_is(&assigned->typed[i], live))
			return true;
	return false;
}

/* A route of another program, or of a link of mvapply's that stays, in the place of one that leads
 * nowhere. */
static const struct live_route *typed_in_way(const struct conflict_finder *finder,
					     const struct planned_attachment *planned)
{
	const struct matched *matched = finder->assigned->matched;
	const struct assigned_routes *assigned =
		&finder->assigned->routes->assigned[planned->number];
	for (size_t i = 0; assigned->n_typed && i < planned->ns->n_routes; i++) {
		const struct live_route *route = &planned->ns->routes[i];
		const bool others = set_of_route(matched, planned->ns, route) ||
				    kept_of_route(matched, planned->ns, route);
		if (typed_asked(assigned, route) &&
		    (others ||
		     (route->proto != OWNER_TAG_PROTOCOL && !matched->input->options->adopt)))
			return route;
	}
	return NULL;
}

/* An unmanaged rule at a priority of those that the attachment needs: it may lead elsewhere. */
static struct check_result check_rules(const struct conflict_finder *finder,
				       const struct planned_attachment *planned)
{
	const bool *policy = finder->checked[planned->number].policy;
	for (size_t i = 0; i < planned->ns->n_rules; i++) {
		const struct live_rule *rule = &planned->ns->rules[i];
		const size_t family = rule->rule.from.ip.family == AF_INET6 ? IPV6 : IPV4;
		if (policy[family] && !live_rule_managed(rule) && policy_rule_reserved(&rule->rule))
			return rule_denied(finder->assigned->matched, planned, rule);
	}
	return CHECK_FINE;
}

/* Whether another attachment of the set got it by a router advertisement: it ends there, as one
 * attachment alone has the default route. */
static bool advertised_to(const struct planned_attachment *planned, const struct live_route *route)
{
	const struct live_link *link = live_link_by_index(planned->ns, route->ifindex);
	return route->proto == RTPROT_RA && link &&
	       owner_tag_has_set(&link->tag, planned->set->name);
}

struct check_result check_routes(const struct conflict_finder *finder,
				 const struct planned_attachment *planned)
{
	const struct matched *matched = finder->assigned->matched;
	defaults_yield(finder, planned);
	for (size_t i = 0; i < planned->ns->n_routes; i++) {
		const struct live_route *route = &planned->ns->routes[i];
		const char *set = set_of_route(matched, planned->ns, route);
		const struct live_link *kept = kept_of_route(matched, planned->ns, route);
		const bool leaves =
			link_leaves(matched, live_link_by_index(planned->ns, route->ifindex));
		if ((route->proto == OWNER_TAG_PROTOCOL || leaves ||
		     advertised_to(planned, route)) &&
		    !set && !kept)
			continue;
		const size_t number = desired_route_find(finder, planned, route);
		if (number == NO_ROUTE)
			continue;
		if (kept)
			return conflict_with_holder(matched->input, planned->ns, kept, "route");
		if (set || !matched->input->options->adopt)
			return route_denied(matched, planned, route);
		routes_copy(finder, planned)[number].replaces = true;
	}
	const struct live_route *in_way = typed_in_way(finder, planned);
	return in_way ? route_denied(matched, planned, in_way) : check_rules(finder, planned);
}

bool conflict_has_route(const struct conflict_finder *finder,
			const struct planned_attachment *planned, const struct live_link *link)
{
	for (size_t i = 0; i < planned->ns->n_routes; i++) {
		const struct live_route *route = &planned->ns->routes[i];
		if (route->ifindex == link->ifindex &&
		    desired_route_find(finder, planned, route) != NO_ROUTE)
			return true;
	}
	return false;
}

static bool leads_to(const struct checked_attachment *checked, const struct link_route *route)
{
	for (size_t i = 0; i < checked->n_routes; i++)
		if (link_route_same(&checked->routes[i], route))
			return true;
	return false;
}

static struct check_result route_twice(const struct plan_input *input,
				       const struct planned_attachment *planned,
				       const struct planned_attachment *other,
				       const struct prefix *to)
{
	char text[PREFIX_TEXT_SIZE];
	return (struct check_result){
		.action = ACTION_BLOCKED,
		.code = CODE_ROUTE,
		.reason = arena_printf(input->arena, "%s/%s also gets a route to %s in %s",
				       other->container->name, other->attachment->name,
				       prefix_format(to, text), planned->ns->name),
		.hint = "remove one of the two routes",
	};
}

/* Whether it has the place of the route that the kernel adds to the subnet of an address. */
static bool is_connected(const struct network *network, const struct assigned_address *address,
			 const struct prefix *lease, const struct link_route *typed)
{
	struct link_route connected = {.to = typed->to};
	if (typed->to.ip.family == AF_INET6)
		connected.options.metric = CONNECTED_METRIC_IPV6;
	if (!link_route_same(&connected, typed))
		return false;
	for (size_t i = 0; i < address->count; i++) {
		const struct ip *ip = &address->ips[i].ip;
		const struct subnet *subnet = ip->family ? network_subnet_of(network, ip) : NULL;
		if (subnet && prefix_equal(&subnet->prefix, &typed->to))
			return true;
	}
	return lease->ip.family && lease->len == typed->to.len &&
	       prefix_contains(&typed->to, &lease->ip);
}

/* Whether the route has the place of one of the attachment: of the files, of a lease or of router
 * advertisements, or to the subnet of an address. */
static bool has_place_of(const struct conflict_finder *finder,
			 const struct planned_attachment *other, const struct link_route *typed)
{
	const struct checked_attachment *checked = &finder->checked[other->number];
	const struct assigned_routes *routes = &finder->assigned->routes->assigned[other->number];
	const struct assigned_address *address =
		&finder->assigned->addresses->assigned[other->number];
	const struct link_route unspecified = {.to.ip.family = typed->to.ip.family};
	const bool awaited = typed->to.ip.family == AF_INET
				     ? checked->gateway && !checked->policy[IPV4]
				     : routes->ra_default;
	return leads_to(checked, typed) || (awaited && link_route_same(&unspecified, typed)) ||
	       is_connected(other->network, address, &routes->dhcp.lease, typed);
}

static struct check_result typed_denied(const struct plan_input *input,
					const struct planned_attachment *other,
					const struct link_route *typed)
{
	char to[PREFIX_TEXT_SIZE];
	const char *type = route_type_name(typed->options.type);
	return (struct check_result){
		.action = ACTION_BLOCKED,
		.code = CODE_ROUTE,
		.reason = arena_printf(input->arena,
				       "its route to %s of type %s would replace that of %s/%s",
				       prefix_format(&typed->to, to), type, other->container->name,
				       other->attachment->name),
		.hint = typed->to.ip.family == AF_INET
				? "give the route a `metric` greater than 0, or a `table`"
				: "give the route another `metric`, such as 2048, or a `table`",
	};
}

/* A route that leads nowhere belongs to the namespace: it would replace one of any attachment, the
 * own one too. */
struct check_result check_typed_routes(const struct conflict_finder *finder,
				       const struct planned_attachment *planned)
{
	const struct netns_group *group = planned->netns_group;
	const struct assigned_routes *own = &finder->assigned->routes->assigned[planned->number];
	for (size_t i = 0; group && i < group->count; i++)
		for (size_t k = 0; k < own->n_typed; k++)
			if (has_place_of(finder, group->planned_all[i], &own->typed[k]))
				return typed_denied(finder->assigned->input, group->planned_all[i],
						    &own->typed[k]);
	return CHECK_FINE;
}

struct check_result check_routes_of_group(const struct conflict_finder *finder,
					  const struct planned_attachment *planned)
{
	const struct netns_group *group = planned->netns_group;
	const struct checked_attachment *own = &finder->checked[planned->number];
	for (size_t i = 0; group && group->planned_all[i] != planned; i++) {
		const struct planned_attachment *other = group->planned_all[i];
		if (other->container == planned->container)
			continue;
		for (size_t k = 0; k < own->n_routes; k++)
			if (own->routes[k].via.family &&
			    leads_to(&finder->checked[other->number], &own->routes[k]))
				return route_twice(finder->assigned->input, planned, other,
						   &own->routes[k].to);
	}
	return CHECK_FINE;
}
