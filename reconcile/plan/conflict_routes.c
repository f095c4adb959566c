/* Routes in a container's namespace that conflict with those of an attachment. */
#include "reconcile/plan/conflict.h"

#include <sys/socket.h>

static struct link_route *desired_route_find(const struct conflict_finder *finder,
					     const struct planned_attachment *planned,
					     const struct live_route *live)
{
	struct checked_attachment *checked = &finder->checked[planned->number];
	if (planned->current && live->ifindex == planned->current->ifindex)
		return NULL;
	for (size_t i = 0; i < checked->n_routes; i++)
		if (prefix_equal(&checked->routes[i].to, &live->to))
			return &checked->routes[i];
	return NULL;
}

/* Two routes to one destination conflict if their metrics are equal: IPv4's 0, IPv6's 1024. */
static bool metric_managed(const struct live_route *route)
{
	return route->metric == (route->to.ip.family == AF_INET ? 0 : 1024);
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

static struct check_result route_denied(const struct matched *matched,
					const struct planned_attachment *planned,
					const struct live_route *route)
{
	char to[PREFIX_TEXT_SIZE], via[IP_TEXT_SIZE];
	const char *what = route->to.len ? arena_printf(matched->input->arena, "a route to %s",
							prefix_format(&route->to, to))
					 : "a default route";
	const char *set = set_of_route(matched, planned->ns, route);
	const char *reason = arena_printf(matched->input->arena, "%s already has %s%s%s%s%s%s",
					  planned->ns->name, what, route->via.family ? " via " : "",
					  ip_format(&route->via, via), set ? ", of set \"" : "",
					  set ? set : "", set ? "\"" : "");
	return conflict_denied(
		planned->ns, CODE_ROUTE_UNMANAGED, reason,
		set ? "remove one of the two routes from the files"
		    : "remove that route, or remove this one from the files; --adopt replaces it");
}

static bool engine_has(const struct planned_attachment *planned, const struct live_route *route)
{
	const struct live_link *link = live_link_by_index(planned->ns, route->ifindex);
	return (planned->container->source_kind == SOURCE_DOCKER ||
		planned->container->source_kind == SOURCE_PODMAN) &&
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
 * NULL: no owner that takes precedence over the attachment. */
static const char *default_before(const struct matched *matched,
				  const struct planned_attachment *planned, uint8_t family,
				  const struct live_route **ret_route)
{
	for (size_t i = 0; planned->container && i < planned->ns->n_routes; i++) {
		const struct live_route *route = &planned->ns->routes[i];
		if (route->to.len || route->to.ip.family != family)
			continue;
		const char *set = set_of_route(matched, planned->ns, route);
		const struct live_link *kept = kept_of_route(matched, planned->ns, route);
		if (!set && !kept && !engine_has(planned, route))
			continue;
		*ret_route = route;
		if (kept)
			return kept->tag.container;
		return set ? arena_printf(matched->input->arena, "set \"%s\"", set)
			   : "its container engine";
	}
	return NULL;
}

static void default_warn(const struct matched *matched, const struct planned_attachment *planned,
			 const char *owner, const struct live_route *theirs,
			 const struct link_route *ours)
{
	char their_via[IP_TEXT_SIZE], our_via[IP_TEXT_SIZE];
	warning_add(matched->input,
		    theirs->via.family ? WARNING_ROUTE_KEPT_VIA : WARNING_ROUTE_KEPT,
		    planned->container->name, owner, planned->network->name,
		    ip_format(&ours->via, our_via), ip_format(&theirs->via, their_via));
}

/* Leaves out routes that other links already have. */
static void defaults_yield(const struct conflict_finder *finder,
			   const struct planned_attachment *planned)
{
	const struct matched *matched = finder->assigned->matched;
	struct checked_attachment *checked = &finder->checked[planned->number];
	size_t kept = 0;
	for (size_t i = 0; i < checked->n_routes; i++) {
		const struct link_route *ours = &checked->routes[i];
		const struct live_route *theirs = NULL;
		const char *owner = ours->to.len ? NULL
						 : default_before(matched, planned,
								  ours->to.ip.family, &theirs);
		if (owner)
			default_warn(matched, planned, owner, theirs, ours);
		else
			checked->routes[kept++] = *ours;
	}
	checked->n_routes = kept;
	const struct live_route *theirs;
	if (checked->gateway && default_before(matched, planned, AF_INET, &theirs))
		checked->gateway = false;
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
		if ((route->proto == OWNER_TAG_PROTOCOL && !set && !kept) || !metric_managed(route))
			continue;
		struct link_route *desired_route = desired_route_find(finder, planned, route);
		if (desired_route && kept)
			return conflict_with_holder(matched->input, planned->ns, kept, "route");
		if (desired_route && (set || !matched->input->options->adopt))
			return route_denied(matched, planned, route);
		if (desired_route)
			desired_route->replaces = true;
	}
	return CHECK_FINE;
}

bool conflict_has_route(const struct conflict_finder *finder,
			const struct planned_attachment *planned, const struct live_link *link)
{
	for (size_t i = 0; i < planned->ns->n_routes; i++) {
		const struct live_route *route = &planned->ns->routes[i];
		if (route->ifindex == link->ifindex && metric_managed(route) &&
		    desired_route_find(finder, planned, route))
			return true;
	}
	return false;
}

static bool leads_to(const struct checked_attachment *checked, const struct prefix *to)
{
	for (size_t i = 0; i < checked->n_routes; i++)
		if (prefix_equal(&checked->routes[i].to, to))
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
				       other->container->name, other->network->name,
				       prefix_format(to, text), planned->ns->name),
		.hint = "remove one of the two routes",
	};
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
			    leads_to(&finder->checked[other->number], &own->routes[k].to))
				return route_twice(finder->assigned->input, planned, other,
						   &own->routes[k].to);
	}
	return CHECK_FINE;
}
